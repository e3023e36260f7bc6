"""The artwork gate of the verification: images that are no artworks are looked at and are no hits."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict

import numpy as np

from concepts.errors import ModelError
from fit.imitation.artwork import TEXT, text_cosines
from fit.imitation.scorers import Embedded, Encoder, Unreadable
from fit.run import Job
from fit.stages.cuts import gate_of
from fit.stages.embeddings import CachedEncoder, named_encoder
from fit.stages.inputs import embed


class GatedEncoder:
    """An encoder that leaves out, as blank, images that are no artworks; an `Encoder` itself."""

    def __init__(
        self, encoder: Encoder, gate: CachedEncoder, cut: float, known: Collection[str] = ()
    ) -> None:
        """Take the encoder, the gate's, its cut, and digests of images that pass whatever it says."""
        self._encoder, self._gate, self._cut, self._known = encoder, gate, cut, frozenset(known)
        self._text = gate.embed_texts([TEXT])

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        return self._encoder.dimensions

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of the images that pass."""
        refused = self._refused(images)
        passing = [place for place in range(len(images)) if place not in refused]
        found = self._encoder.embed([images[place] for place in passing])
        unreadable = [Unreadable(passing[e.index], e.reason, e.blank) for e in found.unreadable]
        unreadable += [Unreadable(place, reason, blank=True) for place, reason in refused.items()]
        return Embedded(
            found.vectors,
            np.array(passing, np.int64)[found.index],
            tuple(sorted(unreadable, key=lambda each: each.index)),
            found.facts,
        )

    def _refused(self, images: Sequence[bytes]) -> dict[int, str]:
        """Return place and reason of the images that the gate refuses; it says nothing of unreadable ones."""
        found = self._gate.embed(images)
        refused = {}
        for place, cosine in zip(found.index.tolist(), text_cosines(found.vectors, self._text), strict=True):
            if cosine < self._cut and hashlib.sha256(images[place]).hexdigest() not in self._known:
                refused[place] = f"no artwork (cosine with {TEXT!r} below {self._cut:.4f})"
        return refused


def behind_gate(job: Job, encoder: Encoder) -> Encoder:
    """Return the encoder behind the gate that the settings name, or as it is where they name none.

    The cut is a published preset's, or so that the share `verification.gate_passing` of the reference images,
    which are artworks, passes. What it is goes into `gate.json`.

    Raises:
        ModelError: The gate's scorer embeds no texts.
        SettingsError: No such preset is there for it.
    """
    chosen = job.settings.verification
    if not chosen.gate:
        return encoder
    gate = named_encoder(job, chosen.gate)
    if not gate.reads_texts:
        raise ModelError(f"verification.gate={chosen.gate}: embeds images alone; name an open_clip scorer")
    references = job.read("references", "references")
    vectors = embed(gate, references["image"].to_pylist()).vectors
    found = gate_of(text_cosines(vectors, gate.embed_texts([TEXT])), job.settings)
    job.write_json("gate", {"scorer": chosen.gate, "text": TEXT, **asdict(found)})
    return GatedEncoder(encoder, gate, found.cut, references["digest"].to_pylist())
