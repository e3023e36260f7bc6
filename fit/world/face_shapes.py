"""The parts of a face as soft masks, in the face's own coordinates.

u to the right, v upward, both of shape (n, side, side); the head is about 2 high, its middle at the origin.
Each function returns masks in [0, 1] of that shape. `soft` is the width of an edge, shape (n, 1, 1).
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fit.world.identities import Identities


@dataclass(frozen=True)
class Canvas:
    """Where a face is drawn.

    Attributes:
        u: To the right, in half heads, shape (n, side, side).
        v: Upward.
        soft: Width of an edge in half heads, shape (n, 1, 1).
        turn: How far the features are shifted by turning the head, (n, 1, 1), to the right.
        nod: The same upward.
        smile: From -1 (corners down) to 1, (n, 1, 1).
        gape: How far the mouth is open, in [0, 1], (n, 1, 1).
        lids: How far the eyes are open, in [0, 1], (n, 1, 1).
    """

    u: Tensor
    v: Tensor
    soft: Tensor
    turn: Tensor
    nod: Tensor
    smile: Tensor
    gape: Tensor
    lids: Tensor

    def take(self, rows: npt.NDArray[np.int64]) -> "Canvas":
        """The canvas of some of the faces."""
        return Canvas(*(getattr(self, each.name)[rows] for each in fields(self)))

    def fill(self, distance: Tensor) -> Tensor:
        """A soft mask of where a signed distance is negative."""
        return torch.sigmoid(-distance / self.soft * 3)


def coordinate(people: Identities, name: str) -> Tensor:
    """One coordinate of n people, shape (n, 1, 1)."""
    return torch.from_numpy(people.column(name).copy())[:, None, None]


def from_half(people: Identities, name: str) -> Tensor:
    """A coordinate that shows from one half on, stretched to [0, 1]."""
    return (2 * coordinate(people, name) - 1).clamp(min=0)


def _ellipse(u: Tensor, v: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """The usual first-order distance: the implicit function over the length of its gradient."""
    far = torch.hypot(u / a, v / b)
    return far * (far - 1) / torch.hypot(u / a**2, v / b**2).clamp(min=1e-4)


def head_width(people: Identities) -> Tensor:
    """Half the width of the head, (n, 1, 1)."""
    return 0.66 + 0.24 * coordinate(people, "width")


def head_distance(people: Identities, c: Canvas) -> Tensor:
    """Signed distance to the head's outline; the jaw's exponent goes from pointed to square."""
    width = head_width(people)
    power = torch.where(c.v < 0, 1.65 + 1.5 * coordinate(people, "jaw"), 2.2)
    x, y = (c.u.abs() / width).clamp(min=1e-4), c.v.abs().clamp(min=1e-4)
    return ((x**power + y**power) ** (1 / power) - 1) * width


def ears(people: Identities, c: Canvas) -> Tensor:
    """Both ears."""
    size = 0.1 + 0.12 * coordinate(people, "ears")
    side = head_width(people) + 0.3 * size
    return c.fill(
        _ellipse((c.u - 0.4 * c.turn).abs() - side, c.v + 0.02 - 0.6 * c.nod, size, 1.3 * size + 0.05)
    )


def body(people: Identities, c: Canvas) -> tuple[Tensor, Tensor]:
    """Neck and shoulders."""
    neck = torch.maximum((c.u.abs() - 0.36 - 0.1 * coordinate(people, "jaw")), c.v + 0.5)
    shoulders = _ellipse(c.u, c.v + 2.15, 1.35, 0.95)
    return c.fill(neck), c.fill(shoulders)


def _curls(people: Identities, c: Canvas) -> Tensor:
    """How far the outline of the hair is moved outward by curls."""
    around = torch.atan2(c.u, c.v + 0.2)
    return 0.13 * coordinate(people, "curl") * torch.cos(15 * around)


def _has_hair(people: Identities) -> Tensor:
    return ((coordinate(people, "length") - 0.06) / 0.06).clamp(0, 1)


def long_hair(people: Identities, c: Canvas) -> Tensor:
    """What hangs down behind the head."""
    length = coordinate(people, "length")
    down = 2.6 * (length - 0.42).clamp(min=0)  # to -1.5 at the most
    width = head_width(people) + 0.06 + 0.26 * coordinate(people, "volume") + 0.8 * _curls(people, c)
    side = torch.maximum(c.u.abs() - width, -c.v - down)
    return c.fill(torch.maximum(side, c.v - 0.4)) * (down > 0.1)


def crown(people: Identities, c: Canvas, head: Tensor) -> Tensor:
    """The hair on the head down to the hairline; `head`: distance to the head's outline."""
    stand = 0.05 + 0.4 * coordinate(people, "volume") * (0.35 + 0.65 * coordinate(people, "length"))
    outside = head - stand * (0.45 + 0.55 * c.v.clamp(0, 1)) - _curls(people, c)
    part = 0.9 * (coordinate(people, "parting") - 0.5)
    line = 0.74 - 0.5 * coordinate(people, "fringe")
    sweep = 0.55 * (c.u - part - c.turn).abs() ** 1.5
    # Beside the face the hair comes down to the ears.
    side = ((c.u.abs() - 0.82 * head_width(people)) * 6).clamp(0, 1) * 0.75
    over = line + 0.9 * c.nod - sweep - side - c.v
    return c.fill(torch.maximum(outside, over)) * _has_hair(people)


