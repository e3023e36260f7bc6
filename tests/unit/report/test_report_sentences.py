"""The answer, worded as the contract asks, for every shape and reason. Expected texts are written by hand."""

from dataclasses import replace

import pytest

from fit.report.facts import build_facts
from fit.report.verdict import read_verdict
from fit.report.wording import answer
from tests.unit.report.planted import SUBJECT, found, inputs


def sentence(**changes):
    shape = changes.pop("shape")
    return answer(read_verdict(found(shape, **changes)), SUBJECT).sentence


def test_only_a_step_is_worded_as_the_threshold():
    assert sentence(shape="step") == (
        "In the imitation of artists by the demo model, the threshold is 47 training images "
        "(95 % interval 38–60 images; 131 artists; p < 0.001)."
    )


@pytest.mark.parametrize("shape", ["gradual", "undetermined"])
def test_a_rise_that_is_not_shown_to_be_sharp_has_no_sharp_threshold(shape):
    told = sentence(shape=shape)
    assert told == (
        "In the imitation of artists by the demo model there is no sharp threshold: half of the rise is "
        "reached at 47 images, 10–90 % of it between 14 and 151 "
        "(95 % interval 38–60 images; 131 artists; p < 0.001)."
    )
    assert "the threshold is" not in told


def test_gradual_and_undetermined_differ_in_what_follows():
    gradual = " ".join(answer(read_verdict(found("gradual")), SUBJECT).more)
    undetermined = " ".join(answer(read_verdict(found("undetermined")), SUBJECT).more)
    assert "The rise is gradual" in gradual
    assert "whether it is sharp or gradual cannot be told from 131 artists" in undetermined


def test_no_rise_is_a_result_with_its_reason():
    told = answer(read_verdict(found("none", smallest_detectable_rise=0.083)), SUBJECT)
    assert told.sentence == (
        "In the imitation of artists by the demo model, no threshold was found: the imitation score is not "
        "shown to rise with the number of training images (131 artists; p = 0.43)."
    )
    assert told.more[0].startswith("That no threshold was found is a result")
    assert told.more[1] == "A rise of 0.08 in score would have been found in 80 % of samples like this one."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": "none", "reason": "falls"}, "no threshold was found: the imitation score falls with"),
        (
            {
                "shape": "gradual",
                "status": "none",
                "reason": "no plateau",
                "threshold": None,
                "censored": "above",
            },
            "there is a rise, but no threshold can be given: the score rises gradually, and its ceiling",
        ),
        (
            {
                "shape": "gradual",
                "status": "none",
                "reason": "no plateau",
                "threshold": None,
                "censored": "below",
            },
            "its baseline is not reached within the data",
        ),
        (
            {
                "shape": "none",
                "reason": "too few concepts",
                "detail": "8 concepts are too few",
                "p_value": None,
            },
            "no threshold can be given: 8 concepts are too few (131 artists)",
        ),
        ({"shape": "none", "reason": "a new reason."}, "no threshold was found: a new reason (131"),
        ({"shape": "none", "reason": None}, "no threshold was found: no reason was recorded"),
    ],
)
def test_reasons(changes, words):
    assert words in sentence(**changes)


def test_ends_that_the_data_leave_open_are_said_to_be_open():
    assert "(95 % interval at most 60 images;" in sentence(shape="step", interval_open=[True, False])
    assert "(95 % interval at least 38 images;" in sentence(shape="step", interval_open=[False, True])
    open_at_both = answer(read_verdict(found("step", interval_open=[True, True])), SUBJECT)
    assert "interval" not in open_at_both.detail
    assert "The data do not bound the change on either side." in open_at_both.more


def test_a_transition_without_ends_is_not_invented():
    assert "the range of 10–90 % of it is not determined" in sentence(shape="gradual", transition=None)


def test_the_published_method_alone_claims_neither_shape_nor_test():
    told = answer(
        read_verdict(found("undetermined", method="mimetic2", interval=None, transition=None, p_value=None)),
        SUBJECT,
    )
    assert told.sentence == (
        "In the imitation of artists by the demo model, the published method puts a change at 47 images, "
        "without a test (131 artists)."
    )
    assert "does not test" in " ".join(told.more)


def test_one_concept_is_singular():
    assert "; 1 artist;" in sentence(shape="step", n_concepts=1)


def test_safe_below_counts_who_is_imitated_below_it():
    # The planted verdicts decide who is imitated; below 60 images, past the midpoint of 47, some are.
    facts = build_facts(inputs("gradual", threshold=found("gradual", safe_below=60.0)))
    below = [point for point in facts.points if point.frequency < 60]
    imitated = sorted((p.concept for p in below if p.verdict == "imitated"), key=lambda name: name)
    assert imitated, "the planted data should have somebody imitated below 60 images"
    assert (
        f"of the {len(below)} artists with an estimate below it, {len(imitated)} are individually imitated ("
        in facts.safe_sentence
    )
    unjudged = tuple(replace(point, verdict=None) for point in inputs("gradual").curve)
    silent = build_facts(inputs("gradual", curve=unjudged))
    assert silent.safe_sentence.endswith("; no single artist with an estimate below it has a verdict.")
    nobody = build_facts(inputs("gradual", threshold=found("gradual", safe_below=1.5)))
    assert "none is individually imitated." in nobody.safe_sentence


def test_an_object_without_status_is_refused():
    with pytest.raises(ValueError, match="status is None, must be 'threshold' or 'none'"):
        read_verdict({})


def test_a_failed_control_warns_at_the_top():
    whole = inputs("gradual")
    control = whole.controls[0]
    failed = type(control)(control.name, control.title, found("step"), control.curve)
    facts = build_facts(inputs("gradual", controls=(failed,), notes=()))
    assert facts.controls[0].passed is False
    assert facts.controls[0].found == (
        "A rise was found where there can be none (p < 0.001): the threshold is 47 images."
    )
    assert facts.warnings == (
        "The negative control “Frequencies shuffled” shows a rise where there can be none; do not rely on "
        "the answer before this is understood.",
    )


def test_a_control_with_too_little_data_is_not_called_passed():
    whole = inputs("gradual")
    few = found("none", reason="too few concepts", detail="9 concepts, 10 are needed")
    facts = build_facts(inputs("gradual", controls=(type(whole.controls[0])("shuffled", "Shuffled", few),)))
    assert facts.controls[0].passed is None
    assert facts.controls[0].found.startswith("Not judged: ")


def test_a_rise_without_a_threshold_is_told_by_the_rate_at_which_images_pass():
    rate = {"threshold": 11.99, "interval": [8.03, 17.51], "censored": None, "dispersion": 9.0}
    told = sentence(
        shape="gradual",
        status="none",
        reason="no plateau",
        threshold=None,
        censored="below",
        rate_threshold=rate,
    )
    assert (
        "within the data; half of the generated images pass as the artist's own from 12 training images on, "
        "95 % interval 8–18 (131 artists" in told
    )
    bare = {**rate, "interval": None}
    assert "from 12 training images on (131" in sentence(
        shape="gradual", status="none", reason="no plateau", threshold=None, rate_threshold=bare
    )
    assert "pass as" not in sentence(shape="step", rate_threshold=rate)
