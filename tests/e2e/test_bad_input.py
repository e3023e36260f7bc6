"""Every mistake of a user is one line that says what is wrong, with the contract's exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.conftest import ROOT, Finished
from tests.e2e.micro import LIST, Micro, times

Command = Callable[..., Finished]
USAGE, SETTINGS, CONCEPTS, CORPUS, MODEL, RUN_FOLDER, TOO_LITTLE = 2, 10, 11, 12, 14, 15, 21
INCOMPLETE = 20


def refusal(done: Finished, code: int) -> str:
    """The one line of a command that failed, without ``error:``; stages may have told that they begin."""
    assert done.code == code, done.err
    assert done.out == ""
    *before, last = done.err.splitlines()
    assert last.startswith("error: ")
    assert not any(line.startswith(("error", "Traceback")) for line in before)
    assert "Traceback" not in done.err
    return last.removeprefix("error: ")


def estimate(run: Path, *more: str, domain: str = LIST, model: str = "demo") -> list[str]:
    return ["estimate", "--domain", domain, "--model", model, "--run", str(run), *more]


# Names that nothing has.


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--domain", "art-stiles", "--model", "demo"],
            CONCEPTS,
            "art-stiles: unknown domain (did you mean art-styles?)",
        ),
        (
            ["--domain", "art-styles/demi", "--model", "demo"],
            CONCEPTS,
            "art-styles/demi: unknown concept list (did you mean art-styles/demo?)",
        ),
        (["--domain", "art-styles", "--model", "dmo"], MODEL, "dmo: unknown model (did you mean demo?)"),
        (
            ["--domain", "art-styles", "--model", "demo", "--set", "threshold.levle=0.9"],
            SETTINGS,
            "threshold.levle: unknown setting (did you mean threshold.level?)",
        ),
        (
            ["--domain", "art-styles", "--model", "demo", "--set", "threshold.level=2"],
            SETTINGS,
            "threshold.level=2.0: must be less than or equal to 0.999",
        ),
        (
            ["--domain", "art-styles", "--model", "demo", "--until", "scroes"],
            USAGE,
            "scroes: unknown stage (did you mean scores?)",
        ),
        (
            ["--domain", "art-styles", "--model", "demo", "--corpus", "demmo"],
            CORPUS,
            "demmo: unknown corpus (did you mean demo?)",
        ),
    ],
)
def test_unknown_names(
    command: Command, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = command("estimate", *arguments, "--run", str(tmp_path / "run"))
    assert refusal(done, code).startswith(message)


def test_a_setting_that_the_stages_cannot_follow(command: Command, tmp_path: Path) -> None:
    done = command(*estimate(tmp_path / "run", "--set", "scorer.name=demo-stile"))
    assert "demo-stile: unknown scorer (did you mean demo-style?)" in refusal(done, MODEL)


def test_a_condition_that_is_none(command: Command, tmp_path: Path) -> None:
    for where, message in (("punsafe <", "is no SQL condition"), ("a) OR (b", "cannot be parsed|no SQL")):
        done = command(*estimate(tmp_path / "run", "--set", f"counts.where={where}"))
        line = refusal(done, SETTINGS)
        assert any(each in line for each in message.split("|"))


def test_a_device_that_is_not_here(command: Command, micro_run: Path, tmp_path: Path) -> None:
    shutil.copytree(micro_run, tmp_path / "run")
    done = command(*estimate(tmp_path / "run", "--set", "generation.device=quantum"))
    assert refusal(done, MODEL).startswith("quantum: no such device here")


# Concept files.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('concept\nAda Lume\n""\nBo Krin\n', "line 3: the name is empty"),
        ("concept\nAda Lume\nBo Krin\nADA  LUME\n", "line 4"),
        ("name,alias\nAda Lume,\n", "no column 'concept'; the columns are: name, alias"),
        ("concept,colour\nAda Lume,red\n", "unknown or repeated column 'colour'"),
        ("concept\nAda Lume,Bo Krin\n", "line 2: 2 cells under 1 columns"),
        ("concept\n", "the list has no concepts"),
        ("", "no column 'concept'"),
    ],
)
def test_concept_files(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    (tmp_path / "art-styles").mkdir()
    (tmp_path / "art-styles" / "mine.csv").write_text(content, "utf-8")
    monkeypatch.chdir(tmp_path)
    line = refusal(command(*estimate(tmp_path / "run", domain="art-styles/mine.csv")), CONCEPTS)
    assert "mine.csv" in line
    assert message in line
    listed = ["--concepts", "art-styles/mine.csv", "--out", "out.csv"]
    assert message in refusal(command("count", "--captions", "x", *listed), CONCEPTS)
    assert not (tmp_path / "out.csv").exists()


def test_a_concept_file_that_is_not_text(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "art-styles").mkdir()
    (tmp_path / "art-styles" / "mine.csv").write_bytes("concept\nRené\n".encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    line = refusal(command(*estimate(tmp_path / "run", domain="art-styles/mine.csv")), CONCEPTS)
    assert "not UTF-8 (byte 11 is 0xe9)" in line  # "concept\nRen" are eleven bytes


# Caption shards.


def no_parquet(path: Path) -> str:
    path.write_text("URL,TEXT\n")
    return "not a Parquet file (9 bytes)"


def truncated(path: Path) -> str:
    pq.write_table(pa.table({"TEXT": ["a"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    return "truncated"


def no_caption_column(path: Path) -> str:
    pq.write_table(pa.table({"URL": ["u"], "title": ["t"]}), path)
    return "no caption column called TEXT, caption, text; the columns are: URL, title"


def numbers(path: Path) -> str:
    pq.write_table(pa.table({"TEXT": [1, 2]}), path)
    return "the column 'TEXT' holds int64, not text"


@pytest.mark.parametrize("spoil", [no_parquet, truncated, no_caption_column, numbers])
def test_caption_shards(command: Command, micro: Micro, tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    shards = tmp_path / "shards"
    shutil.copytree(micro.data / "demo" / "captions", shards)
    message = spoil(shards / "part-00001.parquet")
    line = refusal(command(*estimate(tmp_path / "run", "--corpus", str(shards))), INCOMPLETE)
    assert "part-00001.parquet" in line
    assert message in line
    files = ["--captions", str(shards), "--concepts", LIST, "--out", str(tmp_path / "out.parquet")]
    done = command("count", *files)
    assert done.code == INCOMPLETE  # the other shard is counted, and what is missing is said
    assert f"left out: part-00001.parquet: {shards / 'part-00001.parquet'}: {message}" in done.err
    assert pq.read_table(tmp_path / "out.parquet")["caption_count"].to_pylist() != []


def test_no_shards_at_all(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    line = refusal(command(*estimate(tmp_path / "run", "--corpus", str(tmp_path / "empty"))), CORPUS)
    assert "no Parquet file matches" in line


# Images and references.


def test_a_corpus_without_references(command: Command, micro: Micro, tmp_path: Path) -> None:
    corpus = str(micro.data / "demo" / "captions")
    line = refusal(command(*estimate(tmp_path / "run", "--corpus", corpus)), TOO_LITTLE)
    assert "brings no reference images" in line
    assert "references.source" in line
    # Named after all, the run goes on, up to the images that this corpus does not have.
    source = f"references.source={micro.data / 'demo' / 'references.parquet'}"
    again = [*estimate(tmp_path / "run", "--corpus", corpus), "--set", source]
    line = refusal(command(*again, "--set", "scorer.name=demo-style"), CORPUS)
    assert "its images are not on this machine" in line


def test_references_that_are_not_there(command: Command, tmp_path: Path) -> None:
    done = command(*estimate(tmp_path / "run", "--set", "references.source=/no/such/folder"))
    assert refusal(done, CORPUS).startswith("/no/such/folder: there are no reference images")


def test_references_of_nobody(command: Command, micro: Micro, tmp_path: Path) -> None:
    (tmp_path / "references" / "Somebody Else").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "references" / "Somebody Else" / "1.png")
    done = command(*estimate(tmp_path / "run", "--set", f"references.source={tmp_path / 'references'}"))
    assert "no reference image of any concept" in refusal(done, TOO_LITTLE)


def test_references_that_are_no_images(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "references"
    pq.write_table(pa.table({"concept": ["x"], "picture": [b"y"]}), tmp_path / "references.parquet")
    for source, message in (
        (tmp_path / "references.parquet", "no column 'key'; the columns are: concept, picture"),
        (folder, "no folder of any concept there"),
    ):
        folder.mkdir(exist_ok=True)
        done = command(*estimate(tmp_path / "run", "--set", f"references.source={source}"))
        assert message in refusal(done, CORPUS)


def test_images_without_an_index(
    command: Command, micro: Micro, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(micro.data, data)
    (data / "demo" / "images" / "00000.parquet").unlink()
    monkeypatch.setenv("FIT_DATA", str(data))
    line = refusal(command(*estimate(tmp_path / "run")), CORPUS)
    assert "the index of the images is missing" in line


# Models.


def no_weights(folder: Path) -> str:
    for path in folder.glob("*/*.safetensors"):
        path.unlink()
    return "holds no weights"


def no_denoiser(folder: Path) -> str:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    return "cannot be loaded"


def truncated_weights(folder: Path) -> str:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    return "cannot be loaded"


def no_index(folder: Path) -> str:
    (folder / "model_index.json").unlink()
    return "no model_index.json there"


def broken_index(folder: Path) -> str:
    (folder / "model_index.json").write_text("{")
    return "cannot be loaded"


@pytest.mark.parametrize("spoil", [no_weights, no_denoiser, truncated_weights, no_index, broken_index])
def test_model_folders(command: Command, micro: Micro, tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    model = tmp_path / "model"
    shutil.copytree(micro.data / "demo" / "model", model)
    message = spoil(model)
    # A folder has no row that says which corpus it was trained on.
    assert "name the corpus with --corpus" in refusal(
        command(*estimate(tmp_path / "run", model=str(model))), SETTINGS
    )
    done = command(*estimate(tmp_path / "run", "--corpus", "demo", model=str(model)))
    line = refusal(done, MODEL)
    assert message in line
    assert str(model) in line


def test_a_scorer_without_weights(
    command: Command, micro: Micro, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(micro.data, data)
    (data / "demo" / "style-encoder" / "model.safetensors").unlink()
    monkeypatch.setenv("FIT_DATA", str(data))
    line = refusal(command(*estimate(tmp_path / "run")), MODEL)
    assert "cannot be loaded as a style encoder" in line


# Run folders.


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--seed", "1"], "a run of seed 0, not 1; choose another --run"),
        (["--model", "MODEL"], "a run of model demo, not "),
        (["--domain", "art-styles/demo"], "a run of concepts art-styles/micro.csv, not art-styles/demo"),
        (["--corpus", "elsewhere/*.parquet"], "a run of corpus demo, not elsewhere/*.parquet"),
    ],
)
def test_a_run_of_other_settings(
    command: Command, micro: Micro, micro_run: Path, more: list[str], message: str
) -> None:
    before = times(micro_run)
    given = [str(micro.data / "demo" / "model") if each == "MODEL" else each for each in more]
    corpus = [] if "--corpus" in given else ["--corpus", "demo"]
    line = refusal(command(*estimate(micro_run, *corpus, *given)), RUN_FOLDER)
    assert message in line
    assert times(micro_run) == before


@pytest.mark.parametrize(("version", "advice"), [(99, "update fit"), (0, "start again in another --run")])
def test_a_run_of_another_version(
    command: Command, micro_run: Path, tmp_path: Path, version: int, advice: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(micro_run, run)
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "format": version}))
    for arguments in (estimate(run), ["status", str(run)], ["report", str(run)]):
        line = refusal(command(*arguments), RUN_FOLDER)
        assert f"run folder of format {version}" in line
        assert advice in line


def test_a_folder_that_is_no_run(command: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("important")
    line = refusal(command(*estimate(tmp_path)), RUN_FOLDER)
    assert "no run folder; choose another --run" in line
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_settings_of_a_run_that_were_damaged(command: Command, micro_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(micro_run, run)
    text = (run / "config.toml").read_text()
    (run / "config.toml").write_text(text.replace("[threshold]", "[treshold]"))
    assert "treshold" in refusal(command(*estimate(run)), SETTINGS)


def test_the_shell_sees_the_same(tmp_path: Path) -> None:
    code = "from fit.cli import main; main()"
    arguments = estimate(tmp_path / "run", "--corpus", "demmo", domain="art-styles")
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    finished = Finished(done.returncode, done.stdout, done.stderr)
    assert refusal(finished, CORPUS).startswith("demmo: unknown corpus")
