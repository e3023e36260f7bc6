"""Where weights are had: folders, the hub's cache without a network, a hub on loopback that refuses some."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file
from werkzeug.wrappers import Request, Response

from concepts.errors import ModelError
from fit.generation.models import Model, load_model
from fit.generation.pipelines import load_pipeline
from fit.generation.places import is_local, locate, used_files, weights_digest
from fit.weights.pickles import allow_pickle
from tests.conftest import ROOT
from tests.unit.corpus.sources.loopback import HubApp, _problem, serve
from tests.unit.generation import tiny

CPU = torch.device("cpu")
COMMIT = "1" * 40
GONE = "not on the hub (removed, renamed or private); if it is private, log in with `hf auth login`"
PAGE = "https://huggingface.co/me"
UNET = Path("unet/diffusion_pytorch_model.safetensors")


def cached(cache: Path, repo: str, folder: Path, commit: str = COMMIT) -> Path:
    """Lay a folder out as the hub's client keeps a repository: blobs, links to them, and the branch."""
    home = cache / f"models--{repo.replace('/', '--')}"
    snapshot = home / "snapshots" / commit
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        blob = home / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, blob)
        link = snapshot / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / "main").write_text(commit)
    return snapshot


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's cache, and a hub that is not asked."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_hubs_cache_is_enough(folder: Path, offline: Path, pipeline: Any) -> None:
    snapshot = cached(offline, "owner/name", folder)
    model = load_model("owner/name")
    located = locate(model, Path("/nowhere"))
    assert (located.main.folder, located.main.commit) == (snapshot, COMMIT)
    assert located.pinned == (f"owner/name@{COMMIT}",)
    loaded = load_pipeline(model, Path("/nowhere"), CPU)
    assert torch.equal(loaded.unet.conv_in.weight, pipeline.unet.conv_in.weight)
    assert used_files(snapshot) == used_files(folder)


def test_a_run_goes_on_with_the_commit_that_it_began_with(folder: Path, offline: Path) -> None:
    cached(offline, "owner/name", folder)
    begun = locate(load_model("owner/name"), Path("/nowhere"))
    cached(offline, "owner/name", folder, commit="2" * 40)  # the branch moves on
    assert locate(load_model("owner/name"), Path("/nowhere")).main.commit == "2" * 40
    again = locate(load_model("owner/name"), Path("/nowhere"), pinned=begun.pinned)
    assert again.main.commit == COMMIT


def test_the_second_place_stands_in_for_the_first(folder: Path, offline: Path) -> None:
    cached(offline, "mirror/name", folder)
    row = Model("x", "x", ("gone/name", "data:none", "mirror/name"), "a test", "none")
    located = locate(row, Path("/nowhere"))
    assert located.main.place == "mirror/name"
    first, second = located.main.passed_over
    assert first.startswith("gone/name: not in the hub's cache")
    assert second.startswith("/nowhere/none: no model_index.json there")


def test_no_place_at_all_is_one_line_with_all_reasons(offline: Path) -> None:
    row = Model("x", "x", ("gone/name", "data:none"), "a test", "none")
    with pytest.raises(ModelError) as caught:
        locate(row, Path("/nowhere"))
    message = str(caught.value)
    assert caught.value.exit_code == 14
    assert message.startswith("none of 2 places can be had: gone/name: not in the hub's cache")
    assert "; or /nowhere/none: no model_index.json there" in message
    assert "\n" not in message


