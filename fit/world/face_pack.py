"""Writing the face pack: two ONNX files that `insightface.app.FaceAnalysis` loads from a folder.

The graphs are written node by node, with batch normalisation folded into the convolutions, so that the files
depend on the weights alone. insightface's loader tells models by their shapes: nine outputs are a detector
with landmarks (scores, then boxes, then landmarks of strides 8, 16 and 32, each with a row per place and
anchor); one output and a square input of 112 pixels are a recogniser.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fit.world.face_networks import (
    ALIGNED_SIDE,
    ANCHORS,
    DETECTOR_SIDE,
    DIMENSIONS,
    LANDMARKS,
    STRIDES,
    Conv,
    Detector,
    Recogniser,
)

DETECTOR: Final = "detector.onnx"
RECOGNISER: Final = "recogniser.onnx"
_OPSET: Final = 17
_PER_PLACE: Final = {"score": 1, "box": 4, "point": 2 * LANDMARKS}


def save_pack(detector: Detector, recogniser: Recogniser, folder: Path) -> None:
    """Write both networks, as they are in evaluation, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_detector_graph(detector.eval()), str(folder / DETECTOR))
    onnx.save(_recogniser_graph(recogniser.eval()), str(folder / RECOGNISER))


class _Graph:
    """An ONNX graph under construction; the methods add a node and return the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def constant(self, value: npt.NDArray[np.generic]) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        name = output or f"x{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(self, x: str, conv: nn.Conv2d, weight: Tensor, bias: Tensor) -> str:
        stride, padding = conv.stride[0], int(conv.padding[0])
        names = [self.constant(each.detach().float().numpy()) for each in (weight, bias)]
        return self.node(
            "Conv",
            [x, *names],
            kernel_shape=list(conv.kernel_size),
            strides=[stride, stride],
            pads=[padding] * 4,
            group=conv.groups,
        )

    def layer(self, x: str, module: nn.Module) -> str:
        """Convolutions of the networks, one after the other."""
        if isinstance(module, Conv):
            return self.node("Relu", [self.conv(x, module.conv, *_folded(module))])
        if isinstance(module, nn.Conv2d):
            bias = module.bias if module.bias is not None else torch.zeros(module.out_channels)
            return self.conv(x, module, module.weight, bias)
        for each in module.children():
            x = self.layer(x, each)
        return x

    def model(self, side: int, batch: int | str, outputs: dict[str, list[int | str]]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "fit",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, side, side])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs.items()],
            self._weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="fit")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        return model


def _folded(layer: Conv) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does its batch normalisation too."""
    norm = layer.norm
    mean, variance = (torch.as_tensor(each) for each in (norm.running_mean, norm.running_var))
    factor = norm.weight / torch.sqrt(variance + norm.eps)
    return layer.conv.weight * factor[:, None, None, None], norm.bias - mean * factor


def _detector_graph(network: Detector) -> onnx.ModelProto:
    g = _Graph()
    maps, x = [], g.layer("input", network.stem)
    for stage in network.stages:
        x = g.layer(x, stage)
        maps.append(x)
    twice = g.constant(np.array([1, 1, 2, 2], dtype=np.float32))
    for i in (1, 0):
        larger = g.node(
            "Resize",
            [maps[i + 1], "", twice],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        maps[i] = g.node("Add", [maps[i], larger])
    heads = [g.layer(each, network.head) for each in maps]
    outputs: dict[str, list[int | str]] = {}
    for kind, numbers in _PER_PLACE.items():
        for head, stride in zip(heads, STRIDES, strict=True):
            name = f"{kind}_{stride}"
            _rows(g, g.layer(head, getattr(network, kind)), numbers, name)
            outputs[name] = [(DETECTOR_SIDE // stride) ** 2 * ANCHORS, numbers]
    return g.model(DETECTOR_SIDE, 1, outputs)


def _rows(g: _Graph, x: str, numbers: int, name: str) -> None:
    """A map (1, anchors x numbers, h, w) as rows (h x w x anchors, numbers); scores as probabilities."""
    x = g.node("Transpose", [x], perm=[0, 2, 3, 1])
    shape = g.constant(np.array([-1, numbers], dtype=np.int64))
    if numbers == 1:
        g.node("Sigmoid", [g.node("Reshape", [x, shape])], name)
    else:
        g.node("Reshape", [x, shape], name)


def _recogniser_graph(network: Recogniser) -> onnx.ModelProto:
    g = _Graph()
    x = g.layer(g.layer("input", network.features), network.pool)
    x = g.node("Flatten", [x])
    weight = g.constant(network.project.weight.detach().numpy())
    bias = g.constant(network.project.bias.detach().numpy())
    g.node("Gemm", [x, weight, bias], "embedding", transB=1)
    return g.model(ALIGNED_SIDE, "faces", {"embedding": ["faces", DIMENSIONS]})
