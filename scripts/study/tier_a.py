"""Tier A: small runs on procedural images, which decide most."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scripts.study.conditions import Agreed, CriticSees, StayedAtNull
from scripts.study.jobs import Job
from scripts.study.settings import (
    AGREES,
    ARMS,
    BEST,
    CONSTANT_STEM,
    GRAPH,
    LAYER,
    OPERATOR,
    SEES,
    SMALL,
    echo,
    seeded,
)

CONTROLS = ("self", "ring")
BENCH = (
    *("self", "ring", "random", "knn", "far", "soft_knn", "soft_knn frozen", "self_attention"),
    "soft_knn product",  # added when A3 had found it
)
DENOISING = SMALL | echo(75) | {"batch_size": 8, "noise": 0.4}
BENCH_LONGER = ("self", "knn", "soft_knn product", "self_attention")  # in A7
ABLATED = ("knn", "soft_knn", "soft_knn product", "self_attention")
DRAWN = ("knn", "soft_knn", "soft_knn product")  # their edges
LONGER = 1_500  # iterations
AT_NULL = (  # to be run longer before they are called unable, and their controls
    *("knn", "knn k = 32", "soft_knn", "global"),
    *("soft_knn frozen", "soft_knn product frozen", "self", "random"),
)


def sees(dims: int) -> CriticSees:
    return CriticSees("A2", f"echo-{dims}", SEES)


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
        if name not in ("none", "far")
    }


A3, A3_12 = noise_fed(3, 250, 6), noise_fed(12, 500, 11)


def what_passed() -> Iterator[Job]:
    for name, job in A3_12.items():
        passed = Agreed("A3", f"echo-3 {name}", 3, AGREES)
        yield replace(job, conditions=job.conditions + (() if name in CONTROLS else (passed,)))


def if_learned(jobs: Iterable[Job]) -> Iterator[Job]:
    """Yield jobs at D = 12; those of further seeds only run if the best arm learns it in one."""
    learned = Agreed("A3", f"echo-12 {BEST}", 1, AGREES)
    for job in jobs:
        yield replace(job, conditions=(*job.conditions, learned)) if job.seed else job


def longer_arm(arm: str) -> str:
    """Return the name that an arm of A3 has when it is run longer."""
    return f"{arm}, {LONGER} iterations"


def longer() -> Iterator[Job]:
    for name in AT_NULL:
        job = A3[name]
        null = StayedAtNull("A3", job.arm, 3, AGREES)
        settings = {**job.settings, "num_iterations": LONGER}
        yield replace(
            job, arm=longer_arm(job.arm), settings=settings, minutes=30, conditions=(sees(3), null)
        )


def bench(run: str, arms: Iterable[str], iterations: int) -> Iterator[Job]:
    settings = DENOISING | {
        "num_iterations": iterations,
        "decay_iterations": iterations,
        "learning_rate": 2e-3,
        "optimizer.b1": 0.9,
        "features": 32,
    }
    for name in arms:
        yield Job(run, name, 0, "bench", settings | ARMS[name], iterations / 800)


def without_training() -> Iterator[Job]:
    for side in (3, 5, 7):
        settings = DENOISING | {"window": side, "k": 8, "bandwidth": 0.06}
        yield Job("A8", f"{side}x{side} windows", 0, "non_local_means", settings, 0.5)


def stems(dims: int) -> Iterator[Job]:
    shared = SMALL | echo(dims, fixed=True) | ARMS["self"] | {"num_iterations": 500}
    for name, settings in (("dense", shared), ("constant", shared | CONSTANT_STEM)):
        yield Job("A4", f"{name} stem, D = {dims}", 0, "gan", settings, 5, (sees(dims),))


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
    for job in (*(A3[name] for name in ABLATED), *stems(3)):
        yield of_trained(job)


def of_trained(job: Job) -> Job:
    """Return the ablation of what a job trains, in the same working directory."""
    arm = f"{job.run} {job.arm}"
    return replace(job, run="A0", arm=arm, kind="ablation", minutes=4, folder=job.place)


def graphs_while_training() -> Iterator[Job]:
    for name in DRAWN:
        job = A3[name]
        yield replace(job, run="A6", arm=name, kind="graphs", minutes=1, folder=job.place)


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


def jobs() -> Iterator[Job]:
    yield from seeded(2, critic_alone())
    yield from seeded(3, A3.values())
    yield from seeded(4, bench("A1", BENCH, 1_200))
    yield from longer()
    yield from seeded(3, stems(12))
    yield from seeded(3, stems(3))  # since D = 12 is not learned in this time
    yield from seeded(3, gammas())
    yield from ablations()
    yield from seeded(3, graphs_while_training())
    yield from seeded(4, without_training())
    yield from seeded(2, bench("A7", BENCH_LONGER, 6_000))
    yield from headrooms()
    yield from if_learned(seeded(3, what_passed()))
