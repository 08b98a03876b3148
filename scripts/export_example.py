"""Writes the generator of a finished run as the example that comes with the package.

    python -m scripts.export_example --workdir=runs/quickstart

`gcgan_jax/example/card.md` describes it and is written by hand.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcgan_jax.commands.trained import EXAMPLE_DIRECTORY, GENERATOR, load_generator
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.trees import to_bytes
from gcgan_jax.storage.workdir import write_settings


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True, help="workdir of the run")
    parser.add_argument("--output", type=Path, default=EXAMPLE_DIRECTORY, help="output directory")
    arguments = parser.parse_args(argv)
    trained = load_generator(arguments.workdir)
    stored = to_bytes(trained.variables)
    write_atomically(arguments.output / GENERATOR, lambda file: file.write(stored))
    write_settings(arguments.output, trained.experiment.settings)
    print(f"{len(stored) / 2**20:.2f} MiB, iteration {trained.iteration}: {arguments.output}")


if __name__ == "__main__":
    main()
