"""What other processes do, as the kernel tells."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

WAIT = 240.0  # seconds after which a test gives up waiting for the end of a process


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for_end(*pids: int) -> None:
    """Wait until processes have ended."""
    end = time.monotonic() + WAIT
    while still := [pid for pid in pids if alive(pid)]:
        if time.monotonic() > end:
            raise TimeoutError(f"still running: {still}")
        time.sleep(0.02)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listing.splitlines())}
    found, fresh = list[int](), [pid]
    while fresh:
        fresh = [child for child, parent in parents.items() if parent in fresh]
        found += fresh
    return found


def is_kept_from(pid: int, number: int) -> bool:
    """Whether a signal does not reach a process: it is blocked, or ignored."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return any(int(status[mask], 16) >> (number - 1) & 1 for mask in ("SigBlk", "SigIgn"))


def listening(*pids: int) -> set[str]:
    """Return the addresses at which processes wait for connections."""
    sockets = {}
    for table in ("tcp", "tcp6"):
        for row in Path("/proc/net", table).read_text().splitlines()[1:]:
            cells = row.split()
            address = bytes.fromhex(cells[1][-13:-5])[::-1]  # the last four bytes: also of an IPv4 in IPv6
            if cells[3] == "0A":  # it listens
                sockets[f"socket:[{cells[9]}]"] = socket.inet_ntop(socket.AF_INET, address)
    handles = (handle for pid in pids for handle in Path(f"/proc/{pid}/fd").iterdir())
    return {sockets[link] for link in map(os.readlink, handles) if link in sockets}
