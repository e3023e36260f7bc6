"""The card of a demo world: how it was made, what was measured, how the training went."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import jinja2

from fit.world.evaluate import Figures
from fit.world.evaluate_faces import FaceFigures
from fit.world.plan import HIT, MISS, UNNAMED, Plan

Training = dict[str, Sequence[tuple[int, float]]]


def write_card(
    plan: Plan, measured: tuple[Figures, FaceFigures | None], losses: Training, folder: Path
) -> None:
    """Write `CARD.md`.

    Args:
        plan: The world.
        measured: What was measured, and of the face pack where the world has one.
        losses: Per network its (step, loss) points, ascending.
        folder: Where to.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fit.world", "."),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown from our own numbers
    )
    kinds = {kind: sum(row.kind == kind for row in plan.rows) for kind in (HIT, MISS, UNNAMED)}
    text = environment.get_template("card.md.j2").render(
        recipe=asdict(plan.recipe),
        matter=plan.matter,
        article="an" if plan.matter.noun[0] in "aeiou" else "a",
        rows=len(plan.rows),
        pictures=len({row.picture for row in plan.rows if row.picture >= 0}),
        kinds=kinds,
        figures=measured[0],
        faces=measured[1],
        losses={name: _thinned(points) for name, points in losses.items()},
    )
    (folder / "CARD.md").write_text(text, encoding="utf-8")


def _thinned(points: Sequence[tuple[int, float]], most: int = 16) -> list[tuple[int, float]]:
    every = max(1, len(points) // most)
    return [*points[:-1:every], points[-1]] if points else []
