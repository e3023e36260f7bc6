"""How many images fit into a device's memory: measured on one and two, rounded down to a power of two.

Rounding makes the size the same from run to run, although what else is in memory differs a little.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import torch

SHARE = 0.85  # of the free memory that is used: fragments and other programs take the rest
CPU_SHARE = 0.5  # a CPU's memory is everybody's, and running out of it ends programs without asking
MOST = 128
MOST_ON_CPU = 8  # more at once are no faster there
_MEMINFO = Path("/proc/meminfo")


def fitting(sample: Callable[[int], object], device: torch.device) -> int:
    """Return how many images to sample at once, a power of two.

    Args:
        sample: Samples so many images, in few steps; called with 1 and with 2.
        device: Where.

    Raises:
        torch.OutOfMemoryError: Not even one image fits.
    """
    if device.type == "cuda":
        peaks = [_cuda_peak(sample, n, device) for n in (1, 2)]
        free, _ = torch.cuda.mem_get_info(device)
        room = SHARE * (free + torch.cuda.memory_reserved(device)) - peaks[0]
        return size_for(room, peaks[1] - peaks[0], MOST)
    begun = _resident()
    sample(1)
    return size_for(CPU_SHARE * _available(), _resident() - begun, MOST_ON_CPU)


def size_for(room: float, each: float, most: int) -> int:
    """Return the largest power of two, at most `most`, that fits.

    Args:
        room: Bytes for all images but the first.
        each: Bytes that a further image needs.
        most: Upper bound.
    """
    size = 1
    while 2 * size <= most and (2 * size - 1) * max(each, 1.0) <= room:
        size *= 2
    return size


def _cuda_peak(sample: Callable[[int], object], images: int, device: torch.device) -> int:
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    sample(images)
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device)


def _resident() -> int:
    """Return the most bytes that this process has had in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _available() -> int:
    """Return the bytes of memory that are free; where the system does not tell, 4 GiB."""
    try:
        lines = _MEMINFO.read_text("ascii").splitlines()
        row = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(row.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return 4 << 30
