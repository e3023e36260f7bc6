"""From a model row to a diffusers pipeline that is ready to sample, on whatever device there is."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from concepts.errors import ModelError
from fit.generation.components import replace_component
from fit.generation.edits import LORA
from fit.generation.lora import DENOISERS, merge_lora
from fit.generation.models import Model
from fit.generation.pickled import without_pickles
from fit.generation.places import CHECKER, INDEX, Found, Located, locate
from fit.generation.presets import Recipe, load_preset, recipe_of
from fit.generation.quiet import quiet
from fit.weights.hub import first_line

_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
# What diffusers, transformers and the hub client throw at missing, foreign, truncated or gated weights.
_UNLOADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    SafetensorError,
)
# How diffusers and transformers mention weights that no file holds or that do not fit; they may go on
# with random ones.
_MADE_UP = re.compile(
    r"Some weights of (\w+) were not initialized|(\w+) LOAD REPORT.*\b(?:MISSING|MISMATCH)\b", re.DOTALL
)
AUTOENCODERS = ("vae", "vqvae", "movq")


def choose_device(wanted: str) -> torch.device:
    """Return the device that a setting names; ``auto``: the first accelerator, else the CPU.

    Raises:
        ModelError: There is no such device on this machine.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device).item()  # the device `meta` has tensors, but no numbers in them
    except (RuntimeError, AssertionError, ImportError) as error:
        raise ModelError(
            f"{wanted}: no such device here ({str(error).splitlines()[0]}); use auto or cpu"
        ) from error
    return device


def load_pipeline(
    model: Model,
    data: Path,
    device: torch.device,
    recipe: Recipe | None = None,
    located: Located | None = None,
) -> Any:
    """Load a pipeline with the edits that lie on top of it, ready to sample.

    Weights are read from safetensors only, and code that lies beside them is never run.

    Args:
        model: The model's row.
        data: The data folder, for rows whose weights lie there.
        device: Where to put it.
        recipe: Arithmetic, scheduler and safety checker; None: the row's own, with the checker.
        located: Where the weights were found; None: they are looked for.

    Raises:
        ModelError: The weights cannot be had or read, are not all there, or are of no text-to-image model.
    """
    how = recipe or recipe_of(model, load_preset("default"))
    where = located or locate(model, data, how.safety_checker)
    dtype = arithmetic(how.dtype, device)
    pipeline = _read(model, where.main, dtype, how)
    if where.prior is not None:
        pipeline = _joined(pipeline, _read(model, where.prior, dtype, how), where.main)
    if fault := _no_text_to_image(pipeline):
        raise ModelError(f"{where.main.named}: {fault}; give another model")
    for edit, place in zip(model.edits, where.edits, strict=True):
        if edit.part == LORA:
            merge_lora(pipeline, place, edit.scale)
        else:
            replace_component(pipeline, edit.part, place)
    if how.scheduler:
        pipeline.scheduler = _scheduler(how.scheduler, pipeline)
    return _placed(pipeline, device)


def arithmetic(dtype: str, device: torch.device) -> torch.dtype:
    """Return the arithmetic on a device: float32 on a CPU, and where a GPU knows no bfloat16."""
    if device.type == "cpu":
        return torch.float32
    wanted = _DTYPES[dtype]
    if wanted is torch.bfloat16 and device.type == "cuda" and not torch.cuda.is_bf16_supported(False):
        return torch.float32  # not float16, in which models made for bfloat16 overflow
    return wanted


def _read(model: Model, found: Found, dtype: torch.dtype, how: Recipe) -> Any:
    """Read a diffusers folder."""
    from diffusers import DiffusionPipeline

    options: dict[str, Any] = {"variant": model.variant} if model.variant and found.commit else {}
    if not how.safety_checker and _has_checker(found.folder):
        options |= {CHECKER: None, "requires_safety_checker": False}
    messages: Sequence[str] = ()
    try:
        with without_pickles(found.folder, model.pickles) as folder, quiet() as messages:
            pipeline = DiffusionPipeline.from_pretrained(
                str(folder), dtype=dtype, use_safetensors=True, trust_remote_code=False, **options
            )
    except _UNLOADABLE as error:
        reason = _made_up(messages) or first_line(error)
        raise ModelError(
            f"{found.named}: cannot be loaded ({reason}); save the pipeline again or give another"
        ) from error
    if fault := _fault(pipeline, found.folder, messages):
        raise ModelError(f"{found.named}: {fault}; save the pipeline again or give another model")
    return pipeline


