"""From a concept's name to openly licensed images, each with author, licence and page."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from concepts.concept import Concept
from concepts.matching import canonical
from corpus.commons.api import WikiApi
from corpus.commons.routes import Endpoints, Route, is_open

WIDTH = 1024
"""Width in pixels of the images that are fetched, where the original is wider."""

TYPES = ("image/jpeg", "image/png", "image/webp")
AT_ONCE = 50  # titles or items in a question, the interfaces' limit
_TAG = re.compile(r"<[^>]*>")
_FIELDS = "Artist|LicenseShortName|LicenseUrl|Restrictions|NonFree"


@dataclass(frozen=True, slots=True)
class OpenImage:
    """An image that may be kept.

    Attributes:
        title: Its page's title on Commons, without ``File:``.
        address: Of the image itself, at most `WIDTH` pixels wide.
        author: Who made it, as Commons tells it, without markup.
        licence: Short name of the licence.
        licence_url: Its text; empty where Commons names none.
        page: Its page on Commons.
        sha1: Of the original file.
        restrictions: What else Commons says, such as ``personality``.
    """

    title: str
    address: str
    author: str
    licence: str
    licence_url: str
    page: str
    sha1: str
    restrictions: str


@dataclass(frozen=True)
class Found:
    """What was found for a concept.

    Attributes:
        item: Its Wikidata item; empty where none fits.
        images: Images that may be kept, at most as many as asked for.
        refused: Title and reason of those that may not.
    """

    item: str
    images: tuple[OpenImage, ...]
    refused: tuple[tuple[str, str], ...]


async def collect(api: WikiApi, ends: Endpoints, concept: Concept, route: Route, limit: int) -> Found:
    """Find a concept's images.

    Raises:
        CorpusError: An interface cannot be asked.
    """
    item = await _item(api, ends, concept, route)
    if not item:
        return Found("", (), ((concept.name, "no Wikidata item of the right kind is called so"),))
    if route.files:
        titles = await _files(api, ends, route.files.format(item=item), limit)
    else:
        titles = await _works(api, ends, route.works.format(item=item), limit)
    images: list[OpenImage] = []
    refused: list[tuple[str, str]] = []
    for start in range(0, len(titles), AT_ONCE):
        for page in await _pages(api, ends, titles[start : start + AT_ONCE]):
            judged = _judge(page)
            if isinstance(judged, OpenImage):
                images.append(judged)
            else:
                refused.append(judged)
    return Found(item, tuple(images[:limit]), tuple(refused))


async def _item(api: WikiApi, ends: Endpoints, concept: Concept, route: Route) -> str:
    """Return the first item in the order of the search that is called so and of the right kind."""
    answer = await api.ask(
        ends.wikidata,
        action="wbsearchentities",
        search=concept.name,
        language="en",
        type="item",
        limit="10",
    )
    wanted = {canonical(phrase) for phrase in concept.phrases}
    ids = [each["id"] for each in answer.get("search", []) if _called(each) & wanted]
    if not ids:
        return ""
    entities = await _entities(api, ends, ids)
    kinds = set(route.instance_of)
    return next((each for each in ids if kinds & set(_values(entities.get(each, {}), "P31"))), "")


def _called(found: dict[str, Any]) -> set[str]:
    """Return the names of a search result, as the rules of matching compare them."""
    names = [found.get("label", ""), *found.get("aliases", []), found.get("match", {}).get("text", "")]
    return {canonical(name) for name in names if name}


async def _entities(api: WikiApi, ends: Endpoints, ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = "|".join(ids[start : start + AT_ONCE])
        answer = await api.ask(ends.wikidata, action="wbgetentities", ids=some, props="claims")
        found |= answer.get("entities", {})
    return found


def _values(entity: dict[str, Any], claim: str) -> list[str]:
    """Return the values of a claim: identifiers of items, or titles of files."""
    values = []
    for each in entity.get("claims", {}).get(claim, []):
        value = each.get("mainsnak", {}).get("datavalue", {}).get("value")
        if each.get("rank") != "deprecated" and value:
            values.append(value["id"] if isinstance(value, dict) else str(value))
    return values


async def _files(api: WikiApi, ends: Endpoints, search: str, limit: int) -> list[str]:
    """Return titles of files on Commons; twice as many as wanted, as some may not be kept."""
    return await _search(api, ends.commons, search, "6", 2 * limit)


async def _works(api: WikiApi, ends: Endpoints, search: str, limit: int) -> list[str]:
    """Return titles of the images of Wikidata items."""
    ids = await _search(api, ends.wikidata, search, "0", 2 * limit)
    entities = await _entities(api, ends, ids)
    titles = [f"File:{name}" for each in ids for name in _values(entities.get(each, {}), "P18")[:1]]
    return list(dict.fromkeys(titles))


async def _search(api: WikiApi, endpoint: str, search: str, namespace: str, most: int) -> list[str]:
    titles: list[str] = []
    more: dict[str, str] = {}
    while len(titles) < most:
        answer = await api.ask(
            endpoint,
            action="query",
            list="search",
            srsearch=search,
            srnamespace=namespace,
            srlimit=str(min(AT_ONCE, most)),
            srprop="",
            **more,
        )
        titles += [each["title"] for each in answer.get("query", {}).get("search", [])]
        if "continue" not in answer:
            break
        more = {key: str(value) for key, value in answer["continue"].items()}
    return titles[:most]


async def _pages(api: WikiApi, ends: Endpoints, titles: Sequence[str]) -> list[dict[str, Any]]:
    """Return what Commons says of files, in the order of the titles."""
    answer = await api.ask(
        ends.commons,
        action="query",
        titles="|".join(titles),
        prop="imageinfo",
        iiprop="url|size|mime|sha1|extmetadata",
        iiurlwidth=str(WIDTH),
        iiextmetadatafilter=_FIELDS,
        iiextmetadatalanguage="en",
    )
    query = answer.get("query", {})
    renamed = {each["from"]: each["to"] for each in query.get("normalized", [])}
    pages = {each["title"]: each for each in query.get("pages", [])}
    names = [renamed.get(title, title) for title in titles]
    return [pages[name] for name in dict.fromkeys(names) if name in pages]


def _judge(page: dict[str, Any]) -> OpenImage | tuple[str, str]:
    """Return a page's image, or its title and why it may not be kept."""
    title = str(page["title"]).removeprefix("File:")
    about = next(iter(page.get("imageinfo", [])), None)
    if about is None:
        return title, "not on Commons"
    told = {key: _plain(str(each.get("value", ""))) for key, each in about.get("extmetadata", {}).items()}
    licence = told.get("LicenseShortName", "")
    if about.get("mime") not in TYPES:
        return title, f"{about.get('mime')} is no photograph"
    if not is_open(licence) or told.get("NonFree") == "true":
        return title, f"licence {licence or 'not told'}"
    if not told.get("Artist") and licence.startswith(("CC BY", "CC-BY")):
        return title, "author not told, whom the licence asks to be named"
    address = about.get("thumburl") if about.get("width", 0) > WIDTH else None
    return OpenImage(
        title=title,
        address=str(address or about["url"]),
        author=told.get("Artist", ""),
        licence=licence,
        licence_url=told.get("LicenseUrl", ""),
        page=str(about.get("descriptionurl", "")),
        sha1=str(about.get("sha1", "")),
        restrictions=told.get("Restrictions", ""),
    )


def _plain(text: str) -> str:
    """Return HTML as plain text on one line."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())
