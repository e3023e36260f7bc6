from __future__ import annotations

import subprocess
import sys

import pytest

from concepts.errors import MissingExtra, UsageError
from corpus.executors import cores, make_executor
from corpus.executors.processes import PoolExecutor
from corpus.executors.serial import SerialExecutor
from tests.conftest import ROOT


def test_one_worker_is_this_process() -> None:
    assert make_executor("local", 1, attempts=5) == SerialExecutor(5)


@pytest.mark.parametrize(("workers", "expected"), [(0, 8), (2, 2), (3, 3), (16, 16)])
def test_workers_share_the_cores(workers: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.executors.choice.cores", lambda: 8)
    executor = make_executor("local", workers)
    assert isinstance(executor, PoolExecutor)
    # 8 cores: one thread for each of 8, four for each of 2, two for each of 3, and never less than one
    threads = {8: "1", 2: "4", 3: "2", 16: "1"}[expected]
    assert [each["OMP_NUM_THREADS"] for each in executor.environments] == [threads] * expected


def test_one_core_and_no_wish_is_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.executors.choice.cores", lambda: 1)
    assert isinstance(make_executor("local", 0), SerialExecutor)


def test_a_gpu_takes_a_process_even_when_it_is_the_only_one() -> None:
    executor = make_executor("local", 0, gpus=["7"])
    assert isinstance(executor, PoolExecutor)
    assert [each["CUDA_VISIBLE_DEVICES"] for each in executor.environments] == ["7"]
    assert executor.environments[0]["OMP_NUM_THREADS"] == str(cores())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": "rya", "workers": 0}, r"rya: unknown engine \(did you mean ray\?\); known: local, ray"),
        ({"engine": "local", "workers": -1}, "--workers -1: give 0"),
        ({"engine": "local", "workers": 1, "attempts": 0}, "attempts 0"),
        ({"engine": "local", "workers": 3, "gpus": ["0"]}, "--workers 3: there are 1 GPUs"),
        ({"engine": "local", "workers": 3, "address": "head:6379"}, "head:6379: the engine local has no"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_executor(**arguments)  # type: ignore[arg-type]


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'imitation-threshold\[cluster\]'"):
        make_executor("ray", 0)


def test_workers_start_without_heavy_imports() -> None:
    code = (
        "import sys, corpus.executors.process_worker, corpus.executors.cluster_worker;"
        "print([m for m in ('numpy', 'pyarrow', 'duckdb', 'ray', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
