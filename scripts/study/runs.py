"""The study's runs, in the order in which they are run: what decides comes before what refines.

Settings name the config fields that differ from those of the file `config`. Minutes are estimates
for one core.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gcgan_jax.report.statistics import ROWS
from scripts.study.conditions import Agreed, CriticSees, StayedAtNull
from scripts.study.jobs import Job

DECIDES = {
    "A0": "what a trained network uses: its own graph, another one, either branch",
    "A1": "whether the layer can use its neighbours at all, with supervision",
    "A2": "whether a critic sees that distant cells disagree (d' of at least 1)",
    "A3": "whether a graph carries agreement where local layers cannot",
    "A4": "whether the stem carries the structure, not depth",
    "A5": "whether gamma, at the thesis's scale, switches ECC off",
    "B1": "whether a graph saves training where the latent reaches every pixel",
    "B2": "whether a graph changes the score of photographs by less than 0.1",
    "B3": "whether the sum over neighbours harms by its scale alone",
    "B4": "whether a critic with a graph sees what its windows do not",
    "B5": "whether the thesis's batch and learning rate explain ECC's rows",
    "B6": "Table 4.1, small",
    "C5": "what a graph layer could gain on a data set at all",
}

LAYER = "generator.graph_layer."
GRAPH, OPERATOR = f"{LAYER}graph.name", f"{LAYER}operator.name"
MEAN = {OPERATOR: "edge_conv", f"{LAYER}operator.edge_conv.reduction": "mean"}
SOFT_KNN = {OPERATOR: "aggregate", GRAPH: "soft_knn"}
ARMS: dict[str, dict[str, Any]] = {  # in 16x16 feature maps or larger ones, with k = 8
    "self_attention": {OPERATOR: "self_attention"},
    "knn": MEAN | {GRAPH: "knn"},
    "self": MEAN | {GRAPH: "self"},
    "soft_knn": SOFT_KNN,
    "soft_knn frozen": SOFT_KNN | {f"{LAYER}graph.soft_knn.frozen": True},
    "ring": MEAN | {GRAPH: "ring"},
    "random": MEAN | {GRAPH: "random"},
    "global": {OPERATOR: "global"},
    "knn k = 32": MEAN | {GRAPH: "knn", f"{LAYER}graph.knn.k": 32},
    "far": MEAN | {GRAPH: "far"},
}
CONTROLS = ("self", "ring")
AT_NULL = ("knn", "knn k = 32")  # to be run longer before they are called unable

SMALL = {  # the quickstart's networks: width 128, critic 32, 64, 128, graph layer in block 2
    "config": "configs/quickstart.py",
    "learning_rate": 5e-4,
    "decay_iterations": 100_000,
    "diagnostic_images": 256,
}
CONSTANT_STEM = {
    "generator.stem": "constant",
    "generator.noise.blocks": (2,),
    "generator.noise.strength": 1.0,
}
SEES, AGREES = 1.0, 0.1  # d' of the critic alone, agreement of samples


def echo(dims: int, **fields: Any) -> dict[str, Any]:
    named = {f"data.echo.{name}": value for name, value in fields.items()}
    return {"data.name": "echo", "data.echo.dims": dims} | named


def sees(dims: int) -> CriticSees:
    return CriticSees("A2", f"echo-{dims}", SEES)


def seeded(seeds: int, arms: Iterable[Job]) -> Iterator[Job]:
    """Yield all arms with one seed before any with the next."""
    arms = [*arms]
    return (replace(arm, seed=seed) for seed in range(seeds) for arm in arms)


def critic_alone() -> Iterator[Job]:
    settings = SMALL | {"num_iterations": 300}
    for dims in (3, 12, 75):
        yield Job("A2", f"echo-{dims}", 0, "critic_alone", settings | echo(dims), 2)


def noise_fed(dims: int, iterations: int, minutes: float) -> dict[str, Job]:
    """Return the arms of A3 by name."""
    shared = SMALL | CONSTANT_STEM | echo(dims) | {"num_iterations": iterations}
    return {
        name: Job("A3", f"echo-{dims} {name}", 0, "gan", shared | arm, minutes, (sees(dims),))
        for name, arm in ARMS.items()
        if name != "far"
    }


A3, A3_12 = noise_fed(3, 250, 6), noise_fed(12, 500, 11)


def what_passed() -> Iterator[Job]:
    for name, job in A3_12.items():
        passed = Agreed("A3", f"echo-3 {name}", 3, AGREES)
        yield replace(job, conditions=job.conditions + (() if name in CONTROLS else (passed,)))


def longer() -> Iterator[Job]:
    for name in AT_NULL:
        job = A3[name]
        null = StayedAtNull("A3", job.arm, 3, AGREES)
        settings = {**job.settings, "num_iterations": 1_500}
        arm = f"{job.arm}, 1500 iterations"
        yield replace(job, arm=arm, settings=settings, minutes=30, conditions=(sees(3), null))


def bench() -> Iterator[Job]:
    settings = (
        SMALL
        | echo(75)
        | {
            "num_iterations": 1_200,
            "decay_iterations": 1_200,
            "batch_size": 8,
            "learning_rate": 2e-3,
            "optimizer.b1": 0.9,
            "features": 32,
            "noise": 0.4,
        }
    )
    for name in ("self", "ring", "random", "knn", "far", "soft_knn", "soft_knn frozen"):
        yield Job("A1", name, 0, "bench", settings | ARMS[name], 4)
    yield Job("A1", "self_attention", 0, "bench", settings | ARMS["self_attention"], 4)


def stems() -> Iterator[Job]:
    shared = SMALL | echo(12, fixed=True) | ARMS["self"] | {"num_iterations": 500}
    yield Job("A4", "dense stem", 0, "gan", shared, 9, (sees(12),))
    yield Job("A4", "constant stem", 0, "gan", shared | CONSTANT_STEM, 9, (sees(12),))


def gammas() -> Iterator[Job]:
    ecc = {"config": "configs/quickstart.py", OPERATOR: "ecc", "num_iterations": 500}
    scaled = {f"{LAYER}operator.ecc.delta": round(10 * 34 / 134, 2)}  # as C, of the thesis's 134
    arms = {
        "thesis, delta scaled": scaled,
        "delta adaptive": {f"{LAYER}operator.ecc.delta_rule": "adaptive"},
        "without gamma": {f"{LAYER}operator.ecc.attention": False},
        "self, delta scaled": scaled | {GRAPH: "self"},
    }
    return (Job("A5", name, 0, "gan", ecc | arm, 9) for name, arm in arms.items())


def ablations() -> Iterator[Job]:
    quickstart = {"config": "configs/quickstart.py", "num_iterations": 400}
    yield from seeded(3, [Job("A0", "quickstart", 0, "ablation", quickstart, 10)])
    photographs = {
        "config": "configs/edge_conv.py:8",
        "num_iterations": 750,
        "generator.width": 264,
        "critic.widths": (64, 128, 256),
    }
    yield Job("A0", "CIFAR-10", 0, "ablation", photographs, 40)
    for job in (*A3.values(), *stems()):
        yield of_trained(job)


def of_trained(job: Job) -> Job:
    """Return the ablation of what a job trains, in the same working directory."""
    arm = f"{job.run} {job.arm}"
    return replace(job, run="A0", arm=arm, kind="ablation", minutes=4, folder=job.place)


def headrooms() -> Iterator[Job]:
    """Yield the data sets; CIFAR-10 is read from where `-- --config.data.dir=DIR` says."""
    lab = ("far_echo", "parity", "mirror", "palette")
    sets = {
        "CIFAR-10": {"config": "configs/default.py"},
        "twins": {"config": "configs/quickstart.py"},
        **{f"echo-{dims}": SMALL | echo(dims) for dims in (3, 12, 75)},
        **{name: {"config": f"configs/lab/{name}.py"} for name in lab},
    }
    return (Job("C5", name, 0, "headroom", settings, 2) for name, settings in sets.items())


def photographs(run: str, arms: Mapping[str, Mapping[str, Any]], minutes: float) -> Iterator[Job]:
    """Yield arms on CIFAR-10 at a quarter of the thesis's widths, or less."""
    shared = {"generator.width": 128, "critic.widths": (32, 64, 128)}
    return (Job(run, name, 0, "gan", {**shared, **arm}, minutes) for name, arm in arms.items())


