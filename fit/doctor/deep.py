"""``fit doctor --deep``: does this machine come to results that are known?

Curves whose truth was planted go through the estimator, captions whose hits are known through the counting
engines, and drawn pictures through the demo's encoder, whose vectors were recorded.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from concepts.concept import Concept
from concepts.matching import Phrase, contains
from corpus.candidates import Finder, make_finder
from corpus.registry import data_folder
from corpus.word_join import WordJoin
from fit.doctor import Check, attempt
from fit.imitation.scorers import load_scorer
from fit.threshold.estimate import estimate
from fit.threshold.planted import Noise, Planted, Truth, planted_curve
from fit.threshold.verdict import Threshold, Verdict

SCORER = "demo-style"
LEAST_COSINE = 0.9999
"""Of a vector with the one that was recorded on another machine; rounding of float32 leaves 0.999999."""

VECTORS = "vectors.json"
CONCEPTS = (
    Concept("Claude Monet", ("Monet",)),
    Concept("Jan Brueghel"),
    Concept("Jan Brueghel the Elder"),
    Concept("José Núñez"),
    Concept("Georgia O'Keeffe", ("O'Keeffe",)),
    Concept("草間彌生"),
)
CAPTIONS = (
    ("after Monet's garden, #monet", "Claude Monet"),
    ("monetary policy of MONETARISM, a Claude Monets", ""),
    ("claude-monet_and.claude  MONET", "Claude Monet"),
    ("JAN BRUEGHEL\tThe\nElder", "Jan Brueghel|Jan Brueghel the Elder"),
    ("Jan  Brueghel the Elders", "Jan Brueghel"),
    ("Jose\u0301 Nun\u0303ez, JOSE NUNEZ", "José Núñez"),
    ("josé—núñez", "José Núñez"),
    ("Georgia O\u2019Keeffe", "Georgia O'Keeffe"),
    ("o`keeffe\u00b4s", "Georgia O'Keeffe"),
    ("O Keeffe", ""),
    ("作品：草間彌生展", "草間彌生"),
    ("草間 彌生", ""),
    ("", ""),
    (None, ""),
)
"""Captions with the names, separated by ``|``, that they name by the rules of `concepts.matching`."""

DRAWN, SEED = 3_000, 11  # captions put together at random, and how
PIECES = (
    "monet", "Claude", "Jan", "Brueghel", "the", "ELDER", "José", "nun\u0303ez", "O\u2018Keeffe", "o'keeffe",
    "草間彌生", "草", "s", "1", "!", "\u0301", "\u200d", "\u017f",
)  # fmt: skip
BETWEEN = ("", " ", "  ", "-", "\u2014", "_", ".", "\n", "\u3000", "'s ", "`")


def examine_deep() -> Iterator[Check]:
    """Yield one check after the other; together they take seconds."""
    yield attempt("planted curves", planted_curves)
    yield attempt("caption engines", caption_engines)
    yield attempt("recorded vectors", recorded_vectors)


def drawn_curves() -> tuple[Planted, Planted, Planted]:
    """Return curves of a step, of a gradual rise and of none, always the same."""
    noise = Noise(sd=0.05)
    return (
        planted_curve(Truth("step", rise=0.3), n=300, noise=noise, seed=1),
        planted_curve(Truth("logistic", rise=0.3, width=1.5), n=300, noise=noise, seed=2),
        planted_curve(Truth("flat"), n=300, noise=noise, seed=3),
    )


def planted_curves() -> str:
    """Judge curves whose truth is known.

    Raises:
        ArithmeticError: A verdict is not the truth.
    """
    step, slow, flat = drawn_curves()
    for planted, shape in ((step, "step"), (slow, "gradual")):
        _check_found(planted, estimate(planted.curve, replicates=500), shape)
    found = estimate(flat.curve, replicates=500)
    if isinstance(found, Threshold):
        raise ArithmeticError(f"a flat curve is given a threshold at {found.frequency:g} images")
    return f"{step.change[1]:g} images found in its interval, a gradual and a flat curve told as such"


def _check_found(planted: Planted, found: Verdict, shape: str) -> None:
    truth = planted.change[1]
    if not isinstance(found, Threshold) or found.interval is None:
        raise ArithmeticError(f"no threshold on a curve that changes at {truth:g} images")
    low, high = found.interval
    if not low < truth <= high:
        raise ArithmeticError(f"a change at {truth:g} images is looked for in {low:g} to {high:g}")
    if found.shape != shape:
        raise ArithmeticError(f"a {shape} curve is taken for {found.shape}")


def caption_engines() -> str:
    """Count captions whose hits are known, and many more by the plain rule and by every engine there is.

    Raises:
        ArithmeticError: Two counts differ.
    """
    for caption, names in CAPTIONS:
        if [each.name for each in CONCEPTS if _names(caption, each)] != [n for n in names.split("|") if n]:
            raise ArithmeticError(f"the plain rule does not find {names or 'nothing'!r} in {caption!r}")
    captions = [caption for caption, _ in CAPTIONS] + drawn_captions()
    plain = [sum(_names(caption, concept) for caption in captions) for concept in CONCEPTS]
    for finder in (make_finder, WordJoin):
        engine, counts = _counted(captions, finder)
        for concept, wanted, found in zip(CONCEPTS, plain, counts, strict=True):
            if wanted != found:
                raise ArithmeticError(
                    f"{engine} counts {found} captions of {concept.name}, the plain rule {wanted}"
                )
    return f"{sum(plain):,} hits in {len(captions):,} captions, the same by the plain rule and both engines"


def _names(caption: str | None, concept: Concept) -> bool:
    return caption is not None and any(contains(caption, phrase) for phrase in concept.phrases)


def drawn_captions() -> list[str | None]:
    """Return captions of pieces of names and of what breaks text processing, always the same."""
    rng = np.random.default_rng(SEED)
    captions: list[str | None] = []
    for length in rng.integers(1, 9, DRAWN).tolist():
        pieces, between = rng.integers(0, len(PIECES), length), rng.integers(0, len(BETWEEN), length)
        pairs = zip(pieces.tolist(), between.tolist(), strict=True)
        captions.append("".join(PIECES[piece] + BETWEEN[gap] for piece, gap in pairs))
    return captions


def _counted(
    captions: Sequence[str | None], finder: Callable[[Sequence[Phrase]], Finder]
) -> tuple[str, list[int]]:
    """Return an engine's name and its count of each concept, by way of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from corpus.captions import CaptionCounter, CaptionQuery
    from corpus.counts import merge
    from corpus.shards import open_shard

    counter = CaptionCounter(CaptionQuery(CONCEPTS), finder)
    with tempfile.TemporaryDirectory(prefix="fit-doctor-") as folder:
        path = Path(folder) / "captions.parquet"
        pq.write_table(pa.table({"caption": pa.array(captions, pa.string())}), path)
        counts = merge([counter.count(open_shard(path))], [concept.name for concept in CONCEPTS])
    return counter.finder.name, counts.caption_counts.tolist()


