"""Run the program on all cases of invalid_input_cases.py, and tabulate its error messages.

    python -m tests.reliability.invalid_inputs --output=docs/invalid-input.md

Takes about 10 minutes on 2 cores; --only=pickle runs the cases whose names contain `pickle`, and
renews their rows alone.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from gcgan_jax.report import markdown
from gcgan_jax.runtime.printable import escaped, printable
from tests.program import Program, ended
from tests.reliability.invalid_input_cases import COMMAND_LINE, FIELDS, LABORATORY, SECTIONS
from tests.reliability.invalid_input_cases.case import SMALL, Case
from tests.reliability.pages import renew

DEVICES = 8  # so that a batch size may not be divisible by them
FORKED = (  # in forks of one process, which is faster
    *(*COMMAND_LINE, *FIELDS),
    *(case for case in LABORATORY if not case.resumes),
)
TABLES = {
    (section, "flags", "message"): [case.name for case in cases]
    for section, cases in SECTIONS.items()
}
SUMMARY = "{rows} cases, each rejected with one line and exit code 1."

Result = tuple[int, str, str]  # exit code, output, error output with DIR for the directory


class Runner:
    """Runs the program on cases."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._count = directory, 0
        self._program = Program(
            JAX_NUM_CPU_DEVICES=str(DEVICES),
            JAX_DISABLE_MOST_OPTIMIZATIONS="true",
            HTTPS_PROXY="http://127.0.0.1:9",  # no network
            TFDS_DATA_DIR=str(directory / "none"),
        )

    def run(self, case: Case) -> Result:
        directory, flags = self._prepare(case)
        code, out, err = ended(self._program.start(*flags, **case.environment))
        return code, out, self._without_paths(err, directory)

    def run_forked(self, cases: Sequence[Case]) -> list[Result]:
        """Run many cases in forks of one process."""
        prepared = [self._prepare(case) for case in cases]
        results = self._program.run_forked([flags for _, flags in prepared])
        return [
            (code, out, self._without_paths(err, directory))
            for (code, out, err), (directory, _) in zip(results, prepared, strict=True)
        ]

    def _prepare(self, case: Case) -> tuple[Path, list[str]]:
        self._count += 1
        directory = self._directory / str(self._count)
        directory.mkdir()
        if case.resumes:
            shutil.copytree(self._trained(), directory / "run")
        if case.prepare:
            case.prepare(directory)
        return directory, shlex.split(case.flags.replace("{dir}", str(directory)))

    def _without_paths(self, text: str, directory: Path) -> str:
        return text.replace(str(directory), "DIR").replace(str(self._directory), "DIR")

    def close(self) -> None:
        self._program.close()

    def _trained(self) -> Path:
        workdir = self._directory / "trained"
        if not workdir.exists():
            code, _, err = ended(self._program.start(*SMALL, f"--workdir={workdir}"))
            if code:
                raise RuntimeError(f"the run to resume failed: {err}")
        return workdir


def row(case: Case, line: str) -> str:
    """Return a row of the tables in docs/invalid-input.md."""
    flags = case.flags.replace("{dir}", "DIR").replace(" ".join(SMALL), "SMALL")
    flags = " ".join([*(f"{name}={value}" for name, value in case.environment.items()), flags])
    flags = printable(escaped(flags))
    message = line.strip().removeprefix("gcgan_jax: ")
    return markdown.row(case.name, f"`{flags.strip()}`", message)


def _rows(runner: Runner, cases: Sequence[Case]) -> Iterator[tuple[Case, str | None]]:
    """Yield each case with its row, or None if it was not rejected as it should be."""
    forked = [case for case in cases if case in FORKED]
    results = chain(
        zip(forked, runner.run_forked(forked), strict=True),
        ((case, runner.run(case)) for case in cases if case not in forked),
    )
    for case, (code, _, err) in results:
        if rejected(code, err):
            print(row(case, err), flush=True)
            yield case, row(case, err)
        else:
            print(f"{case.name}: exit code {code}, expected 1 and one line: {err}", flush=True)
            yield case, None


def rejected(code: int, err: str) -> bool:
    """Whether the program ended with one line that blames the input."""
    one_line = err.startswith("gcgan_jax: ") and err.count("\n") == 1
    return code == 1 and one_line and "internal error" not in err


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="run only cases whose names contain this")
    parser.add_argument("--section", choices=SECTIONS, help="run only cases of this section")
    parser.add_argument("--output", type=Path, help="page whose rows of these cases to renew")
    arguments = parser.parse_args(argv)
    chosen = [arguments.section] if arguments.section else list(SECTIONS)
    cases = [case for name in chosen for case in SECTIONS[name] if arguments.only in case.name]
    with tempfile.TemporaryDirectory() as directory:
        runner = Runner(Path(directory))
        rows = {case.name: line for case, line in _rows(runner, cases) if line}
    print(f"{len(cases)} cases, {len(cases) - len(rows)} failures")
    if arguments.output:
        renew(arguments.output, TABLES, rows, SUMMARY)
    sys.exit(len(rows) < len(cases))


if __name__ == "__main__":
    main()
