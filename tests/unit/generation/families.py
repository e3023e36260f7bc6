"""Every architecture that a row has, in miniature: diffusers' own classes, random weights, 16 x 16 pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from tests.unit.generation import tiny

WIDTH = 16  # of every text embedding
TOKENS = tiny.TOKENS
_NO_QUANT = {"use_quant_conv": False, "use_post_quant_conv": False}


def _kl(channels: int = 4, levels: int = 2, **more: Any) -> diffusers.AutoencoderKL:
    return diffusers.AutoencoderKL(
        block_out_channels=(8,) * levels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        latent_channels=channels,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=tiny.SIDE,
        **more,
    )


def _unet(**more: Any) -> diffusers.UNet2DConditionModel:
    settings: dict[str, Any] = {
        "sample_size": tiny.SIDE // 2,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return diffusers.UNet2DConditionModel(**(settings | more))


def _projected(vocabulary: int) -> Any:
    plain = tiny.text_encoder(vocabulary).config
    return transformers.CLIPTextModelWithProjection(
        transformers.CLIPTextConfig(**{**plain.to_dict(), "projection_dim": WIDTH, "hidden_act": "gelu"})
    )


def _t5() -> tuple[Any, Any]:
    """A T5 tokenizer and encoder."""
    words = sorted({word for text in tiny.WORDS for word in text.split()})
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -10.0)]
    pieces += [(f"▁{word}", -2.0) for word in words] + [(chr(code), -8.0) for code in range(97, 123)]
    tokenizer = transformers.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=TOKENS)
    shape = {"d_model": WIDTH, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2}
    encoder = transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=len(tokenizer), feed_forward_proj="gated-gelu", **shape)
    )
    return tokenizer, encoder


def sd1() -> Any:
    """Stable Diffusion 1: noise prediction, PNDM, a KL autoencoder."""
    words = tiny.tokenizer()
    return diffusers.StableDiffusionPipeline(
        unet=_unet(),
        text_encoder=tiny.text_encoder(len(words)),
        vae=_kl(),
        tokenizer=words,
        scheduler=diffusers.PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip


def sd2() -> Any:
    """Stable Diffusion 2.1: v-prediction, linear projections, DPM-Solver."""
    words = tiny.tokenizer()
    return diffusers.StableDiffusionPipeline(
        unet=_unet(use_linear_projection=True, attention_head_dim=(4, 8)),
        text_encoder=tiny.text_encoder(len(words)),
        vae=_kl(),
        tokenizer=words,
        scheduler=diffusers.DDIMScheduler(
            beta_schedule="scaled_linear", prediction_type="v_prediction", set_alpha_to_one=False,
            steps_offset=1, clip_sample=False,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip


def ldm() -> Any:
    """Latent diffusion: a BERT of its own, a vector-quantised autoencoder, no text embeddings to hand in."""
    from diffusers.pipelines.latent_diffusion.pipeline_latent_diffusion import LDMBertConfig, LDMBertModel

    words = sorted({word for text in tiny.WORDS for word in text.split()})
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    bert = LDMBertModel(
        LDMBertConfig(
            vocab_size=len(vocabulary), d_model=WIDTH, encoder_layers=1, encoder_ffn_dim=32,
            encoder_attention_heads=2, head_dim=8,
        )
    )  # fmt: skip
    return diffusers.LDMTextToImagePipeline(
        vqvae=diffusers.VQModel(
            block_out_channels=(8,) * 4,  # the pipeline takes it for granted that a latent is 8 pixels wide
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            num_vq_embeddings=16,
            norm_num_groups=4,
        ),
        bert=bert,
        tokenizer=transformers.BertTokenizer(vocab=vocabulary),
        unet=_unet(sample_size=tiny.SIDE // 8),
        scheduler=diffusers.DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False),
    )


def sdxl() -> Any:
    """Stable Diffusion XL: two text encoders, size and crop as conditions."""
    words = tiny.tokenizer()
    first = _projected(len(words)).config
    return diffusers.StableDiffusionXLPipeline(
        unet=_unet(
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + WIDTH,
            use_linear_projection=True,
            transformer_layers_per_block=1,
        ),
        text_encoder=transformers.CLIPTextModel(first),
        text_encoder_2=_projected(len(words)),
        vae=_kl(),
        tokenizer=words,
        tokenizer_2=words,
        scheduler=diffusers.EulerDiscreteScheduler(beta_schedule="scaled_linear", steps_offset=1),
    )


def sdxl_turbo() -> Any:
    """SDXL-Turbo: the same with few steps at the far end and no guidance."""
    made = sdxl()
    made.scheduler = diffusers.EulerAncestralDiscreteScheduler(timestep_spacing="trailing")
    return made


def sd3() -> Any:
    """Stable Diffusion 3: a transformer, flow matching, three text encoders."""
    words = tiny.tokenizer()
    t5_words, t5 = _t5()
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            sample_size=tiny.SIDE // 2, patch_size=1, in_channels=8, num_layers=1, attention_head_dim=8,
            num_attention_heads=2, joint_attention_dim=2 * WIDTH, caption_projection_dim=16,
            pooled_projection_dim=2 * WIDTH, out_channels=8,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_kl(8, scaling_factor=1.5305, shift_factor=0.0609, **_NO_QUANT),
        text_encoder=_projected(len(words)),
        tokenizer=words,
        text_encoder_2=_projected(len(words)),
        tokenizer_2=words,
        text_encoder_3=_wide(t5),
        tokenizer_3=t5_words,
    )  # fmt: skip


def _wide(t5: Any) -> Any:
    """A T5 whose states are as wide as two CLIP encoders' together, as SD 3 pads them."""
    return transformers.T5EncoderModel(transformers.T5Config(**{**t5.config.to_dict(), "d_model": 2 * WIDTH}))


