"""Measures real procedural images and images that cheat: which measure catches which cheat.

python -m scripts.echo_table --output=docs/results/echo.json --pictures=docs/data
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcgan_jax.data.cells import FAR, Grid, full_grid
from gcgan_jax.data.echo import Echo, measure, nearest
from gcgan_jax.data.far_echo import FarEcho
from gcgan_jax.data.mirror import Mirror
from gcgan_jax.data.palette import Palette
from gcgan_jax.data.parity import Parity
from gcgan_jax.data.procedural import Procedural
from gcgan_jax.data.twins import ProceduralTwins
from gcgan_jax.errors import one_line
from gcgan_jax.evaluation.scorers import diversity, structure_error
from gcgan_jax.storage.atomic import write_text
from gcgan_jax.storage.image_files import image_grid, write_png

LEAST = 9  # images, so that some of eight repeat
SHOWN = 8  # images in a picture
LOGGED = 64  # images in a log entry of the quickstart
REPETITIONS = 20  # seeds of which a standard deviation is measured
TEST = 1  # seed of the measured images, which are held out
DISTANCES = {"Chebyshev": np.inf, "Euclid": 2, "Manhattan": 1}  # orders of the norm


@dataclass(frozen=True)
class Subject:
    """A data set, and the grid of cells that cheats rearrange."""

    name: str
    data: Procedural
    grid: Grid


def subjects() -> list[Subject]:
    echoes = {dims: Echo(0, 32, dims=dims) for dims in (3, 12, 75)}
    far_echo, parity, palette = FarEcho(0, 64), Parity(0, 32), Palette(0, 32)
    return [
        *(Subject(f"echo, D = {dims}", echo, echo.grid) for dims, echo in echoes.items()),
        Subject("far echo", far_echo, far_echo.grid),
        Subject("parity", parity, parity.grid),
        Subject("mirror", Mirror(0, 32), full_grid(32, 4)),
        Subject("palette", palette, palette.grid),
        Subject("twins", ProceduralTwins(0, 32), full_grid(32, 16)),
    ]


def independent_cells(images: np.ndarray, grid: Grid) -> np.ndarray:
    """Permute the cells in each place across images."""
    cells, rng = grid.cut(images), np.random.default_rng(0)
    order = rng.permuted(np.tile(np.arange(len(cells))[:, None], grid.cells), axis=0)
    return grid.join(cells[order, np.arange(grid.cells)])


def cells_of_one_image(images: np.ndarray, grid: Grid) -> np.ndarray:
    """Give each cell the content of a random cell of the first image."""
    chosen = np.random.default_rng(0).integers(grid.cells, size=(len(images), grid.cells))
    return grid.join(grid.cut(images[:1])[0][chosen])


def all_cells_alike(images: np.ndarray, grid: Grid) -> np.ndarray:
    """Repeat the first cell of each image in all places."""
    return grid.join(np.repeat(grid.cut(images)[:, :1], grid.cells, axis=1))


def neighbours_alike(images: np.ndarray, grid: Grid) -> np.ndarray:
    """Repeat independent cells in squares of 2 x 2 cells: copies only next to each other."""
    rows, columns = np.indices((len(grid.rows), len(grid.columns)))
    first = (rows // 2 * 2 * len(grid.columns) + columns // 2 * 2).ravel()
    return grid.join(grid.cut(independent_cells(images, grid))[:, first])


def few_images(images: np.ndarray, count: int) -> np.ndarray:
    """Repeat the first images."""
    return images[np.random.default_rng(0).integers(count, size=len(images))]


def blurred(images: np.ndarray) -> np.ndarray:
    """Average 3 x 3 pixels, across the border of the image."""
    shifted = [
        np.roll(images, (dy, dx), axis=(1, 2)).astype(float)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    return np.rint(np.mean(shifted, axis=0)).astype(np.uint8)


CHEATS: dict[str, Callable[[np.ndarray, Grid], np.ndarray]] = {
    "real": lambda images, grid: images,
    "independent cells": independent_cells,
    "one image repeated": lambda images, grid: few_images(images, 1),
    "all cells alike": all_cells_alike,
    "eight images repeated": lambda images, grid: few_images(images, 8),
    "cells of one image": cells_of_one_image,
    "neighbours alike": neighbours_alike,
    "blurred": lambda images, grid: blurred(images),
    "half the contrast": lambda images, grid: (images // 2 + 64).astype(np.uint8),
}


def measure_cheats(subject: Subject, count: int) -> dict[str, dict[str, float]]:
    """Measure real images and all cheats, with their error against other real images."""

    def measured(images: np.ndarray) -> dict[str, float]:
        return {**subject.data.structure(images), "diversity": diversity(images)}

    expected = measured(subject.data.draw(TEST + 1, count))
    real = subject.data.draw(TEST, count)
    rows = {}
    for cheat, make in CHEATS.items():
        values = measured(make(real, subject.grid))
        rows[cheat] = {**values, "structure_error": structure_error(values, expected)}
    return rows


def measure_readings(count: int) -> dict[str, dict[str, float]]:
    """Measure echo at D = 75 with other meanings of "far", and its richness as a plain ratio."""
    data = Echo(0, 32, dims=75)
    images = data.draw(TEST, count)
    real, alike = (data.cells(x) for x in (images, all_cells_alike(images, data.grid)))
    apart = data.grid.corners[:, None] - data.grid.corners
    readings = {}
    for name, order in DISTANCES.items():
        far = np.linalg.norm(apart, ord=order, axis=2) >= FAR * data.image_size
        c_real = nearest(real, np.roll(real, 1, axis=0), far)
        found = (measure(cells, far, c_real)["agreement"] for cells in (real, alike))
        readings[name] = dict(zip(("real", "all cells alike"), found, strict=True))
    for n in (count, LOGGED):
        ratios = {"real": plain_ratio(real[:n]), "all cells alike": plain_ratio(alike[:n])}
        readings[f"plain richness, {n} images"] = ratios
    return readings


def measure_noise() -> dict[str, float]:
    """Measure the standard deviation of the agreement of few independent cells, D = 3."""
    data = Echo(0, 32, dims=3)
    found = [
        data.structure(independent_cells(data.draw(seed, LOGGED), data.grid))
        for seed in range(REPETITIONS)
    ]
    without = [values["agreement"] + values["agreement_null"] for values in found]
    return {
        "null not subtracted": float(np.std(without)),
        "null subtracted": float(np.std([values["agreement"] for values in found])),
    }


def plain_ratio(cells: np.ndarray) -> float:
    """Return the participation ratio of the sample covariance, biased if there are few images."""
    eigenvalues = np.linalg.eigvalsh(np.cov(cells.reshape(-1, cells.shape[2]).T))
    return float(eigenvalues.sum() ** 2 / np.square(eigenvalues).sum())


def as_markdown(rows: dict[str, dict[str, float]]) -> str:
    """Format measures, one row per cheat."""
    names = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(name.replace('_', ' ') for name in names)} |"]
    lines += [f"| --- |{' --- |' * len(names)}"]
    for cheat, values in rows.items():
        shown = (
            f"{round(values[name], 1 if abs(values[name]) > 9 else 2) + 0:g}" for name in names
        )
        lines.append(f"| {cheat} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="JSON file for the measures")
    parser.add_argument("--pictures", type=Path, help="directory for a picture of each data set")
    parser.add_argument("--images", type=int, default=400, help="images of each cheat")
    parser.add_argument("--readings", type=int, default=1_000, help="images of other readings")
    arguments = parser.parse_args(argv)
    for name in ("images", "readings"):
        if getattr(arguments, name) < LEAST:
            parser.error(f"--{name}={getattr(arguments, name)}: choose at least {LEAST}")
    try:
        report(arguments)
    except OSError as error:
        sys.exit(f"echo_table: {one_line(error)}")


def report(arguments: argparse.Namespace) -> None:
    """Print all tables, and write what the arguments name."""
    tables = {}
    for subject in subjects():
        tables[subject.name] = measure_cheats(subject, arguments.images)
        print(f"\n{subject.name}\n\n{as_markdown(tables[subject.name])}", flush=True)
        if arguments.pictures:
            name = subject.name.replace(", D = ", "_").replace(" ", "_")
            picture = image_grid(subject.data.draw(TEST, SHOWN), columns=SHOWN)
            write_png(arguments.pictures / f"{name}.png", picture)
    readings, noise = measure_readings(arguments.readings), measure_noise()
    print(f"\nother readings\n\n{as_markdown(readings)}")
    print(f"\nstandard deviation of agreement: {noise}")
    if arguments.output:
        counts = {"images": arguments.images, "images of readings": arguments.readings}
        measured = {**counts, "sets": tables, "readings": readings, "noise": noise}
        rounded = json.loads(json.dumps(measured), parse_float=lambda text: round(float(text), 5))
        write_text(arguments.output, json.dumps(rounded, indent=1) + "\n")


if __name__ == "__main__":
    main()