def tier_b() -> Iterator[Job]:
    edge_conv = {"config": "configs/edge_conv.py:8", "num_iterations": 1_500}
    arms = {name: edge_conv | ARMS[name] for name in ("self", "knn", "far")}
    yield from seeded(5, photographs("B2", arms, 28))
    wide = {"config": "configs/edge_conv.py:32", "num_iterations": 600}
    of_self = {GRAPH: "self", f"{LAYER}graph.self.k": 32}
    yield from seeded(
        4, photographs("B3", {"sum": wide, "self, sum": wide | of_self, "mean": wide | MEAN}, 15)
    )
    delta = {f"{LAYER}operator.ecc.delta": 2.6, "num_iterations": 600}
    rows = ("ecc-16", "ecc-16-constant", "ecc-32", "ecc-32-constant")
    arms = {row: {"config": ROWS[row].config} | delta for row in rows}
    yield from seeded(4, photographs("B5", arms, 15))
    narrow = {"generator.width": 64, "critic.widths": (16, 31, 62), "num_iterations": 600}
    arms = {name: {"config": row.config} | narrow for name, row in ROWS.items()}
    yield from seeded(3, photographs("B6", arms, 11))
    yield from left_out()


def left_out() -> Iterator[Job]:
    """Yield runs that cannot be run yet, and why."""
    for dims in (12, 48):
        shared = SMALL | echo(dims) | {"num_iterations": 500}
        for name in ("self", "knn"):
            yield from seeded(
                6, [Job("B1", f"echo-{dims} {name}", 0, "gan", shared | ARMS[name], 11)]
            )
    missing = "there is no local branch of 5x5 pixels and equal parameters yet"
    yield Job("B1", "5x5 convolution", 0, "gan", {}, 11, missing=missing)
    missing = "the best arm of A3 is not known yet"
    yield Job("B1", "best of A3", 0, "gan", {}, 11, missing=missing)
    missing = "the critic alone is not measured on far echo yet"
    yield Job("B4", "plain, graph and attention", 0, "critic_alone", {}, 100, missing=missing)


JOBS = [
    *seeded(2, critic_alone()),
    *seeded(3, A3.values()),
    *seeded(4, bench()),
    *longer(),
    *seeded(3, stems()),
    *seeded(3, gammas()),
    *ablations(),
    *headrooms(),
    *seeded(3, what_passed()),
    *tier_b(),
]
