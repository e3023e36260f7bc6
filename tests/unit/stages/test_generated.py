"""Images in a run: shards that other programs read, whole parts, the same bytes whoever samples them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from concepts.errors import ModelError, StageIncomplete
from corpus.executors.share import cores
from fit import config
from fit.generation import engine
from fit.generation.requests import Request, requests_for
from fit.generation.sampling import Sample
from fit.run import Job, Run
from fit.stages import generation
from fit.stages.generated import has_generated, packed, read_generated, write_generated
from fit.stages.sample_parts import CONTROL, MODEL, executor_for
from tests.unit.generation import tiny
from tests.unit.stages.job import job_of, leave_concepts

NAME = "0-model-000000"
IMAGES = (b"\x89PNG one", b"\x89PNG another, longer one", None)
SMALL = (
    "generation.steps=2",
    "generation.images_per_prompt=1",
    "generation.part_images=6",
    "generation.batch_size=3",
)


def samples(images: Sequence[bytes | None] = IMAGES) -> list[Sample]:
    requests = requests_for("Zoë Ångström", ("a painting by Zoë Ångström",), len(images), run_seed=1)
    return [
        Sample(request, image, "" if image else "blanked by the safety checker")
        for request, image in zip(requests, images, strict=True)
    ]


def test_a_part_is_a_shard_of_a_webdataset(tmp_path: Path) -> None:
    made = samples()
    tar, table = packed(NAME, MODEL, made)
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        members = opened.getmembers()
        content = {member.name: opened.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    assert [member.name for member in members] == [
        f"{NAME}-00000.png", f"{NAME}-00000.json", f"{NAME}-00001.png", f"{NAME}-00001.json"
    ]  # fmt: skip
    assert content[f"{NAME}-00001.png"] == IMAGES[1]
    assert json.loads(content[f"{NAME}-00001.json"]) == {
        "arm": MODEL,
        "concept": "Zoë Ångström",
        "prompt_index": 0,
        "prompt": "a painting by Zoë Ångström",
        "image_index": 1,
        "seed": made[1].request.seed,
    }
    assert {(member.mtime, member.uid, member.uname, member.mode) for member in members} == {
        (0, 0, "", 0o644)
    }
    for row, image in zip(table.to_pylist(), IMAGES, strict=True):
        if image is None:
            assert (row["offset"], row["bytes"], row["digest"]) == (None, None, None)
        else:
            assert tar[row["offset"] : row["offset"] + row["bytes"]] == image


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    job = job_of(tmp_path, "generation")
    write_generated(job, NAME, *packed(NAME, MODEL, samples()), batch_size=2)
    scores = job_of(tmp_path, "scores")
    assert read_generated(scores, NAME)["image"].to_pylist() == list(IMAGES)
    assert has_generated(job, NAME)
    metadata = pq.read_schema(job.parts_folder / f"{NAME}.parquet").metadata
    assert metadata[b"batch_size"] == b"2"


def test_a_part_that_has_lost_images_is_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = job_of(tmp_path, "generation")
    tar = job.parts_folder / f"{NAME}.tar"
    assert not has_generated(job, NAME)
    for damage in (tar.unlink, lambda: tar.write_bytes(tar.read_bytes()[:-1])):
        write_generated(job, NAME, *packed(NAME, MODEL, samples()), batch_size=2)
        damage()
        assert not has_generated(job, NAME)
        assert not has_generated(job, NAME)
        said = f"generation: part {NAME} has lost its images and is computed again\n"
        assert capsys.readouterr().err == said


def test_a_damaged_image_is_noticed_and_got_out_of_the_way(tmp_path: Path) -> None:
    job = job_of(tmp_path, "generation")
    write_generated(job, NAME, *packed(NAME, MODEL, samples()), batch_size=2)
    tar = job.parts_folder / f"{NAME}.tar"
    tar.write_bytes(tar.read_bytes().replace(b"another", b"smother"))
    with pytest.raises(StageIncomplete, match=r"\.tar: damaged; it was removed, run the same command again"):
        read_generated(job_of(tmp_path, "scores"), NAME)
    assert not has_generated(job, NAME)


# The whole stage, with a tiny model.


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("tiny") / "model", seed=1)


def stage(folder: Path, model: Path, *assignments: str) -> Job:
    """The job of the stage in a run of three concepts."""
    leave_concepts(folder)
    plain = config.Settings(
        domain="art-styles", concepts="art-styles/demo", model=str(model), corpus="demo", seed=3
    )
    return Job(Run(folder, config.apply(plain, [*SMALL, *assignments])), "generation", ("concepts",))


def content(job: Job) -> dict[str, bytes]:
    return {
        path.relative_to(job.folder).as_posix(): path.read_bytes()
        for path in sorted(job.folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def undisturbed(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = stage(tmp_path_factory.mktemp("undisturbed"), model)
    generation.run(job)
    return job


def test_every_request_has_its_image(undisturbed: Job) -> None:
    # 3 concepts x 5 prompts, and as many of the untrained model, 6 to a part.
    names = [f"{place}-{arm}-00000{n}" for place, arm in enumerate((MODEL, CONTROL)) for n in range(3)]
    assert undisturbed.part_names() == tuple(names)
    rows = undisturbed.read_parts().to_pylist()
    assert len({(row["arm"], row["concept"], row["prompt_index"]) for row in rows}) == 30
    assert len({row["digest"] for row in rows}) == 30
    assert {row["reason"] for row in rows} == {""}


def test_the_run_says_and_records_what_was_sampled(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = stage(tmp_path, model, "generation.preset=mimetic2", "generation.control=false")
    generation.run(job)
    assert capsys.readouterr().err.splitlines() == [
        "generation: preset mimetic2: the published settings",
        f"generation: preset mimetic2: the published study did not use {model}; its row's settings are taken "
        "(float16)",
        "generation: preset mimetic2: the safety checker is off, as in the published study",
        "generation: model, licence: not stated (given by path)",
    ]
    record = job.read_json("generation", "model")
    assert record["weights"]["commit"] is None
    assert len(record["weights"]["files"]["unet/diffusion_pytorch_model.safetensors"]) == 64
    assert record["recipe"]["sampling"]["steps"] == 2
    assert record["preset"] == "mimetic2"
    assert job.read_json("generation", "device") == {"batch_size": 3, "device": "cpu", "images": 15}


def test_an_interrupted_stage_goes_on_to_the_same_bytes(
    model: Path, undisturbed: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = stage(tmp_path, model)
    sample, left = engine.Engine.sample, iter(range(4))

    def interrupted(*args: Any, **more: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return sample(*args, **more)

    monkeypatch.setattr(engine.Engine, "sample", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generation.run(job)
    assert 0 < len(job.part_names()) < 6
    monkeypatch.setattr(engine.Engine, "sample", sample)
    generation.run(job)
    assert content(job) == content(undisturbed)


def test_the_batch_size_of_an_interrupted_stage_is_kept(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that runs out halves the batches; who goes on does not try the larger ones again."""
    tried: list[int] = []
    attempt = engine.Engine._attempt

    def short(self: Any, sampler: Any, requests: Sequence[Request]) -> Any:
        tried.append(self._size)
        return attempt(self, sampler, requests) if self._size <= 2 else None

    monkeypatch.setattr(engine.Engine, "_attempt", short)
    one, other = stage(tmp_path / "one", model), stage(tmp_path / "other", model)
    generation.run(one)
    assert tried == [3, 1, *[1] * 5]  # half of 3
    assert one.read_json("generation", "device")["batch_size"] == 1
    tried.clear()
    generation.run(other)
    for name in other.part_names()[2:]:
        (other.parts_folder / f"{name}.parquet").unlink()
    tried.clear()
    generation.run(other)
    assert tried == [1] * 4
    assert content(other) == content(one)


