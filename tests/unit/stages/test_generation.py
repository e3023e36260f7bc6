"""Stage `generation`: what is asked of the model does not depend on how it is cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from concepts.concept import Concept
from concepts.errors import SettingsError
from fit.generation.models import load_model
from fit.generation.requests import Request
from fit.generation.sampling import Sample
from fit.stages.generated import packed, write_generated
from fit.stages.generation import CONTROL, MODEL, _note_missing, _plan
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
    for part in plan.parts:
        requests[part.arm] += part.requests
    return Cut([part.name for part in plan.parts], [len(part.requests) for part in plan.parts], requests)


def test_every_concept_under_every_prompt(tmp_path: Path) -> None:
    found = cut(tmp_path, "generation.part_images=25")
    # 3 concepts x 5 prompts x 4 images, and one image each of the control.
    assert found.sizes == [25, 25, 10, 15]
    assert len(set(found.requests[MODEL])) == 60
    prompts = [request.prompt for request in found.requests[MODEL] if request.concept == "Bo Krin"]
    assert len(set(prompts)) == 5
    assert all(prompt.endswith("in the style of Bo Krin") for prompt in prompts)


def test_seeds_do_not_depend_on_parts_images_or_neighbours(tmp_path: Path) -> None:
    small, large = cut(tmp_path, "generation.part_images=1"), cut(tmp_path, "generation.part_images=1000")
    assert small.requests == large.requests
    assert (len(small.sizes), len(large.sizes)) == (75, 2)
    more = cut(tmp_path, "generation.images_per_prompt=7")
    assert set(small.requests[MODEL]) < set(more.requests[MODEL])
    alone = _plan(job_of(tmp_path, "generation"), CONCEPTS[1:2])
    assert set(alone.parts[0].requests) < set(small.requests[MODEL])
    assert len({request.seed for request in small.requests[MODEL]}) == 60


def test_the_run_seed_changes_every_seed(tmp_path: Path) -> None:
    one, other = (cut(tmp_path, f"seed={seed}").requests[MODEL] for seed in (3, 4))
    assert not {request.seed for request in one} & {request.seed for request in other}


def test_the_trained_model_comes_first_by_name(tmp_path: Path) -> None:
    names = cut(tmp_path, "generation.part_images=10").names
    assert names == sorted(names)
    arms = [MODEL in name for name in names]
    assert arms == sorted(arms, reverse=True)


def test_the_control_can_be_left_out(tmp_path: Path) -> None:
    assert cut(tmp_path, "generation.control=false").requests[CONTROL] == []


def test_zero_means_the_models_own(tmp_path: Path) -> None:
    own = load_model("demo")
    sampling = _plan(job_of(tmp_path, "generation"), CONCEPTS).recipe.sampling
    assert (sampling.steps, sampling.guidance) == (own.steps, own.guidance)
    changed = job_of(tmp_path, "generation", "generation.steps=7", "generation.guidance=1.5")
    sampling = _plan(changed, CONCEPTS).recipe.sampling
    assert (sampling.steps, sampling.guidance, sampling.width) == (7, 1.5, own.width)


def test_the_batch_size_changes_no_part(tmp_path: Path) -> None:
    assert cut(tmp_path, "generation.batch_size=7") == cut(tmp_path)


def test_presets(tmp_path: Path) -> None:
    plain, published = cut(tmp_path), cut(tmp_path, "generation.preset=mimetic2")
    assert (len(plain.requests[MODEL]), len(published.requests[MODEL])) == (3 * 5 * 4, 3 * 5 * 200)
    few = cut(tmp_path, "generation.preset=mimetic2", "generation.images_per_prompt=2")
    assert len(few.requests[MODEL]) == 3 * 5 * 2
    recipes = {
        name: _plan(job_of(tmp_path, "generation", f"generation.preset={name}"), CONCEPTS).recipe
        for name in ("default", "mimetic2")
    }
    assert [recipes[name].safety_checker for name in ("default", "mimetic2")] == [True, False]
    job = job_of(tmp_path, "generation", "generation.preset=mimetic2", "generation.safety_checker=on")
    assert _plan(job, CONCEPTS).recipe.safety_checker
    with pytest.raises(SettingsError, match=r"preset: mimetic: unknown preset .did you mean mimetic2"):
        _plan(job_of(tmp_path, "generation", "generation.preset=mimetic"), CONCEPTS)


@pytest.mark.parametrize(
    ("settings", "images", "compiled"),
    [
        ((), 60, False),
        (("generation.images_per_prompt=300",), 4500, True),
        (("generation.images_per_prompt=300", "generation.compile=off"), 4500, False),
        (("generation.images_per_prompt=300", "generation.preset=mimetic2"), 4500, False),
        (("generation.compile=on",), 60, True),
    ],
)
def test_compiled_is_what_makes_it_pay(
    tmp_path: Path, settings: tuple[str, ...], images: int, compiled: bool
) -> None:
    plan = _plan(job_of(tmp_path, "generation", "generation.control=false", *settings), CONCEPTS)
    assert (plan.images, plan.recipe.compile) == (images, compiled)


def test_an_image_that_could_not_be_had_is_noted(tmp_path: Path) -> None:
    job = job_of(tmp_path, "generation")
    requests = [Request("Ada Lume", prompt, f"prompt {prompt}", 2, 17) for prompt in range(2)]
    samples = [Sample(requests[0], b"png"), Sample(requests[1], None, "blanked by the safety checker")]
    tar, table = packed("0-model-000000", MODEL, samples)
    write_generated(job, "0-model-000000", tar, table, 2)
    _note_missing(job)
    assert skipped(job) == [("Ada Lume", "model image 1/2", "blanked by the safety checker")]