def recorded_vectors() -> str:
    """Embed drawn pictures with the demo's encoder.

    Raises:
        ArithmeticError: A vector is not the one that was recorded.
    """
    known = recorded()
    encoder = load_scorer(SCORER).load(data_folder())
    found = encoder.embed([picture(number) for number in range(len(known))])
    cosines = [float(vector @ np.array(right)) for vector, right in zip(found.vectors, known, strict=True)]
    worst = min(cosines)
    if not worst >= LEAST_COSINE:  # also where it is no number
        raise ArithmeticError(
            f"a vector of {SCORER} has cosine {worst:.6f} with the recorded one, below {LEAST_COSINE}"
        )
    return f"{len(known)} pictures embedded as recorded (least cosine {worst:.6f}, at least {LEAST_COSINE})"


def recorded() -> list[list[float]]:
    """Return the vector of each picture as it was recorded."""
    known: list[list[float]] = json.loads(files("fit.doctor").joinpath(VECTORS).read_text(encoding="utf-8"))
    return known


def picture(number: int) -> bytes:
    """Return a drawn picture of 64 x 64 pixels as PNG: stripes, a checkerboard, rings, noise."""
    from PIL import Image

    rows, columns = np.mgrid[0:64, 0:64]
    noise = np.random.default_rng(SEED).integers(0, 256, (64, 64))
    grey = (columns * 4, ((rows // 8 + columns // 8) % 2) * 255, (rows**2 + columns**2) // 8 % 256, noise)[
        number
    ]
    pixels = np.stack([grey, np.roll(grey, 9, axis=0), 255 - grey], axis=2).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()
