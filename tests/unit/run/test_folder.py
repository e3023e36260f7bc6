"""A run folder whose files somebody has spoilt: one line, and nobody who was forgotten comes back."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from concepts.errors import RunFolderError, SettingsError
from fit.config import Settings
from fit.run import folder, forgotten


def test_settings_that_are_not_utf8_are_one_line(tmp_path: Path) -> None:
    (tmp_path / folder.CONFIG).write_bytes(b"seed = 1 # \xff")
    with pytest.raises(SettingsError, match=r"config\.toml: not UTF-8 \(byte 11\)"):
        folder.load(tmp_path)


def test_a_full_disk_is_the_run_folders_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = folder.Run(tmp_path / "run", Settings(domain="art-styles", concepts="c", model="m", corpus="x"))
    monkeypatch.setattr("fit.run.artefacts.os.fsync", full)
    told = r"run: cannot be read or written \(No space left on device\)"
    with pytest.raises(RunFolderError, match=told), folder.work(run):
        pytest.fail("the folder has no history")
    monkeypatch.undo()
    with folder.work(run):
        assert folder.is_run(run.folder)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"concepts": 3}', '{"concepts": [3]}', '{"concepts": ["aa"]}', "[" * 100_000],
    ids=len,
)
def test_a_damaged_list_of_who_was_forgotten_is_never_taken_for_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / forgotten.NAME).write_text(content)
    with pytest.raises(RunFolderError, match=r"forgotten\.json: damaged"):
        forgotten.forgotten(tmp_path)
