"""Records the golden runs again: `python -m tests.golden --reason="what changed, and why"`."""

import argparse
import json
from datetime import date

from tests.golden import FOLDER, RECORDINGS, RUNS, here, recorded, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reason", required=True, help="why the numbers are to change")
    parser.add_argument("--runs", default=",".join(RUNS), help="some of them")
    arguments = parser.parse_args()
    if not arguments.reason.strip():
        parser.error("--reason: say what changed, and why")
    changes = {}
    for name in arguments.runs.split(","):
        entries = run(name)
        path = FOLDER / f"{name}.jsonl"
        changes[name] = largest_change(recorded(name), entries) if path.exists() else None
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        print(f"{name}: largest relative change {changes[name]}", flush=True)
    line = {"date": str(date.today()), "reason": arguments.reason, "change": changes} | here()
    with RECORDINGS.open("a") as file:
        file.write(json.dumps(line) + "\n")


def largest_change(before: list[dict], after: list[dict]) -> float:
    """Of any value that both have, by the largest size of its name over the run."""
    largest = 0.0
    for name in before[0].keys() & after[0].keys():
        size = max(abs(entry[name]) for entry in before) or 1.0
        changed = max(abs(a[name] - b[name]) for a, b in zip(before, after, strict=True))
        largest = max(largest, changed / size)
    return largest


if __name__ == "__main__":
    main()
