"""What the benchmark measures: cases with a name, and the config each one runs.

JAX is not imported here: the peer's processes, whose memory is measured, read the cases too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch

from ml_collections import ConfigDict

from configs import baseline, ecc, edge_conv
from gcgan_jax.config.schema import Config, from_mapping

# The graph layer of the 32x32 map at the thesis's widths, by which single operators are measured.
SIDE, FEATURES = 32, 66
COORDINATES = 2

# Networks by name, each from its number of neighbours. Those but the baseline have an operator.
NETWORKS: dict[str, Callable[[int | None], ConfigDict]] = {
    "baseline": lambda k: baseline.get_config(),
    "edge_conv": lambda k: edge_conv.get_config(f"{k}"),
    "ecc": lambda k: ecc.get_config(f"{k},constant"),
}
OPERATORS = tuple(name for name in NETWORKS if name != "baseline")
WITHOUT_A_GRAPH = ("baseline", "float32")

# What can be measured, and of what.
KNOWN = {
    "iteration": tuple(NETWORKS),
    "sampling": tuple(NETWORKS),
    "forward": ("knn", *OPERATORS),
    "gradient": OPERATORS,
    "matmul": ("float32",),
}


@dataclass(frozen=True)
class Case:
    """One measurement, named as `iteration:edge_conv:8@32`: what, of what, k (if any), batch.

    Attributes:
        what: "iteration" or "sampling" of a network, "forward" or "gradient" (forward and backward)
            of an operator, or "matmul", the product of two square matrices of `batch` rows.
        of: which of those that KNOWN has for `what`.
        k: neighbours; None without a graph.
        batch: images.
    """

    what: str
    of: str
    k: int | None
    batch: int

    def __str__(self) -> str:
        k = "" if self.k is None else f":{self.k}"
        return f"{self.what}:{self.of}{k}@{self.batch}"


MATMUL = Case("matmul", "float32", None, 2048)


def parse(name: str) -> Case:
    """The case of that name.

    Raises:
        ValueError: there is no such case.
    """
    found = re.fullmatch(r"(\w+):(\w+)(?::(\d+))?@(\d+)", name)
    if not found:
        raise ValueError(f"{name!r} is no case: name one as iteration:ecc:8@32")
    what, of, k, batch = found.groups()
    if what not in KNOWN:
        raise ValueError(f"{name!r}: {what!r} is not measured; there are {', '.join(KNOWN)}")
    if of not in KNOWN[what]:
        raise ValueError(f"{name!r}: no {what} of {of!r}; there are {', '.join(KNOWN[what])}")
    if (k is None) != (of in WITHOUT_A_GRAPH):
        needs = "has no neighbours" if k else "needs its number of neighbours"
        raise ValueError(f"{name!r}: {of} {needs}")
    return Case(what, of, int(k) if k else None, int(batch))


def all_cases() -> list[Case]:
    networks = [("baseline", None), *((of, k) for of in OPERATORS for k in (8, 16, 32))]
    graphs = [(of, k) for of in OPERATORS for k in (8, 32)]
    return [
        *(Case("iteration", of, k, batch) for batch in (32, 8) for of, k in networks),
        *(Case("forward", "knn", k, 32) for k in (8, 32)),
        *(Case(what, of, k, 32) for of, k in graphs for what in ("forward", "gradient")),
        Case("sampling", "baseline", None, 32),
        *(Case("sampling", of, 8, 32) for of in OPERATORS),
    ]


def quick_cases() -> list[Case]:
    """A few that take three minutes on two cores."""
    return [
        Case("iteration", "baseline", None, 8),
        Case("iteration", "edge_conv", 8, 8),
        Case("forward", "knn", 8, 8),
        *(Case("gradient", of, 8, 8) for of in OPERATORS),
    ]


def choose(patterns: str) -> list[Case]:
    """All cases that one of the comma-separated patterns (`iteration:*@8`) or names describes.

    Raises:
        ValueError: one of them describes no case.
    """
    chosen = []
    for pattern in patterns.split(","):
        matching = [case for case in all_cases() if fnmatch(str(case), pattern)]
        chosen += matching or [parse(pattern)]
    return list(dict.fromkeys(chosen))


def config_of(case: Case) -> Config:
    """The thesis's widths, at the case's batch, on procedural images.

    Of kNN alone, the layer is that of EdgeConv.
    """
    network = "edge_conv" if case.of == "knn" else case.of
    config = NETWORKS[network](case.k)
    config.batch_size = case.batch
    config.data.name = "twins"
    config.data.twins.num_train = 1000
    return from_mapping(config.to_dict())


@dataclass(frozen=True)
class Block:
    """One of the generator's blocks: the side and features of its map, and whether it has a graph.

    Attributes:
        number: counted from 1.
    """

    number: int
    side: int
    features: int
    graph: bool


def blocks(config: Config) -> list[Block]:
    """The generator's blocks, as `gcgan_jax.experiment` makes them."""
    g = config.generator
    count = (config.data.image_size // 4).bit_length() - 1
    graphs = g.graph_blocks or range(2, count + 1)
    if g.graph_layer.operator.name == "none":
        graphs = ()
    return [
        Block(number, 4 * 2**number, g.width // 2**number, number in graphs)
        for number in range(1, count + 1)
    ]
