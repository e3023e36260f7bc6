"""What each stage did, in one line of numbers, for the report's account of how it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from concepts.errors import StageIncomplete
from fit.imitation.published_cuts import CALIBRATED
from fit.report.inputs import StageRecord
from fit.run import Job
from fit.run.receipts import RECEIPT, Receipt, read_receipt
from fit.stages.inputs import scorer_of


def stage_records(job: Job) -> tuple[StageRecord, ...]:
    """Return one record per stage, in the order of the run."""
    records = []
    for stage, tell in _TELL.items():
        receipt = receipt_of(job, stage)
        records.append(StageRecord(stage, tell(job), receipt.plan.settings, receipt.digest))
    return tuple(records)


def receipt_of(job: Job, stage: str) -> Receipt:
    """Return what a stage was computed from.

    Raises:
        StageIncomplete: It is not finished.
    """
    path = job.path(stage, RECEIPT)
    receipt = read_receipt(path.parent)
    if receipt is None:
        raise StageIncomplete(f"{path}: damaged; run fit estimate again")
    return receipt


def _concepts(job: Job) -> str:
    found = job.read("concepts", "concepts")
    aliases = sum(len(each) for each in found["aliases"].to_pylist())
    return f"{len(found):,} concepts with {aliases:,} aliases read and checked"


def _counts(job: Job) -> str:
    tally = job.read_json("counts", "tally")
    told = f"{tally['captions']:,} captions searched, {tally['named']:,} name a concept"
    if tally["excluded"]:
        told += f"; {tally['excluded']:,} rows do not meet the condition"
    if tally["unreadable_shards"]:
        told += f"; {tally['unreadable_shards']:,} shards could not be read"
    return told


def _references(job: Job) -> str:
    found = job.read("references", "references")
    return f"{len(found):,} reference images of {len(set(found['concept'].to_pylist())):,} concepts"


def _verification(job: Job) -> str:
    found = job.read("verification", "frequencies")
    checked, passed, lost = (sum(found[name].to_pylist()) for name in ("checked", "passed", "lost"))
    cuts = job.read("verification", "calibration")
    own = sum(cuts["own_passed"].to_pylist()) / sum(cuts["own_total"].to_pylist())
    strangers = sum(cuts["strangers_passed"].to_pylist()) / sum(cuts["strangers_total"].to_pylist())
    reasons = job.read_json("verification", "blank")
    blank = f" (of the others {', '.join(f'{n:,} {why}' for why, n in reasons.items())})" if reasons else ""
    chosen = job.settings.verification
    cut = "their own cut" if chosen.cut == CALIBRATED else f"the cut of {chosen.cut}"
    return (
        f"{checked:,} images of the captions checked with {scorer_of(job.settings).title}, "
        f"{passed:,} show their concept{blank}, {lost:,} more could not be had; left out in turn, {own:.1%} "
        f"of the references pass {cut} and {strangers:.1%} of other concepts' do"
        f"{'' if chosen.corrected else '; hit rates as counted, without correction for that'}"
    )


def _generation(job: Job) -> str:
    made = job.read_json("generation", "device")
    return f"{made['images']:,} images sampled on {made['device']}, the untrained model's included"


def _scores(job: Job) -> str:
    found = job.read("scores", "scores")
    verdicts: list[Any] = found["verdict"].to_pylist()
    counted = ", ".join(f"{verdicts.count(each)} {each}" for each in ("imitated", "unclear", "not"))
    return f"{sum(found['images'].to_pylist()):,} generated images scored; concepts: {counted}"


def _threshold(job: Job) -> str:
    controls = job.read_json("threshold", "controls")
    return f"{len(job.read('threshold', 'curve')):,} concepts on the curve, {len(controls)} negative controls"


_TELL: dict[str, Callable[[Job], str]] = {
    "concepts": _concepts,
    "counts": _counts,
    "references": _references,
    "verification": _verification,
    "generation": _generation,
    "scores": _scores,
    "threshold": _threshold,
}
