"""The verdict on a file of one's own: CSV or Parquet with concept, frequency and score."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import fit
from concepts.errors import MalformedFile
from corpus.sources.faults import told
from fit import config
from fit.config import Settings
from fit.report.csv_tables import text_of
from fit.report.verdict import read_verdict
from fit.report.wording import finding
from fit.sections import Threshold
from fit.threshold import comparison, estimate, require_enough, to_json
from fit.threshold.comparison import compare_groups
from fit.threshold.curve import NEEDED, OPTIONAL, ImitationCurve

TEXT_COLUMNS = ("concept", "group")
FREQUENCY_COLUMNS = ("concept", "frequency", "frequency_low", "frequency_high", "group")


@dataclass(frozen=True)
class Judged:
    """A curve and what was found.

    Attributes:
        curve: The curve.
        document: The contract's object.
        sentence: The finding in half a line.
    """

    curve: ImitationCurve
    document: Mapping[str, Any]
    sentence: str

    def require_enough(self) -> None:
        """Refuse a curve that no estimate can be made for.

        Raises:
            TooLittleData: Fewer than ten concepts or one distinct frequency.
        """
        require_enough(self.curve)


def judge(path: Path, assignments: Sequence[str] = ()) -> Judged:
    """Estimate the threshold of a curve in a file.

    Args:
        path: As in `read_curve`.
        assignments: Settings, of which those under ``threshold`` and ``seed`` matter here.

    Raises:
        MalformedFile: As `read_curve`.
        SettingsError: An assignment is wrong.
    """
    curve = read_curve(path)
    plain = Settings(
        domain="-", concepts="-", model="-", corpus="-"
    )  # a curve does not tell where it is from
    settings = config.apply(plain, assignments)
    chosen = settings.threshold
    document = judged(curve, chosen, settings.seed)
    return Judged(curve, document, finding(read_verdict(document)))


def judged(curve: ImitationCurve, chosen: Threshold, seed: int) -> dict[str, Any]:
    """Return the contract's object for a curve, with its groups compared where it has any.

    Args:
        curve: The curve.
        chosen: How it is to be judged.
        seed: Of every random draw.
    """
    verdict = estimate(
        curve,
        method=chosen.method,
        level=chosen.level,
        replicates=chosen.replicates,
        seed=seed,
        robust=chosen.robust,
    )
    groups = None
    if chosen.method != "mimetic2":
        compared = compare_groups(curve, level=chosen.level, replicates=chosen.replicates // 2, seed=seed)
        groups = None if compared is None else comparison.to_json(compared)
    return to_json(verdict, fit.__version__, groups)


def read_curve(path: Path) -> ImitationCurve:
    """Read an imitation curve.

    Args:
        path: CSV, or Parquet by its first bytes whatever it is called. Columns ``concept``, ``frequency``
            (images, >= 0), ``score`` ([-1, 1]) and any of the curve's optional ones; others are ignored.

    Raises:
        MalformedFile: It cannot be read, is neither, or its columns or values are wrong.
    """
    return _checked(path, _columns(path))


def read_frequencies(path: Path) -> ImitationCurve:
    """Read a curve whose scores are still to come: as `read_curve`, but scores are neither read nor needed.

    Raises:
        MalformedFile: As `read_curve`.
    """
    columns = {name: values for name, values in _columns(path).items() if name in FREQUENCY_COLUMNS}
    return _checked(path, {**columns, "score": [0.0] * len(columns.get("concept", ()))})


def _columns(path: Path) -> dict[str, Sequence[Any]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MalformedFile(
            f"{path}: cannot be read ({error.strerror}); give a CSV or Parquet file"
        ) from error
    return _parquet(path, content) if content[:4] == b"PAR1" else _csv(path, content)


def _checked(path: Path, columns: Mapping[str, Any]) -> ImitationCurve:
    try:
        return ImitationCurve.from_columns(columns)
    except MalformedFile as error:
        raise MalformedFile(f"{path}: {str(error).removeprefix('curve: ')}") from error


def _parquet(path: Path, content: bytes) -> dict[str, Sequence[Any]]:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        wanted = [name for name in file.schema_arrow.names if name in (*NEEDED, *OPTIONAL)]
        _check_once(path, wanted)
        table = file.read(columns=wanted)
        return {name: table[name].to_pylist() for name in wanted}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise MalformedFile(f"{path}: not a whole Parquet file ({told(error)})") from error


def _csv(path: Path, content: bytes) -> dict[str, Sequence[Any]]:
    try:
        text = content.decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except UnicodeDecodeError as error:
        raise MalformedFile(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise MalformedFile(f"{path}: not CSV ({error})") from error
    if not rows:
        raise MalformedFile(f"{path}: empty; it needs the columns {', '.join(NEEDED)}")
    head, body = [name.strip() for name in rows[0]], rows[1:]
    _check_once(path, [name for name in head if name in (*NEEDED, *OPTIONAL)])
    for number, row in enumerate(body, start=2):
        if len(row) != len(head):
            raise MalformedFile(f"{path}: row {number} has {len(row)} cells under {len(head)} columns")
    by_name = dict(zip(head, zip(*body, strict=True) if body else [()] * len(head), strict=True))
    return {name: _column(name, cells) for name, cells in by_name.items() if name in (*NEEDED, *OPTIONAL)}


def _check_once(path: Path, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise MalformedFile(f"{path}: column {name!r} stands twice")


def _column(name: str, cells: Sequence[str]) -> Sequence[Any]:
    """Return text as it is and numbers as numbers; what is no number stays text, which the curve refuses."""
    return [text_of(cell) if name in TEXT_COLUMNS else _number(cell) for cell in cells]


def _number(cell: str) -> float | str | None:
    if not cell.strip():
        return None
    try:
        return float(cell)
    except ValueError:
        return cell
