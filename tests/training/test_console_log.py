"""Progress on the console: one live line on a terminal, plain lines elsewhere."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from gcgan_jax.training.console_log import ConsoleLog
from tests.program import ROOT

ENTRY = {
    "iterations_per_second": 0.5,
    "wasserstein": 3.0,
    "gradient_norm": 1.0,
    "twins/diagonal_correlation": 0.25,
    "graph/block2_graph/gamma": 0.016,
}
ON_A_TERMINAL = """
from gcgan_jax.runtime.console import report
from gcgan_jax.training.console_log import ConsoleLog
console = ConsoleLog(30)
console.start(10)
for iteration in range(11, 31):
    console.step(iteration)
    console.entry(iteration, {"iterations_per_second": 1.0, "wasserstein": -1e-9,
        "gradient_norm": 1e-9, "twins/diagonal_correlation": -0.1234})
    if iteration == 20:
        report("a message")
console.close()
"""


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console = ConsoleLog(100_000)
    console.start(0)
    console.step(20)
    console.entry(20, ENTRY)
    console.close()
    assert capsys.readouterr().out == (
        "     20/100000  0.5 iterations/s  2 days, 7:32:40 left  wasserstein 3  gradient norm 1  "
        "diagonal correlation 0.25\n"
    )


@pytest.mark.parametrize("columns", [80, 200])
def test_a_live_line_on_a_terminal(columns: int) -> None:
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-c", ON_A_TERMINAL]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=other, stdin=other)
    os.close(other)
    printed = b""
    try:
        while part := os.read(terminal, 4096):
            printed += part
    except OSError:  # the other end is closed
        pass
    assert process.wait() == 0
    os.close(terminal)
    shown = re.split(r"\r\n|\r|\n", printed.decode())
    assert max(map(len, shown)) <= min(columns, 120)
    assert shown.count("a message") == 1
    assert printed.count(b"\n") == 1  # after the message: all else is the live line
    assert any("30/30" in line for line in shown) and not any("0/30" in line[:4] for line in shown)
    if columns == 200:
        assert any("diagonal correlation -0.123" in line for line in shown)
