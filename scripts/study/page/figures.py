"""The plots of the study's page."""

from collections.abc import Mapping
from itertools import cycle, product
from typing import TYPE_CHECKING

from scripts.study.jobs import Results
from scripts.study.page.scores import Scores, d_prime, score, scores_of
from scripts.study.page.style import COMPARED, PALETTE, figure_of
from scripts.study.page.tables import (
    BATCH_NORM,
    BRANCHES,
    RULES,
    headroom_of,
    sets_by_headroom,
    thousandths,
)
from scripts.study.page.tier_b import ALONE, GANS, LATENT, TWINS_ARMS
from scripts.study.tier_a import longer_arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def agreement(results: Results) -> "Figure":
    """Plot agreement against iterations, a line for each seed, and the null; longer runs beside."""
    figure = figure_of(7.5, 3.4)
    usual, longer = figure.subplots(1, 2, sharey=True)
    for arm, colour in zip(COMPARED, PALETTE, strict=True):
        _plot_seeds(usual, results, arm, "echo/agreement", colour)
        _plot_seeds(longer, results, longer_arm(arm), "echo/agreement", colour)
    for ax, title in ((usual, "three seeds"), (longer, "longer, one seed")):
        ax.axhline(0, color="black", lw=0.6)
        ax.set_title(title, fontsize=9)
        ax.set_xlabel("iteration")
        ax.grid(alpha=0.3)
    usual.set_ylabel("agreement of distant cells")
    if usual.get_legend_handles_labels()[0]:
        figure.legend(*usual.get_legend_handles_labels(), fontsize=8, loc="outside right center")
    return figure


def graph_over_training(results: Results) -> "Figure":
    """Plot how near neighbours are, and how new what they say is, over training with kNN."""
    figure = figure_of(7, 2.8)
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
    """Plot each seed's error between the bounds, and that of non-local means."""
    figure = figure_of(7, 3.3)
    ax = figure.subplots()
    without = scores_of(results, "A8", thousandths)
    errors = scores_of(results, "A1", thousandths)
    errors |= {f"non-local means, {arm}": by_seed for arm, by_seed in without.items()}
    _plot_dots(ax, errors)
    bounds = next((result["bounds"] for result in results.of("A1", "self")), ())
    for bound, text in zip(bounds, ("from itself", "with all true copies"), strict=False):
        ax.axvline(1_000 * bound, color=PALETTE[1], ls="--", lw=1)
        at = {"xy": (1_000 * bound, 1.02), "xycoords": ("data", "axes fraction")}
        ax.annotate(text, **at, fontsize=8, color=PALETTE[1], ha="center")
    ax.set_xlabel("mean squared error on held-out images, in thousandths, one dot a seed")
    return figure


def ablation(results: Results) -> "Figure":
    """Plot what other graphs and the loss of a branch do to trained networks."""
    figure = figure_of(7, 3)
    ax = figure.subplots()
    rules = (*RULES, *BRANCHES)
    unused = cycle(product("os", PALETTE))
    looks: dict[str, tuple[str, str]] = {}
    for arm, _, result in results.of_run("A0"):
        known = arm in looks
        if not known:
            looks[arm] = next(unused)
        marker, colour = looks[arm]
        measured = result["rules"][BATCH_NORM]
        name = next(iter(measured["as trained"]))
        shown = [(i, measured[rule][name]) for i, rule in enumerate(rules) if rule in measured]
        at, values = [i for i, _ in shown], [value for _, value in shown]
        ax.errorbar(
            [change for _, change, _ in values],
            at,
            xerr=[error for *_, error in values],
            fmt=marker,
            color=colour,
            alpha=0.7,
            ms=4,
            label=None if known else arm,
        )
    ax.axvline(0, color="black", lw=0.6)
    ax.set_yticks(range(len(rules)), rules)
    ax.invert_yaxis()
    ax.set_xlabel("change of the score")
    ax.grid(alpha=0.3)
    if looks:
        ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def headroom(results: Results) -> "Figure":
    """Plot the share of what surrounds leave that nodes of the same image explain."""
    figure = figure_of(7, 2.6)
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


def latent(results: Results) -> "Figure":
    """Plot what arms with the usual dense stem reach on echo and on twins."""
    on_echo = scores_of(results, "B1", score("agreement"), LATENT)
    on_twins = scores_of(results, "B7", score("diagonal_correlation"), TWINS_ARMS)
    return _dots({"echo: agreement": on_echo, "twins: diagonal correlation": on_twins})


def far(results: Results) -> "Figure":
    """Plot what critics alone see on far echo, and what generators learn from them."""
    seen = scores_of(results, "B4", d_prime, ALONE)
    learned = scores_of(results, "B4", score("agreement"), GANS)
    return _dots({"d' of critics alone": seen, "agreement of generators": learned})


def photographs(results: Results) -> "Figure":
    """Plot each seed's score of B2's and B3's arms on photographs."""
    return _score_dots(results, {"B2": "k = 8, 1,500 iterations", "B3": "k = 32, 600 iterations"})


def rows(results: Results) -> "Figure":
    """Plot each seed's score of the rows of Table 4.1, at an eighth of its widths, and of B8."""
    return _score_dots(results, {"B6": "Table 4.1", "B8": "new seeds"})


def _score_dots(results: Results, runs: Mapping[str, str]) -> "Figure":
    """Plot each seed's score in these runs, a panel each, by what is different in it."""
    measure = score("classifier_score")
    return _dots(
        {
            f"classifier_score, {what}": scores_of(results, run, measure)
            for run, what in runs.items()
        }
    )


def _plot_seeds(ax: "Axes", results: Results, arm: str, end: str, colour: str) -> None:
    """Plot the curve of each seed of an arm of A3; `end` is that of the curve's name."""
    for i, run in enumerate(results.of("A3", f"echo-3 {arm}")):
        curves = run["curves"]
        curve = next(values for name, values in curves.items() if name.endswith(end))
        ax.plot(curves["step"], curve, color=colour, lw=1.2, label=None if i else arm)


def _dots(panels: Mapping[str, Scores]) -> "Figure":
    """Plot arms by their seeds, in panels side by side, by what their axes show."""
    figure = figure_of(7.5, 2.8)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (shown, scores) in zip(axes, panels.items(), strict=True):
        _plot_dots(ax, scores)
        ax.set_xlabel(shown)
    figure.supxlabel("one dot a seed", fontsize=8)
    return figure


def _plot_dots(ax: "Axes", scores: Scores) -> None:
    """Plot a dot for each seed, an arm a line."""
    for i, by_seed in enumerate(scores.values()):
        ax.plot([*by_seed.values()], [i] * len(by_seed), "o", color=PALETTE[0], alpha=0.7)
    ax.set_yticks(range(len(scores)), [*scores])
    ax.set_ylim(len(scores) - 0.3, -0.7)
    ax.grid(alpha=0.3, axis="x")
