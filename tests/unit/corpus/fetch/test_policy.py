from __future__ import annotations

import pytest

from concepts.errors import SettingsError
from corpus.fetch import Limits, Policy, keeping_digest


@pytest.mark.parametrize(
    "contact", ["me@university.example", "https://lab.example/fetch", "http://x.example"]
)
def test_a_contact_stands_in_the_user_agent(contact: str) -> None:
    assert Policy(contact, version="1.2").user_agent == f"imitation-threshold/1.2 (+{contact})"


@pytest.mark.parametrize(
    "contact",
    ["", "me", "me@host", "@x.example", "a b@x.example", "x@y.z\r\nEvil: 1", "ftp://x.example", "mé@x.fr"],
)
def test_nobody_fetches_without_one(contact: str) -> None:
    with pytest.raises(SettingsError, match=r"verification\.contact=.*needs a mail address or a web page"):
        Policy(contact)


def test_what_decides_the_images_decides_the_digest() -> None:
    same = keeping_digest(Limits(), "punsafe", 0.1)
    assert same == keeping_digest(Limits(), "punsafe", 0.1)
    others = [
        keeping_digest(Limits(image_bytes=1), "punsafe", 0.1),
        keeping_digest(Limits(image_pixels=1), "punsafe", 0.1),
        keeping_digest(Limits(), "punsafe", 0.2),
    ]
    assert len({same, *others}) == 4
