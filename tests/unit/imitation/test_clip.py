"""open_clip models: a tiny one with random weights in the layout of the hub, through the real loader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from concepts.errors import ModelError
from fit.imitation.clip import OpenClipEncoder
from fit.imitation.scorers import load_scorer
from fit.weights.pickles import allow_pickle
from tests.unit.imitation.pictures import encoded, picture

MODEL = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}
PREPROCESS = {
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.3, 0.4],
    "interpolation": "bicubic",
    "resize_mode": "squash",  # as DFN-5B's: not the centre but the whole image
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        weights = open_clip.CLIP(**MODEL).state_dict()
    save_file(
        {key: each.contiguous() for key, each in weights.items()}, folder / "open_clip_model.safetensors"
    )
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


def test_images_as_open_clip_does_it(saved: Path) -> None:
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{saved}")
    pictures = [picture(0), picture(1, 300, 20), picture(2, 32, 32)]
    with torch.inference_mode():
        images = torch.stack([preprocess(each) for each in pictures])
        wanted = model.eval().encode_image(images, normalize=True).numpy()
    found = OpenClipEncoder(saved, batch=2).embed([encoded(each) for each in pictures])
    assert found.vectors.shape == (3, 16)
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-5)


def test_texts_as_open_clip_does_it(saved: Path) -> None:
    model, _ = open_clip.create_model_from_pretrained(f"local-dir:{saved}")
    texts = ["an artwork", "a photograph of a cat"]
    with torch.inference_mode():
        wanted = model.eval().encode_text(open_clip.get_tokenizer("ViT-B-32")(texts), normalize=True).numpy()
    encoder = OpenClipEncoder(saved)
    np.testing.assert_allclose(encoder.embed_texts(texts), wanted, atol=1e-5)
    assert encoder.embed_texts([]).shape == (0, 16)


def test_a_pickled_checkpoint_that_somebody_vouches_for(saved: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "open_clip_config.json").write_bytes((saved / "open_clip_config.json").read_bytes())
    path = pickled / "open_clip_pytorch_model.bin"
    torch.save(load_file(saved / "open_clip_model.safetensors"), path)
    with pytest.raises(ModelError, match="--allow-pickle"):
        OpenClipEncoder(pickled)
    allow_pickle(path)
    images = [encoded(picture(3))]
    wanted = OpenClipEncoder(saved).embed(images).vectors
    np.testing.assert_array_equal(OpenClipEncoder(pickled).embed(images).vectors, wanted)
    assert sorted(each.name for each in pickled.iterdir()) == ["open_clip_config.json", path.name]
    np.testing.assert_array_equal(OpenClipEncoder(pickled).embed(images).vectors, wanted)  # from the cache


def no_config(folder: Path) -> str:
    (folder / "open_clip_config.json").unlink()
    return "no open_clip_config.json there"


def no_weights(folder: Path) -> str:
    (folder / "open_clip_model.safetensors").unlink()
    return "no weights there"


def truncated(folder: Path) -> str:
    path = folder / "open_clip_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    return "cannot be loaded as an open_clip model"


def another_architecture(folder: Path) -> str:
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["width"] = 128
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return "cannot be loaded as an open_clip model"


def broken_config(folder: Path) -> str:
    (folder / "open_clip_config.json").write_text("{")
    return "cannot be loaded as an open_clip model"


SPOILT = [no_config, no_weights, truncated, another_architecture, broken_config]


@pytest.mark.parametrize("spoil", SPOILT)
def test_folders_that_hold_no_model(saved: Path, tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    message = spoil(tmp_path)
    with pytest.raises(ModelError) as caught:
        OpenClipEncoder(tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def trap(saved: Path, tmp_path: Path) -> Path:
    """A folder with a tokenizer and a text encoder of its own code, which its configuration asks to run."""
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    code = f"open({str(tmp_path / 'executed')!r}, 'w').close()\n"
    (tmp_path / "trap.py").write_text(code)
    auto = {"AutoTokenizer": ["trap.Trap", None], "AutoConfig": "trap.Trap", "AutoModel": "trap.Trap"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"auto_map": auto, "tokenizer_class": "Trap"}))
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": auto, "model_type": "trap"}))
    return tmp_path


def ask_for(folder: Path, **text: object) -> None:
    model = {**MODEL, "text_cfg": {**MODEL["text_cfg"], **text}}  # type: ignore[dict-item]
    config = {"model_cfg": model, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config))


def test_a_tokenizers_code_is_never_run(trap: Path) -> None:
    ask_for(trap, hf_tokenizer_name="any/name", tokenizer_kwargs={"trust_remote_code": True})
    with pytest.raises(ModelError, match="cannot be loaded"):
        OpenClipEncoder(trap)
    assert not (trap / "executed").exists()


def test_nobody_is_asked_whether_a_models_code_may_run(trap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "y")
    for text in ({"hf_model_name": str(trap)}, {"hf_tokenizer_name": "any/name"}):
        ask_for(trap, **text)
        with pytest.raises(ModelError, match="cannot be loaded"):
            OpenClipEncoder(trap)
        assert not (trap / "executed").exists()


def test_any_folder_by_its_kind(saved: Path) -> None:
    row = load_scorer(f"open_clip:{saved}")
    encoder: Any = row.load(Path("/nowhere"))
    assert isinstance(encoder, OpenClipEncoder)
    assert len(row.digest(Path("/nowhere"))) == 64
    assert str(saved) in row.title
