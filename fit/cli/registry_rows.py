"""What the registries say, as values for ``--json`` and as facts for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from concepts.own_rows import CORPUS, DOMAIN, MODEL, Kind, origin, own_lists

if TYPE_CHECKING:
    from concepts.domain import Domain
    from corpus.registry import Corpus
    from fit.generation.models import Model
    from fit.generation.training import Training

GATED = "yes: accept the conditions on the hub's page, and log in with `hf auth login`"
UNKNOWN = "data that are not stated: name a corpus with --corpus"
NOT_CLEANED = "not known: its images are fetched with --accept-unfiltered only"

Facts = list[tuple[str, str]]
"""Names of facts, and the facts; an empty name continues the one before."""


def number(value: float) -> str:
    """Return a count for people: 2.16 billion, 51.9 million, 12,423."""
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{value / unit:.3g} {name}" if value < 1000 * unit else f"{value / unit:,.0f} {name}"
    return f"{value:,.0f}"


def short(licence: str) -> str:
    """Return a licence's name without what is said about it."""
    return re.split(r"[:;(]| for links| for any", licence)[0].strip()


def maker(kind: Kind, name: str) -> str:
    """Return whose row it is, for lists."""
    return "yours" if origin(kind, name) else "fit"


def row_told(kind: Kind, name: str) -> str:
    """Return where one's own row stands; empty for a shipped one."""
    file = origin(kind, name)
    return f"your own, in {file}" if file else ""


def corpora_of(model: Model) -> str:
    """Return the corpora that a model was trained on."""
    return ", ".join(dict.fromkeys(training.corpus for training in model.training)) or model.corpus


def model_values(model: Model) -> dict[str, Any]:
    """Return a model's row as JSON values, with what it saw in each phase of its training."""
    values = asdict(model)
    for row, training in zip(values["training"], model.training, strict=True):
        row["seen"] = training.seen
    return values | {"file": origin(MODEL, model.name) or None}


def model_facts(model: Model) -> Facts:
    """Return what is worth knowing of a model before it is used."""
    return [
        ("weights", ", else ".join(model.weights)),
        *((("prior", ", else ".join(model.prior)),) if model.prior else ()),
        ("sampled with", _settings(model)),
        ("gated", GATED if model.gated else ""),
        ("licence", model.licence),
        ("source", model.source),
        ("note", model.note),
        ("row", row_told(MODEL, model.name)),
        *_numbered("trained on", [_told(each) for each in model.training] or [model.corpus or UNKNOWN]),
    ]


def _settings(model: Model) -> str:
    size = f"{model.width} x {model.height} pixels" if model.width else "the pipeline's size"
    steps = f"{model.steps} steps" if model.steps else "the pipeline's steps"
    guidance = f"guidance {model.guidance:g}" if model.guidance else "the pipeline's guidance"
    published = [model.published_dtype, model.scheduler]
    study = f" (the published study: {', '.join(filter(None, published))})" if any(published) else ""
    return f"{steps}, {guidance}, {size}, {model.dtype}{study}"


def _told(training: Training) -> str:
    """Return a phase of a training in a line."""
    rows = f"rows with {training.where}" if training.where else "all rows"
    told = [f"{training.corpus}, {rows}", training.name]
    if training.seen:
        told.append(f"{training.steps:,} steps of {training.batch:,} images ({number(training.seen)})")
    elif training.steps:
        told.append(f"{training.steps:,} steps")
    if training.passes:
        told.append(f"{training.passes:g} passes")
    elif training.seen and training.rows:
        told.append(f"{training.seen / training.rows:.2g} passes over {number(training.rows)} rows, computed")
    return "; ".join([*filter(None, told), training.source])


def trained_on(corpus: Corpus, models: Sequence[Model]) -> Iterator[dict[str, Any]]:
    """Yield each phase in which a model of the registry was trained on a corpus, as JSON values."""
    from fit.generation.training import phases

    for model in models:
        for phase in phases(model.training, corpus):
            yield {"model": model.name, **asdict(phase)}