def test_workers_come_to_the_same_bytes(model: Path, tmp_path: Path) -> None:
    # Sums of floating-point numbers depend on how many threads share them: as many here as a worker has.
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, cores() // 2))
    try:
        alone = stage(tmp_path / "alone", model)
        generation.run(alone)
    finally:
        torch.set_num_threads(threads)
    job = stage(tmp_path / "workers", model, "execution.workers=2")
    generation.run(job)
    assert content(job) == content(alone)


def test_a_model_that_cannot_be_loaded_ends_the_stage(model: Path, tmp_path: Path) -> None:
    broken = tiny.save(tmp_path / "broken", seed=1)
    (broken / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    job = stage(tmp_path, broken)
    with pytest.raises(ModelError, match="Unable to load weights"):
        generation.run(job)


def test_a_part_that_fails_again_and_again_is_set_aside(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = engine.Engine.sample

    def fails(self: Any, requests: Sequence[Request], blank: bool = False) -> Any:
        if requests[0].concept == "Bo Krin" and not blank:
            raise ValueError("no such luck")
        return sample(self, requests, blank)

    monkeypatch.setattr(engine.Engine, "sample", fails)
    job = stage(tmp_path, model)
    with pytest.raises(
        StageIncomplete, match=r"1 of 6 parts could not be sampled \(0-model-000001: ValueError"
    ):
        generation.run(job)
    assert len(job.part_names()) == 5


def test_who_samples(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kind(*assignments: str) -> str:
        return repr(executor_for(stage(tmp_path, model, *assignments)))

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert kind().startswith("SerialExecutor")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert kind().startswith("SerialExecutor")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert "'CUDA_VISIBLE_DEVICES': '5'" in kind()
    assert "'CUDA_VISIBLE_DEVICES': '7'" in kind()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert "'CUDA_VISIBLE_DEVICES': '1'" in kind()
    assert kind("generation.device=cuda:1").startswith("SerialExecutor")
    assert "'CUDA_VISIBLE_DEVICES': '1'" not in kind("execution.workers=1")
