"""CSD: a checkpoint in the published layout with random weights, against the published forward pass."""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from concepts.errors import ModelError
from fit.imitation.csd import DEVIATION, MEAN, CsdEncoder
from fit.imitation.scorers import Setup, load_scorer
from fit.weights.pickles import allow_pickle
from tests.unit.imitation.pictures import encoded, picture

WIDTH, LAYERS, PATCH, SIDE, DIMENSIONS = 128, 2, 8, 32, 24
HEADS = WIDTH // 64


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIT_CACHE", str(tmp_path / "cache"))


def published_weights() -> OrderedDict[str, Tensor]:
    """Keys as `module.state_dict()` of the published class gives them, in a distributed wrapper."""
    rng = torch.Generator().manual_seed(3)
    shapes = {
        "class_embedding": (WIDTH,),
        "positional_embedding": ((SIDE // PATCH) ** 2 + 1, WIDTH),
        "conv1.weight": (WIDTH, 3, PATCH, PATCH),
        **{f"{norm}.{part}": (WIDTH,) for norm in ("ln_pre", "ln_post") for part in ("weight", "bias")},
    }
    for layer in range(LAYERS):
        block = f"transformer.resblocks.{layer}"
        shapes |= {
            f"{block}.attn.in_proj_weight": (3 * WIDTH, WIDTH),
            f"{block}.attn.in_proj_bias": (3 * WIDTH,),
            f"{block}.attn.out_proj.weight": (WIDTH, WIDTH),
            f"{block}.attn.out_proj.bias": (WIDTH,),
            f"{block}.mlp.c_fc.weight": (4 * WIDTH, WIDTH),
            f"{block}.mlp.c_fc.bias": (4 * WIDTH,),
            f"{block}.mlp.c_proj.weight": (WIDTH, 4 * WIDTH),
            f"{block}.mlp.c_proj.bias": (WIDTH,),
            **{f"{block}.{n}.{part}": (WIDTH,) for n in ("ln_1", "ln_2") for part in ("weight", "bias")},
        }
    named = {f"module.backbone.{key}": shape for key, shape in shapes.items()}
    named |= {f"module.last_layer_{head}": (WIDTH, DIMENSIONS) for head in ("style", "content")}
    drawn = {key: torch.randn(shape, generator=rng) * 0.1 for key, shape in named.items()}
    return OrderedDict(
        (key, each + 1 if "ln_" in key and "weight" in key else each) for key, each in drawn.items()
    )


def training_checkpoint(weights: dict[str, Tensor]) -> dict[str, Any]:
    """What the published training script saves."""
    return {
        "model_state_dict": weights,
        "opt_bb": {
            "state": {0: {"momentum_buffer": torch.ones(3)}},
            "param_groups": [{"lr": np.float64(0.1)}],
        },
        "opt_proj": {"state": {}, "param_groups": [{"lr": np.float64(0.2)}]},
        "iter": 80000,
        "args": argparse.Namespace(arch="vit_large", lr=0.003, eval_k=[1, 5, 100]),
        "fp16_scaler": {"scale": 65536.0},
    }


def as_numpy_1_wrote_it(path: Path) -> None:
    """Give NumPy's scalars the name that they had when the checkpoint was published."""
    with zipfile.ZipFile(path) as file:
        entries = {name: file.read(name) for name in file.namelist()}
    pickled = next(name for name in entries if name.endswith("data.pkl"))
    assert b"numpy._core.multiarray" in entries[pickled]
    entries[pickled] = entries[pickled].replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for name, data in entries.items():
            file.writestr(name, data)


def write(folder: Path, content: object, name: str = "pytorch_model.bin") -> Path:
    folder.mkdir(exist_ok=True)
    torch.save(content, folder / name)
    return folder


def pinned(folder: Path, name: str = "pytorch_model.bin") -> Setup:
    return Setup("cpu", {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()})


def reference(weights: dict[str, Tensor], images: Tensor, head: str) -> Tensor:
    """The forward pass of OpenAI's CLIP (QuickGELU and all) without its projection, then CSD's head."""
    w = {key.removeprefix("module.backbone."): each for key, each in weights.items()}
    norm = nn.functional.layer_norm
    x = nn.functional.conv2d(images, w["conv1.weight"], stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([w["class_embedding"].expand(len(x), 1, WIDTH), x], 1) + w["positional_embedding"]
    x = norm(x, (WIDTH,), w["ln_pre.weight"], w["ln_pre.bias"])
    for layer in range(LAYERS):
        b = {k.split(".", 3)[3]: v for k, v in w.items() if k.startswith(f"transformer.resblocks.{layer}.")}
        y = norm(x, (WIDTH,), b["ln_1.weight"], b["ln_1.bias"])
        q, k, v = (y @ b["attn.in_proj_weight"].T + b["attn.in_proj_bias"]).chunk(3, -1)
        q, k, v = (each.unflatten(-1, (HEADS, 64)).transpose(1, 2) for each in (q, k, v))
        mixed = torch.softmax(q @ k.transpose(-1, -2) / 8, -1) @ v  # 8 is the root of 64
        x = x + mixed.transpose(1, 2).flatten(2) @ b["attn.out_proj.weight"].T + b["attn.out_proj.bias"]
        y = norm(x, (WIDTH,), b["ln_2.weight"], b["ln_2.bias"]) @ b["mlp.c_fc.weight"].T + b["mlp.c_fc.bias"]
        x = x + (y * torch.sigmoid(1.702 * y)) @ b["mlp.c_proj.weight"].T + b["mlp.c_proj.bias"]
    feature = norm(x[:, 0], (WIDTH,), w["ln_post.weight"], w["ln_post.bias"])
    return nn.functional.normalize(feature @ weights[f"module.last_layer_{head}"], dim=1)


def published_preprocessing(images: list[Any]) -> Tensor:
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

    steps = Compose(
        [Resize(SIDE, InterpolationMode.BICUBIC), CenterCrop(SIDE), ToTensor(), Normalize(MEAN, DEVIATION)]
    )
    return torch.stack([steps(each) for each in images])


@pytest.mark.parametrize("head", ["style", "content"])
def test_a_published_checkpoint(tmp_path: Path, head: str) -> None:
    weights = published_weights()
    folder = write(tmp_path / "csd", training_checkpoint(weights))
    as_numpy_1_wrote_it(folder / "pytorch_model.bin")
    encoder = CsdEncoder(folder, pinned(folder), head=head, batch=2)
    pictures = [picture(0), picture(1, 50, 200), picture(2, 32, 32)]
    found = encoder.embed([encoded(each) for each in pictures])
    assert (encoder.dimensions, found.vectors.shape) == (DIMENSIONS, (3, DIMENSIONS))
    wanted = reference(weights, published_preprocessing(pictures), head).numpy()
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-5)


def test_it_is_converted_once_and_the_pickle_is_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "csd", training_checkpoint(published_weights()), "checkpoint.pth")
    setup = pinned(folder, "checkpoint.pth")
    first = CsdEncoder(folder, setup).embed([encoded(picture(4))]).vectors
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("unpickled a second time"))
    np.testing.assert_array_equal(CsdEncoder(folder, setup).embed([encoded(picture(4))]).vectors, first)


