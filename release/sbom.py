"""Write the bill of materials of a release as CycloneDX 1.6: ``python release/sbom.py > sbom.cdx.json``.

It lists what ``requirements.lock`` pins, which is what `make` installs: names, versions, hashes, who needs
whom. What `fit` needs to run has the scope required, what its extras add is optional, the rest is excluded.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("faces", "cluster", "s3")  # the extras that users install; the others are for developing
_WANTED = re.compile(r"^    # (?:via |  )([a-z0-9][\w.-]*)", re.MULTILINE)
_PACKAGE = re.compile(
    r"^([a-z0-9][\w.-]*)==([^\s;]+)(?: ; ([^\\\n]+?))? ?\\?\n((?:    .*\n?)*)", re.MULTILINE
)


@dataclass(frozen=True)
class Locked:
    """One package of the lock.

    Attributes:
        name: Its normalised name.
        version: Its version.
        marker: Where it is installed; empty: everywhere.
        hashes: SHA-256 of its files, in hex.
        wanted_by: Names of the packages that need it; the project itself among them.
    """

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL, by which it is known in the document."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(text: str) -> tuple[Locked, ...]:
    """Return the packages of a lock that uv wrote, in its order."""
    return tuple(
        Locked(
            name=name,
            version=version,
            marker=marker,
            hashes=tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", below)),
            wanted_by=tuple(_WANTED.findall(below)),
        )
        for name, version, marker, below in _PACKAGE.findall(text)
    )


def document(packages: Iterable[Locked], project: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return the bill of materials.

    Args:
        packages: Of the lock.
        project: The table ``project`` of ``pyproject.toml``.
        version: Of the project.
    """
    packages = tuple(packages)
    extras = project["optional-dependencies"]
    required = _closure(packages, _names(project["dependencies"]))
    optional = _closure(packages, _names(each for extra in EXTRAS for each in extras[extra])) - required
    scopes = dict.fromkeys(optional, "optional") | dict.fromkeys(required, "required")
    own = f"pkg:pypi/{project['name']}@{version}"
    direct = _names(project["dependencies"])
    licence = {"licenses": [{"license": {"id": project["license"]}}]}
    about = {"type": "application", "bom-ref": own, "name": project["name"], "version": version, "purl": own}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": about | licence},
        "components": [_component(each, scopes.get(each.name, "excluded")) for each in packages],
        "dependencies": [
            {"ref": own, "dependsOn": [each.purl for each in packages if each.name in direct]},
            *(
                {"ref": each.purl, "dependsOn": [one.purl for one in packages if each.name in one.wanted_by]}
                for each in packages
            ),
        ],
    }


def _component(package: Locked, scope: str) -> dict[str, Any]:
    # A package has a file for each platform; which of them is installed is not known here, so all are told.
    properties = [{"name": "lock:sha256", "value": each} for each in package.hashes]
    if package.marker:
        properties.append({"name": "lock:marker", "value": package.marker})
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "scope": scope,
        "properties": properties,
    }


def _closure(packages: tuple[Locked, ...], names: set[str]) -> set[str]:
    """Return names and all that they need, directly or not."""
    while more := {each.name for each in packages if names & set(each.wanted_by)} - names:
        names = names | more
    return names


def _names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[\s;>=<\[]", each)[0] for each in requirements}


def main() -> None:
    """Print the document of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "fit/__init__.py").read_text("utf-8"))
    if found is None:
        raise SystemExit("fit/__init__.py states no version")
    packages = read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    json.dump(document(packages, project, found[1]), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
