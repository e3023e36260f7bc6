"""The artists as a concept list, in the format of all lists."""

import csv
import io
from pathlib import Path

from fit.world.plan import Plan

TITLE = "Invented artists of the demo world"


def write_list(plan: Plan, folder: Path) -> None:
    """Write `demo.csv` (concept, aliases, group) and `demo.toml` into a folder of lists."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("concept", "aliases", "group"))
    for artist in sorted(plan.artists, key=lambda each: each.name.name):
        writer.writerow((artist.name.name, "|".join(artist.name.aliases), artist.group))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "demo.csv").write_text(text.getvalue(), encoding="utf-8")
    about = f'title = "{TITLE}"\nsource = "Made by this project: `make world`."\nlicence = "Apache-2.0"\n'
    (folder / "demo.toml").write_text(about, encoding="utf-8")
