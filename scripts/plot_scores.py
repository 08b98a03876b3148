"""Plot a score against the generator iteration, for one or several runs.

    python -m scripts.plot_scores runs/baseline runs/edge_conv-8 --figure=scores.png

Scores of different provenance, such as another protocol, get separate panels.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gcgan_jax.report.curves import draw, read_panels
from gcgan_jax.storage.atomic import write_atomically


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdirs", type=Path, nargs="+", help="workdirs of the runs")
    parser.add_argument("--score", default="classifier_fid", help="score to plot")
    parser.add_argument("--figure", type=Path, required=True, help="output file for the plot (PNG)")
    arguments = parser.parse_args(argv)
    panels = read_panels(arguments.workdirs, arguments.score)
    if not panels:
        workdirs = ", ".join(map(str, arguments.workdirs))
        sys.exit(f"no {arguments.score} in {workdirs}: name another --score or other workdirs")
    figure = draw(panels, arguments.score)
    write_atomically(arguments.figure, lambda file: figure.savefig(file, format="png", dpi=120))


if __name__ == "__main__":
    main()
