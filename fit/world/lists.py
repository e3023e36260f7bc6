"""A world's concepts as a concept list, in the format of all lists."""

import csv
import io
from pathlib import Path

from fit.world.plan import Plan


def write_list(plan: Plan, lists: Path) -> None:
    """Write `<domain>/<set>.csv` (concept, aliases, group) and the TOML file beside it.

    Args:
        plan: The world.
        lists: Folder of all concept lists, with a folder per domain.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("concept", "aliases", "group"))
    for concept in sorted(plan.concepts, key=lambda each: each.name.name):
        writer.writerow((concept.name.name, "|".join(concept.name.aliases), concept.group))
    place = lists / f"{plan.matter.concepts}.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text.getvalue(), encoding="utf-8")
    title = f"Invented {plan.matter.noun_plural} of the demo world"
    about = f'title = "{title}"\nsource = "Made by this project: `make world`."\nlicence = "Apache-2.0"\n'
    about += 'people = "invented"\n'
    place.with_suffix(".toml").write_text(about, encoding="utf-8")
