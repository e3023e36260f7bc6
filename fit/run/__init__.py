"""The run folder: what a stage sees of it, receipts, locks and atomic files."""

from fit.run.folder import Run
from fit.run.job import Job

__all__ = ["Job", "Run"]
