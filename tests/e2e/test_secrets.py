"""Credentials that are planted in the environment and in the hub's token file are told nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from werkzeug.wrappers import Request, Response

from corpus.sources.places import redact
from fit import cli
from fit.weights.hub import why_not
from tests.conftest import Finished, fit
from tests.e2e.contents import texts_of
from tests.e2e.micro import Micro
from tests.unit.corpus.sources.loopback import Watched, serve

Command = Callable[..., Finished]
SECRETS = {
    "HF_TOKEN": "hf_plantedInTheEnvironment0001",
    "AWS_SECRET_ACCESS_KEY": "planted/secret+access0002",
    "AWS_SESSION_TOKEN": "plantedSessionToken0003",
}
IN_THE_FILE = "plantedInTheTokenFile0004"


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "hub" / "token"
    path.parent.mkdir()
    path.write_text(IN_THE_FILE)
    monkeypatch.setenv("HF_TOKEN_PATH", str(path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(path))
    return path


@pytest.fixture
def planted(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return (*SECRETS.values(), IN_THE_FILE)


def told(texts: list[str], secrets: tuple[str, ...]) -> list[str]:
    return [secret for secret in secrets if any(secret in text for text in texts)]


def test_no_byte_of_a_run_and_nothing_that_is_printed_holds_a_secret(
    command: Command, micro: Micro, planted: tuple[str, ...], tmp_path: Path
) -> None:
    run = tmp_path / "out" / "run"
    done = [
        command(*micro.estimate(run)),
        command("status", str(run), "--json"),
        command("bundle", str(run), "--out", str(tmp_path / "out" / "evidence.zip")),
        command("check", str(tmp_path / "out" / "evidence.zip")),
        command("lookup", "nobody", "--run", str(run)),
        command("doctor", "--json"),
        command("estimate", "--domain", "art-styles/micro.csv", "--model", "hf_none", "--run", str(run)),
    ]
    assert [each.code for each in done[:4]] == [0, 0, 0, 0], done[0].err
    texts = [text for _, text in texts_of(tmp_path / "out")]
    assert any("python" in text and "packages" in text for text in texts)  # run.json was among them
    assert told(texts + [each.out + each.err for each in done], planted) == []


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """A hub that tells everybody what it was told: in its headers, its text and its JSON."""
    given = Request(environ).headers.get("Authorization", "nothing")
    answer = Response(json.dumps({"error": f"who is {given}?"}), 403, content_type="application/json")
    answer.headers["X-Error-Message"] = f"who is {given}?"
    return answer(environ, start_response)


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    with serve(echo) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.mark.parametrize("pattern", ["hf://datasets/me/captions/*.parquet", "hub:me/captions"])
def test_a_hub_that_says_what_it_was_told_is_not_repeated(
    talkative: Watched, token_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    (tmp_path / "c.csv").write_text("concept\nAda Lume\n")
    done = fit("count", "--captions", pattern, "--concepts", str(tmp_path / "c.csv"),
               "--out", str(tmp_path / "o.csv"))  # fmt: skip
    assert done.code == 12, done.err
    assert any(IN_THE_FILE in str(credentials) for *_, credentials in talkative.requests)
    assert IN_THE_FILE not in done.out + done.err
    assert done.err.count("\n") == 1, done.err


def test_the_token_of_the_file_is_taken_out_of_messages(token_file: Path) -> None:
    assert redact(f"refused {IN_THE_FILE}!") == "refused …!"
    assert IN_THE_FILE not in why_not("me/model", OSError(f"403 for {IN_THE_FILE}"))


def test_a_bugs_traceback_holds_no_secret(
    planted: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("HF_TOKEN")  # before which the file's token would not be in use

    def broken(*_: object, **__: object) -> None:
        raise KeyError(" ".join(planted[1:]))

    monkeypatch.setattr("fit.cli.app.command", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = cli.run(["threshold", "curve.csv"])
    (log,) = tmp_path.glob("fit-error-*.log")
    texts = [*capsys.readouterr(), log.read_text()]
    assert (code, "KeyError" in texts[2]) == (70, True)
    assert told(texts, planted[1:]) == []
