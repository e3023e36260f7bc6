"""``fit references --from commons``: fill a folder with openly licensed images, author and licence beside.

A concept is done when its ``metadata.csv`` is there, which is written last; running again goes on with the
others and asks nobody twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

import fit
from concepts.concept import Concept
from corpus.commons import Endpoints, Found, OpenImage, Route, collect
from corpus.commons.api import WikiApi
from corpus.fetch import AddressRules, Limits, Manners, Policy, Refusal
from corpus.fetch.client import Client
from corpus.fetch.outcomes import Picture
from corpus.fetch.pictures import examine, quiet_decoding
from fit import progress
from fit.run import artefacts
from fit.stages.count_files import write_rows

METADATA = "metadata.csv"
MANNERS = Manners(at_once=4, at_once_per_host=1, host_delay=0.2, retries=3)
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Asked:
    """What is to be fetched.

    Attributes:
        concepts: Whose images.
        route: How they are found.
        folder: The folder to fill.
        limit: Most images of a concept.
        contact: Mail address or web page of who asks, which Wikimedia's rules require.
    """

    concepts: Sequence[Concept]
    route: Route
    folder: Path
    limit: int
    contact: str


@dataclass(frozen=True)
class Fetched:
    """What became of a concept: images kept, and item and reason of what was not."""

    concept: str
    images: int
    left_out: tuple[tuple[str, str], ...]


def fetch_references(
    asked: Asked,
    ends: Endpoints | None = None,
    manners: Manners = MANNERS,
    addresses: AddressRules | None = None,
) -> list[Fetched]:
    """Fetch the images of all concepts that are not done yet.

    Raises:
        CorpusError: An interface cannot be asked; concepts that are done stay done.
        SettingsError: The contact is no mail address and no web page.
    """
    policy = Policy(
        asked.contact,
        Limits(),
        manners,
        addresses or AddressRules(),
        version=fit.__version__,
    )
    return asyncio.run(_fetch(asked, ends or Endpoints(), policy))


async def _fetch(asked: Asked, ends: Endpoints, policy: Policy) -> list[Fetched]:
    todo = [each for each in asked.concepts if not (_home(asked.folder, each) / METADATA).is_file()]
    done = []
    with progress.bar(len(todo), "concepts", "references") as bar:
        async with WikiApi(policy) as api, Client(policy) as client:
            for concept in todo:
                found = await collect(api, ends, concept, asked.route, asked.limit)
                done.append(await _keep(concept, found, _home(asked.folder, concept), client, policy.limits))
                bar.advance()
    return done


async def _keep(concept: Concept, found: Found, home: Path, client: Client, limits: Limits) -> Fetched:
    """Fetch a concept's images, write them, and their metadata last."""
    rows: list[dict[str, str]] = []
    left_out = list(found.refused)
    for number, image in enumerate(found.images):
        data = await client.get(image.address)
        with quiet_decoding():
            picture = data if isinstance(data, Refusal) else examine(data, limits)
        if isinstance(picture, Picture):
            name = f"{number:03d}-{_safe(image.title)}{picture.suffix}"
            artefacts.write_bytes(home / name, picture.data)
            rows.append(_row(name, concept, found.item, image))
        else:
            left_out.append((image.title, picture.reason))
    columns = {name: [row[name] for row in rows] for name in _COLUMNS.names}
    write_rows(home / METADATA, pa.table(columns, _COLUMNS))
    return Fetched(concept.name, len(rows), tuple(left_out))


def _row(name: str, concept: Concept, item: str, image: OpenImage) -> dict[str, str]:
    return {
        "file_name": name,
        "concept": concept.name,
        "title": image.title,
        "author": image.author,
        "licence": image.licence,
        "licence_url": image.licence_url,
        "page": image.page,
        "sha1": image.sha1,
        "restrictions": image.restrictions,
        "item": item,
    }


_COLUMNS = pa.schema(
    [
        (name, pa.string())
        for name in (
            "file_name",
            "concept",
            "title",
            "author",
            "licence",
            "licence_url",
            "page",
            "sha1",
            "restrictions",
            "item",
        )
    ]
)


def _home(folder: Path, concept: Concept) -> Path:
    """Return a concept's folder: its name where that can be one, else its slug."""
    plain = concept.name
    usable = not plain.startswith(".") and not set(plain) & set('/\\\0:*?"<>|') and len(plain.encode()) < 200
    return folder / (plain if usable else concept.slug)


def _safe(title: str) -> str:
    stem = title.rpartition(".")[0] or title
    return _UNSAFE.sub("_", stem)[:60].strip("_.") or "image"
