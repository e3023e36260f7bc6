"""The same work on many items: one after the other, on all cores of a machine, or on a cluster.

Whoever has work says ``for outcome in executor.map(task, items)`` and does not see where it is done. Nothing
heavy is imported here: each worker process reads this file as it starts.
"""

from corpus.executors.choice import ENGINES, make_executor
from corpus.executors.outcomes import Done, Executor, Outcome, SetAside
from corpus.executors.share import cores, threads_here

__all__ = [
    "ENGINES",
    "Done",
    "Executor",
    "Outcome",
    "SetAside",
    "cores",
    "make_executor",
    "threads_here",
]
