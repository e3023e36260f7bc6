"""The report as a browser shows it: light and dark, on a desk and on a phone; hostile names run nothing."""

import re

import numpy as np
import pytest
from PIL import Image

from fit.report.facts import build_facts
from fit.report.rendering import render_html
from tests.unit.report.planted import inputs
from tests.unit.report.test_report_pages import hostile_inputs

pytestmark = pytest.mark.browser

LIGHT_PAPER, DARK_PAPER = (0xFD, 0xFC, 0xFA), (0x16, 0x18, 0x1B)
IMITATED = {False: (0xB4, 0x45, 0x1F), True: (0xF0, 0x88, 0x5A)}

# Added to the page by the test alone; the page's own policy would refuse it and is taken out to measure.
MEASURE = """<script>addEventListener("load", () => {
  const wide = [...document.querySelectorAll("main *, header *, footer *")].filter(e =>
    e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll") && !e.closest("svg"));
  const shown = [...document.querySelectorAll("svg")].filter(e => e.getBoundingClientRect().width > 0);
  const broken = [...document.images].filter(e => !e.naturalWidth);
  document.title = `overflow=${wide.length} shown=${shown.length} broken=${broken.length} ` +
    `scroll=${document.documentElement.scrollWidth - innerWidth}`;
});</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    target = tmp_path_factory.mktemp("page") / "report.html"
    target.write_text(render_html(build_facts(inputs("gradual"))), encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("width", "height", "dark"),
    [(1280, 1700, False), (1280, 1700, True), (820, 1700, False), (390, 1900, True)],
)
def test_paper_and_marks_have_the_colours_of_the_readers_choice(page, picture_of, width, height, dark):
    with Image.open(picture_of(page, width, height, dark)) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape[:2] == (height, width)
    assert tuple(pixels[0, 0]) == (DARK_PAPER if dark else LIGHT_PAPER)
    # Some fifty imitated artists are filled discs of at least six pixels of pure colour each.
    assert (pixels == IMITATED[dark]).all(axis=2).sum() > 300


@pytest.mark.parametrize(("width", "charts"), [(1280, 4), (390, 4)])
def test_nothing_overflows_and_every_picture_opens(page, chromium, tmp_path, width, charts):
    # Of the two curves one is shown at each width, beside the estimate and its two controls.
    bare = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    measured = tmp_path / "measured.html"
    measured.write_text(bare.replace("</head>", MEASURE + "</head>"), encoding="utf-8")
    # Chromium's window is at least 500 pixels wide; a frame is as narrow as asked.
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe src="measured.html" style="width:{width}px;height:900px;border:0"></iframe>'
        "<script>addEventListener('load', () => setTimeout(() => "
        "document.title = frames[0].document.title, 200));</script>",
        encoding="utf-8",
    )
    dom = chromium(
        "--allow-file-access-from-files", "--virtual-time-budget=3000", "--dump-dom", frame.as_uri()
    )
    assert f"<title>overflow=0 shown={charts} broken=0 scroll=0</title>" in dom


def test_hostile_names_run_nothing(chromium, tmp_path):
    target = tmp_path / "hostile.html"
    html = render_html(build_facts(hostile_inputs()))
    # Without the page's own policy, so that escaping alone has to hold; anything that ran would call alert.
    html = re.sub(r"<meta http-equiv[^>]*>", "", html)
    trap = "<script>window.alert = () => document.documentElement.setAttribute('data-ran', '1');</script>"
    target.write_text(html.replace("<head>", "<head>" + trap), encoding="utf-8")
    dom = chromium("--virtual-time-budget=2000", "--dump-dom", target.as_uri())
    assert "window.alert" in dom
    assert 'data-ran="1"' not in dom
    assert len(re.findall(r"<script", dom)) == 3  # the trap, the data block and our own
