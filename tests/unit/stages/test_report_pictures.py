"""Pictures for the report: which concepts, which references, and how large they come into the page."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from fit.generation.requests import Request
from fit.generation.sampling import Sample
from fit.report.inputs import CurvePoint
from fit.run import Job
from fit.stages.generated import packed, write_generated
from fit.stages.inputs import vectors_column
from fit.stages.report_pictures import EDGE, evenly, pictures, thumbnail
from tests.unit.stages.job import job_of, leave

NAMES = ("Ada", "Bo", "Cy", "Dee", "Eve")
POINTS = tuple(CurvePoint(name, float(rank), 0.1 * rank) for rank, name in enumerate(NAMES))


def picture(red: int, size: int = 4, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (size, size // 2), (red, 0, 0)).save(data, kind)
    return data.getvalue()


def column(angles: list[int]) -> pa.Array:
    turns = np.radians(np.array(angles, float))
    return vectors_column(np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Five concepts with references at 0, 30, 60 and 90 degrees; generated images lie about 60 degrees."""
    keys = [f"{name}-{angle}" for name in NAMES for angle in (0, 30, 60, 90)]
    concepts = [name for name in NAMES for _ in range(4)]
    reds = [picture(angle) for _ in NAMES for angle in (0, 30, 60, 90)]
    leave(tmp_path, "references", "references", pa.table({"concept": concepts, "key": keys, "image": reds}))
    vectors = {"concept": concepts, "key": keys, "vector": column([0, 30, 60, 90] * 5)}
    leave(tmp_path, "verification", "reference_vectors", pa.table(vectors))
    requests = [
        Request(name, prompt, "a prompt", image, 1)
        for name in NAMES
        for prompt in (0, 1)
        for image in (0, 1, 2)
    ]
    made = [Sample(each, picture(200 + 10 * each.image_index + each.prompt_index)) for each in requests]
    job = job_of(tmp_path, "generation")
    write_generated(job, "0", *packed("0", "model", made), batch_size=4)
    write_generated(job, "1", *packed("1", "control", [Sample(r, picture(9)) for r in requests]), 4)
    rows = {
        "arm": ["model", "model", "control", "model"] * 5,
        "concept": [name for name in NAMES for _ in range(4)],
        "reason": ["", "", "", "could not be read"] * 5,
        "vector": column([50, 72, 0, 0] * 5),  # the mean of the model's readable ones lies at 61 degrees
    }
    job_of(tmp_path, "scores").write_part("0", pa.table(rows))
    return tmp_path


def job(run: Path, **settings: int) -> Job:
    return job_of(run, "report", *(f"report.{name}={value}" for name, value in settings.items()))


def reds(images: tuple[bytes, ...]) -> list[int]:
    return [Image.open(io.BytesIO(image)).getpixel((0, 0))[0] for image in images]  # type: ignore[index]


def test_references_come_nearest_first(run: Path) -> None:
    strip = pictures(job(run, strips=1), POINTS).strips[0]
    # From 61 degrees: 60 is 1 away, 90 is 29, 30 is 31, 0 is 61.
    assert reds(strip.references) == [60, 90, 30, 0]


def test_generated_images_are_the_first_of_each_prompt_and_the_models_own(run: Path) -> None:
    strip = pictures(job(run, strips=1), POINTS).strips[0]
    assert reds(strip.generated) == [200, 201, 210, 211, 220, 221]


def test_some_lie_open_and_others_have_panels_of_half_as_many(run: Path) -> None:
    shown = pictures(job(run, strips=2, pictures_for=4), POINTS)
    assert [strip.concept for strip in shown.strips] == ["Ada", "Eve"]
    assert [strip.concept for strip in shown.panels] == ["Bo", "Dee"]
    assert [len(strip.generated) for strip in shown.panels] == [4, 4]
    assert shown.panels[0].score == 0.1


@pytest.mark.parametrize(("strips", "most", "found"), [(8, 3, (3, 0)), (0, 9, (0, 5)), (3, 0, (0, 0))])
def test_never_more_than_asked_for(run: Path, strips: int, most: int, found: tuple[int, int]) -> None:
    shown = pictures(job(run, strips=strips, pictures_for=most), POINTS)
    assert (len(shown.strips), len(shown.panels)) == found


def test_concepts_without_frequency_or_score_have_no_pictures(run: Path) -> None:
    shown = pictures(job(run), (CurvePoint("Ada", 3.0), CurvePoint("Bo", None, 0.2), *POINTS[2:]))
    assert [strip.concept for strip in (*shown.strips, *shown.panels)] == ["Cy", "Dee", "Eve"]


def test_evenly_is_over_the_order() -> None:
    assert [point.concept for point in evenly(POINTS, 3)] == ["Ada", "Cy", "Eve"]
    assert evenly((), 3) == []


def test_a_small_png_stays_and_others_are_made_small() -> None:
    small = picture(7, EDGE)
    assert thumbnail(small) is small
    for image in (picture(7, 4 * EDGE), picture(7, 20, "BMP"), picture(7, 20, "JPEG")):
        with Image.open(io.BytesIO(thumbnail(image))) as made:
            assert made.format == "WEBP"
            assert made.size in {(EDGE, EDGE // 2), (20, 10)}


def test_what_a_photograph_tells_of_its_place_is_left_behind() -> None:
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (20, 10)).save(data, "JPEG", exif=exif)
    made = thumbnail(data.getvalue())
    assert b"home" not in made
    assert Image.open(io.BytesIO(made)).size == (10, 20)
