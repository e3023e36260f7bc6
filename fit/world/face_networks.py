"""The networks of the demo world's face pack: a small SCRFD and a small ArcFace.

The detector looks at 64 x 64 pixels at strides of 8, 16 and 32 pixels (Guo et al. 2021, arXiv:2105.04714).
The recogniser turns an aligned face of 112 x 112 pixels into a vector (Deng et al. 2019, arXiv:1801.07698),
pooled as in MobileFaceNet (Chen et al. 2018, arXiv:1804.07573): each map by weights of its own.
"""

from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn

DETECTOR_SIDE: Final = 64
ALIGNED_SIDE: Final = 112
STRIDES: Final = (8, 16, 32)
ANCHORS: Final = 2  # per place, as insightface's loader expects of nine outputs
LANDMARKS: Final = 5
DIMENSIONS: Final = 96


class Conv(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        padding = 0 if kernel == stride else kernel // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        return nn.functional.relu(self.norm(self.conv(x)), inplace=True)


@dataclass(frozen=True)
class Found:
    """What the detector says, per stride.

    Attributes:
        scores: Logits, each of shape (n, 2, h, w).
        boxes: Distances from a place to left, top, right and bottom in strides, each (n, 2, 4, h, w).
        points: Offsets of the landmarks in strides, each (n, 2, 10, h, w): x, y of the first, and so on.
    """

    scores: tuple[Tensor, ...]
    boxes: tuple[Tensor, ...]
    points: tuple[Tensor, ...]


class Detector(nn.Module):
    """A pyramid of three sizes with one head for all."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        w = width
        self.stem = nn.Sequential(Conv(3, w, stride=2), Conv(w, 2 * w, stride=2), Conv(2 * w, 2 * w))
        self.stages = nn.ModuleList(
            [
                nn.Sequential(Conv(2 * w, 4 * w, stride=2), Conv(4 * w, 4 * w)),
                nn.Sequential(Conv(4 * w, 4 * w, stride=2), Conv(4 * w, 4 * w)),
                nn.Sequential(Conv(4 * w, 4 * w, stride=2), Conv(4 * w, 4 * w)),
            ]
        )
        self.head = Conv(4 * w, 4 * w)
        self.score = nn.Conv2d(4 * w, ANCHORS, 1)
        self.box = nn.Conv2d(4 * w, ANCHORS * 4, 1)
        self.point = nn.Conv2d(4 * w, ANCHORS * LANDMARKS * 2, 1)
        nn.init.constant_(self.score.bias, -3.0)  # type: ignore[arg-type]
        nn.init.constant_(self.box.bias, 1.5)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Found:
        """Images (n, 3, 64, 64) in about [-1, 1] to what is found in them."""
        maps, x = [], self.stem(images)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        for i in (1, 0):  # what a coarse map knows, the finer one below it learns
            maps[i] = maps[i] + nn.functional.interpolate(maps[i + 1], scale_factor=2.0, mode="nearest")
        heads = [self.head(each) for each in maps]
        return Found(
            tuple(self.score(each) for each in heads),
            tuple(self.box(each).unflatten(1, (ANCHORS, 4)) for each in heads),
            tuple(self.point(each).unflatten(1, (ANCHORS, LANDMARKS * 2)) for each in heads),
        )


class Recogniser(nn.Module):
    """Aligned faces in, vectors out."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        w = width
        self.features = nn.Sequential(
            Conv(3, w, 4, 4),  # 28 x 28
            Conv(w, 2 * w),
            Conv(2 * w, 4 * w, stride=2),  # 14 x 14
            Conv(4 * w, 4 * w),
            Conv(4 * w, 5 * w, stride=2),  # 7 x 7
            Conv(5 * w, 5 * w),
        )
        self.pool = nn.Conv2d(5 * w, 5 * w, 7, groups=5 * w)
        self.project = nn.Linear(5 * w, DIMENSIONS)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces (n, 3, 112, 112) in [-1, 1] to vectors (n, 96), not yet of unit length."""
        vectors: Tensor = self.project(self.pool(self.features(faces)).flatten(1))
        return vectors
