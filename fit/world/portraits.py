"""Painting portraits: (identity, place, chance) -> 64 x 64 pixels, many at a time, and where the face is.

A portrait is drawn at twice its size and averaged. All that is no person's own (pose, expression, light,
crop, clothes, background) comes from the picture's seed, so that a portrait is a pure function of identity,
place and seed, in whatever batch it is drawn.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fit.world import face_shapes as shapes
from fit.world.face_colours import AROUND, HAIRS, IRISES, METALS, SKINS, blend
from fit.world.face_shapes import Canvas
from fit.world.identities import Identities
from fit.world.render import Pixels, uniforms
from fit.world.subjects import SUBJECTS

SIZE: Final = 64
SAMPLES: Final = 2  # supersampling per axis
CHANCES: Final = 32  # uniform random numbers that a portrait uses
PLACES: Final = tuple(AROUND)
THINGS: Final = tuple(name for name in SUBJECTS if name not in ("face", "sun", "moon"))


@dataclass(frozen=True)
class Portraits:
    """What to paint: n identities, places and seeds.

    Attributes:
        people: n identities; where one is nobody, a thing is painted.
        places: shape (n,), index into `PLACES`.
        seeds: shape (n,), unsigned 64-bit.
    """

    people: Identities
    places: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.places)

    def take(self, rows: npt.NDArray[np.int64] | slice) -> "Portraits":
        """Some of them."""
        index = np.arange(len(self))[rows]
        return Portraits(self.people.take(index), self.places[index], self.seeds[index])


@dataclass(frozen=True)
class FacePlaces:
    """Where the faces are, in pixels.

    Attributes:
        boxes: shape (n, 4): left, top, right, bottom of the head.
        points: shape (n, 5, 2): left eye, right eye, nose, left and right corner of the mouth, as the viewer
            sees them (the order that face alignment expects).
    """

    boxes: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32]


def paint(portraits: Portraits, batch: int = 16) -> Pixels:
    """Paint all portraits: shape (n, 64, 64, 3), 0-255."""
    parts = [_paint(portraits.take(slice(i, i + batch))) for i in range(0, len(portraits), batch)]
    return np.concatenate(parts) if parts else np.zeros((0, SIZE, SIZE, 3), np.uint8)


@torch.inference_mode()
def _paint(portraits: Portraits) -> Pixels:
    chance = uniforms(portraits.seeds, CHANCES)
    grid = (torch.arange(SIZE * SAMPLES) + 0.5) / (SIZE * SAMPLES) * 2 - 1
    x, y = grid[None, None, :], -grid[None, :, None]
    image = _place(portraits, chance, x, y)
    faces = torch.from_numpy(portraits.people.present)
    for mine, draw in ((faces, _draw_face), (~faces, _draw_thing)):
        if bool(mine.any()):
            rows = np.flatnonzero(mine.numpy())
            image[mine] = draw(portraits.take(rows), chance[mine], x, y, image[mine])
    image = torch.nn.functional.avg_pool2d(_lit(image, chance, x, y), SAMPLES)
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None]


def _over(image: Tensor, mask: Tensor, colour: Tensor, strength: float = 1.0) -> Tensor:
    """Paint a colour, (n, 3, 1, 1) or (n, 3, s, s), where a mask (n, s, s) is."""
    share = strength * mask[:, None]
    return image * (1 - share) + colour * share


def _place(portraits: Portraits, chance: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The background: a gradient between two colours and blurred shapes, all of them varied."""
    rows = torch.tensor([AROUND[name] for name in PLACES], dtype=torch.float32) / 255
    above, below, things = rows[torch.from_numpy(portraits.places)].unbind(1)
    tint = 0.16 * (chance[:, 16:19] - 0.5)
    above, below, things = ((c + tint).clamp(0, 1)[:, :, None, None] for c in (above, below, things))
    horizon = _wide(0.6 * chance[:, 19] - 0.3)
    image = _over(above, torch.sigmoid((horizon - y) * 5).expand(-1, -1, x.shape[-1]), below)
    wave = torch.sin(x * _wide(3 + 5 * chance[:, 20]) + _wide(6.3 * chance[:, 21]))
    other = torch.sin(y * _wide(2 + 5 * chance[:, 22]) + _wide(6.3 * chance[:, 23]))
    return _over(image, torch.sigmoid(6 * (wave * other - 0.45)), things, 0.7)


