from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from corpus.fetch.opt_out import opt_out


def told(*pairs: tuple[str, str]) -> str | None:
    return opt_out(CIMultiDictProxy(CIMultiDict(pairs)))


@pytest.mark.parametrize(
    "value",
    [
        "noai",
        "NOAI",
        " noimageai ",
        "noindex, noai",
        "noai,nofollow",
        "imitation-threshold: noai",
        "Imitation-Threshold: none",
        "imitation-threshold: noindex",
        "otherbot: nofollow, imitation-threshold: noai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST, noai",
        "unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, noai",
        "max-snippet: 20, noai",
        "*: noai",
    ],
)
def test_opted_out(value: str) -> None:
    assert (told(("x-robots-tag", value)) or "").startswith("X-Robots-Tag: no")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "noindex",
        "none",
        "nofollow, noindex",
        "noairplanes",
        "googlebot: noai",
        "otherbot: nofollow, noai",
        "all",
    ],
)
def test_not_opted_out(value: str) -> None:
    assert told(("X-Robots-Tag", value)) is None


def test_each_header_counts() -> None:
    assert told(("X-Robots-Tag", "googlebot: noai"), ("X-Robots-Tag", "noai")) == "X-Robots-Tag: noai"


@pytest.mark.parametrize(("value", "out"), [("1", True), (" 1 ", True), ("0", False), ("yes", False)])
def test_reservation_of_text_and_data_mining(value: str, out: bool) -> None:
    assert (told(("TDM-Reservation", value)) == "tdm-reservation: 1") is out
