"""The Markdown tables of what was measured on an accelerator, made from the results alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gcgan_jax.report import markdown
from scripts.benchmark.accelerator.plan import PARTS
from scripts.benchmark.cases import Case, parse, variants
from scripts.benchmark.interleaved import MIB
from scripts.benchmark.timing import summarise

Results = Mapping[str, Any]
Rows = Mapping[str, Mapping[str, Any]]  # results of one part, by key

TITLES = {
    "operators": "Operators against their references",
    "speed": "Speed",
    "sampling": "Sampling",
    "training": "Training",
    "profile": "Profile of one iteration",
}
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
MISSING = "-"


def report(results: Results) -> str:
    """Return the whole page.

    Args:
        results: "environment"; "planned", the number of measurements by part; and "measured",
            results by part and key.
    """
    lines = [f"# Measurements on {results['environment']['device']}", ""]
    lines += environment(results["environment"])
    for part in PARTS:
        rows = results["measured"].get(part, {})
        if rows:
            planned = results["planned"].get(part, len(rows))
            lines += ["", f"## {TITLES[part]}", "", f"Measured: {len(rows)} of {planned}.", ""]
            lines += TABLES[part](rows)
    return "\n".join(lines) + "\n"


def environment(values: Mapping[str, Any]) -> Iterator[str]:
    versions = [f"{name} {values[name]}" for name in VERSIONS if values.get(name)]
    yield f"- {values['devices']} x {values['device']} ({values['platform']}), one of them used"
    yield f"- {', '.join(versions)}; {values['runtime']}"
    if values.get("pytorch"):
        cuda, peer = values["pytorch"]["cuda"], values["pytorch"]["peer"]
        yield f"- PyTorch reference: graph layers by {peer}; CUDA {cuda or 'not used'}"
    yield f"- from {values['date']} on"
    if values["toy"]:
        yield "- toy sizes: these numbers mean nothing"


VERSIONS = ("gcgan_jax", "python", "jax", "jaxlib", "flax", "optax", "torch", "torch_geometric")


def operators(rows: Rows) -> Iterator[str]:
    yield markdown.header("operator", "error at highest precision", "at default", "result")
    for key, row in rows.items():
        name = key.removeprefix("jax ")
        if "error" in row:
            yield markdown.row(name, row["error"], MISSING, "failed")
            continue
        default = row["error_at_default"]
        shown = MISSING if default is None else f"{default:.0e}"
        verdict = "agrees" if row["agrees"] else "FAILED"
        yield markdown.row(name, f"{row['error_at_highest']:.0e}", shown, verdict)


def speed(rows: Rows) -> Iterator[str]:
    cases = [*dict.fromkeys(case_of(key) for key in rows)]
    iterations = [case for case in cases if case.task == "iteration"]
    yield (
        "Times are medians, with quartiles, per iteration or call. Calls at once are those started "
        "before waiting for the last."
    )
    yield ""
    if iterations:
        yield from timings(iterations, rows)
        yield ""
    single = [case for case in cases if case.task != "iteration"]
    if single:
        yield from timings(single, rows)


def timings(cases: list[Case], rows: Rows) -> Iterator[str]:
    """Yield a table with a row per case; without PyTorch, its columns are left out."""
    pytorch = has_pytorch(rows)
    peer = ("PyTorch", "variant", "PyTorch / JAX", "PyTorch MiB") if pytorch else ()
    yield markdown.header("case", "JAX", "JAX MiB", "calls at once", *peer)
    for case in cases:
        row = rows.get(f"jax {case}", {})
        cells = [case, shown_time(row, case), mebibytes(row), row.get("calls", MISSING)]
        if pytorch:
            cells += peer_cells(case, row, rows)
        yield markdown.row(*cells)


def peer_cells(case: Case, row: Mapping[str, Any], rows: Rows) -> list[str]:
    """Return the cells of the fastest variant of the PyTorch reference."""
    like = replace(case, iterations_per_call=1, selection="auto")  # PyTorch has no others
    variant, peer = fastest(like, rows)
    ratio = MISSING
    if "seconds" in peer and "seconds" in row:
        ratio = f"{median(peer, like) / median(row, case):.2f}"
    return [shown_time(peer, like), variant, ratio, mebibytes(peer)]


def fastest(case: Case, rows: Rows) -> tuple[str, Mapping[str, Any]]:
    """Return the fastest measured variant of the PyTorch reference, or a failed one, or none."""
    of_case = {
        variant: rows[f"{variant} {case}"]
        for variant in variants(case)
        if f"{variant} {case}" in rows
    }
    measured = {name: row for name, row in of_case.items() if "seconds" in row}
    if measured:
        name = min(measured, key=lambda name: median(measured[name], case))
        return name, measured[name]
    return next(iter(of_case.items()), (MISSING, {}))


def sampling(rows: Rows) -> Iterator[str]:
    pytorch = has_pytorch(rows)
    peer = ("PyTorch images/s", "variant", "JAX / PyTorch") if pytorch else ()
    yield markdown.header("network", "dtype", "JAX images/s", *peer)
    for case in dict.fromkeys(case_of(key) for key in rows):
        ours = rows.get(f"jax {case}", {})
        cells = [network(case), case.dtype, rate(ours, case)]
        if pytorch:
            variant, theirs = fastest(case, rows)
            both = "seconds" in ours and "seconds" in theirs
            ratio = f"{median(theirs, case) / median(ours, case):.2f}" if both else MISSING
            cells += [rate(theirs, case), variant, ratio]
        yield markdown.row(*cells)


def training(rows: Rows) -> Iterator[str]:
    columns = ("run", "iterations", "iterations/s", "seconds", "peak MiB", "Wasserstein estimate")
    yield markdown.header(*columns)
    for key, row in rows.items():
        name = key.removeprefix("jax ")
        if "error" in row:
            yield markdown.row(name, row["error"], *[MISSING] * 4)
            continue
        seconds = row.get("seconds") or row["seconds_with_compilation"]
        speed = row.get("iterations_per_second") or row["iterations"] / seconds
        estimate = f"{row['wasserstein']:.3g}" if row["finite"] else "not finite"
        cells = (row["iterations"], f"{speed:.2f}", f"{seconds:.1f}", mebibytes(row), estimate)
        yield markdown.row(name, *cells)
    yield ""
    yield "The quickstart's seconds include compilation, diagnostics, samples and checkpoints."


def profile(rows: Rows) -> Iterator[str]:
    yield "Shares of the time from the first kernel to the last, without CUDA graphs."
    for grouping in ("kinds", "components"):
        names = dict.fromkeys(name for row in rows.values() for name in row.get(grouping, {}))
        ordered = [*(name for name in names if name not in ("other", "gaps")), "other", "gaps"]
        yield ""
        yield markdown.header("case", "time", *ordered)
        for key, row in rows.items():
            if "error" in row:
                yield markdown.row(case_of(key), row["error"], *[MISSING] * len(ordered))
                continue
            shares = (row[grouping].get(name, 0) / row["seconds"] for name in ordered)
            time = shown_seconds(row["seconds"])
            yield markdown.row(case_of(key), time, *(f"{share:.1%}" for share in shares))


TABLES = {
    "operators": operators,
    "speed": speed,
    "sampling": sampling,
    "training": training,
    "profile": profile,
}


def has_pytorch(rows: Rows) -> bool:
    return any(not key.startswith("jax ") for key in rows)


def case_of(key: str) -> Case:
    return parse(key.partition(" ")[2])


def network(case: Case) -> str:
    return case.subject if case.k is None else f"{case.subject}, k = {case.k}"


def median(row: Mapping[str, Any], case: Case) -> float:
    """Return the median of the seconds per iteration, or per call of another task."""
    return summarise(row["seconds"])[0] / case.iterations_per_call


def shown_time(row: Mapping[str, Any], case: Case) -> str:
    if "seconds" not in row:
        return row.get("error", MISSING)
    times = [seconds / case.iterations_per_call for seconds in summarise(row["seconds"])]
    return shown_seconds(*times)


def shown_seconds(middle: float, *quartiles: float) -> str:
    scale, unit = next((u for u in UNITS if middle >= u[0]), UNITS[-1])
    spread = f" ({' to '.join(digits(q / scale) for q in quartiles)})" if quartiles else ""
    return f"{digits(middle / scale)} {unit}{spread}"


def digits(value: float) -> str:
    """Return three significant digits, without an exponent."""
    return f"{float(f'{value:.3g}'):g}"


def rate(row: Mapping[str, Any], case: Case) -> str:
    return (
        f"{case.batch / median(row, case):.0f}" if "seconds" in row else row.get("error", MISSING)
    )


def mebibytes(row: Mapping[str, Any]) -> str:
    return f"{row['peak_bytes'] / MIB:.0f}" if "peak_bytes" in row else MISSING
