"""One process at a time; whoever died is not waited for."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from concepts.errors import RunFolderError
from fit.run import lock


def test_the_second_is_refused_with_pid_and_host(tmp_path: Path) -> None:
    expected = f"process {os.getpid()} on {socket.gethostname()} works on this run folder"
    # flock belongs to the open file, so that a second open in this process stands for another process.
    with lock.hold(tmp_path), pytest.raises(RunFolderError, match=expected), lock.hold(tmp_path):
        pass


def test_the_holder_is_told_while_it_holds(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path):
        assert lock.holder(tmp_path) == lock.Holder(os.getpid(), socket.gethostname())
    assert lock.holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [json.dumps({"pid": 1, "host": "elsewhere"}), "", "{", "[]"])
def test_a_stale_lock_is_taken_over(tmp_path: Path, content: str) -> None:
    (tmp_path / lock.NAME).write_text(content)
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path):
        holder = lock.holder(tmp_path)
        assert holder is not None
        assert holder.pid == os.getpid()


def test_the_lock_falls_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.hold(tmp_path):
        raise ZeroDivisionError
    with lock.hold(tmp_path):
        assert lock.holder(tmp_path) is not None


def test_the_lock_falls_where_its_file_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        with pytest.raises(PermissionError), lock.hold(tmp_path):
            pass
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path):
        assert lock.holder(tmp_path) is not None
