"""Loading models: what is loaded, what is refused, and what an untrained one is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import huggingface_hub
import pytest
import torch
import transformers
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

from concepts.errors import ModelError
from fit.generation.models import load_model
from fit.generation.pipelines import choose_device, load_pipeline
from fit.generation.untrained import untrained
from tests.unit.generation import tiny

CPU = torch.device("cpu")
UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"

Damage = Callable[[Path], object]


def load(folder: Path) -> Any:
    return load_pipeline(load_model(str(folder)), folder, CPU)


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_a_folder_is_loaded_as_it_was_saved(pipeline: Any) -> None:
    original = tiny.pipeline(seed=1)
    assert type(pipeline).__name__ == "StableDiffusionPipeline"
    for part in ("unet", "text_encoder", "vae"):
        assert same_weights(getattr(pipeline, part), getattr(original, part))
        assert getattr(pipeline, part).dtype == torch.float32
        assert getattr(pipeline, part).device == CPU
        assert not getattr(pipeline, part).training


def bars_shown() -> tuple[bool, bool, bool]:
    return (
        diffusers.utils.logging.is_progress_bar_enabled(),
        transformers.utils.logging.is_progress_bar_enabled(),
        not huggingface_hub.utils.are_progress_bars_disabled(),
    )


def test_loading_says_nothing_and_leaves_the_libraries_as_they_were(
    folder: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    bars, level = bars_shown(), transformers.utils.logging.get_verbosity()
    load(folder)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert bars_shown() == bars
    assert transformers.utils.logging.get_verbosity() == level


def edited(file: str, **changes: object) -> Damage:
    def edit(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(content | changes))

    return edit


def written(file: str, content: bytes) -> Damage:
    return lambda folder: (folder / file).write_bytes(content)


def truncated(file: str) -> Damage:
    def truncate(folder: Path) -> None:
        data = (folder / file).read_bytes()
        (folder / file).write_bytes(data[: len(data) // 2])

    return truncate


def removed(path: str) -> Damage:
    def remove(folder: Path) -> None:
        shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()

    return remove


def without_a_tensor(file: str) -> Damage:
    def drop(folder: Path) -> None:
        tensors = load_file(folder / file)
        del tensors[min(tensors)]
        save_file(tensors, folder / file, {"format": "pt"})

    return drop


def pickled(file: str, name: str) -> Damage:
    def pickle(folder: Path) -> None:
        torch.save(load_file(folder / file), (folder / file).with_name(name))
        (folder / file).unlink()

    return pickle


def of_pictures_without_prompts(folder: Path) -> None:
    shutil.rmtree(folder)
    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",)}
    unet = UNet2DModel(8, block_out_channels=(8,), layers_per_block=1, norm_num_groups=4, **blocks)
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(folder)


REFUSED: dict[str, tuple[Damage, str]] = {
    "unet truncated": (truncated(UNET), "Unable to load weights"),
    "text encoder truncated": (truncated(TEXT), "deserializing header"),
    "unet empty": (written(UNET, b""), "Unable to load weights"),
    "unet a pickle": (
        pickled(UNET, "diffusion_pytorch_model.bin"),
        "diffusion_pytorch_model.bin: a pickle, which can run code when it is loaded",
    ),
    "text encoder a pickle": (pickled(TEXT, "pytorch_model.bin"), "pytorch_model.bin: a pickle, which can"),
    "unet of another size": (edited("unet/config.json", block_out_channels=[16, 48]), "size mismatch for"),
    "text encoder of another size": (
        edited("text_encoder/config.json", hidden_size=32),
        "weights of CLIPTextModel are missing or do not fit",
    ),
    "unet lacks a tensor": (
        without_a_tensor(UNET),
        "weights of UNet2DConditionModel are missing or do not fit",
    ),
    "text encoder lacks a tensor": (
        without_a_tensor(TEXT),
        "weights of CLIPTextModel are missing or do not fit",
    ),
    "no unet": (removed("unet"), "cannot be loaded"),
    "no tokenizer": (removed("tokenizer"), "the folder tokenizer is missing"),
    "no vocabulary": (
        removed("tokenizer/tokenizer.json"),
        "tokenizer has 2 tokens where text_encoder knows 300",
    ),
    "no scheduler": (removed("scheduler"), "no file named scheduler_config.json"),
    "index no JSON": (written("model_index.json", b"\xff{"), "not a valid JSON file"),
    "index a list": (written("model_index.json", b"[]"), "cannot be loaded"),
    "index empty": (written("model_index.json", b"{}"), "_class_name"),
    "unknown pipeline": (edited("model_index.json", _class_name="NoPipeline"), "no attribute NoPipeline"),
    "no pipeline class": (edited("model_index.json", _class_name="UNet2DModel"), "cannot be loaded"),
    "component no pair": (edited("model_index.json", unet=3), "cannot be loaded"),
    "component of an unknown library": (edited("model_index.json", unet=["nolibrary", "X"]), "nolibrary"),
    "image to image": (
        edited("model_index.json", _class_name="StableDiffusionImg2ImgPipeline"),
        "StableDiffusionImg2ImgPipeline is not a text-to-image pipeline",
    ),
    "no prompts": (of_pictures_without_prompts, "DDPMPipeline is not a text-to-image pipeline"),
}


@pytest.mark.parametrize(("damage", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_a_damaged_or_foreign_folder_is_one_line(
    folder: Path, tmp_path: Path, damage: Damage, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    damage(copy)
    with pytest.raises(ModelError) as caught:
        load(copy)
    message = str(caught.value)
    assert caught.value.exit_code == 14
    assert re.match(rf"{copy}(/\w+/\w+\.bin)?: ", message)
    assert says in message
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def trap(folder: Path, file: str, code: str) -> Path:
    """Write a Python file into the model that leaves a mark where it is run; return where."""
    mark = folder.parent / "executed"
    (folder / file).write_text(f"open({str(mark)!r}, 'w').close()\n{code}\n")
    return mark


PIPELINE_CODE = "from diffusers import StableDiffusionPipeline\nclass Mine(StableDiffusionPipeline): pass"
UNET_CODE = "from diffusers import UNet2DConditionModel\nclass Mine(UNet2DConditionModel): pass"
TEXT_CODE = "from transformers import CLIPTextModel\nclass Mine(CLIPTextModel): pass"
TRAPS: dict[str, tuple[str, str, Damage]] = {
    "pipeline": ("mine.py", PIPELINE_CODE, edited("model_index.json", _class_name=["mine", "Mine"])),
    "component": ("unet/mine.py", UNET_CODE, edited("model_index.json", unet=["mine", "Mine"])),
    "named for no pipeline": ("None.py", PIPELINE_CODE, lambda _: None),
    "automatic class": (
        "text_encoder/mine.py",
        TEXT_CODE,
        lambda folder: (
            edited("text_encoder/config.json", auto_map={"AutoModel": "mine.Mine"})(folder),
            edited("model_index.json", text_encoder=["transformers", "AutoModel"])(folder),
        ),
    ),
}


@pytest.mark.parametrize(("file", "code", "change"), TRAPS.values(), ids=TRAPS.keys())
def test_code_in_the_folder_is_refused_and_never_run(
    folder: Path, tmp_path: Path, file: str, code: str, change: Damage
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    mark = trap(copy, file, code)
    change(copy)
    with pytest.raises(ModelError):
        load(copy)
    assert not mark.exists()


def test_code_that_nothing_asks_for_just_lies_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    mark = trap(copy, "text_encoder/mine.py", TEXT_CODE)
    for file in ("unet/__init__.py", "sitecustomize.py", "diffusers.py"):
        trap(copy, file, "")
    edited("text_encoder/config.json", auto_map={"AutoModel": "mine.Mine"})(copy)
    monkeypatch.chdir(copy)
    assert type(load(Path()).text_encoder).__name__ == "CLIPTextModel"
    assert not mark.exists()


def test_a_model_that_is_not_on_the_hub_is_a_model_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        ModelError, match=r"^nobody/nothing: not in the hub's cache .* hf download nobody/nothing$"
    ) as caught:
        load_pipeline(load_model("nobody/nothing"), tmp_path, CPU)
    assert caught.value.exit_code == 14
    assert "\n" not in str(caught.value)


def test_the_processor_is_always_there() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in {"cpu", "cuda"}


# `meta` holds no numbers; the modules of hpu and privateuseone are missing; the last one needs a number.
@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "meta", "hpu", "privateuseone", "cpu:-1"])
def test_an_unknown_device_is_a_model_error(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        choose_device(name)
    message = str(caught.value)
    assert caught.value.exit_code == 14
    assert message.startswith(f"{name}: no such device here (")
    assert message.endswith("use auto or cpu")
    assert "\n" not in message


def test_an_untrained_model_has_other_weights_and_the_same_autoencoder(pipeline: Any) -> None:
    kept = {key: value.clone() for key, value in pipeline.unet.state_dict().items()}
    blank = untrained(pipeline, 7)
    for part in ("unet", "text_encoder"):
        mine, its = getattr(blank, part), getattr(pipeline, part)
        assert not same_weights(mine, its)
        assert (
            mine.config.to_dict() == its.config.to_dict()
            if part == "text_encoder"
            else mine.config == its.config
        )
        assert (mine.dtype, mine.device) == (its.dtype, its.device)
        assert not mine.training
    assert blank.vae is pipeline.vae
    assert blank.tokenizer is pipeline.tokenizer
    assert all(torch.equal(kept[key], value) for key, value in pipeline.unet.state_dict().items())


def test_untrained_weights_depend_on_the_seed_alone(pipeline: Any) -> None:
    before = torch.random.get_rng_state()
    first = untrained(pipeline, 7)
    assert torch.equal(torch.random.get_rng_state(), before)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        again = untrained(pipeline, 7)
    other, of_blank = untrained(pipeline, 8), untrained(first, 7)
    for part in ("unet", "text_encoder"):
        assert same_weights(getattr(first, part), getattr(again, part))
        assert same_weights(getattr(first, part), getattr(of_blank, part))
        assert not same_weights(getattr(first, part), getattr(other, part))


class TwoPartPipeline:
    """A pipeline with a setting among its components, as force_zeros_for_empty_prompt of SDXL."""

    def __init__(self, unet: Any, scheduler: Any, force_zeros: bool = True) -> None:
        self.components = {"unet": unet, "scheduler": scheduler}
        self.config = {"unet": ["diffusers", "X"], "force_zeros": force_zeros, "_name_or_path": "x"}

    def set_progress_bar_config(self, disable: bool) -> None:
        """As diffusers' pipelines have it."""


def test_an_untrained_model_keeps_the_pipelines_settings() -> None:
    blank = untrained(TwoPartPipeline(tiny.unet(), None, force_zeros=False), 7)
    assert blank.config["force_zeros"] is False
