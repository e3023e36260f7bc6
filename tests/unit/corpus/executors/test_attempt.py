from __future__ import annotations

import pickle
from typing import Any

import pytest

from concepts import errors
from corpus.executors.attempt import Failed, Returned, attempt, attempt_packed, packed


def raising(error: BaseException) -> Any:
    def task(item: object) -> None:
        raise error

    return task


@pytest.mark.parametrize("kind", [errors.CorpusError, errors.TooLittleData, errors.StageIncomplete])
def test_an_error_of_one_item_is_a_reason(kind: type[errors.FitError]) -> None:
    assert attempt(raising(kind("shard 7:\n  truncated")), 7) == Failed("shard 7: truncated")


@pytest.mark.parametrize(
    "kind",
    [
        errors.UsageError, errors.MalformedFile, errors.SettingsError, errors.ConceptsError,
        errors.MissingExtra, errors.ModelError, errors.RunFolderError,
    ],
)  # fmt: skip
def test_an_error_of_the_whole_work_is_kept_to_be_raised(kind: type[errors.FitError]) -> None:
    error = kind("level=2: must be below 1")
    assert attempt(raising(error), 7) == Failed("level=2: must be below 1", error)


def test_an_error_without_a_message_is_told_by_its_name() -> None:
    answer = attempt(raising(MemoryError()), 7)
    assert isinstance(answer, Failed)
    assert answer.reason.startswith("MemoryError (test_attempt.py:")


def test_interrupts_and_exits_are_no_failures() -> None:
    for error in (KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)):
            attempt(raising(error), 7)


def test_a_packed_error_keeps_its_class() -> None:
    answer = pickle.loads(packed(attempt(raising(errors.SettingsError("level=2")), 7)))  # noqa: S301
    assert isinstance(answer.error, errors.SettingsError)
    assert str(answer.error) == "level=2"


def test_a_result_that_cannot_be_pickled_is_a_failure() -> None:
    answer = pickle.loads(packed(Returned(lambda: None)))  # noqa: S301
    assert isinstance(answer, Failed)
    assert answer.reason.startswith("function: cannot be sent back from a worker (")


def test_an_item_that_cannot_be_unpickled_is_a_failure() -> None:
    answer = attempt_packed(lambda item: item, b"no pickle")
    assert isinstance(answer, Failed)
    assert answer.reason.startswith("UnpicklingError")
