"""What ``import fit`` offers, and what the commands call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fit import config, execute, request
from fit.pipeline import STAGES
from fit.result import Result, read_result
from fit.run import Run, folder
from fit.stages import compare_runs
from fit.stages.compare_runs import Compared


def estimate(
    domain: str,
    model: str,
    *,
    corpus: str | None = None,
    run: str | Path | None = None,
    seed: int | None = None,
    settings: Mapping[str, config.Value] | None = None,
) -> Result:
    """Estimate the imitation threshold of a model: counts, images, scores, verdict, report.

    The same as ``fit estimate``: it goes on where a run stopped, and computes nothing that is current.

    Args:
        domain: A domain (``art-styles``) or one of its concept sets (``art-styles/demo``).
        model: A row of ``fit models``, a hub id or a local diffusers folder.
        corpus: A row of ``fit corpora`` or shards of one's own; None takes the model's.
        run: The run folder; None: ``runs/<domain>-<model>``.
        seed: Seed of the run; None is 0.
        settings: Settings to change, by name: ``{"threshold.level": 0.9}``.

    Raises:
        FitError: With one line that says what is wrong and what to do; the class tells the situation.
    """
    changes = [f"{name}={value}" for name, value in (settings or {}).items()]
    wanted = request.compose(domain, model, corpus, seed)
    planned = plan(wanted, None if run is None else Path(run), changes)
    execute.bring_up_to_date(planned, STAGES)
    return read_result(planned.folder)


def plan(asked: request.Request, home: Path | None, assignments: Sequence[str]) -> Run:
    """Bring together what is asked for and what the run folder holds already, without writing anything.

    Args:
        asked: Of `fit.request.compose`.
        home: The run folder; None: the default one of these settings.
        assignments: Settings to change, ``section.key=value``.

    Raises:
        RunFolderError: The folder is another run's or holds something else.
        SettingsError: Settings are wrong.
    """
    wanted = config.apply(asked.settings, [])
    home = home or request.default_folder(config.apply(wanted, assignments))
    return folder.plan(home, wanted, asked.given, assignments)


def open_run(run: str | Path) -> Result:
    """Read a run that is there, whoever computed it; nothing is computed.

    Args:
        run: A run folder with a report.

    Raises:
        RunFolderError: It is no run folder.
        StageIncomplete: It has no report yet.
    """
    return read_result(Path(run))


def compare(*runs: str | Path) -> Compared:
    """Compare finished runs on the concepts that they share, as ``fit compare`` does.

    Args:
        *runs: Two run folders or more.

    Raises:
        UsageError: Fewer than two, or one twice.
        TooLittleData: They share fewer than ten concepts.
    """
    return compare_runs.compare([Path(run) for run in runs])
