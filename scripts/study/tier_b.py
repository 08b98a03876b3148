"""Tiers B and C: the layer where the latent reaches every pixel, and on photographs."""

from collections.abc import Iterator, Mapping
from typing import Any

from gcgan_jax.report.statistics import BASELINE, ROWS
from scripts.study.conditions import Agreed, CriticSees
from scripts.study.jobs import Job
from scripts.study.settings import (
    AGREES,
    ARMS,
    BEST,
    GRAPH,
    LAYER,
    MEAN,
    OPERATOR,
    SEES,
    SMALL,
    echo,
    seeded,
)
from scripts.study.tier_a import of_trained

CRITIC = "critic.graph_layer."
ECHOES = (3, 12)  # dimensions of their textures
WITH_LATENT = ("none", "self", "ring", "knn", BEST, "self_attention")
FAR_ECHO = SMALL | {
    "data.name": "far_echo",
    "data.far_echo.dims": 3,
    "data.image_size": 64,
    "batch_size": 16,
    "num_iterations": 300,
}
SEEING = {"critic.graph_after": (2,), f"{CRITIC}local": "identity", f"{CRITIC}merge.name": "sum"}
FAR_GENERATORS = ("none", BEST)
PHOTOGRAPHED = {name: ARMS[name] for name in ("self", "knn", "far", BEST, "none")}
EXPLAINING: Mapping[str, Mapping[str, Any]] = {
    # Added when BEST had helped on photographs in its first seed: by its graph?
    **{name: ARMS[name] for name in ("ring", f"{BEST} frozen")},
    # Added when it had helped there untrained, too: by its weighted sum?
    "ring aggregate": {OPERATOR: "aggregate", GRAPH: "ring"},
}
NARROW = {"generator.width": 64, "critic.widths": (16, 31, 62), "num_iterations": 600}
SEEING_CRITICS = ("knn", BEST, "self_attention")  # knn was added when a critic alone saw with it
FAR_CRITICS: Mapping[str, Mapping[str, Any]] = {  # by their layer after the second convolution
    "plain": {},
    **{
        name: SEEING | {field.replace(LAYER, CRITIC): value for field, value in ARMS[name].items()}
        for name in (
            *("ring", "knn", "soft_knn", BEST, "self_attention"),
            *("soft_knn edge_conv", f"{BEST} edge_conv"),  # added when kNN had seen: by EdgeConv?
        )
    },
}


def jobs() -> Iterator[Job]:
    yield from seeded(3, far_critics())
    yield from seeded(3, far_generators())
    yield from seeded(4, sums())
    yield from seeded(5, twins())
    yield from seeded(6, dense_stems())
    yield from seeded(5, equivalence(PHOTOGRAPHED))
    yield from seeded(3, equivalence(EXPLAINING))
    yield from seeded(2, ablations())
    yield from seeded(range(3, 11), confirmation())
    yield from seeded(4, batches())
    yield from seeded(3, table())
    yield Job("C", "Table 4.1 at full width", 0, "gan", {}, 0, missing="it needs an accelerator")


def far_critics() -> Iterator[Job]:
    """Yield critics alone on far echo, with a layer after the second convolution or without."""
    for name, settings in FAR_CRITICS.items():
        yield Job("B4", f"critic alone, {name}", 0, "critic_alone", FAR_ECHO | settings, 7)


def far_generators() -> Iterator[Job]:
    """Yield generators on far echo, against the plain critic and against critics that see it."""
    for critic in ("plain", *SEEING_CRITICS):
        sees = () if critic == "plain" else (CriticSees("B4", f"critic alone, {critic}", SEES),)
        for name in FAR_GENERATORS:
            settings = FAR_ECHO | FAR_CRITICS[critic] | ARMS[name]
            yield Job("B4", f"GAN, {name} against {critic}", 0, "gan", settings, 8, sees)


def sums() -> Iterator[Job]:
    wide = {"config": "configs/edge_conv.py:32", "num_iterations": 600}
    of_self = {GRAPH: "self", f"{LAYER}graph.self.k": 32}
    arms = {"sum": wide, "self, sum": wide | of_self, "mean": wide | MEAN}
    return photographs("B3", arms, 15)


def dense_stems() -> Iterator[Job]:
    """Yield arms on echo; `ring` reaches 5x5 pixels with the parameters of the others.

    A dimension at which the best graph carries nothing in A3 is left out.
    """
    for dims in ECHOES:
        shared = SMALL | echo(dims) | {"num_iterations": 500}
        learned = Agreed("A3", f"echo-{dims} {BEST}", 3, AGREES)
        for name in WITH_LATENT:
            settings = shared | ARMS[name]
            yield Job("B1", f"echo-{dims} {name}", 0, "gan", settings, 5, (learned,))


def twins() -> Iterator[Job]:
    shared = {"config": "configs/quickstart.py", "num_iterations": 500}
    for name in ("none", "self", "knn", BEST, "self_attention"):
        yield Job("B7", f"twins {name}", 0, "gan", shared | ARMS[name], 5)


def equivalence(arms: Mapping[str, Mapping[str, Any]]) -> Iterator[Job]:
    edge_conv = {"config": "configs/edge_conv.py:8", "num_iterations": 1_500}
    return photographs("B2", {name: {**edge_conv, **arm} for name, arm in arms.items()}, 28)


def ablations() -> Iterator[Job]:
    """Yield the networks of photographs whose graph seemed to help, under other graphs."""
    return (of_trained(job) for job in equivalence({BEST: ARMS[BEST]}))


def batches() -> Iterator[Job]:
    delta = {f"{LAYER}operator.ecc.delta": 2.6, "num_iterations": 600}
    rows = ("ecc-16", "ecc-16-constant", "ecc-32", "ecc-32-constant")
    return photographs("B5", {row: {"config": ROWS[row].config} | delta for row in rows}, 21)


def table() -> Iterator[Job]:
    # The last arm was added when the others had two seeds, to compare it with the rows of ECC.
    configs = {name: row.config for name, row in ROWS.items()} | {"best": "configs/best.py"}
    return photographs("B6", {name: {"config": c} | NARROW for name, c in configs.items()}, 11)


def confirmation() -> Iterator[Job]:
    """Yield B6's best arm and its controls, for seeds that B6 did not use.

    Planned when `best` had scored higher than the baseline and EdgeConv in each seed of B6, by 0.2
    on average: with eight seeds, a single test has 80 % power for that if differences from the
    baseline vary as much as there.
    """
    arms: Mapping[str, Mapping[str, Any]] = {
        "best": {"config": "configs/best.py"},
        "best, ring": {"config": "configs/best.py", GRAPH: "ring"},
        **{name: {"config": ROWS[name].config} for name in (BASELINE, "edge_conv-8")},
    }
    return photographs("B8", {name: {**arm, **NARROW} for name, arm in arms.items()}, 8)


def photographs(run: str, arms: Mapping[str, Mapping[str, Any]], minutes: float) -> Iterator[Job]:
    """Yield arms on CIFAR-10 at a quarter of the thesis's widths, or less."""
    shared = {"generator.width": 128, "critic.widths": (32, 64, 128)}
    return (Job(run, name, 0, "gan", {**shared, **arm}, minutes) for name, arm in arms.items())
