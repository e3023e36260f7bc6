from __future__ import annotations

import pytest

from concepts import errors


@pytest.mark.parametrize(
    ("situation", "code"),
    [
        (errors.FitError, 2),
        (errors.UsageError, 2),
        (errors.MalformedFile, 2),
        (errors.SettingsError, 10),
        (errors.ConceptsError, 11),
        (errors.CorpusError, 12),
        (errors.MissingExtra, 13),
        (errors.ModelError, 14),
        (errors.RunFolderError, 15),
        (errors.StageIncomplete, 20),
        (errors.TooLittleData, 21),
    ],
)
def test_exit_codes_of_the_contract(situation: type[errors.FitError], code: int) -> None:
    assert situation("x").exit_code == code
    assert issubclass(situation, errors.FitError)


def test_unknown_names_the_nearest_and_all() -> None:
    assert errors.unknown("thing", "aplpe", ["pear", "apple"]) == (
        "aplpe: unknown thing (did you mean apple?); known: apple, pear"
    )
    assert errors.unknown("thing", "zzz", []) == "zzz: unknown thing; known: none"
