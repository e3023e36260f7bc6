"""Files that were deleted on purpose are told from files that are lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from concepts.errors import RunFolderError
from fit.run import artefacts, receipts
from fit.run.freed import NAME, freed, note_freed, take_back
from fit.run.receipts import Plan


def test_notes_add_up_and_are_taken_back(tmp_path: Path) -> None:
    assert freed(tmp_path) == {}
    note_freed(tmp_path, "generation", {"parts/a.tar": "aa"})
    note_freed(tmp_path, "generation", {"parts/b.tar": "bb"})
    note_freed(tmp_path, "verification", {"images/c": "cc"})
    assert freed(tmp_path)["generation"] == {"parts/a.tar": "aa", "parts/b.tar": "bb"}
    take_back(tmp_path, "generation")
    assert freed(tmp_path) == {"verification": {"images/c": "cc"}}
    take_back(tmp_path, "scores")
    take_back(tmp_path, "verification")
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"stages": []}', b'{"stages": {"a": ["b"]}}'])
def test_a_damaged_record_is_never_taken_for_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(RunFolderError, match="delete it to have computed again what was freed"):
        freed(tmp_path)


def test_a_receipt_misses_no_file_that_was_freed(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        artefacts.write_bytes(tmp_path / name, name.encode())
    receipt = receipts.write_receipt(tmp_path, Plan("generation", 1, {}, {}))
    gone = {"a": receipt.outputs["a"], "b": "of other bytes", "c": receipt.outputs["c"]}
    (tmp_path / "a").unlink()
    (tmp_path / "b").unlink()
    (tmp_path / "c").write_bytes(b"changed")  # it is there, so it has to be right
    assert list(receipts.damaged(tmp_path, receipt, True, gone)) == ["b", "c"]
