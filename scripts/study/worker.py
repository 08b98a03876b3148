"""Does one job in this process: `python -m scripts.study.worker JOB RESULT`, both JSON files."""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from gcgan_jax.config.compatibility import DATA_PATHS
from gcgan_jax.storage.atomic import write_text
from scripts.study.jobs import Job

JOB, RESULT = "job.json", "result.json"  # in the job's working directory


def commands(job: Job, root: Path, flags: Sequence[str]) -> list[list[str]]:
    """Return the command line that does a job, after writing its description.

    Args:
        root: working directory of the study.
        flags: those of the program, of which only places of data are used: `--config.data.dir=DIR`.
    """
    workdir = job.workdir(root).absolute()
    workdir.mkdir(parents=True, exist_ok=True)
    given = dict(flag.removeprefix("--config.").split("=", 1) for flag in flags if "=" in flag)
    places = {name: given[name] for name in DATA_PATHS if name in given}
    described = {"kind": job.kind, "seed": job.seed, "settings": {**job.settings, **places}}
    write_text(workdir / JOB, json.dumps(described))
    paths = [str(workdir / name) for name in (JOB, RESULT)]
    return [[sys.executable, "-m", "scripts.study.worker", *paths]]


def result(job: Job, root: Path) -> dict[str, Any] | None:
    """Return the result of a job; None before it is finished."""
    path = job.workdir(root) / RESULT
    return json.loads(path.read_text()) if path.exists() else None


def main(job: str, result: str) -> None:
    described = json.loads(Path(job).read_text())
    module = import_module(f"scripts.study.{described['kind']}")
    measured = module.measure(described["settings"], described["seed"])
    write_text(Path(result), json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
