"""Train the quickstart with every backbone, every loss and every normalisation of the critic.

    python -m scripts.losses --records=docs/results/losses.jsonl

Every job trains a new quickstart for 100 iterations, or until a number is not finite, and adds one
line to the records; rerunning skips those that are there. Combinations that the config refuses are
recorded with their message. Prints a table of all records.
"""

import argparse
from collections.abc import Sequence
from fnmatch import fnmatch
from itertools import product
from pathlib import Path
from typing import Any

import jax

from configs import quickstart
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment, make_experiment
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.layers.normalisation import NAMES
from gcgan_jax.models import BACKBONES
from gcgan_jax.report import markdown
from gcgan_jax.storage.json_lines import append_json_lines, read_json_lines
from scripts.finite_training import train

ITERATIONS = 100
CORRELATION = "twins/diagonal_correlation"
FIELDS: dict[str, dict[str, Any]] = {  # that differ from the quickstart's, by backbone
    "resnet": {
        "generator.width": 32,
        "critic.widths": (32, 32, 32, 32),
        "critic.slope": 0.0,
    },
}

Record = dict[str, Any]


def run(backbone: str, loss: str, norm: str, iterations: int) -> Record:
    """Train one combination, if it is allowed."""
    values = quickstart.get_config()
    values.backbone, values.loss.name, values.critic.norm = backbone, loss, norm
    values.update_from_flattened_dict(FIELDS.get(backbone, {}))
    try:
        experiment = make_experiment(from_mapping(values.to_dict()))
    except UserError as refused:
        return {"refused": str(refused)}
    return measure(experiment, iterations)


def measure(experiment: Experiment, iterations: int) -> Record:
    """Train, and return the last metrics, the structure of samples, or what was not finite."""
    images = experiment.load_images()
    trained = train(experiment, images, iterations)
    done, last = trained.iterations, {}
    if done:
        last = {name: float(values[done - 1]) for name, values in trained.metrics.items()}
    if trained.error:
        return {"iterations": done, "error": trained.error, **last}
    diagnose = experiment.diagnostics(images, experiment.sampler(jax.devices()[:1]))
    return {"iterations": done, **last, **diagnose(trained.state)}


def table(records: dict[str, Record]) -> str:
    """Tabulate, for every backbone, loss and normalisation, the samples' diagonal correlation."""
    lines = [markdown.header("`backbone`", "`loss.name`", *(f"`{norm}`" for norm in NAMES))]
    for backbone, loss in product(BACKBONES, LOSSES):
        cells = (cell(records.get(f"{backbone}/{loss}/{norm}")) for norm in NAMES)
        lines.append(markdown.row(f"`{backbone}`", f"`{loss}`", *cells))
    return "\n".join(lines)


def cell(record: Record | None) -> str:
    if record is None:
        return "not run"
    if "refused" in record:
        return "refused"
    if "error" in record:
        return f"not finite after {record['iterations']}"
    return f"{record[CORRELATION]:.2f}"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, required=True, help="file of results (JSON lines)")
    parser.add_argument("--only", default="*", help="pattern of jobs, such as 'dcgan/hinge/*'")
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="iterations of each job")
    arguments = parser.parse_args(argv)
    for backbone, loss, norm in product(BACKBONES, LOSSES, NAMES):
        name = f"{backbone}/{loss}/{norm}"
        if fnmatch(name, arguments.only) and name not in read(arguments.records):
            print(name, flush=True)
            measured = run(backbone, loss, norm, arguments.iterations)
            append_json_lines(arguments.records, [{"job": name, **measured}])
    print(table(read(arguments.records)))


def read(path: Path) -> dict[str, Record]:
    """Return the records by job."""
    rows = read_json_lines(path, parse=dict, key=lambda row: row["job"]).rows
    return {row["job"]: row for row in rows}


if __name__ == "__main__":
    main()