def eye_places(people: Identities, c: Canvas) -> tuple[Tensor, Tensor]:
    """Half the distance between the eyes and their height, (n, 1, 1) each."""
    return 0.33 + 0.12 * coordinate(people, "spacing"), 0.06 + c.nod


def _at_eye(people: Identities, c: Canvas, right: bool) -> tuple[Tensor, Tensor]:
    """Coordinates around an eye, mirrored so that outward is positive."""
    apart, height = eye_places(people, c)
    sign = 1.0 if right else -1.0
    x, y = (c.u - c.turn - sign * apart) * sign, c.v - height
    lean = 0.5 * (coordinate(people, "slant") - 0.5)
    return x, y - lean * x


def eyes(people: Identities, c: Canvas) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Whites, irises, pupils and lashes of both eyes."""
    size = 0.15 + 0.11 * coordinate(people, "eyes")
    tall = size * 0.8 * (0.45 + 0.55 * c.lids)
    whites, irises, pupils, lashes = [], [], [], []
    for right in (False, True):
        x, y = _at_eye(people, c, right)
        white = c.fill(_ellipse(x, y, 1.15 * size, tall))
        gaze = (0.25 if right else -0.25) * c.turn
        whites.append(white)
        irises.append(white * c.fill(torch.hypot(x - gaze, y) - 0.66 * size))
        pupils.append(white * c.fill(torch.hypot(x - gaze, y) - 0.3 * size))
        rim = _ellipse(x, y, 1.2 * size, tall).abs() - 0.028
        lashes.append(c.fill(torch.maximum(rim, -y - 0.2 * tall)))
    first, second, third, fourth = (sum(masks) for masks in (whites, irises, pupils, lashes))
    return tuple(torch.as_tensor(m).clamp(max=1) for m in (first, second, third, fourth))  # type: ignore[return-value]


def brows(people: Identities, c: Canvas) -> Tensor:
    """Both brows."""
    size = 0.15 + 0.11 * coordinate(people, "eyes")
    thick = 0.018 + 0.075 * coordinate(people, "brows")
    lean = 0.9 * (coordinate(people, "frown") - 0.5)
    total = torch.zeros_like(c.u)
    for right in (False, True):
        x, y = _at_eye(people, c, right)
        y = y - 0.16 - size * 0.9 - lean * x + 0.6 * x**2
        total = total + c.fill(torch.maximum(y.abs() - thick, x.abs() - 1.25 * size))
    return total.clamp(max=1)


def nose(people: Identities, c: Canvas) -> tuple[Tensor, Tensor]:
    """The nose's shadow and its light tip."""
    bottom = nose_height(people, c)
    wide = 0.07 + 0.12 * coordinate(people, "nostrils")
    x, y = c.u - 1.5 * c.turn, c.v - bottom
    shadow = c.fill(_ellipse(x, y + 0.015, wide, 0.07)) * c.fill(-(_ellipse(x, y - 0.06, 0.85 * wide, 0.075)))
    ridge = c.fill(torch.maximum(x.abs() - 0.2 * wide - 0.02, torch.maximum(-y, y - 0.3)))
    return shadow, ridge