def test_files_beside_the_components_are_not_read(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    before = used_files(copy)
    digest = weights_digest(load_model(str(copy)), tmp_path)
    for name in ("whole.safetensors", "whole.ckpt", "README.md", "unet/flax.msgpack", "unet/model.bin"):
        (copy / name).write_bytes(b"beside")
    assert used_files(copy) == before
    assert weights_digest(load_model(str(copy)), tmp_path) == digest
    (copy / "unet" / "config.json").write_text("{}")
    assert weights_digest(load_model(str(copy)), tmp_path) != digest


def test_what_has_to_be_asked_of_the_hub(folder: Path) -> None:
    assert is_local(load_model("demo"))
    assert is_local(load_model(str(folder)))
    assert not is_local(load_model("owner/name"))
    assert not is_local(load_model("kandinsky2.2"))


# Pickles.


def pickled(folder: Path, to: Path) -> tuple[Path, Path]:
    """A copy whose denoiser and text encoder are pickles; return these."""
    copy = Path(shutil.copytree(folder, to))
    made = []
    for name, new in (
        (UNET, "diffusion_pytorch_model.bin"),
        ("text_encoder/model.safetensors", "pytorch_model.bin"),
    ):
        path = copy / name
        made.append(path.with_name(new))
        torch.save(load_file(path), made[-1])
        path.unlink()
    return made[0], made[1]


def test_pickles_that_somebody_vouches_for_are_loaded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline: Any
) -> None:
    monkeypatch.setenv("FIT_CACHE", str(tmp_path / "cache"))
    for path in pickled(folder, tmp_path / "model"):
        with pytest.raises(ModelError, match=r"\.bin: a pickle, which can run code"):
            load_pipeline(load_model(str(tmp_path / "model")), tmp_path, CPU)
        allow_pickle(path)
    loaded = load_pipeline(load_model(str(tmp_path / "model")), tmp_path, CPU)
    for part in ("unet", "text_encoder"):
        own = getattr(pipeline, part).state_dict()
        assert all(torch.equal(each, own[name]) for name, each in getattr(loaded, part).state_dict().items())
    assert not list((tmp_path / "model").rglob("*.safetensors"))[1:]  # the folder itself stays as it was


def test_pickles_whose_digests_a_row_pins_are_loaded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIT_CACHE", str(tmp_path / "cache"))
    unet, text = pickled(folder, tmp_path / "model")
    pins = {
        f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (unet, text)
    }
    row = Model("x", "x", (str(tmp_path / "model"),), "a test", "none", pickles=pins)
    assert type(load_pipeline(row, tmp_path, CPU)).__name__ == "StableDiffusionPipeline"
    shutil.rmtree(tmp_path / "cache")
    torch.save({"conv_in.weight": torch.zeros(1)}, unet)
    with pytest.raises(ModelError, match=r"not the pinned .*; it is not the published file, fetch it again"):
        load_pipeline(row, tmp_path, CPU)


# A hub on loopback.


class ModelHub(HubApp):
    """The same hub with models, some of which it refuses."""

    gated = frozenset({"me/gated"})
    disabled = frozenset({"me/disabled"})

    def answer(self, asked: Request) -> Response:
        path = asked.path
        name = "/".join(path.removeprefix("/api/models").strip("/").split("/")[:2])
        if name in self.disabled:
            return _problem(403, "", "Access to this resource is disabled.")
        if name in self.gated and "/resolve/" in path:
            return _problem(
                401 if "Authorization" not in asked.headers else 403, "GatedRepo", "Access restricted"
            )
        asked.path = path.replace("/api/models/", "/api/datasets/")
        if "/resolve/" in path:
            asked.path = f"/datasets{path}"
        return super().answer(asked)