def test_plain_weights_as_safetensors_need_nobody_to_vouch_for_them(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    weights = published_weights()
    save_file({k.removeprefix("module."): v for k, v in weights.items()}, tmp_path / "model.safetensors")
    found = CsdEncoder(tmp_path).embed([encoded(picture(5))]).vectors
    np.testing.assert_allclose(
        found, reference(weights, published_preprocessing([picture(5)]), "style"), atol=1e-5
    )


def test_a_pickle_that_nobody_vouches_for(tmp_path: Path) -> None:
    folder = write(tmp_path / "csd", training_checkpoint(published_weights()))
    with pytest.raises(ModelError, match="--allow-pickle"):
        CsdEncoder(folder)
    with pytest.raises(ModelError, match="not the pinned 00"):
        CsdEncoder(folder, Setup(pickles={"pytorch_model.bin": "00"}))
    allow_pickle(folder / "pytorch_model.bin")
    assert CsdEncoder(folder).dimensions == DIMENSIONS


class Harm:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (Path.touch, (Path("harm"),))  # type: ignore[return-value]


def test_a_pickle_that_runs_something_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path / "csd", {"model_state_dict": published_weights(), "args": Harm()})
    with pytest.raises(ModelError, match="holds more than weights"):
        CsdEncoder(folder, pinned(folder))
    assert not (tmp_path / "harm").exists()


def without_head(weights: dict[str, Tensor]) -> None:
    del weights["module.last_layer_style"]


def without_a_layer(weights: dict[str, Tensor]) -> None:
    del weights["module.backbone.transformer.resblocks.1.ln_1.weight"]


def of_another_width(weights: dict[str, Tensor]) -> None:
    weights["module.last_layer_style"] = torch.zeros(WIDTH + 1, DIMENSIONS)


def not_finite(weights: dict[str, Tensor]) -> None:
    weights["module.backbone.ln_post.bias"][0] = torch.nan


def another_network(weights: dict[str, Tensor]) -> None:
    weights.clear()
    weights["fc.weight"] = torch.zeros(3, 3)


SPOILT = [without_head, without_a_layer, of_another_width, not_finite, another_network]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_checkpoint_of_another_network(tmp_path: Path, spoil: Callable[[dict[str, Tensor]], None]) -> None:
    weights = published_weights()
    spoil(weights)
    folder = write(tmp_path / "csd", {"model_state_dict": weights})
    with pytest.raises(ModelError, match="no CSD checkpoint") as caught:
        CsdEncoder(folder, pinned(folder))
    assert "\n" not in str(caught.value)


def test_a_truncated_safetensors_file(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_file(published_weights(), path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match=rf"{path}: not a whole safetensors file"):
        CsdEncoder(tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match="no weights there"):
        CsdEncoder(tmp_path)


def test_the_row_pins_the_published_file() -> None:
    row = load_scorer("csd")
    assert row.repository is not None
    assert row.repository.name == "tomg-group-umd/CSD-ViT-L"
    assert set(row.files) == set(row.pickles)
    assert all(len(digest) == 64 for digest in row.pickles.values())
