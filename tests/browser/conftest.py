"""Headless Chromium, as Debian packages it, driven by its own command line."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def chromium() -> Callable[..., str]:
    """Runs Chromium with further options and gives what it wrote: ``chromium("--dump-dom", address)``."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is missing: install the Debian package (apt-get install chromium)")

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
