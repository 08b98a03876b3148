"""The tables of the study's page."""

from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from typing import Any

from gcgan_jax.report import markdown
from gcgan_jax.report.statistics import MARGINS
from scripts.study.jobs import Results
from scripts.study.page.scores import (
    TWINS,
    Scores,
    agreement_measures,
    d_prime,
    difference_table,
    last,
    measures_table,
    number,
    score,
    scores_of,
    seed_table,
)
from scripts.study.settings import BEST

CONTROLS = ("self", "ring")
NAMED = ("knn", "soft_knn", "self_attention")  # arms that were to be compared from the start
BATCH_NORM = "running"  # statistics of the ablations shown
ERROR = "error in thousandths"
THESIS = "thesis, delta scaled"
RULES = ("knn", "self", "grid", "ring", "random", "shuffled", "far")
BRANCHES = ("without non-local", "without local")


def critic_alone(results: Results) -> str:
    return measures_table(results, "A2", {"d'": d_prime})


def agreement(results: Results) -> str:
    hubs = {"edges into hubs": last("hub_share")}
    tables = (
        measures_table(
            results, "A3", agreement_measures(f"agreement, {data}") | hubs, prefix=f"{data} "
        )
        for data in ("echo-3", "echo-12")
    )
    return "\n\n".join(tables)


def agreement_differences(results: Results) -> str:
    """Tabulate what was to be compared from the start, and an arm found since, as two families."""
    scores = scores_of(results, "A3", score("agreement"), "echo-3 ")
    others = (*CONTROLS, "soft_knn", f"{BEST} frozen")
    families = product(NAMED, CONTROLS), product([BEST], others)
    tables = (difference_table(scores, family, MARGINS["agreement"]) for family in families)
    return "\n\n".join(tables)


def against_controls(scores: Scores) -> Iterator[tuple[str, str]]:
    """Yield each arm with each control."""
    arms = (arm for arm in scores if arm not in CONTROLS)
    return ((arm, control) for arm, control in product(arms, CONTROLS) if control in scores)


def bench(results: Results, run: str) -> str:
    """Tabulate the errors, how far each is on the way between the bounds, and purity."""
    errors = scores_of(results, run, thousandths)
    bounds = next((r["bounds"] for _, _, r in results.of_run(run) if "bounds" in r), None)
    if not bounds:
        return seed_table(errors, ERROR)
    alone, copies = (1_000 * bound for bound in bounds)
    way = {
        arm: {seed: (alone - error) / (alone - copies) for seed, error in by_seed.items()}
        for arm, by_seed in errors.items()
    }
    purity = scores_of(results, run, lambda result: result.get("purity"))
    return seed_table(errors, ERROR, {"part of the way": way, "purity": purity})


def bench_differences(results: Results, run: str) -> str:
    errors = scores_of(results, run, thousandths)
    pairs = [(control, arm) for arm, control in against_controls(errors)]
    return difference_table(errors, [*pairs, ("soft_knn frozen", "soft_knn")])


def thousandths(result: Mapping[str, Any]) -> float:
    """A measure: the error of a denoiser in thousandths."""
    return 1_000 * result["mse"]


def overlap(results: Results) -> str:
    """Tabulate how many edges the graphs of successive checkpoints have in common."""
    lines = [markdown.header("arm", "iterations", "overlap, by seed", "by chance")]
    for arm in dict.fromkeys(arm for arm, *_ in results.of_run("A6")):
        runs = results.of("A6", arm)
        for i, iterations in enumerate(pairwise(runs[0]["checkpoints"])):
            listed = ", ".join(f"{n}: {number(run['overlap'][i])}" for n, run in enumerate(runs))
            between = "{} to {}".format(*iterations)
            lines.append(markdown.row(arm, between, listed, number(runs[0]["chance"])))
    return "\n".join(lines)


def stem(results: Results) -> str:
    return measures_table(results, "A4", agreement_measures("agreement"))


def stem_differences(results: Results) -> str:
    scores = scores_of(results, "A4", score("agreement"))
    pairs = [(f"dense stem, D = {D}", f"constant stem, D = {D}") for D in (12, 3)]
    return difference_table(scores, pairs, MARGINS["agreement"])


def gamma(results: Results) -> str:
    scale = {"gamma": last("gamma"), "non-local / local": last("non_local_over_local")}
    return measures_table(results, "A5", {**TWINS, **scale})


def gamma_differences(results: Results) -> str:
    scores = scores_of(results, "A5", score("diagonal_correlation"))
    others = ("delta adaptive", "without gamma")
    pairs = [*((arm, THESIS) for arm in others), (THESIS, "self, delta scaled")]
    return difference_table(scores, pairs)


def ablation(results: Results) -> str:
    """Tabulate what each change of a trained network's layers does to its score."""
    lines = [markdown.header("network", "seed", "score", "trained", *RULES, *BRANCHES)]
    for arm, seed, result in results.of_run("A0"):
        rules = result["rules"][BATCH_NORM]
        name = next(iter(rules["as trained"]))
        trained = number(rules["as trained"][name][0])
        changes = (_change(rules.get(rule, {}).get(name)) for rule in (*RULES, *BRANCHES))
        lines.append(markdown.row(arm, seed, name, trained, *changes))
    return "\n".join(lines)


def _change(measured: list[float] | None) -> str:
    return f"{measured[1]:+.3f} ± {measured[2]:.3f}" if measured else "-"


def headroom(results: Results) -> str:
    """Tabulate what surrounds and far pixels explain, in percent."""
    columns = ("by surround", "same image", "another image", "random nodes", "headroom")
    lines = [markdown.header("data set", *columns)]
    for arm, result in sets_by_headroom(results):
        shares = result["explained"]["weighted"]
        cells = (_percent(shares[name]["value"]) for name in columns[1:-1])
        error = f" ± {_percent(shares['headroom']['error'])}"
        own = _percent(shares["headroom"]["value"]) + error
        lines.append(markdown.row(arm, _percent(result["by_surround"]), *cells, own))
    return "\n".join(lines)


def sets_by_headroom(results: Results) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the data sets of C5 and their results, that with the largest headroom first."""
    sets = [(arm, result) for arm, _, result in results.of_run("C5")]
    return sorted(sets, key=lambda entry: -headroom_of(entry[1])["value"])


def headroom_of(result: Mapping[str, Any]) -> Mapping[str, float]:
    return result["explained"]["weighted"]["headroom"]


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"
