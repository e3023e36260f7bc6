"""The concept table and its data block: the same words in the page and for its script, whoever wrote them."""

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from fit.report.facts import build_facts, spread
from fit.report.guard import content_policy
from fit.report.inputs import CurvePoint
from fit.report.rendering import render_html
from fit.report.table import PAGE_ROWS, concept_table, data_block
from tests.unit.report.planted import inputs

POINT = CurvePoint("Ond", 47.2, 0.524, None, 1230, 1100, 0.85, frequency_low=41.0, frequency_high=67.4)


def table_of(*points, **changes):
    return concept_table(build_facts(inputs("gradual", curve=points, strips=(), controls=(), **changes)))


def block_of(*points):
    return data_block(table_of(*points), "artists")


def test_cells_are_as_printed():
    table = table_of(replace(POINT, score_se=0.05, verdict="not", flags=("short",), baseline=-0.05))
    cells = {column.key: cell for column, cell in zip(table.columns, table.rows[0].cells, strict=True)}
    told = {key: " ".join(filter(None, (cell.text, cell.small))) for key, cell in cells.items()}
    assert told == {
        "name": "Ond † short",
        "verdict": "not imitated",
        "images": "47 41–67",
        "score": "0.52 ± 0.05",
        "chance": "−0.05",
        "published": "—",
        "captions": "1,230",
        "addresses": "1,100",
        "hit_rate": "85 %",
        "distinct": "—",
    }


def test_groups_have_a_column_where_there_are_any():
    assert "group" not in [column.key for column in table_of(POINT).columns]
    assert "group" in [column.key for column in table_of(POINT, replace(POINT, group="north")).columns]


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", "a\u2028b\u2029c", "<!--", "]]>&lt;", "\ud800", '"\\']
)
def test_nothing_in_the_data_block_ends_it(name):
    block = block_of(replace(POINT, concept=name, group=name, flags=(name,)))
    assert not set("<>&\u2028\u2029") & set(block)
    assert block.isascii()
    assert json.loads(block)["columns"][0] == {"key": "name", "kind": "name"}


def test_the_data_block_gives_back_the_cells():
    block = json.loads(block_of(replace(POINT, concept='A <b> & "c"')))
    assert block["rows"][0][:3] == ['A <b> & "c"', "no verdict", ["47", "41–67"]]
    assert (block["noun"], block["page"], block["pictured"]) == ("artists", PAGE_ROWS, [])


def test_more_rows_than_a_page_stand_in_the_data_block_alone():
    points = tuple(
        replace(POINT, concept=f"Ond {index}", frequency=float(index)) for index in range(PAGE_ROWS + 3)
    )
    page = render_html(build_facts(inputs("gradual", curve=points, strips=(), controls=())))
    assert page.count('<th scope="row"><bdi>Ond ') == PAGE_ROWS
    assert "The 500 most frequent of 503 artists; all of them stand in <code>concepts.csv</code>" in page
    block = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert [row[0] for row in block["rows"][:2] + block["rows"][-1:]] == ["Ond 502", "Ond 501", "Ond 0"]


def test_marks_know_their_rows():
    unscored = CurvePoint("Most frequent of all", 2_000.0, None)
    facts = build_facts(inputs("gradual", curve=(unscored, *inputs("gradual").curve), controls=()))
    page = render_html(facts)
    first = page.index('data-n="')
    mark = page[first : page.index("</title>", first)]
    assert mark.startswith('data-n="1"')  # 0 is the concept without a score, which is not drawn
    assert facts.points[1].concept in mark
    assert page.count(" data-n=") == 2 * len(facts.drawn)


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_digests_are_those_of_what_the_page_holds(tag):
    page = render_html(build_facts(inputs("gradual", strips=(), controls=())))
    held = page.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
    digest = b64encode(sha256(held.encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}'" in page.split("<style>")[0]
    assert held.strip()


def test_points_are_spread_over_their_order_with_both_ends():
    points = tuple(CurvePoint(str(number)) for number in range(11))
    assert [point.concept for point in spread(points, 3)] == ["0", "5", "10"]
    assert spread(points, 11) is points


def test_the_policy_names_style_and_script_by_digest():
    # printf 'a' | openssl dgst -sha256 -binary | base64; the same of 'b'
    assert content_policy("a", "b") == (
        "default-src 'none'; img-src data:; "
        "style-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='; "
        "script-src 'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0='; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "script-src" not in content_policy("a")
