"""Opted-out addresses, whole columns at a time, against a matcher that takes one address after the other."""

from __future__ import annotations

import fnmatch
import pickle
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.curation.addresses import OptedOut
from fit.curation.optout import OptOuts, read_opt_outs

LIST = "kind,value\nname,Ada Brush\ndomain,Example.org\nurl,https://pics.example/ada/*\n"


def why(outs: OptOuts, *urls: str | None) -> list[str | None]:
    matcher = OptedOut(outs)
    found = matcher.why(pa.array(urls, pa.large_string()))
    return [matcher.reasons[each] if each >= 0 else None for each in found.tolist()]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/a.jpg", "opted out: domain example.org"),
        ("HTTP://IMG.Example.ORG:8080/a.jpg", "opted out: domain example.org"),
        ("https://user:secret@example.org/a.jpg", "opted out: domain example.org"),
        ("https://a.b.c.d.example.org", "opted out: domain example.org"),
        ("https://example.org./", "opted out: domain example.org"),
        ("https://example.org?x", "opted out: domain example.org"),
        ("https://example.org.evil.test/a.jpg", None),
        ("https://notexample.org/a.jpg", None),
        ("https://org/a.jpg", None),
        ("https://evil.test/?https://example.org/", None),
        ("https://pics.example/ada/1.jpg", "opted out: address https://pics.example/ada/*"),
        ("HTTPS://PICS.example/Ada/\n1.jpg", "opted out: address https://pics.example/ada/*"),
        ("https://pics.example/adam/1.jpg", None),
        ("no address", None),
        (None, None),
        ("", None),
    ],
)
def test_addresses(url: str | None, reason: str | None) -> None:
    assert why(read_opt_outs(LIST, "list"), url) == [reason]


def test_pattern_characters_of_regular_expressions_are_letters() -> None:
    outs = read_opt_outs("kind,value\nurl,https://a.example/(x|y) [z]+.jpg\n", "list")
    assert why(outs, "https://a.example/(x|y) [z]+.jpg")[0]
    assert why(outs, "https://aXexample/(x|y) [z]+.jpg", "https://a.example/x") == [None, None]


def test_the_longer_domain_and_the_first_pattern_are_told() -> None:
    outs = OptOuts((), frozenset({"a.example", "b.a.example"}), ("*one*", "*o*"))
    assert why(outs, "http://x.b.a.example/", "http://c.a.example/one", "two", "one") == [
        "opted out: domain b.a.example",
        "opted out: domain a.example",
        "opted out: address *o*",
        "opted out: address *one*",
    ]


def test_more_patterns_than_one_expression_holds() -> None:
    # 500 patterns of 85 characters: 42,500 in all, more than twice what is looked for together.
    outs = OptOuts((), frozenset(), tuple(f"{'x' * 80}{i:04d}*" for i in range(500)))
    urls = [f"{'x' * 80}{i:04d}/" for i in range(510)]
    expected = [f"opted out: address {pattern}" for pattern in outs.urls]
    assert why(outs, *urls) == [*expected, *[None] * 10]


def test_nothing_opted_out_by_address_is_told() -> None:
    assert not OptedOut(OptOuts(("Ada",)))
    assert pickle.loads(pickle.dumps(OptedOut(OptOuts((), frozenset({"a.b"})))))  # noqa: S301 (our own)


LABEL = st.sampled_from(["a", "b", "img", "example"])
DOMAIN = st.lists(LABEL, min_size=2, max_size=3).map(".".join)
HOST = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
PATTERN = st.text("ab*?./", min_size=1, max_size=6).filter(lambda text: text.strip("*?"))
URL = st.one_of(
    st.text("ab./:@?", max_size=8),
    st.builds(
        lambda host, port, path: f"http://{host}{port}{path}",
        HOST,
        st.sampled_from(["", ":80", "."]),
        st.sampled_from(["", "/", "/a?b", "#a"]),
    ),
)


def by_one(url: str, domains: set[str], patterns: list[str]) -> str | None:
    if url.startswith("http://"):
        host = (urlsplit(url).hostname or "").rstrip(".")
        labels = host.split(".")
        for start in range(len(labels)):
            if (tail := ".".join(labels[start:])) in domains:
                return f"opted out: domain {tail}"
    for pattern in patterns:
        if url and fnmatch.fnmatchcase(url, pattern):
            return f"opted out: address {pattern}"
    return None


@settings(max_examples=150, deadline=None)
@given(st.lists(URL, max_size=12), st.sets(DOMAIN, max_size=4), st.lists(PATTERN, max_size=4, unique=True))
def test_columns_are_as_one_address_after_the_other(
    urls: list[str], domains: set[str], patterns: list[str]
) -> None:
    outs = OptOuts((), frozenset(domains), tuple(patterns))
    assert why(outs, *urls) == [by_one(url, domains, patterns) for url in urls]
