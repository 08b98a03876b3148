"""The typed config of a run and the ranges of its fields; `configs/default.py` documents each.

Fields with a default are those that the configs of older runs lack.

This module does not import JAX, so that invalid configs are rejected before JAX starts. The fields
of a graph, operator, merge, loss or data set are defined by its constructor: see `choices.py`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

from gcgan_jax.config.choices import Choice
from gcgan_jax.config.compatibility import RENAMED, renamed_fields
from gcgan_jax.config.fields import annotated_fields, read_value, require_known
from gcgan_jax.errors import UserError
from gcgan_jax.ranges import Each, Free, Interval, LocalPath, OneOf, shown

INT32 = 2**31 - 1
SIZE = Interval(1, 2**16)

Size = Annotated[int, SIZE]
Iterations = Annotated[int, Interval(1, INT32)]
Decay = Annotated[float, Interval(0, 1, open_high=True)]
Slope = Annotated[float, Interval(0, 1)]
Epsilon = Annotated[float, Interval(0, 1, open_low=True)]
Path = Annotated[str, LocalPath()]
OptionalPath = Annotated[str | None, LocalPath()]


@dataclasses.dataclass(frozen=True)
class GraphLayer:
    graph: Choice
    operator: Choice
    merge: Choice
    local: Annotated[str, OneOf(("conv", "linear", "identity"))] = "conv"
    coordinates: Annotated[bool, Free()] = True
    local_expansion: Annotated[float | None, Interval(0, 1e4, open_low=True)] = None


@dataclasses.dataclass(frozen=True)
class InstanceNoise:
    sigma: Annotated[float, Interval(0, 1e3)] = 0.0
    decay_iterations: Iterations = 100_000


@dataclasses.dataclass(frozen=True)
class Optimizer:
    name: Annotated[str, OneOf(("rmsprop", "adam"))]
    b1: Decay
    b2: Decay
    eps: Epsilon


@dataclasses.dataclass(frozen=True)
class Data(Choice):
    dir: OptionalPath
    image_size: Annotated[int, Interval(16, 512)]
    channels: Annotated[int, OneOf((1, 3))]
    placement: Annotated[str, OneOf(("device", "host"))] = "device"
    device_limit: Annotated[int | None, Interval(1, 2**53)] = None


@dataclasses.dataclass(frozen=True)
class Noise:
    blocks: Annotated[tuple[int, ...], Each(range(8), Interval(1, 7))] = ()
    strength: Annotated[float | None, Interval(0, 1e3)] = None


@dataclasses.dataclass(frozen=True)
class Generator:
    latent_size: Size
    width: Size
    graph_layer: GraphLayer
    graph_blocks: Annotated[tuple[int, ...] | None, Each(range(1, 8), Interval(1, 7))]
    norm_momentum: Decay
    norm_epsilon: Epsilon
    stem: Annotated[str, OneOf(("dense", "constant"))] = "dense"
    noise: Noise = Noise()


@dataclasses.dataclass(frozen=True)
class Critic:
    widths: Annotated[tuple[int, ...], Each(range(1, 8), SIZE)]
    slope: Slope
    graph_layer: GraphLayer
    graph_after: Annotated[tuple[int, ...], Each(range(1, 8), Interval(1, 7))]
    norm: Annotated[str, OneOf(("none", "layer", "spectral", "batch"))] = "none"
    norm_momentum: Decay = 0.9
    norm_epsilon: Epsilon = 1e-5


@dataclasses.dataclass(frozen=True)
class Eval:
    network: Annotated[str, OneOf(("classifier", "inception", "structure"))]
    inception_weights: OptionalPath
    protocol: Annotated[str, Free()]
    split: Annotated[str, OneOf(("train", "test"))]
    batch_norm: Annotated[str, OneOf(("running", "batch"))]
    batch_size: Size
    cache: Path


@dataclasses.dataclass(frozen=True)
class Show:
    seed: Annotated[int, Interval(0, INT32)]
    ema: Annotated[bool, Free()]
    images: Annotated[int, Interval(1, 10**7)]
    format: Annotated[str, OneOf(("grid", "png", "npz"))]
    waypoints: Annotated[int, Interval(2, 1000)]
    steps: Annotated[int, Interval(1, 1000)]
    arithmetic: Annotated[tuple[int, ...], Each(range(3, 4), Interval(0, INT32))]
    latents: Annotated[tuple[int, ...], Each(range(1, 65), Interval(0, INT32))]
    rows: Annotated[tuple[int, ...], Each(range(1, 17), Interval(0, 511))]
    columns: Annotated[tuple[int, ...], Each(range(1, 17), Interval(0, 511))]
    nearest: Annotated[int, Interval(1, 100)]
    ablation_images: Annotated[int, Interval(10, 10**6)] = 1000
    headroom_images: Annotated[int, Interval(10, 10**6)] = 256


@dataclasses.dataclass(frozen=True)
class Probe:
    seeds: Annotated[int, Interval(1, 1000)] = 6
    steps: Annotated[int, Interval(1, 10**6)] = 150
    batch_size: Size = 64
    learning_rate: Annotated[float, Interval(0, 1, open_low=True)] = 2e-3
    width: Size = 32
    train_images: Annotated[int, Interval(1, 10**7)] = 5_000
    test_images: Annotated[int, Interval(1, 10**7)] = 1_000


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run; see `configs/default.py` for their meaning."""

    seed: Annotated[int, Interval(0, INT32)]
    extensions: Annotated[tuple[str, ...], Free()]
    batch_size: Size
    num_iterations: Iterations
    decay_iterations: Iterations
    n_critic: Annotated[int, Interval(1, 1000)]
    learning_rate: Annotated[float, Interval(0, 1, open_low=True)]
    loss: Choice
    iterations_per_call: Annotated[int, Interval(1, 10**6)]
    ema_decay: Annotated[float | None, Interval(0, 1, open_low=True, open_high=True)]
    compute_dtype: Annotated[str, OneOf(("float32", "bfloat16"))]
    matmul_precision: Annotated[str, OneOf(("default", "high", "highest"))]
    compilation_cache: OptionalPath
    optimizer: Optimizer
    data: Data
    backbone: Annotated[str, Free()]
    generator: Generator
    critic: Critic
    log_every: Iterations
    sample_every: Iterations
    checkpoint_every: Iterations
    checkpoints_to_keep: Annotated[int, Interval(1, 1000)]
    eval_every: Annotated[int | None, Interval(1, INT32)]
    sample_images: Size
    diagnostic_images: Size
    profile: Annotated[tuple[int, ...] | None, Each(range(2, 3), Interval(1, INT32))]
    checkpoint: Annotated[str, Free()]
    eval: Eval
    show: Show
    deterministic: Annotated[bool, Free()] = False
    instance_noise: InstanceNoise = InstanceNoise()
    probe: Probe = Probe()


