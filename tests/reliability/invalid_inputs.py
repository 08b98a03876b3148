"""Run the program on all cases of invalid_input_cases.py, and tabulate its error messages.

    python -m tests.reliability.invalid_inputs --output=invalid_inputs.md

Takes about 10 minutes on 2 cores; --only=pickle runs the cases whose names contain `pickle`.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text
from tests.program import Program, ended
from tests.reliability.invalid_input_cases import SECTIONS, SMALL, Case

DEVICES = 8  # so that a batch size may not be divisible by them


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
        code, out, err = ended(self._program.start(*flags))
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
        return directory, case.flags.replace("{dir}", str(directory)).split()

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
    """Return a row of the table in docs/reliability.md."""
    flags = case.flags.replace("{dir}", "DIR").replace(" ".join(SMALL), "SMALL")
    message = line.strip().removeprefix("gcgan_jax: ")
    return markdown.row(case.name, f"`{flags}`", message)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="run only cases whose names contain this")
    parser.add_argument("--output", type=Path, help="output file for the table, in Markdown")
    arguments = parser.parse_args(argv)
    chosen = {
        section: [case for case in cases if arguments.only in case.name]
        for section, cases in SECTIONS.items()
    }
    lines, failures = [], 0
    with tempfile.TemporaryDirectory() as directory:
        runner = Runner(Path(directory))
        for section, cases in chosen.items():
            lines += ["", markdown.header(section, "flags", "message")]
            for case in cases:
                code, _, err = runner.run(case)
                lines.append(row(case, err))
                print(lines[-1], flush=True)
                if code != 1 or err.count("\n") != 1:
                    failures += 1
                    print(f"exit code {code}, expected 1 and one line: {err}", file=sys.stderr)
    count = sum(map(len, chosen.values()))
    lines.append(
        f"\n{count} cases, {count - failures} of them rejected with one line and exit code 1."
    )
    print(lines[-1])
    if arguments.output:
        write_text(arguments.output, "\n".join(lines[1:]) + "\n")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
