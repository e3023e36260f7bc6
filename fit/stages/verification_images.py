"""Where the images of the verification come from: the corpus's own, or fetched into the run.

Fetched images lie in the stage's folder ``images`` and outlive a change of settings, so that nobody's server
is asked twice; other limits, another cut or another checker begin anew.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pyarrow as pa

import fit
from concepts.errors import CorpusError
from corpus.images import ImageStore, list_shards
from corpus.registry import Corpus, ImageLocation, captions_place, resolve
from corpus.row_values import Place, column_of, row_numbers
from corpus.shards import Shard, survey_shards
from fit.run import Job
from fit.sections import Verification
from fit.stages.inputs import corpus_of

FOLDER = "images"
UNSAFE = "punsafe"
"""LAION's name of the column with the probability that an image is unsafe."""


def image_digests(job: Job) -> dict[str, str]:
    """Return the digests of the images' indexes, or of the checker of images that are fetched."""
    if job.settings.verification.images == "fetch":
        checker = _checker_digest(job.settings.verification)
        return {"checker": checker} if checker else {}
    images = _location(job)
    return {
        f"images {name}": hashlib.sha256(index.read_bytes()).hexdigest()
        for index, name in list_shards(resolve(images.path), images.layout)
        if index.is_file()
    }


def how_had(job: Job) -> str:
    """Say in a few words where the images come from."""
    if job.settings.verification.images == "fetch":
        return "to fetch from their addresses and to check against references"
    return "to check against references; nothing to download"


def open_images(job: Job, samples: Mapping[str, pa.Table]) -> ImageStore:
    """Return the images, fetched first where the settings say so.

    Args:
        job: The stage.
        samples: The sampled rows of each concept, those that are wanted alone.

    Raises:
        CorpusError: The images are not on this machine, or must not be fetched from this corpus.
        SettingsError: Nobody can be reached by the contact, or a network is none.
        StageIncomplete: This machine has no network.
    """
    if job.settings.verification.images == "local":
        images = _location(job)
        return ImageStore.open(resolve(images.path), images.layout)
    folder = job.folder / FOLDER
    _fetch(job, [row for table in samples.values() for row in table.to_pylist()], folder)
    return ImageStore.open(folder) if any(folder.glob("*.tar")) else ImageStore.empty()


def _location(job: Job) -> ImageLocation:
    row = corpus_of(job.settings)
    if row.images is None:
        raise CorpusError(
            f"corpus {row.name}: its images are not on this machine; name them in its row (img2dataset's "
            "webdataset or files output), or have those of the sample fetched with "
            "--set verification.images=fetch"
        )
    return row.images


def _fetch(job: Job, rows: list[dict[str, object]], folder: Path) -> None:
    from corpus import fetch  # aiohttp is imported by nobody who fetches nothing

    settings = job.settings.verification
    policy = fetch.Policy(
        contact=settings.contact,
        limits=fetch.Limits(settings.image_bytes, settings.image_pixels),
        manners=fetch.Manners(
            connect_timeout=settings.connect_timeout,
            total_timeout=settings.total_timeout,
            retries=settings.retries,
            at_once=settings.at_once,
            at_once_per_host=settings.at_once_per_host,
            host_delay=settings.host_delay,
        ),
        addresses=fetch.AddressRules(fetch.parse_networks(settings.allow_private)),
        seed=job.seed,
        version=fit.__version__,
    )
    corpus = corpus_of(job.settings)
    unsafe = Unsafe(corpus, settings)
    reasons = unsafe.reasons(rows)
    wanted = [
        fetch.Wanted(
            url=str(row["url"]),
            caption=str(row["caption"]),
            refusal=fetch.Refusal(fetch.Status.UNSAFE, reason) if reason else None,
        )
        for row in rows
        if row["url"]
        for reason in (reasons[str(row["url"])],)
    ]
    keeping = fetch.keeping_digest(
        policy.limits, unsafe.column, settings.unsafe_cut, settings.allow_private, _checker_digest(settings)
    )
    with job.progress(len(reasons), "images", "fetch") as bar:
        tools = fetch.Tools(checker=_checker(settings), advance=bar.advance)
        fetch.fetch(wanted, folder, policy, keeping, tools)


class Unsafe:
    """Which rows of a corpus must not be fetched."""

    def __init__(self, corpus: Corpus, settings: Verification) -> None:
        """Take the corpus and the cut.

        Raises:
            CorpusError: The corpus is not known to be cleaned, and that was not accepted.
        """
        self.column = settings.unsafe_column or corpus.columns.get("unsafe", UNSAFE)
        self._corpus, self._settings = corpus, settings
        if not (corpus.cleaned or settings.accept_unfiltered):
            raise CorpusError(
                f"corpus {corpus.name}: not known to be cleaned of links to unlawful images; fetch from a "
                "cleaned release, such as relaion2b-en-safe, or answer for it with --accept-unfiltered"
            )

    def reasons(self, rows: Iterable[Mapping[str, object]]) -> dict[str, str]:
        """Return why each address must not be fetched, empty where it may; each address once.

        Of an address that several rows have, the most unsafe one counts.

        Raises:
            CorpusError: A shard does not tell what is unsafe, and that was not accepted.
        """
        places: dict[str, list[Place]] = {}
        for row in rows:
            if row["url"]:
                places.setdefault(str(row["url"]), []).append((str(row["file"]), int(str(row["row"]))))
        numbers = self._numbers({place for some in places.values() for place in some})
        return {url: self._reason([numbers[p] for p in some if p in numbers]) for url, some in places.items()}

    def _numbers(self, places: set[Place]) -> dict[Place, float]:
        """Return the rows' probabilities; rows of shards that have none are missing."""
        survey = survey_shards(
            captions_place(self._corpus), self._corpus.caption_column or None, self._corpus.url_column or None
        )
        names = {name for name, _ in places}
        telling = {s.name for s in survey.shards if s.name in names and column_of(s, self.column)}
        silent: list[Shard] = [s for s in survey.shards if s.name in names - telling]
        if silent and not self._settings.accept_unfiltered:
            raise CorpusError(
                f"{silent[0].place}: no column {self.column!r} that tells unsafe images; name another with "
                "verification.unsafe_column, or fetch all the same with --accept-unfiltered"
            )
        wanted = [place for place in places if place[0] in telling or not silent]
        return row_numbers(survey.shards, self.column, wanted)

    def _reason(self, numbers: list[float]) -> str:
        if any(math.isnan(number) for number in numbers):
            return f"{self.column} is not known"
        if any(number >= self._settings.unsafe_cut for number in numbers):
            return f"{self.column} is {self._settings.unsafe_cut:g} or more"
        return ""


def _checker(settings: Verification) -> Callable[[bytes], str | None] | None:
    if not settings.checker:
        return None
    from fit.imitation.checker import SafetyChecker

    return SafetyChecker(Path(settings.checker))


def _checker_digest(settings: Verification) -> str:
    if not settings.checker:
        return ""
    from fit.imitation.checker import checker_digest

    return checker_digest(Path(settings.checker))
