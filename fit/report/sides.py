"""One of several runs that are set side by side."""

from __future__ import annotations

from dataclasses import dataclass

from fit.report.inputs import CurvePoint
from fit.report.tallies import verdict_tally
from fit.report.verdict import Verdict
from fit.report.wording import finding


@dataclass(frozen=True, slots=True)
class Side:
    """One run.

    Attributes:
        letter: what it is called in drawing and tables.
        label: its model and corpus, or its folder.
        folder: where it is.
        verdict: on the curve of the concepts that all runs share.
        points: those concepts, with their verdicts.
        made: version, seed and digest of its scores.
    """

    letter: str
    label: str
    folder: str
    verdict: Verdict
    points: tuple[CurvePoint, ...]
    made: str

    @property
    def finding(self) -> str:
        """The verdict in half a line."""
        return finding(self.verdict)

    @property
    def tally(self) -> str:
        """Concepts by verdict, in words."""
        return ", ".join(f"{number:,} {words}" for words, number in verdict_tally(self.points).items())
