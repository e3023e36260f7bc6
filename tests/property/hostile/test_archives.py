"""Image shards in tar files whose members would harm who unpacks them: none is read, none is followed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from corpus.images import ImageStore, Missing
from tests.unit.corpus.files import write_images

SECRET = b"what lies outside"


def member(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


HARMFUL = {
    "upwards": member("../0.jpg"),
    "upwards inside": member("a/../../0.jpg"),
    "absolute": member("/0.jpg"),
    "a symbolic link": member("0.jpg", tarfile.SYMTYPE, linkname="{secret}"),
    "a link upwards": member("0.jpg", tarfile.SYMTYPE, linkname="../../secret.jpg"),
    "a hard link": member("0.jpg", tarfile.LNKTYPE, linkname="{secret}"),
    "a character device": member("0.jpg", tarfile.CHRTYPE, devmajor=1, devminor=5),
    "a block device": member("0.jpg", tarfile.BLKTYPE, devmajor=8),
    "a pipe": member("0.jpg", tarfile.FIFOTYPE),
    "a folder": member("0.jpg", tarfile.DIRTYPE),
    "an unknown kind": member("0.jpg", b"Z"),
    "upwards by a PAX header": member("x", pax_headers={"path": "../../0.jpg"}),
    "absolute by a PAX header": member("x", pax_headers={"path": "/0.jpg"}),
    "sparse": member("0.jpg", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.realsize": "99999999999"}),
    "larger than the file": member("0.jpg", size=2**40),
}


@pytest.mark.parametrize("what", HARMFUL)
def test_a_harmful_member_is_no_image(what: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(SECRET)
    rows = [("http://harmful", "0", "success"), ("http://fine", "1", "success")]
    path = write_images(tmp_path / "shards", "00000", rows, {})
    info = HARMFUL[what]
    info.linkname = info.linkname.replace("{secret}", str(secret))
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        content = io.BytesIO(b"fine")
        good = member("1.jpg", size=4)
        tar.addfile(good, content)
        tar.addfile(info)
    before = sorted(tmp_path.rglob("*"))
    found = ImageStore.open(tmp_path / "shards")
    answer = found.read("http://harmful")
    assert isinstance(answer, Missing)
    assert found.read("http://fine") == b"fine"
    assert sorted(tmp_path.rglob("*")) == before
    assert secret.read_bytes() == SECRET
