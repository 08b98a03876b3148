"""What the benchmark measures: cases with a name, and the config each one runs."""

from fnmatch import fnmatch
from typing import NamedTuple

from configs import baseline, ecc, edge_conv
from gcgan_jax.config import Config, from_mapping

# The graph layer of the 32x32 map at the thesis's widths, by which single operators are measured.
SIDE, FEATURES = 32, 66
COORDINATES = 2
OPERATORS = ("baseline", "edge_conv", "ecc")


class Case(NamedTuple):
    """One measurement, named as `iteration:edge_conv:8@32`: what, of what, k (if any), batch.

    Attributes:
        what: "iteration" or "sampling" of a network, "forward" or "gradient" (forward and backward)
            of an operator, or "matmul", the product of two square matrices of `batch` rows.
        of: "baseline", "edge_conv", "ecc", or "knn".
        k: neighbours; 0 without a graph.
        batch: images.
    """

    what: str
    of: str
    k: int
    batch: int

    def __str__(self) -> str:
        return f"{self.what}:{self.of}{f':{self.k}' if self.k else ''}@{self.batch}"


MATMUL = Case("matmul", "float32", 0, 2048)


def parse(name: str) -> Case:
    """The case of that name."""
    (what, of, *k), batch = name.split("@")[0].split(":"), name.split("@")[1]
    return Case(what, of, int(k[0]) if k else 0, int(batch))


def all_cases() -> list[Case]:
    networks = [("baseline", 0), *((of, k) for of in ("edge_conv", "ecc") for k in (8, 16, 32))]
    graphs = [(of, k) for of in ("edge_conv", "ecc") for k in (8, 32)]
    return [
        *(Case("iteration", *network, batch) for batch in (32, 8) for network in networks),
        *(Case("forward", "knn", k, 32) for k in (8, 32)),
        *(Case(what, *graph, 32) for graph in graphs for what in ("forward", "gradient")),
        *(Case("sampling", of, 8 * (of != "baseline"), 32) for of in OPERATORS),
    ]


def quick_cases() -> list[Case]:
    """A few that take three minutes on two cores."""
    return [
        Case("iteration", "baseline", 0, 8),
        Case("iteration", "edge_conv", 8, 8),
        Case("forward", "knn", 8, 8),
        *(Case("gradient", of, 8, 8) for of in ("edge_conv", "ecc")),
    ]


def choose(patterns: str) -> list[Case]:
    """All cases that one of the comma-separated patterns (`iteration:*@8`) or names describes."""
    chosen = []
    for pattern in patterns.split(","):
        matching = [case for case in all_cases() if fnmatch(str(case), pattern)]
        chosen += matching or [parse(pattern)]
    return list(dict.fromkeys(chosen))


def config_of(case: Case) -> Config:
    """The thesis's widths, at the case's batch, on procedural images."""
    makers = {
        "edge_conv": lambda: edge_conv.get_config(str(case.k)),
        "ecc": lambda: ecc.get_config(f"{case.k},constant"),
    }
    config = makers.get(case.of, baseline.get_config)()
    config.batch_size = case.batch
    config.data.name = "twins"
    config.data.twins.num_train = 1000
    return from_mapping(config.to_dict())