def from_mapping(values: Mapping[str, Any]) -> Config:
    """Parse a nested mapping.

    Raises:
        UserError: a field is unknown, missing, has the wrong type or is out of range.
    """
    renamed = renamed_fields(values)
    if renamed:
        raise UserError(f"config.{renamed[0]}: renamed, set config.{RENAMED[renamed[0]]} instead")
    return _build(Config, values, "config")


def to_mapping(config: Any) -> dict[str, Any]:
    """Convert a config to a nested mapping; the inverse of `from_mapping`."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name == "sections":
            values |= {name: dict(section) for name, section in value.items()}
        else:
            values[field.name] = to_mapping(value) if dataclasses.is_dataclass(value) else value
    return values


def _build(kind: type, values: Mapping[str, Any], path: str) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    ranges = annotated_fields(kind)
    sections = {}
    if "sections" in hints:
        del hints["sections"]
        sections = {
            name: {field: tuple(v) if isinstance(v, list) else v for field, v in value.items()}
            for name, value in values.items()
            if name not in hints and isinstance(value, Mapping)
        }
        values = {name: value for name, value in values.items() if name not in sections}
    require_known(values, list(hints), path)
    arguments: dict[str, Any] = {"sections": sections} if issubclass(kind, Choice) else {}
    for name, hint in hints.items():
        field = f"{path}.{name}"
        if name not in values and hasattr(kind, name):
            continue  # it has a default
        if name not in values:
            raise UserError(f"{field} is missing; configs/default.py lists every field")
        value = values[name]
        if name in ranges:
            arguments[name] = read_value(*ranges[name], value, field)
        elif hint is str:
            arguments[name] = read_value(str, Free(), value, field)
        elif isinstance(value, Mapping):
            arguments[name] = _build(hint, value, field)
        else:
            raise UserError(f"{field} = {shown(value)}: expected a section of fields, as a mapping")
    return kind(**arguments)
