"""A safety checker in the layout of `diffusers`, small and with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPConfig, CLIPImageProcessor

from concepts.errors import ModelError
from fit.imitation.checker import SafetyChecker, checker_digest
from tests.unit.imitation.test_copies import encoded, scene

DARK, BRIGHT = encoded(Image.new("RGB", (40, 30), "black")), encoded(Image.new("RGB", (40, 30), "white"))


def write_checker(pipeline: Path, flags_all: bool = False) -> Path:
    """Write a checker that flags what looks like a white picture to it, or everything."""
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**tower, "image_size": 16, "patch_size": 8, "projection_dim": 8}
    config = CLIPConfig(vision_config=vision, text_config={**tower, "vocab_size": 64}, projection_dim=8)
    preprocess = CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    preprocess.save_pretrained(pipeline / "feature_extractor")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = StableDiffusionSafetyChecker(config).eval()
        for parameter in network.vision_model.parameters():
            parameter.normal_(0, 0.5)
        pixels = preprocess(images=Image.new("RGB", (16, 16), "white"), return_tensors="pt").pixel_values
        white = network.visual_projection(network.vision_model(pixels)[1])
        network.concept_embeds.copy_(white.expand(17, -1))
        network.concept_embeds_weights.fill_(-2.0 if flags_all else 0.99)
        network.special_care_embeds_weights.fill_(2.0)
    network.save_pretrained(pipeline / "safety_checker")
    return pipeline / "safety_checker"


def test_what_is_close_to_an_unsafe_concept_is_flagged(tmp_path: Path) -> None:
    checker = SafetyChecker(write_checker(tmp_path))
    assert checker(BRIGHT) == "unsafe"
    assert checker(DARK) is None


def test_what_cannot_be_decoded_is_flagged(tmp_path: Path) -> None:
    assert SafetyChecker(write_checker(tmp_path))(b"rubbish") == "cannot be checked"


def test_the_digest_follows_the_weights(tmp_path: Path) -> None:
    one, other = write_checker(tmp_path / "one"), write_checker(tmp_path / "other", flags_all=True)
    assert SafetyChecker(other)(encoded(scene(1))) == "unsafe"
    assert checker_digest(one) != checker_digest(other)
    assert checker_digest(one) == checker_digest(write_checker(tmp_path / "again"))


def test_no_checker(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no safety checker there"):
        checker_digest(tmp_path)
    with pytest.raises(ModelError, match="cannot be loaded as a safety checker"):
        SafetyChecker(tmp_path)
    folder = write_checker(tmp_path / "pipeline")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(tmp_path / "aside")
    with pytest.raises(ModelError, match="cannot be loaded as a safety checker"):
        SafetyChecker(folder)  # a pickle
    (folder / "model.safetensors").write_bytes(b"rubbish")
    with pytest.raises(ModelError, match="cannot be loaded as a safety checker"):
        SafetyChecker(folder)
