"""From addresses to shards that the image store reads, with a kill in the middle."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import signal
import tarfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from aiohttp import web

from concepts.errors import CorpusError, StageIncomplete
from corpus.fetch import Limits, Refusal, Status, Tools, Wanted, fetch
from corpus.images import ImageStore, Missing
from tests.unit.corpus.fetch.site import Names, Site, Watch, animation, picture, policy
from tests.unit.corpus.fetch.test_pictures import bomb
from tests.unit.corpus.files import write_images

KEEPING = "rules"


def tools(**changes: object) -> Tools:
    return Tools(clock=Watch(), shard=4, **changes)  # type: ignore[arg-type]


def wanted(*urls: str) -> list[Wanted]:
    return [Wanted(url, f"caption of {url}") for url in urls]


def pictures(site: Site, number: int) -> list[str]:
    """Addresses of good pictures, all different."""
    return [site.say(f"{i}.jpg", picture(seed=i)) for i in range(number)]


def index(folder: Path) -> dict[str, dict[str, object]]:
    rows = [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return {row["url"]: row for row in rows}


def content(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_every_address_gets_a_row_and_good_images_are_read_back(site: Site, tmp_path: Path) -> None:
    good, png = picture(), picture("PNG", (20, 10))
    urls = {
        "good": site.say("good.jpg", good),
        "png": site.say("misnamed.jpg", png),
        "gone": site.url("gone.jpg"),
        "out": site.say("out.jpg", b"", 403, X_Robots_Tag="noai"),
        "html": site.say("page.jpg", b"<html>not found</html>"),
        "typed": site.say("typed.jpg", good, kind="text/html"),
        "cut": site.say("cut.jpg", good[:400]),
        "moving": site.say("moving.gif", animation("GIF")),
        "bomb": site.say("bomb.png", bomb(30_000, 30_000)),
        "nowhere": "http://10.0.0.1/x.jpg",
        "none": "not an address",
    }
    assert fetch(wanted(*urls.values()), tmp_path / "images", policy(), KEEPING, Tools(clock=Watch())) == 11
    rows = index(tmp_path / "images")
    assert list(rows) == list(urls.values())  # in the order asked
    told = {name: (rows[url]["status"], rows[url]["error_message"]) for name, url in urls.items()}
    assert told == {
        "good": ("success", None),
        "png": ("success", None),
        "gone": ("failed_to_download", "HTTP 404"),
        "out": ("opted_out", "opted out by X-Robots-Tag: noai"),
        "html": ("refused", "not an image"),
        "typed": ("refused", "content type text/html"),
        "cut": ("refused", "image damaged or cut off"),
        "moving": ("refused", "animated"),
        "bomb": ("refused", "too many pixels"),
        "nowhere": ("refused", "private address"),
        "none": ("refused", "no web address"),
    }
    assert rows[urls["good"]] == {
        "url": urls["good"],
        "key": "000000000",
        "status": "success",
        "error_message": None,
        "caption": f"caption of {urls['good']}",
        "width": 40,
        "height": 30,
        "sha256": hashlib.sha256(good).hexdigest(),
    }
    store = ImageStore.open(tmp_path / "images")
    assert len(store) == 2
    assert store.read(urls["good"]) == good
    assert store.read(urls["png"]) == png
    assert store.read(urls["gone"]) == Missing(urls["gone"], "not downloaded: HTTP 404")
    with tarfile.open(tmp_path / "images" / "00000.tar") as tar:
        assert tar.getnames() == ["000000000.jpg", "000000001.png"]


def test_what_is_refused_beforehand_is_never_asked_for(site: Site, tmp_path: Path) -> None:
    url = pictures(site, 1)[0]
    unsafe = Wanted(url, None, Refusal(Status.UNSAFE, "punsafe not below 0.1"))
    fetch([unsafe, Wanted(url)], tmp_path, policy(), KEEPING, tools())  # the first of two counts
    assert site.asked == []
    assert index(tmp_path)[url]["status"] == "unsafe"


def test_what_a_checker_flags_is_never_written(site: Site, tmp_path: Path) -> None:
    urls = pictures(site, 3)
    bad = picture(seed=1)
    flagged = Tools(checker=lambda data: "unsafe" if data == bad else None, clock=Watch())
    fetch(wanted(*urls), tmp_path, policy(), KEEPING, flagged)
    assert [row["status"] for row in index(tmp_path).values()] == ["success", "unsafe", "success"]
    assert index(tmp_path)[urls[1]]["error_message"] == "flagged: unsafe"
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert bad not in written
    assert picture(seed=2) in written


def test_a_second_fetch_asks_for_what_is_new_alone(site: Site, tmp_path: Path) -> None:
    urls = pictures(site, 11)
    assert fetch(wanted(*urls[:6]), tmp_path, policy(), KEEPING, tools()) == 6
    before = content(tmp_path)
    site.forget()
    assert fetch(wanted(*urls[:6]), tmp_path, policy(), KEEPING, tools()) == 0
    assert fetch(wanted(*reversed(urls)), tmp_path, policy(), KEEPING, tools()) == 5
    assert sorted(site.asked) == sorted(f"/{i}.jpg" for i in range(6, 11))
    assert content(tmp_path).items() >= before.items()
    assert len(ImageStore.open(tmp_path)) == 11


def test_equal_fetches_have_equal_bytes(site: Site, tmp_path: Path) -> None:
    urls = [*pictures(site, 9), site.url("gone")]
    for name in ("one", "two"):
        fetch(wanted(*urls), tmp_path / name, policy(), KEEPING, tools())
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert list(content(tmp_path / "one")) == [
        f"0000{i}.{kind}" for i in range(3) for kind in ("parquet", "tar")
    ]


def test_other_rules_begin_anew(site: Site, tmp_path: Path) -> None:
    urls = pictures(site, 5)
    fetch(wanted(*urls), tmp_path, policy(), KEEPING, tools())
    site.forget()
    strict = policy(limits=Limits(image_pixels=10))
    assert fetch(wanted(*urls[:1]), tmp_path, strict, "other rules", tools()) == 1
    assert len(site.asked) == 1
    assert [row["error_message"] for row in index(tmp_path).values()] == ["too many pixels"]


@pytest.mark.parametrize("damage", ["tar cut off", "index damaged", "index gone"])
def test_a_damaged_shard_is_fetched_again(site: Site, tmp_path: Path, damage: str) -> None:
    urls = pictures(site, 8)
    fetch(wanted(*urls), tmp_path, policy(), KEEPING, tools())
    before = content(tmp_path)
    tar, parquet = tmp_path / "00000.tar", tmp_path / "00000.parquet"
    if damage == "tar cut off":
        tar.write_bytes(tar.read_bytes()[:-5000])
    elif damage == "index damaged":
        parquet.write_bytes(b"rubbish")
    else:
        parquet.unlink()
    (tmp_path / ".unfinished-1-00007.tar").write_bytes(b"left by a kill")
    site.forget()
    assert fetch(wanted(*urls), tmp_path, policy(), KEEPING, tools()) == 4
    assert sorted(site.asked) == [f"/{i}.jpg" for i in range(4)]
    assert content(tmp_path) == before


def test_images_that_others_have_downloaded_are_left_alone(site: Site, tmp_path: Path) -> None:
    write_images(tmp_path, "00000", [("http://a", "0", "success")], {"0.jpg": b"theirs"})
    (tmp_path / "00001.parquet").write_bytes(b"theirs")
    with pytest.raises(CorpusError, match="not made by a fetch of fit"):
        fetch(wanted(*pictures(site, 1)), tmp_path, policy(), KEEPING, tools())
    assert ImageStore.open(tmp_path).read("http://a") == b"theirs"
    assert (tmp_path / "00001.parquet").exists()


def test_a_machine_without_a_network_is_no_dead_link(site: Site, tmp_path: Path) -> None:
    urls = [f"http://gone{i}.test/x.jpg" for i in range(30)]
    offline = Tools(resolver=lambda: Names({}), clock=Watch())
    with pytest.raises(StageIncomplete, match="none of 30 addresses could be reached"):
        fetch(wanted(*urls), tmp_path, policy(), KEEPING, offline)
    assert content(tmp_path) == {}
    # One that answers is enough to believe the others.
    fetch(wanted(*urls, *pictures(site, 1)), tmp_path, policy(), KEEPING, offline)
    assert Counter(row["error_message"] for row in index(tmp_path).values()) == {
        "host name not found": 30,
        None: 1,
    }


def test_a_full_disk_is_one_error(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpus.fetch.shards.Spool.add", full)
    with pytest.raises(OSError, match="No space left"):
        fetch(wanted(*pictures(site, 8)), tmp_path, policy(), KEEPING, tools())
    assert content(tmp_path) == {}


def _fetch_in_a_process(urls: list[str], folder: Path) -> None:
    fetch(wanted(*urls), folder, policy(), KEEPING, tools())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_loses_at_most_the_shard_at_work(site: Site, tmp_path: Path, how: signal.Signals) -> None:
    urls = pictures(site, 16)
    hold = {"on": True}

    async def stuck(request: web.Request) -> web.StreamResponse:
        while hold["on"]:
            await asyncio.sleep(0.01)
        return web.Response(body=picture(seed=9), content_type="image/jpeg")

    fetch(wanted(*urls), tmp_path / "undisturbed", policy(), KEEPING, tools())
    site.do("9.jpg", stuck)  # in the third shard of four
    site.forget()
    process = multiprocessing.get_context("fork").Process(
        target=_fetch_in_a_process, args=(urls, tmp_path / "killed")
    )
    process.start()
    while "/9.jpg" not in site.asked:
        time.sleep(0.005)
    os.kill(process.pid or 0, how)
    process.join(30)
    assert process.exitcode not in (0, None)
    hold["on"] = False
    assert list(content(tmp_path / "killed")) == ["00000.parquet", "00000.tar", "00001.parquet", "00001.tar"]
    site.forget()
    assert fetch(wanted(*urls), tmp_path / "killed", policy(), KEEPING, tools()) == 8
    assert sorted(site.asked) == sorted(f"/{i}.jpg" for i in range(8, 16))
    assert content(tmp_path / "killed") == content(tmp_path / "undisturbed")
