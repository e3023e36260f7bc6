"""Whether a corpus of the registry is on this machine, and what to get and where to put it when it is not."""

from __future__ import annotations

import shlex
from pathlib import Path

from concepts.errors import CorpusError
from corpus.registry import DATA_VARIABLE, PACKED, Corpus, load_corpus, resolve
from corpus.sources.local import list_files
from corpus.sources.places import has_wildcard, is_elsewhere

SUFFIX = ".parquet"
HUB_PAGES = "https://huggingface.co/datasets"


def is_at_hand(corpus: Corpus) -> bool:
    """Tell whether a corpus has a shard on this machine, or is read where it lies, behind a URL."""
    return is_elsewhere(corpus.captions) or bool(list_files(str(resolve(corpus.captions)), SUFFIX))


def require(corpus: Corpus) -> None:
    """Refuse a corpus of which something has to be got first.

    Raises:
        CorpusError: It has no shard on this machine, or one of its parts has none. The message says what to
            get, what to accept for it, and where to put it.
    """
    if corpus.parts:
        if any(not is_at_hand(load_corpus(part)) for part in corpus.parts):
            raise CorpusError(_missing(corpus))
    elif not is_at_hand(corpus):
        raise CorpusError(_missing(corpus))


def access_to(corpus: Corpus) -> str:
    """Return what has to be done before a corpus may be had; empty: nothing."""
    return corpus.access.replace("{page}", f"{HUB_PAGES}/{corpus.hub}")


def how_to_get(corpus: Corpus) -> str:
    """Return what puts a corpus where it is looked for: a command, or a sentence; empty where none is known.

    Of a corpus in parts the commands of the parts that are not at hand.
    """
    if corpus.parts:
        parts = [load_corpus(part) for part in corpus.parts]
        return " && ".join(how_to_get(part) for part in parts if not is_at_hand(part))
    folder = _where_to(folder_of(corpus))
    if corpus.fetch:
        return corpus.fetch.strip().replace("{folder}", folder)
    if not corpus.hub:
        return ""
    return f"hf download {corpus.hub} --repo-type dataset --include '*{SUFFIX}' --local-dir {folder}"


def _where_to(folder: Path) -> str:
    """Return a folder as a shell takes it; what is got belongs beside an installed package, never in it."""
    if folder.is_relative_to(PACKED):
        return f'"${DATA_VARIABLE}"/{shlex.quote(str(folder.relative_to(PACKED)))}'
    return shlex.quote(str(folder))


def folder_of(corpus: Corpus) -> Path:
    """Return the folder that a corpus's shards lie in: its pattern up to the first wildcard."""
    pattern = resolve(corpus.captions)
    parts = pattern.parts
    fixed = next((place for place, part in enumerate(parts) if has_wildcard(part)), len(parts))
    return Path(*parts[:fixed])


def _missing(corpus: Corpus) -> str:
    looked = f"corpus {corpus.name}: not here (no file matches {resolve(corpus.captions)})"
    get = how_to_get(corpus)
    steps = [step for step in (access_to(corpus), get if corpus.fetch or not get else f"run {get}") if step]
    size = f" ({corpus.bytes / 1e9:,.0f} GB)" if corpus.bytes else ""
    told = f"to get it{size}, {'; then '.join(steps)}" if steps else "give its shards with --corpus"
    return f"{looked}; {told}; or set {DATA_VARIABLE} to the folder that holds it"
