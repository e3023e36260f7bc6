"""``fit calibrate``: what a scorer's cut does, found on reference images alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from concepts.concept import Concept
from concepts.errors import TooLittleData
from fit.imitation.calibration import calibrate
from fit.imitation.likeness import compare_references
from fit.imitation.published_cuts import published_cuts
from fit.imitation.scorers import Encoder, Vectors
from fit.imitation.trade_off import Comparisons, TradeOff, compare, trade_off
from fit.report.drawing import ErrorCurve, draw_trade_off
from fit.run import artefacts
from fit.stages.count_files import write_rows
from fit.stages.inputs import embed

EVERYBODY = "all"


@dataclass(frozen=True)
class References:
    """What a scorer is calibrated on.

    Attributes:
        vectors: Unit vectors of each concept's references, shape (n, d).
        groups: The group of each concept that has one.
        skipped: Concept, reference and reason of those that have no vector.
    """

    vectors: Mapping[str, Vectors]
    groups: Mapping[str, str]
    skipped: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Calibration:
    """What was found.

    Attributes:
        groups: A row for all concepts and one for each group.
        concepts: A row for each concept that could be calibrated.
        curves: Error rates at each cut, by group.
        warnings: What a user must know, one line each.
        marked: Label -> (false matches, false non-matches) of the cuts that the chart shows.
    """

    groups: tuple[dict[str, Any], ...]
    concepts: tuple[dict[str, Any], ...]
    curves: Mapping[str, TradeOff]
    warnings: tuple[str, ...]
    marked: Mapping[str, tuple[float, float]]

    @property
    def document(self) -> dict[str, Any]:
        """All of it but the curves, as JSON has it."""
        return {"groups": self.groups, "concepts": self.concepts, "warnings": self.warnings}


def embed_references(
    encoder: Encoder, images: Mapping[str, Sequence[tuple[str, bytes]]], concepts: Sequence[Concept]
) -> References:
    """Embed reference images, given by concept as (key, file's bytes)."""
    vectors, skipped = {}, []
    for name, some in images.items():
        found = embed(encoder, [image for _, image in some])
        vectors[name] = found.vectors
        skipped += [(name, some[place][0], reason) for place, reason in found.unreadable]
    groups = {concept.name: concept.group for concept in concepts if concept.group}
    return References(vectors, groups, tuple(skipped))


def calibrate_references(
    references: References, false_match_rate: float, scorer: str = "", concepts: str = ""
) -> Calibration:
    """Find cuts at a false-match rate and the errors that they, and published ones, make.

    Args:
        references: Two concepts with two references or more are needed.
        false_match_rate: Share of other concepts' images that may pass, in (0, 1).
        scorer: Name of the scorer, for the cuts published for it.
        concepts: The concept list, for the same.

    Raises:
        TooLittleData: Too few references.
    """
    comparisons = compare(references.vectors)
    if len(comparisons.same) < 2:
        raise TooLittleData(
            f"{len(comparisons.same)} concepts with two reference images or more: two are needed to calibrate"
        )
    members = _members(comparisons, references.groups)
    curves = {name: trade_off(comparisons, names) for name, names in members.items()}
    groups = tuple(
        _group_row(name, curve, comparisons, members[name], false_match_rate)
        for name, curve in curves.items()
    )
    rows = tuple(_concept_rows(references, false_match_rate))
    marked = {f"{100 * false_match_rate:g} % false matches": curves[EVERYBODY].at_cut(groups[0]["cut"])}
    for row in published_cuts():
        if (row.scorer, row.applied_to) == (scorer, "nearest") and row.concepts in ("", concepts):
            marked[f"{row.preset}: {row.value}"] = curves[EVERYBODY].at_cut(row.value)
    return Calibration(groups, rows, curves, tuple(_warnings(rows)), marked)


def write_calibration(found: Calibration, folder: Path) -> None:
    """Write `groups.csv`, `concepts.csv`, `det.csv`, `det.svg` and `calibration.json` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    thin = {name: curve.thinned() for name, curve in found.curves.items()}
    write_rows(folder / "groups.csv", pa.Table.from_pylist(list(found.groups)))
    write_rows(folder / "concepts.csv", pa.Table.from_pylist(list(found.concepts)))
    det = [
        pa.table(
            {
                "group": [name] * len(curve.cut),
                "cut": curve.cut,
                "false_match_rate": curve.false_match,
                "false_non_match_rate": curve.false_non_match,
            }
        )
        for name, curve in thin.items()
    ]
    write_rows(folder / "det.csv", pa.concat_tables(det))
    curves = [
        ErrorCurve(n, c.false_match.tolist(), c.false_non_match.tolist()) for n, c in found.curves.items()
    ]
    artefacts.write_bytes(folder / "det.svg", draw_trade_off(curves, found.marked).encode())
    artefacts.write_json(folder / "calibration.json", found.document)


def _members(comparisons: Comparisons, groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Return group -> its concepts, all concepts first."""
    everybody = list(comparisons.same)
    members = {EVERYBODY: everybody}
    for name in everybody:
        if name in groups:
            members.setdefault(groups[name], []).append(name)
    return {name: members[name] for name in (EVERYBODY, *sorted(members.keys() - {EVERYBODY}))}


def _group_row(
    name: str, curve: TradeOff, comparisons: Comparisons, members: Sequence[str], rate: float
) -> dict[str, Any]:
    cut, refused = curve.at_rate(rate)
    return {
        "group": name,
        "concepts": len(members),
        "own": sum(len(comparisons.same[each]) for each in members),
        "others": sum(len(comparisons.different[each]) for each in members),
        "cut": cut,
        "false_match_rate": curve.at_cut(cut)[0],
        "false_non_match_rate": refused,
        "equal_error_rate": curve.equal_error_rate,
    }


def _concept_rows(references: References, rate: float) -> list[dict[str, Any]]:
    """Return each concept's own cut, which is what a run applies, and whether its references look alike."""
    cuts = calibrate(dict(references.vectors), rate)
    alike = compare_references(references.vectors)
    rows = []
    for name, cut in cuts.items():
        closest = max(set(alike[name].closest), key=alike[name].closest.count)
        own = alike[name]
        rows.append(
            {
                "concept": name,
                "group": references.groups.get(name, ""),
                "references": cut.own_total,
                "cut": cut.value,
                "own_passed": cut.own_passed,
                "others_passed": cut.strangers_passed,
                "others": cut.strangers_total,
                "likeness": float(np.mean(own.own)),
                "outliers": int(own.outlier.sum()),
                "closest": closest,
            }
        )
    return rows


def _warnings(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each concept that is no closer to its own references than to another's."""
    found = [
        f"{row['concept']}: most references are closer to those of {row['closest']} than to each other; "
        "its cut tells little"
        for row in rows
        if row["closest"] != row["concept"]
    ]
    deaf = [row["concept"] for row in rows if row["own_passed"] == 0]
    if deaf:
        shown = ", ".join(deaf[:5]) + (f" and {len(deaf) - 5} more" if len(deaf) > 5 else "")
        found.append(f"none of their own references passes the cut of {shown}")
    return found
