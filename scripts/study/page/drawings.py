"""Drawings of the study's page: images, edges, and where information can come from."""

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from scripts.study.configured import make
from scripts.study.jobs import Results
from scripts.study.page.style import COMPARED, PALETTE, figure_of
from scripts.study.settings import SMALL, echo
from scripts.study.tier_a import longer_arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN_LONGER = ("knn", "soft_knn", "global")  # arms whose samples are shown after more iterations


def samples(results: Results) -> "Figure":
    """Show three images of each generator of A3, seed 0, and of the data."""
    figure = figure_of(7, 3.8)
    shown = {"real images": real_images(3)}
    for arm in (*COMPARED, *map(longer_arm, SHOWN_LONGER)):
        runs = results.of("A3", f"echo-3 {arm}")
        if runs and "samples" in runs[0]:
            shown[arm] = decoded(runs[0]["samples"])
    axes = figure.subplots(4, 3)
    for ax, (name, image) in zip(axes.flat, shown.items(), strict=False):
        ax.imshow(image, interpolation="none")
        ax.set_title(name, fontsize=8, pad=2)
    for ax in axes.flat:
        ax.set_axis_off()
    return figure


def real_images(count: int) -> UInt8[ndarray, "H W 3"]:
    """Return images of A3's data set side by side."""
    experiment = make(SMALL | echo(3), seed=0)
    return np.concatenate([*experiment.dataset.draw(1, count)], axis=1)


def decoded(png: str) -> UInt8[ndarray, "H W 3"]:
    """Return the image of a PNG in base64."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return np.asarray(image.convert("RGB"))


def edges(results: Results) -> "Figure":
    """Show the neighbours of the middle pixel in the first image of A6's generators, seed 0."""
    figure = figure_of(7, 2.5)
    arms = dict.fromkeys(arm for arm, *_ in results.of_run("A6"))
    for ax, arm in zip(figure.subplots(1, 3), arms, strict=False):
        _draw_edges(ax, results.of("A6", arm)[0]["edges"])
        ax.set_title(arm, fontsize=9)
    return figure


def _draw_edges(ax: "Axes", drawn: Mapping[str, Any]) -> None:
    """Draw lines from a node to its neighbours, wider with their weights, over the image."""
    image = decoded(drawn["image"])
    scale = len(image) / drawn["side"]

    def centre(node: int) -> tuple[float, float]:
        row, column = divmod(node, drawn["side"])
        return (column + 0.5) * scale - 0.5, (row + 0.5) * scale - 0.5

    ax.imshow(image, interpolation="none")
    x, y = centre(drawn["node"])
    strongest = max(drawn["weights"])
    for node, weight in zip(drawn["neighbours"], drawn["weights"], strict=True):
        to = centre(node)
        ax.plot([x, to[0]], [y, to[1]], color="white", lw=2.4 * weight / strongest + 0.8)
        ax.plot([x, to[0]], [y, to[1]], color="black", lw=1.6 * weight / strongest + 0.2)
    ax.plot(x, y, "o", color=PALETTE[4], ms=5, mec="black")
    ax.set_axis_off()


def sources(results: Results) -> "Figure":
    """Draw where what an output pixel shows can come from; no result is needed."""
    figure = figure_of(7, 3)
    for ax, constant in zip(figure.subplots(1, 2), (False, True), strict=True):
        _draw_sources(ax, constant=constant)
    return figure


def _draw_sources(ax: "Axes", *, constant: bool) -> None:
    from matplotlib.patches import Rectangle

    side, reach, pixel, far = 16, 3, (4, 4), (12, 11)
    ax.add_patch(Rectangle((0, 0), side, side, fc="none", ec="black"))
    corner = tuple(c - reach for c in pixel)
    ax.add_patch(Rectangle(corner, 2 * reach + 1, 2 * reach + 1, fc="#56b4e9", alpha=0.4))
    for at in (pixel, far):
        ax.add_patch(Rectangle(at, 1, 1, fc=PALETTE[1]))
    arrow = {"arrowstyle": "->", "color": PALETTE[2], "lw": 1.5}
    if constant:
        ax.set_title("constant stem, noise at each pixel", fontsize=9)
        bent = arrow | {"connectionstyle": "arc3,rad=-0.3"}
        ax.annotate("", (pixel[0] + 1, pixel[1] + 1), (far[0], far[1]), arrowprops=bent)
        ax.text(8.5, 5.2, "only a non-local\nlayer connects them", fontsize=8, color=PALETTE[2])
    else:
        ax.set_title("dense stem", fontsize=9)
        ax.text(side + 2.2, 8, "z", fontsize=12)
        for at in (pixel, far):
            ax.annotate("", (at[0] + 1, at[1] + 0.5), (side + 2, 8.3), arrowprops=arrow)
        ax.text(5.5, 1.0, "z reaches every pixel", fontsize=8, color=PALETTE[2])
    ax.text(0.4, 15, "local layers: this window", fontsize=8, color="#0072b2")
    ax.set_xlim(-1, side + 4)
    ax.set_ylim(side + 1, -1)
    ax.set_aspect("equal")
    ax.set_axis_off()
