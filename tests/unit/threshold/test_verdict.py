import json
from typing import Any

import pytest

from fit.threshold import Findings, Noise, NoThreshold, Threshold, Truth, estimate, planted_curve, to_json
from fit.threshold.rate import RateThreshold
from tests.unit.threshold.curves import curve

CONTRACT = [
    *("status", "reason", "shape", "threshold", "interval", "level", "transition", "safe_below", "censored"),
    *("p_value", "baseline", "ceiling", "rate_threshold", "groups", "n_concepts", "method", "fit_version"),
]


def _json(made: Threshold | NoThreshold) -> dict[str, Any]:
    text = json.dumps(to_json(made, "0.1"), allow_nan=False)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.parametrize("method", ["auto", "step", "logistic", "mimetic2"])
@pytest.mark.parametrize("shape", ["step", "flat"])
def test_every_key_of_the_contract_is_there_in_its_order(method: Any, shape: Any) -> None:
    planted = planted_curve(Truth(shape, rise=0.4), n=60, seed=1)
    document = _json(estimate(planted.curve, method=method, replicates=200))
    assert list(document)[: len(CONTRACT)] == CONTRACT
    assert document["status"] == ("threshold" if shape == "step" else "none")
    assert document["method"] == method
    assert document["n_concepts"] == 60


def test_what_does_not_apply_is_null() -> None:
    document = _json(estimate(curve(range(5), [0] * 5)))
    assert (document["status"], document["reason"], document["shape"]) == ("none", "too few concepts", "none")
    for key in ("threshold", "interval", "transition", "safe_below", "p_value", "baseline", "ceiling"):
        assert document[key] is None


def test_a_rate_threshold_is_an_object() -> None:
    rate = RateThreshold(frequency=30.0, interval=(20.0, 45.0), censored=None, dispersion=2.0)
    found = Findings(n_concepts=60, method="auto", level=0.95, rate=rate)
    document = _json(NoThreshold("flat", "no rise", "none", None, found))
    assert document["rate_threshold"] == {
        "threshold": 30.0,
        "interval": [20.0, 45.0],
        "censored": None,
        "dispersion": 2.0,
    }


def test_curves_for_display_are_lists_of_points_in_order() -> None:
    planted = planted_curve(Truth("step", rise=0.3), n=80, noise=Noise(0.05), seed=2)
    fits = _json(estimate(planted.curve, replicates=200))["fits"]
    assert set(fits) == {"step", "logistic", "ramp", "isotonic"}
    for points in fits.values():
        frequencies = [f for f, _ in points]
        assert frequencies == sorted(frequencies)


def test_a_value_that_json_cannot_carry_is_never_written() -> None:
    found = Findings(n_concepts=60, method="auto", level=0.95, baseline=float("nan"))
    with pytest.raises(ArithmeticError):
        to_json(NoThreshold("flat", "no rise", "none", None, found), "0.1")
