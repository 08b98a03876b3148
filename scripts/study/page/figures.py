"""The figures of the study's page."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from scripts.study.configured import make
from scripts.study.jobs import Results
from scripts.study.page.scores import scores_of
from scripts.study.page.tables import (
    BATCH_NORM,
    BRANCHES,
    RULES,
    headroom_of,
    sets_by_headroom,
)
from scripts.study.settings import SMALL, echo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = (  # Okabe and Ito 2008: safe for colour-blind readers
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"),
)
COMPARED = (  # arms of A3 in the figures; the tables have all
    *("self_attention", "soft_knn product", "soft_knn product frozen", "soft_knn"),
    *("global", "knn", "random", "self"),
)


def agreement(results: Results) -> "Figure":
    """Plot agreement against iterations, a line for each seed, and the null."""
    figure = _figure(7, 3.4)
    ax = figure.subplots()
    for arm, colour in zip(COMPARED, PALETTE, strict=True):
        _plot_seeds(ax, results, arm, "echo/agreement", colour)
    ax.axhline(0, color="black", lw=0.6)
    ax.set_xlabel("iteration")
    ax.set_ylabel("agreement of distant cells")
    _legend_beside(ax)
    return figure


def samples(results: Results) -> "Figure":
    """Show three images of each generator of A3, seed 0, and of the data."""
    figure = _figure(7, 2.9)
    shown = {"real images": real_images(3)}
    for arm in COMPARED:
        runs = results.of("A3", f"echo-3 {arm}")
        if runs and "samples" in runs[0]:
            shown[arm] = decoded(runs[0]["samples"])
    axes = figure.subplots(3, 3)
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


def graph_over_training(results: Results) -> "Figure":
    """Plot how near neighbours are, and how new what they say is, over training with kNN."""
    figure = _figure(7, 2.8)
    titles = {
        "distance_ratio": "d² of neighbours / d² of random pairs",
        "news": "news: what self would not have said",
    }
    for ax, (name, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for arm, colour in zip(("knn", "soft_knn product", "soft_knn"), PALETTE, strict=False):
            _plot_seeds(ax, results, arm, f"/{name}", colour)
        ax.set_title(title, fontsize=9)
        ax.set_xlabel("iteration")
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.3)
        if ax.lines:
            ax.legend(fontsize=8)
    return figure


def bench(results: Results) -> "Figure":
    """Plot each seed's error between the bounds."""
    figure = _figure(7, 2.8)
    ax = figure.subplots()
    errors = scores_of(results, "A1", lambda result: result["mse"])
    for i, by_seed in enumerate(errors.values()):
        ax.plot([*by_seed.values()], [i] * len(by_seed), "o", color=PALETTE[0], alpha=0.7)
    bounds = next((result["bounds"] for result in results.of("A1", "self")), ())
    for bound, text in zip(bounds, ("from itself", "with all true copies"), strict=False):
        ax.axvline(bound, color=PALETTE[1], ls="--", lw=1)
        ax.annotate(text, (bound, len(errors) - 0.4), fontsize=8, color=PALETTE[1], ha="center")
    ax.set_yticks(range(len(errors)), [*errors])
    ax.set_ylim(len(errors) - 0.3, -0.7)
    ax.set_xlabel("mean squared error on held-out images, one dot a seed")
    ax.grid(alpha=0.3, axis="x")
    return figure


def ablation(results: Results) -> "Figure":
    """Plot what other graphs and the loss of a branch do to trained networks."""
    figure = _figure(7, 3)
    ax = figure.subplots()
    rules = (*RULES, *BRANCHES)
    looks: dict[str, str] = {}
    for arm, _, result in results.of_run("A0"):
        known = arm in looks
        colour = looks.setdefault(arm, PALETTE[len(looks) % len(PALETTE)])
        measured = result["rules"][BATCH_NORM]
        name = next(iter(measured["as trained"]))
        shown = [(i, measured[rule][name]) for i, rule in enumerate(rules) if rule in measured]
        at, values = [i for i, _ in shown], [value for _, value in shown]
        ax.errorbar(
            [change for _, change, _ in values],
            at,
            xerr=[error for *_, error in values],
            fmt="o",
            color=colour,
            alpha=0.7,
            ms=4,
            label=None if known else arm,
        )
    ax.axvline(0, color="black", lw=0.6)
    ax.set_yticks(range(len(rules)), rules)
    ax.invert_yaxis()
    ax.set_xlabel("change of the score")
    ax.grid(alpha=0.3, axis="x")
    _legend_beside(ax)
    return figure


def headroom(results: Results) -> "Figure":
    """Plot the share of what surrounds leave that nodes of the same image explain."""
    figure = _figure(7, 2.6)
    ax = figure.subplots()
    sets = sets_by_headroom(results)
    shares = [headroom_of(result) for _, result in sets]
    ax.barh(
        [arm for arm, _ in sets],
        [100 * share["value"] for share in shares],
        xerr=[100 * share["error"] for share in shares],
        color=PALETTE[0],
    )
    ax.invert_yaxis()
    ax.set_xlabel("headroom, % of what the surround of a pixel leaves")
    ax.grid(alpha=0.3, axis="x")
    return figure


def sources(results: Results) -> "Figure":
    """Draw where what an output pixel shows can come from; no result is needed."""
    figure = _figure(7, 3)
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


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _plot_seeds(ax: "Axes", results: Results, arm: str, end: str, colour: str) -> None:
    """Plot the curve of each seed of an arm of A3; `end` is that of the curve's name."""
    for i, run in enumerate(results.of("A3", f"echo-3 {arm}")):
        curves = run["curves"]
        curve = next(values for name, values in curves.items() if name.endswith(end))
        ax.plot(curves["step"], curve, color=colour, lw=1.2, label=None if i else arm)


def _legend_beside(ax: "Axes") -> None:
    ax.grid(alpha=0.3)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
