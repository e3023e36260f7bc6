"""What lies on top of a model: LoRAs in the formats that are about, and edited components."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from concepts.errors import ModelError
from fit.generation.components import replace_component, weight_files
from fit.generation.edits import Edit, split_edits
from fit.generation.lora import merge_lora
from fit.generation.models import load_model
from fit.generation.pipelines import load_pipeline
from fit.generation.places import edit_digest
from tests.unit.generation import families, tiny

CPU = torch.device("cpu")
ATTENTION = "down_blocks.1.attentions.0.transformer_blocks.0.attn1"
TO_Q, TO_OUT = f"{ATTENTION}.to_q", f"{ATTENTION}.to_out.0"
CONV = "down_blocks.0.resnets.0.conv1"
TEXT = "encoder.layers.0.self_attn.q_proj"
RANK, ALPHA = 2, 4.0  # so a LoRA is applied at twice the product


@pytest.fixture
def pipeline() -> Any:
    return tiny.pipeline(seed=1)


def weight(pipeline: Any, part: str, layer: str) -> Tensor:
    return dict(pipeline.components[part].named_parameters())[f"{layer}.weight"].detach().clone()


def matrices(of: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two matrices for a layer: (down, up)."""
    chance = torch.Generator().manual_seed(seed)
    up = torch.randn((of.shape[0], RANK, *[1] * (of.ndim - 2)), generator=chance)
    return torch.randn((RANK, *of.shape[1:]), generator=chance), up


