"""Stage `generation`: what is asked of the model does not depend on how it is cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from concepts.concept import Concept
from fit.generation.models import load_model
from fit.generation.requests import Request
from fit.generation.sampling import Sample
from fit.stages.generation import CONTROL, MODEL, _note_missing, _plan, _table
from tests.unit.stages.job import job_of, skipped

CONCEPTS = tuple(Concept(name) for name in ("Ada Lume", "Bo Krin", "Cy Voss"))


@dataclass(frozen=True)
class Cut:
    names: list[str]
    sizes: list[int]
    requests: dict[str, list[Request]]


def cut(folder: Path, *assignments: str) -> Cut:
    plan = _plan(job_of(folder, "generation", *assignments), CONCEPTS)
    requests: dict[str, list[Request]] = {MODEL: [], CONTROL: []}
    for _, arm, batch in plan.parts:
        requests[arm] += batch
    return Cut([name for name, _, _ in plan.parts], [len(batch) for _, _, batch in plan.parts], requests)


def test_every_concept_under_every_prompt(tmp_path: Path) -> None:
    found = cut(tmp_path, "generation.batch_size=25")
    # 3 concepts x 5 prompts x 4 images, and one image each of the control.
    assert found.sizes == [25, 25, 10, 15]
    assert len(set(found.requests[MODEL])) == 60
    prompts = [request.prompt for request in found.requests[MODEL] if request.concept == "Bo Krin"]
    assert len(set(prompts)) == 5
    assert all(prompt.endswith("in the style of Bo Krin") for prompt in prompts)


def test_seeds_do_not_depend_on_batches_images_or_neighbours(tmp_path: Path) -> None:
    small, large = cut(tmp_path, "generation.batch_size=1"), cut(tmp_path, "generation.batch_size=1000")
    assert small.requests == large.requests
    assert (len(small.sizes), len(large.sizes)) == (75, 2)
    more = cut(tmp_path, "generation.images_per_prompt=7")
    assert set(small.requests[MODEL]) < set(more.requests[MODEL])
    alone = _plan(job_of(tmp_path, "generation"), CONCEPTS[1:2])
    assert set(alone.parts[0][2]) < set(small.requests[MODEL])
    assert len({request.seed for request in small.requests[MODEL]}) == 60


def test_the_run_seed_changes_every_seed(tmp_path: Path) -> None:
    one, other = (cut(tmp_path, f"seed={seed}").requests[MODEL] for seed in (3, 4))
    assert not {request.seed for request in one} & {request.seed for request in other}


def test_the_trained_model_comes_first_by_name(tmp_path: Path) -> None:
    names = cut(tmp_path, "generation.batch_size=10").names
    assert names == sorted(names)
    arms = [MODEL in name for name in names]
    assert arms == sorted(arms, reverse=True)


def test_the_control_can_be_left_out(tmp_path: Path) -> None:
    assert cut(tmp_path, "generation.control=false").requests[CONTROL] == []


def test_zero_means_the_models_own(tmp_path: Path) -> None:
    own = load_model("demo")
    sampling = _plan(job_of(tmp_path, "generation"), CONCEPTS).sampling
    assert (sampling.steps, sampling.guidance) == (own.steps, own.guidance)
    changed = job_of(tmp_path, "generation", "generation.steps=7", "generation.guidance=1.5")
    sampling = _plan(changed, CONCEPTS).sampling
    assert (sampling.steps, sampling.guidance, sampling.width) == (7, 1.5, own.width)


def test_an_image_that_could_not_be_had_is_noted(tmp_path: Path) -> None:
    job = job_of(tmp_path, "generation")
    requests = [Request("Ada Lume", prompt, f"prompt {prompt}", 2, 17) for prompt in range(2)]
    samples = [Sample(requests[0], b"png"), Sample(requests[1], None, "blanked by the safety checker")]
    table = _table(MODEL, samples)
    assert table["image"].to_pylist() == [b"png", None]
    assert table["digest"].to_pylist()[1] is None
    job.write_part("0-model-000000", table)
    _note_missing(job)
    assert skipped(job) == [("Ada Lume", "model image 1/2", "blanked by the safety checker")]
