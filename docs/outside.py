"""Pages of the site that lie outside docs/: links to them hold in the repository and here."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "ETHICS.md": "ethics.md",
    "GLOSSARY.md": "glossary.md",
    "SECURITY.md": "security.md",
    "concepts/lists/README.md": "concept-lists.md",
    "data/demo/CARD.md": "demo-world.md",
}
_LINK = re.compile(r"(\]\()([^)#\s]+\.md)(#[^)\s]*)?(\))")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages to the site."""
    for source, name in OUTSIDE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links that leave docs/ to the pages of the site."""
    back = {name: source for source, name in OUTSIDE.items()}
    home = page.file.src_uri
    place = posixpath.dirname(back.get(home, f"docs/{home}"))

    def led(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(place, found[2]))
        inside = OUTSIDE.get(target) or target.removeprefix("docs/")
        there = posixpath.relpath(inside, posixpath.dirname(home) or ".")
        return f"{found[1]}{there}{found[3] or ''}{found[4]}"

    return _LINK.sub(led, markdown)
