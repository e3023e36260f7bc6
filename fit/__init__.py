"""fit: find the number of training images at which a text-to-image model begins to imitate a concept.

``fit.estimate``, ``fit.open_run`` and ``fit.compare`` (docs/api.md) are loaded when they are first asked for,
so that ``import fit`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fit.api import compare, estimate, open_run
    from fit.result import Result

__version__ = "0.1.0"
__all__ = ["Result", "__version__", "compare", "estimate", "open_run"]

_WHERE = {"Result": "fit.result", "compare": "fit.api", "estimate": "fit.api", "open_run": "fit.api"}


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'fit' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
