"""The study's page: its tables and figures, from nothing but the results of finished jobs."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gcgan_jax.report.markdown import filled
from gcgan_jax.storage.atomic import write_atomically, write_text
from scripts.study.jobs import Results
from scripts.study.page import drawings, figures, tables, tier_b

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLES: Mapping[str, Callable[[Results], str]] = {
    "headroom": tables.headroom,
    "critic": tables.critic_alone,
    "agreement": tables.agreement,
    "agreement differences": tables.agreement_differences,
    "bench": partial(tables.bench, run="A1"),
    "bench differences": partial(tables.bench_differences, run="A1"),
    "non-local means": partial(tables.bench, run="A8"),
    "longer bench": partial(tables.bench, run="A7"),
    "longer bench differences": partial(tables.bench_differences, run="A7"),
    "stem": tables.stem,
    "stem differences": tables.stem_differences,
    "gamma": tables.gamma,
    "gamma differences": tables.gamma_differences,
    "ablation": tables.ablation,
    "overlap": tables.overlap,
    "latent": tier_b.with_latent,
    "latent differences": tier_b.with_latent_differences,
    "twins": tier_b.twins,
    "twins differences": tier_b.twins_differences,
    "far critics": tier_b.far_critics,
    "far generators": tier_b.far_generators,
    "far generators differences": tier_b.far_generators_differences,
    **{run: partial(tier_b.photographs, run=run) for run in tier_b.COMPARED},
    **{
        f"{run} differences": partial(tier_b.photographs_differences, run=run, pairs=pairs)
        for run, pairs in tier_b.COMPARED.items()
    },
    **{
        f"{run} distance differences": partial(
            tier_b.photographs_differences,
            run=run,
            pairs=tier_b.COMPARED[run],
            name=tier_b.DISTANCE,
        )
        for run in ("B2", "B8")
    },
    **{
        f"{run} added differences": partial(tier_b.photographs_differences, run=run, pairs=pairs)
        for run, pairs in tier_b.ADDED.items()
    },
}
FIGURES: Mapping[str, Callable[[Results], "Figure"]] = {
    "agreement": figures.agreement,
    "samples": drawings.samples,
    "graph": figures.graph_over_training,
    "bench": figures.bench,
    "ablation": figures.ablation,
    "headroom": figures.headroom,
    "sources": drawings.sources,
    "edges": drawings.edges,
    "latent": figures.latent,
    "far": figures.far,
    "photographs": figures.photographs,
    "rows": figures.rows,
}
STYLE = {"svg.hashsalt": "study", "svg.fonttype": "none", "font.size": 9}


def redraw(results: Results, page: Path) -> None:
    """Bring the tables of a page up to date, and its figures in a folder of its name beside it."""
    write_text(page, filled(page.read_text(), dict(parts(results))))
    folder = page.with_suffix("")
    folder.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        write_atomically(folder / f"{name}.svg", lambda file, draw=draw: save(draw, results, file))


def parts(results: Results) -> Iterator[tuple[str, str]]:
    """Yield all tables by the names of their markers in the page."""
    return ((name, shown(table(results))) for name, table in TABLES.items())


def shown(table: str) -> str:
    """Return a table, or a sentence if it has no rows below its header."""
    return table if len(table.splitlines()) > 2 else "Not run yet."


def save(draw: Callable[[Results], "Figure"], results: Results, file: BinaryIO) -> None:
    """Write a figure as SVG; the same results give the same bytes with the same matplotlib."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        draw(results).savefig(file, format="svg", metadata={"Date": None})
