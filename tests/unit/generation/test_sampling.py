"""Sampling: an image is a function of its own request."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from concepts.errors import ModelError
from fit.generation.requests import Request, Sampling, requests_for
from fit.generation.sampling import Sample, sample_batch
from fit.generation.untrained import untrained
from tests.unit.generation.tiny import SIDE

SAMPLING = Sampling(steps=3, guidance=3.0, width=SIDE, height=SIDE)
REQUESTS = requests_for("bako", ("a painting in the style of bako", "a sketch by bako"), 3, run_seed=1)


def pixels(sample: Sample) -> npt.NDArray[np.int64]:
    assert sample.image is not None, sample.reason
    with Image.open(io.BytesIO(sample.image)) as image:
        assert image.format == "PNG"
        assert image.mode == "RGB"
        return np.asarray(image).astype(np.int64)


@pytest.fixture(scope="module")
def together(pipeline: Any) -> tuple[Sample, ...]:
    return sample_batch(pipeline, REQUESTS, SAMPLING)


def test_every_request_gets_a_picture_of_its_own(together: tuple[Sample, ...]) -> None:
    assert [sample.request for sample in together] == list(REQUESTS)
    assert all(sample.reason == "" for sample in together)
    assert {pixels(sample).shape for sample in together} == {(SIDE, SIDE, 3)}
    for i, one in enumerate(together):
        for other in together[:i]:
            assert np.abs(pixels(one) - pixels(other)).max() > 10


@pytest.mark.parametrize(("width", "height"), [(16, 24), (32, 16)])
def test_pictures_have_the_size_that_was_asked(pipeline: Any, width: int, height: int) -> None:
    (sample,) = sample_batch(pipeline, REQUESTS[:1], Sampling(2, 3.0, width, height))
    assert pixels(sample).shape == (height, width, 3)


def test_the_same_batch_gives_the_same_bytes(pipeline: Any, together: tuple[Sample, ...]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)  # nothing of it is used
        assert sample_batch(pipeline, REQUESTS, SAMPLING) == together


@pytest.mark.parametrize("batch", [[2], [2, 5], [4, 2, 0], [5, 4, 3, 2, 1, 0]])
def test_a_picture_does_not_depend_on_its_batch(
    pipeline: Any, together: tuple[Sample, ...], batch: list[int]
) -> None:
    samples = sample_batch(pipeline, [REQUESTS[i] for i in batch], SAMPLING)
    for i, sample in zip(batch, samples, strict=True):
        assert np.abs(pixels(sample) - pixels(together[i])).max() <= 1


def test_the_prompt_and_the_guidance_matter(pipeline: Any, together: tuple[Sample, ...]) -> None:
    first = REQUESTS[0]
    other = Request(first.concept, 0, "mira dulo sketch", 0, first.seed)
    (asked,) = sample_batch(pipeline, [other], SAMPLING)
    (unguided,) = sample_batch(pipeline, [first], Sampling(3, 1.0, SIDE, SIDE))
    (longer,) = sample_batch(pipeline, [first], Sampling(6, 3.0, SIDE, SIDE))
    for sample in (asked, unguided, longer):
        assert not np.array_equal(pixels(sample), pixels(together[0]))


def test_an_untrained_model_makes_other_pictures(pipeline: Any, together: tuple[Sample, ...]) -> None:
    (sample,) = sample_batch(untrained(pipeline, 3), REQUESTS[:1], SAMPLING)
    assert np.abs(pixels(sample) - pixels(together[0])).max() > 10


def test_sampling_says_nothing(pipeline: Any, capfd: pytest.CaptureFixture[str]) -> None:
    long = Request("bako", 0, "a very long painting " * 20, 0, 5)  # longer than the text encoder reads
    sample_batch(pipeline, [long], SAMPLING)
    assert capfd.readouterr() == ("", "")


class Answers:
    """Stands for a pipeline: answers with given images, and keeps what it was asked."""

    def __init__(self, images: npt.NDArray[np.float32], **more: object) -> None:
        self.output = SimpleNamespace(images=images, **more)
        self.asked: dict[str, Any] = {}

    def __call__(self, **asked: Any) -> SimpleNamespace:
        self.asked = asked
        return self.output


def grey(*levels: float) -> npt.NDArray[np.float32]:
    """Pictures (n, 4, 4, 3), each of one grey."""
    return np.array(levels, np.float32)[:, None, None, None] * np.ones((1, 4, 4, 3), np.float32)


def test_what_the_pipeline_is_asked() -> None:
    answers = Answers(grey(0, 0))
    sample_batch(answers, REQUESTS[:2], Sampling(7, 0.0, 0, 0))
    generators = answers.asked.pop("generator")
    assert [each.initial_seed() for each in generators] == [request.seed for request in REQUESTS[:2]]
    assert {each.device.type for each in generators} == {"cpu"}
    assert answers.asked == {
        "prompt": [request.prompt for request in REQUESTS[:2]],
        "output_type": "np",
        "num_inference_steps": 7,
    }


def test_values_become_the_nearest_of_256_levels() -> None:
    # 0.501 * 255 = 127.755; what lies outside [0, 1] is cut off.
    samples = sample_batch(Answers(grey(0.501, -0.2, 1.3)), REQUESTS[:3], SAMPLING)
    assert [np.unique(pixels(sample)).tolist() for sample in samples] == [[128], [0], [255]]


def test_blanked_pictures_are_a_reason() -> None:
    answers = Answers(grey(0.5, 0, 0.5), nsfw_content_detected=[False, True, False])
    samples = sample_batch(answers, REQUESTS[:3], SAMPLING)
    assert [sample.image is None for sample in samples] == [False, True, False]
    assert [sample.reason for sample in samples] == ["", "blanked by the safety checker", ""]


@pytest.mark.parametrize("flags", [None, []])
def test_without_a_safety_checker_nothing_is_blanked(flags: object) -> None:
    samples = sample_batch(Answers(grey(0, 0), nsfw_content_detected=flags), REQUESTS[:2], SAMPLING)
    assert all(sample.image is not None for sample in samples)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_overflowed_are_a_reason(value: float) -> None:
    images = grey(0.5, 0.5)
    images[1, 0, 0, 0] = value
    good, bad = sample_batch(Answers(images), REQUESTS[:2], SAMPLING)
    assert good.reason == ""
    assert bad.image is None
    assert bad.reason == "not finite: the model's arithmetic overflowed"


def test_a_batch_too_large_for_the_memory_is_one_line() -> None:
    class Full:
        def __call__(self, **_: Any) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nMore")

    with pytest.raises(ModelError, match=r"^6 images at once .* set generation\.batch_size lower$") as caught:
        sample_batch(Full(), REQUESTS, SAMPLING)
    assert caught.value.exit_code == 14
