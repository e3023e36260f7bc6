from __future__ import annotations

import hashlib

import pytest

from fit.generation.requests import Sampling, batches, image_seed, requests_for

PROMPTS = ("a painting in the style of Bako", "a sketch in the style of Bako")


def test_requests_come_prompt_by_prompt() -> None:
    found = requests_for("Bako", PROMPTS, 2, run_seed=5)
    assert [(r.concept, r.prompt_index, r.image_index) for r in found] == [
        ("Bako", 0, 0), ("Bako", 0, 1), ("Bako", 1, 0), ("Bako", 1, 1)
    ]  # fmt: skip
    assert [r.prompt for r in found] == [PROMPTS[0], PROMPTS[0], PROMPTS[1], PROMPTS[1]]


def test_a_seed_is_a_digest_of_what_the_image_is() -> None:
    # The recipe, written out: BLAKE2b of 64 bits, little endian, without its lowest bit.
    text = "5\0Bako\0a sketch in the style of Bako\0" + "1"
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    expected = int.from_bytes(digest, "little") // 2
    assert requests_for("Bako", PROMPTS, 2, run_seed=5)[3].seed == expected
    assert 0 <= expected < 2**63


def test_seeds_do_not_depend_on_what_else_is_asked() -> None:
    def by_content(prompts: tuple[str, ...], images: int) -> dict[tuple[str, int], int]:
        return {(r.prompt, r.image_index): r.seed for r in requests_for("Bako", prompts, images, 5)}

    few, many = by_content(PROMPTS[:1], 2), by_content(PROMPTS[::-1], 9)
    assert few.items() <= many.items()


def test_every_image_of_every_run_has_a_seed_of_its_own() -> None:
    seeds = {
        request.seed
        for run in (0, 1, 10)
        for concept in ("Bako", "Bak", "Bako1")
        for request in requests_for(concept, PROMPTS, 20, run)
    }
    assert len(seeds) == 3 * 3 * 2 * 20


def test_parts_of_a_seeds_text_cannot_run_into_each_other() -> None:
    assert image_seed(1, "Bako", "x", 11) != image_seed(1, "Bako", "x1", 1)
    assert image_seed(1, "1Bako", "x", 1) != image_seed(11, "Bako", "x", 1)


@pytest.mark.parametrize(("size", "lengths"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_batches_keep_the_order_and_the_size(size: int, lengths: list[int]) -> None:
    requests = requests_for("Bako", PROMPTS[:1], 7, 0)
    cut = batches(requests, size)
    assert [len(batch) for batch in cut] == lengths
    assert tuple(request for batch in cut for request in batch) == requests


def test_nothing_asked_is_no_batch() -> None:
    assert batches((), 4) == ()


def test_zero_leaves_a_number_to_the_pipeline() -> None:
    assert Sampling(0, 0.0, 0, 0).arguments() == {}
    assert Sampling(12, 3.0, 32, 64).arguments() == {
        "num_inference_steps": 12, "guidance_scale": 3.0, "width": 32, "height": 64
    }  # fmt: skip
