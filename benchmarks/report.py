"""The report of many concepts: how long it takes to write, how large it is, how soon a browser can use it.

    python -m benchmarks.report [--concepts 2000] [--pictures 150] [--out results/report.json]

Prints seconds for facts and page, the page's size, and, where Chromium is installed, milliseconds until
the page can be used (its script has run and a frame is drawn) and until a search and a sort are drawn.
Targets for 2,000 concepts: 15 s, 12 MB, 2 s. The pictures are noise, the hardest matter for a codec.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from concepts.errors import MissingExtra
from fit.report.facts import build_facts
from fit.report.inputs import CurvePoint, ReportInputs, Strip
from fit.report.rendering import facts_json, render_html
from fit.stages.pdf import find_browser
from fit.stages.report_pictures import EDGE, IN_A_PANEL, IN_A_STRIP, PANEL_EDGE, thumbnail
from tests.unit.report.planted import curve, inputs

SEEN = (
    """() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))"""
)
USED = """select => new Promise(done => {
  const start = performance.now();
  const input = document.getElementById("search");
  if (select) { input.value = select; input.dispatchEvent(new Event("input")); }
  else { document.querySelectorAll("table.concepts thead button")[4].click(); }
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start), 0));
})"""
VISITS = 5


def picture(rng: np.random.Generator) -> bytes:
    """A picture of 512 pixels as models make them: noise of eight pixels a grain, over a gradient."""
    grain = Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).resize(
        (512, 512), Image.Resampling.BICUBIC
    )
    data = io.BytesIO()
    grain.save(data, "PNG", compress_level=1)
    return data.getvalue()


def planted(concepts: int, pictured: int) -> ReportInputs:
    """A complete report of so many concepts, so many of them with pictures."""
    rng = np.random.default_rng(5)
    points = curve(concepts, zeros=concepts // 10)
    noise = [picture(rng) for _ in range(64)]
    small = {edge: [thumbnail(each, edge) for each in noise] for edge in (EDGE, PANEL_EDGE)}

    def strip(point: CurvePoint, most: int, edge: int) -> Strip:
        chosen = [small[edge][place] for place in rng.integers(0, len(noise), 2 * most)]
        return Strip(point.concept, tuple(chosen[:most]), tuple(chosen[most:]), point.frequency, point.score)

    opened = tuple(strip(point, IN_A_STRIP, EDGE) for point in points[: min(8, pictured)])
    closed = tuple(strip(point, IN_A_PANEL, PANEL_EDGE) for point in points[len(opened) : pictured])
    return inputs("gradual", curve=points, strips=opened, panels=closed)


def measured(concepts: int, pictured: int) -> dict[str, Any]:
    """Write the report and open it."""
    given = planted(concepts, pictured)
    start = time.perf_counter()
    facts = build_facts(given)
    page = render_html(facts).encode()
    built = time.perf_counter() - start
    facts_size = len(json.dumps(facts_json(facts)))
    found: dict[str, Any] = {
        "concepts": concepts,
        "pictured": pictured,
        "build_seconds": round(built, 2),
        "page_megabytes": round(len(page) / 1e6, 2),
        "json_megabytes": round(facts_size / 1e6, 2),
    }
    try:
        browser = find_browser()
    except MissingExtra as error:
        print(f"not opened: {error}", file=sys.stderr)
        return found
    return found | opened(page, browser)


def opened(page: bytes, browser: str) -> dict[str, Any]:
    """Open the page several times, each in a browser profile of its own; medians in milliseconds."""
    from playwright.sync_api import sync_playwright

    times: dict[str, list[float]] = {"usable_ms": [], "search_ms": [], "sort_ms": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "report.html"
        path.write_bytes(page)
        program = driver.chromium.launch(executable_path=browser, args=["--disable-gpu", "--no-first-run"])
        for _ in range(VISITS):
            context = program.new_context()
            tab = context.new_page()
            tab.goto(path.as_uri())
            times["usable_ms"].append(tab.evaluate(SEEN))
            times["sort_ms"].append(tab.evaluate(USED, ""))
            times["search_ms"].append(tab.evaluate(USED, "bali"))
            context.close()
        version = program.version
        program.close()
    return {"browser": version} | {name: round(statistics.median(every)) for name, every in times.items()}


def main() -> None:
    """Print the figures as JSON, and write them where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--concepts", type=int, default=2_000)
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    text = json.dumps(measured(asked.concepts, asked.pictures), indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
