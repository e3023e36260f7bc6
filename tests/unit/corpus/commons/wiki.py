"""Wikidata and Commons in small, on a loopback server, answering in the shape of their interfaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web

from corpus.commons import Endpoints
from tests.unit.corpus.fetch.site import Site, picture

HUMAN, TAXON = "Q5", "Q16521"
ADA, NAMESAKE, WORK_1, WORK_2 = "Q11", "Q10", "Q21", "Q22"


def claim(value: object, rank: str = "normal") -> dict[str, Any]:
    return {"rank": rank, "mainsnak": {"datavalue": {"value": value}}}


class Wiki:
    """What the two wikis know.

    Attributes:
        asked: How often each action was asked for.
        refuse: Answers given instead, first come first served.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.asked: Counter[str] = Counter()
        self.parameters: list[dict[str, str]] = []
        self.refuse: list[web.Response] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.depicting: list[str] = []
        site.do("wikidata", self._answer(self._wikidata))
        site.do("commons", self._answer(self._commons))

    @property
    def ends(self) -> Endpoints:
        return Endpoints(self._site.url("wikidata"), self._site.url("commons"))

    def add(self, name: str, licence: str = "CC BY-SA 4.0", **about: Any) -> None:
        """Put a file on Commons; its picture is drawn by its number."""
        number = len(self.files)
        body = about.pop("body", picture(seed=number))
        address = self._site.say(f"image-{number}.jpg", body, kind=about.pop("kind", "image/jpeg"))
        metadata = {"LicenseShortName": licence, "Artist": '<a href="//x">Eve &amp; <b>Bob</b></a>',
                    "LicenseUrl": "https://licence.example", "Restrictions": "personality",
                    **about.pop("metadata", {})}  # fmt: skip
        self.files[f"File:{name}"] = {
            "url": address,
            "thumburl": address,
            "descriptionurl": f"https://commons.example/{name}",
            "mime": "image/jpeg",
            "width": 4000,
            "sha1": f"{number:040x}",
            "extmetadata": {key: {"value": value} for key, value in metadata.items()},
            **about,
        }
        self.depicting.append(f"File:{name}")

    def _answer(self, knows: Callable[[dict[str, str]], dict[str, Any]]) -> Any:
        async def answer(request: web.Request) -> web.StreamResponse:
            asked = dict(request.query)
            self.asked[asked.get("list") or asked.get("prop") or asked["action"]] += 1
            self.parameters.append(asked)
            return self.refuse.pop(0) if self.refuse else web.json_response(knows(asked))

        return answer

    def _wikidata(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked["action"] == "wbsearchentities":
            found = [
                {"id": NAMESAKE, "label": "Ada Lume", "match": {"text": "Ada Lume"}},  # a kind of moth
                {"id": "Q12", "label": "Ada Lume Award", "match": {"text": "Ada Lume Award"}},
                {"id": ADA, "label": "A. Lume", "aliases": ["Ada  LUME"], "match": {"text": "Ada LUME"}},
            ]
            return {"search": found if asked["search"] == "Ada Lume" else []}
        if asked["action"] == "wbgetentities":
            entities = {
                NAMESAKE: {"P31": [claim({"id": TAXON})]},
                "Q12": {"P31": [claim({"id": HUMAN})]},
                ADA: {"P31": [claim({"id": HUMAN})]},
                WORK_1: {"P18": [claim("old.jpg", "deprecated"), claim("one.jpg")]},
                WORK_2: {"P18": [claim("two.jpg")]},
            }
            return {"entities": {key: {"claims": entities[key]} for key in asked["ids"].split("|")}}
        assert asked["srsearch"] == f"haswbstatement:P170={ADA}"
        return {"query": {"search": [{"title": WORK_1}, {"title": WORK_2}]}}

    def _commons(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked.get("list") == "search":
            assert asked["srsearch"] == f"haswbstatement:P180={ADA} filetype:bitmap"
            start = int(asked.get("sroffset", 0))
            some = self.depicting[start : start + 2]  # two at a time, so that more has to be asked for
            answer: dict[str, Any] = {"query": {"search": [{"title": title} for title in some]}}
            if start + 2 < len(self.depicting):
                answer["continue"] = {"sroffset": start + 2, "continue": "-||"}
            return answer
        pages, normalized = [], []
        for title in asked["titles"].split("|"):
            known = self.files.get(title.replace("_", " "))
            if title != title.replace("_", " "):
                normalized.append({"from": title, "to": title.replace("_", " ")})
            page: dict[str, Any] = {"title": title.replace("_", " ")}
            pages.append({**page, "imageinfo": [known]} if known else {**page, "missing": True})
        return {"query": {"pages": pages[::-1], "normalized": normalized}}