def _has_checker(folder: Path) -> bool:
    """Tell whether a folder's pipeline names a safety checker."""
    try:
        found = json.loads((folder / INDEX).read_bytes())
    except (OSError, ValueError):
        return False  # the loader tells what is wrong with it
    return isinstance(found, dict) and CHECKER in found


def _joined(decoder: Any, prior: Any, found: Found) -> Any:
    """Return one pipeline of a prior and a decoder, as diffusers combines them."""
    import diffusers

    name = type(decoder).__name__.replace("Pipeline", "CombinedPipeline")
    combined = getattr(diffusers, name, None)
    if combined is None:
        raise ModelError(f"{found.named}: a {type(decoder).__name__} takes no prior; leave it out of the row")
    return combined(
        **decoder.components, **{f"prior_{part}": each for part, each in prior.components.items()}
    )


def _scheduler(name: str, pipeline: Any) -> Any:
    """Return a scheduler of diffusers with the settings of the pipeline's own."""
    import diffusers

    kind = getattr(diffusers, name, None)
    if kind is None or not hasattr(kind, "set_timesteps"):
        raise ModelError(f"{name}: no scheduler of diffusers; correct the model's row")
    return kind.from_config(pipeline.scheduler.config)


def _placed(pipeline: Any, device: torch.device) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    for name in (*DENOISERS, *AUTOENCODERS):
        part = pipeline.components.get(name)
        if isinstance(part, torch.nn.Module):
            channels_last(part)
    return pipeline.to(device)


def channels_last(part: torch.nn.Module) -> None:
    """Lay weights out as convolutions are fastest in, on CPUs and GPUs."""
    if any(each.ndim == 4 for each in part.parameters()):
        part.to(memory_format=torch.channels_last)


def compile_denoiser(pipeline: Any) -> None:
    """Compile the denoiser for batches of one shape; the first batch takes a minute or two."""
    for name in DENOISERS:
        part = pipeline.components.get(name)
        if isinstance(part, torch.nn.Module):
            part.compile(mode="max-autotune-no-cudagraphs", dynamic=False)


def _fault(pipeline: Any, folder: Path, messages: Sequence[str]) -> str | None:
    """Return what is wrong with a pipeline that could be loaded and would sample nonsense or nothing."""
    if made_up := _made_up(messages):
        return made_up
    for part, component in pipeline.components.items():
        if component is not None and not (folder / part).is_dir():
            return f"the folder {part} is missing"  # diffusers would make it from nothing
    return _foreign_tokenizer(pipeline.components)


def _no_text_to_image(pipeline: Any) -> str | None:
    name = type(pipeline).__name__
    asked = inspect.signature(type(pipeline).__call__).parameters
    if "prompt" not in asked or {"image", "strength"} <= asked.keys():
        needs = "; it needs a prior, which only a row can name" if "image_embeds" in asked else ""
        return f"{name} is not a text-to-image pipeline{needs}"
    return None


def _made_up(messages: Sequence[str]) -> str | None:
    """Return of what network weights are random, by the libraries' own messages."""
    found = next(filter(None, map(_MADE_UP.search, messages)), None)
    return f"weights of {found[1] or found[2]} are missing or do not fit" if found else None


def _foreign_tokenizer(components: dict[str, Any]) -> str | None:
    """Return which tokenizer does not belong to its text encoder: one made without its vocabulary."""
    for number in ("", "_2", "_3"):
        words, encoder = components.get(f"tokenizer{number}"), components.get(f"text_encoder{number}")
        known = getattr(getattr(encoder, "config", None), "vocab_size", None)
        if words is not None and known and len(words) < known / 2:
            return f"tokenizer{number} has {len(words)} tokens where text_encoder{number} knows {known}"
    return None
