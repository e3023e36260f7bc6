"""The condition of ``--where``: one boolean SQL expression over a shard's columns, checked before it runs.

The text is parsed by DuckDB; its syntax tree may hold comparisons, arithmetic, ``AND``/``OR``/``NOT``,
``IN``, ``BETWEEN``, ``LIKE``, ``CASE``, casts, constants, columns and the functions of `FUNCTIONS`. What runs
is the text that DuckDB makes of the checked tree, so that nothing unchecked can reach the engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from concepts.errors import SettingsError, unknown
from corpus.session import open_session, sql

MAXIMUM_LENGTH = 2000
"""Longest condition, in characters."""

EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "OPERATOR",
        "TYPE",
    }
)
OPERATORS = ("+", "-", "*", "/", "//", "%", "||", "~~", "!~~", "~~*", "!~~*")
FUNCTIONS = frozenset(
    {
        *OPERATORS,
        *("abs", "ceil", "floor", "greatest", "isfinite", "isnan", "least", "round"),
        *("contains", "ends_with", "length", "lower", "prefix", "starts_with", "suffix", "trim", "upper"),
        *("like_escape", "not_like_escape", "regexp_full_match", "regexp_matches"),
    }
)
_BEFORE = "SELECT 1 FROM shard WHERE "
_EMPTY_PARTS = ("group_expressions", "group_sets", "having", "sample", "qualify", "modifiers")


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition.

    Attributes:
        text: The condition as DuckDB writes it.
        columns: The columns that it reads, sorted.
    """

    text: str
    columns: tuple[str, ...]


def parse_condition(text: str) -> Condition | None:
    """Return the checked form of a condition, None for an empty one (all rows).

    Args:
        text: For example ``punsafe < 0.1 AND WIDTH >= 256``.

    Raises:
        SettingsError: It is no single condition, too long, or uses what is not allowed.
    """
    if not text.strip():
        return None
    if "\0" in text:
        raise SettingsError(f"where: {text!r} holds a null character; take it out")
    if len(text) > MAXIMUM_LENGTH:
        raise SettingsError(f"where: {len(text)} characters; at most {MAXIMUM_LENGTH} are taken")
    with open_session() as session:
        tree = _parse(session, text)
        expression = _only_condition(tree, text)
        columns = tuple(sorted({_check(node, text) for node in _expressions(expression)} - {""}))
        statement = _ask(session, "unparse", tree=json.dumps(tree))
    return Condition(text=statement.removeprefix(_BEFORE), columns=columns)


def all_of(*texts: str) -> str:
    """Return one condition that holds where each of several does; empty ones are left out.

    Each is parsed for itself, so that none can reach out of its brackets.

    Raises:
        SettingsError: One of them is no condition.
    """
    conditions = filter(None, map(parse_condition, texts))
    return " AND ".join(f"({condition.text})" for condition in conditions)


def check_columns(condition: Condition, columns: tuple[str, ...], file: str) -> None:
    """Check that a shard has the columns of a condition (as in SQL, whatever their case).

    Raises:
        SettingsError: One is missing; the message lists those that there are.
    """
    known = {column.casefold() for column in columns}
    for column in condition.columns:
        if column.casefold() not in known:
            raise SettingsError(f"where: {file}: {unknown('column', column, columns)}")


def _parse(session: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    # Without brackets around the text, so that "a) OR (b" is the syntax error that it looks like.
    try:
        tree: dict[str, Any] = json.loads(_ask(session, "parse", statement=f"{_BEFORE}{text}"))
    except (duckdb.Error, RecursionError) as error:
        raise SettingsError(f"where: {text!r} cannot be parsed ({str(error).splitlines()[0]})") from error
    if tree.get("error"):
        raise SettingsError(f"where: {text!r} is no SQL condition ({tree.get('error_message', 'no reason')})")
    return tree


def _ask(session: duckdb.DuckDBPyConnection, name: str, **parameters: str) -> str:
    row = session.execute(sql(name), parameters).fetchall()[0]
    return str(row[0])


def _only_condition(tree: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the condition's node; refuse any tree that is more than ``SELECT 1 FROM shard WHERE ...``."""
    statements = tree["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    alone = (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "BASE_TABLE"
        and not any(node.get(part) for part in _EMPTY_PARTS)
        and not node["cte_map"]["map"]
        and isinstance(node["where_clause"], dict)
    )
    if not alone:
        raise SettingsError(f"where: {text!r} is more than one condition; give one boolean expression")
    condition: dict[str, Any] = node["where_clause"]
    return condition


def _expressions(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every expression or query of a syntax tree (without recursion: it may be deep)."""
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(node.values())
            if "class" in node or "select_list" in node:
                yield node
        elif isinstance(node, list):
            waiting.extend(node)


def _check(node: dict[str, Any], text: str) -> str:
    """Return the column that an expression names ("" when it is no column); refuse what is not allowed."""
    kind = str(node.get("class", "SELECT"))
    if kind not in EXPRESSIONS:
        raise SettingsError(f"where: {text!r} uses {kind.lower().replace('_', ' ')}, which is not allowed")
    if kind == "FUNCTION" and (node["function_name"] not in FUNCTIONS or node["schema"] or node["catalog"]):
        raise SettingsError(f"where: {unknown('function', node['function_name'], FUNCTIONS)}")
    if kind != "COLUMN_REF":
        return ""
    names: list[str] = node["column_names"]
    if len(names) != 1:
        raise SettingsError(f"where: {'.'.join(names)}: name columns without a table")
    return names[0]
