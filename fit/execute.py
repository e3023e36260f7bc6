"""What brings a run up to date, and what tells how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from concepts.errors import FitError, StageIncomplete
from fit import config, progress
from fit.pipeline import STAGES, Stage
from fit.run import Run, artefacts, folder, receipts
from fit.run.freed import freed, take_back
from fit.run.history import Record
from fit.run.job import PARTS

_SHOWN_REASONS = 3


@dataclass(frozen=True)
class State:
    """How a stage stands.

    Attributes:
        stage: Name of the stage.
        reasons: Why it has to be computed; empty where it is current.
        kept: Finished parts that need not be computed again.
    """

    stage: str
    reasons: tuple[str, ...]
    kept: int = 0

    @property
    def current(self) -> bool:
        """Whether its results are there and made from these settings and inputs."""
        return not self.reasons

    @property
    def sentence(self) -> str:
        """The reasons in one line, the first few of many."""
        more = len(self.reasons) - _SHOWN_REASONS
        tail = [f"and {more} more"] if more > 0 else []
        return "; ".join([*self.reasons[:_SHOWN_REASONS], *tail]) or "current"


def status(run: Run, stages: Sequence[Stage] = STAGES, deep: bool = False) -> list[State]:
    """Tell how each stage stands, without computing anything.

    Args:
        run: The run.
        stages: The stages to look at, each after those that it needs.
        deep: Also compare the bytes of every output with its digest.
    """
    states: dict[str, State] = {}
    for stage in stages:
        waits = [name for name in stage.needs if name in states and not states[name].current]
        if waits:
            states[stage.name] = State(stage.name, (f"waits for {', '.join(waits)}",))
            continue
        try:
            states[stage.name] = _state(run, stage, deep)
        except FitError as error:
            states[stage.name] = State(stage.name, (str(error),))
    for stage in stages:
        if not states[stage.name].current:
            for name in _freed_for(run, stage):
                if name in states and states[name].current:
                    states[name] = State(name, (f"its files were freed, and {stage.name} needs them",))
    return list(states.values())


def forecast(run: Run, stages: Sequence[Stage]) -> Iterator[tuple[State, list[str]]]:
    """Yield how each stage stands and, where it is not current, lines that say the work to come."""
    for stage, state in zip(stages, status(run, stages), strict=True):
        yield state, [] if state.current else _work(run, stage)


def bring_up_to_date(run: Run, stages: Sequence[Stage], table: Sequence[Stage] = STAGES) -> list[str]:
    """Compute what is not current, stage by stage, and return the names of the stages computed.

    However this ends, a stage is left as it was, or with its receipt, or with finished parts to go on from.
    A stage whose files were freed is computed again only before a stage that needs them.

    Args:
        run: The run; its folder is made where it is not there.
        stages: The stages wanted, each after those that it needs.
        table: All stages.

    Raises:
        RunFolderError: The folder cannot be written or another process works on it.
        FitError: A stage cannot be computed.
    """
    done: list[str] = []
    with folder.work(run):
        record = Record(run.folder, run.settings.seed)
        for stage in stages:
            state = _state(run, stage, deep=True)
            if state.current:
                if gone := freed(run.folder).get(stage.name):
                    progress.note(f"{stage.name}: current; {len(gone)} of its files were freed (fit clean)")
                continue
            for name in _freed_for(run, stage):
                progress.note(f"{name}: its files were freed, and {stage.name} needs them")
                _compute_recorded(run, next(each for each in table if each.name == name), record)
                done.append(name)
            progress.note(f"{stage.name}: {state.sentence}")
            _compute_recorded(run, stage, record)
            done.append(stage.name)
        # Not only after a stage: a run that was killed right after the last receipt lacks this file.
        folder.write_skipped(run, [stage.name for stage in table])
    return done


def _freed_for(run: Run, stage: Stage) -> list[str]:
    """Return the stages whose freed files a stage cannot be computed without."""
    gone = freed(run.folder)
    return [name for name in stage.opens if name in gone]


def _compute_recorded(run: Run, stage: Stage, record: Record) -> None:
    record.begin(stage.name)
    with _one_line(stage):
        _compute(run, stage)
    record.end(stage.name)


def sign(run: Run, stage: Stage) -> None:
    """Write the receipt of a stage anew, for outputs that were changed on purpose.

    Raises:
        StageIncomplete: A stage that it needs has no receipt.
    """
    home = run.stage_folder(stage.name)
    plan = _plan(run, stage)
    receipts.write_plan(home, plan)
    receipts.write_receipt(home, plan)


def _state(run: Run, stage: Stage, deep: bool) -> State:
    home = run.stage_folder(stage.name)
    plan = _plan(run, stage)
    receipt = receipts.read_receipt(home)
    if receipt is None:
        if (home / receipts.RECEIPT).exists():
            return State(stage.name, (f"{receipts.RECEIPT} is damaged",))
        kept = len(stage.job(run).part_names()) if receipts.same_plan(home, plan) else 0
        return State(
            stage.name, (f"not finished, {kept} parts are kept" if kept else "not computed yet",), kept
        )
    reasons = list(receipts.differences(receipt, plan, frozenset(stage.needs)))
    if not reasons:
        damaged = receipts.damaged(home, receipt, deep, freed(run.folder).get(stage.name, {}))
        reasons += [f"output {n} {'was changed' if (home / n).exists() else 'is missing'}" for n in damaged]
    return State(stage.name, tuple(reasons))


def _work(run: Run, stage: Stage) -> list[str]:
    try:
        return stage.code().work(stage.job(run))
    except StageIncomplete:
        return ["how much depends on stages that are not computed yet"]


def _plan(run: Run, stage: Stage) -> receipts.Plan:
    """Say what the stage is to be computed from, now."""
    code = stage.code()
    inputs = {}
    for name in stage.needs:
        receipt = receipts.read_receipt(run.stage_folder(name))
        if receipt is None:
            raise StageIncomplete(
                f"{stage.name}: needs {name}, which is not computed; run fit estimate first"
            )
        inputs[name] = receipt.digest
    return receipts.Plan(
        stage=stage.name,
        version=code.VERSION,
        settings=config.subset(run.settings, stage.settings),
        inputs={**code.outside(stage.job(run)), **inputs},
    )


def _compute(run: Run, stage: Stage) -> None:
    home = run.stage_folder(stage.name)
    home.mkdir(exist_ok=True)
    plan = _plan(run, stage)
    take_back(run.folder, stage.name)
    if not _keep_parts(run, stage, plan):
        artefacts.clear(home, first=(receipts.RECEIPT, receipts.PLAN), keep=stage.keeps)
        receipts.write_plan(home, plan)
    job = stage.job(run)
    stage.code().run(job)
    job.write_skipped()
    receipts.write_receipt(home, plan)


def _keep_parts(run: Run, stage: Stage, plan: receipts.Plan) -> bool:
    """Keep what an interrupted computation of the same plan has finished; tell whether anything was kept."""
    home = run.stage_folder(stage.name)
    if not receipts.same_plan(home, plan):
        return False
    if not (home / receipts.RECEIPT).exists():
        return True
    receipt = receipts.read_receipt(home)
    if receipt is None or receipt.plan.key != plan.key:
        return False
    lost = list(receipts.damaged(home, receipt, deep=True))
    # Parts are made one by one; for anything else it is not known what it was made together with.
    if not all(name.startswith(f"{PARTS}/") for name in lost):
        return False
    (home / receipts.RECEIPT).unlink()
    for name in lost:
        (home / name).unlink(missing_ok=True)
    return True


@contextmanager
def _one_line(stage: Stage) -> Iterator[None]:
    """Turn what the machine lacks into one line; mistakes of the program stay tracebacks."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = error.strerror or str(error)
        raise StageIncomplete(f"{stage.name}: {reason}{where}; what is done is kept") from error
    except MemoryError as error:
        raise StageIncomplete(f"{stage.name}: out of memory; what is done is kept") from error
