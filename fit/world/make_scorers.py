"""The scorers of the demo worlds: made from other looks than the concepts', so they judge as strangers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fit.imitation.convnet import ConvNetShape
from fit.imitation.style import save_encoder
from fit.world.checkpoints import Checkpoints
from fit.world.face_detector import DetectorRecipe, train_detector
from fit.world.face_pack import RECOGNISER, save_pack
from fit.world.face_recogniser import RecogniserRecipe, train_recogniser
from fit.world.matter import FACES, STYLES
from fit.world.plan import Plan
from fit.world.strangers import StrangersRecipe, paint_strangers
from fit.world.style_encoder import EncoderRecipe, paint_other_styles, train_encoder
from fit.world.training import Log

Logger = Callable[[str], Log]


@dataclass(frozen=True)
class ScorerMaker:
    """How a world's scorer is made.

    Attributes:
        make: Takes the plan, the world's folder, the folder of checkpoints, and what gives a network's log.
        last_file: What is written last, below the world's folder.
        networks: Names of the logs.
    """

    make: Callable[[Plan, Path, Path, Logger], None]
    last_file: str
    networks: tuple[str, ...]


def _make_style_encoder(plan: Plan, out: Path, work: Path, logger: Logger) -> None:
    recipe = EncoderRecipe()
    pictures = paint_other_styles(plan, recipe)
    network = train_encoder(pictures, recipe, Checkpoints(work / "style-encoder.pt"), logger("style encoder"))
    save_encoder(network, ConvNetShape(), out / "style-encoder")


def _make_face_pack(plan: Plan, out: Path, work: Path, logger: Logger) -> None:
    strangers = paint_strangers(plan, StrangersRecipe())
    detector = train_detector(
        strangers, DetectorRecipe(), Checkpoints(work / "detector.pt"), logger("face detector")
    )
    recogniser = train_recogniser(
        strangers, RecogniserRecipe(), Checkpoints(work / "recogniser.pt"), logger("face recogniser")
    )
    save_pack(detector, recogniser, out / "face-pack")


SCORERS: Final = {
    STYLES.name: ScorerMaker(_make_style_encoder, "style-encoder/model.safetensors", ("style encoder",)),
    FACES.name: ScorerMaker(_make_face_pack, f"face-pack/{RECOGNISER}", ("face detector", "face recogniser")),
}
