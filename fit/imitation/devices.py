"""Which device a scorer computes on."""

from __future__ import annotations

import torch

from concepts.errors import ModelError


def choose_device(wanted: str, setting: str = "scorer.device") -> torch.device:
    """Return the device that a setting names; ``auto``: the first accelerator, else the CPU.

    Args:
        wanted: The setting's value.
        setting: What it is called, for the message.

    Raises:
        ModelError: There is no such device on this machine.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device).item()  # the device `meta` has tensors, but no numbers in them
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{setting}={wanted}: no such device here ({reason}); use auto or cpu") from error
    return device
