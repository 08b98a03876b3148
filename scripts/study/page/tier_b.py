"""The tables of tier B: the layer where the latent reaches every pixel, and on photographs."""

from collections.abc import Iterable, Mapping

from gcgan_jax.report.statistics import BASELINE, MARGINS, ROWS
from scripts.study.jobs import Results
from scripts.study.page.scores import Scores, cost, difference_table, score, scores_of, seed_table
from scripts.study.tier_b import BEST

SCORE, DISTANCE = "classifier_score", "classifier_fid"
HELPERS, CONTROLS = (BEST, "self_attention", "knn"), ("self", "ring", "none")
COMPARED: Mapping[str, Iterable[tuple[str, str]]] = {  # pairs of arms on photographs, by run
    "B2": (("knn", "self"), ("far", "self"), (BEST, "self"), (BEST, "none")),
    "B3": (("sum", "self, sum"), ("mean", "sum")),
    "B5": (("ecc-16-constant", "ecc-16"), ("ecc-32-constant", "ecc-32")),
    "B6": tuple((row, BASELINE) for row in ROWS if row != BASELINE),
}


def with_latent(results: Results) -> str:
    """Tabulate B1, for each data set."""
    return "\n\n".join(_echo(results, "B1", f"echo-{dims} ") for dims in (12, 48))


def with_latent_differences(results: Results) -> str:
    families = (scores_of(results, "B1", score("agreement"), f"echo-{dims} ") for dims in (12, 48))
    tables = (difference_table(f, _against_controls(), MARGINS["agreement"]) for f in families)
    return "\n\n".join(tables)


def twins(results: Results) -> str:
    correlation = scores_of(results, "B7", score("diagonal_correlation"), "twins ")
    further = {
        "structure error": scores_of(results, "B7", score("structure_error"), "twins "),
        "CPU s": scores_of(results, "B7", cost, "twins "),
    }
    return seed_table(correlation, "diagonal correlation", further)


def twins_differences(results: Results) -> str:
    scores = scores_of(results, "B7", score("diagonal_correlation"), "twins ")
    return difference_table(scores, _against_controls())


def far_critics(results: Results) -> str:
    return seed_table(
        scores_of(results, "B4", lambda result: result.get("d_prime"), "critic alone, "), "d'"
    )


def photographs(results: Results, run: str) -> str:
    """Tabulate the scores of a run on CIFAR-10 (JPEG)."""
    further = {
        DISTANCE: scores_of(results, run, score(DISTANCE)),
        "CPU s": scores_of(results, run, cost),
    }
    return seed_table(scores_of(results, run, score(SCORE)), SCORE, further)


def photographs_differences(results: Results, run: str, pairs: Iterable[tuple[str, str]]) -> str:
    return difference_table(scores_of(results, run, score(SCORE)), pairs, MARGINS[SCORE])


def _echo(results: Results, run: str, prefix: str) -> str:
    def of(name: str) -> Scores:
        return scores_of(results, run, score(name), prefix)

    further = ("same", "richness", "diversity")
    more = {name: of(name) for name in further} | {"CPU s": scores_of(results, run, cost, prefix)}
    return seed_table(of("agreement"), f"agreement, {prefix.strip()}", more)


def _against_controls() -> list[tuple[str, str]]:
    """Return the arms that may help, each with each arm without non-local neighbours."""
    return [(arm, control) for arm in HELPERS for control in CONTROLS]
