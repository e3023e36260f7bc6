"""The page, the Markdown and the drawing: nothing foreign runs, nothing is loaded, two renders are equal."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from fit.report.facts import build_facts
from fit.report.inputs import CurvePoint, SkippedItem, StageRecord, Strip
from fit.report.palette import palette
from fit.report.pictures import data_address
from fit.report.rendering import curve_svg, escape_markdown, facts_json, fenced, render_html, render_markdown
from tests.unit.report.planted import PROVENANCE, SUBJECT, controls, curve, found, inputs, picture

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'); DROP TABLE x; -- {{ 7*7 }} {% raw %}",
    "\u202egnp.exe\u200b\ufeff",
    "]]></style><svg onload=alert(1)>",
    "| a | [link](http://evil.example) ![i](http://evil.example/x.png) `code` **bold** <b>",
    "x" * 10_000,
    "\x00\x1b[31m\ud800\ufffe",
    "&lt;b&gt; &amp;amp; a\nb",
)


def parsed(svg):
    """The drawing as XML; a drawing that is not well-formed raises."""
    return ET.fromstring(svg)  # noqa: S314 - the test's own drawing


class Page(HTMLParser):
    """Collects the elements of a page with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def hostile_inputs():
    """A report in which every word from outside is hostile."""
    points = tuple(
        CurvePoint(
            concept=name, group=name, frequency=float(3**i), score=0.1 * i, verdict="imitated", flags=(name,)
        )
        for i, name in enumerate(HOSTILE)
    )
    bad = HOSTILE[0] + HOSTILE[1] + HOSTILE[5]
    return replace(
        inputs("gradual"),
        subject=replace(
            SUBJECT, model_title=bad, corpus_title=bad, concept_set=bad, noun=bad, noun_plural=bad
        ),
        provenance=replace(PROVENANCE, model_source=bad, command=bad, device=bad, digests=((bad, bad),)),
        curve=points,
        controls=tuple(replace(c, title=bad, sentence=bad) for c in controls(points)),
        strips=tuple(
            Strip(name, (picture(1, 0.1, 1),), (picture(2, 0.1, 1),), 3.0, 0.4, "not", (name,))
            for name in HOSTILE
        ),
        skipped=tuple(SkippedItem(name, name, name, name) for name in HOSTILE),
        stages=(StageRecord(bad, bad, {bad: bad}),),
        settings_toml="\n".join(HOSTILE) + "\n````\n</code></pre><script>alert(1)</script>",
        notes=HOSTILE,
    )


@pytest.fixture(scope="module")
def hostile():
    return build_facts(hostile_inputs())


@pytest.fixture(scope="module")
def facts():
    return build_facts(inputs("gradual"))


@pytest.fixture(scope="module")
def page(facts):
    return render_html(facts)


def test_hostile_words_stay_text_in_the_page(hostile):
    html = render_html(hostile)
    html.encode("utf-8")
    read = Page(html)
    scripts = [attrs for tag, attrs in read.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert {tag for tag, _ in read.elements} & {
        "iframe",
        "object",
        "embed",
        "link",
        "form",
        "b",
    } == set()
    assert not [attrs for _, attrs in read.elements if "style" in attrs]
    assert not [name for _, attrs in read.elements for name in attrs if name.startswith("on")]
    assert all(attrs["src"].startswith("data:image/") for tag, attrs in read.elements if tag == "img")
    assert "<script>alert(1)</script>" in read.text
    assert '"><img src=x onerror=alert(1)>' in read.text
    assert "{{ 7*7 }}" in read.text
    assert "‹U+202E›gnp.exe‹U+200B›" in read.text
    assert "… (10,000 characters)" in read.text
    assert "\u202e" not in html


def test_hostile_words_stay_text_in_the_drawing(hostile):
    svg = curve_svg(hostile)
    root = parsed(svg)
    tags = {element.tag.split("}")[1] for element in root.iter()}
    assert tags <= {"svg", "g", "path", "line", "rect", "text", "tspan", "title", "style"}
    titles = [element.text for element in root.iter() if element.tag.endswith("title")]
    assert any(title.startswith("<script>alert(1)</script>: 1 image,") for title in titles)


def test_hostile_words_stay_text_in_markdown(hostile):
    text = render_markdown(hostile)
    text.encode("utf-8")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in tokens} | {child.type for child in inline}
    assert "html_block" not in kinds
    assert "html_inline" not in kinds
    assert [child.attrs["src"] for child in inline if child.type == "image"] == ["curve.svg"]
    assert "link_open" not in kinds
    names = [token.children[0].content for token in tokens if token.type == "inline" and token.children]
    assert "<script>alert(1)</script>" in names


def test_markdown_keeps_harmless_text_readable():
    assert escape_markdown("p < 0.001; R&D, 47 images") == "p < 0.001; R&D, 47 images"
    assert escape_markdown("a|b *c*") == r"a\|b \*c\*"
    assert fenced("a\n```\nb", "toml") == "````toml\na\n```\nb\n````"


