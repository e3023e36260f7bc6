from __future__ import annotations

import numpy as np
import pytest

from fit.imitation.likeness import compare_references
from tests.unit.imitation.vectors import at_cosines


def test_likeness_by_hand() -> None:
    # Cosines to the first axis 1, 0.8 and 0.6, in one plane: pairs 0.8, 0.6 and 0.48 + 0.6 * 0.8 = 0.96.
    found = compare_references({"a": at_cosines([1, 0.8, 0.6])})["a"]
    assert found.own == pytest.approx([0.7, 0.88, 0.78], abs=1e-6)
    assert not found.outlier.any()  # three are too few to tell
    assert found.closest == ("a", "a", "a")


def test_a_single_reference_has_no_others() -> None:
    found = compare_references({"a": at_cosines([1.0]), "b": at_cosines([1.0, 1.0]), "c": at_cosines([])})
    assert np.isnan(found["a"].own).all()
    assert found["a"].closest == ("a",)
    assert "c" not in found
    assert compare_references({}) == {}


def test_small_differences_among_very_like_references_are_no_outliers() -> None:
    found = compare_references({"a": at_cosines([1, 1, 1, 1, 1, 0.9999])})["a"]
    assert not found.outlier.any()


def test_equal_likeness_is_no_reason_to_doubt_a_label() -> None:
    twins = at_cosines([0.9, 0.9])
    found = compare_references({"a": twins, "b": twins})
    assert found["b"].closest == ("b", "b")
