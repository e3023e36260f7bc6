from __future__ import annotations

import pytest

from concepts.errors import SettingsError
from corpus.where import all_of, check_columns, parse_condition

ALLOWED = [
    "punsafe < 0.1",
    "punsafe < 0.1 AND (WIDTH >= 256 OR NOT HEIGHT BETWEEN 1 AND 5)",
    "URL IS NOT NULL AND lower(TEXT) LIKE '%art%' AND TEXT NOT ILIKE 'x%'",
    "LANGUAGE IN ('en', 'de') AND length(TEXT) > 3",
    "CASE WHEN a THEN b ELSE c END",
    "CAST(w AS INTEGER) * 2 + -1 > 3 % 2",
    "regexp_matches(TEXT, '^a.*') OR TEXT ~ 'b'",
    '"we""ird col" = 1 -- a comment',
    "(" * 900 + "a" + ")" * 900,
    "coalesce(a, 1) = 1 AND a IS DISTINCT FROM 2",
]
REFUSED = [
    "punsafe <",
    "1=1); DROP TABLE shard; --",
    "1=1; SELECT 1",
    "a IN (SELECT 1)",
    "EXISTS (SELECT * FROM read_text('/etc/passwd'))",
    "(SELECT content FROM read_text('/etc/passwd')) = ''",
    "1=1) UNION SELECT 1 FROM shard WHERE (1=1",
    "1=1) LIMIT (1",
    "1=1) OR (1=1",
    "a = 1 LIMIT 1",
    "a = 1 UNION SELECT 1",
    "a = 1 GROUP BY a",
    "a = 1 ORDER BY a",
    "a = 1 HAVING a > 1",
    "a = 1 QUALIFY a > 1",
    "1=1) GROUP BY (a",
    "1=1) ORDER BY (a",
    "read_text('/etc/passwd') = ''",
    "getenv('HOME') = ''",
    "current_setting('threads') = 1",
    "getvariable('x') = 1",
    "sum(a) > 1",
    "row_number() OVER () = 1",
    "a = ?",
    "a = $x",
    "list_transform([1], lambda x: x) = [1]",
    "shard.a = 1",
    "main.lower(a) = ''",
    "repeat(a, 1000000000) = ''",
    "COLUMNS(*) = 1",
    "*",
    "a = 1" + " " * 3000,
    "-(" * 600 + "a" + ")" * 600,
    "\x00",
    "a = 1\x00 OR 1=1",
    "'",
    "SELECT",
]


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed(text: str) -> None:
    condition = parse_condition(text)
    assert condition is not None
    again = parse_condition(condition.text)
    assert again == condition


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^where: ") as caught:
        parse_condition(text)
    assert "\n" not in str(caught.value)


def test_empty_is_no_condition() -> None:
    assert parse_condition("") is None
    assert parse_condition("  \n") is None


def test_all_of_several() -> None:
    assert all_of() == all_of("", "  ") == ""
    assert parse_condition(all_of("a = 1 OR b = 2 -- comment", "", "c = 3")) == parse_condition(
        "(a = 1 OR b = 2) AND c = 3"
    )
    with pytest.raises(SettingsError):
        all_of("a = 1", "1=1) OR (1=1")


def test_columns() -> None:
    condition = parse_condition("""punsafe < 0.1 AND "we""ird" = TEXT OR punsafe IS NULL""")
    assert condition is not None
    assert condition.columns == ("TEXT", "punsafe", 'we"ird')
    check_columns(condition, ("PUNSAFE", "TEXT", 'we"ird', "more"), "a.parquet")
    with pytest.raises(SettingsError, match=r"a\.parquet: punsafe: unknown column .*known: TEXT, punsaf"):
        check_columns(condition, ("punsaf", "TEXT", 'we"ird'), "a.parquet")