def written(folder: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pytorch_lora_weights.safetensors"
    save_file({name: each.contiguous() for name, each in tensors.items()}, path, metadata)
    return path


def diffusers_format(pipeline: Any, folder: Path) -> Path:
    """As diffusers' training scripts save it, with alpha in the file's metadata."""
    (down, up), (text_down, text_up) = (
        matrices(weight(pipeline, "unet", TO_Q)),
        matrices(weight(pipeline, "text_encoder", TEXT)),
    )
    told = {f"{part}.lora_alpha": ALPHA for part in ("unet", "text_encoder")}
    return written(
        folder,
        {
            f"unet.{TO_Q}.lora_A.weight": down,
            f"unet.{TO_Q}.lora_B.weight": up,
            f"text_encoder.text_model.{TEXT}.lora_linear_layer.down.weight": text_down,
            f"text_encoder.text_model.{TEXT}.lora_linear_layer.up.weight": text_up,
        },
        {"lora_adapter_metadata": json.dumps(told)},
    )


def kohya_format(pipeline: Any, folder: Path) -> Path:
    """As the scripts of kohya-ss save it: names with underscores, alpha as a tensor."""
    (down, up), (text_down, text_up) = (
        matrices(weight(pipeline, "unet", TO_Q)),
        matrices(weight(pipeline, "text_encoder", TEXT)),
    )
    unet = f"lora_unet_{TO_Q.replace('.', '_')}"
    text = f"lora_te_text_model_{TEXT.replace('.', '_')}"
    return written(
        folder,
        {
            f"{unet}.lora_down.weight": down,
            f"{unet}.lora_up.weight": up,
            f"{unet}.alpha": torch.tensor(ALPHA),
            f"{text}.lora_down.weight": text_down,
            f"{text}.lora_up.weight": text_up,
            f"{text}.alpha": torch.tensor(ALPHA),
        },
    )


@pytest.mark.parametrize("save", [diffusers_format, kohya_format])
@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_a_lora_adds_its_product(save: Any, scale: float, pipeline: Any, tmp_path: Path) -> None:
    layers = [("unet", TO_Q), ("text_encoder", TEXT)]
    before = {layer: weight(pipeline, *layer) for layer in layers}
    other = weight(pipeline, "unet", TO_OUT)
    assert merge_lora(pipeline, save(pipeline, tmp_path), scale) == 2
    for layer in layers:
        down, up = matrices(before[layer])
        # W + scale * alpha / rank * up @ down
        expected = before[layer] + scale * ALPHA / RANK * up @ down
        assert torch.allclose(weight(pipeline, *layer), expected, atol=1e-5)
    assert torch.equal(weight(pipeline, "unet", TO_OUT), other)


def test_layers_of_older_and_other_programs(pipeline: Any, tmp_path: Path) -> None:
    before = {layer: weight(pipeline, "unet", layer) for layer in (TO_OUT, CONV)}
    (down, up), (conv_down, conv_up) = (matrices(before[layer]) for layer in (TO_OUT, CONV))
    tensors = {
        # Attention processors of older diffusers, without a prefix and without alpha.
        f"{ATTENTION}.processor.to_out_lora.down.weight": down,
        f"{ATTENTION}.processor.to_out_lora.up.weight": up,
        # An adapter as peft saves it.
        f"base_model.model.{CONV}.lora_A.default.weight": conv_down,
        f"base_model.model.{CONV}.lora_B.default.weight": conv_up,
    }
    assert merge_lora(pipeline, written(tmp_path, tensors), 1.0) == 2
    assert torch.allclose(weight(pipeline, "unet", TO_OUT), before[TO_OUT] + up @ down, atol=1e-5)
    product = torch.einsum("or,rikl->oikl", conv_up[:, :, 0, 0], conv_down)
    assert torch.allclose(weight(pipeline, "unet", CONV), before[CONV] + product, atol=1e-4)


def test_alpha_of_an_adapter_stands_beside_it(pipeline: Any, tmp_path: Path) -> None:
    before = weight(pipeline, "unet", TO_Q)
    down, up = matrices(before)
    names = (f"base_model.model.{TO_Q}.lora_A.weight", f"base_model.model.{TO_Q}.lora_B.weight")
    place = written(tmp_path, dict(zip(names, (down, up), strict=True)))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": ALPHA, "r": RANK}))
    merge_lora(pipeline, place, 1.0)
    assert torch.allclose(weight(pipeline, "unet", TO_Q), before + ALPHA / RANK * up @ down, atol=1e-5)


def test_a_lora_for_a_transformer(tmp_path: Path) -> None:
    flux = families.make("flux")
    layer = "transformer_blocks.0.attn.to_q"
    before = weight(flux, "transformer", layer)
    down, up = matrices(before)
    tensors = {f"transformer.{layer}.lora_A.weight": down, f"transformer.{layer}.lora_B.weight": up}
    assert merge_lora(flux, written(tmp_path, tensors), 0.5) == 1
    assert torch.allclose(weight(flux, "transformer", layer), before + 0.5 * up @ down, atol=1e-5)


def foreign(pipeline: Any, tmp_path: Path) -> Path:
    """A LoRA whose base is twice as wide."""
    down, up = matrices(torch.zeros(64, 64))
    return written(tmp_path, {f"unet.{TO_Q}.lora_A.weight": down, f"unet.{TO_Q}.lora_B.weight": up})


def unknown_layer(pipeline: Any, tmp_path: Path) -> Path:
    down, up = matrices(torch.zeros(8, 8))
    key = "unet.down_blocks.9.attentions.0.to_q"
    return written(tmp_path, {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up})


def half(pipeline: Any, tmp_path: Path) -> Path:
    return written(tmp_path, {f"unet.{TO_Q}.lora_A.weight": torch.zeros(RANK, 32)})


def dora(pipeline: Any, tmp_path: Path) -> Path:
    tensors = load_file(diffusers_format(pipeline, tmp_path))
    return written(tmp_path, {**tensors, f"unet.{TO_Q}.lora_magnitude_vector.weight": torch.ones(32)})


def whole_model(pipeline: Any, tmp_path: Path) -> Path:
    return written(tmp_path, {f"{TO_Q}.weight": torch.zeros(32, 32)})


def truncated(pipeline: Any, tmp_path: Path) -> Path:
    path = diffusers_format(pipeline, tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def pickled(pipeline: Any, tmp_path: Path) -> Path:
    path = tmp_path / "pytorch_lora_weights.bin"
    torch.save(load_file(diffusers_format(pipeline, tmp_path / "x")), path)
    return path


def empty_folder(pipeline: Any, tmp_path: Path) -> Path:
    return tmp_path


BAD_LORAS = {
    foreign: "a LoRA for another base: unet.*to_q changes (64, 64), where the base has",
    unknown_layer: "a LoRA for another base: unet.down_blocks.9.* is no layer of this StableDiffusionPip",
    half: "no LoRA (no pairs of matrices",
    dora: "a DoRA, not a plain LoRA",
    whole_model: "no LoRA (no pairs of matrices",
    truncated: "no whole safetensors file",
    pickled: "a pickle, which can run code",
    empty_folder: "holds no weights (*.safetensors)",
}


@pytest.mark.parametrize(("make", "says"), BAD_LORAS.items(), ids=[each.__name__ for each in BAD_LORAS])
def test_a_bad_lora_is_one_line_and_changes_nothing(
    make: Any, says: str, pipeline: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {name: each.clone() for name, each in pipeline.unet.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        merge_lora(pipeline, make(pipeline, tmp_path), 1.0)
    message = str(caught.value)
    assert caught.value.exit_code == 14
    assert message.startswith(str(tmp_path))
    begin, _, end = says.partition("*")
    assert begin in message
    assert end in message
    assert "\n" not in message
    assert all(torch.equal(each, before[name]) for name, each in pipeline.unet.state_dict().items())
    assert capfd.readouterr() == ("", "")


def test_an_edited_component_replaces_what_it_names(pipeline: Any, tmp_path: Path) -> None:
    edited = tiny.pipeline(seed=2).unet.state_dict()
    few = {name: edited[name] for name in (f"{TO_Q}.weight", "conv_in.bias")}
    save_file(few, tmp_path / "edited.safetensors")
    kept = weight(pipeline, "unet", TO_OUT)
    assert replace_component(pipeline, "unet", tmp_path / "edited.safetensors") == 2
    assert torch.equal(weight(pipeline, "unet", TO_Q), few[f"{TO_Q}.weight"])
    assert torch.equal(weight(pipeline, "unet", TO_OUT), kept)


def test_a_saved_component_is_a_folder(pipeline: Any, tmp_path: Path) -> None:
    other = tiny.pipeline(seed=2)
    other.unet.save_pretrained(tmp_path / "unet")
    other.unet.save_pretrained(tmp_path / "unet", variant="fp16")  # beside it; the plain one is taken
    assert [each.name for each in weight_files(tmp_path / "unet")] == ["diffusion_pytorch_model.safetensors"]
    other.unet.save_pretrained(tmp_path / "pieces", max_shard_size="60KB")
    assert len(weight_files(tmp_path / "pieces")) > 1
    for place in ("unet", "pieces"):
        fresh = tiny.pipeline(seed=1)
        replace_component(fresh, "unet", tmp_path / place)
        for name, each in other.unet.state_dict().items():
            assert torch.equal(fresh.unet.state_dict()[name], each)


def test_components_that_do_not_fit_are_one_line(pipeline: Any, tmp_path: Path) -> None:
    def refused(part: str, place: Path) -> str:
        with pytest.raises(ModelError) as caught:
            replace_component(pipeline, part, place)
        return str(caught.value)

    place = tmp_path / "w.safetensors"
    save_file({"conv_in.bias": torch.zeros(7)}, place)
    assert "not of this unet: conv_in.bias is (7,), where the base has (16,)" in refused("unet", place)
    save_file({"model.diffusion_model.x": torch.zeros(7), "conv_in.bias": torch.zeros(16)}, place)
    assert "1 of 2 tensors are unknown to it (model.diffusion_model.x, …)" in refused("unet", place)
    assert refused("transformer", place).startswith(
        "+transformer: StableDiffusionPipeline has no such component; it has text_encoder, unet, vae"
    )
    assert "no.safetensors: not there; give a safe" in refused("unet", tmp_path / "no.safetensors")


def test_a_model_is_loaded_with_its_edits(folder: Path, pipeline: Any, tmp_path: Path) -> None:
    lora = diffusers_format(pipeline, tmp_path / "lora")
    tiny.pipeline(seed=2).vae.save_pretrained(tmp_path / "vae")
    name = f"{folder}+vae:{tmp_path / 'vae'}+lora@0.5:{lora.parent}"
    model = load_model(name)
    assert model.name == name
    assert model.title == f"{folder.name} with vae vae with the LoRA lora x 0.5"
    loaded = load_pipeline(model, folder, CPU)
    before = weight(pipeline, "unet", TO_Q)
    down, up = matrices(before)
    assert torch.allclose(weight(loaded, "unet", TO_Q), before + 0.5 * ALPHA / RANK * up @ down, atol=1e-5)
    decoder = loaded.vae.state_dict()
    assert all(torch.equal(decoder[k], v) for k, v in tiny.pipeline(seed=2).vae.state_dict().items())


def test_names_with_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a+b").mkdir()
    assert split_edits("sd1.5") == ("sd1.5", ())
    assert split_edits("owner/a+b") == ("owner/a+b", ())
    here = str(tmp_path / "a+b" / "x.safetensors")
    assert split_edits("sd1.5+unet:a+b/x.safetensors") == ("sd1.5", (Edit("unet", here),))
    assert split_edits("x+lora@-1.5:owner/name")[1] == (Edit("lora", "owner/name", -1.5),)
    for text, says in (
        ("x+lora:", r"^\+lora:: names no place"),
        ("x+lora@much:y", r"'much' is no scale"),
        ("x+unet@2:y", r"only a LoRA has a scale"),
    ):
        with pytest.raises(ModelError, match=says):
            split_edits(text)
    with pytest.raises(ModelError, match=r"^nothing: unknown model"):
        load_model("nothing+lora:x")


def test_the_digest_of_an_edit_is_of_its_content_and_scale(pipeline: Any, tmp_path: Path) -> None:
    one = diffusers_format(pipeline, tmp_path / "one")
    same = Path(shutil.copytree(one.parent, tmp_path / "same"))
    digest = edit_digest(Edit("lora", str(one)))
    assert digest == edit_digest(Edit("lora", str(same)))
    assert digest != edit_digest(Edit("lora", str(one), 0.5))
    assert digest != edit_digest(Edit("lora", str(foreign(pipeline, tmp_path / "other"))))
    assert edit_digest(Edit("lora", "owner/name")) == "owner/name@newest x 1"
