"""The card prints what was planted and measured."""

from __future__ import annotations

from pathlib import Path

from fit.world.card import write_card
from fit.world.evaluate import Figures
from fit.world.evaluate_faces import FaceFigures
from fit.world.matter import FACES
from fit.world.plan import Plan, Recipe, draw_plan

FIGURES = Figures(
    mean_colour=0.123,
    renderings=0.987,
    reconstructions=0.876,
    frequent=0.765,
    without=0.012,
    by_bin=((0, 0, 4, 0.012), (1, 3, 7, 0.25), (300, 10_000, 9, 0.765)),
    images=1300,
)


def card(plan: Plan, folder: Path, points: list[tuple[int, float]]) -> str:
    write_card(plan, (FIGURES, None), {"denoiser": points, "autoencoder": []}, folder)
    return (folder / "CARD.md").read_text("utf-8")


def test_every_figure_stands_beside_what_was_asked(small_plan: Plan, tmp_path: Path) -> None:
    text = card(small_plan, tmp_path, [(100, 0.5)])
    rows = {cells[1].strip(): cells for line in text.splitlines() if len(cells := line.split("|")) > 3}
    measured = {name: (cells[2].strip(), cells[3].strip()) for name, cells in rows.items()}
    assert measured["fresh renderings recognised by their mean colour alone"] == ("12.3 %", "≤ 30 %")
    assert measured["the same after the autoencoder"] == ("87.6 %", "≥ 85 %")
    frequent = "generated images of artists with 300 or more training images recognised"
    assert measured[frequent] == ("76.5 %", "≥ 60 %")
    assert measured["generated images of artists without training images recognised"] == ("1.2 %", "≤ 5 %")
    assert measured["0"] == ("4", "1.2 %")
    assert measured["1–3"] == ("7", "25.0 %")
    assert measured["300 and more"] == ("9", "76.5 %")
    assert "1,300 generated images" in text


def test_the_planted_numbers(small_plan: Plan, tmp_path: Path) -> None:
    text = card(small_plan, tmp_path, [])
    rows = [row for row in small_plan.rows if row.kind != "unrelated"]
    assert "24 invented artists, 400 captions" in text
    assert f"{len({row.picture for row in rows})} pictures" in text
    assert "4 artists have no training image; the others from 1 to 12" in text
    assert f"{sum(row.kind == 'hit' for row in rows)} rows name an artist and show" in text
    assert f"{sum(row.kind == 'miss' for row in rows)} name an artist and show something else (4–32 %" in text


def test_the_training_curve_is_thinned_to_a_line(small_plan: Plan, tmp_path: Path) -> None:
    points = [(step, 1 / step) for step in range(100, 5300, 100)]
    line = next(
        line for line in card(small_plan, tmp_path, points).splitlines() if line.startswith("**denoiser**")
    )
    assert "100: 0.01, " in line
    assert line.endswith(", 5200: 0.000192.")  # 1 / 5200; the last point always stands
    assert 10 < line.count(": ") < 25


def test_a_world_of_faces_tells_of_its_pack(tmp_path: Path) -> None:
    recipe = Recipe(seed=3, concepts=6, without=2, most=5, rows=60)
    faces = FaceFigures(portraits=0.991, generated=0.952, things=0.875, area=0.998)
    write_card(draw_plan(recipe, FACES), (FIGURES, faces), {}, tmp_path)
    text = (tmp_path / "CARD.md").read_text("utf-8")
    assert "6 invented people, 60 captions" in text
    assert "64 × 64 pixels" in text
    assert "| fresh portraits in which exactly one face is found | 99.1 % | ≥ 98 % |" in text
    assert "in which exactly one face is found | 95.2 % | ≥ 95 % |" in text
    assert "| fresh pictures of things in which no face is found | 87.5 % | – |" in text
    assert "2 people have no training image; the others from 1 to 5" in text
    assert "artist" not in text
