"""Settings are typed, strict, and say what is wrong in one line."""

from __future__ import annotations

import pytest

from concepts.errors import SettingsError
from fit import config
from fit.config import Settings


@pytest.fixture
def settings() -> Settings:
    return Settings(domain="art-styles", concepts="art-styles/demo", model="demo", corpus="demo")


@pytest.mark.parametrize(
    ("assignment", "name", "value"),
    [
        ("threshold.level=0.9", "threshold.level", 0.9),
        ("threshold.level=.5", "threshold.level", 0.5),
        ("counts.sample = 12", "counts.sample", 12),
        ("generation.control=no", "generation.control", False),
        ("generation.control=True", "generation.control", True),
        ("counts.where=width >= 256 and a = 'b'", "counts.where", "width >= 256 and a = 'b'"),
        ("counts.where=", "counts.where", ""),
        ("scores.score=mimetic2", "scores.score", "mimetic2"),
        ("seed=7", "seed", 7),
    ],
)
def test_an_assignment_is_read_as_the_type_of_its_setting(
    settings: Settings, assignment: str, name: str, value: object
) -> None:
    changed = config.flat(config.apply(settings, [assignment]))
    assert changed[name] == value
    assert type(changed[name]) is type(value)
    assert {k: v for k, v in changed.items() if k != name} == {
        k: v for k, v in config.flat(settings).items() if k != name
    }


def test_the_last_assignment_wins(settings: Settings) -> None:
    assert config.apply(settings, ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("threshold.levle=0.9", "threshold.levle: unknown setting (did you mean threshold.level?)"),
        ("level=0.9", "level: unknown setting (did you mean threshold.level?)"),
        ("score.pool_size=3", "score.pool_size: unknown setting (did you mean scores.pool_size?)"),
        ("zzz.q=1", "zzz.q: unknown setting (sections and names: domain, concepts, model"),
        ("threshold.level", "threshold.level: not a setting; write --set section.key=value"),
        ("threshold.level=x", "threshold.level=x: must be a number"),
        ("threshold.level=nan", "threshold.level=nan: must be"),
        ("threshold.level=2", "threshold.level=2.0: must be less than or equal to 0.999"),
        ("counts.sample=1.5", "counts.sample=1.5: must be a whole number"),
        ("counts.sample=0", "counts.sample=0: must be greater than or equal to 1"),
        ("seed=-1", "seed=-1: must be greater than or equal to 0"),
        ("generation.control=maybe", "generation.control=maybe: must be true or false"),
        ("scores.score=best", "scores.score=best: must be 'matched' or 'mimetic2'"),
        ("model=", "model=: String should have at least 1 character"),
    ],
)
def test_a_wrong_assignment_is_one_line(settings: Settings, assignment: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        config.apply(settings, [assignment])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_toml_is_complete_and_comes_back(settings: Settings) -> None:
    changed = config.apply(settings, ["threshold.level=0.9", "counts.where=x = 'é'"])
    text = config.dump_toml(changed)
    assert config.load_toml(text, "config.toml") == changed
    for name in config.flat(settings):
        assert f"{name.rpartition('.')[2]} = " in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain = ", "c.toml: not TOML"),
        pytest.param(f"seed = {'9' * 5000}", "c.toml: not TOML", id="digits"),
        pytest.param(f"seed = {'[' * 100_000}", "c.toml: not TOML", id="nested"),
        ("domain = 'd'", "c.toml: concepts: missing setting"),
        ("[threshold]\nmin_sise = 1", "c.toml: threshold.min_sise: unknown setting"),
        ("dmain = 'd'", "c.toml: dmain: unknown setting (did you mean domain?)"),
        (
            "domain='d'\nconcepts='c'\nmodel='m'\ncorpus='x'\nthreshold = 1",
            "c.toml: threshold=1: must be a section",
        ),
        (
            "domain='d'\nconcepts='c'\nmodel='m'\ncorpus='x'\nseed = '1'",
            "c.toml: seed=1: must be a valid integer",
        ),
    ],
)
def test_a_wrong_file_is_one_line(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        config.load_toml(text, "c.toml")
    assert str(caught.value).startswith(message)


def test_a_whole_number_is_a_number_in_toml() -> None:
    text = "domain='d'\nconcepts='c'\nmodel='m'\ncorpus='x'\n[generation]\nguidance = 7"
    assert config.load_toml(text, "c.toml").generation.guidance == 7.0


def test_a_stage_depends_on_sections_and_single_settings(settings: Settings) -> None:
    assert config.subset(settings, ("counts", "scores.score", "seed")) == {
        "counts.where": "",
        "counts.unreadable_shards": 0,
        "counts.sample": 400,
        "scores.score": "matched",
        "seed": 0,
    }


def test_a_stage_cannot_depend_on_a_setting_that_does_not_exist(settings: Settings) -> None:
    with pytest.raises(KeyError, match="count"):
        config.subset(settings, ("count",))