def test_the_page_loads_nothing(page):
    read = Page(page)
    targets = [
        value
        for _, attrs in read.elements
        for name, value in attrs.items()
        if name in {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}
    ]
    assert targets
    assert all(target.startswith(("#", "data:image/png;base64,")) for target in targets)
    assert "@import" not in page
    assert "url(" not in page
    policy = next(attrs["content"] for tag, attrs in read.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_the_answer_comes_first(page, facts):
    text = re.sub(
        r"\s+", " ", Page(page.split("<main>")[1]).text.replace("\u00a0", " ").replace("\u2060", "")
    )
    assert text.strip().startswith(f"The answer {facts.answer.sentence}")


def test_the_page_has_landmarks_headings_and_captions(page):
    read = Page(page)
    tags = [tag for tag, _ in read.elements]
    assert [tags.count(tag) for tag in ("header", "nav", "main", "footer", "h1")] == [1, 1, 1, 1, 1]
    assert tags.count("caption") == tags.count("table")
    assert all("alt" in attrs for tag, attrs in read.elements if tag == "img")
    assert all(attrs.get("aria-label") for tag, attrs in read.elements if tag == "svg")
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"][1:] for tag, attrs in read.elements if tag == "a"}
    assert links <= set(ids)


def test_every_concept_and_total_is_printed(page, facts):
    rows = re.findall(r"<tr>\s*<th scope=\"row\"><bdi>", page)
    assert len(rows) == len(facts.points) == 131
    assert "fewer than 8 reference images" in page
    assert re.search(r"empty caption</td><td class=\"n\">412<", page)


def test_two_renders_are_equal(facts, page):
    again = build_facts(replace(inputs("gradual"), curve=tuple(reversed(curve()))))
    assert render_html(again) == page
    assert render_markdown(again) == render_markdown(facts)
    assert curve_svg(again) == curve_svg(facts)


def test_facts_as_json_hold_the_numbers_and_no_pictures(facts):
    whole = json.loads(json.dumps(facts_json(facts), allow_nan=False))
    assert whole["schema"] == "fit-report/1"
    assert whole["answer"]["sentence"] == facts.answer.sentence
    assert len(whole["points"]) == 131
    assert whole["strips"][0]["generated"] == 8
    assert whole["verdict"]["threshold"] == 47.2


def test_without_threshold_pictures_controls_and_zeros_everything_else_is_there():
    points = tuple(point for point in curve() if point.frequency)
    facts = build_facts(
        inputs(
            "none",
            curve=points,
            strips=(),
            controls=(),
            published=None,
            skipped=(),
            stages=(),
            settings_toml="",
        )
    )
    html, text = render_html(facts), render_markdown(facts)
    for said in (
        "No pictures were handed to this report.",
        "No negative control was run.",
        "Nothing was left out.",
    ):
        assert said in html
    assert "No negative control was run." in text
    assert "Published method" not in html
    assert html.count("<svg") == 2


def test_a_reason_for_missing_pictures_is_told():
    facts = build_facts(inputs("step", strips=(), no_pictures_because="Pictures of people are left out."))
    assert "Pictures of people are left out." in render_html(facts)


def test_an_empty_curve_is_a_report_too():
    few = found(
        "none", reason="too few concepts", detail="0 concepts, 10 are needed", n_concepts=0, baseline=None
    )
    facts = build_facts(inputs("none", curve=(), threshold=few, controls=(), strips=(), published=None))
    assert "There is nothing to draw" in render_html(facts)
    assert "There is nothing to draw" in render_markdown(facts)
    parsed(curve_svg(facts))


def test_missing_values_are_dashes_and_nan_is_missing():
    points = (*curve(20), CurvePoint("Unscored Ond", frequency=float("nan"), score=None, caption_count=3))
    facts = build_facts(inputs("gradual", curve=points, strips=(), controls=()))
    assert len(facts.drawn) == 20
    assert facts.points[-1].concept == "Unscored Ond"
    assert "| Unscored Ond | no verdict | — |  | — | 3 | — | — |" in render_markdown(facts)


def test_a_negative_frequency_is_refused():
    with pytest.raises(ValueError, match="frequency of 'Ond' is -1"):
        build_facts(inputs("step", curve=(CurvePoint("Ond", -1, 0.2),)))


def test_only_harmless_picture_formats_pass():
    assert data_address(picture(1, 0.2, 1)).startswith("data:image/png;base64,iVBOR")
    with pytest.raises(ValueError, match="begins no PNG"):
        data_address(b"<svg onload=alert(1)>")


def test_every_chart_colour_has_a_dark_partner():
    known = {colour.light for colour in palette()}
    assert len(known) == len(palette()), "two parts in one light colour could not be told apart"
    for chart in ("curve", "control"):
        text = files("fit.report").joinpath("charts", f"{chart}.vl.json").read_text(encoding="utf-8")
        assert set(re.findall(r"#[0-9a-fA-F]{6}", text)) <= known


def test_the_drawing_marks_every_concept_with_its_numbers(facts):
    root = parsed(curve_svg(facts))
    titles = [element.text for element in root.iter() if element.tag.endswith("title")]
    points = [title for title in titles if ", score " in title]
    assert len(points) == 131
    assert points[0] == "Iserador Ondlin: 894 images (871–918), score 0.74, imitated"
