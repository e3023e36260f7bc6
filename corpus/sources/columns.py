"""Which of a shard's columns hold the captions and the images' addresses."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from concepts.errors import CorpusError

CAPTION_COLUMNS = ("TEXT", "caption", "text")
URL_COLUMNS = ("URL", "url")
ROW_COLUMN = "file_row_number"
"""What DuckDB calls the rows' numbers."""

_TEXT = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_null,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns that were asked for by name.

    Attributes:
        caption: The caption column; None: the first of TEXT, caption, text.
        url: The URL column; None: the first of URL, url, if any.
    """

    caption: str | None = None
    url: str | None = None


def pick_columns(schema: pa.Schema, wanted: Wanted, place: str) -> tuple[str, str | None]:
    """Return the names of the caption column and of the URL column, None when there is none.

    Args:
        schema: The shard's columns.
        wanted: What was asked for.
        place: Where the shard lies, for messages.

    Raises:
        CorpusError: A column is missing, holds no text, or cannot be told from another by its name.
    """
    listed = ", ".join(schema.names) or "none"
    caption = _pick(schema, wanted.caption, CAPTION_COLUMNS)
    if caption is None:
        looked = repr(wanted.caption) if wanted.caption else f"called {', '.join(CAPTION_COLUMNS)}"
        raise CorpusError(
            f"{place}: no caption column {looked}; the columns are: {listed}; name one with --caption-column"
        )
    url = _pick(schema, wanted.url, URL_COLUMNS)
    if url is None and wanted.url:
        raise CorpusError(f"{place}: no column {wanted.url!r}; the columns are: {listed}")
    for column in filter(None, (caption, url, ROW_COLUMN)):
        _check_name(schema, column, place)
    for column in filter(None, (caption, url)):
        _check_text(schema, column, place)
    return caption, url


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of a type holds text: strings or bytes of any kind, or nothing but nulls."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(is_kind(kind) for is_kind in _TEXT)


def _pick(schema: pa.Schema, given: str | None, usual: tuple[str, ...]) -> str | None:
    wanted = (given,) if given else usual
    return next((name for name in wanted if name in schema.names), None)


def _check_name(schema: pa.Schema, column: str, place: str) -> None:
    """Refuse names that DuckDB, for which case is nothing, takes for one: it would read another column."""
    alike = [name for name in schema.names if name.casefold() == column.casefold()]
    if len(alike) > (column != ROW_COLUMN):
        raise CorpusError(
            f"{place}: the columns {', '.join(alike)} and {column} differ in case at most; rename one"
            if column != ROW_COLUMN
            else f"{place}: a column may not be called {ROW_COLUMN}; rename it"
        )


def _check_text(schema: pa.Schema, column: str, place: str) -> None:
    kind = schema.field(column).type
    if not is_text(kind):
        raise CorpusError(f"{place}: the column {column!r} holds {kind}, not text; name another column")
