"""Runs the program on several command lines, each in a fork of this process.

Reads a JSON list of argument lists from standard input, and prints a list of exit code, output and
error output.
"""

import json
import os
import sys
import tempfile

from absl import app

import gcgan_jax.experiment  # noqa: F401, imports JAX once for all
from gcgan_jax import cli
from gcgan_jax.main import main


def run(arguments: list[str]) -> tuple[int, str, str]:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        if os.fork() == 0:
            os.dup2(out.fileno(), sys.stdout.fileno())
            os.dup2(err.fileno(), sys.stderr.fileno())
            sys.argv = ["gcgan_jax.main", *arguments]
            try:
                app.run(main, flags_parser=cli.parse_flags)
            except SystemExit as exit_:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(int(exit_.code or 0))  # without the exit handlers of JAX
        code = os.waitstatus_to_exitcode(os.wait()[1])
        printed = []
        for file in (out, err):
            file.seek(0)
            printed.append(file.read())
        return code, *printed


if __name__ == "__main__":
    print(json.dumps([run(arguments) for arguments in json.load(sys.stdin)]))
