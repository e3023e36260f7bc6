"""Pictures for the report: of some concepts, generated images beside the references nearest to them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fit.report.inputs import CurvePoint, Strip
from fit.run import Job
from fit.run.job import PARTS
from fit.stages.generated import has_images, read_generated
from fit.stages.generation import MODEL
from fit.stages.inputs import by_concept, column_vectors

IN_A_STRIP, IN_A_PANEL = 8, 4  # pictures on each side
# Pixels of a thumbnail's longer side, shown at most 72 CSS pixels wide. With pictures of pure noise, the
# hardest there are, 150 concepts come to 9 MB of the page.
EDGE, PANEL_EDGE = 128, 96
QUALITY = 70
MOST_BYTES = 6_144  # a small PNG is taken as it is up to here


@dataclass(frozen=True)
class Shown:
    """The concepts with pictures: those that lie open, and those whose panel the reader opens."""

    strips: tuple[Strip, ...] = ()
    panels: tuple[Strip, ...] = ()


def pictures(job: Job, curve: Sequence[CurvePoint]) -> Shown:
    """Choose concepts evenly over the ranks of frequency, and pictures of each.

    Of the generated images those of the first seeds under each prompt in turn, so that no eye chose them;
    of the references those most alike to the mean of all the concept's generated images.
    """
    settings = job.settings.report
    points = sorted(
        (p for p in curve if p.frequency is not None and p.score is not None),
        key=lambda p: (p.frequency, p.concept),
    )
    opened = evenly(points, min(settings.strips, settings.pictures_for))
    names = {point.concept for point in opened}
    others = [point for point in points if point.concept not in names]
    closed = evenly(others, settings.pictures_for - len(opened))
    names |= {point.concept for point in closed}
    generated, references = _generated(job, names), _references(job, names)

    def strip(point: CurvePoint, most: int, edge: int) -> Strip:
        return Strip(
            point.concept,
            tuple(thumbnail(image, edge) for image in generated.get(point.concept, ())[:most]),
            tuple(thumbnail(image, edge) for image in references.get(point.concept, ())[:most]),
            point.frequency,
            point.score,
            point.verdict,
            point.flags,
        )

    return Shown(
        tuple(strip(point, IN_A_STRIP, EDGE) for point in opened),
        tuple(strip(point, IN_A_PANEL, PANEL_EDGE) for point in closed),
    )


def has_all_images(job: Job) -> bool:
    """Tell whether the generated images are all there; `fit clean` deletes them."""
    names = job.part_names("generation")
    return all(has_images(job.path("generation", PARTS), name) for name in names)


def evenly(points: Sequence[CurvePoint], wanted: int) -> list[CurvePoint]:
    """Return at most so many of the points (>= 0), evenly spread, both ends among them."""
    places = np.linspace(0, len(points) - 1, min(wanted, len(points))).round().astype(int)
    return [points[place] for place in np.unique(places)]


def _generated(job: Job, names: set[str]) -> dict[str, list[bytes]]:
    found: dict[str, list[tuple[int, int, bytes]]] = {name: [] for name in names}
    for part in job.part_names("generation"):
        # A look at the table first: images are read from a part only where a wanted one is.
        wanted = job.read_part(part, "generation").select(["concept", "arm"]).to_pylist()
        if not any(row["concept"] in names and row["arm"] == MODEL for row in wanted):
            continue
        for row in read_generated(job, part).to_pylist():
            if row["concept"] in names and row["arm"] == MODEL and row["image"] is not None:
                place = (row["image_index"], row["prompt_index"])
                found[row["concept"]] = sorted([*found[row["concept"]], (*place, row["image"])])[:IN_A_STRIP]
    return {name: [image for _, _, image in images] for name, images in found.items()}


def _references(job: Job, names: set[str]) -> dict[str, list[bytes]]:
    """Return each concept's references, the nearest to its generated images first."""
    means = _means(job, names)
    vectors = dict(by_concept(_of(job.read("verification", "reference_vectors"), names)))
    found = {}
    for name, rows in by_concept(_of(job.read("references", "references"), names)):
        images = dict(zip(rows["key"].to_pylist(), rows["image"].to_pylist(), strict=True))
        keys = list(images)
        if name in means and name in vectors:
            alike = column_vectors(vectors[name]["vector"]) @ means[name]
            seen = vectors[name]["key"].to_pylist()
            keys = [seen[place] for place in np.argsort(-alike, kind="stable")]
        found[name] = [images[key] for key in keys[:IN_A_STRIP]]
    return found


def _means(job: Job, names: set[str]) -> dict[str, np.ndarray]:
    """Return concept -> mean vector of its readable generated images: likeness to it ranks references."""
    sums: dict[str, np.ndarray] = {}
    for part in job.parts("scores"):
        rows = _of(part, names)
        good = [
            arm == MODEL and not reason
            for arm, reason in zip(rows["arm"].to_pylist(), rows["reason"].to_pylist(), strict=True)
        ]
        for name, own in by_concept(rows.filter(pa.array(good, pa.bool_()))):
            sums[name] = sums.get(name, 0.0) + column_vectors(own["vector"]).sum(axis=0)
    return sums


def _of(table: pa.Table, names: set[str]) -> pa.Table:
    return table.filter(pa.array([name in names for name in table["concept"].to_pylist()], pa.bool_()))


def thumbnail(image: bytes, edge: int = EDGE) -> bytes:
    """Return a picture as it is embedded: a small PNG as it is, all others at most `edge` pixels, as WebP.

    Whatever else a file carries (place, camera, comments) is left behind.

    Raises:
        OSError: The bytes are no picture.
    """
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(image)) as opened:
        if opened.format == "PNG" and max(opened.size) <= edge and len(image) <= MOST_BYTES:
            return image
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    upright.save(data, "WEBP", quality=QUALITY, method=4)
    return data.getvalue()
