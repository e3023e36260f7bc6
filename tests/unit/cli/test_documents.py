"""The documents name commands, targets, links and codes that exist."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

import concepts.errors
from concepts.errors import FitError
from fit import cli
from tests.conftest import ROOT, demo_command

DOCUMENTS = [
    *(
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "GLOSSARY.md",
        "SECURITY.md",
        "ETHICS.md",
        "tests/README.md",
    ),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]


def commands(document: str) -> list[list[str]]:
    """The commands in the shell blocks of a document, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    lines = (shlex.split(line, comments=True) for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def test_the_readme_has_the_two_commands() -> None:
    assert commands("README.md")[:2] == [["make", "demo"], ["make", "test"]]


def test_make_demo_is_the_main_job() -> None:
    assert demo_command() == ["estimate", "--domain", "art-styles", "--model", "demo"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {line[1] for line in commands(document) if line[0] == "make"}
    assert named <= targets


def test_ci_calls_make_test() -> None:
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("make test")


def test_the_makefile_lists_its_targets() -> None:
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"demo", "test", "world", "lock"} <= set(listed)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_of_the_repository_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    tops = "benchmarks|concepts|corpus|data|docs|fit|release|tests"
    for path in re.findall(rf"`((?:{tops})/[a-z0-9_./-]+)`", text):  # capitals are places to fill in
        assert (ROOT / path).exists(), path


def test_the_table_of_exit_codes_is_the_one_of_the_errors() -> None:
    listed = {
        int(code)
        for code in re.findall(r"^\| (\d+) \|", (ROOT / "docs/artefacts.md").read_text(), re.MULTILINE)
    }
    situations = [value for value in vars(concepts.errors).values() if isinstance(value, type)]
    codes = {error.exit_code for error in situations if issubclass(error, FitError)}
    assert listed == {0, cli.INTERNAL, cli.INTERRUPTED, *codes}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements.bootstrap.lock"])
def test_the_locks_name_no_host_and_hash_everything(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?://|file:|@ |index-url|find-links|trusted-host", text)
    pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+ (?:; .*)?\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 0


def test_every_dependency_is_locked() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    wanted = [name for name in (*project["dependencies"], *extras) if not name.startswith(project["name"])]
    locked = set(re.findall(r"^([a-z0-9][\w.-]*)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert {re.split(r"[>=\[]", name)[0] for name in wanted} <= locked


def test_the_changelog_begins_with_this_version() -> None:
    import fit

    found = re.search(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert found
    assert found[1] == fit.__version__
