"""Openly licensed images by the interfaces of Wikidata and Commons, on a loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import web

from concepts.concept import Concept
from concepts.errors import CorpusError, UsageError
from corpus.commons import Found, collect, load_route
from corpus.commons.api import WikiApi
from corpus.commons.routes import is_open
from tests.unit.corpus.commons.wiki import ADA, Wiki
from tests.unit.corpus.fetch.site import QUICK, Site, policy


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def wiki(server: Site) -> Wiki:
    server.forget()
    return Wiki(server)


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return sum(self.waits)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def found(wiki: Wiki, domain: str = "faces", name: str = "Ada Lume", limit: int = 10,
          clock: Clock | None = None) -> Found:  # fmt: skip
    async def ask() -> Found:
        async with WikiApi(policy(manners=replace(QUICK, retries=2)), clock or Clock()) as api:
            return await collect(api, wiki.ends, Concept(name), load_route(domain), limit)

    return asyncio.run(ask())


def test_files_that_show_a_person(wiki: Wiki) -> None:
    wiki.add("a.jpg")
    wiki.add("b b.jpg", "Public domain", metadata={"Artist": ""})
    wiki.add("c.jpg", "CC0")
    every = found(wiki)
    # The moth is no human, the award is not called so; the third is called so in other letters.
    assert every.item == ADA
    assert [image.title for image in every.images] == ["a.jpg", "b b.jpg", "c.jpg"]
    first = every.images[0]
    assert (first.author, first.licence) == ("Eve & Bob", "CC BY-SA 4.0")
    assert (first.licence_url, first.restrictions) == ("https://licence.example", "personality")
    assert first.page == "https://commons.example/a.jpg"
    assert every.refused == ()
    assert [image.title for image in found(wiki, limit=2).images] == ["a.jpg", "b b.jpg"]


def test_works_of_an_artist(wiki: Wiki) -> None:
    wiki.add("two.jpg")
    wiki.add("one.jpg")
    every = found(wiki, "art-styles")
    assert [image.title for image in every.images] == ["one.jpg", "two.jpg"]  # in the order of the works


def test_what_may_not_be_kept_is_told(wiki: Wiki) -> None:
    wiki.add("nc.jpg", "CC BY-NC 4.0")
    wiki.add("none.jpg", "")
    wiki.add("fair.jpg", "CC BY 4.0", metadata={"NonFree": "true"})
    wiki.add("nobody.jpg", "CC BY 2.0", metadata={"Artist": " "})
    wiki.add("drawing.svg", mime="image/svg+xml")
    wiki.depicting.append("File:gone.jpg")
    assert dict(found(wiki).refused) == {
        "nc.jpg": "licence CC BY-NC 4.0",
        "none.jpg": "licence not told",
        "fair.jpg": "licence CC BY 4.0",
        "nobody.jpg": "author not told, whom the licence asks to be named",
        "drawing.svg": "image/svg+xml is no photograph",
        "gone.jpg": "not on Commons",
    }


def test_a_name_that_no_item_has(wiki: Wiki) -> None:
    every = found(wiki, name="Bo Krin")
    assert every.item == ""
    assert every.refused == (("Bo Krin", "no Wikidata item of the right kind is called so"),)
    assert wiki.asked == {"wbsearchentities": 1}


def test_it_says_who_asks_and_gives_way(wiki: Wiki, server: Site) -> None:
    found(wiki)
    assert server.headers["User-Agent"].endswith("(+test@fit.example)")
    assert all(asked["maxlag"] == "5" and asked["formatversion"] == "2" for asked in wiki.parameters)


@pytest.mark.parametrize(
    "busy",
    [
        web.json_response({"error": {"code": "maxlag"}}, headers={"Retry-After": "7"}),
        web.Response(status=429, headers={"Retry-After": "7"}),
        web.Response(status=503, headers={"Retry-After": "7"}),
    ],
)  # fmt: skip
def test_a_busy_interface_is_asked_again_when_it_says(wiki: Wiki, busy: web.Response) -> None:
    wiki.add("a.jpg")
    wiki.refuse = [busy]
    clock = Clock()
    assert len(found(wiki, clock=clock).images) == 1
    assert 7 in [round(wait) for wait in clock.waits]


def refusals(status: int, number: int) -> list[web.Response]:
    return [web.Response(status=status) for _ in range(number)]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (refusals(503, 3), "HTTP 503; try again later"),
        (refusals(404, 1), "HTTP 404; is it a MediaWiki interface?"),
        ([web.Response(text="<html>", content_type="text/html")], "answers with something else than JSON"),
        ([web.json_response([1])], "answers with something else than an object"),
        (
            [web.json_response({"error": {"code": "badvalue", "info": "no"}})],
            "refuses the question (badvalue",
        ),
    ],
)
def test_an_interface_that_cannot_be_asked(wiki: Wiki, answers: list[web.Response], says: str) -> None:
    wiki.refuse = answers
    with pytest.raises(CorpusError) as caught:
        found(wiki)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_interface_that_is_not_there(wiki: Wiki) -> None:
    async def ask() -> None:
        async with WikiApi(policy(), Clock()) as api:
            await api.ask("http://127.0.0.1:9/", action="query")

    with pytest.raises(CorpusError, match="cannot be reached"):
        asyncio.run(ask())


@pytest.mark.parametrize("licence", ["CC0", "CC BY 2.0", "CC BY-SA 3.0 de", "Public domain", "PD-old-100"])
def test_open_licences(licence: str) -> None:
    assert is_open(licence)


@pytest.mark.parametrize(
    "licence", ["", "CC BY-NC 2.0", "CC BY-ND 4.0", "CC BY-NC-SA 3.0", "Fair use", "GFDL?"]
)
def test_other_licences(licence: str) -> None:
    assert not is_open(licence)


def test_a_domain_without_a_source() -> None:
    with pytest.raises(UsageError, match="characters: no openly licensed source is known"):
        load_route("characters")