def nose_height(people: Identities, c: Canvas) -> Tensor:
    """Where the nose ends, (n, 1, 1)."""
    return -0.16 - 0.2 * coordinate(people, "nose") + 1.2 * c.nod


def mouth_places(people: Identities, c: Canvas) -> tuple[Tensor, Tensor]:
    """Half the mouth's width and its height, (n, 1, 1) each."""
    return 0.17 + 0.17 * coordinate(people, "mouth"), -0.56 + 0.9 * c.nod + torch.zeros_like(c.turn)


def mouth(people: Identities, c: Canvas) -> tuple[Tensor, Tensor]:
    """Lips and what is between them."""
    wide, height = mouth_places(people, c)
    x = c.u - 1.1 * c.turn
    y = c.v - height - 0.16 * c.smile * ((x / wide) ** 2 - 0.5).clamp(max=0.6)
    full = 0.035 + 0.06 * coordinate(people, "lips") + 0.07 * c.gape
    lips = c.fill(_ellipse(x, y, wide, full))
    inside = c.fill(_ellipse(x, y, 0.85 * wide, (0.012 + 0.075 * c.gape)))
    return lips, inside


def beard(people: Identities, c: Canvas, head: Tensor) -> Tensor:
    """The beard: the chin, then the cheeks too; `head`: distance to the head's outline."""
    amount = from_half(people, "beard")
    _, height = mouth_places(people, c)
    reach = head_width(people) * (0.38 + 0.75 * amount)
    chin = torch.maximum(head - 0.16 * amount, (c.u - 0.7 * c.turn).abs() - reach)
    top = height + 0.04 + 0.35 * amount * ((c.u - c.turn).abs() / reach) ** 2
    around = _ellipse(c.u - 1.1 * c.turn, c.v - height, 0.24, 0.13)
    region = torch.maximum(torch.maximum(chin, c.v - top), -around)
    return c.fill(region) * (amount * 8).clamp(max=1)


def moustache(people: Identities, c: Canvas) -> Tensor:
    """The moustache."""
    amount = from_half(people, "moustache")
    wide, height = mouth_places(people, c)
    x = c.u - 1.2 * c.turn
    y = c.v - height - 0.15 + 0.6 * x**2
    return c.fill(_ellipse(x, y, wide + 0.1 * amount, 0.03 + 0.07 * amount)) * (amount * 8).clamp(max=1)


def glasses(people: Identities, c: Canvas) -> Tensor:
    """The glasses of those who wear any."""
    mask = torch.zeros_like(c.u)
    rows = np.flatnonzero(people.column("glasses") > 0.5)
    if len(rows):
        mask[rows] = _glasses(people.take(rows), c.take(rows))
    return mask


def _glasses(people: Identities, c: Canvas) -> Tensor:
    """Rims, bridge and arms."""
    amount = from_half(people, "glasses")
    apart, height = eye_places(people, c)
    thick = 0.022 + 0.045 * amount
    power = 2 + 4 * coordinate(people, "frames")
    size = 0.3 - 0.03 * (coordinate(people, "spacing") < 0.4)
    total = torch.zeros_like(c.u)
    for sign in (-1.0, 1.0):
        x, y = (c.u - c.turn - sign * apart).abs().clamp(min=1e-4), (c.v - height).abs().clamp(min=1e-4)
        rim = ((x / size) ** power + (y / (0.85 * size)) ** power) ** (1 / power) - 1
        total = total + c.fill((rim * size).abs() - thick)
    x, y = (c.u - c.turn).abs(), (c.v - height - 0.03).abs() - thick
    bridge = torch.maximum(y, x - (apart - size).clamp(min=0.02))
    arms = torch.maximum(torch.maximum(y, apart + size - x), x - head_width(people) - 0.05)
    total = total + c.fill(torch.minimum(bridge, arms))
    return total.clamp(max=1) * (amount * 8).clamp(max=1)
