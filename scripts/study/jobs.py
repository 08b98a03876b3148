"""Jobs of the study: one arm of a run, with one seed, on one core."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Settings = Mapping[str, Any]


class Condition(Protocol):
    """What earlier results must show before a job is worth its time."""

    def unmet(self, results: "Results") -> str:
        """Return what the job waits for, or why it is left out; "" if it can be run."""
        ...


@dataclass(frozen=True)
class Job:
    """One arm with one seed.

    Attributes:
        run: name of the run, such as "A3".
        arm: name of the arm, unique in its run.
        kind: how it is done: "gan", "ablation" and "graphs" run the program, "bench",
            "critic_alone" and "headroom" modules of this package.
        settings: changed config fields by name, and "config", the file with all others; a kind may
            take further ones.
        minutes: estimate of its time on one core.
        conditions: all must be met.
        missing: what it needs and this project lacks; "": nothing.
        folder: `place` of the job whose training it uses; "": its own.
    """

    run: str
    arm: str
    seed: int
    kind: str
    settings: Settings = field(hash=False)
    minutes: float
    conditions: tuple[Condition, ...] = field(default=(), hash=False)
    missing: str = ""
    folder: str = ""

    @property
    def name(self) -> str:
        return f"{self.run}, {self.arm}, seed {self.seed}"

    @property
    def identity(self) -> tuple[str, ...]:
        """What a result must have been obtained with to be this job's."""
        return self.run, self.arm, str(self.seed), self.kind, _canonical(self.settings)

    @property
    def place(self) -> str:
        """Its working directory below that of the study, without the seed."""
        return self.folder or f"{self.run}/{self.arm.replace(' ', '-')}"

    def workdir(self, root: Path) -> Path:
        """Return the working directory; jobs with other settings have another one."""
        digest = hashlib.sha256(_canonical(self.settings).encode()).hexdigest()[:8]
        return root / self.place / f"seed-{self.seed}-{digest}"


@dataclass(frozen=True)
class Results:
    """The results of finished jobs, see `lines.Line`, by run, arm and seed."""

    values: Mapping[tuple[str, str, int], Mapping[str, Any]]

    def of_run(self, run: str) -> list[tuple[str, int, Mapping[str, Any]]]:
        """Return arm, seed and result of each finished job of a run."""
        return [(arm, seed, result) for (of, arm, seed), result in self.values.items() if of == run]

    def of(self, run: str, arm: str) -> list[Mapping[str, Any]]:
        """Return the results of an arm, by seed."""
        return [self.values[key] for key in sorted(self.values) if key[:2] == (run, arm)]


def obstacle(job: Job, results: Results) -> str:
    """Return what a job waits for, or why it is left out; "" if it can be run."""
    if job.missing:
        return f"left out: {job.missing}"
    return next(filter(None, (condition.unmet(results) for condition in job.conditions)), "")


def chosen(jobs: Iterable[Job], only: Iterable[str]) -> list[Job]:
    """Return the jobs of some runs, by name; of all runs if there are no names.

    Raises:
        ValueError: there is no such run.
    """
    jobs, names = [*jobs], [*only]
    runs = list(dict.fromkeys(job.run for job in jobs))
    for name in names:
        if name not in runs:
            raise ValueError(f"unknown run {name!r}: choose from {', '.join(runs)}")
    return [job for job in jobs if not names or job.run in names]


def _canonical(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)
