"""Shows which pixels a generator's graph layers connect; `--mode=neighbours`.

n images, N = side * side nodes of a layer, k neighbours.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import jax
import numpy as np
from flax.typing import VariableDict
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gcgan_jax.commands.edges import Edges, edges_of
from gcgan_jax.commands.trained import Trained, load_trained
from gcgan_jax.commands.viewer import as_json, views
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.experiment.networks import uses_graph
from gcgan_jax.gan.rng import Latents
from gcgan_jax.graphs.geometry import edge_lengths, in_degrees
from gcgan_jax.paths import is_page
from gcgan_jax.report.page import write_page
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.workdir import pictures


def neighbours(
    experiment: Experiment,
    workdir: Path,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
) -> None:
    """Write a plot and an .npz for each graph layer to `pictures`, or the viewer, a page.

    Args:
        devices: devices to compute on; None: all devices of this process.
        out: directory for `pictures`, or a file .html for the viewer; None: the workdir.

    Raises:
        UserError: there is no graph layer, a pixel is outside the image, or as in `load_trained`.
    """
    config, show = experiment.config, experiment.config.show
    operator = config.generator.graph_layer.operator.name
    if not uses_graph(config.generator.graph_layer):
        raise UserError(
            f"config.generator.graph_layer.operator.name = {operator!r}: this generator has no "
            "graph to draw: choose a run with one, such as 'edge_conv' or 'ecc'"
        )
    if out and is_page(out):
        write_viewer(out, load_trained(experiment, workdir, devices))
        return
    side = config.data.image_size
    pixels = tuple(zip(show.rows, show.columns, strict=False))
    if len(show.rows) != len(show.columns) or np.max(pixels) >= side:
        raise UserError(
            f"config.show.rows = {show.rows} and config.show.columns = {show.columns}: choose "
            f"as many rows as columns, each from 0 to {side - 1}"
        )
    trained = load_trained(experiment, workdir, devices)
    latents = trained.latents(show.latents)
    images = trained.images(latents)
    folder = pictures(out or workdir)
    for layer, edges in find_edges(trained, latents).items():
        path = folder / f"neighbours-{trained.name}-{layer}.png"
        figure = draw(images, edges, pixels)
        write_atomically(path, partial(figure.savefig, format="png", dpi=120))
        selected = {"latents": np.array(show.latents), "pixels": np.array(pixels)}
        arrays = {"images": images, **selected, **asdict(edges)}
        write_atomically(path.with_suffix(".npz"), partial(np.savez_compressed, **arrays))
        report(f"{layer}: {path} and .npz")


def write_viewer(path: Path, trained: Trained) -> None:
    """Write the neighbour viewer of the latents config.show.latents, a page."""
    config, name = trained.experiment.config, f"iteration {trained.iteration}"
    numbers = config.show.latents
    shown = list(views(trained, trained.latents(numbers)))
    data = {"viewers": [{"name": name, **as_json(trained, numbers, shown)}]}
    write_page(path, f"Neighbours, {config.data.name}, {name}", data, "viewer_page.js")
    report(f"viewer: {path}")


def find_edges(trained: Trained, latents: Latents) -> dict[str, Edges]:
    """Return the graphs that the generator builds for n latents, by name of the layer."""

    @jax.jit
    def record(variables: VariableDict, latents: Latents) -> VariableDict:
        generator = trained.experiment.gan.generator
        _, recorded = generator.apply(variables, *latents, train=False, mutable=["edges"])
        return recorded["edges"]

    return edges_of(jax.device_get(record(trained.variables, latents)))


def draw(images: np.ndarray, edges: Edges, pixels: tuple[tuple[int, int], ...]) -> Figure:
    """Draw one row per image: the neighbours of the chosen pixels, and histograms of its edges."""
    columns = len(pixels) + 2
    figure = Figure(figsize=(2.2 * columns, 2.2 * len(images)), layout="constrained")
    places = figure.subplots(len(images), columns, squeeze=False)
    each = zip(places, images, edges.neighbours, edges.gamma, strict=True)
    for row, image, indices, gamma in each:
        for axes, pixel in zip(row, pixels, strict=False):
            _draw_pixel(axes, image, indices, gamma, edges.side, pixel)
        lengths = np.asarray(edge_lengths(indices, edges.side)).ravel()
        degrees = np.asarray(in_degrees(indices)).ravel()
        row[-2].hist(lengths, bins=np.arange(0, 1.5 * edges.side, edges.side / 16))
        row[-2].set_xlabel("edge length in pixels of the layer", fontsize=7)
        row[-1].hist(degrees, bins=np.arange(degrees.max() + 2) - 0.5, log=True)
        row[-1].set_xlabel("in-degree of a pixel", fontsize=7)
        for axes in row[-2:]:
            axes.tick_params(labelsize=6)
    return figure


def _draw_pixel(
    axes: Axes,
    image: np.ndarray,
    indices: np.ndarray,
    gamma: np.ndarray,
    side: int,
    pixel: tuple[int, int],
) -> None:
    """Frame a pixel in red and its neighbours in yellow, more opaque with larger gamma."""
    scale = len(image) // side
    row, column = (coordinate // scale for coordinate in pixel)
    node = row * side + column
    brightness = gamma[node] / max(gamma[node].max(), 1e-12)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)  # of RGB images, all three are ignored
    for index, bright in zip(indices[node], brightness, strict=True):
        _frame(axes, divmod(int(index), side), scale, "yellow", float(0.15 + 0.85 * bright))
    _frame(axes, (row, column), scale, "red", 1.0)
    attention = "" if gamma.min() == 1 else f", gamma to {gamma[node].max():.2g}"
    axes.set_title(f"({row}, {column}){attention}", fontsize=7)
    axes.set_axis_off()


def _frame(axes: Axes, node: tuple[int, int], scale: int, colour: str, alpha: float) -> None:
    row, column = node
    corner = (column * scale - 0.5, row * scale - 0.5)
    axes.add_patch(Rectangle(corner, scale, scale, fill=False, color=colour, alpha=alpha))