def flux() -> Any:
    """FLUX: latents as sequences of patches, T5 and a pooled CLIP."""
    words = tiny.tokenizer()
    t5_words, t5 = _t5()
    return diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=_kl(4, scaling_factor=0.3611, shift_factor=0.1159, **_NO_QUANT),
        text_encoder=tiny.text_encoder(len(words)),
        tokenizer=words,
        text_encoder_2=t5,
        tokenizer_2=t5_words,
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
            num_attention_heads=2, joint_attention_dim=WIDTH, pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8), guidance_embeds=False,
        ),
    )  # fmt: skip


def pixart() -> Any:
    """PixArt: a diffusion transformer with masked T5 embeddings."""
    t5_words, t5 = _t5()
    return diffusers.PixArtAlphaPipeline(
        tokenizer=t5_words,
        text_encoder=t5,
        vae=_kl(levels=4),
        transformer=diffusers.PixArtTransformer2DModel(
            sample_size=32, num_layers=1, patch_size=2, attention_head_dim=8,
            num_attention_heads=2, caption_channels=WIDTH, in_channels=4, cross_attention_dim=16,
            out_channels=8,
        ),
        scheduler=diffusers.DPMSolverMultistepScheduler(),
    )  # fmt: skip


def kandinsky_prior() -> Any:
    """The first pipeline of Kandinsky 2.2: from text to the embedding of an image."""
    words = tiny.tokenizer()
    vision = transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig(
            hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=16,
            patch_size=8, projection_dim=WIDTH,
        )
    )  # fmt: skip
    return diffusers.KandinskyV22PriorPipeline(
        prior=diffusers.PriorTransformer(
            num_attention_heads=2, attention_head_dim=8, num_layers=1, embedding_dim=WIDTH,
            num_embeddings=TOKENS,
        ),
        image_encoder=vision,
        text_encoder=_projected(len(words)),
        tokenizer=words,
        scheduler=diffusers.UnCLIPScheduler(prediction_type="sample", num_train_timesteps=1000),
        image_processor=transformers.CLIPImageProcessor(size=16, crop_size=16),
    )  # fmt: skip


def kandinsky() -> Any:
    """Its second pipeline: from that embedding to the image."""
    return diffusers.KandinskyV22Pipeline(
        unet=_unet(
            out_channels=8,
            addition_embed_type="image",
            encoder_hid_dim=WIDTH,
            encoder_hid_dim_type="image_proj",
            cross_attention_dim=WIDTH,
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            resnet_time_scale_shift="scale_shift",
        ),
        scheduler=diffusers.DDIMScheduler(clip_sample=False, beta_schedule="linear"),
        movq=diffusers.VQModel(
            block_out_channels=(32, 32),  # its norms have 32 groups
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            num_vq_embeddings=16,
            norm_type="spatial",
        ),
    )


MAKERS: dict[str, Callable[[], Any]] = {
    each.__name__: each for each in (sd1, sd2, ldm, sdxl, sdxl_turbo, sd3, flux, pixart, kandinsky)
}


def make(name: str, seed: int = 1) -> Any:
    """A pipeline whose weights are a function of the seed alone."""
    maker = {**MAKERS, "kandinsky_prior": kandinsky_prior}[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = maker()
    made.set_progress_bar_config(disable=True)
    return made


def save(name: str, folder: Path, seed: int = 1) -> Path:
    """Write it as an ordinary diffusers folder."""
    make(name, seed).save_pretrained(folder, safe_serialization=True)
    return folder
