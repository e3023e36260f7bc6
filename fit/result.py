"""A finished run as a value: what was found, the curve as a table, the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import pyarrow as pa

from concepts.errors import StageIncomplete
from fit.report.card import Card, render_card
from fit.report.inputs import CurvePoint
from fit.report.lookup import Sheet
from fit.report.rendering import CURVE_FILE, CURVE_SPECIFICATION
from fit.report.tallies import Figure
from fit.report.verdict import Bounds, Verdict, read_verdict
from fit.run import artefacts, folder
from fit.stages.answer import FACTS, THRESHOLD
from fit.stages.chart import Chart
from fit.stages.lookup import look_up
from fit.stages.whatif import WhatIf, what_if

_ARROW: Final = {tuple: pa.list_(pa.string()), int: pa.int64(), float: pa.float64()}

_UNITS: Final = {
    "frequency": "images",
    "distinct_frequency": "images",
    "seen": "images, repeats counted",
    "caption_count": "captions",
    "unfiltered_count": "captions",
    "distinct_url_count": "addresses",
    "hit_rate": "share in [0, 1]",
    "copies": "share in [0, 1]",
    "score": "cosine similarity in [-1, 1]",
    "score_se": "cosine similarity",
    "mimetic2_score": "cosine similarity in [-1, 1]",
    "baseline": "cosine similarity in [-1, 1]",
}


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a run has found, as it was when it was read.

    Attributes:
        folder: The run folder.
        title: What was asked.
        sentence: The answer in one sentence, worded as the report words it.
        verdict: Status, shape, threshold, interval and the rest, typed; frequencies in images.
        document: The object that ``fit threshold --json`` prints.
        curve: One row for each concept, from the most frequent to the rarest, with the columns of
            ``concepts.csv`` and the unit in each field's metadata; what is not known is null.
        figures: The numbers at a glance.
    """

    folder: Path
    title: str
    sentence: str
    verdict: Verdict
    document: Mapping[str, Any]
    curve: pa.Table
    figures: tuple[Figure, ...]
    _chart: Chart

    @property
    def shape(self) -> str:
        """Return ``step``, ``gradual``, ``undetermined`` or ``none``."""
        return self.verdict.shape

    @property
    def threshold(self) -> float | None:
        """Return the threshold in images; None where there is none, for `verdict.reason`."""
        return self.verdict.threshold

    @property
    def interval(self) -> Bounds | None:
        """Return the threshold's interval in images; None for an end that the data leave open."""
        return self.verdict.interval

    @property
    def safe_below(self) -> float | None:
        """Return the frequency in images below which the average concept is not imitated."""
        return self.verdict.safe_below

    def plot(self) -> Chart:
        """Return the imitation curve as the report draws it."""
        return self._chart

    def lookup(self, name: str) -> list[Sheet]:
        """Return what the run says of a name, as ``fit lookup`` does.

        Raises:
            ConceptsError: Nobody has this name and its captions cannot be counted.
        """
        return look_up(name, self.folder)

    def whatif(
        self, concept: str | None = None, *, images: float | None = None, captions: int | None = None
    ) -> WhatIf:
        """Return what is expected at another count, as ``fit whatif`` does.

        Args:
            concept: A concept of the run; None: the average one.
            images: Training images; None: from the captions, or else those that the concept has.
            captions: Captions that name the concept, turned into images by its hit rate.

        Raises:
            UsageError: What was given does not say one count.
            TooLittleData: Nothing can be expected from this curve.
        """
        return what_if(self.folder, concept, images, captions)

    def __repr__(self) -> str:
        return f"<Result of {self.folder}: {self.sentence}>"

    def _repr_html_(self) -> str:
        """What Jupyter shows: the answer, the numbers at a glance and the drawing."""
        return render_card(
            Card(self.title, self.sentence, self.figures, self._chart.svg, self._chart.alt, str(self.folder))
        )


def read_result(home: Path) -> Result:
    """Read what a run has found; it is not brought up to date.

    Args:
        home: A run folder with a report.

    Raises:
        RunFolderError: It is no run folder.
        StageIncomplete: It has no report yet, or one that an older version wrote.
    """
    run = folder.load(home)
    facts, report = artefacts.read_json(_there(home / FACTS)), run.stage_folder("report")
    document = artefacts.read_json(_there(home / THRESHOLD))
    drawing = Chart(
        artefacts.read_json(_there(report / CURVE_SPECIFICATION)),
        _there(report / CURVE_FILE).read_text("utf-8"),
        facts["alt"],
    )
    return Result(
        home,
        facts["title"],
        facts["answer"]["sentence"],
        read_verdict(document),
        document,
        _table(facts["points"]),
        tuple(Figure(**row) for row in facts["figures"]),
        drawing,
    )


def _there(path: Path) -> Path:
    if not path.is_file():
        raise StageIncomplete(f"{path}: not there; run fit report {path.parents[1]} (or fit.estimate) first")
    return path


def _table(points: list[dict[str, Any]]) -> pa.Table:
    """Return the points as a table; its types are those of the fields, whatever rows there are."""
    return pa.Table.from_pylist(
        points, schema=pa.schema([_field(f.name, f.type) for f in fields(CurvePoint)])
    )


def _field(name: str, annotation: Any) -> pa.Field:
    named = (annotation, get_origin(annotation), *get_args(annotation))
    kind = next((arrow for python, arrow in _ARROW.items() if python in named), pa.string())
    unit = _UNITS.get(name.removesuffix("_low").removesuffix("_high"))
    return pa.field(name, kind, metadata={"unit": unit} if unit else None)
