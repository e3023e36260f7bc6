from __future__ import annotations

from pathlib import Path

import pytest

from concepts.errors import ModelError
from corpus.registry import load_corpus
from fit.generation.models import Model, load_model, models
from fit.generation.places import local_folder, weights_digest

HUB = Model("hub", "Hub", ("owner/name",), "hub", "MIT", revision="abc")


def diffusers_folder(path: Path, weights: bytes = b"weights") -> Path:
    (path / "unet").mkdir(parents=True)
    (path / "model_index.json").write_text("{}")
    (path / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(weights)
    return path


def test_rows_are_complete_and_name_a_known_corpus() -> None:
    rows = models()
    assert [row.name for row in rows] == sorted(row.name for row in rows)
    assert "demo" in {row.name for row in rows}
    for row in rows:
        assert row.title
        assert row.source
        assert row.licence
        assert row.batch_size >= 0
        assert row.dtype in {"float16", "bfloat16", "float32"}
        assert min(row.steps, row.width, row.height, row.guidance) >= 0
        assert not row.corpus or load_corpus(row.corpus).name == row.corpus


def test_a_row_goes_before_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_model("demo").weights[0].startswith("data:")


@pytest.mark.parametrize("name", ["stable-diffusion-v1-5/stable-diffusion-v1-5", "CompVis/sd_1.4", "a/b"])
def test_a_hub_id_needs_no_row(name: str, tmp_path: Path) -> None:
    model = load_model(name)
    assert (model.name, model.weights, model.revision) == (name, (name,), "")
    assert local_folder(model, tmp_path) is None


def test_a_folder_needs_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = diffusers_folder(tmp_path / "my model")
    monkeypatch.chdir(folder)
    for name in (str(folder), ".", "../my model"):
        model = load_model(name)
        assert model.name == name
        assert model.title == "my model"
        assert local_folder(model, Path("/nowhere")) == folder


@pytest.mark.parametrize(
    "name", ["demmo", "", "./owner", "../owner", "a/b/c", "/no/such/folder", "a b/c", "-/x"]
)
def test_an_unknown_name_is_told_the_known(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(name)
    message = str(caught.value)
    assert caught.value.exit_code == 14
    assert message.startswith(f"{name}: unknown model")
    assert "known: demo" in message
    assert message.endswith("or give a hub id (owner/name) or a diffusers folder")


def test_the_nearest_is_suggested() -> None:
    with pytest.raises(ModelError, match=r"did you mean demo\?"):
        load_model("demmo")


def test_rows_with_weights_below_the_data_folder(tmp_path: Path) -> None:
    folder = diffusers_folder(tmp_path / "demo" / "model")
    row = Model("demo", "Demo", ("data:demo/model",), "made", "MIT")
    assert local_folder(row, tmp_path) == folder


def test_a_folder_of_something_else_is_told_from_one_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model_index\.json there; a diffusers folder is needed"):
        local_folder(load_model(str(tmp_path)), tmp_path)
    folder = diffusers_folder(tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".msgpack"))  # another framework's
    with pytest.raises(ModelError, match=r"holds no weights \(\*/\*\.safetensors\)"):
        local_folder(load_model(str(folder)), tmp_path)


def test_a_missing_demo_model_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model_index\.json there") as caught:
        weights_digest(load_model("demo"), tmp_path)
    assert caught.value.exit_code == 14


def test_digest_of_a_folder_is_of_what_it_holds(tmp_path: Path) -> None:
    def digest(name: str, weights: bytes) -> str:
        return weights_digest(load_model(str(diffusers_folder(tmp_path / name, weights))), tmp_path)

    assert digest("one", b"1") == digest("same", b"1")
    assert digest("other", b"2") != digest("another", b"1")


def test_digest_of_a_hub_id_is_its_revision(tmp_path: Path) -> None:
    assert weights_digest(HUB, tmp_path) == "owner/name@abc"
    assert weights_digest(load_model("owner/name"), tmp_path) == "owner/name@newest"
