"""Presets: the published settings, and the same steps and scheduler in faster arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from concepts.errors import ModelError, SettingsError
from fit.generation.models import Model, load_model, model_of
from fit.generation.pipelines import arithmetic, compile_denoiser, load_pipeline
from fit.generation.presets import load_preset, notes_on, presets, recipe_of
from tests.unit.generation import tiny

PUBLISHED, DEFAULT = load_preset("mimetic2"), load_preset("default")
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("name", "dtype", "scheduler"),
    [
        # The published study: SD 1.x in fp32 with the default scheduler, SD 2.1 in fp16 with DPM-Solver.
        ("sd1.1", "float32", ""),
        ("sd1.5", "float32", ""),
        ("sd2.1", "float16", "DPMSolverMultistepScheduler"),
    ],
)
def test_the_published_settings(name: str, dtype: str, scheduler: str) -> None:
    model = load_model(name)
    recipe = recipe_of(model, PUBLISHED)
    assert (recipe.dtype, recipe.scheduler) == (dtype, scheduler)
    assert not recipe.safety_checker
    assert not recipe.compile
    assert PUBLISHED.images_per_prompt == 200
    fast = recipe_of(model, DEFAULT)
    assert fast.dtype == "float16"
    assert (fast.sampling, fast.scheduler) == (recipe.sampling, recipe.scheduler)
    assert fast.safety_checker


def test_steps_and_guidance_of_the_run_win() -> None:
    recipe = recipe_of(load_model("sd1.5"), PUBLISHED, steps=7, guidance=1.5)
    assert (recipe.sampling.steps, recipe.sampling.guidance, recipe.sampling.width) == (7, 1.5, 512)


def test_what_a_preset_says() -> None:
    model = load_model("sd2.1")
    assert notes_on(model, DEFAULT, recipe_of(model, DEFAULT)) == ()
    assert notes_on(model, PUBLISHED, recipe_of(model, PUBLISHED)) == (
        "preset mimetic2: the published settings",
        "preset mimetic2: the safety checker is off, as in the published study",
    )
    other = load_model("flux1-schnell")
    assert (
        "the published study did not use flux1-schnell; its row's settings are taken (bfloat16)"
        in (notes_on(other, PUBLISHED, recipe_of(other, PUBLISHED))[1])
    )


def test_an_unknown_preset_lists_the_known() -> None:
    assert [preset.name for preset in presets()] == ["default", "mimetic2"]
    with pytest.raises(SettingsError, match=r"paper: unknown preset.*known: default, mimetic2"):
        load_preset("paper")


def test_arithmetic_is_what_the_device_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert arithmetic("float16", CPU) == arithmetic("bfloat16", CPU) == torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: False)
    assert arithmetic("bfloat16", CUDA) == torch.float32
    assert arithmetic("float16", CUDA) == torch.float16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: not emulated)
    assert arithmetic("bfloat16", CUDA) == torch.bfloat16


def test_the_scheduler_of_the_row_is_taken_with_the_pipelines_settings(folder: Any) -> None:
    def load(scheduler: str) -> Any:
        row = Model("x", "x", (str(folder),), "a test", "none", scheduler=scheduler)
        return load_pipeline(row, folder, CPU).scheduler

    own, other = load(""), load("EulerDiscreteScheduler")
    assert type(own).__name__ == "DPMSolverMultistepScheduler"
    assert type(other).__name__ == "EulerDiscreteScheduler"
    assert other.config.beta_schedule == own.config.beta_schedule == "scaled_linear"
    for name in ("EulerScheduler", "UNet2DConditionModel"):
        with pytest.raises(ModelError, match=f"{name}: no scheduler of diffusers; correct the model's row"):
            load(name)


def test_the_denoiser_alone_is_compiled_for_one_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, compiled = tiny.pipeline(seed=1), []
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda part, **how: compiled.append((type(part).__name__, how["dynamic"]))
    )
    compile_denoiser(pipeline)
    assert compiled == [("UNet2DConditionModel", False)]


ROW = {"title": "T", "weights": "a/b", "source": "s", "licence": "l"}
BAD_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"wieghts": "x"}, "wieghts: unknown key .did you mean weights"),
    "no weights": ({"weights": []}, "weights is empty"),
    "weights a number": ({"weights": 3}, "weights = 3; it has to be a place or a list of places"),
    "an empty place": ({"weights": ["a/b", ""]}, "it has to be a place or a list"),
    "a relative folder": ({"weights": "./here"}, "./here: no hub id, no data:PATH and no absolute path"),
    "a revision of several": ({"weights": ["a/b", "c/d"], "revision": "x"}, "write owner/name@revision"),
    "dtype": ({"dtype": "float8"}, "float8: unknown dtype"),
    "published dtype": ({"published_dtype": "half"}, "half: unknown dtype"),
    "steps a text": ({"steps": "50"}, "steps = '50'; it has the wrong type"),
    "steps below 0": ({"steps": -1}, "a number is below 0"),
    "gated a text": ({"gated": "yes"}, "gated = 'yes'; it has the wrong type"),
    "steps true": ({"steps": True}, "steps = True; it has the wrong type"),
    "training no tables": ({"training": {"corpus": "x"}}, r"has to be tables, \[\[name.training\]\]"),
    "training of no corpus": ({"training": [{"where": "x"}]}, "training 1: the key corpus is missing"),
}


@pytest.mark.parametrize(("change", "says"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_one_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=f"^model x: .*{says}|^model x {says}") as caught:
        model_of("x", {**ROW, **change})
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ModelError, match="model x: the key licence is missing"):
        model_of("x", {key: value for key, value in ROW.items() if key != "licence"})


def test_a_row_as_it_is_kept() -> None:
    row = model_of(
        "x", {**ROW, "weights": ["a/b@main", "data:c", "/d"], "training": [{"corpus": "one", "passes": 2}]}
    )
    assert row.weights == ("a/b@main", "data:c", "/d")
    assert row.corpus == "one"  # the first training's, where none is named
    assert model_of("x", ROW).weights == ("a/b",)
