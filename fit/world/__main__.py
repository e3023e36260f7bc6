"""``python -m fit.world``: make the demo world again, from one seed, resuming where it was stopped.

Two hours on two cores, minutes on a GPU. Work in progress lies in `runs/world`; what is finished goes to
`data/demo`, and the list of artists to `concepts/lists/art-styles`.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from fit.world.make import Places, make_world


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fit.world", description=__doc__.splitlines()[0])
    root = Path(__file__).resolve().parents[2]
    parser.add_argument(
        "--out", type=Path, default=root / "data" / "demo", help="folder of the finished world"
    )
    parser.add_argument(
        "--lists", type=Path, default=root / "concepts" / "lists" / "art-styles", help="folder of the list"
    )
    parser.add_argument(
        "--work", type=Path, default=root / "runs" / "world", help="folder of checkpoints and logs"
    )
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="where the denoiser is trained",
    )
    return parser.parse_args()


def _logger(folder: Path, name: str) -> Callable[[int, float], None]:
    """Append (step, loss) to a file of JSON lines and tell stderr."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"

    def log(step: int, loss: float) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "loss": round(loss, 5)}) + "\n")
        sys.stderr.write(f"{name}: step {step}, loss {loss:.4g}\n")

    return log


if __name__ == "__main__":
    arguments = _parse()
    places = Places(arguments.out, arguments.lists, arguments.work)
    make_world(places, torch.device(arguments.device), lambda name: _logger(arguments.work, name))
