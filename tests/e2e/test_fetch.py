"""The verification's images fetched from a server on loopback: the same result as with images on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.fetch import Tools
from corpus.images import ImageStore
from tests.conftest import Finished
from tests.e2e.micro import Micro, artefacts_of
from tests.unit.corpus.fetch.site import Site

FETCH = (
    "verification.images=fetch",
    "verification.contact=test@fit.example",
    "verification.allow_private=127.0.0.1/32",
    "verification.host_delay=0",
    "verification.at_once_per_host=16",
    "verification.unsafe_cut=1.0",
)
Command = Callable[..., Finished]


@dataclass(frozen=True)
class Served:
    """The micro world with its images behind a server.

    Attributes:
        site: The server.
        data: The data folder: the captions hold the server's addresses, and so does the images' index.
        punsafe: The largest probability of each address.
    """

    site: Site
    data: Path
    punsafe: dict[str, float]


@pytest.fixture(scope="module")
def served(micro: Micro, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("served") / "data"
    shutil.copytree(micro.data, data)
    store = ImageStore.open(data / "demo" / "images")
    with Site() as site:
        punsafe: dict[str, float] = {}
        for path in sorted((data / "demo" / "captions").glob("*.parquet")):
            table = pq.read_table(path)
            urls = [_moved(url, site) for url in table["URL"].to_pylist()]
            for url, value in zip(urls, table["punsafe"].to_pylist(), strict=True):
                punsafe[url] = max(value, punsafe.get(url, 0.0))
            pq.write_table(table.set_column(0, "URL", pa.array(urls)), path)
        for path in sorted((data / "demo" / "images").glob("*.parquet")):
            table = pq.read_table(path)
            found = dict(store.read_many(table["url"].to_pylist()))
            for url, image in found.items():
                assert isinstance(image, bytes)
                site.say(_moved(url, site).rpartition("/")[2], image)
            place = table.column_names.index("url")
            urls = [_moved(url, site) for url in table["url"].to_pylist()]
            pq.write_table(table.set_column(place, "url", pa.array(urls)), path)
        yield Served(site, data, punsafe)


def _moved(url: str, site: Site) -> str:
    return site.url(url.rpartition("/")[2])


@pytest.fixture
def fit(command: Command, served: Served, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line on the served world."""
    monkeypatch.setenv("FIT_DATA", str(served.data))
    served.site.forget()
    return command


def verified(micro: Micro, run: Path, *settings: str) -> list[str]:
    return micro.estimate(run, "--until", "verification", *(f"--set={each}" for each in settings))


