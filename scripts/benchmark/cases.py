"""The benchmark's named cases, and the config that each of them runs.

Imports no JAX: the PyTorch workers, whose memory is measured, read the cases too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from typing import Any

from ml_collections import ConfigDict

from configs import baseline, ecc, edge_conv
from gcgan_jax.config.schema import Config, from_mapping

COORDINATES = 2  # of a pixel, which a graph layer appends to its features

# Config of each network, given its number of neighbours. All but the baseline have an operator.
NETWORKS: dict[str, Callable[[int | None], ConfigDict]] = {
    "baseline": lambda k: baseline.get_config(),
    "edge_conv": lambda k: edge_conv.get_config(f"{k}"),
    "ecc": lambda k: ecc.get_config(f"{k},constant"),
}
OPERATORS = tuple(name for name in NETWORKS if name != "baseline")
WITHOUT_A_GRAPH = ("baseline", "float32")

# Variants of the PyTorch reference; see `pytorch_networks.make_networks`.
VARIANTS = ("eager", "channels_last", "compiled")

# Ways to select the nearest neighbours; on accelerators, "auto" is XLA's top_k.
SELECTIONS = ("auto", "kernel")

# The tasks that can be measured, and the subjects of each.
SUBJECTS = {
    "iteration": tuple(NETWORKS),
    "sampling": tuple(NETWORKS),
    "forward": ("knn", *OPERATORS),
    "gradient": OPERATORS,
    "matmul": ("float32",),
}


@dataclass(frozen=True)
class Case:
    """One measurement, written `iteration:edge_conv:8@32`: task, subject, k (if any), batch size.

    Options follow where they are not the default: `iteration:baseline@32/dtype=bfloat16`.

    Attributes:
        task: "iteration" or "sampling" of a network, "forward" or "gradient" (forward and backward)
            of an operator, or "matmul" of two square matrices with `batch` rows.
        subject: network or operator, one of SUBJECTS[task].
        k: number of neighbours; None without a graph.
        batch: number of images.
        dtype: "float32" or "bfloat16", the config's `compute_dtype`.
        iterations_per_call: iterations of a compiled call, for the task "iteration".
        selection: selection of kNN's neighbours, one of SELECTIONS.
    """

    task: str
    subject: str
    k: int | None
    batch: int
    dtype: str = "float32"
    iterations_per_call: int = 1
    selection: str = "auto"

    def __str__(self) -> str:
        k = "" if self.k is None else f":{self.k}"
        options = (
            f"/{name}={getattr(self, name)}"
            for name, default in OPTIONS.items()
            if getattr(self, name) != default
        )
        return f"{self.task}:{self.subject}{k}@{self.batch}{''.join(options)}"


OPTIONS = {field.name: field.default for field in fields(Case)[4:]}
MATMUL = Case("matmul", "float32", None, 2048)


def parse(name: str) -> Case:
    """Return the case with this name.

    Raises:
        ValueError: the name is malformed, or there is no such case.
    """
    name, *options = name.split("/")
    match = re.fullmatch(r"(\w+):(\w+)(?::(\d+))?@(\d+)", name)
    if not match:
        raise ValueError(f"{name!r} is not a case: expected a name such as iteration:ecc:8@32")
    task, subject, k, batch = match.groups()
    if task not in SUBJECTS:
        raise ValueError(f"{name!r}: unknown task {task!r}: use one of {', '.join(SUBJECTS)}")
    if subject not in SUBJECTS[task]:
        known = ", ".join(SUBJECTS[task])
        raise ValueError(f"{name!r}: {task} is not measured for {subject!r}: use one of {known}")
    if (k is None) != (subject in WITHOUT_A_GRAPH):
        remedy = "has no neighbours: omit k" if k else "needs a number of neighbours: add k"
        raise ValueError(f"{name!r}: {subject} {remedy}")
    return Case(task, subject, int(k) if k else None, int(batch), **_parse_options(options))


def _parse_options(options: list[str]) -> dict[str, Any]:
    given = dict(option.split("=", 1) for option in options if "=" in option)
    if len(given) != len(options) or not given.keys() <= OPTIONS.keys():
        known = ", ".join(f"{name}={default}" for name, default in OPTIONS.items())
        raise ValueError(f"{'/'.join(options)!r} are not options of a case: use some of {known}")
    return {name: type(OPTIONS[name])(value) for name, value in given.items()}


def variants(case: Case) -> tuple[str, ...]:
    """Return the variants of the PyTorch reference for a case."""
    if case.task in ("iteration", "sampling"):
        return VARIANTS
    return tuple(name for name in VARIANTS if name != "channels_last")  # nodes have no layout


def all_cases() -> list[Case]:
    networks = [("baseline", None), *((name, k) for name in OPERATORS for k in (8, 16, 32))]
    operators = [(name, k) for name in OPERATORS for k in (8, 32)]
    return [
        *(Case("iteration", name, k, batch) for batch in (32, 8) for name, k in networks),
        *(Case("forward", "knn", k, 32) for k in (8, 32)),
        *(Case(task, name, k, 32) for name, k in operators for task in ("forward", "gradient")),
        Case("sampling", "baseline", None, 32),
        *(Case("sampling", name, 8, 32) for name in OPERATORS),
    ]


def quick_cases() -> list[Case]:
    """A few cases that take three minutes on two cores."""
    return [
        Case("iteration", "baseline", None, 8),
        Case("iteration", "edge_conv", 8, 8),
        Case("forward", "knn", 8, 8),
        *(Case("gradient", name, 8, 8) for name in OPERATORS),
    ]


def choose(patterns: str) -> list[Case]:
    """Return all cases that match one of the comma-separated names or patterns (`iteration:*@8`).

    Raises:
        ValueError: one of them matches no case.
    """
    chosen = []
    for pattern in patterns.split(","):
        matching = [case for case in all_cases() if fnmatch(str(case), pattern)]
        chosen += matching or [parse(pattern)]
    return list(dict.fromkeys(chosen))


def config_of(case: Case, toy: bool = False) -> Config:
    """Return the thesis's network, or a toy one, at the case's batch size, on procedural images.

    kNN is measured in EdgeConv's layer.
    """
    network = "edge_conv" if case.subject == "knn" else case.subject
    config = NETWORKS[network](case.k)
    config.batch_size = case.batch
    config.compute_dtype = case.dtype
    config.iterations_per_call = case.iterations_per_call
    config.generator.graph_layer.graph.knn.selection = case.selection
    set_images(config)
    if toy:
        config.update_from_flattened_dict(TOY)
    return from_mapping(config.to_dict())


def set_images(config: ConfigDict) -> None:
    """Let a network train on a few procedural images, whose content does not affect its speed."""
    config.data.name = "twins"
    config.data.twins.num_train = 1000


TOY = {  # fields of a network that compiles and runs in seconds on a CPU
    "data.image_size": 16,
    "data.twins.num_train": 64,
    "data.twins.num_test": 16,
    "generator.latent_size": 5,
    "generator.width": 16,
    "critic.widths": (4, 6, 8),
    "n_critic": 1,
}


@dataclass(frozen=True)
class Block:
    """One of the generator's blocks.

    Attributes:
        number: index of the block, from 1.
        side: height and width of its feature map.
        features: number of features of that map.
        graph: whether it has a graph layer.
    """

    number: int
    side: int
    features: int
    graph: bool


def blocks(config: Config) -> list[Block]:
    """Return the generator's blocks, as `gcgan_jax.experiment` builds them."""
    g = config.generator
    count = (config.data.image_size // 4).bit_length() - 1
    graphs = g.graph_blocks or range(2, count + 1)
    if g.graph_layer.operator.name == "none":
        graphs = ()
    return [
        Block(number, 4 * 2**number, g.width // 2**number, number in graphs)
        for number in range(1, count + 1)
    ]


def measured_block(config: Config) -> Block:
    """Return the block on whose feature map single operators are measured: the last one."""
    return blocks(config)[-1]
