"""Training the face pack's detector on portraits of strangers, pictures of things, and collages of both."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fit.world.checkpoints import Checkpoints
from fit.world.dataset import to_tensor
from fit.world.face_networks import ANCHORS, DETECTOR_SIDE, STRIDES, Detector, Found
from fit.world.strangers import Strangers
from fit.world.training import Log, Schedule, falling, train
from fit.world.wear import worn

_MIDDLE = 0.22  # of a face's size: how near its middle a place has to be to answer for it
_SIZES = (26.0, 52.0)  # pixels: below the first stride 8 answers, then 16, then 32


@dataclass(frozen=True)
class DetectorRecipe:
    """How the detector is trained.

    `things`, `collages`: shares of the pictures that show no face, and four small pictures at once.
    """

    seed: int = 2424
    steps: int = 1200
    batch: int = 48
    rate: float = 4e-3
    things: float = 0.2
    collages: float = 0.2


@dataclass(frozen=True)
class Scene:
    """Pictures with the faces in them, at most four each.

    Attributes:
        images: shape (n, 3, 64, 64), in [-1, 1].
        boxes: shape (n, 4, 4): left, top, right, bottom in pixels; NaN where there is no such face.
        points: shape (n, 4, 5, 2).
    """

    images: Tensor
    boxes: Tensor
    points: Tensor


def train_detector(
    strangers: Strangers, recipe: DetectorRecipe, checkpoints: Checkpoints, log: Log
) -> Detector:
    """Train a detector from random weights; resumes from the newest checkpoint."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = Detector().to(memory_format=torch.channels_last)
    schedule = Schedule(recipe.steps, falling(recipe.rate, recipe.steps), clip=5.0)

    def loss_of(step: int) -> Tensor:
        scene = draw_scene(strangers, recipe, np.random.default_rng([recipe.seed, step]))
        return _loss(model(scene.images), scene)

    train(model, loss_of, schedule, checkpoints, log)
    return model.eval()


def draw_scene(strangers: Strangers, recipe: DetectorRecipe, rng: np.random.Generator) -> Scene:
    """Pictures of one face, of none, and collages of four small pictures, moved, scaled and worn."""
    kind = rng.random(recipe.batch)
    single = _pick(strangers, recipe.batch, recipe.things, rng)
    four = [_pick(strangers, recipe.batch, 0.4, rng) for _ in range(4)]
    collage = torch.from_numpy(kind < recipe.collages)[:, None, None]
    small = _collage(four)
    images = torch.where(collage[..., None], small.images, single.images)
    boxes = torch.where(collage, small.boxes, single.boxes)
    points = torch.where(collage[..., None], small.points, single.points)
    moved = _moved(Scene(images, boxes, points), rng)
    return Scene(worn(moved.images, rng, 0.8, 0.12), moved.boxes, moved.points)


def _pick(strangers: Strangers, n: int, things: float, rng: np.random.Generator) -> Scene:
    rows, empty = rng.integers(0, len(strangers.flat), n), rng.random(n) < things
    others = strangers.things[rng.integers(0, len(strangers.things), n)]
    images = to_tensor(np.where(empty[:, None, None, None], others, strangers.flat[rows]))
    boxes = torch.full((n, 4, 4), torch.nan)
    points = torch.full((n, 4, 5, 2), torch.nan)
    faces = torch.from_numpy(~empty)
    boxes[faces, 0] = torch.from_numpy(strangers.places.boxes[rows])[faces]
    points[faces, 0] = torch.from_numpy(strangers.places.points[rows])[faces]
    return Scene(images, boxes, points)


def _collage(four: list[Scene]) -> Scene:
    """Four scenes of one face at most, halved, side by side. A pixel's middle is a whole number."""
    halves = [nn.functional.avg_pool2d(each.images, 2) for each in four]
    images = torch.cat([torch.cat(halves[:2], dim=3), torch.cat(halves[2:], dim=3)], dim=2)
    half = DETECTOR_SIDE / 2
    corners = [torch.tensor([x, y]) for y in (0.0, half) for x in (0.0, half)]
    boxes = [(each.boxes[:, 0] - 0.5) / 2 + at.repeat(2) for each, at in zip(four, corners, strict=True)]
    points = [(each.points[:, 0] - 0.5) / 2 + at for each, at in zip(four, corners, strict=True)]
    return Scene(images, torch.stack(boxes, 1), torch.stack(points, 1))


