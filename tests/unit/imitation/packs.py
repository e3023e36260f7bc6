"""Face packs in the layout that insightface's loader accepts, with networks whose answers are known.

A "face" is a bright green block of 32 x 32 pixels on the grid of an image; its detector score rises with the
green. The recogniser's twelve numbers are the mean colours of the quarters of the aligned face.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LANDMARKS = (  # of the aligned face of 112 x 112 pixels: eyes, nose, corners of the mouth
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
STRIDES = (8, 16, 32)
CELL = 32


def write_pack(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(detector(), folder / "det_tiny.onnx")
    onnx.save(recogniser(), folder / "rec_tiny.onnx")
    return folder


def detector(landmarks: bool = True) -> onnx.ModelProto:
    """Outputs of SCRFD: scores, boxes and landmarks at three strides, two anchors at each place."""
    graph = _Graph()
    names: dict[str, list[str]] = {"score": [], "box": [], "landmarks": []}
    for stride in STRIDES:
        pooled = graph.add("AveragePool", ["input"], kernel_shape=[stride, stride], strides=[stride, stride])
        # Green 255 and the others 0 are (-1, 1, -1) in the network's eyes: 20 * (1 - 0.5) = 10.
        weight = [0.0, 20.0, 0.0] if stride == CELL else [0.0, 0.0, 0.0]
        bias = -10.0 if stride == CELL else -20.0
        logit = graph.conv(pooled, [weight] * 2, [bias] * 2)
        names["score"].append(graph.rows(graph.add("Sigmoid", [logit]), 1, f"score_{stride}"))
        # Distances in strides from the cell's upper left corner: the whole cell.
        names["box"].append(graph.rows(graph.conv(pooled, None, [0, 0, 1, 1] * 2), 4, f"box_{stride}"))
        points = (np.array(LANDMARKS) / 112).ravel().tolist()
        if landmarks:
            rows = graph.rows(graph.conv(pooled, None, points * 2), 10, f"landmarks_{stride}")
            names["landmarks"].append(rows)
    return graph.model(["height", "width"], 1, {name: 2 for each in names.values() for name in each})


def recogniser() -> onnx.ModelProto:
    graph = _Graph()
    pooled = graph.add("AveragePool", ["input"], kernel_shape=[56, 56], strides=[56, 56])
    graph.add("Flatten", [pooled], output="vector")
    return graph.model([112, 112], "batch", {"vector": 2})


class _Graph:
    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str = "", **attributes: object) -> str:
        name = output or f"node_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, source: str, weights: list[list[float]] | None, bias: list[float]) -> str:
        """A 1 x 1 convolution of three channels; without weights the bias everywhere."""
        kernel = np.zeros((len(bias), 3, 1, 1), np.float32)
        if weights is not None:
            kernel[:, :, 0, 0] = weights
        return self.add("Conv", [source, self.constant(kernel), self.constant(np.array(bias, np.float32))])

    def rows(self, source: str, width: int, name: str) -> str:
        """Channels last, then one row for each anchor."""
        last = self.add("Transpose", [source], perm=[0, 2, 3, 1])
        return self.add("Reshape", [last, self.constant(np.array([-1, width], np.int64))], output=name)

    def model(
        self, size: list[int] | list[str], batch: int | str, outputs: dict[str, int]
    ) -> onnx.ModelProto:
        shape = helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, *size])
        made = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None] * d) for n, d in outputs.items()]
        # insightface takes the outputs by their order: all scores, all boxes, all landmarks.
        graph = helper.make_graph(self._nodes, "tiny", [shape], made, self._constants)
        opsets = [helper.make_opsetid("", 13)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)
