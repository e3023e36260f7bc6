"""What the invented artists paint: fourteen subjects as signed distance functions.

Each function takes x (to the right) and y (upward), any shape, in units where the subject fills about [-1,
1], and returns the signed distance to its edge: negative inside. Primitives follow the usual constructions
of computational geometry.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor


def _disk(x: Tensor, y: Tensor, cx: float, cy: float, r: float) -> Tensor:
    return torch.hypot(x - cx, y - cy) - r


def _box(x: Tensor, y: Tensor, cx: float, cy: float, w: float, h: float) -> Tensor:
    dx, dy = (x - cx).abs() - w, (y - cy).abs() - h
    return torch.hypot(dx.clamp(min=0), dy.clamp(min=0)) + torch.maximum(dx, dy).clamp(max=0)


def _ellipse(x: Tensor, y: Tensor, cx: float, cy: float, a: float, b: float) -> Tensor:
    return (torch.hypot((x - cx) / a, (y - cy) / b) - 1) * min(a, b)


def _peak(x: Tensor, y: Tensor, cx: float, top: float, bottom: float, slope: float) -> Tensor:
    """A triangle on a horizontal foot: `slope` is half the foot's width over the height."""
    side = ((x - cx).abs() - (top - y) * slope) / (1 + slope**2) ** 0.5
    return torch.maximum(side, bottom - y)


def _any(*parts: Tensor) -> Tensor:
    return torch.stack(parts).amin(0)


def _without(part: Tensor, hole: Tensor) -> Tensor:
    return torch.maximum(part, -hole)


def sun(x: Tensor, y: Tensor) -> Tensor:
    """A sun."""
    rays = torch.cos(8 * torch.atan2(y, x))
    return torch.hypot(x, y) - (0.68 + 0.2 * rays)


def house(x: Tensor, y: Tensor) -> Tensor:
    """A house."""
    walls = _any(_box(x, y, 0, -0.4, 0.62, 0.48), _peak(x, y, 0, 0.9, 0.05, 1.05))
    return _without(walls, _box(x, y, 0.0, -0.6, 0.16, 0.28))


def tree(x: Tensor, y: Tensor) -> Tensor:
    """A tree."""
    crown = _any(_disk(x, y, 0, 0.42, 0.48), _disk(x, y, -0.4, 0.1, 0.36), _disk(x, y, 0.4, 0.1, 0.36))
    return _any(crown, _box(x, y, 0, -0.5, 0.13, 0.48))


def mountain(x: Tensor, y: Tensor) -> Tensor:
    """A mountain."""
    return _any(_peak(x, y, -0.3, 0.85, -0.75, 0.55), _peak(x, y, 0.45, 0.4, -0.75, 0.6))


def boat(x: Tensor, y: Tensor) -> Tensor:
    """A boat."""
    hull = torch.maximum(_disk(x, y, 0, 0.1, 0.98), y + 0.35)
    sail = torch.maximum(_peak(x, y, 0.05, 0.95, -0.25, 0.55), 0.05 - x)
    return _any(hull, sail, _box(x, y, 0, 0.3, 0.05, 0.62))


def flower(x: Tensor, y: Tensor) -> Tensor:
    """A flower."""
    petals = torch.hypot(x, y - 0.3) - (0.44 + 0.17 * torch.cos(5 * torch.atan2(y - 0.3, x)))
    return _any(_without(petals, _disk(x, y, 0, 0.3, 0.15)), _box(x, y, 0, -0.55, 0.07, 0.42))


def fish(x: Tensor, y: Tensor) -> Tensor:
    """A fish."""
    body = _ellipse(x, y, -0.15, 0, 0.68, 0.42)
    tail = torch.maximum((y.abs() - (x - 0.3) * 0.8) / 1.28, x - 0.92)
    return _without(_any(body, tail), _disk(x, y, -0.5, 0.1, 0.09))


def bird(x: Tensor, y: Tensor) -> Tensor:
    """A bird."""
    wings = (y - 0.45 + 1.0 * (x.abs() - 0.5).abs()).abs() - 0.17
    wings = torch.maximum(wings * 0.72, x.abs() - 0.98)
    return _any(wings, _ellipse(x, y, 0, -0.1, 0.2, 0.42))


def vase(x: Tensor, y: Tensor) -> Tensor:
    """A vase."""
    waist = 0.36 + 0.26 * torch.cos(2.6 * (y + 0.38)) + 0.1 * (y > 0.72)
    return torch.maximum(x.abs() - waist, y.abs() - 0.88)


def star(x: Tensor, y: Tensor) -> Tensor:
    """A star."""
    turn = torch.atan2(x, y) * 5
    wave = torch.arccos(torch.cos(turn).clamp(-1, 1)) / torch.pi
    return torch.hypot(x, y) - (0.95 - 0.55 * wave)


def moon(x: Tensor, y: Tensor) -> Tensor:
    """A moon."""
    return _without(_disk(x, y, 0, 0, 0.88), _disk(x, y, 0.42, 0.18, 0.7))


def face(x: Tensor, y: Tensor) -> Tensor:
    """A face."""
    eyes = _any(_disk(x, y, -0.28, 0.2, 0.12), _disk(x, y, 0.28, 0.2, 0.12))
    return _without(_without(_ellipse(x, y, 0, 0, 0.7, 0.92), eyes), _box(x, y, 0, -0.42, 0.3, 0.07))


def bridge(x: Tensor, y: Tensor) -> Tensor:
    """A bridge."""
    deck = _box(x, y, 0, 0.1, 0.98, 0.42)
    return _without(_without(deck, _disk(x, y, -0.48, -0.42, 0.36)), _disk(x, y, 0.48, -0.42, 0.36))


def cup(x: Tensor, y: Tensor) -> Tensor:
    """A cup."""
    handle = (torch.hypot(x - 0.5, y - 0.02) - 0.36).abs() - 0.09
    return _any(_box(x, y, -0.12, -0.05, 0.52, 0.6), handle)


SUBJECTS: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {
    f.__name__: f
    for f in (sun, house, tree, mountain, boat, flower, fish, bird, vase, star, moon, face, bridge, cup)
}
