"""`report.json`: its fields are the documented ones, and its numbers are those of the page."""

import json
import re

import pytest

from fit.report.facts import build_facts
from fit.report.numbers import images
from fit.report.rendering import SCHEMA, facts_json, render_html
from tests.conftest import ROOT
from tests.unit.report.planted import inputs


@pytest.fixture(scope="module")
def whole():
    return facts_json(build_facts(inputs("gradual")))


def test_every_field_is_documented_and_no_other(whole):
    text = (ROOT / "docs" / "artefacts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", text.split("### `report.json`")[1].split("\n## ")[0], re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(whole)
    assert f"`schema` | `{SCHEMA}`" in text


def test_it_is_plain_json(whole):
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole


def test_its_numbers_are_those_of_the_page(whole):
    page = render_html(build_facts(inputs("gradual")))
    block = json.loads(page.split('id="data">')[1].split("</script>")[0])
    place = [column["key"] for column in block["columns"]].index("images")
    printed = [row[place] if isinstance(row[place], str) else row[place][0] for row in block["rows"]]
    assert printed == [images(point["frequency"]) for point in whole["points"]]
    assert [row[0] for row in block["rows"]] == [point["concept"] for point in whole["points"]]
    for figure in whole["figures"]:
        assert f'<span class="value">{figure["value"]}</span>' in page
