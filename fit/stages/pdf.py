"""A page as PDF, printed by Chromium without a window: the print view with its links and headings."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from concepts.errors import MissingExtra, StageIncomplete

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 300

# Without the last three it asks its maker for updates and lists, which this tool promises not to do.
_QUIET = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> str:
    """Return the path of the browser that prints.

    Raises:
        MissingExtra: There is none.
    """
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    raise MissingExtra(
        "--pdf: no Chromium on this machine; install the package chromium (apt-get install chromium)"
    )


def print_pdf(browser: str, page: Path, target: Path) -> None:
    """Print a page to a PDF file; an older one is replaced once the new one is whole.

    Args:
        browser: Path of the browser, as `find_browser` found it.
        page: The HTML file.
        target: The PDF file.

    Raises:
        StageIncomplete: The browser printed nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "page.pdf"
        command = [browser, *_QUIET, f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}"]
        command += ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium's sandbox refuses root; the page can load nothing
        told = _run([*command, page.resolve().as_uri()])
        if not made.is_file() or not made.read_bytes()[:5] == b"%PDF-":
            raise StageIncomplete(f"{target}: {browser} printed no PDF of {page} ({told})")
        whole = target.with_name(f".unfinished-{target.name}")
        shutil.copyfile(made, whole)
        whole.replace(target)


def _run(command: list[str]) -> str:
    """Run the browser and return the last line that it said."""
    try:
        done = subprocess.run(  # noqa: S603 - a browser by its known name, and our own page
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"nothing within {SECONDS} seconds"
    except OSError as error:
        return str(error)
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
