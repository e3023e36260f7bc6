"""Report inputs with a planted truth: invented artists whose scores follow a known logistic curve."""

import io
import math
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from fit.report.inputs import (
    Control,
    CurvePoint,
    Provenance,
    ReportInputs,
    SkippedItem,
    StageRecord,
    Strip,
    Subject,
)

BASELINE, CEILING, MIDPOINT, SLOPE = 0.31, 0.74, 47.0, 4.4

SUBJECT = Subject(
    domain="art-styles",
    domain_title="Art styles",
    noun="artist",
    noun_plural="artists",
    concept_set="Demo artists",
    model="demo",
    model_title="the demo model",
    corpus="demo",
    corpus_title="Demo corpus",
)

PROVENANCE = Provenance(
    fit_version="0.1.0",
    seed=0,
    device="cpu",
    git_commit="0123456789abcdef0123456789abcdef01234567",
    model_source="data/demo/model",
    model_licence="Apache-2.0",
    corpus_source="data/demo/corpus",
    corpus_licence="CC0-1.0",
    command="fit estimate --domain art-styles --model demo --seed 0",
    digests=(
        ("model", "sha256:5d41402abc4b2a76b9719d911017c592ae3f"),
        ("corpus", "sha256:7d793037a0760186574b0282f2f435e7"),
    ),
    packages=(("diffusers", "0.32.0"), ("torch", "2.5.1")),
)


def logistic(frequency: float) -> float:
    """The planted mean score: a logistic in log10(1 + f) with its midpoint at 47 images."""
    x = math.log10(1 + frequency) - math.log10(1 + MIDPOINT)
    return BASELINE + (CEILING - BASELINE) / (1 + math.exp(-SLOPE * x))


def name_of(rng: np.random.Generator) -> str:
    """A pronounceable invented name."""
    return f"{_word(rng)} {_word(rng)}"


def _word(rng: np.random.Generator) -> str:
    starts = ("Ba", "Vel", "Tor", "Ise", "Mar", "Qui", "Ond", "Sha", "Lú", "Éb")
    middles, ends = ("li", "ra", "mo", "né", "vu"), ("n", "s", "dor", "th", "mi")
    middle = "".join(rng.choice(middles, rng.integers(1, 3)))
    return str(rng.choice(starts)) + middle + str(rng.choice(ends))


def curve(concepts: int = 131, zeros: int = 14, seed: int = 1) -> tuple[CurvePoint, ...]:
    """Artists of log-uniform frequency from 1 to 1,000, the first `zeros` of them without any image."""
    rng = np.random.default_rng(seed)
    points = []
    for index in range(concepts):
        hit_rate = float(rng.uniform(0.62, 0.99))
        frequency = 0.0 if index < zeros else float(10 ** rng.uniform(0, 3))
        captions = round(frequency / hit_rate)
        noise = float(rng.normal(0, 0.055))
        score = logistic(frequency) + noise
        verdict = "imitated" if score > 0.53 else "not" if score < 0.44 else "unclear"
        spread = 1 + 0.8 / math.sqrt(frequency + 1)
        points.append(
            CurvePoint(
                concept=name_of(rng),
                frequency=frequency,
                frequency_low=frequency / spread,
                frequency_high=frequency * spread if frequency else 0.9,
                score=score,
                score_se=0.05,
                group=("north", "south")[index % 2],
                caption_count=captions,
                distinct_url_count=round(captions * 0.9),
                distinct_frequency=frequency * 0.8,
                distinct_frequency_low=math.floor(frequency * 0.6),
                distinct_frequency_high=math.ceil(frequency * 0.9),
                copies=0.1 if captions else None,
                hit_rate=hit_rate if captions else None,
                hit_rate_low=hit_rate - 0.05 if captions else None,
                hit_rate_high=min(hit_rate + 0.04, 1) if captions else None,
                mimetic2_score=score + 0.1,
                baseline=BASELINE,
                verdict=verdict,  # type: ignore[arg-type]
            )
        )
    return tuple(points)


def fitted() -> dict[str, list[tuple[float, float]]]:
    """Fitted curves as the estimator hands them over."""
    grid = [0.0, *(float(10**x) for x in np.linspace(0, 3, 61))]
    line = [(f, logistic(f)) for f in grid]
    isotonic = [(f, round(logistic(f) * 20) / 20) for f in grid]
    step = [(0.0, BASELINE), (MIDPOINT, BASELINE), (MIDPOINT, CEILING), (1000.0, CEILING)]
    return {"logistic": line, "isotonic": isotonic, "step": step}


