"""The typed settings of a run. Their values and what they mean stand in `configs/default.py`."""

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import PROTOCOLS
from gcgan_jax.graph import check_knn
from gcgan_jax.twins import Twins


@dataclasses.dataclass(frozen=True)
class Optimizer:
    name: str
    b1: float
    b2: float
    eps: float


@dataclasses.dataclass(frozen=True)
class TwinsData:
    num_train: int
    num_test: int
    grid: int
    jitter: int
    texture: int


@dataclasses.dataclass(frozen=True)
class Data:
    name: str
    dir: str
    image_size: int
    channels: int
    twins: TwinsData


@dataclasses.dataclass(frozen=True)
class EdgeConv:
    reduction: str


@dataclasses.dataclass(frozen=True)
class ECC:
    hidden: int
    attention: bool
    delta: float
    slope: float


@dataclasses.dataclass(frozen=True)
class Generator:
    latent_size: int
    width: int
    non_local: str
    graph_blocks: tuple[int, ...]
    k: int
    edge_conv: EdgeConv
    ecc: ECC
    norm_momentum: float
    norm_epsilon: float


@dataclasses.dataclass(frozen=True)
class Critic:
    widths: tuple[int, ...]
    slope: float


@dataclasses.dataclass(frozen=True)
class Eval:
    network: str
    inception_weights: str
    protocol: str
    split: str
    batch_norm: str
    batch_size: int
    checkpoint: str
    cache: str


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run; see `configs/default.py` for each."""

    seed: int
    batch_size: int
    num_iterations: int
    decay_iterations: int
    n_critic: int
    learning_rate: float
    penalty_weight: float
    iterations_per_call: int
    ema_decay: float
    compute_dtype: str
    matmul_precision: str
    compilation_cache: str
    optimizer: Optimizer
    data: Data
    generator: Generator
    critic: Critic
    log_every: int
    sample_every: int
    checkpoint_every: int
    checkpoints_to_keep: int
    eval_every: int
    sample_images: int
    figure_images: int
    profile: tuple[int, ...]
    eval: Eval

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
    _check(config)
    return config


def differences(ours: Mapping[str, Any], stored: Mapping[str, Any], path: str = "") -> list[str]:
    """The fields, as dotted paths, in which two nested mappings differ."""
    found = []
    for name in sorted(ours.keys() | stored.keys()):
        mine, theirs = ours.get(name), stored.get(name)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            found += differences(mine, theirs, f"{path}{name}.")
        elif mine != theirs:
            found.append(f"{path}{name}")
    return found


def _build(kind: type, values: Mapping[str, Any], path: str) -> Any:
    types = get_type_hints(kind)
    for name in values:
        if name not in types:
            raise UserError(f"{path}.{name}: no such field; there are {', '.join(types)}")
    arguments = {}
    for name, wanted in types.items():
        if name not in values:
            raise UserError(f"{path}.{name} is missing; configs/default.py holds every field")
        arguments[name] = _convert(wanted, values[name], f"{path}.{name}")
    return kind(**arguments)


def _convert(wanted: Any, value: Any, field: str) -> Any:
    is_section = isinstance(wanted, type) and dataclasses.is_dataclass(wanted)
    if is_section and isinstance(value, Mapping):
        return _build(wanted, value, field)
    if wanted == tuple[int, ...]:
        if isinstance(value, list | tuple) and all(type(item) is int for item in value):
            return tuple(value)
    elif type(value) is wanted or (wanted is float and type(value) is int):
        return wanted(value)
    expected = "int, int, …" if wanted == tuple[int, ...] else wanted.__name__
    raise UserError(f"{field} = {value!r}: expected {expected}, got {type(value).__name__}")


def _check(config: Config) -> None:
    """Raises UserError for the first value out of range, or that does not fit the others."""
    g, data, n = config.generator, config.data, config.blocks

    def require(holds: bool, field: str, value: Any, remedy: str) -> None:
        if not holds:
            raise UserError(f"config.{field} = {value!r}: {remedy}")

    positive = (
        "batch_size num_iterations decay_iterations n_critic learning_rate iterations_per_call "
        "log_every sample_every checkpoint_every checkpoints_to_keep sample_images figure_images"
    )
    for field in positive.split():
        value = getattr(config, field)
        require(value > 0, field, value, "must be positive")
    require(config.seed >= 0, "seed", config.seed, "must not be negative")
    require(config.penalty_weight >= 0, "penalty_weight", config.penalty_weight, "must be >= 0")
    require(0 <= config.ema_decay < 1, "ema_decay", config.ema_decay, "must be in [0, 1)")
    require(config.eval_every >= 0, "eval_every", config.eval_every, "must not be negative")
    for field in ("num_iterations", "log_every", "sample_every", "checkpoint_every", "eval_every"):
        value, call = getattr(config, field), config.iterations_per_call
        require(
            value % call == 0, field, value, f"must be a multiple of iterations_per_call={call}"
        )

    dtypes, precisions = ("float32", "bfloat16"), ("default", "high", "highest")
    dtype, precision = config.compute_dtype, config.matmul_precision
    require(dtype in dtypes, "compute_dtype", dtype, f"one of {dtypes}")
    require(precision in precisions, "matmul_precision", precision, f"one of {precisions}")
    traced = config.profile
    fits = not traced or (len(traced) == 2 and 1 <= traced[0] <= traced[1])
    require(fits, "profile", traced, "() or the first and the last iteration, as (10, 12)")

    name = config.optimizer.name
    require(name in ("rmsprop", "adam"), "optimizer.name", name, "choose 'rmsprop' or 'adam'")
    for field in ("b1", "b2"):
        value = getattr(config.optimizer, field)
        require(0 <= value < 1, f"optimizer.{field}", value, "must be in [0, 1)")
    require(config.optimizer.eps > 0, "optimizer.eps", config.optimizer.eps, "must be positive")

    require(data.name in ("cifar10", "twins"), "data.name", data.name, "'cifar10' or 'twins'")
    side = data.image_size
    fits = side == 4 * 2**n and side >= 16
    require(fits, "data.image_size", side, "must be 16, 32, 64 or another 4 * 2^n")
    if data.name == "cifar10":
        require(side == 32, "data.image_size", side, "CIFAR-10 has 32; use data.name='twins'")
    if data.name == "twins":
        try:
            Twins(side, data.twins.grid, data.twins.jitter, data.twins.texture)
        except ValueError as error:
            raise UserError(f"config.data.twins: {error}") from None
    for field in ("num_train", "num_test"):
        value = getattr(data.twins, field)
        require(value > 0, f"data.twins.{field}", value, "must be positive")
    require(data.channels == 3, "data.channels", data.channels, "both data sets are RGB: 3")

    require(g.latent_size > 0, "generator.latent_size", g.latent_size, "must be positive")
    fits = g.width > 0 and g.width % 2**n == 0
    require(fits, "generator.width", g.width, f"must be a multiple of {2**n}: {n} blocks halve it")
    operators = ("none", "edge_conv", "ecc")
    require(g.non_local in operators, "generator.non_local", g.non_local, f"one of {operators}")
    reductions = ("sum", "mean", "max")
    reduction = g.edge_conv.reduction
    require(reduction in reductions, "generator.edge_conv.reduction", reduction, f"{reductions}")
    require(g.ecc.hidden >= 0, "generator.ecc.hidden", g.ecc.hidden, "must be >= 0")
    require(g.ecc.delta > 0, "generator.ecc.delta", g.ecc.delta, "must be positive")
    for block in config.graph_blocks:
        fits = 1 <= block <= n
        require(fits, "generator.graph_blocks", g.graph_blocks, f"blocks are 1 to {n}")
        side = 4 * 2**block
        try:
            check_knn(side, side, g.k)
        except ValueError as error:
            raise UserError(f"config.generator.k = {g.k} (block {block}): {error}") from None

    choices = {
        "network": ("classifier", "inception", "structure"),
        "protocol": tuple(PROTOCOLS),
        "split": ("train", "test"),
        "batch_norm": ("running", "batch"),
    }
    for field, known in choices.items():
        value = getattr(config.eval, field)
        require(value in known, f"eval.{field}", value, f"one of {known}")
    fits = config.eval.network != "structure" or data.name == "twins"
    require(fits, "eval.network", "structure", "needs data.name='twins'")
    size = config.eval.batch_size
    require(size > 0, "eval.batch_size", size, "must be positive")
    name = config.eval.checkpoint
    fits = name in ("newest", "best") or name.isdecimal()
    require(fits, "eval.checkpoint", name, "'newest', 'best' or an iteration")

    widths = config.critic.widths
    require(len(widths) == 3 and min(widths) > 0, "critic.widths", widths, "three positive widths")