def _pose(chance: Tensor) -> dict[str, Tensor]:
    """Scale, shift, lean and where the face looks: each (n, 1, 1)."""
    return {
        "scale": _wide(0.62 + 0.12 * chance[:, 0]),
        "left": _wide(0.2 * (chance[:, 1] - 0.5)),
        "up": _wide(-0.02 + 0.16 * (chance[:, 2] - 0.5)),
        "lean": _wide(0.36 * (chance[:, 3] - 0.5)),
        "turn": _wide(0.3 * (chance[:, 4] - 0.5)),
        "nod": _wide(0.12 * (chance[:, 5] - 0.5)),
    }


def _canvas(chance: Tensor, x: Tensor, y: Tensor) -> Canvas:
    pose = _pose(chance)
    u, v = (x - pose["left"]) / pose["scale"], (y - pose["up"]) / pose["scale"]
    cos, sin = torch.cos(pose["lean"]), torch.sin(pose["lean"])
    return Canvas(
        u=cos * u + sin * v,
        v=-sin * u + cos * v,
        soft=1.4 / SIZE / pose["scale"],
        turn=pose["turn"],
        nod=pose["nod"],
        smile=_wide(1.6 * chance[:, 6] - 0.5),
        gape=_wide((2.5 * chance[:, 7] - 1.5).clamp(min=0)),
        lids=_wide(0.45 + 0.55 * chance[:, 8]),
    )


def _draw_face(portraits: Portraits, chance: Tensor, x: Tensor, y: Tensor, image: Tensor) -> Tensor:
    people, c = portraits.people, _canvas(chance, x, y)
    skin, hair, cloth = _skin(people), _hair(people), _cloth(chance)
    dark_hair = hair * 0.72
    image = _over(image, shapes.long_hair(people, c), dark_hair)
    neck, shoulders = shapes.body(people, c)
    image = _over(_over(image, neck, skin * 0.8), shoulders, cloth)
    image = _over(image, shapes.ears(people, c), skin * 0.88)
    head = shapes.head_distance(people, c)
    image = _over(image, c.fill(head), skin)
    image = _over(image, shapes.beard(people, c, head), hair * 0.85, 0.95)
    image = _over(image, shapes.crown(people, c, head), hair)
    return _draw_features(people, c, image, skin, hair)


def _draw_features(people: Identities, c: Canvas, image: Tensor, skin: Tensor, hair: Tensor) -> Tensor:
    image = _over(image, shapes.moustache(people, c), hair * 0.8)
    shadow, ridge = shapes.nose(people, c)
    image = _over(_over(image, ridge, skin * 1.06, 0.5), shadow, skin * 0.62, 0.8)
    lips, inside = shapes.mouth(people, c)
    red = _column(people, "lips")
    image = _over(image, lips, skin * (1 - 0.35 * red) * torch.tensor([0.92, 0.55, 0.55])[:, None, None])
    image = _over(image, inside, torch.tensor([0.32, 0.1, 0.12])[:, None, None])
    whites, irises, pupils, lashes = shapes.eyes(people, c)
    image = _over(image, whites, torch.tensor([0.97, 0.97, 0.95])[:, None, None])
    image = _over(image, irises, blend(IRISES, _numbers(people, "iris")))
    dark = torch.tensor([0.1, 0.08, 0.09])[:, None, None]
    image = _over(_over(image, pupils, dark), lashes, dark, 0.85)
    image = _over(image, shapes.brows(people, c), hair * 0.6)
    return _over(image, shapes.glasses(people, c), blend(METALS, _numbers(people, "metal")))


def _numbers(people: Identities, name: str) -> Tensor:
    return torch.from_numpy(people.column(name).copy())


