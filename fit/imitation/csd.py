"""Style vectors of CSD (Somepalli et al. 2024, arXiv:2404.01292), the style scorer of the published method.

The visual tower of OpenAI's CLIP without its projection, and two projections in its place: one for style,
one for content. The published checkpoint is a pickle of a training run; under ``model_state_dict`` it holds
``module.backbone.*``, ``module.last_layer_style`` and ``module.last_layer_content``, the last two of shape
(width, dimensions). The sizes of the network are read off its weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from concepts.errors import ModelError
from fit.imitation.scorers import DEFAULT_SETUP, Setup
from fit.imitation.torch_encoder import BATCH, Network, TorchEncoder
from fit.weights.checkpoints import checkpoint, tensors

NAMES = ("model.safetensors", "pytorch_model.bin", "checkpoint.pth")
HEADS = {"style": "last_layer_style", "content": "last_layer_content"}
BACKBONE = "backbone."
WIDTH_OF_A_HEAD = 64  # of CLIP's attention, in all its sizes
# Of CLIP (Radford et al. 2021), which CSD keeps: shorter side to the network's size, bicubic, centre.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class CsdEncoder(TorchEncoder):
    """CSD with trained weights."""

    def __init__(
        self, weights: Path, setup: Setup = DEFAULT_SETUP, head: str = "style", batch: int = BATCH
    ) -> None:
        """Load a checkpoint.

        Args:
            weights: The checkpoint, or its folder.
            setup: Device, and which pickles may be read.
            head: ``style`` or ``content``.
            batch: Images in a batch.

        Raises:
            ModelError: It is missing, damaged, or of another network.
        """
        path = checkpoint(weights, NAMES, setup.pickles)
        plain = {key.removeprefix("module."): value for key, value in tensors(path).items()}
        network, side = _network(plain, HEADS[head], path)
        super().__init__(Network(network, network, _crop(side), MEAN, DEVIATION), setup, batch)


class _Csd(nn.Module):
    def __init__(self, backbone: nn.Module, head: Tensor) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Parameter(head)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.backbone(images)
        return features @ self.head


def _network(weights: Mapping[str, Tensor], head: str, path: Path) -> tuple[nn.Module, int]:
    """Return the network with its weights, and the side of the images that it takes in pixels."""
    from open_clip.transformer import QuickGELU, VisionTransformer

    inside = {key.removeprefix(BACKBONE): each.float() for key, each in weights.items() if BACKBONE in key}
    try:
        stem, places = inside["conv1.weight"], inside["positional_embedding"]
        width, patch, projection = stem.shape[0], stem.shape[-1], weights[head].float()
        side = round((places.shape[0] - 1) ** 0.5) * patch
        blocks = {key.split(".")[2] for key in inside if key.startswith("transformer.resblocks.")}
        backbone = VisionTransformer(
            side, patch, width, len(blocks), width // WIDTH_OF_A_HEAD, 4.0, act_layer=QuickGELU
        )
        backbone.proj = None
        backbone.load_state_dict(inside)
        if projection.shape[0] != width:
            raise ValueError(f"{head} of shape {tuple(projection.shape)} after a width of {width}")
        if not all(bool(each.isfinite().all()) for each in (*inside.values(), projection)):
            raise ValueError("weights that are not finite")
    except (KeyError, IndexError, ValueError, RuntimeError, ZeroDivisionError, AssertionError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"{path}: no CSD checkpoint ({reason}); fetch the published one") from error
    return _Csd(backbone, projection), side


def _crop(side: int) -> nn.Module:
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    crop: nn.Module = Compose([Resize(side, InterpolationMode.BICUBIC), CenterCrop(side)])
    return crop
