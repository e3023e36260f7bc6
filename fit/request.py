"""From what somebody asks for in a few words to the complete settings of a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from concepts.domain import Domain, load_domain
from concepts.errors import SettingsError
from corpus.availability import require
from corpus.registry import corpora, load_corpus
from fit.config import Settings
from fit.generation.models import load_model


@dataclass(frozen=True)
class Request:
    """What was asked for, completed.

    Attributes:
        settings: The settings of a new run.
        given: The names of the settings that were asked for in so many words.
    """

    settings: Settings
    given: tuple[str, ...]


def compose(domain: str, model: str, corpus: str | None, seed: int | None) -> Request:
    """Complete what ``fit estimate`` was asked for.

    Args:
        domain: A domain (``art-styles``) or one of its concept sets (``art-styles/demo``).
        model: A row of the model registry, a hub id or a local folder.
        corpus: A row of the corpus registry or shards of one's own; None takes the model's.
        seed: Seed of the run; None is 0.

    Raises:
        ConceptsError: There is no such domain.
        CorpusError: The corpus is a row of the registry whose shards are not on this machine.
        ModelError: There is no such model.
        SettingsError: No corpus was given and the model's row names none.
    """
    row = load_domain(domain.partition("/")[0])
    model = load_model(model).stand_ins.get(row.name, model)
    trained_on = corpus or load_model(model).corpus
    if not trained_on:
        raise SettingsError(f"{model}: it is not known what it was trained on; name the corpus with --corpus")
    if trained_on in {named.name for named in corpora()}:
        require(load_corpus(trained_on))  # before a run is begun that could not count
    settings = Settings(
        domain=row.name,
        concepts=domain if "/" in domain else _list_of(row, trained_on),
        model=model,
        corpus=trained_on,
        seed=0 if seed is None else seed,
    )
    asked = {"corpus": corpus, "seed": seed}
    return Request(settings, ("domain", "concepts", "model", *(k for k, v in asked.items() if v is not None)))


def default_folder(settings: Settings) -> Path:
    """Return the run folder that is used when none is named, such as ``runs/art-styles-demo``."""
    standard = _list_of(load_domain(settings.domain), settings.corpus) == settings.concepts
    concepts = settings.domain if standard else settings.concepts.removesuffix(".csv")
    return Path("runs") / f"{_slug(concepts)}-{_slug(settings.model)}"


def _list_of(domain: Domain, corpus: str) -> str:
    """Return the list that is used when none is asked for: the corpus's of this domain, else its own."""
    suits = load_corpus(corpus).concepts
    return suits if suits.startswith(f"{domain.name}/") else domain.default_concepts


def _slug(text: str) -> str:
    """Return the text as part of a file name that cannot leave its folder."""
    return re.sub(r"[^\w.]+", "-", text.casefold()).strip("-.") or "x"
