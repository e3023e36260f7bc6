"""Names and captions come from strangers: what is shown of them, and what makes the invisible visible."""

import unicodedata

SHOWN = 120
"""Characters of a name that are shown at most; the rest is counted."""

_JOINERS = "\u200c\u200d"  # zero-width joiners are part of ordinary Persian and Indic spelling


def shown(text: str, limit: int = SHOWN) -> str:
    """A text from outside as it may stand in a line: no control, no direction override, no endless length.

    Control, format, private, unassigned and surrogate characters are written as ``‹U+202E›``, so that a name
    can neither hide something nor turn the text around it; white space becomes one space. Escaping for HTML,
    SVG or Markdown is the business of whoever prints it.

    Args:
        text: any string.
        limit: characters shown at most, >= 1.

    Returns:
        The text, and for a longer one its beginning with ``… (10,000 characters)``.
    """
    flat = " ".join(text.split())
    cut = flat[:limit].rstrip() if len(flat) > limit else flat
    visible = "".join(_visible(character) for character in cut)
    return f"{visible}… ({len(text):,} characters)" if len(flat) > limit else visible


def line(text: str) -> str:
    """A message that may quote strangers, as one line of any length, with the invisible made visible."""
    return "".join(" " if character in "\t\n\r" else _visible(character) for character in text.rstrip())


def block(text: str) -> str:
    """A text of several lines from outside, with line breaks kept and the invisible made visible."""
    return "\n".join("".join(_visible(c) if c != "\t" else c for c in line) for line in text.splitlines())


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character in _JOINERS or category not in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}:
        return character
    return f"‹U+{ord(character):04X}›"
