"""Tables and a figure of the records."""

from statistics import median
from typing import TYPE_CHECKING

from gcgan_jax.report import markdown
from scripts.stability.measurements import ITERATIONS, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIB = 2**20
NORMS = ("output", "feature_gradient", "weight_gradient")


def tables(records: dict[str, Record]) -> str:
    """Return a table for each kind of job."""
    makers = (growth_table, training_table, initial_table, cost_table)
    return "\n\n".join(make(records) for make in makers)


def growth_table(records: dict[str, Record]) -> str:
    """Tabulate the slopes of the logarithms of norms against that of the features' scale."""
    lines = [markdown.header("edge labels", "gamma", "output", "gradient: features", "weights")]
    for name, record in records.items():
        kind, labels, *rest = name.split("/")
        if kind == "growth":
            slopes = (f"{round(record[f'{norm}_slope'], 2) + 0:.2f}" for norm in NORMS)
            lines.append(markdown.row(labels, rest[0].removeprefix("gamma "), *slopes))
    return "\n".join(lines)


def training_table(records: dict[str, Record]) -> str:
    """Tabulate, over seeds, how training went; medians of the seeds, but the largest maximum."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for name, record in records.items():
        kind, labels, *rest = name.split("/")
        if kind == "training":
            groups.setdefault((labels, rest[0].removeprefix("gamma ")), []).append(record)
    columns = ("edge labels", "gamma", f"seeds finite for {ITERATIONS} iterations")
    norms = ("gradient norm, median", "largest", "non-local / local, first", "last")
    lines = [markdown.header(*columns, *norms)]
    for (labels, gamma), runs in groups.items():
        done = [run for run in runs if not run["error"]]
        ratios = [[run["non_local_over_local"][i] for run in done or runs] for i in (0, -1)]
        cells = (
            f"{median(run['generator_gradients_median'] for run in runs):.2g}",
            f"{max(run['generator_gradients_max'] for run in runs):.2g}",
            *(f"{median(values):.2f}" for values in ratios),
        )
        lines.append(markdown.row(labels, gamma, f"{len(done)} of {len(runs)}", *cells))
    return "\n".join(lines)


def initial_table(records: dict[str, Record]) -> str:
    """Tabulate the ratios of the non-local to the local branch before training."""
    columns = ("operator", "width", "features", "gamma", "output", "gradient: features")
    lines = [markdown.header(*columns)]
    for name, record in records.items():
        kind, operator, *rest = name.split("/")
        if kind == "initial":
            width, gamma = (part.split()[1] for part in rest)
            for features, ratios in record.items():
                if features != "job":
                    cells = (f"{ratios[of]:.2f}" for of in ("output", "gradient"))
                    lines.append(markdown.row(operator, width, features, gamma, *cells))
    return "\n".join(lines)


def cost_table(records: dict[str, Record]) -> str:
    """Tabulate parameters, temporary memory and time of the gradient, against full ECC's time."""
    lines = [
        markdown.header("features", "operator", "parameters", "memory, MiB", "ECC's time / its")
    ]
    for name, record in records.items():
        kind, size = name.split("/")[:2]
        if kind == "cost":
            for operator, measured in record.items():
                if operator != "job":
                    memory = f"{measured['temporary_bytes'] / MIB:.0f}"
                    ratio = f"{record['ecc']['seconds'] / measured['seconds']:.2f}"
                    cells = f"{measured['parameters']:,}", memory, ratio
                    lines.append(markdown.row(size.split()[0], operator, *cells))
    return "\n".join(lines)


def draw(records: dict[str, Record]) -> "Figure":
    """Plot norms against the scale of the features, without attention."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axes = figure.subplots(1, 2)
    for labels in ("raw", "normalised"):
        record = records[f"growth/{labels}/gamma off"]
        for ax, norm in zip(axes, NORMS, strict=False):
            text = f"{labels}, slope {round(record[f'{norm}_slope'], 1) + 0:.1f}"
            ax.loglog(record["scales"], record[f"{norm}_norms"], "o-", label=text)
            ax.set_title(f"norm of the {norm.replace('_', ' ')}", fontsize=9)
    for ax in axes:
        ax.set_xlabel("scale of the features")
        ax.grid(alpha=0.3)
        ax.legend(title="edge labels", fontsize=8)
    return figure
