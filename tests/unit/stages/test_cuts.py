"""The cut that a run applies: calibrated for each concept, or a published one for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concepts.errors import SettingsError
from fit import config
from fit.config import Settings
from fit.imitation.calibration import calibrate
from fit.stages import verification
from fit.stages.cuts import cuts_of, gate_of, published_values
from tests.unit.imitation.vectors import Vectors, at_cosines
from tests.unit.stages.job import job_of

# In the plane, by their cosines to (1, 0).
REFERENCES: dict[str, Vectors] = {"own": at_cosines([1, 0.5]), "others": at_cosines([0.3, 0.46, 0.44])}


def settings(*assignments: str, concepts: str = "faces/celebrities") -> Settings:
    plain = Settings(domain=concepts.partition("/")[0], concepts=concepts, model="sd1.5", corpus="demo")
    return config.apply(plain, assignments)


def test_cuts_are_calibrated_unless_a_preset_is_named() -> None:
    wanted = calibrate(REFERENCES, 0.34)
    assert cuts_of(REFERENCES, settings("verification.false_match_rate=0.34"), "arcface") == wanted


@pytest.mark.parametrize(
    ("preset", "scorer", "concepts", "value"),
    [
        ("mimetic2", "arcface", "faces/celebrities", 0.4567),
        ("mimetic2-strict", "arcface", "faces/politicians", 0.5576),
        ("mimetic2", "csd", "art-styles/classical", 0.2783),
        ("mimetic2", "csd", "art-styles/modern", 0.2883),
    ],
)
def test_a_published_cut_is_every_concepts(preset: str, scorer: str, concepts: str, value: float) -> None:
    chosen = settings(f"verification.cut={preset}", concepts=concepts)
    cuts = cuts_of(REFERENCES, chosen, scorer)
    assert {name: cut.value for name, cut in cuts.items()} == {"own": value, "others": value}
    assert published_values(chosen, scorer) == {f"cut {preset} of {scorer}": str(value)}


def test_a_published_cut_is_told_what_it_does() -> None:
    # The references of "own" lie at 0 and 60 degrees, 0.5 to each other; the strangers at 73, 63 and 64
    # degrees, so that their nearest of the two is the second, at cosines of 0.97 and more: all three pass.
    cut = cuts_of(REFERENCES, settings("verification.cut=mimetic2"), "arcface")["own"]
    assert (cut.own_passed, cut.own_total) == (2, 2)
    assert (cut.strangers_passed, cut.strangers_total) == (3, 3)
    strict = cuts_of(REFERENCES, settings("verification.cut=mimetic2-strict"), "arcface")["own"]
    assert strict.own_passed == 0  # 0.5 is below 0.5576


def test_a_cut_that_nobody_published_is_one_line() -> None:
    chosen = settings("verification.cut=mimetic2")
    says = "mimetic2: has no cut for demo-faces on faces/celebrities; it has some for arcface on any list"
    with pytest.raises(SettingsError, match=says):
        cuts_of(REFERENCES, chosen, "demo-faces")
    with pytest.raises(SettingsError, match="has no cut for artwork"):  # its cut is on another statistic
        cuts_of(REFERENCES, settings("verification.cut=mimetic2", concepts="art-styles/modern"), "artwork")
    for name in ("cut", "gate_cut"):
        with pytest.raises(SettingsError, match=r"mimetic: unknown preset of cuts .did you mean mimetic2"):
            settings(f"verification.{name}=mimetic")


def test_the_gates_published_cut() -> None:
    chosen = settings(
        "verification.gate=artwork", "verification.gate_cut=mimetic2", concepts="art-styles/classical"
    )
    found = gate_of(np.array([0.1815, 0.18, 0.2, 0.3]), chosen)
    assert (found.cut, found.references_passed) == (0.1815, 0.75)
    assert published_values(chosen, "csd") == {"cut mimetic2 of artwork": "0.1815"}
    assert published_values(settings("verification.gate=artwork"), "csd") == {}


def test_the_stage_depends_on_the_weights_of_its_gate_and_on_published_cuts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    pack = tmp_path / ".insightface/models/antelopev2"
    for folder in (pack, tmp_path / "gate"):
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"1")
    gate = f"verification.gate=open_clip:{tmp_path / 'gate'}"
    job = job_of(tmp_path, "verification", "scorer.name=arcface", gate, "verification.cut=mimetic2")
    before = verification.outside(job)
    assert before["cut mimetic2 of arcface"] == "0.4567"
    assert len([name for name in before if name.startswith("scorer ")]) == 2
    (tmp_path / "gate" / "weights").write_bytes(b"2")
    after = verification.outside(job)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"scorer open_clip:{tmp_path / 'gate'}"}
    (pack / "weights").write_bytes(b"2")
    assert verification.outside(job)["scorer arcface"] != after["scorer arcface"]


def test_a_dry_run_tells_of_a_cut_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no cut for demo-style on art-styles/demo"):
        verification.work(job_of(tmp_path, "verification", "verification.cut=mimetic2"))
