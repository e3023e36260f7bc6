import numpy as np
import pytest

from concepts.errors import MalformedFile, TooLittleData
from fit.threshold import ImitationCurve, require_enough

ROWS = {"concept": ["b", "a", "c"], "frequency": [5, 5, 0], "score": [0.2, 0.1, 0.3]}


def test_rows_are_ordered_by_frequency_and_then_by_name() -> None:
    curve = ImitationCurve.from_columns(ROWS)
    assert curve.concepts == ("c", "a", "b")
    assert curve.frequency.tolist() == [0.0, 5.0, 5.0]
    assert curve.score.tolist() == [0.3, 0.1, 0.2]


def test_optional_columns_follow_their_concepts() -> None:
    columns = {**ROWS, "group": ["g1", "g2", "g3"], "images": [3, 2, 1], "passed": [1, 2, 0]}
    curve = ImitationCurve.from_columns(columns)
    assert curve.group == ("g3", "g2", "g1")
    assert curve.images is not None
    assert curve.images.tolist() == [1.0, 2.0, 3.0]


def test_the_axis_is_the_logarithm_of_one_more_than_the_frequency() -> None:
    curve = ImitationCurve.from_columns({**ROWS, "frequency": [9, 99, 0]})
    assert curve.x.tolist() == [0.0, 1.0, 2.0]


def test_frequency_intervals_become_a_standard_deviation_on_the_axis() -> None:
    # log10(1 + 9) = 1 and log10(1 + 999) = 3: the 95 % interval spans 2 = 2 x 1.96 sd.
    columns = {"concept": ["a"], "frequency": [99], "score": [0]}
    curve = ImitationCurve.from_columns({**columns, "frequency_low": [9], "frequency_high": [999]})
    assert curve.x_sd is not None
    np.testing.assert_allclose(curve.x_sd, 1 / 1.959964, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"score": None}, "no column 'score'"),
        ({"score": [0.1, 0.2]}, "'score' has 2 values for 3 concepts"),
        ({"score": [0.1, 0.2, 1.5]}, "score of concept 'c' is 1.5; scores lie in [-1, 1]"),
        ({"score": [0.1, float("nan"), 0]}, "score of concept 'a' is nan"),
        ({"score": [0.1, None, 0]}, "score of concept 'a' is nan"),
        ({"score": ["high", 0.1, 0]}, "score of concept 'b' is the text 'high'"),
        ({"frequency": [1, -2, 3]}, "frequency of concept 'a' is -2; it cannot be negative"),
        ({"frequency": [1, float("inf"), 3]}, "frequency of concept 'a' is inf"),
        ({"concept": ["a", "b", "a"]}, "concept 'a' stands twice (again in row 3)"),
        ({"concept": ["a", " ", "b"]}, "row 2: empty concept name"),
        ({"frequency_low": [1, 1, 0]}, "'frequency_low' and 'frequency_high' go together"),
        (
            {"frequency_low": [9, 1, 0], "frequency_high": [3, 9, 9]},
            "frequency of concept 'b' is 5; it lies outside",
        ),
        (
            {"images": [1, 1, 1], "passed": [0, 2, 0]},
            "passed of concept 'a' is 2; it is more than the images",
        ),
        ({"score_se": [0.1, -0.1, 0.1]}, "score_se of concept 'a' is -0.1"),
    ],
)
def test_a_malformed_table_is_refused_with_its_value(change: dict[str, object], says: str) -> None:
    with pytest.raises(MalformedFile) as caught:
        ImitationCurve.from_columns({**ROWS, **change})
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("frequency", "says"),
    [(list(range(9)), "9 concepts are too few"), ([7] * 12, "same frequency, 7 images")],
)
def test_too_little_data_is_its_own_error(frequency: list[int], says: str) -> None:
    names = [str(i) for i in range(len(frequency))]
    curve = ImitationCurve.from_columns(
        {"concept": names, "frequency": frequency, "score": [0.0] * len(names)}
    )
    with pytest.raises(TooLittleData) as caught:
        require_enough(curve)
    assert says in str(caught.value)
    assert caught.value.exit_code == 21


def test_an_empty_table_is_too_little_and_not_a_crash() -> None:
    curve = ImitationCurve.from_columns({"concept": [], "frequency": [], "score": []})
    with pytest.raises(TooLittleData):
        require_enough(curve)
