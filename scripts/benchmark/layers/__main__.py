"""Cost of every graph, operator and merge: `python -m scripts.benchmark.layers`.

Each row runs in a process of its own, and its repetitions alternate with those of kNN and EdgeConv
in another one, so that the ratio of both holds whatever else the machine does. Records are added to
a JSON file one by one; rows that it has already are skipped, unless with `--again`. Needs Linux.

Memory is what XLA plans for the compiled program: arguments, results and temporaries. The peak of a
process would be mostly that of Python, the compiler and initialisation.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from gcgan_jax.errors import UserError
from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text
from scripts.benchmark.layers.measure import measure
from scripts.benchmark.layers.report import COLUMNS, costs, key, limit_table, tables
from scripts.benchmark.layers.rows import ROWS, Shape


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    shape = Shape(arguments.batch, arguments.side, arguments.features, arguments.k)
    rows = [row for row in ROWS if fnmatch(row, arguments.rows)]
    if not rows:
        sys.exit(f"layers: --rows={arguments.rows} matches no row: use some of {', '.join(ROWS)}")
    records, failed = read(arguments.output), False
    print(markdown.header(*COLUMNS), flush=True)
    for row in rows:
        name = key(row, shape)
        if name not in records or arguments.again:
            try:
                records[name] = measure(row, shape, arguments.budget)
            except (UserError, ValueError, ChildProcessError) as error:
                print(f"layers: {row} is not measured: {error}", file=sys.stderr)
                failed = True
                continue
            write_text(arguments.output, json.dumps(records, indent=1, sort_keys=True) + "\n")
        print(markdown.row(row, *costs(records[name])), flush=True)
    print(f"\n{limit_table(records)}")
    if arguments.page:
        write_text(arguments.page, markdown.filled(arguments.page.read_text(), tables(records)))
    sys.exit(failed)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="*", help="a row or a pattern, e.g. 'merge/*'")
    parser.add_argument("--batch", type=int, default=Shape.batch, help="number of feature maps")
    parser.add_argument("--side", type=int, default=Shape.side, help="height and width of each")
    parser.add_argument("--features", type=int, default=Shape.features, help="features, in and out")
    parser.add_argument("--k", type=int, default=Shape.k, help="neighbours per pixel")
    parser.add_argument(
        "--budget", type=float, default=20.0, help="seconds of repetitions per row and task"
    )
    parser.add_argument("--again", action="store_true", help="repeat rows that have a record")
    parser.add_argument(
        "--output", type=Path, default=Path("docs/results/layers.json"), help="file of all records"
    )
    parser.add_argument("--page", type=Path, help="page whose tables are brought up to date")
    return parser.parse_args(argv)


def read(path: Path) -> dict[str, Any]:
    """Return the records so far, by name."""
    if not path.exists():
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError:
        sys.exit(f"layers: {path} is not JSON: remove it, or choose another --output")


if __name__ == "__main__":
    main()
