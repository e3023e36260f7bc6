"""Texts as vectors of the space in which a corpus's images were embedded.

Either a scorer of the registry that reads texts too, or an architecture that open_clip knows with weights
from a file: embeddings that were published years ago came from such.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from concepts.errors import ModelError
from corpus.registry import data_folder
from fit.imitation.scorers import Vectors, load_scorer
from fit.weights.checkpoints import checkpoint

_BATCH = 256
_UNLOADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, AssertionError)


class TextEncoder(Protocol):
    """What turns texts into vectors."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d)."""
        ...


def load_text_encoder(model: str, weights: Path | None) -> TextEncoder:
    """Return a model that embeds texts.

    Args:
        model: A scorer (a row, or ``open_clip:PLACE``); with weights the name of an architecture of
            open_clip, such as ``ViT-L-14``.
        weights: The architecture's checkpoint, safetensors or a pickle that somebody vouched for.

    Raises:
        ModelError: There is no such model, it cannot be loaded, or it does not read texts.
    """
    if weights is not None:
        return _Architecture(model, weights)
    encoder: Any = load_scorer(model).load(data_folder())
    if not hasattr(encoder, "embed_texts"):
        raise ModelError(f"{model}: embeds images alone; take an open_clip model for --text-model")
    found: TextEncoder = encoder
    return found


class _Architecture:
    """An architecture of open_clip with weights from a file, on the CPU."""

    def __init__(self, name: str, weights: Path) -> None:
        import open_clip

        if open_clip.get_model_config(name) is None:
            known = ", ".join(each for each in open_clip.list_models() if each.startswith(name[:5])) or "none"
            raise ModelError(f"{name}: open_clip has no such architecture; alike are: {known}")
        if not weights.is_file():
            raise ModelError(f"{weights}: there is no such file; --pretrained takes the weights of {name}")
        path = checkpoint(weights, (), {})
        self._model = _loaded(name, path)
        self._tokenizer = open_clip.get_tokenizer(name)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d)."""
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                tokens = self._tokenizer(list(texts[start : start + _BATCH]))
                parts.append(torch.nn.functional.normalize(self._model.encode_text(tokens).float(), dim=1))
        vectors: Vectors = torch.cat(parts).numpy()
        return vectors


def _loaded(name: str, path: Path) -> Any:
    import open_clip
    from safetensors import SafetensorError

    try:
        model = open_clip.create_model(name, pretrained=str(path), pretrained_text=False)
    except (*_UNLOADABLE, SafetensorError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"{path}: cannot be loaded as {name} ({reason})") from error
    return model.eval()
