"""What becomes of an address: an image, or a status with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The column ``status`` of an index; the first two are img2dataset's own words."""

    SUCCESS = "success"
    FAILED = "failed_to_download"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An image that is not kept.

    Attributes:
        status: The kind of the reason.
        reason: Why, in a few words that many addresses can share (they are counted in the report).
    """

    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that is kept, as the server sent it.

    Attributes:
        data: Its bytes.
        suffix: The ending that its real format has, such as ``.jpg``.
        width, height: In pixels.
    """

    data: bytes
    suffix: str
    width: int
    height: int


def failed(reason: str) -> Refusal:
    """Return a refusal: the image could not be had."""
    return Refusal(Status.FAILED, reason)


def refused(reason: str) -> Refusal:
    """Return a refusal: the image, or where it lies, breaks a limit of ours."""
    return Refusal(Status.REFUSED, reason)


UNRESOLVED = failed("host name not found")
UNREACHABLE = failed("cannot connect")
TIMED_OUT = failed("timed out")
BROKEN_OFF = failed("connection broke off")
