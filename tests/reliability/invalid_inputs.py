"""Every invalid input of invalid_input_cases.py, and the line that the program prints for it.

    python -m tests.reliability.invalid_inputs --output=bad_input.md

takes about 10 minutes on 2 cores; --only=pickle gives it the cases whose name holds `pickle`.
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

DEVICES = 8  # so that a batch may not divide by them


class Answers:
    """Gives cases to the program."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._count = directory, 0
        self._program = Program(
            JAX_NUM_CPU_DEVICES=str(DEVICES),
            JAX_DISABLE_MOST_OPTIMIZATIONS="true",
            HTTPS_PROXY="http://127.0.0.1:9",  # no network
            TFDS_DATA_DIR=str(directory / "none"),
        )

    def answer(self, case: Case) -> tuple[int, str, str]:
        """Exit code, output and error output, in which `{dir}` stands for the directory."""
        self._count += 1
        directory = self._directory / str(self._count)
        directory.mkdir()
        if case.resumes:
            shutil.copytree(self._trained(), directory / "run")
        if case.make:
            case.make(directory)
        flags = case.flags.replace("{dir}", str(directory)).split()
        code, out, err = ended(self._program.start(*flags))
        for place in (directory, self._directory):
            err = err.replace(str(place), "DIR")
        return code, out, err

    def close(self) -> None:
        self._program.close()

    def _trained(self) -> Path:
        workdir = self._directory / "trained"
        if not workdir.exists():
            code, _, err = ended(self._program.start(*SMALL, f"--workdir={workdir}"))
            if code:
                raise RuntimeError(f"no run to resume: {err}")
        return workdir


def row(case: Case, line: str) -> str:
    """Of the table in docs/reliability.md."""
    flags = case.flags.replace("{dir}", "DIR").replace(" ".join(SMALL), "SMALL")
    told = line.strip().removeprefix("gcgan_jax: ")
    return markdown.row(case.what, f"`{flags}`", told)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--output", type=Path, help="file for the table, in Markdown")
    arguments = parser.parse_args(argv)
    chosen = {
        section: [case for case in cases if arguments.only in case.what]
        for section, cases in SECTIONS.items()
    }
    lines, wrong = [], 0
    with tempfile.TemporaryDirectory() as directory:
        answers = Answers(Path(directory))
        for section, cases in chosen.items():
            lines += ["", markdown.header(section, "flags", "what the program says")]
            for case in cases:
                code, _, err = answers.answer(case)
                lines.append(row(case, err))
                print(lines[-1], flush=True)
                if code != 1 or err.count("\n") != 1:
                    wrong += 1
                    print(f"exit code {code}, and not one line: {err}", file=sys.stderr)
    count = sum(map(len, chosen.values()))
    lines.append(f"\n{count} cases, {count - wrong} of them answered by one line and exit code 1.")
    print(lines[-1])
    if arguments.output:
        write_text(arguments.output, "\n".join(lines[1:]) + "\n")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
