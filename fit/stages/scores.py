"""Stage `scores`: how alike generated and reference images are, per concept.

One part per part of generated images.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from concepts.errors import ModelError, TooLittleData
from corpus.registry import data_folder
from fit.imitation.scorers import Vectors, load_scorer
from fit.run import Job
from fit.stages import scoring
from fit.stages.embeddings import named_encoder, run_encoder
from fit.stages.frequencies import SHOWN
from fit.stages.generated import read_generated
from fit.stages.generation import CONTROL, MODEL
from fit.stages.inputs import by_concept, column_vectors, concepts_of, embed, scorer_of, vectors_column
from fit.stages.scoring import CONTROL_SCORES, Generated, Pools
from fit.stages.verification import reference_vectors

VERSION = 3


def outside(job: Job) -> dict[str, str]:
    """Return the digests of the scorers' weights."""
    rows = [scorer_of(job.settings)]
    if job.settings.scores.clip_score:
        rows.append(load_scorer(job.settings.scores.clip_score))
    return {f"scorer {row.name}": row.digest(data_folder()) for row in rows}


def work(job: Job) -> list[str]:
    """Say what is to be embedded."""
    return ["every generated image to embed and compare with the concept's references"]


def run(job: Job) -> None:
    """Write the parts (vectors of generated images), `scores` and, of the untrained model, `control`.

    One row per concept; `alternatives` has the scores made otherwise, for the sensitivity of the answer, and
    `clip_scores`, where a scorer is named for it, how alike images and their prompts are.
    """
    settings = job.settings.scores
    scoring.check(settings)
    _embed_generated(job)
    pools = _pools(job)
    generated = _generated(job)
    scored = [name for name in pools.references if name in generated[MODEL]]
    if not scored:
        raise TooLittleData(
            "no concept has both generated images and enough references; add references (references.source)"
        )
    job.write("scores", scoring.scores_table(scored, generated[MODEL], pools, settings))
    job.write("alternatives", scoring.alternatives_table(scored, generated[MODEL], pools, settings))
    control = generated[CONTROL]
    rows = [scoring.score_row(name, control[name], pools, settings) for name in scored if name in control]
    job.write("control", pa.Table.from_pylist(rows, schema=CONTROL_SCORES))
    if settings.clip_score:
        job.write("clip_scores", _clip_scores(job))


def _embed_generated(job: Job) -> None:
    encoder = run_encoder(job)
    names = job.part_names("generation")
    with job.progress(len(names), "batches") as bar:
        for name in names:
            if not job.has_part(name):
                part = read_generated(job, name)
                part = part.filter(part["image"].is_valid())
                images = embed(encoder, part["image"].to_pylist())
                kept = part.select(["arm", "concept", "prompt_index", "image_index", "digest"])
                reasons = np.full(len(part), "", dtype=object)
                reasons[[place for place, _ in images.unreadable]] = [
                    reason for _, reason in images.unreadable
                ]
                vectors = np.zeros((len(part), encoder.dimensions), np.float32)
                vectors[images.index] = images.vectors
                kept = kept.append_column("reason", pa.array(reasons, pa.string()))
                for fact, values in sorted(images.facts.items()):
                    column = np.full(len(part), np.nan, np.float32)
                    column[images.index] = values
                    kept = kept.append_column(fact, pa.array(column, from_pandas=True))
                job.write_part(name, kept.append_column("vector", vectors_column(vectors)))
            bar.advance()


def _pools(job: Job) -> Pools:
    fewest = job.settings.scores.pool_size
    references = {}
    for name, vectors in reference_vectors(job).items():
        if len(vectors) >= fewest:
            references[name] = vectors
        else:
            job.skip(
                name,
                name,
                f"{len(vectors)} reference images, fewer than scores.pool_size = {fewest}: no score",
            )
    training: dict[str, Vectors] = {}
    different: dict[str, np.ndarray] = {}
    for part in job.parts("verification"):
        shown = part.filter(pa.array([status == SHOWN for status in part["status"].to_pylist()], pa.bool_()))
        for name, rows in by_concept(shown):
            training[name] = column_vectors(rows["vector"])
            # The same picture at two addresses is one picture.
            different[name] = np.sort(np.unique(rows["picture"].to_numpy(), return_index=True)[1])
    calibration = job.read("verification", "calibration")
    cuts = dict(zip(calibration["concept"].to_pylist(), calibration["value"].to_pylist(), strict=True))
    return Pools(references, training, cuts, different)


def _generated(job: Job) -> dict[str, dict[str, Generated]]:
    """Return arm -> concept -> its readable images; what could not be read is noted."""
    table = pa.concat_tables(list(job.parts()), promote_options="default")
    bad = table.filter(pa.array([bool(reason) for reason in table["reason"].to_pylist()], pa.bool_()))
    for row in bad.drop_columns(["vector"]).to_pylist():
        job.skip(
            row["concept"], f"{row['arm']} image {row['prompt_index']}/{row['image_index']}", row["reason"]
        )
    good = table.filter(pa.array([not reason for reason in table["reason"].to_pylist()], pa.bool_()))
    arms: dict[str, dict[str, Generated]] = {MODEL: {}, CONTROL: {}}
    for arm, found in arms.items():
        of_arm = good.filter(pa.array([each == arm for each in good["arm"].to_pylist()], pa.bool_()))
        for name, rows in by_concept(of_arm):
            found[name] = Generated(column_vectors(rows["vector"]), rows["prompt_index"].to_numpy())
    for concept in concepts_of(job):
        if concept.name not in arms[MODEL]:
            job.skip(concept.name, concept.name, "no readable generated image: no score")
    return arms


def _clip_scores(job: Job) -> pa.Table:
    """Return the mean cosine of each concept's images with their prompts (Hessel et al. 2021, unscaled)."""
    name = job.settings.scores.clip_score
    encoder = named_encoder(job, name)
    if not encoder.reads_texts:
        raise ModelError(f"scores.clip_score={name}: embeds images alone; name an open_clip scorer")
    cosines: dict[str, list[float]] = {}
    for part_name in job.part_names("generation"):
        part = read_generated(job, part_name)
        part = part.filter(part["image"].is_valid())
        images = embed(encoder, part["image"].to_pylist())
        prompts = [part["prompt"][int(place)].as_py() for place in images.index]
        unique = list(dict.fromkeys(prompts))
        texts = dict(zip(unique, encoder.embed_texts(unique), strict=True))
        for place, vector, prompt in zip(images.index, images.vectors, prompts, strict=True):
            if part["arm"][int(place)].as_py() == MODEL:
                concept = part["concept"][int(place)].as_py()
                cosines.setdefault(concept, []).append(float(vector @ texts[prompt]))
    rows = [{"concept": k, "clip_score": float(np.mean(v)), "images": len(v)} for k, v in cosines.items()]
    return pa.Table.from_pylist(rows, schema=CLIP_SCORES)


CLIP_SCORES = pa.schema(
    [
        pa.field("concept", pa.string()),
        pa.field(
            "clip_score",
            pa.float64(),
            metadata={"unit": "[-1, 1]", "meaning": "mean cosine of generated images with their prompts"},
        ),
        pa.field("images", pa.int64()),
    ]
)
