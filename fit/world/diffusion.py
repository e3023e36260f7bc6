"""The demo world's text-to-image model: a small latent diffusion model in the layout of Stable Diffusion.

A byte-level BPE tokenizer and a two-layer CLIP text encoder learn with a 5-million-parameter UNet on the
latents of the autoencoder, predicting v (Salimans & Ho 2022) on Stable Diffusion's noise schedule; one
caption in ten is left empty so that classifier-free guidance works. Exponential averages of the weights are
what is kept.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    AutoencoderTiny,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from fit.world.checkpoints import Checkpoints
from fit.world.dataset import TrainingSet
from fit.world.training import Log, Schedule, train

TOKENS: Final = 24
_WIDTH: Final = 128


@dataclass(frozen=True)
class DiffusionRecipe:
    """How the denoiser is built and trained.

    `channels`: of the UNet's two sizes. The rate falls linearly to zero over the last `cooldown` of steps.
    """

    seed: int = 2412
    steps: int = 5200
    batch: int = 64
    rate: float = 1e-3
    cooldown: float = 0.35
    empty: float = 0.1
    average: float = 0.998
    channels: tuple[int, int] = (80, 128)


class Denoiser(nn.Module):
    """Text encoder and UNet, trained together."""

    def __init__(self, vocabulary: int, latents: int, side: int, channels: tuple[int, int]) -> None:
        super().__init__()
        self.text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=vocabulary,
                hidden_size=_WIDTH,
                intermediate_size=4 * _WIDTH,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=TOKENS,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
            )
        )
        self.unet = UNet2DConditionModel(
            sample_size=side,
            in_channels=latents,
            out_channels=latents,
            block_out_channels=channels,
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=_WIDTH,
            attention_head_dim=4,
            norm_num_groups=16,
            time_embedding_dim=256,
            resnet_time_scale_shift="scale_shift",
            # The pooled caption joins the time embedding: a style concerns the whole picture.
            addition_embed_type="text",
            addition_embed_type_num_heads=4,
        ).to(memory_format=torch.channels_last)

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predicted v of noisy latents (n, c, h, w) at times (n,) under tokens (n, 24)."""
        states = self.text_encoder(tokens).last_hidden_state
        predicted: Tensor = self.unet(noisy, times, states).sample
        return predicted


def train_tokenizer(captions: tuple[str, ...], vocabulary: int = 2000) -> CLIPTokenizer:
    """CLIP's tokenizer with a vocabulary learned from the captions."""
    tokenizer = CLIPTokenizer().train_new_from_iterator(captions, vocabulary)
    tokenizer.model_max_length = TOKENS
    return tokenizer


def keep_tokenizer(captions: tuple[str, ...], folder: Path) -> CLIPTokenizer:
    """The tokenizer in a folder; trained from the captions where there is none yet.

    The trainer numbers some tokens in the order of a randomly seeded hash map, so a denoiser that is resumed
    needs the very tokenizer that it was begun with.
    """
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}-unfinished")
        train_tokenizer(captions).save_pretrained(unfinished)
        unfinished.rename(folder)
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder)
    return tokenizer


def noise_schedule() -> DDPMScheduler:
    """Stable Diffusion's schedule, with v prediction."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
    )


@dataclass(frozen=True)
class Material:
    """What a training reads: scaled latents (m, c, h, w), the image of each caption (n,), its tokens (n.

    24), no-caption tokens (24,).
    """

    latents: Tensor
    image: Tensor
    tokens: Tensor
    nothing: Tensor


def prepare(data: TrainingSet, latents: Tensor, tokenizer: CLIPTokenizer) -> Material:
    """Tokenise the captions."""
    tokens = _tokenise(tokenizer, list(data.captions))
    return Material(latents, torch.from_numpy(data.image), tokens, _tokenise(tokenizer, [""])[0])


def _tokenise(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    tokens: Tensor = tokenizer(
        captions, padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt"
    ).input_ids
    return tokens


def new_denoiser(
    vocabulary: int, latents: int, side: int, seed: int, channels: tuple[int, int] = DiffusionRecipe.channels
) -> Denoiser:
    """A denoiser with random weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Denoiser(vocabulary, latents, side, channels)


def train_denoiser(
    model: Denoiser, material: Material, recipe: DiffusionRecipe, checkpoints: Checkpoints, log: Log
) -> None:
    """Train in place and leave the averaged weights in `model`; resumes from the newest checkpoint."""
    average_of = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]
    average = AveragedModel(model, multi_avg_fn=average_of)
    schedule = Schedule(recipe.steps, lambda step: _rate(recipe, step), clip=1.0)
    noise, device = noise_schedule(), next(model.parameters()).device
    train(
        model,
        lambda step: _loss(model, material, recipe, noise, step, device),
        schedule,
        checkpoints,
        log,
        average,
    )
    model.load_state_dict(average.module.state_dict())


def _rate(recipe: DiffusionRecipe, step: int) -> float:
    left = (recipe.steps - step) / (recipe.cooldown * recipe.steps)
    return recipe.rate * min(1.0, (step + 1) / 200, left)


def _loss(
    model: nn.Module,
    material: Material,
    recipe: DiffusionRecipe,
    schedule: DDPMScheduler,
    step: int,
    device: Any,
) -> Tensor:
    """Mean squared error of the predicted v. All chance is a function of the recipe's seed and the step."""
    chance = torch.Generator().manual_seed(recipe.seed * 1_000_000 + step)
    rows = _epoch_rows(len(material.image), recipe, step)
    latents = material.latents[material.image[rows]]
    tokens = material.tokens[rows]
    empty = torch.rand(len(rows), generator=chance) < recipe.empty
    tokens = torch.where(empty[:, None], material.nothing[None], tokens)
    times = torch.randint(0, 1000, (len(rows),), generator=chance)
    noise = torch.randn(latents.shape, generator=chance)
    noisy = schedule.add_noise(latents, noise, times)
    wanted = schedule.get_velocity(latents, noise, times)
    predicted = model(
        noisy.to(device).contiguous(memory_format=torch.channels_last), times.to(device), tokens.to(device)
    )
    return nn.functional.mse_loss(predicted, wanted.to(device))


def _epoch_rows(n: int, recipe: DiffusionRecipe, step: int) -> Tensor:
    """The rows of a step: each epoch is one permutation of all rows, its tail short of a batch left out."""
    per_epoch = n // recipe.batch
    epoch, place = divmod(step, per_epoch)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(recipe.seed * 1_000 + epoch))
    return order[place * recipe.batch : (place + 1) * recipe.batch]


def save_pipeline(
    model: Denoiser, tokenizer: CLIPTokenizer, autoencoder: AutoencoderTiny, folder: Path
) -> None:
    """Write the ordinary diffusers folder, weights as float16 safetensors."""
    scheduler = DPMSolverMultistepScheduler.from_config(
        noise_schedule().config, timestep_spacing="trailing", steps_offset=1
    )
    pipeline = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=model.text_encoder,
        tokenizer=tokenizer,
        unet=model.unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder, safe_serialization=True)
