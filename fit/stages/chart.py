"""A drawing that a notebook shows and a file can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concepts.errors import UsageError
from fit.report.drawing import to_png
from fit.run import artefacts

ENDINGS = (".svg", ".png", ".json")


@dataclass(frozen=True, eq=False)
class Chart:
    """A drawing.

    Attributes:
        specification: A Vega-Lite specification with its data, for ``altair.Chart.from_dict`` or an editor.
        svg: The same rendered, on paper of its own, light or dark as the reader's system asks.
        alt: The drawing in words.
    """

    specification: Mapping[str, Any]
    svg: str
    alt: str

    def save(self, path: str | Path) -> Path:
        """Write the drawing and return where it is.

        Args:
            path: Ends with .svg, .png (twice the size, light) or .json (the specification).

        Raises:
            UsageError: It ends otherwise.
        """
        target = Path(path)
        if target.suffix not in ENDINGS:
            raise UsageError(f"{target}: the name has to end with {', '.join(ENDINGS)}")
        if target.suffix == ".json":
            artefacts.write_json(target, self.specification)
        else:
            content = self.svg.encode() if target.suffix == ".svg" else to_png(self.specification)
            artefacts.write_bytes(target, content)
        return target

    def __repr__(self) -> str:
        return f"<Chart: {self.alt}>"

    def _repr_mimebundle_(
        self, include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
    ) -> dict[str, str]:
        """What Jupyter shows: the rendered drawing, which needs no script and no network."""
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}
