"""A Stable Diffusion pipeline in miniature: diffusers' own classes, random weights, 16 x 16 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderTiny,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

SIDE = 16  # pixels
TOKENS = 12
WORDS = ("a painting in the style of bako", "a sketch in the style of dulo", "an artwork by mira")


def tokenizer() -> CLIPTokenizer:
    made = CLIPTokenizer().train_new_from_iterator(WORDS, 300)
    made.model_max_length = TOKENS
    return made


def text_encoder(vocabulary: int) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=TOKENS,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )


def unet(channels: tuple[int, int] = (16, 32)) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE // 2,
        in_channels=4,
        out_channels=4,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=8,
    )


def autoencoder() -> AutoencoderTiny:
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
        latent_channels=4,
    )


def pipeline(seed: int) -> Any:
    """The pipeline, its weights a function of the seed alone."""
    words = tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = {"unet": unet(), "text_encoder": text_encoder(len(words)), "vae": autoencoder()}
    return StableDiffusionPipeline(
        **parts,
        tokenizer=words,
        scheduler=DPMSolverMultistepScheduler(
            beta_schedule="scaled_linear", timestep_spacing="trailing", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save(folder: Path, seed: int) -> Path:
    """Write the pipeline as an ordinary diffusers folder."""
    pipeline(seed).save_pretrained(folder, safe_serialization=True)
    return folder
