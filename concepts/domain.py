"""Domains: families of concepts with their prompts and scorer, one TOML file each in ``domains/``.

To add a domain, add ``domains/<name>.toml`` with the keys of `Domain`, here or in the folder of own rows;
nothing else names it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from concepts.errors import ConceptsError, unknown
from concepts.own_rows import DOMAIN, check_keys, registered

CONCEPT_SLOT = "{concept}"
_KINDS: dict[str, type] = {"prompts": list, "people": bool}


@dataclass(frozen=True, slots=True)
class Domain:
    """A family of concepts.

    Attributes:
        name: The key, as in ``--domain``.
        title: The name for readers.
        noun: One concept of it, as in "an artist".
        noun_plural: Several of them.
        prompts: Templates of the text-to-image prompts, each with one ``{concept}``.
        default_concepts: The concept list that is used when none is asked for (``<domain>/<set>``).
        scorer: The scorer that is used when neither the settings nor the corpus name one.
        description: What the domain is, its prompts' source.
        people: Whether its pictures show people whom they let others recognise.
    """

    name: str
    title: str
    noun: str
    noun_plural: str
    prompts: tuple[str, ...]
    default_concepts: str
    scorer: str
    description: str
    people: bool = False

    def prompts_for(self, concept: str) -> tuple[str, ...]:
        """Return the prompts with the concept's name filled in, in the order of the templates."""
        return tuple(prompt.replace(CONCEPT_SLOT, concept) for prompt in self.prompts)


def domains() -> tuple[Domain, ...]:
    """Return all domains, one's own among them, in the order of their names.

    Raises:
        ConceptsError: An own domain is malformed, or has the name of a shipped one.
    """
    folder = files("concepts").joinpath("domains")
    shipped = {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return registered(DOMAIN, shipped, domain_of)


def load_domain(name: str) -> Domain:
    """Return a domain by its name.

    Raises:
        ConceptsError: There is no such domain; the message lists those that there are and the nearest.
    """
    known = {domain.name: domain for domain in domains()}
    if name not in known:
        raise ConceptsError(unknown("domain", name, known))
    return known[name]


def domain_of(name: str, row: dict[str, Any]) -> Domain:
    """Return the domain that a row describes.

    Raises:
        ConceptsError: A key is missing, unknown or of another type, or a prompt does not have exactly one
            ``{concept}``.
    """
    check_keys(DOMAIN, name, row, Domain)
    for key, value in row.items():
        if not isinstance(value, _KINDS.get(key, str)):
            raise ConceptsError(f"domain {name}: {key} = {value!r}; it has the wrong type")
    if not row["prompts"]:
        raise ConceptsError(f"domain {name}: prompts is empty; give at least one")
    for prompt in row["prompts"]:
        if not isinstance(prompt, str):
            raise ConceptsError(f"domain {name}: prompts: {prompt!r} is no text; quote it")
        if prompt.count(CONCEPT_SLOT) != 1:
            raise ConceptsError(f"domain {name}: prompts: {prompt!r} has to hold {CONCEPT_SLOT} exactly once")
    return Domain(name=name, **{**row, "prompts": tuple(row["prompts"])})
