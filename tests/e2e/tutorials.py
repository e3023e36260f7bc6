"""Tutorials read as what they promise: commands, statements of Python, and what each of them prints."""

from __future__ import annotations

import code
import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

TUTORIALS = ROOT / "docs" / "tutorials"
PROMPTS = {"console": "$ ", "pycon": ">>> "}
_BLOCK = re.compile(r"^```(console|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
_DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")


@dataclass(frozen=True)
class Step:
    """A line that is typed and what is printed after it."""

    kind: str
    typed: str
    printed: str


def steps(text: str) -> Iterator[Step]:
    """Yield the steps of a tutorial in order."""
    for kind, body in _BLOCK.findall(text):
        for step in re.split(rf"^{re.escape(PROMPTS[kind])}", body, flags=re.MULTILINE)[1:]:
            typed, _, printed = step.partition("\n")
            yield Step(kind, typed, printed.rstrip())


def completed(text: str, printed: list[str]) -> str:
    """Return the tutorial with what its steps have printed."""
    answers = iter(printed)

    def block(found: re.Match[str]) -> str:
        kind = found[1]
        lines = [each for step in steps(found[0]) for each in (PROMPTS[kind] + step.typed, next(answers))]
        return f"```{kind}\n" + "".join(f"{line}\n" for line in lines if line) + "```"

    return _BLOCK.sub(block, text)


class Desk:
    """Where a reader sits: a folder like the clone, with a demo run where one is given, `fit` on the path."""

    def __init__(self, home: Path, run: Path | None = None) -> None:
        (home / "bin").mkdir(parents=True)
        (home / "clone" / "runs").mkdir(parents=True)
        self.clone = home / "clone"
        (self.clone / "data").symlink_to(ROOT / "data")
        if run is not None:
            subprocess.run(["cp", "-r", run, self.clone / "runs" / "art-styles-demo"], check=True)
        program = home / "bin" / "fit"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from fit.cli import main; main()' \"$@\"\n")
        program.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        self.python = code.InteractiveInterpreter({})

    def do(self, step: Step) -> str:
        """Do what is typed and return what is printed on stdout."""
        if step.kind == "pycon":
            with contextlib.chdir(self.clone), contextlib.redirect_stdout(io.StringIO()) as out:
                self.python.runsource(step.typed)
            return out.getvalue().rstrip()
        done = subprocess.run(
            ["bash", "-c", step.typed],
            cwd=self.clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.rstrip()


def same(printed: str, promised: str) -> bool:
    """Whether both say the same: words alike, numbers within 15 % or 0.05, digests of any value.

    Other processors round otherwise, and a score may then end with another digit.
    """
    words, other = (_NUMBER.sub("#", _DIGEST.sub("*", " ".join(t.split()))) for t in (printed, promised))
    if words != other:
        return False
    ours, theirs = (
        [float(n.replace(",", "")) for n in _NUMBER.findall(_DIGEST.sub("*", t))] for t in (printed, promised)
    )
    return all(abs(a - b) <= max(0.15 * abs(b), 0.05) for a, b in zip(ours, theirs, strict=True))
