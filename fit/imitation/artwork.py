"""Is an image an artwork at all? Its cosine with a text, held against a cut.

Images of an artist's name may show a museum or a T-shirt; their style says nothing. The published method asks
open_clip for the cosine with "an artwork" first (Verma et al. 2024, arXiv:2410.15002). Its cuts are rows of
``cuts.toml``; otherwise the cut is calibrated so that nearly all reference images, which are artworks, pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
TEXT = "an artwork"


@dataclass(frozen=True, slots=True)
class ArtworkGate:
    """A cut on the cosine with a text.

    Attributes:
        cut: Images at or above it pass.
        references_passed: Share of the reference images that do, in [0, 1].
        references: Their number.
    """

    cut: float
    references_passed: float
    references: int


def text_cosines(images: Vectors, text: Vectors) -> npt.NDArray[np.float64]:
    """Return each image's cosine with a text, shape (n,).

    Args:
        images: Unit vectors of images, shape (n, d).
        text: Unit vector of the text, shape (1, d).
    """
    cosines: npt.NDArray[np.float64] = (images.astype(np.float64) @ text.astype(np.float64).T)[:, 0]
    return cosines


def gate_at(cut: float, references: npt.NDArray[np.float64]) -> ArtworkGate:
    """Return a gate at a given cut; `references` are the reference images' cosines, shape (n,)."""
    passed = float((references >= cut).mean()) if len(references) else float("nan")
    return ArtworkGate(cut, passed, len(references))


def calibrate_gate(references: npt.NDArray[np.float64], passing: float) -> ArtworkGate:
    """Return the gate with the largest cut that this share of the references pass.

    Args:
        references: Cosines of reference images with the text, shape (n,), n >= 1.
        passing: Share of them that has to pass, in (0, 1].
    """
    ordered = np.sort(references)[::-1]
    needed = int(np.ceil(round(passing * len(ordered), 6)))
    return gate_at(float(ordered[max(needed, 1) - 1]), references)
