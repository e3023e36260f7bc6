from __future__ import annotations

from corpus.executors.ledger import Ledger, Ticket
from corpus.executors.outcomes import Done, SetAside


def test_first_attempts_come_in_order_and_others_after_them() -> None:
    ledger = Ledger("abc", attempts=3)
    first = ledger.take()
    assert first == Ticket(0, "a", 1)
    assert ledger.failed(first, "busy") is None
    assert [ledger.take() for _ in range(3)] == [Ticket(1, "b", 1), Ticket(2, "c", 1), Ticket(0, "a", 2)]
    assert ledger.take() is None


def test_an_item_is_settled_when_it_is_done_or_has_failed_often_enough() -> None:
    ledger = Ledger("ab", attempts=2)
    a, b = ledger.take(), ledger.take()
    assert a is not None
    assert b is not None
    assert ledger.done(b, 7) == Done(1, "b", 7, 1)
    assert ledger.failed(a, "busy") is None
    assert not ledger.settled
    again = ledger.take()
    assert again is not None
    assert ledger.failed(again, "still busy") == SetAside(0, "a", "still busy", 2)
    assert ledger.settled
    assert ledger.take() is None


def test_what_failed_first_is_tried_again_first() -> None:
    ledger = Ledger("abc", attempts=9)
    for ticket in [ledger.take() for _ in "abc"]:
        assert ticket is not None
        ledger.failed(ticket, "busy")
    assert [ledger.take() for _ in "abc"] == [Ticket(0, "a", 2), Ticket(1, "b", 2), Ticket(2, "c", 2)]


def test_nothing_to_do_is_settled() -> None:
    assert Ledger((), attempts=1).settled
