"""Compare runs on one page: configs, curves, samples, scores, costs and neighbours.

    python -m gcgan_jax.report runs/* --out=report.html

writes a file that opens from disk and fetches nothing. Runs that differ only in their seeds are an
arm; statistics compare the other arms with that of the first run. Folders that hold no run,
corrupted or unfinished ones are named on the page and left out.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from gcgan_jax import cli
from gcgan_jax.errors import UserError, one_line
from gcgan_jax.paths import is_page
from gcgan_jax.report.arms import arms_of
from gcgan_jax.report.contents import contents
from gcgan_jax.report.page import write_page
from gcgan_jax.report.workdirs import Run, read_runs
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.workdir import require_output

VIEWERS = 3_000_000  # bytes for the neighbour viewers of all runs


class Parser(argparse.ArgumentParser):
    """Reports an invalid command line in one line, as the program does."""

    def error(self, message: str) -> NoReturn:
        cli.fail(f"{message}; see python -m gcgan_jax.report --help")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="python -m gcgan_jax.report", description=__doc__.splitlines()[0])
    parser.add_argument("workdirs", type=Path, nargs="+", help="workdirs of the runs")
    parser.add_argument("--out", type=Path, required=True, help="the page to write (.html)")
    parser.add_argument(
        "--unfinished", action="store_true", help="also show runs that are not finished"
    )
    parser.add_argument(
        "--no-viewers",
        action="store_true",
        help="leave out the neighbours, which take seconds an arm",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    try:
        write(arguments)
    except (UserError, OSError, MemoryError) as error:
        cli.fail(one_line(error, {arguments.out.parent: "--out"}))


def write(arguments: argparse.Namespace) -> None:
    """Write the page.

    Raises:
        UserError: --out is no page or cannot be written, or no workdir holds a run to show.
        OSError: the page cannot be written.
    """
    if not is_page(arguments.out):
        raise UserError(f"--out={arguments.out}: name a page to write, such as report.html")
    require_output(arguments.out.parent, arguments.out.parent)  # before what takes a while
    runs, omitted = read_runs(arguments.workdirs, unfinished=arguments.unfinished)
    for left_out in omitted:
        report(f"left out: {left_out.name}: {left_out.reason}")
    if not runs:
        raise UserError(
            f"{arguments.workdirs[0]}: no workdir that was named holds a finished run: name the "
            "directories that --workdir gave to their training"
        )
    viewers = [] if arguments.no_viewers else make_viewers(runs)
    count = f"{len(runs)} run{'s' if len(runs) > 1 else ''} of gcgan_jax"
    page = contents(runs, omitted, viewers)
    write_page(arguments.out, count, page, "report_page.js", plots=True)
    size = arguments.out.stat().st_size / 1e6
    report(f"{count}, {size:.1f} MB: {arguments.out}")


def make_viewers(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the viewer of the first run of each arm, or why it has none."""
    from gcgan_jax.commands.viewer import viewer_of_run  # builds networks, which takes seconds

    first = [arm.runs[0] for arm in arms_of(runs)]
    return [
        {"name": run.name, **viewer_of_run(run.workdir, VIEWERS // len(first))} for run in first
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
