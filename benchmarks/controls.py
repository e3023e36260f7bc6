"""How often do the negative controls of the demo show a rise? They must not, in at least nine of ten seeds.

    python benchmarks/controls.py --seeds 10

Every seed is a run of the main job of its own, with one image a prompt: another sample is verified, other
images are sampled, another untrained model is drawn, other frequencies are dealt out. A run that is there is
not repeated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "results" / "controls.json"
COMMAND = ["estimate", "--domain", "art-styles", "--model", "demo", "--set", "generation.images_per_prompt=1"]


def one_seed(seed: int, runs: Path) -> dict[str, Any]:
    """Run the main job and return what its controls say."""
    folder = runs / f"seed-{seed}"
    call = [
        sys.executable,
        "-c",
        "from fit.cli import main; main()",
        *COMMAND,
        "--seed",
        str(seed),
        "--run",
        str(folder),
    ]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command)
    row: dict[str, Any] = {"seed": seed}
    for name, control in json.loads((folder / "threshold" / "controls.json").read_text()).items():
        found = control["threshold"]
        row[name] = {key: found[key] for key in ("status", "reason", "p_value")}
    main = json.loads((folder / "threshold" / "threshold.json").read_text())
    row["trained"] = {key: main[key] for key in ("status", "reason", "shape", "p_value", "rate_threshold")}
    return row


def rises(found: dict[str, Any]) -> bool:
    """Whether a verdict claims a rise; one without a plateau has no threshold, but is one."""
    return found["status"] == "threshold" or found["reason"] == "no plateau"


def main() -> None:
    """Run the seeds, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--runs", type=Path, default=Path("runs/controls"))
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.seeds):
        rows.append(one_seed(seed, asked.runs))
        print(json.dumps(rows[-1]), flush=True)
    claims = {name: sum(rises(row[name]) for row in rows) for name in ("shuffled", "untrained", "trained")}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(
        json.dumps({"seeds": asked.seeds, "claimed a rise": claims, "rows": rows}, indent=1) + "\n"
    )
    print(claims)


if __name__ == "__main__":
    main()