def _moved(scene: Scene, rng: np.random.Generator) -> Scene:
    """Each picture scaled and shifted by a few pixels; the edge's colours fill what is uncovered."""
    n = len(scene.images)
    scale = torch.from_numpy(rng.uniform(0.8, 1.15, n).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-6, 6, (n, 2)).astype(np.float32))
    middle = (DETECTOR_SIDE - 1) / 2
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / scale
    theta[:, :, 2] = -shift * 2 / DETECTOR_SIDE / scale[:, None]
    grid = nn.functional.affine_grid(theta, list(scene.images.shape), align_corners=False)
    images = nn.functional.grid_sample(scene.images, grid, padding_mode="border", align_corners=False)

    def move(places: Tensor, offset: Tensor) -> Tensor:
        factor = scale.reshape(-1, *[1] * (places.ndim - 1))
        return (places - middle) * factor + middle + offset

    boxes = move(scene.boxes, shift.repeat(1, 2)[:, None])
    return Scene(images, boxes, move(scene.points, shift[:, None, None]))


def _loss(found: Found, scene: Scene) -> Tensor:
    """Cross-entropy of the scores, and distances of boxes and landmarks where a face is answered for."""
    scores, places = [], []
    for i, stride in enumerate(STRIDES):
        answer = _answers(scene, i, found.scores[i].shape[-1])
        wanted = (answer >= 0).float()[:, None].expand(-1, ANCHORS, -1, -1)
        weight = (answer != -1).float()[:, None]  # what lies on a face and does not answer for it
        raw = nn.functional.binary_cross_entropy_with_logits(found.scores[i], wanted, reduction="none")
        scores.append((raw * weight).flatten(1))
        n, y, x = torch.nonzero(answer >= 0, as_tuple=True)
        if len(n):
            places.append(_distance(found, scene, (i, stride), (n, y, x, answer[n, y, x])))
    return torch.cat(scores, 1).mean() * 20 + torch.cat(places).mean()


def _answers(scene: Scene, level: int, side: int) -> Tensor:
    """For each place the face that it answers for, -1 near one, -2 where nothing is: (n, side, side)."""
    at = torch.arange(side, dtype=torch.float32) * STRIDES[level]
    y, x = torch.meshgrid(at, at, indexing="ij")
    left, top, right, bottom = (each[..., None, None] for each in scene.boxes.unbind(2))
    size = ((right - left) * (bottom - top)).sqrt()
    low, high = (0.0, *_SIZES)[level], (*_SIZES, float("inf"))[level]
    ours = (size >= low) & (size < high)  # at the other strides a face is nothing, or it would be found twice
    near = torch.hypot(x - (left + right) / 2, y - (top + bottom) / 2) / size
    reach = _MIDDLE + 0.3 * STRIDES[level] / size
    answers = ours & (near < reach)
    around = ours & (x > left) & (x < right) & (y > top) & (y < bottom)
    best = torch.where(answers, near, torch.inf).min(dim=1)
    nothing = torch.where(around.any(1), -1, -2)
    return torch.where(best.values < torch.inf, best.indices, nothing)


def _distance(
    found: Found, scene: Scene, where: tuple[int, int], at: tuple[Tensor, Tensor, Tensor, Tensor]
) -> Tensor:
    """Absolute errors of boxes and landmarks in strides, one number per answering place."""
    (level, stride), (n, y, x, face) = where, at
    place = torch.stack([x, y], dim=1).float() * stride
    box, points = scene.boxes[n, face], scene.points[n, face]
    wanted_box = torch.cat([place - box[:, :2], box[:, 2:] - place], dim=1) / stride
    wanted_points = ((points - place[:, None]) / stride).flatten(1)
    boxes = found.boxes[level][n, :, :, y, x]  # (places, 2, 4)
    landmarks = found.points[level][n, :, :, y, x]
    box_error = (boxes - wanted_box[:, None]).abs().mean((1, 2))
    return box_error + 3 * (landmarks - wanted_points[:, None]).abs().mean((1, 2))
