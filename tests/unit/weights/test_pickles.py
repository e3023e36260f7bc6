"""Pickles: read without running them, only where somebody vouches for the file, and once."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from concepts.errors import ModelError
from fit.weights.digests import digest_of, file_digest, folder_digests
from fit.weights.pickles import allow_pickle, is_pickle, safetensors_twin

WEIGHTS = OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=torch.ones(2, dtype=torch.float16))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def saved(path: Path, content: Any = WEIGHTS) -> Path:
    torch.save(content, path)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def same(twin: Path) -> bool:
    found = load_file(twin)
    return found.keys() == WEIGHTS.keys() and all(torch.equal(found[k], v) for k, v in WEIGHTS.items())


def test_a_pinned_pickle_is_converted_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.bin")
    twin = safetensors_twin(path, sha256(path).upper())
    assert same(twin)
    made = twin.stat().st_mtime_ns
    assert safetensors_twin(path, sha256(path)) == twin
    assert twin.stat().st_mtime_ns == made
    assert [each.name for each in twin.parent.iterdir()] == [f"{sha256(path)}.safetensors"]


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path, cache: Path) -> None:
    path = saved(tmp_path / "w.bin")
    with pytest.raises(ModelError, match=r"not the pinned 00; it is not the published file") as caught:
        safetensors_twin(path, "00")
    assert caught.value.exit_code == 14
    assert not cache.exists()


def test_an_unknown_pickle_needs_somebody_who_vouches_for_it(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"a pickle, which can run code .*--allow-pickle"):
        safetensors_twin(path)
    assert same(allow_pickle(path))
    assert same(safetensors_twin(path))
    # Vouched for is the content, not the name.
    saved(path, {"a": torch.zeros(1)})
    with pytest.raises(ModelError, match=r"--allow-pickle"):
        safetensors_twin(path)


@pytest.mark.parametrize("wrap", [("state_dict",), ("model_state_dict",), ("model", "state_dict")])
def test_weights_are_found_inside_what_training_scripts_save(tmp_path: Path, wrap: tuple[str, ...]) -> None:
    content: Any = WEIGHTS
    for key in reversed(wrap):
        content = {key: content, "epoch": 3}
    assert same(allow_pickle(saved(tmp_path / "w.ckpt", content)))


def test_tensors_that_share_memory_are_kept(tmp_path: Path) -> None:
    whole = torch.arange(4.0)
    found = load_file(
        allow_pickle(saved(tmp_path / "w.bin", {"one": whole, "same": whole, "part": whole[1:]}))
    )
    assert found["same"].tolist() == [0, 1, 2, 3]
    assert found["part"].tolist() == [1, 2, 3]


class Trap:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.mark,)


def save_with_a_key_that_is_none(path: Path) -> None:
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    place = content.rindex(re.findall(rb"X.\0\0\0(\d+)", content)[-1])
    path.write_bytes(content[:place] + b"x" + content[place + 1 :])


BAD: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "code": (lambda path, mark: torch.save({"a": Trap(mark)}, path), "holds more than weights"),
    "code in a plain pickle": (
        lambda path, mark: path.write_bytes(pickle.dumps(Trap(mark))), "holds more than weights"
    ),
    "a whole module": (lambda path, _: torch.save(torch.nn.Linear(2, 2), path), "holds more than weights"),
    "no weights": (lambda path, _: torch.save({"epoch": 3}, path), "holds no named weights"),
    "a list": (lambda path, _: torch.save([torch.ones(1)], path), "holds no named weights"),
    "one tensor": (lambda path, _: torch.save(torch.ones(1), path), "holds no named weights"),
    "empty": (lambda path, _: path.write_bytes(b""), "no checkpoint that can be read"),
    "truncated": (
        lambda path, _: path.write_bytes(saved(path).read_bytes()[:300]), "no checkpoint that can be read"
    ),
    "a number cut off": (
        lambda path, _: path.write_bytes(b"\x80\x02X\x10"), "no checkpoint that can be read"
    ),
    "a key that is none": (
        lambda path, _: save_with_a_key_that_is_none(path), "no checkpoint that can be read"
    ),
    "text": (lambda path, _: path.write_text("hello"), "no checkpoint that can be read"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "says"), BAD.values(), ids=BAD.keys())
def test_bad_pickles_are_one_line_and_run_nothing(
    tmp_path: Path, cache: Path, make: Callable[[Path, Path], object], says: str
) -> None:
    path, mark = tmp_path / "w.bin", tmp_path / "executed"
    make(path, mark)
    for read in (allow_pickle, lambda path: safetensors_twin(path, sha256(path))):
        with pytest.raises(ModelError) as caught:
            read(path)
        assert says in str(caught.value)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    assert not mark.exists()
    assert not cache.exists()


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no\.bin: cannot be read \(No such file or directory\)"):
        allow_pickle(tmp_path / "no.bin")


@pytest.mark.parametrize(("name", "is_one"), [("w.bin", True), ("w.PT", True), ("w.safetensors", False)])
def test_pickles_are_told_by_their_names(name: str, is_one: bool) -> None:
    assert is_pickle(Path(name)) is is_one


def test_a_digest_is_of_what_the_file_holds_now(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"one")
    assert file_digest(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"other")
    assert file_digest(path) == hashlib.sha256(b"other").hexdigest()


def test_digests_of_a_folder_are_by_path(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "w").write_bytes(b"1")
    (tmp_path / "a").write_bytes(b"2")
    found = folder_digests(tmp_path)
    assert list(found) == ["a", "b/w"]
    assert digest_of(found) != digest_of({"a": found["a"]})
    assert digest_of(found) != digest_of({"a": found["a"], "b/v": found["b/w"]})
