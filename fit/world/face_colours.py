"""The colours of people and places: our own choice, RGB, 0-255."""

from typing import Final

import torch
from torch import Tensor

SKINS: Final = [
    (252, 226, 206),
    (243, 203, 172),
    (222, 172, 132),
    (190, 134, 92),
    (142, 92, 62),
    (92, 58, 42),
]
HAIRS: Final = [
    (28, 24, 30),
    (72, 46, 32),
    (124, 78, 42),
    (196, 152, 78),
    (238, 214, 150),
    (222, 222, 226),
    (66, 148, 172),
    (128, 80, 168),
    (206, 84, 112),
    (186, 78, 34),
    (112, 38, 30),
]
IRISES: Final = [(70, 42, 26), (124, 82, 34), (92, 128, 60), (72, 134, 186), (130, 150, 168)]
METALS: Final = [(26, 26, 30), (120, 40, 30), (184, 146, 44), (40, 74, 130), (210, 210, 214)]
AROUND: Final = {  # above, below, and the colour of what stands around
    "studio": [(176, 182, 192), (140, 146, 160), (158, 164, 176)],
    "beach": [(150, 204, 236), (232, 212, 164), (84, 160, 190)],
    "forest": [(120, 156, 104), (58, 92, 60), (70, 54, 40)],
    "city": [(186, 198, 214), (126, 132, 146), (92, 98, 116)],
    "stage": [(52, 34, 70), (28, 22, 40), (150, 90, 160)],
    "garden": [(188, 220, 160), (110, 164, 92), (228, 132, 150)],
    "library": [(150, 110, 76), (104, 74, 52), (188, 150, 96)],
    "sunset": [(246, 176, 110), (206, 96, 104), (250, 220, 150)],
}


def blend(colours: list[tuple[int, int, int]], at: Tensor, circular: bool = False) -> Tensor:
    """Colours (n, 3, 1, 1) along a list, `at` (n,) in [0, 1]."""
    table = torch.tensor(colours, dtype=torch.float32) / 255
    place = at * (len(colours) if circular else len(colours) - 1)
    low = place.long().clamp(max=len(colours) - 1)
    high = (low + 1) % len(colours) if circular else (low + 1).clamp(max=len(colours) - 1)
    share = (place - low)[:, None]
    return (table[low] * (1 - share) + table[high] * share)[:, :, None, None]
