"""Records the golden runs again: `python -m tests.golden --reason="what changed, and why"`."""

import argparse
import json
from datetime import date

from tests.golden import FOLDER, RECORDINGS, RUNS, environment, recorded, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reason", required=True, help="why the values change")
    parser.add_argument("--runs", default=",".join(RUNS), help="comma-separated names of runs")
    arguments = parser.parse_args()
    if not arguments.reason.strip():
        parser.error("--reason is empty: state what changed, and why")
    changes = {}
    for name in arguments.runs.split(","):
        entries = run(name)
        path = FOLDER / f"{name}.jsonl"
        changes[name] = largest_change(recorded(name), entries) if path.exists() else None
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        print(f"{name}: largest relative change {changes[name]}", flush=True)
    recording = {"date": str(date.today()), "reason": arguments.reason, "change": changes}
    with RECORDINGS.open("a") as file:
        file.write(json.dumps(recording | environment()) + "\n")


def largest_change(before: list[dict], after: list[dict]) -> float:
    """Return the largest change of any metric, relative to its largest magnitude in the run."""
    largest = 0.0
    for name in before[0].keys() & after[0].keys():
        magnitude = max(abs(entry[name]) for entry in before) or 1.0
        change = max(abs(a[name] - b[name]) for a, b in zip(before, after, strict=True))
        largest = max(largest, change / magnitude)
    return largest


if __name__ == "__main__":
    main()
