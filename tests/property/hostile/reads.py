"""What fit does with a file that others may have made: reads for `readers`, each of its bytes in a folder."""

from __future__ import annotations

import functools
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.property.hostile import seeds

Read = Callable[[bytes, Path], object]


def at(name: str, read: Callable[[Path], object]) -> Read:
    """Read from a file of some name."""

    def from_file(content: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(content)
        return read(path)

    return from_file


def text(read: Callable[[str], object]) -> Read:
    return lambda content, _: read(content.decode("utf-8", "replace"))


def concepts(path: Path) -> object:
    from concepts.catalogue import read_catalogue

    return read_catalogue(path)


def about(content: bytes, folder: Path) -> object:
    (folder / "list.csv").write_bytes(seeds.CONCEPTS)
    (folder / "list.toml").write_bytes(content)
    return concepts(folder / "list.csv")


def settings(text: str) -> object:
    from fit import config

    return config.load_toml(text, "config.toml")


def assignment(text: str) -> object:
    from fit import config

    return config.apply(config.Settings(domain="-", concepts="-", model="-", corpus="-"), [text])


def run(content: bytes, folder: Path) -> object:
    from fit.run import folder as runs

    (folder / "config.toml").write_bytes(content)
    (folder / "run.json").write_bytes(seeds.history())
    return runs.load(folder)


def curve(path: Path) -> object:
    from fit.stages.curve_file import read_curve

    return read_curve(path)


def frequencies(path: Path) -> object:
    from fit.stages.curve_file import read_frequencies

    return read_frequencies(path)


@functools.cache
def counter() -> Any:
    """The counter of two concepts; to make it takes longer than to count a small file."""
    from concepts.concept import Concept
    from corpus.captions import CaptionCounter, CaptionQuery

    return CaptionCounter(CaptionQuery((Concept("Ada Lume"), Concept("Bo, Krin")), sample=3))


def captions(path: Path) -> object:
    from corpus.shards import survey_shards

    return [counter()(shard) for shard in survey_shards(path).shards]


def part(path: Path) -> object:
    from corpus.counts import merge
    from fit.run import artefacts

    return merge([path], ("Ada Lume", "Zoë Ny")) if artefacts.is_whole(path) else None


def image(content: bytes, _: Path) -> object:
    from corpus.fetch.pictures import examine
    from corpus.fetch.policy import Limits
    from fit.imitation.decoding import decode

    return decode(content), examine(content, Limits())


def tar(content: bytes, folder: Path) -> object:
    (folder / "0.parquet").write_bytes(seeds.index())
    (folder / "0.tar").write_bytes(content)
    return images(folder)


def index(content: bytes, folder: Path) -> object:
    (folder / "0.parquet").write_bytes(content)
    (folder / "0.tar").write_bytes(seeds.tar())
    return images(folder)


def images(folder: Path) -> object:
    from corpus.images import ImageStore

    store = ImageStore.open(folder)
    return list(store.read_many(["https://a/1", "https://a/2", "https://a/3"]))


def receipt(content: bytes, folder: Path) -> object:
    from fit.run import receipts

    (folder / receipts.RECEIPT).write_bytes(content)
    (folder / receipts.PLAN).write_bytes(content)
    found = receipts.read_receipt(folder)
    plan = receipts.Plan("counts", 3, {}, {})
    receipts.same_plan(folder, plan)
    return found and (list(receipts.damaged(folder, found, deep=True)),
                      list(receipts.differences(found, plan, frozenset())))  # fmt: skip


def history(path: Path) -> object:
    from fit.run import history

    return history.invocations(path.parent), history.format_of(path.parent)


def forgotten(path: Path) -> object:
    from fit.run import forgotten

    return forgotten.forgotten(path.parent), forgotten.number_forgotten(path.parent)


def rows(make: Callable[[str, dict[str, Any]], object]) -> Read:
    """Make each row of a registry, as the modules that own the rows do; what is no TOML has no rows."""

    def read(content: bytes, _: Path) -> object:
        return [make(str(name), row) for name, row in toml(content).items() if isinstance(row, dict)]

    return read


def toml(content: bytes) -> dict[str, Any]:
    from concepts.errors import MalformedFile

    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedFile("no TOML") from error


def model(name: str, row: dict[str, Any]) -> object:
    from fit.generation.models import model_of

    return model_of(name, row)


def scorer(name: str, row: dict[str, Any]) -> object:
    from fit.imitation.scorers import scorer_of

    return scorer_of(name, row)


def corpus(name: str, row: dict[str, Any]) -> object:
    from corpus.registry import corpus_of

    return corpus_of(name, row)


def domain(content: bytes, _: Path) -> object:
    from concepts.domain import domain_of

    return domain_of("x", toml(content))


def bundle(content: bytes, folder: Path) -> object:
    from fit.evidence.archive import unpack

    into = folder / "out"
    shutil.rmtree(into, ignore_errors=True)
    (folder / "b.zip").write_bytes(content)
    found = unpack(folder / "b.zip", into)
    assert sorted(os.listdir(folder)) == ["b.zip", "out"], "a file beside the bundle's folder"
    return found


def vectors(path: Path) -> object:
    from corpus.embeddings.references import read_reference_vectors

    return read_reference_vectors(path).digest


def embeddings(path: Path) -> object:
    from corpus.embeddings.files import EmbeddingFile, content_digest
    from corpus.embeddings.shards import open_embeddings, read_blocks

    content_digest(path)
    shard = open_embeddings(EmbeddingFile(path, path.name, None), 4)
    return sum(len(block) for _, block in read_blocks(shard, 4, 1000))


def cuts(path: Path) -> object:
    from corpus.embeddings.cuts import read_cuts

    return read_cuts(path)


def references(path: Path) -> object:
    from corpus.references import read_references

    return read_references(path, ["Ada Lume"])


def described(name: str) -> Read:
    def read(content: bytes, folder: Path) -> object:
        from concepts.concept import Concept
        from fit.stages.reference_images import read_reference_images

        home = folder / "references"
        (home / "Ada Lume").mkdir(parents=True, exist_ok=True)
        for place in ("a.png", "Ada Lume/b.png"):
            (home / place).write_bytes(b"x")
        (home / name).write_bytes(content)
        return read_reference_images(home, [Concept("Ada Lume")])

    return read


def opt_outs(path: Path) -> object:
    from fit.stages.curate_files import _opt_outs as read_opt_out_file

    return read_opt_out_file(path)


def removed(path: Path) -> object:
    from concepts import removal

    os.environ[removal.VARIABLE] = str(path)
    try:
        removal.removal_list()
        return removal.add_to_list(["a" * 64])
    finally:
        del os.environ[removal.VARIABLE]


def condition(text: str) -> object:
    from corpus.where import parse_condition

    return parse_condition(text)


def tensors(path: Path) -> object:
    from fit.weights.checkpoints import tensors

    return tensors(path)


def pickle(path: Path) -> object:
    from fit.weights.pickles import allow_pickle

    if path.stat().st_size > 100_000:
        return None  # torch searches its own message for minutes where it quotes a name of that length
    os.environ["FIT_CACHE"] = str(path.parent / "cache")
    shutil.rmtree(path.parent / "cache", ignore_errors=True)
    return allow_pickle(path)
