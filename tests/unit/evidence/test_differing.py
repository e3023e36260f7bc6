from __future__ import annotations

import pytest

from fit.evidence.check import differing

PACKED = {"threshold": 38.0, "interval": [20.0, 60.0], "shape": "step", "groups": None}


def lines(**changed: object) -> list[str]:
    return list(differing({**PACKED, **changed}, PACKED))


def test_the_same_differs_in_nothing() -> None:
    assert lines() == []


def test_rounding_is_no_difference() -> None:
    assert lines(threshold=38.0 * (1 + 1e-9)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"threshold": 38.1}, "threshold is 38.0, computed again 38.1"),
        ({"threshold": None}, "threshold is 38.0, computed again null"),
        ({"interval": [20.0, 61.0]}, "interval[1] is 60.0, computed again 61.0"),
        ({"interval": [20.0]}, "interval is [20.0, 60.0], computed again [20.0]"),
        ({"shape": "gradual"}, 'shape is "step", computed again "gradual"'),
        ({"groups": 0}, "groups is null, computed again 0"),
        ({"extra": 1}, "extra is only computed"),
    ],
)
def test_differences_name_place_and_both_values(changed: dict[str, object], said: str) -> None:
    assert lines(**changed) == [said]


def test_true_is_not_one() -> None:
    assert list(differing({"a": True}, {"a": 1})) == ["a is 1, computed again true"]
