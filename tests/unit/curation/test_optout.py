from __future__ import annotations

import pytest

from concepts.errors import MalformedFile
from fit.curation.optout import OptOuts, merge_names, read_opt_outs

LIST = "kind,value\nname,Ada Brush\ndomain,Example.org\nurl,https://pics.example/ada/*\n"


def test_a_list_is_read() -> None:
    assert read_opt_outs(LIST, "list") == OptOuts(
        ("Ada Brush",), frozenset({"example.org"}), ("https://pics.example/ada/*",)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns kind,value"),
        ("value,kind\n", "columns kind,value"),
        ("kind,value\nnmae,Ada\n", "did you mean name"),
        ("kind,value\nname,\n", "line 2"),
        ("kind,value\nname,a,b\n", "line 2"),
        (f"kind,value\nname,{'a' * 200_000}\n", "not CSV"),
        ("kind,value\nurl,*\n", "fits every address"),
        (f"kind,value\nurl,{'a' * 2001}\n", "2,001 characters"),
        ("kind,value\ndomain,not a domain\n", "no domain"),
        ("kind,value\ndomain,https://example.org/\n", "no domain"),
    ],
)
def test_bad_lists_are_one_line(text: str, said: str) -> None:
    with pytest.raises(MalformedFile, match=said) as refused:
        read_opt_outs(text, "list.csv")
    assert "\n" not in str(refused.value)


def test_names_are_added_once() -> None:
    assert merge_names(["a", "b"], ["b", "c", "c"]) == ("c",)
