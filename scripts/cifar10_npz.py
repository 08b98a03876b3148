"""Writes CIFAR-10 to a file for `data.name = 'npz'`, which needs no TensorFlow.

python -m scripts.cifar10_npz --output=cifar10.npz
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gcgan_jax.data.tfds import load_cifar10
from gcgan_jax.errors import UserError, one_line
from gcgan_jax.storage.atomic import write_atomically


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="prepared TFDS directory; else the default, may download")
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    arguments = parser.parse_args(argv)
    try:
        images = load_cifar10(arguments.data)
        write_atomically(arguments.output, lambda file: np.savez(file, **images._asdict()))
    except (UserError, OSError) as error:
        sys.exit(f"cifar10_npz: {one_line(error)}")
    print(f"{len(images.train)} and {len(images.test)} images: {arguments.output}")


if __name__ == "__main__":
    main()
