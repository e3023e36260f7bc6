"""Images per second of the sampling engine against the plain call of diffusers with the published settings.

    python benchmarks/generate.py --model sd1.5 --model sd2.1      # on a GPU, at full size
    python benchmarks/generate.py --model small --images 64        # on a CPU, at the demo's size

Speed does not depend on the weights, so they are random: pipelines are built from the published
configurations, saved as an ordinary folder and loaded by the engine as any model is. The plain call takes the
published study's arithmetic (fp32 for 1.x, fp16 for 2.1) in batches of 20, its pictures as PIL images. Both
take the same steps and scheduler. Rounds alternate, medians count. `results/generate.json` keeps what was
measured, with:

- `ratio`: ours over plain; wanted are 4 for sd1.5 and 1.8 for sd2.1;
- `share_of_peak`: floating-point operations of ours per second over those of a large bf16 product here;
- `writing`: what PNG, archive, tables and flushing to disk add to sampling alone; wanted is at most 5 %.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from fit import config
from fit.generation.engine import Engine, Setup
from fit.generation.families import decode, encode
from fit.generation.models import load_model
from fit.generation.pipelines import choose_device, load_pipeline
from fit.generation.presets import Recipe
from fit.generation.quiet import quiet
from fit.generation.requests import Sampling, requests_for
from fit.run import Job, Run
from fit.stages.generated import packed, write_generated

OUT = Path(__file__).parent / "results" / "generate.json"
PLAIN_BATCH = 20
PROMPTS = tuple(f"a painting in the style of artist {number}" for number in range(8))
PART = 64
WRITING = 0.05


@dataclass(frozen=True)
class Case:
    """A model to measure.

    Attributes:
        steps: Denoising steps.
        side: Of the images, in pixels.
        published: Arithmetic of the published study.
        fast: Arithmetic of the engine.
        ratio: What is wanted of ours over plain; 0: nothing in particular.
        unet: Settings of the denoiser.
        text: Settings of the text encoder.
        channels: Of the autoencoder's levels.
        scheduler: Class, and its settings.
    """

    steps: int
    side: int
    published: str
    fast: str
    ratio: float
    unet: dict[str, Any]
    text: dict[str, Any]
    channels: tuple[int, ...]
    scheduler: tuple[str, dict[str, Any]]


def _text(width: int, layers: int, heads: int) -> dict[str, int]:
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
    }


_NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
# From the configurations in the repositories of the models' rows.
CASES = {
    "sd1.5": Case(
        steps=50, side=512, published="float32", fast="float16", ratio=4.0,
        unet={
            "block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8,
            "cross_attention_dim": 768,
        },
        text=_text(768, 12, 12),
        channels=(128, 256, 512, 512),
        scheduler=("PNDMScheduler", {**_NOISE, "skip_prk_steps": True, "set_alpha_to_one": False}),
    ),
    "sd2.1": Case(
        steps=50, side=768, published="float16", fast="float16", ratio=1.8,
        unet={
            "block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": (5, 10, 20, 20),
            "cross_attention_dim": 1024, "use_linear_projection": True,
        },
        text=_text(1024, 23, 16),
        channels=(128, 256, 512, 512),
        scheduler=("DPMSolverMultistepScheduler", {**_NOISE, "prediction_type": "v_prediction"}),
    ),
    # As the demo's model: two levels, small pictures.
    "small": Case(
        steps=12, side=32, published="float32", fast="float16", ratio=0.0,
        unet={
            "block_out_channels": (64, 128), "attention_head_dim": 8, "cross_attention_dim": 64,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "layers_per_block": 1,
        },
        text=_text(64, 2, 4),
        channels=(32, 32, 32),
        scheduler=("DPMSolverMultistepScheduler", _NOISE),
    ),
}  # fmt: skip


def build(case: Case) -> Any:
    """Return the pipeline with random weights."""
    torch.manual_seed(0)
    words = transformers.CLIPTokenizer().train_new_from_iterator(PROMPTS, 400)
    words.model_max_length = 77
    levels = len(case.channels)
    name, settings = case.scheduler
    # Fewer words than the published 49,408: a row of the table is looked up, whatever its length.
    vocabulary = {"vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    return diffusers.StableDiffusionPipeline(
        unet=diffusers.UNet2DConditionModel(sample_size=case.side // 2 ** (levels - 1), **case.unet),
        text_encoder=transformers.CLIPTextModel(transformers.CLIPTextConfig(**vocabulary, **case.text)),
        vae=diffusers.AutoencoderKL(
            block_out_channels=case.channels,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            latent_channels=4,
            layers_per_block=2,
            sample_size=case.side,
        ),
        tokenizer=words,
        scheduler=getattr(diffusers, name)(**settings),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def plain_call(case: Case, folder: Path, device: torch.device) -> Callable[[int], None]:
    """Return the call of the published study."""
    dtype = getattr(torch, case.published if device.type != "cpu" else "float32")
    with quiet():
        pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, dtype=dtype, safety_checker=None)
    pipeline = pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)

    def call(images: int) -> None:
        for start in range(0, images, PLAIN_BATCH):
            prompts = [PROMPTS[i % len(PROMPTS)] for i in range(start, min(start + PLAIN_BATCH, images))]
            with quiet():
                pipeline(prompts, num_inference_steps=case.steps, height=case.side, width=case.side)

    return call


class Ours:
    """The engine, and the writing of what it samples."""

    def __init__(self, case: Case, folder: Path, asked: argparse.Namespace, home: Path) -> None:
        """Load nothing yet."""
        sampling = Sampling(case.steps, 0.0, case.side, case.side)
        recipe = Recipe(sampling, case.fast, compile=not asked.no_compile)
        self.setup = Setup(load_model(str(folder)), recipe, batch_size=asked.batch)
        self.engine = Engine(self.setup, folder)
        settings = config.Settings(domain="art-styles", concepts="x", model="x", corpus="x")
        self.job = Job(Run(home, settings), "generation", ())
        self.batch_size = 0
        self.written = 0

    def sample(self, images: int, write: bool = True) -> None:
        """Sample images in parts as a run does, and write them."""
        each = -(-images // len(PROMPTS))
        requests = requests_for("x", PROMPTS, each, 0)[:images]
        for start in range(0, images, PART):
            found = self.engine.sample(requests[start : start + PART])
            self.batch_size = found.batch_size
            if write:
                name = f"0-model-{self.written:06d}"
                write_generated(self.job, name, *packed(name, "model", found.samples), found.batch_size)
                self.written += 1

    def bare(self, images: int) -> None:
        """Denoise and decode the same batches, without PNG, threads and files."""
        sampler = self.engine._sampler
        assert sampler is not None  # noqa: S101 (it was asked before)
        pipeline, size = sampler.pipeline, self.batch_size
        requests = requests_for("x", PROMPTS, -(-images // len(PROMPTS)), 0)[:images]
        with torch.inference_mode(), quiet():
            for start in range(0, images, PART):
                part = requests[start : start + PART]
                texts = encode(pipeline, [request.prompt for request in part], 0.0)
                for first in range(0, len(part), size):
                    batch = part[first : first + size]
                    drawn = sampler._draw(batch, texts, size)
                    decode(pipeline, drawn.latents).float().cpu()


def seconds(act: Callable[[], None], device: torch.device) -> float:
    """Return how long something takes, the device's work included."""
    _wait(device)
    begun = time.perf_counter()
    act()
    _wait(device)
    return time.perf_counter() - begun


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak(device: torch.device, side: int) -> float:
    """Return the operations per second of a square product in bf16 (on a CPU in fp32), the best of five."""
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    square = torch.randn(side, side, device=device, dtype=dtype)
    torch.mm(square, square)
    return 2.0 * side**3 / min(seconds(lambda: torch.mm(square, square), device) for _ in range(5))


