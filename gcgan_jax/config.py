"""The typed settings of a run and their ranges. What they mean stands in `configs/default.py`.

JAX is not needed here, so that a wrong config is refused before it starts.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import PROTOCOLS
from gcgan_jax.ranges import Each, Free, Interval, OneOf, Range, nearest
from gcgan_jax.twins import Twins
from gcgan_jax.window import check_knn

INT32 = 2**31 - 1
SIZE = Interval(1, 2**16)

Size = Annotated[int, SIZE]
Iterations = Annotated[int, Interval(1, INT32)]
Positive = Annotated[float, Interval(0, 1e6, open_low=True)]
Decay = Annotated[float, Interval(0, 1, open_high=True)]
Slope = Annotated[float, Interval(0, 1)]
Epsilon = Annotated[float, Interval(0, 1, open_low=True)]
Path = Annotated[str, Free()]


@dataclasses.dataclass(frozen=True)
class Optimizer:
    name: Annotated[str, OneOf(("rmsprop", "adam"))]
    b1: Decay
    b2: Decay
    eps: Epsilon


@dataclasses.dataclass(frozen=True)
class TwinsData:
    num_train: Annotated[int, Interval(1, 10**6)]
    num_test: Annotated[int, Interval(1, 10**6)]
    grid: Annotated[int, Interval(2, 64)]
    jitter: Annotated[int, Interval(0, 64)]
    texture: Annotated[int, Interval(0, 512)]


@dataclasses.dataclass(frozen=True)
class Data:
    name: Annotated[str, OneOf(("cifar10", "twins"))]
    dir: Path
    image_size: Annotated[int, Interval(16, 512)]
    channels: Annotated[int, OneOf((3,))]
    twins: TwinsData


@dataclasses.dataclass(frozen=True)
class EdgeConv:
    reduction: Annotated[str, OneOf(("sum", "mean", "max"))]


@dataclasses.dataclass(frozen=True)
class ECC:
    hidden: Annotated[int, Interval(0, 2**16)]
    attention: Annotated[bool, Free()]
    delta: Positive
    slope: Slope


@dataclasses.dataclass(frozen=True)
class Generator:
    latent_size: Size
    width: Size
    non_local: Annotated[str, OneOf(("none", "edge_conv", "ecc"))]
    graph_blocks: Annotated[tuple[int, ...], Each(range(8), Interval(1, 7))]
    k: Size
    edge_conv: EdgeConv
    ecc: ECC
    norm_momentum: Decay
    norm_epsilon: Epsilon


@dataclasses.dataclass(frozen=True)
class Critic:
    widths: Annotated[tuple[int, ...], Each(range(3, 4), SIZE)]
    slope: Slope


@dataclasses.dataclass(frozen=True)
class Eval:
    network: Annotated[str, OneOf(("classifier", "inception", "structure"))]
    inception_weights: Path
    protocol: Annotated[str, OneOf(tuple(PROTOCOLS))]
    split: Annotated[str, OneOf(("train", "test"))]
    batch_norm: Annotated[str, OneOf(("running", "batch"))]
    batch_size: Size
    cache: Path


@dataclasses.dataclass(frozen=True)
class Show:
    seed: Annotated[int, Interval(0, INT32)]
    averaged: Annotated[bool, Free()]
    images: Annotated[int, Interval(1, 10**7)]
    form: Annotated[str, OneOf(("grid", "png", "npz"))]
    waypoints: Annotated[int, Interval(2, 1000)]
    steps: Annotated[int, Interval(1, 1000)]
    arithmetic: Annotated[tuple[int, ...], Each(range(3, 4), Interval(0, INT32))]
    latents: Annotated[tuple[int, ...], Each(range(1, 65), Interval(0, INT32))]
    rows: Annotated[tuple[int, ...], Each(range(1, 17), Interval(0, 511))]
    columns: Annotated[tuple[int, ...], Each(range(1, 17), Interval(0, 511))]
    nearest: Annotated[int, Interval(1, 100)]


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run; see `configs/default.py` for each."""

    seed: Annotated[int, Interval(0, INT32)]
    batch_size: Size
    num_iterations: Iterations
    decay_iterations: Iterations
    n_critic: Annotated[int, Interval(1, 1000)]
    learning_rate: Annotated[float, Interval(0, 1, open_low=True)]
    penalty_weight: Annotated[float, Interval(0, 1e6)]
    iterations_per_call: Annotated[int, Interval(1, 10**6)]
    ema_decay: Decay
    compute_dtype: Annotated[str, OneOf(("float32", "bfloat16"))]
    matmul_precision: Annotated[str, OneOf(("default", "high", "highest"))]
    compilation_cache: Path
    optimizer: Optimizer
    data: Data
    generator: Generator
    critic: Critic
    log_every: Iterations
    sample_every: Iterations
    checkpoint_every: Iterations
    checkpoints_to_keep: Annotated[int, Interval(1, 1000)]
    eval_every: Annotated[int, Interval(0, INT32)]
    sample_images: Size
    figure_images: Size
    profile: Annotated[tuple[int, ...], Each(range(3), Interval(1, INT32))]
    checkpoint: Annotated[str, Free()]
    eval: Eval
    show: Show

    @property
    def blocks(self) -> int:
        """Upsampling blocks of the generator: side = 4 * 2^blocks."""
        return (self.data.image_size // 4).bit_length() - 1

    @property
    def graph_blocks(self) -> tuple[int, ...]:
        """The blocks, counted from 1, that carry a graph layer."""
        if self.generator.non_local == "none":
            return ()
        return self.generator.graph_blocks or tuple(range(2, self.blocks + 1))


def from_mapping(values: Mapping[str, Any]) -> Config:
    """The settings of a (nested) mapping, checked field by field and against each other.

    Raises:
        UserError: a field is unknown, missing, of another type or out of range.
    """
    config = _build(Config, values, "config")
    _check_together(config)
    return config


def differences(ours: dict[str, Any], stored: dict[str, Any], path: str = "") -> list[str]:
    """The fields, as dotted paths, in which two nested mappings differ."""
    found = []
    for name in sorted(ours.keys() | stored.keys()):
        mine, theirs = ours.get(name), stored.get(name)
        if {type(mine), type(theirs)} <= {dict, type(None)}:  # a section, or one that is missing
            found += differences(mine or {}, theirs or {}, f"{path}{name}.")
        elif mine != theirs:
            found.append(f"{path}{name}")
    return found


def _build(kind: type, values: Mapping[str, Any], path: str) -> Any:
    types = get_type_hints(kind, include_extras=True)
    for name in values:
        if name not in types:
            raise UserError(f"{path}.{name}: no such field; {nearest(str(name), list(types))}")
    arguments = {}
    for name, wanted in types.items():
        if name not in values:
            raise UserError(f"{path}.{name} is missing; configs/default.py holds every field")
        arguments[name] = _read(wanted, values[name], f"{path}.{name}")
    return kind(**arguments)


def _read(wanted: Any, value: Any, field: str) -> Any:
    """The value, of the type and in the range that its field is annotated with."""
    if get_origin(wanted) is Annotated:
        kind, allowed = get_args(wanted)
        return _in_range(allowed, _convert(kind, value, field), field)
    if isinstance(value, Mapping):
        return _build(wanted, value, field)
    raise UserError(f"{field} = {value!r}: expected the fields of {wanted.__name__}")


def _convert(kind: Any, value: Any, field: str) -> Any:
    if kind == tuple[int, ...]:
        if isinstance(value, list | tuple) and all(type(item) is int for item in value):
            return tuple(value)
    elif type(value) is kind:
        return value
    elif kind is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    expected = "(int, int, …)" if kind == tuple[int, ...] else kind.__name__
    raise UserError(f"{field} = {value!r}: expected {expected}, got {type(value).__name__}")


def _in_range(allowed: Range, value: Any, field: str) -> Any:
    if not allowed.holds(value):
        raise UserError(f"{field} = {value!r}: {allowed}")
    return value


def _check_together(config: Config) -> None:
    """Raises UserError for the first value that does not fit the others."""
    g, data, call = config.generator, config.data, config.iterations_per_call

    def require(holds: bool, field: str, value: Any, remedy: str) -> None:
        if not holds:
            raise UserError(f"config.{field} = {value!r}: {remedy}")

    for field in ("num_iterations", "log_every", "sample_every", "checkpoint_every", "eval_every"):
        value = getattr(config, field)
        require(
            value % call == 0, field, value, f"must be a multiple of iterations_per_call = {call}"
        )
    traced = config.profile
    fits = not traced or (len(traced) == 2 and traced[0] <= traced[1])
    require(fits, "profile", traced, "() or the first and the last iteration, as (10, 12)")

    side, n = data.image_size, config.blocks
    require(side == 4 * 2**n, "data.image_size", side, "must be 16, 32, 64 or another 4 * 2^n")
    if data.name == "cifar10":
        require(side == 32, "data.image_size", side, "CIFAR-10 has 32; use data.name='twins'")
    else:
        try:
            Twins(side, data.twins.grid, data.twins.jitter, data.twins.texture)
        except ValueError as error:
            raise UserError(f"config.data.twins: {error}") from None

    fits = g.width % 2**n == 0
    require(fits, "generator.width", g.width, f"must be a multiple of {2**n}: {n} blocks halve it")
    for block in config.graph_blocks:
        require(block <= n, "generator.graph_blocks", g.graph_blocks, f"blocks are 1 to {n}")
        side = 4 * 2**block
        try:
            check_knn(side, side, g.k)
        except ValueError as error:
            raise UserError(f"config.generator.k = {g.k} (block {block}): {error}") from None

    fits = config.eval.network != "structure" or data.name == "twins"
    require(fits, "eval.network", "structure", "needs data.name='twins'")
    fits = config.ema_decay > 0 or not config.show.averaged
    require(fits, "show.averaged", True, "the run keeps no average; train with ema_decay > 0")
    name = config.checkpoint
    fits = name in ("newest", "best") or (name.isascii() and name.isdecimal())
    require(fits, "checkpoint", name, "'newest', 'best' or an iteration")
