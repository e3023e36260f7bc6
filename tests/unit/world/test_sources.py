"""The list of data files says of each where it is from, and which bytes it has."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from fit.world.sources import LISTING, write_sources
from tests.conftest import ROOT


def rows(listing: Path) -> list[dict[str, object]]:
    return list(tomllib.loads(listing.read_text("utf-8"))["file"])


def test_every_file_of_the_world_has_a_row(tmp_path: Path) -> None:
    (tmp_path / "demo" / "sub").mkdir(parents=True)
    (tmp_path / "demo" / "b.bin").write_bytes(b"brush")
    (tmp_path / "demo" / "sub" / "a.bin").write_bytes(b"")
    (tmp_path / "demo" / ".hidden").write_bytes(b"x")
    write_sources(tmp_path / "demo")
    found = rows(tmp_path / LISTING)
    assert [row["path"] for row in found] == ["demo/b.bin", "demo/sub/a.bin"]
    assert found[0]["sha256"] == hashlib.sha256(b"brush").hexdigest()
    assert [row["bytes"] for row in found] == [5, 0]
    assert all(row["licence"] == "Apache-2.0" and row["origin"] for row in found)


def test_rows_of_other_files_stay_and_those_of_the_world_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "old.bin").write_bytes(b"old")
    write_sources(tmp_path / "demo")
    other = '[[file]]\npath = "zoo/x.csv"\norigin = "a study"\nlicence = "MIT"\nsha256 = "00"\nbytes = 1\n'
    listing = tmp_path / LISTING
    listing.write_text(listing.read_text() + other)
    (tmp_path / "demo" / "old.bin").rename(tmp_path / "demo" / "new.bin")
    write_sources(tmp_path / "demo")
    assert [row["path"] for row in rows(listing)] == ["demo/new.bin", "zoo/x.csv"]
    before = listing.read_bytes()
    write_sources(tmp_path / "demo")
    assert listing.read_bytes() == before


def test_the_repositorys_data_are_as_listed() -> None:
    data = ROOT / "data"
    listed = {str(row["path"]): row for row in rows(data / LISTING)}
    files = {path.relative_to(data).as_posix(): path for path in data.rglob("*") if path.is_file()}
    assert set(listed) == set(files) - {LISTING}
    for name, row in listed.items():
        content = files[name].read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (row["bytes"], row["sha256"]), name
    # At most 60 MiB, and 40 more for the faces: promises of the demo worlds.
    for world, most in (("demo/", 60), ("demo-faces/", 40)):
        sizes = [int(str(row["bytes"])) for name, row in listed.items() if name.startswith(world)]
        assert sum(sizes) <= most * 2**20
