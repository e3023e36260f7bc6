"""Which cut a run applies: each concept's own, calibrated on references, or a published one for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fit.config import Settings
from fit.imitation.artwork import ArtworkGate, calibrate_gate, gate_at
from fit.imitation.calibration import Cut, at_cut, calibrate
from fit.imitation.published_cuts import CALIBRATED, NEAREST, TEXT, published_cut
from fit.imitation.scorers import Vectors


def cuts_of(references: dict[str, Vectors], settings: Settings, scorer: str) -> dict[str, Cut]:
    """Return the cut of every concept that has two references or more, and what it does.

    Args:
        references: Unit vectors of each concept's references, shape (n_c, d).
        settings: Whose `verification.cut` chooses, and whose concept list a published cut has to be for.
        scorer: Name of the scorer's row.

    Raises:
        SettingsError: No preset is called so, or it has no cut for the scorer and the concept list.
    """
    chosen = settings.verification
    if chosen.cut == CALIBRATED:
        return calibrate(references, chosen.false_match_rate)
    return at_cut(references, published_cut(chosen.cut, scorer, settings.concepts, NEAREST).value)


def gate_of(references: npt.NDArray[np.float64], settings: Settings) -> ArtworkGate:
    """Return the artwork gate that `verification.gate_cut` chooses.

    Args:
        references: Cosines of reference images with the text, shape (n,).
        settings: As of `cuts_of`; the gate's scorer is `verification.gate`.

    Raises:
        SettingsError: As `cuts_of`.
    """
    chosen = settings.verification
    if chosen.gate_cut == CALIBRATED:
        return calibrate_gate(references, chosen.gate_passing)
    return gate_at(published_cut(chosen.gate_cut, chosen.gate, settings.concepts, TEXT).value, references)


def published_values(settings: Settings, scorer: str) -> dict[str, str]:
    """Return the published cuts that a run applies, by what they are: inputs from outside the run.

    Raises:
        SettingsError: As `cuts_of`.
    """
    chosen = settings.verification
    wanted = [(chosen.cut, scorer, NEAREST), *([(chosen.gate_cut, chosen.gate, TEXT)] if chosen.gate else [])]
    return {
        f"cut {preset} of {name}": str(published_cut(preset, name, settings.concepts, statistic).value)
        for preset, name, statistic in wanted
        if preset != CALIBRATED
    }