def corpus_values(corpus: Corpus, models: Sequence[Model]) -> dict[str, Any]:
    """Return a corpus's row as JSON values, with what to do to have it and who was trained on it."""
    from corpus.availability import access_to, how_to_get, is_at_hand

    return asdict(corpus) | {
        "access": access_to(corpus),
        "at_hand": is_at_hand(corpus),
        "get": how_to_get(corpus),
        "trained": list(trained_on(corpus, models)),
        "file": origin(CORPUS, corpus.name) or None,
    }


def corpus_facts(corpus: Corpus, models: Sequence[Model]) -> Facts:
    """Return what is worth knowing of a corpus before it is counted."""
    from corpus.availability import access_to, folder_of, how_to_get, is_at_hand

    here = is_at_hand(corpus)
    columns = {"caption": corpus.caption_column, "url": corpus.url_column, **corpus.columns}
    size = f", {corpus.bytes / 1e9:,.0f} GB" if corpus.bytes else ""
    return [
        ("rows", f"{number(corpus.rows)}{size}" if corpus.rows else ""),
        ("columns", ", ".join(f"{role}: {name}" for role, name in columns.items() if name)),
        ("parts", ", ".join(corpus.parts)),
        ("part of", corpus.subset_of),
        ("condition", f"{corpus.where} ({corpus.where_source})" if corpus.where else ""),
        ("here", f"{'yes' if here else 'no'}: {folder_of(corpus)}"),
        ("access", access_to(corpus)),
        ("get it", "" if here else how_to_get(corpus)),
        ("cleaned", corpus.cleaned or NOT_CLEANED),
        ("licence", corpus.licence),
        ("source", corpus.source),
        ("note", corpus.note),
        ("row", row_told(CORPUS, corpus.name)),
        *_numbered("trained on it", [_phase_told(row) for row in trained_on(corpus, models)]),
    ]


def _phase_told(row: dict[str, Any]) -> str:
    rows = f"rows with {row['where']}" if row["where"] else "all rows"
    passes = "passes not known" if row["passes"] is None else f"{row['passes']:.2g} passes"
    return f"{row['model']}, {row['name']}; {rows}; {passes}; {row['source']}"


def domain_values(domain: Domain) -> dict[str, Any]:
    """Return a domain's row as JSON values, with its concept lists."""
    from concepts.catalogue import catalogue_names, find_catalogue

    found = [find_catalogue(name) for name in catalogue_names() if name.startswith(f"{domain.name}/")]
    own = own_lists()
    lists = [
        {
            "name": each.name,
            "title": each.title,
            "concepts": len(each.concepts),
            "aliases": sum(len(concept.aliases) for concept in each.concepts),
            "flagged": sum(bool(concept.flags) for concept in each.concepts),
            "groups": len({concept.group for concept in each.concepts}),
            "removed": each.removed,
            "source": each.source,
            "licence": each.licence,
            "file": str(own[each.name]) if each.name in own else None,
        }
        for each in found
    ]
    return asdict(domain) | {"lists": lists, "file": origin(DOMAIN, domain.name) or None}


def domain_facts(domain: Domain) -> Facts:
    """Return what is worth knowing of a domain, and its concept lists."""
    values = domain_values(domain)
    told = "{name}: {concepts:,} concepts in {groups} groups, {aliases:,} aliases, {flagged:,} flagged"
    lists = [
        told.format(**each)
        + (f", {each['removed']:,} removed" if each["removed"] else "")
        + (f"; your own, in {each['file']}" if each["file"] else "")
        for each in values["lists"]
    ]
    return [
        ("about", domain.description),
        ("row", row_told(DOMAIN, domain.name)),
        ("scorer", domain.scorer),
        ("concepts", f"{domain.default_concepts}, unless another list is asked for"),
        *_numbered("lists", lists),
        *_numbered("prompts", list(domain.prompts)),
    ]


def _numbered(name: str, lines: Sequence[str]) -> Facts:
    return [(name if place == 0 else "", line) for place, line in enumerate(lines)]
