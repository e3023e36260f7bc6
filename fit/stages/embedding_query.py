"""What a count by embeddings asks for: the references of each concept, and the cut of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from concepts.catalogue import ConceptSet, read_catalogue
from concepts.domain import CONCEPT_SLOT
from concepts.errors import TooLittleData, UsageError
from corpus.embeddings.cuts import aligned, parse_cut, read_cuts
from corpus.embeddings.references import References, read_reference_vectors, references_of
from corpus.registry import data_folder
from corpus.shards import Unreadable
from fit.imitation.calibration import Cut, calibrate
from fit.imitation.scorers import load_scorer
from fit.stages.inputs import embed
from fit.stages.reference_images import read_reference_images


@dataclass(frozen=True)
class Sought:
    """Where the references come from: vectors, images to be embedded, or texts to be embedded.

    Attributes:
        references: Parquet file of vectors; with a scorer a folder or Parquet file of images.
        scorer: What embeds images; empty: the references are vectors.
        text_model: What embeds the prompts; None: no texts.
        weights: With a text model: an architecture's checkpoint.
        prompts: Templates with ``{concept}``; each is a reference of the concept.
        concepts: CSV of the concepts: whose images or texts are embedded, whose captions are searched.
    """

    references: Path | None = None
    scorer: str = ""
    text_model: str | None = None
    weights: Path | None = None
    prompts: tuple[str, ...] = (CONCEPT_SLOT,)
    concepts: Path | None = None


@dataclass(frozen=True)
class Asked:
    """A query.

    Attributes:
        references: The references of the concepts that are counted.
        cuts: The cut of each, shape (n,), float32.
        errors: Sensitivity and false-match rate of each cut, where they were calibrated.
        catalogue: The concepts that captions are searched for; None: captions are not searched.
        left_out: Concepts that are not counted, and references that cannot be read.
    """

    references: References
    cuts: NDArray[np.float32]
    errors: dict[str, tuple[float, float]] = field(default_factory=dict)
    catalogue: ConceptSet | None = None
    left_out: tuple[Unreadable, ...] = ()


def query_of(sought: Sought, cut: str, false_match_rate: float | None) -> Asked:
    """Return the query.

    Args:
        sought: Where the references come from.
        cut: A number, or a file with a cut for each concept; empty: the cuts are calibrated.
        false_match_rate: Share of the other concepts' references that a calibrated cut lets in, in (0, 1).

    Raises:
        UsageError: Options that do not go together.
        ConceptsError, MalformedFile, CorpusError, ModelError: A file or a model is not in order.
        TooLittleData: No concept has a reference, or none has enough to calibrate its cut.
    """
    _check(sought, cut, false_match_rate)
    one = parse_cut(cut) if cut else None
    catalogue = None if sought.concepts is None else read_catalogue(sought.concepts)
    references, left_out = _references(sought, catalogue)
    if catalogue is not None:
        there = set(references.concepts)
        names = (concept.name for concept in catalogue.concepts)
        left_out += [Unreadable(name, "no reference embedding") for name in names if name not in there]
    if false_match_rate is not None:
        return _calibrated(references, false_match_rate, catalogue, left_out)
    given = aligned(read_cuts(Path(cut)) if one is None else one, references.concepts, cut)
    return Asked(references, given, {}, catalogue, tuple(left_out))


def _check(sought: Sought, cut: str, false_match_rate: float | None) -> None:
    if (sought.references is None) == (sought.text_model is None):
        raise UsageError("give --references or --text-model: what are the images compared with?")
    if bool(cut) == (false_match_rate is not None):
        raise UsageError("give --cut (a number or a file) or --false-match-rate")
    if false_match_rate is not None and not 0 < false_match_rate < 1:
        raise UsageError(f"--false-match-rate {false_match_rate}: a share in (0, 1) is needed")
    if false_match_rate is not None and sought.text_model is not None:
        raise UsageError("--false-match-rate: a text has no other images of its concept; give --cut")
    if sought.concepts is None and (sought.text_model is not None or sought.scorer):
        raise UsageError("give --concepts: whose images or texts are to be embedded?")
    if sought.weights is not None and sought.text_model is None:
        raise UsageError("--pretrained: give --text-model too, the architecture that the weights are of")
    for prompt in sought.prompts:
        if prompt.count(CONCEPT_SLOT) != 1:
            raise UsageError(f"--prompt {prompt!r}: it has to hold {CONCEPT_SLOT} exactly once")


def _references(sought: Sought, catalogue: ConceptSet | None) -> tuple[References, list[Unreadable]]:
    """Return the references, and images among them that have no vector."""
    if sought.text_model is not None and catalogue is not None:
        return _of_texts(sought, sought.text_model, catalogue), []
    if sought.references is None:
        raise UsageError("give --references")
    if sought.scorer and catalogue is not None:
        return _of_images(sought.references, sought.scorer, catalogue)
    return read_reference_vectors(sought.references), []


def _of_texts(sought: Sought, model: str, catalogue: ConceptSet) -> References:
    from fit.imitation.clip_text import load_text_encoder

    names = [concept.name for concept in catalogue.concepts]
    texts = [prompt.replace(CONCEPT_SLOT, name) for name in names for prompt in sought.prompts]
    vectors = load_text_encoder(model, sought.weights).embed_texts(texts)
    step = len(sought.prompts)
    return references_of({name: vectors[i * step : (i + 1) * step] for i, name in enumerate(names)})


def _of_images(source: Path, scorer: str, catalogue: ConceptSet) -> tuple[References, list[Unreadable]]:
    encoder = load_scorer(scorer).load(data_folder())
    vectors, left_out = {}, []
    for name, images in read_reference_images(source, catalogue.concepts).items():
        found = embed(encoder, [each.image for each in images])
        left_out += [Unreadable(f"{name}: {images[place].key}", reason) for place, reason in found.unreadable]
        if len(found.vectors):
            vectors[name] = found.vectors
    if not vectors:
        raise TooLittleData(f"{source}: no reference image of any concept; name a folder with such images")
    return references_of(vectors), left_out


def _calibrated(
    references: References, rate: float, catalogue: ConceptSet | None, left_out: Sequence[Unreadable]
) -> Asked:
    """Cut each concept where the share of the other concepts' references that is asked for gets in."""
    cuts = calibrate(references.by_concept(), rate)
    if not cuts:
        raise TooLittleData("no cut can be calibrated: two concepts with two references each are needed")
    without = [name for name in references.concepts if name not in cuts]
    few = [Unreadable(name, "fewer than two references: no cut can be calibrated") for name in without]
    kept = references.only(cuts)
    return Asked(
        kept,
        aligned({name: cut.value for name, cut in cuts.items()}, kept.concepts, "calibration"),
        {name: _errors(cut) for name, cut in cuts.items()},
        catalogue,
        (*left_out, *few),
    )


def _errors(cut: Cut) -> tuple[float, float]:
    return cut.own_passed / cut.own_total, cut.strangers_passed / cut.strangers_total
