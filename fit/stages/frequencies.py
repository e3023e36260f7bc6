"""From what the verification saw to each concept's frequency: of images, and of different pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from fit.imitation.calibration import Cut
from fit.imitation.distinct import DistinctFrequency, Seen, distinct_frequency, distinct_share, seen
from fit.imitation.hit_rate import Checked, Frequency, estimate_frequency, pooled_sensitivity
from fit.run import Job
from fit.stages.counts import counts_by_concept
from fit.stages.inputs import by_concept

LEVEL = 0.95  # of the frequencies' intervals: what a curve file's columns promise
SHOWN, OTHER, MISSING = "shows", "other", "missing"
NOT_CHECKED = Frequency(None, None, None, None, None, None)


def frequencies(job: Job, cuts: Mapping[str, Cut], look_alike: float) -> pa.Table:
    """Return a row per counted concept, from the stage's parts.

    Args:
        job: The stage `verification` with its parts.
        cuts: The calibrated cuts.
        look_alike: Share of the pairs of different pictures that are taken for the same, in [0, 1].
    """
    counts = counts_by_concept(job.read("counts", "counts"))
    checked = {name: rows for part in job.parts() for name, rows in by_concept(part)}
    estimator = _Estimator(cuts, look_alike, job)
    rows = []
    for concept, (captions, distinct) in counts.items():
        found = checked.get(concept)
        statuses = [] if found is None else found["status"].to_pylist()
        lost = statuses.count(MISSING)
        tally = Checked(captions, len(statuses) - lost, statuses.count(SHOWN), lost)
        pictures = _pictures(found)
        rows.append(
            {
                "concept": concept,
                "distinct_url_count": distinct,
                **_counted(tally, pictures),
                **estimator.columns(concept, tally, pictures, distinct),
            }
        )
    return pa.Table.from_pylist(rows, schema=FREQUENCIES)


class _Estimator:
    """Estimates concept by concept; notes those that have no frequency."""

    def __init__(self, cuts: Mapping[str, Cut], look_alike: float, job: Job) -> None:
        self._cuts, self._look_alike, self._job = cuts, look_alike, job
        self._prior = pooled_sensitivity(list(cuts.values()))
        self._odds = job.settings.verification.lost_odds
        self._corrected = job.settings.verification.corrected

    def columns(
        self, concept: str, tally: Checked, pictures: Seen, addresses: int | None
    ) -> dict[str, float | None]:
        """Return the concept's estimates."""
        if concept not in self._cuts:
            self._job.skip(
                concept, concept, "fewer than two reference images: its captions' images cannot be checked"
            )
            return _estimated(NOT_CHECKED, None)
        found = self._frequency(concept, tally, LEVEL)
        if found.images is None:
            self._job.skip(concept, concept, "no image of its captions could be looked at: no frequency")
        return _estimated(found, self._distinct(concept, tally, pictures, addresses))

    def _frequency(self, concept: str, tally: Checked, level: float) -> Frequency:
        chance = _chance(self._job.seed, concept)
        cut = self._cuts[concept] if self._corrected else None
        return estimate_frequency(tally, cut, self._prior, level, chance, self._odds)

    def _distinct(
        self, concept: str, tally: Checked, pictures: Seen, addresses: int | None
    ) -> DistinctFrequency:
        # Two uncertain factors, each at half of the error, so that their product is at the level.
        level = (1 + LEVEL) / 2
        sampled = tally.checked + tally.lost
        looked_at = sampled / tally.captions if tally.captions else 1.0
        share = distinct_share(pictures, looked_at, self._look_alike, level)
        most = tally.captions if addresses is None else min(addresses, tally.captions)
        lost = tally.lost / sampled if sampled else 0.0
        return distinct_frequency(self._frequency(concept, tally, level), share, lost, float(most))


def _pictures(found: pa.Table | None) -> Seen:
    """Return how often pictures were seen among the images that passed."""
    numbers: Sequence[int | None] = [] if found is None else found["picture"].to_pylist()
    return seen(np.array([number for number in numbers if number is not None], np.int64))


def _counted(tally: Checked, pictures: Seen) -> dict[str, float | None]:
    return {
        "caption_count": tally.captions,
        "sampled": tally.checked + tally.lost,
        "lost": tally.lost,
        "checked": tally.checked,
        "passed": tally.passed,
        "pictures": pictures.pictures,
        "copies": pictures.copies,
    }


def _estimated(found: Frequency, distinct: DistinctFrequency | None) -> dict[str, float | None]:
    return {
        "hit_rate": found.hit_rate,
        "hit_rate_low": found.hit_rate_low,
        "hit_rate_high": found.hit_rate_high,
        "frequency": found.images,
        "frequency_low": found.low,
        "frequency_high": found.high,
        "distinct_frequency": distinct.images if distinct else None,
        "distinct_frequency_low": distinct.low if distinct else None,
        "distinct_frequency_high": distinct.high if distinct else None,
    }


def _chance(seed: int, concept: str) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}\0{concept}\0frequency".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


_INTERVAL = ("lower end of its 95 % interval", "upper end of its 95 % interval")

FREQUENCIES = pa.schema(
    [
        _field("concept", pa.string(), "-", "name of the concept"),
        _field("caption_count", pa.int64(), "captions", "captions that name the concept"),
        _field("distinct_url_count", pa.int64(), "images", "distinct image addresses of those captions"),
        _field("sampled", pa.int64(), "images", "captions drawn for the verification"),
        _field("lost", pa.int64(), "images", "of these, images that could not be had"),
        _field("checked", pa.int64(), "images", "of the sampled, images that could be looked at"),
        _field("passed", pa.int64(), "images", "of these, images at or above the concept's cut"),
        _field("pictures", pa.int64(), "images", "different pictures among these, near-duplicates being one"),
        _field("copies", pa.float64(), "[0, 1]", "share of the passed images that repeat an earlier picture"),
        _field(
            "hit_rate",
            pa.float64(),
            "[0, 1]",
            "share of the captions' images that show the concept, corrected (verification.corrected)",
        ),
        _field("hit_rate_low", pa.float64(), "[0, 1]", _INTERVAL[0]),
        _field("hit_rate_high", pa.float64(), "[0, 1]", _INTERVAL[1]),
        _field("frequency", pa.float64(), "images", "concept frequency: caption count times hit rate"),
        _field("frequency_low", pa.float64(), "images", f"{_INTERVAL[0]}, whole images"),
        _field("frequency_high", pa.float64(), "images", f"{_INTERVAL[1]}, whole images"),
        _field(
            "distinct_frequency",
            pa.float64(),
            "images",
            "different pictures among the frequency's images: a lower-bound estimate, see its interval",
        ),
        _field("distinct_frequency_low", pa.float64(), "images", f"{_INTERVAL[0]}, whole images"),
        _field("distinct_frequency_high", pa.float64(), "images", f"{_INTERVAL[1]}, whole images"),
    ]
)