def frequencies(run: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(run / "verification" / "frequencies.parquet").to_pylist()
    return rows


def test_fetched_images_give_the_same_frequencies(
    fit: Command, micro: Micro, served: Served, tmp_path: Path
) -> None:
    for name, settings in (("local", ()), ("fetched", FETCH)):
        done = fit(*verified(micro, tmp_path / name, *settings))
        assert done.code == 0, done.err
    assert frequencies(tmp_path / "fetched") == frequencies(tmp_path / "local")
    parts = [pq.read_table(tmp_path / name / "verification" / "parts") for name in ("local", "fetched")]
    assert parts[0].equals(parts[1])
    # Each address was asked for once, and all in the name of the contact.
    assert len(served.site.asked) == len(set(served.site.asked)) > 50
    assert served.site.headers["User-Agent"].endswith("(+test@fit.example)")
    # Again, and with another setting, nothing is asked for a second time.
    served.site.forget()
    assert "everything is current" in fit(*verified(micro, tmp_path / "fetched")).err
    assert fit(*verified(micro, tmp_path / "fetched", "verification.false_match_rate=0.05")).code == 0
    assert served.site.asked == []


def test_a_run_killed_while_it_fetches_comes_to_the_same_bytes(
    fit: Command, micro: Micro, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.fetch.Tools", partial(Tools, shard=40))
    assert fit(*verified(micro, tmp_path / "whole", *FETCH)).code == 0
    broken = tmp_path / "broken"

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fit.stages.verification._check_concept", dies)
        assert fit(*verified(micro, broken, *FETCH)).code == 130
    images = broken / "verification" / "images"
    for path in sorted(images.iterdir())[-2:]:  # as if it had died before the last shard was whole
        path.unlink()
    served.site.forget()
    assert fit(*verified(micro, broken, *FETCH)).code == 0
    assert 0 < len(served.site.asked) <= 40
    assert artefacts_of(broken) == artefacts_of(tmp_path / "whole")


def test_unsafe_rows_are_never_asked_for(fit: Command, micro: Micro, served: Served, tmp_path: Path) -> None:
    cut = 0.05  # about one row in five lies above
    done = fit(*verified(micro, tmp_path / "run", *FETCH[:-1], f"verification.unsafe_cut={cut}"))
    assert done.code == 0, done.err
    asked = {served.site.url(path[1:]) for path in served.site.asked}
    assert asked
    assert all(served.punsafe[url] < cut for url in asked)
    shards = sorted((tmp_path / "run" / "verification" / "images").glob("*.parquet"))
    index = [row for shard in shards for row in pq.read_table(shard).to_pylist()]
    unsafe = {row["url"] for row in index if row["status"] == "unsafe"}
    assert unsafe == {row["url"] for row in index if served.punsafe[row["url"]] >= cut} != set()
    # They are lost links: told as left out, and the intervals hold what they may have shown.
    left_out = pq.read_table(tmp_path / "run" / "verification" / "skipped.parquet").to_pylist()
    assert {row["item"] for row in left_out if "punsafe is 0.05 or more" in row["reason"]} == unsafe
    for row in frequencies(tmp_path / "run"):
        assert row["sampled"] == row["checked"] + row["lost"]  # type: ignore[operator]


def test_what_the_server_withholds_is_left_out_with_its_reason(
    fit: Command, micro: Micro, served: Served, tmp_path: Path
) -> None:
    some = sorted(path for path in served.site._pages)[:30]
    kept = {path: served.site._pages[path] for path in some}
    try:
        for i, path in enumerate(some):
            if i % 2:
                served.site.say(path[1:], b"", 403, X_Robots_Tag="noai")
            else:
                del served.site._pages[path]
        done = fit(*verified(micro, tmp_path / "run", *FETCH))
        assert done.code == 0, done.err
    finally:
        served.site._pages.update(kept)
    reasons = pq.read_table(tmp_path / "run" / "verification" / "skipped.parquet")["reason"].to_pylist()
    assert {reason for reason in reasons if reason.startswith("not downloaded")} == {
        "not downloaded: HTTP 404",
        "not downloaded: opted out by X-Robots-Tag: noai",
    }


def test_nobody_fetches_without_a_contact(fit: Command, micro: Micro, served: Served, tmp_path: Path) -> None:
    done = fit(*verified(micro, tmp_path / "run", "verification.images=fetch"))
    assert done.code == 10
    assert done.err.count("\n") == 1
    assert "verification.contact='': fetching images needs a mail address or a web page" in done.err
    assert served.site.asked == []
    assert not (tmp_path / "run").exists()  # told before anything was counted


@pytest.mark.parametrize("missing", ["column", "row"])
def test_an_unfiltered_corpus_needs_the_flag(
    fit: Command,
    micro: Micro,
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    data = tmp_path / "data"
    shutil.copytree(served.data, data)
    monkeypatch.setenv("FIT_DATA", str(data))
    corpus = []
    for path in sorted((data / "demo" / "captions").glob("*.parquet")):
        if missing == "column":
            pq.write_table(pq.read_table(path).drop_columns(["punsafe"]), path)
    if missing == "row":  # the same shards without a row that says that they are cleaned
        corpus = ["--corpus", str(data / "demo" / "captions")]
    references = f"references.source={data / 'demo' / 'references.parquet'}"
    arguments = [*verified(micro, tmp_path / "run", *FETCH, references, "scorer.name=demo-style"), *corpus]
    done = fit(*arguments)
    assert done.code == 12
    assert "--accept-unfiltered" in done.err.splitlines()[-1]
    assert ("no column 'punsafe'" if missing == "column" else "not known to be cleaned") in done.err
    assert served.site.asked == []
    done = fit(*arguments, "--accept-unfiltered")
    assert done.code == 0, done.err
    assert served.site.asked
    assert "accept_unfiltered = true" in (tmp_path / "run" / "config.toml").read_text()


def test_a_corpus_without_images_says_how_to_have_them(
    fit: Command, micro: Micro, served: Served, tmp_path: Path
) -> None:
    captions = served.data / "demo" / "captions"
    references = f"references.source={served.data / 'demo' / 'references.parquet'}"
    settings = (references, "scorer.name=demo-style")
    done = fit(*verified(micro, tmp_path / "run", *settings), "--corpus", str(captions))
    assert done.code == 12
    assert "--set verification.images=fetch" in done.err.splitlines()[-1]


def test_a_dry_run_fetches_nothing(fit: Command, micro: Micro, served: Served, tmp_path: Path) -> None:
    done = fit(*verified(micro, tmp_path / "run", *FETCH), "--dry-run")
    assert done.code == 0
    assert "images to fetch from their addresses" in done.out
    assert served.site.asked == []
