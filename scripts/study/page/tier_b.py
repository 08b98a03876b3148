"""The tables of tier B: the layer where the latent reaches every pixel, and on photographs."""

from collections.abc import Iterable, Mapping

from gcgan_jax.report.statistics import BASELINE, MARGINS, ROWS
from scripts.study.jobs import Results
from scripts.study.page.scores import (
    TWINS,
    agreement_measures,
    cost,
    d_prime,
    difference_table,
    last,
    measures_table,
    score,
    scores_of,
)
from scripts.study.tier_b import BEST, FAR_GENERATORS, SEEING_CRITICS

SCORE, DISTANCE = "classifier_score", "classifier_fid"
HELPERS, CONTROLS = (BEST, "self_attention", "knn"), ("self", "ring", "none")
AGAINST_CONTROLS = [(arm, control) for arm in HELPERS for control in CONTROLS]
COST = {"CPU s": cost}
LATENT, TWINS_ARMS = "echo-3 ", "twins "  # how the names of arms of B1 and B7 start
ALONE, GANS = "critic alone, ", "GAN, "  # of B4
COMPARED: Mapping[str, Iterable[tuple[str, str]]] = {  # pairs of arms on photographs, by run
    "B2": (("knn", "self"), ("far", "self"), (BEST, "self"), (BEST, "none")),
    "B3": (("sum", "self, sum"), ("mean", "sum")),
    "B5": (("ecc-16-constant", "ecc-16"), ("ecc-32-constant", "ecc-32")),
    "B6": tuple((row, BASELINE) for row in ROWS if row != BASELINE),
    "B8": tuple(("best", arm) for arm in ("best, ring", BASELINE, "edge_conv-8")),
}
# Pairs with arms that were added after the first seeds, by run, in a family of their own.
ADDED: Mapping[str, Iterable[tuple[str, str]]] = {
    "B2": tuple((BEST, arm) for arm in ("ring", f"{BEST} frozen", "ring aggregate")),
    "B6": tuple(("best", row) for row in (BASELINE, "edge_conv-8", "ecc-8")),
}


def with_latent(results: Results) -> str:
    return measures_table(results, "B1", agreement_measures("agreement") | COST, LATENT)


def with_latent_differences(results: Results) -> str:
    scores = scores_of(results, "B1", score("agreement"), LATENT)
    return difference_table(scores, AGAINST_CONTROLS, MARGINS["agreement"])


def twins(results: Results) -> str:
    return measures_table(results, "B7", {**TWINS, **COST}, TWINS_ARMS)


def twins_differences(results: Results) -> str:
    scores = scores_of(results, "B7", score("diagonal_correlation"), TWINS_ARMS)
    return difference_table(scores, AGAINST_CONTROLS)


def far_critics(results: Results) -> str:
    return measures_table(results, "B4", {"d'": d_prime}, ALONE)


def far_generators(results: Results) -> str:
    """Tabulate generators by the critics that they were trained against."""
    measures = {name: score(name) for name in ("agreement", "elsewhere", "diversity")}
    return measures_table(
        results, "B4", measures | {"D(real) - D(fake)": last("wasserstein")}, GANS
    )


def far_generators_differences(results: Results) -> str:
    """Compare, for each generator, critics that see far with the plain one."""
    scores = scores_of(results, "B4", score("agreement"), GANS)
    pairs = [
        (f"{name} against {critic}", f"{name} against plain")
        for name in FAR_GENERATORS
        for critic in SEEING_CRITICS
    ]
    return difference_table(scores, pairs)


def photographs(results: Results, run: str) -> str:
    """Tabulate the scores of a run on CIFAR-10 (JPEG)."""
    return measures_table(results, run, {SCORE: score(SCORE), DISTANCE: score(DISTANCE)} | COST)


def photographs_differences(
    results: Results, run: str, pairs: Iterable[tuple[str, str]], name: str = SCORE
) -> str:
    return difference_table(scores_of(results, run, score(name)), pairs, MARGINS.get(name))
