"""Every architecture with a row: saved, loaded, sampled as a run does it, against diffusers' plain call."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from concepts.errors import ModelError
from fit.generation.models import Model, load_model, models
from fit.generation.pipelines import load_pipeline
from fit.generation.quiet import quiet
from fit.generation.requests import Request, Sampling, requests_for
from fit.generation.sampling import Sample, Sampler
from fit.generation.untrained import untrained
from tests.unit.generation import families
from tests.unit.generation.tiny import SIDE

CPU = torch.device("cpu")
PROMPTS = ("a painting in the style of bako", "a sketch by dulo")
REQUESTS = requests_for("bako", PROMPTS, 2, run_seed=1)
OWN_DECODER = {"ldm", "pixart", "kandinsky"}
TEXT_ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3")


def sampling(name: str) -> Sampling:
    return Sampling(steps=2, guidance=1.0 if name == "sdxl_turbo" else 3.0, width=SIDE, height=SIDE)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each pipeline, loaded from its folder when it is first asked for."""
    home = tmp_path_factory.mktemp("families")
    return _Loaded(home)


class _Loaded(dict[str, Any]):
    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home = home

    def __missing__(self, name: str) -> Any:
        with quiet():
            folder = families.save(name, self.home / name)
            prior = ()
            if name == "kandinsky":
                prior = (str(families.save("kandinsky_prior", self.home / "prior")),)
        row = Model(name, name, (str(folder),), "a test", "none", prior=prior)
        self[name] = load_pipeline(row, self.home, CPU)
        return self[name]


def pixels(sample: Sample) -> npt.NDArray[np.int64]:
    assert sample.image is not None, sample.reason
    with Image.open(io.BytesIO(sample.image)) as image:
        return np.asarray(image).astype(np.int64)


def plainly(pipeline: Any, requests: tuple[Request, ...], how: Sampling) -> npt.NDArray[np.int64]:
    """What the pipeline makes of the requests when it is called as its documentation says."""
    generators = [torch.Generator().manual_seed(request.seed) for request in requests]
    with quiet(), torch.inference_mode():
        prompts = [request.prompt for request in requests]
        output = pipeline(prompt=prompts, generator=generators, output_type="np", **how.arguments())
    images: npt.NDArray[np.int64] = (output.images * 255).round().clip(0, 255).astype(np.int64)
    return images


@pytest.mark.parametrize("name", families.MAKERS)
def test_images_are_those_of_the_plain_call(name: str, loaded: dict[str, Any]) -> None:
    pipeline = loaded[name]
    samples = Sampler(pipeline, sampling(name)).sample(REQUESTS, size=3)
    ours = np.stack([pixels(sample) for sample in samples])
    assert np.abs(ours - plainly(pipeline, REQUESTS, sampling(name))).max() <= 1
    for i in range(len(ours)):
        for other in ours[:i]:
            assert np.abs(ours[i] - other).max() > 5  # each request has a picture of its own


@pytest.mark.parametrize("name", families.MAKERS)
def test_the_batch_changes_no_image_by_more_than_rounding(name: str, loaded: dict[str, Any]) -> None:
    sampler = Sampler(loaded[name], sampling(name))
    one, all_at_once = (sampler.sample(REQUESTS, size) for size in (1, len(REQUESTS)))
    padded = Sampler(loaded[name], sampling(name), padded=True).sample(REQUESTS, 3)
    for single, together, filled in zip(one, all_at_once, padded, strict=True):
        assert np.abs(pixels(single) - pixels(together)).max() <= 1
        assert np.abs(pixels(filled) - pixels(together)).max() <= 1


@pytest.mark.parametrize("name", sorted(families.MAKERS.keys() - {"ldm", "kandinsky"}))
def test_each_prompt_is_encoded_once(
    name: str, loaded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, seen = loaded[name], dict[str, int]()
    for part in filter(lambda part: getattr(pipeline, part, None) is not None, TEXT_ENCODERS):
        encoder = getattr(pipeline, part)
        forward = encoder.forward

        def count(ids: torch.Tensor, *a: Any, part: str = part, forward: Any = forward, **more: Any) -> Any:
            seen[part] = seen.get(part, 0) + len(ids)
            return forward(ids, *a, **more)

        monkeypatch.setattr(encoder, "forward", count)
    Sampler(pipeline, sampling(name)).sample(REQUESTS, size=1)
    # Two prompts, and as many empty ones where there is guidance; the four images share them.
    assert max(seen.values()) <= 2 * len(PROMPTS)


@pytest.mark.parametrize("name", families.MAKERS)
def test_untrained_twins_keep_their_autoencoder_alone(name: str, loaded: dict[str, Any]) -> None:
    pipeline = loaded[name]
    blank = untrained(pipeline, seed=3)
    kept = {"vae", "vqvae", "movq", "prior_image_encoder"}
    for part, module in pipeline.components.items():
        if isinstance(module, torch.nn.Module):
            assert (blank.components[part] is module) == (part in kept)
    (first,) = Sampler(blank, sampling(name)).sample(REQUESTS[:1], 1)
    (trained,) = Sampler(pipeline, sampling(name)).sample(REQUESTS[:1], 1)
    assert np.abs(pixels(first) - pixels(trained)).max() > 1
    (again,) = Sampler(untrained(pipeline, 3), sampling(name)).sample(REQUESTS[:1], 1)
    assert again.image == first.image


def test_a_decoder_without_its_prior_is_one_line(loaded: dict[str, Any]) -> None:
    folder = loaded["kandinsky"] and Path(loaded.home) / "kandinsky"  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match=r"KandinskyV22Pipeline is not a text-to-image pipeline; it needs a"):
        load_pipeline(load_model(str(folder)), folder, CPU)


def test_a_prior_beside_a_pipeline_that_takes_none_is_one_line(tmp_path: Path) -> None:
    with quiet():
        folder = str(families.save("sd1", tmp_path / "sd1"))
    row = Model("x", "x", (folder,), "a test", "none", prior=(folder,))
    with pytest.raises(ModelError, match=r"a StableDiffusionPipeline takes no prior; leave it out"):
        load_pipeline(row, tmp_path, CPU)


def test_every_row_names_an_architecture_that_is_sampled_here() -> None:
    """A row of a new architecture needs a pipeline in `families`."""
    made = {row.name.partition("-")[0].rstrip("0123456789.") for row in models()}
    assert made == {"demo", "sd", "ldm", "sdxl", "flux", "pixart", "kandinsky"}