def _column(people: Identities, name: str) -> Tensor:
    return _numbers(people, name)[:, None, None, None]


def _skin(people: Identities) -> Tensor:
    warmth = _column(people, "warmth") - 0.5
    golden = torch.tensor([0.0, 0.06, -0.16])[:, None, None] * warmth
    return (blend(SKINS, _numbers(people, "skin")) + golden).clamp(0, 1)


def _hair(people: Identities) -> Tensor:
    return blend(HAIRS, _numbers(people, "hair"), circular=True)


def _cloth(chance: Tensor) -> Tensor:
    """The clothes' colour, the picture's own."""
    return (0.15 + 0.75 * chance[:, 24:27])[:, :, None, None]


def _draw_thing(portraits: Portraits, chance: Tensor, x: Tensor, y: Tensor, image: Tensor) -> Tensor:
    """A thing where a face would be."""
    pose = _pose(chance)
    scale = 1.25 * pose["scale"]
    u, v = (x - pose["left"]) / scale, (y - pose["up"]) / scale
    which = (chance[:, 27] * len(THINGS)).long().clamp(max=len(THINGS) - 1)
    colour, line = chance[:, 24:27][:, :, None, None], chance[:, 28:31][:, :, None, None]
    for i, name in enumerate(THINGS):
        mine = which == i
        if bool(mine.any()):
            shape = (int(mine.sum()), *image.shape[2:])
            distance = SUBJECTS[name](u[mine].expand(shape), v[mine].expand(shape))
            inside = torch.sigmoid(-distance * 40)
            painted = _over(image[mine], inside, colour[mine])
            image[mine] = _over(painted, torch.sigmoid((0.05 - distance.abs()) * 60), line[mine], 0.8)
    return image


def _lit(image: Tensor, chance: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The light: its strength, its colour and the side that it comes from."""
    side = 0.3 * (_wide(chance[:, 9]) - 0.5) * x + 0.2 * (_wide(chance[:, 10]) - 0.5) * y
    tint = 1 + 0.14 * (chance[:, 12:15] - 0.5)
    strength = _wide(0.78 + 0.4 * chance[:, 11]) * (1 + side)
    return image * strength[:, None] * tint[:, :, None, None]


def locate(portraits: Portraits) -> FacePlaces:
    """Where the faces of portraits are; of things what is returned means nothing."""
    chance = uniforms(portraits.seeds, CHANCES)
    zero = torch.zeros(1, 1, 1)
    people, c, pose = portraits.people, _canvas(chance, zero, zero), _pose(chance)
    apart, height = shapes.eye_places(people, c)
    wide, low = shapes.mouth_places(people, c)
    corner = low + 0.5 * 0.16 * c.smile
    spots = [
        (c.turn - apart, height),
        (c.turn + apart, height),
        (1.5 * c.turn, shapes.nose_height(people, c)),
        (1.1 * c.turn - wide, corner),
        (1.1 * c.turn + wide, corner),
    ]
    points = torch.stack([_to_pixels(u, v, pose) for u, v in spots], dim=1)
    width = shapes.head_width(people)
    centre = _to_pixels(torch.zeros_like(width), torch.zeros_like(width), pose)
    half = torch.cat([width, torch.ones_like(width)], dim=1)[:, :, 0] * pose["scale"][:, :, 0] * SIZE / 2
    boxes = torch.cat([centre - half, centre + half], dim=1)
    return FacePlaces(boxes.numpy(), points.numpy())


def _to_pixels(u: Tensor, v: Tensor, pose: dict[str, Tensor]) -> Tensor:
    """Face coordinates, each (n, 1, 1), as pixel coordinates (n, 2); a pixel's middle is a whole number."""
    cos, sin = torch.cos(pose["lean"]), torch.sin(pose["lean"])
    x = pose["left"] + pose["scale"] * (cos * u - sin * v)
    y = pose["up"] + pose["scale"] * (sin * u + cos * v)
    return torch.stack([(x + 1) / 2 * SIZE - 0.5, (1 - y) / 2 * SIZE - 0.5], dim=-1)[:, 0, 0]
