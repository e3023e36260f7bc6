from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.tables import EXPOSURE
from fit.stages.exposure import exposure_of


class Tables:
    """What a job reads: the tables that were given."""

    def __init__(self, folder: Path, **tables: pa.Table) -> None:
        self.folder = folder
        for name, table in tables.items():
            pq.write_table(table, folder / f"{name}.parquet")

    def has(self, stage: str, name: str) -> bool:
        return (self.folder / f"{name}.parquet").exists()

    def read(self, stage: str, name: str) -> pa.Table:
        return pq.read_table(self.folder / f"{name}.parquet")


def phases(*rows: tuple[str, str, int, float | None]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(EXPOSURE.names, row, strict=True)) for row in rows], schema=EXPOSURE
    )


RATES = pa.table(
    {
        "concept": ["Monet", "Banksy", "Nobody"],
        "hit_rate": [0.5, None, None],
        "hit_rate_low": [0.4, 0.0, None],
        "hit_rate_high": [0.75, 1.0, None],
    }
)


def exposed(folder: Path, *rows: tuple[str, str, int, float | None]) -> Any:
    return exposure_of(Tables(folder, exposure=phases(*rows), frequencies=RATES))  # type: ignore[arg-type]


def test_by_hand(tmp_path: Path) -> None:
    found = exposed(
        tmp_path,
        ("Monet", "256 px", 100, 2.0),
        ("Banksy", "256 px", 10, 2.0),
        ("Nobody", "256 px", 0, 2.0),
        ("Monet", "512 px", 20, 5.0),
        ("Banksy", "512 px", 0, 5.0),
        ("Nobody", "512 px", 0, 5.0),
    )
    # Monet: 100 x 2 + 20 x 5 = 300 captions shown, of which 0.5 (0.4 to 0.75) show a Monet.
    assert found["Monet"] == pytest.approx({"seen": 150.0, "seen_low": 120.0, "seen_high": 225.0})
    assert found["Banksy"] == {"seen": None, "seen_low": 0.0, "seen_high": 20.0}
    assert found["Nobody"] == {"seen": 0.0, "seen_low": 0.0, "seen_high": 0.0}


def test_a_phase_without_passes_says_nothing(tmp_path: Path) -> None:
    assert exposed(tmp_path, ("Monet", "256 px", 100, 2.0), ("Monet", "512 px", 20, None)) == {}


def test_a_model_without_phases_says_nothing(tmp_path: Path) -> None:
    assert exposure_of(Tables(tmp_path)) == {}  # type: ignore[arg-type]