def found(shape: str, **changes: Any) -> dict[str, Any]:
    """The contract's object for a shape."""
    rise = shape != "none"
    return {
        "status": "threshold" if rise else "none",
        "reason": None if rise else "flat",
        "shape": shape,
        "threshold": 47.2 if rise else None,
        "interval": [38.4, 60.1] if rise else None,
        "level": 0.95,
        "transition": [14.3, 151.0] if rise else None,
        "safe_below": 11.6 if rise else None,
        "censored": None,
        "p_value": 0.0005 if rise else 0.43,
        "baseline": BASELINE if rise else 0.48,
        "ceiling": CEILING if rise else None,
        "rate_threshold": None,
        "groups": None,
        "n_concepts": 131,
        "method": "auto",
        "fit_version": "0.1.0",
        "detail": None if rise else "no rise is shown (p = 0.43)",
        "interval_open": [False, False] if rise else None,
        "fits": fitted(),
        **changes,
    }


def picture(seed: int, hue: float, clarity: float) -> bytes:
    """A 32 x 32 PNG of stripes; the clearer, the less noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:32, 0:32] / 31
    wave = 0.5 + 0.5 * np.sin(9 * (x * math.cos(hue * 6) + y * math.sin(hue * 6)) + seed)
    tint = np.array([0.5 + 0.45 * math.cos(2 * math.pi * (hue + shift)) for shift in (0, 1 / 3, 2 / 3)])
    pixels = clarity * wave[..., None] * tint + (1 - clarity) * rng.uniform(0, 1, (32, 32, 3)) * 0.8
    data = io.BytesIO()
    Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8)).save(data, "PNG")
    return data.getvalue()


def strips(points: tuple[CurvePoint, ...]) -> tuple[Strip, ...]:
    """Six artists from none to a thousand images."""
    chosen = sorted(points, key=lambda point: point.frequency or 0)[:: max(len(points) // 6, 1)][:7]
    return tuple(
        Strip(
            concept=point.concept,
            frequency=point.frequency,
            score=point.score,
            verdict=point.verdict,
            generated=tuple(
                picture(index * 40 + k, index / 7, (logistic(point.frequency or 0) - 0.2) * 1.6)
                for k in range(8)
            ),
            references=tuple(picture(index * 40 + 20 + k, index / 7, 1.0) for k in range(8)),
        )
        for index, point in enumerate(chosen)
    )


def controls(points: tuple[CurvePoint, ...]) -> tuple[Control, ...]:
    """Shuffled frequencies and noise at the baseline, neither of which rises."""
    rng = np.random.default_rng(3)
    order = rng.permutation(len(points))
    others = [points[i] for i in order]
    shuffled = tuple(
        replace(p, frequency=o.frequency, frequency_low=o.frequency_low, frequency_high=o.frequency_high)
        for p, o in zip(points, others, strict=True)
    )
    random = tuple(replace(p, score=float(BASELINE + rng.normal(0, 0.04))) for p in points)
    return (
        Control(
            "shuffled",
            "Frequencies shuffled",
            found("none", baseline=0.48),
            shuffled,
            "Every artist was given the frequency of another one, drawn at random.",
        ),
        Control(
            "untrained",
            "Untrained model",
            found("none", p_value=0.71, baseline=BASELINE),
            random,
            "The same requests went to a model of the same build with random weights.",
        ),
    )


SKIPPED = (
    *(SkippedItem("counts", None, f"row {row}", "empty caption") for row in range(412)),
    *(
        SkippedItem("verification", f"Artist {index}", f"row {index}", "image could not be read")
        for index in range(7)
    ),
    SkippedItem("scores", "Vel Torn", None, "fewer than 8 reference images"),
)

STAGES = (
    StageRecord(
        "counts",
        "212,000 captions in 8 shards searched for 131 artists.",
        {"where": "", "sample": 400},
        "a1b2c3d4",
    ),
    StageRecord(
        "generation",
        "2,620 images: 131 artists x 5 prompts x 4.",
        {"steps": 30, "guidance": 4.0, "device": "auto"},
        "b2c3d4e5",
    ),
    StageRecord(
        "threshold", "Curve of 131 artists, 2,000 replicates.", {"method": "auto", "level": 0.95}, "c3d4e5f6"
    ),
)

SETTINGS = """domain = "art-styles"
model = "demo"
seed = 0

[counts]
where = ""
sample = 400

[threshold]
method = "auto"
level = 0.95
"""


def inputs(shape: str = "gradual", **changes: Any) -> ReportInputs:
    """A complete report of that shape."""
    points = curve()
    published = {
        "status": "threshold",
        "shape": "step",
        "threshold": 29.0,
        "n_concepts": 131,
        "method": "mimetic2",
    }
    whole = ReportInputs(
        subject=SUBJECT,
        provenance=PROVENANCE,
        curve=points,
        threshold=found(shape),
        published=published,
        controls=controls(points),
        strips=strips(points),
        skipped=SKIPPED,
        stages=STAGES,
        settings_toml=SETTINGS,
        notes=("Frequencies below 5 images rest on few verified captions.",),
    )
    return replace(whole, **changes)
