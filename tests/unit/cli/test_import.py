"""`import fit`: quick, and complete when it is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

import fit


def test_import_brings_in_nothing_heavy() -> None:
    probe = (
        "import sys; before = set(sys.modules); import fit; dir(fit); fit.__version__; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - {'fit', 'typing'}; "
        "heavy = new & {'torch', 'numpy', 'pyarrow', 'pydantic', 'duckdb', 'scipy', 'typer', 'jinja2'}; "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_name_that_is_offered_is_there() -> None:
    assert {"estimate", "open_run", "compare", "Result"} < set(fit.__all__)
    for name in fit.__all__:
        assert getattr(fit, name) is not None
        assert name in dir(fit)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fit' has no attribute 'estimat'"):
        _ = fit.estimat
