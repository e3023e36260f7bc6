"""Headless Chromium, as Debian packages it, driven by its own command line and by Playwright."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fit.stages.pdf import BROWSERS

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def chromium_program() -> str:
    """The browser's path. Where there is none the tests are left out, but never in CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing = "chromium is missing: install the Debian package (make chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def chromium() -> Callable[..., str]:
    """Runs Chromium with further options and gives what it wrote: ``chromium("--dump-dom", address)``."""
    program = chromium_program()

    def run(*options: str) -> str:
        with tempfile.TemporaryDirectory() as profile:
            command = [program, *QUIET, f"--user-data-dir={profile}", *options]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def picture_of(chromium: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Screenshots: ``picture_of(page, width, height, dark=True)``."""

    def shoot(page: Path, width: int, height: int, dark: bool = False) -> Path:
        target = tmp_path_factory.mktemp("shot") / "shot.png"
        chromium(
            f"--window-size={width},{height}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            f"--screenshot={target}",
            page.as_uri(),
        )
        return target

    return shoot


@dataclass
class Watched:
    """An open page, and what it did that it should not: complaints, requests, dialogs."""

    page: Any
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser under Playwright, whose event loop would be in the way of other modules' own."""
    from playwright.sync_api import sync_playwright

    program = chromium_program()
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=list(QUIET[1:]))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Watched]]:
    """Opens a page and watches it: ``visit(path, width=390, height=800, color_scheme="dark")``."""
    contexts = []

    def open_page(path: Path, width: int = 1280, height: int = 900, **options: Any) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        page, note = watched.page, watched.problems.append
        own = path.as_uri()
        page.on("console", lambda said: note(f"console: {said.text}") if said.type != "log" else None)
        page.on("pageerror", lambda error: note(f"error: {error}"))
        page.on("dialog", lambda dialog: (note(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda asked: _foreign(asked.url, own) and note(f"request: {asked.url}"))
        page.goto(own)
        return watched

    yield open_page
    for context in contexts:
        context.close()


def _foreign(address: str, own: str) -> bool:
    return not address.startswith((own, "data:"))
