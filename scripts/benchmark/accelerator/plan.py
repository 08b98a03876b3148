"""What is measured on an accelerator, in which order: what matters most comes first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from scripts.benchmark.cases import OPERATORS, SELECTIONS, Case, parse, variants

# The parts, and the shares of time that they get.
PARTS = {"operators": 25, "speed": 250, "sampling": 45, "training": 140, "profile": 40}
BUDGET = float(sum(PARTS.values()))  # seconds for all of them


@dataclass(frozen=True)
class Sizes:
    """What the measurements are of.

    Attributes:
        batches: batch sizes of the training step and of single operators.
        ks: numbers of neighbours.
        iterations_per_call: those of the training step.
        sampled: images per call of the sampler.
        iterations: length of a training; it uses the first batch size and k, and the last number of
            iterations per call.
        seconds: time for the repetitions of one measurement.
    """

    batches: tuple[int, ...]
    ks: tuple[int, ...]
    dtypes: tuple[str, ...]
    iterations_per_call: tuple[int, ...]
    sampled: int
    iterations: int
    seconds: float


FULL = Sizes((32, 256), (8, 32, 16), ("float32", "bfloat16"), (1, 50), 2048, 1000, 1.0)
TOY = Sizes((4,), (3,), ("float32",), (1, 2), 8, 4, 0.01)


@dataclass(frozen=True)
class Measurement:
    """One row of results.

    Attributes:
        part: one of PARTS.
        implementation: "jax", or a variant of the PyTorch reference.
        subject: a case, an operator to check, or "quickstart".
    """

    part: str
    implementation: str
    subject: str

    @property
    def key(self) -> str:
        return f"{self.implementation} {self.subject}"

    @property
    def process(self) -> str:
        """The worker process that it shares with others of the same name.

        A network has a JAX process of its own, as that process's peak memory cannot be reset, and
        the profile one with other flags.
        """
        if self.implementation != "jax":
            return "pytorch"
        if self.part in ("operators", "profile"):
            return self.part
        if self.subject.startswith(("forward", "gradient")):
            return "single operators"
        if self.subject == "quickstart":
            return self.subject
        case = parse(self.subject)
        return f"{self.part} {replace(case, iterations_per_call=1, selection=SELECTIONS[0])}"


def plan(
    parts: Iterable[str], sizes: Sizes, checks: Sequence[str], pytorch: bool
) -> list[Measurement]:
    """Return all measurements of the parts.

    Args:
        checks: names of the operators to compare with their references.
        pytorch: whether to measure the PyTorch reference, too.
    """
    k, batch = sizes.ks[0], sizes.batches[0]
    trained = [
        Case("iteration", name, k_, batch, iterations_per_call=sizes.iterations_per_call[-1])
        for name, k_ in networks(k)
    ]
    profiled = [Case("iteration", name, k_, batch) for name, k_ in networks(k)]
    measurements = {
        "operators": [Measurement("operators", "jax", name) for name in checks],
        "speed": [*speed(sizes)],
        "sampling": [*sampling(sizes)],
        "training": [
            Measurement("training", "jax", subject)
            for subject in (*map(str, trained), "quickstart")
        ],
        "profile": [Measurement("profile", "jax", str(case)) for case in profiled],
    }
    chosen = [measurement for part in parts for measurement in measurements[part]]
    return [one for one in chosen if pytorch or one.implementation == "jax"]


def speed(sizes: Sizes) -> Iterator[Measurement]:
    """Yield networks, then operators; `torch.compile`, which takes longest, is last."""
    for batch, dtype, k in product(sizes.batches, sizes.dtypes, sizes.ks):
        single = [
            *(Case("forward", "knn", k, batch, dtype, selection=name) for name in SELECTIONS),
            *(
                Case(task, name, k, batch, dtype)
                for name in OPERATORS
                for task in ("forward", "gradient")
            ),
        ]
        iterations = [
            Case("iteration", name, k_, batch, dtype)
            for name, k_ in networks(k)
            if k_ or k == sizes.ks[0]
        ]
        for case in iterations:
            selections = SELECTIONS if case.k else SELECTIONS[:1]
            ways = product(selections, sizes.iterations_per_call)
            cases = [replace(case, selection=name, iterations_per_call=n) for name, n in ways]
            yield from in_jax("speed", cases)
        yield from in_pytorch("speed", iterations, compiled=False)
        yield from in_jax("speed", single)
        yield from in_pytorch("speed", single, compiled=False)
        yield from in_pytorch("speed", [*iterations, *single], compiled=True)


def sampling(sizes: Sizes) -> Iterator[Measurement]:
    for dtype in sizes.dtypes:
        cases = [
            Case("sampling", name, k, sizes.sampled, dtype) for name, k in networks(sizes.ks[0])
        ]
        yield from in_jax("sampling", cases)
        yield from in_pytorch("sampling", cases, compiled=False)
        yield from in_pytorch("sampling", cases, compiled=True)


def networks(k: int) -> list[tuple[str, int | None]]:
    return [("baseline", None), *((name, k) for name in OPERATORS)]


def in_jax(part: str, cases: Iterable[Case]) -> Iterator[Measurement]:
    return (Measurement(part, "jax", str(case)) for case in cases)


def in_pytorch(part: str, cases: Iterable[Case], compiled: bool) -> Iterator[Measurement]:
    """Yield the variants of the PyTorch reference that are compiled, or those that are not."""
    for case in cases:
        if case.selection == "auto":
            for variant in variants(case):
                if (variant == "compiled") == compiled:
                    yield Measurement(part, variant, str(case))


def remaining(
    measurements: Iterable[Measurement], results: Mapping[str, Mapping[str, Mapping]]
) -> list[Measurement]:
    """Return what has no result yet, followed by what failed."""
    new, failed = [], []
    for measurement in measurements:
        result = results.get(measurement.part, {}).get(measurement.key)
        if result is None:
            new.append(measurement)
        elif "error" in result:
            failed.append(measurement)
    return new + failed
