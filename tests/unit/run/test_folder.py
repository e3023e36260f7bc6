"""A run folder whose files somebody has spoilt: one line, and nobody who was forgotten comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from concepts.errors import RunFolderError, SettingsError
from fit.run import folder, forgotten


def test_settings_that_are_not_utf8_are_one_line(tmp_path: Path) -> None:
    (tmp_path / folder.CONFIG).write_bytes(b"seed = 1 # \xff")
    with pytest.raises(SettingsError, match=r"config\.toml: not UTF-8 \(byte 11\)"):
        folder.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"concepts": 3}', '{"concepts": [3]}', '{"concepts": ["aa"]}', "[" * 100_000],
    ids=len,
)
def test_a_damaged_list_of_who_was_forgotten_is_never_taken_for_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / forgotten.NAME).write_text(content)
    with pytest.raises(RunFolderError, match=r"forgotten\.json: damaged"):
        forgotten.forgotten(tmp_path)
