"""The sections of the settings: what each setting is, its default and its range."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A group of settings that cannot be changed and takes no unknown names."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Counts(Strict):
    """How captions are counted."""

    where: str = Field(default="", description="SQL condition on the caption rows; empty counts every row")
    sample: int = Field(default=400, ge=1, description="rows sampled for each concept for the verification")
    unreadable_shards: int = Field(
        default=0, ge=0, description="shards that may be left out before the stage counts as incomplete"
    )


class References(Strict):
    """Which verified images stand for a concept."""

    source: str = Field(
        default="", description="folder or row of reference images; empty takes the corpus row's"
    )
    maximum: int = Field(default=50, ge=1, description="most reference images of a concept")
    near_duplicates: int = Field(
        default=2, ge=-1, le=64, description="bits of 64 by which repeated pictures may differ; -1 keeps all"
    )


class Verification(Strict):
    """How the share of images that really show the concept is found."""

    sample: int = Field(default=400, ge=1, description="most images of a concept that are checked")
    false_match_rate: float = Field(
        default=0.01, gt=0, lt=0.5, description="share of other concepts' images let in"
    )
    cut: str = Field(
        default="calibrated", description="calibrated for each concept, or a preset for all, mimetic2"
    )
    corrected: bool = Field(
        default=True, description="correct hit rates for the verifier's own errors; as published: false"
    )
    gate: str = Field(
        default="", description="open_clip scorer that tells artworks first, such as artwork; empty: none"
    )
    gate_cut: str = Field(
        default="calibrated", description="the gate's cut: calibrated, or a preset, mimetic2"
    )
    gate_passing: float = Field(
        default=0.95, gt=0, le=1, description="share of reference images that a calibrated gate lets pass"
    )
    lost_odds: float = Field(
        default=2.0, ge=1, description="by how much lost images may differ, as a ratio of odds; 1: not at all"
    )
    images: Literal["local", "fetch"] = Field(
        default="local", description="the corpus row's images, or fetch those of the sample"
    )
    contact: str = Field(default="", description="mail address or web page of who fetches; needed for that")
    accept_unfiltered: bool = Field(
        default=False, description="fetch from a corpus that is not cleaned or has no column of unsafe images"
    )
    unsafe_column: str = Field(
        default="", description="column with the probability of an unsafe image; empty: the corpus row's"
    )
    unsafe_cut: float = Field(
        default=0.1, gt=0, le=1, description="images are fetched only where that probability is below this"
    )
    checker: str = Field(
        default="", description="folder of a safety checker; fetched images that it flags are not kept"
    )
    connect_timeout: float = Field(default=10.0, gt=0, le=600, description="seconds to reach a server")
    total_timeout: float = Field(default=30.0, gt=0, le=3600, description="seconds for one image")
    retries: int = Field(default=2, ge=0, le=10, description="further attempts after 429, 5xx or a timeout")
    image_bytes: int = Field(default=20 * 2**20, ge=1, description="most bytes of an image that is fetched")
    image_pixels: int = Field(default=50_000_000, ge=1, description="most pixels of an image that is fetched")
    at_once: int = Field(default=64, ge=1, le=1000, description="requests at a time")
    at_once_per_host: int = Field(default=2, ge=1, le=100, description="requests at a time to one host")
    host_delay: float = Field(
        default=0.5, ge=0, le=600, description="seconds between the starts of two requests to one host"
    )
    allow_private: str = Field(
        default="", description="networks that may be fetched from though not public, such as 127.0.0.1/32"
    )


class Scorer(Strict):
    """What compares two images."""

    name: str = Field(
        default="", description="row of the scorer registry; empty takes the corpus row's or the domain's"
    )
    device: str = Field(default="auto", min_length=1, description="torch device, or auto")


class Generation(Strict):
    """How images are sampled from the model; 0 means the model row's own value."""

    preset: str = Field(default="default", min_length=1, description="default, or mimetic2 as published")
    images_per_prompt: int = Field(
        default=0, ge=0, description="images of each concept and prompt; 0 means the preset's"
    )
    steps: int = Field(default=0, ge=0, description="denoising steps")
    guidance: float = Field(default=0.0, ge=0, description="classifier-free guidance scale")
    batch_size: int = Field(
        default=0, ge=0, description="images sampled together; where the row has none, as many as fit"
    )
    part_images: int = Field(default=128, ge=1, description="images that are stored together")
    safety_checker: Literal["preset", "on", "off"] = Field(
        default="preset", description="whether the model's own safety checker blanks images"
    )
    compile: Literal["auto", "on", "off"] = Field(
        default="auto", description="compile the denoiser on a GPU; auto where many images make it pay"
    )
    control: bool = Field(default=True, description="sample an untrained model too, which must show no rise")
    control_images_per_prompt: int = Field(default=1, ge=1, description="images of the untrained model")
    device: str = Field(default="auto", min_length=1, description="torch device, or auto")


class Scores(Strict):
    """How images become one score for each concept."""

    pool_size: int = Field(default=8, ge=1, description="references in a random subset (m)")
    top_k: int = Field(default=3, ge=1, description="best of the subset that are averaged (k)")
    mimetic2_top: int = Field(default=10, ge=1, description="best images averaged by the published score")
    false_discovery_rate: float = Field(
        default=0.05, gt=0, lt=1, description="for the verdict on each concept"
    )
    score: Literal["matched", "mimetic2"] = Field(
        default="matched", description="the score that the curve shows"
    )
    clip_score: str = Field(
        default="", description="open_clip scorer for the likeness of images and prompts; empty: none"
    )


class Threshold(Strict):
    """How the imitation curve is judged."""

    method: Literal["auto", "step", "logistic", "mimetic2"] = Field(
        default="auto", description="how the threshold is estimated; auto judges the shape"
    )
    level: float = Field(default=0.95, ge=0.5, le=0.999, description="confidence of intervals and tests")
    replicates: int = Field(default=2000, ge=100, description="sign flips or simulated curves")
    robust: bool = Field(default=False, description="pull in outlying scores before anything is fitted")


class Report(Strict):
    """What the report shows."""

    strips: int = Field(default=8, ge=0, description="concepts shown with generated beside reference images")
    images: bool = Field(default=True, description="embed images in the report")
    real_people: bool = Field(
        default=False, description="embed images of people too whom the list does not call invented"
    )
    pictures_for: int = Field(
        default=150, ge=0, description="most concepts with pictures: beyond the strips, in panels to open"
    )


class Execution(Strict):
    """Who does the work; no result depends on it."""

    engine: Literal["local", "ray"] = Field(default="local", description="processes, or a Ray cluster")
    workers: int = Field(default=0, ge=0, description="workers; 0 means one for each core")
