"""``python -m fit.world``: make the demo worlds again, each from one seed, resuming where it was stopped.

Three hours on two cores, minutes on a GPU. Work in progress lies in `runs/world`; what is finished goes to
`data/demo` and `data/demo-faces`, and the concept lists to `concepts/lists`.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from fit.world.make import WORLDS, Places, make_world


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fit.world", description=__doc__.splitlines()[0])
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--world", choices=[*WORLDS, "all"], default="all", help="which world")
    parser.add_argument(
        "--data", type=Path, default=root / "data", help="where the folders of finished worlds go"
    )
    parser.add_argument(
        "--lists", type=Path, default=root / "concepts" / "lists", help="folder of all concept lists"
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


def _make(name: str, arguments: argparse.Namespace) -> None:
    work = arguments.work / name
    places = Places(arguments.data / name, arguments.lists, work)
    make_world(name, places, torch.device(arguments.device), lambda network: _logger(work, network))


if __name__ == "__main__":
    given = _parse()
    for world in WORLDS if given.world == "all" else (given.world,):
        _make(world, given)
