"""Where references and cuts come from: vectors, images, texts; numbers, files, calibration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from concepts.errors import FitError, ModelError, TooLittleData
from corpus.embeddings.references import References
from corpus.registry import data_folder
from fit.imitation.calibration import calibrate
from fit.imitation.scorers import load_scorer
from fit.stages.embedding_query import Sought, query_of
from tests.unit.corpus.embeddings.layouts import lists
from tests.unit.imitation.pictures import encoded, picture

ARCHITECTURE = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}


def write_references(path: Path, vectors: dict[str, np.ndarray]) -> Path:
    names = [name for name, each in vectors.items() for _ in each]
    column = lists(np.concatenate(list(vectors.values())).astype(np.float32))
    pq.write_table(pa.table({"concept": names, "embedding": column}), path)
    return path


@pytest.fixture
def concepts(tmp_path: Path) -> Path:
    path = tmp_path / "concepts.csv"
    path.write_text("concept\nClaude Monet\nEdgar Degas\n")
    return path


# Texts


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny architecture that open_clip knows by its name, and its weights in a file."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "fit-tiny.json").write_text(json.dumps(ARCHITECTURE))
    open_clip.add_model_config(folder / "fit-tiny.json")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        state = open_clip.CLIP(**ARCHITECTURE).state_dict()
    save_file({key: each.contiguous() for key, each in state.items()}, folder / "weights.safetensors")
    return folder / "weights.safetensors"


def embedded(weights: Path, texts: list[str]) -> np.ndarray:
    model = open_clip.create_model("fit-tiny", pretrained=str(weights)).eval()
    with torch.inference_mode():
        vectors: np.ndarray = model.encode_text(open_clip.get_tokenizer("fit-tiny")(texts)).numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_prompts_by_an_architecture_of_open_clip(weights: Path, concepts: Path) -> None:
    prompts = ("a painting by {concept}", "{concept}")
    asked = query_of(
        Sought(text_model="fit-tiny", weights=weights, prompts=prompts, concepts=concepts), "0.2", None
    )
    assert asked.references.concepts == ("Claude Monet", "Edgar Degas")
    assert asked.references.counts.tolist() == [2, 2]
    texts = ["a painting by Claude Monet", "Claude Monet", "a painting by Edgar Degas", "Edgar Degas"]
    assert asked.references.vectors == pytest.approx(embedded(weights, texts), abs=1e-6)
    assert asked.cuts.tolist() == [np.float32(0.2)] * 2
    assert (asked.errors, asked.left_out) == ({}, ())


def test_weights_and_architectures_that_are_not_there(weights: Path, concepts: Path, tmp_path: Path) -> None:
    (tmp_path / "half.safetensors").write_bytes(weights.read_bytes()[:1000])
    (tmp_path / "pickle.pt").write_bytes(b"anything")
    for model, path, message in (
        ("ViT-B-99", weights, r"open_clip has no such architecture; alike are: .*ViT-B-32"),
        ("fit-tiny", tmp_path / "none", "there is no such file"),
        ("fit-tiny", tmp_path / "half.safetensors", "cannot be loaded as fit-tiny"),
        ("fit-tiny", tmp_path / "pickle.pt", "a pickle, which can run code"),
        ("ViT-B-32", weights, "cannot be loaded as ViT-B-32"),
        ("demo-style", None, "embeds images alone"),
        ("open_clip:/nowhere", None, "open_clip_config.json"),
    ):
        with pytest.raises(ModelError, match=message) as caught:
            query_of(Sought(text_model=model, weights=path, concepts=concepts), "0.2", None)
        assert "\n" not in str(caught.value)


# Images


def test_images_by_a_scorer(tmp_path: Path, concepts: Path) -> None:
    pictures = [encoded(picture(seed)) for seed in range(3)]
    for name, images in (("Claude Monet", pictures[:2]), ("Edgar Degas", pictures[2:])):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number, image in enumerate(images):
            (tmp_path / "images" / name / f"{number}.png").write_bytes(image)
    (tmp_path / "images/Edgar Degas/9.png").write_bytes(b"no picture")
    asked = query_of(Sought(tmp_path / "images", scorer="demo-style", concepts=concepts), "0.5", None)
    encoder: Any = load_scorer("demo-style").load(data_folder())
    assert asked.references.counts.tolist() == [2, 1]
    assert asked.references.vectors == pytest.approx(encoder.embed(pictures).vectors, abs=1e-6)
    ((name, reason),) = [(each.name, each.reason) for each in asked.left_out]
    assert name == "Edgar Degas: 9.png"
    assert reason.startswith("not a readable image")


# Cuts


def directions(spread: float) -> dict[str, np.ndarray]:
    """Three concepts, each with four references around a direction of its own."""
    rng = np.random.default_rng(1)
    return {f"c{i}": np.eye(8)[i] + spread * rng.standard_normal((4, 8)) for i in range(3)}


def test_calibrated_cuts_are_those_of_the_verification(tmp_path: Path) -> None:
    vectors = directions(0.2) | {"alone": np.eye(8)[7:]}
    asked = query_of(Sought(write_references(tmp_path / "r.parquet", vectors)), "", 0.1)
    whole = {name: each / np.linalg.norm(each, axis=1, keepdims=True) for name, each in vectors.items()}
    cuts = calibrate({name: each.astype(np.float32) for name, each in whole.items()}, 0.1)
    assert asked.references.concepts == ("c0", "c1", "c2")
    assert asked.cuts.tolist() == pytest.approx([cuts[name].value for name in ("c0", "c1", "c2")], abs=1e-6)
    # Nine strangers each, of which a tenth is none: no stranger reaches the cut.
    assert [rate for _, rate in asked.errors.values()] == [0, 0, 0]
    assert [each.name for each in asked.left_out] == ["alone"]


def test_too_few_references_to_calibrate(tmp_path: Path) -> None:
    path = write_references(tmp_path / "r.parquet", {"a": np.eye(3), "b": np.eye(3)[:1]})
    asked = query_of(Sought(path), "", 0.1)
    assert asked.references.concepts == ("a",)
    path = write_references(tmp_path / "r.parquet", {"a": np.eye(3)[:1], "b": np.eye(3)[:1]})
    with pytest.raises(TooLittleData, match="two concepts with two references each"):
        query_of(Sought(path), "", 0.1)


def test_a_file_of_cuts_has_to_name_every_concept(tmp_path: Path) -> None:
    path = write_references(tmp_path / "r.parquet", directions(0.1))
    (tmp_path / "cuts.csv").write_text("concept,cut\nc0,0.1\nc2,0.3\n")
    with pytest.raises(FitError, match="no cut for 'c1'"):
        query_of(Sought(path), str(tmp_path / "cuts.csv"), None)


def test_concepts_that_are_searched_for_and_have_no_reference(tmp_path: Path, concepts: Path) -> None:
    path = write_references(tmp_path / "r.parquet", {"Edgar Degas": np.eye(3)})
    asked = query_of(Sought(path, concepts=concepts), "0.4", None)
    assert asked.catalogue is not None
    assert isinstance(asked.references, References)
    assert [(each.name, each.reason) for each in asked.left_out] == [
        ("Claude Monet", "no reference embedding")
    ]