THERE = ModelHub({"me/there": {}}).commits["me/there"]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def repositories(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    home = tmp_path_factory.mktemp("repositories")
    pickled(folder, home / "pickles")
    whole = files_of(folder)
    index = json.loads(whole["model_index.json"])
    checked = {**index, "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}
    custom = {**index, "_class_name": ["mine", "Mine"]}
    half = {
        name.replace(".safetensors", ".fp16.safetensors"): content
        for name, content in files_of(_in_half(home)).items()
    }
    return {
        "me/there": whole,
        "me/gated": whole,
        "me/disabled": whole,
        "me/pickles": files_of(home / "pickles"),
        "me/half": {**whole, **half},
        "me/checked": {
            **whole,
            "model_index.json": json.dumps(checked).encode(),
            "safety_checker/config.json": b"{}",
            "safety_checker/model.safetensors": b"large",
        },
        "me/custom": {
            **whole,
            "model_index.json": json.dumps(custom).encode(),
            "mine.py": b"raise SystemExit(99)\n",  # would end the process if it were run
        },
        "me/lora": {"pytorch_lora_weights.safetensors": b"truncated"},
    }


def _in_half(home: Path) -> Path:
    made = tiny.pipeline(seed=5).to(torch.float16)
    made.save_pretrained(home / "half", safe_serialization=True)
    return home / "half"


@pytest.fixture(scope="module")
def answers(
    repositories: dict[str, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What came of each wish, all in one process; ``asked`` has the paths that the hub was asked for."""
    wishes: dict[str, dict[str, Any]] = {
        "there": {"weights": ["me/there"]},
        "again": {
            "weights": ["me/there"],
            "pinned": ["me/there@" + ModelHub({"me/there": {}}).commits["me/there"]],
        },
        "mirror": {"weights": ["me/gone", "me/there"]},
        "gone": {"weights": ["me/gone"]},
        "gated": {"weights": ["me/gated"]},
        "a row says gated": {"weights": ["me/gone"], "gated": True},
        "disabled": {"weights": ["me/disabled"]},
        "revision": {"weights": ["me/there@nope"]},
        "pickles": {"weights": ["me/pickles"]},
        "half": {"weights": ["me/half"], "variant": "fp16"},
        "no such variant": {"weights": ["me/there"], "variant": "fp16"},
        "unchecked": {"weights": ["me/checked"], "checker": False},
        "custom": {"weights": ["me/custom"]},
        "lora": {"weights": ["me/there"], "edits": ["me/lora"]},
        "no lora": {"weights": ["me/there"], "edits": ["me/gone"]},
    }
    home = tmp_path_factory.mktemp("hub")
    with serve(ModelHub(repositories)) as hub:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "tests.unit.generation.fetching"],
            input=json.dumps(list(wishes.values())), capture_output=True, text=True, check=False, cwd=ROOT,
            env=environment | {"FIT_CACHE": str(home / "fit")}, timeout=500,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = dict(zip(wishes, json.loads(done.stdout), strict=True))
    return {**found, "asked": [path for _, path, _, _ in hub.requests], "stderr": done.stderr}


def test_a_model_of_the_hub_is_fetched_and_known_by_its_commit(answers: dict[str, Any]) -> None:
    assert answers["there"]["pinned"] == [f"me/there@{THERE}"]
    assert answers["there"]["pipeline"] == "StableDiffusionPipeline"
    assert answers["again"] == answers["there"]
    assert UNET.as_posix() in answers["there"]["files"]


def test_a_place_that_is_gone_is_passed_over(answers: dict[str, Any]) -> None:
    assert answers["mirror"]["pinned"] == answers["there"]["pinned"]
    assert answers["mirror"]["passed_over"] == [f"me/gone: {GONE}"]


REFUSED = {
    "gone": f"14 me/gone: {GONE}",
    "gated": f"14 me/gated: gated; accept its conditions at {PAGE}/gated, then log in with `hf auth login`",
    "a row says gated": f"14 me/gone: gated; accept its conditions at {PAGE}/gone, then log in with",
    "disabled": "14 me/disabled: the hub has disabled it; name another model",
    "revision": f"14 me/there: the hub has no such revision; see {PAGE}/there/commits",
    "pickles": "14 me/pickles: its weights are pickles, which can run code when they are loaded; name",
    "no such variant": "14 me/there: no weights of the variant fp16; name another variant or place",
    "custom": "14 me/custom: ",
    "lora": "/pytorch_lora_weights.safetensors: no whole safetensors file",
    "no lora": "14 me/gone: not on the hub",
}


@pytest.mark.parametrize(("wish", "says"), REFUSED.items(), ids=REFUSED.keys())
def test_what_cannot_be_had_is_one_line(answers: dict[str, Any], wish: str, says: str) -> None:
    assert isinstance(answers[wish], str)
    assert says in answers[wish]
    assert answers[wish].startswith("14 ")
    assert "\n" not in answers[wish]


def test_a_variant_is_fetched_alone(answers: dict[str, Any]) -> None:
    weights = [name for name in answers["half"]["files"] if name.endswith(".safetensors")]
    assert weights
    assert all(name.endswith(".fp16.safetensors") for name in weights)


def test_a_safety_checker_that_is_not_wanted_is_not_fetched(answers: dict[str, Any]) -> None:
    assert answers["unchecked"]["pipeline"] == "StableDiffusionPipeline"
    assert not any("safety_checker/model" in path for path in answers["asked"])