def operations(case: Case, folder: Path, device: torch.device) -> float:
    """Return the floating-point operations that one image takes: all steps, with and without the prompt."""
    with quiet(), torch.inference_mode():
        pipeline = load_pipeline(load_model(str(folder)), folder, device)
        latent = case.side // pipeline.vae_scale_factor
        dtype = pipeline.unet.dtype
        sample = torch.zeros(2, 4, latent, latent, device=device, dtype=dtype)
        states = torch.zeros(2, 77, case.unet["cross_attention_dim"], device=device, dtype=dtype)
        with FlopCounterMode(display=False) as denoising:
            pipeline.unet(sample, 1, encoder_hidden_states=states)
        with FlopCounterMode(display=False) as decoding:
            decode(pipeline, sample[:1])
    calls = case.steps + 1 if case.scheduler[0] == "PNDMScheduler" else case.steps  # its first step takes two
    return float(denoising.get_total_flops() * calls + decoding.get_total_flops())


def measure(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure one model and return the row."""
    case, device = CASES[name], choose_device("auto")
    with tempfile.TemporaryDirectory(prefix="fit-generate-") as place:
        folder = Path(place) / "model"
        with quiet():
            build(case).save_pretrained(folder, safe_serialization=True)
        plain, ours = plain_call(case, folder, device), Ours(case, folder, asked, Path(place) / "run")
        plain(min(PLAIN_BATCH, asked.images))  # warm, and with ours, compiled
        ours.sample(min(PART, asked.images))
        times: dict[str, list[float]] = {"plain": [], "ours": [], "bare": []}
        for _ in range(asked.rounds):
            times["plain"].append(seconds(lambda: plain(asked.images), device))
            times["ours"].append(seconds(lambda: ours.sample(asked.images), device))
            times["bare"].append(seconds(lambda: ours.bare(asked.images), device))
        each = operations(case, folder, device)
    median = {key: statistics.median(values) for key, values in times.items()}
    speed = {key: asked.images / value for key, value in median.items()}
    most = peak(device, asked.product)
    gpu = device.type == "cuda"
    return {
        "model": name,
        "device": torch.cuda.get_device_name(device) if gpu else platform.machine(),
        "cores": os.cpu_count(),
        "images": asked.images,
        "rounds": asked.rounds,
        "steps": case.steps,
        "side": case.side,
        "scheduler": case.scheduler[0],
        "plain": {"dtype": case.published, "batch": PLAIN_BATCH, "images_per_second": speed["plain"]},
        "ours": {
            "dtype": case.fast,
            "batch": ours.batch_size,
            "compiled": ours.setup.recipe.compile and gpu,
            "images_per_second": speed["ours"],
        },
        "seconds": times,
        "ratio": speed["ours"] / speed["plain"],
        "wanted_ratio": case.ratio,
        "operations_per_image": each,
        "peak_operations_per_second": most,
        "share_of_peak": each * speed["ours"] / most,
        "writing": median["ours"] / median["bare"] - 1,
        "wanted_writing": WRITING,
    }


def main() -> None:
    """Measure, print and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", choices=CASES, help="may be repeated; default: small")
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=0, help="of ours; 0: as many as fit into memory")
    parser.add_argument("--product", type=int, default=8192, help="side of the product for the peak")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    rows = [measure(name, asked) for name in asked.model or ["small"]]
    for row in rows:
        speed, wanted = row["ours"]["images_per_second"], row["wanted_ratio"]
        print(
            f"{row['model']}: {speed:.2f} images/s, {row['ratio']:.2f} x plain (wanted {wanted:g}), "
            f"{row['share_of_peak']:.0%} of peak, writing {row['writing']:+.1%}"
        )
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
