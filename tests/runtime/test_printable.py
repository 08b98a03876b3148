"""What is printed cannot control the console or flood it."""

import subprocess
import sys

import pytest

from gcgan_jax.runtime.printable import LONGEST, escaped, printable
from tests.program import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("größe 日本 😀\nb", "größe 日本 😀\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\rb\t\x9b", r"a\rb\t\x9b"),
        ("\u202e", r"\u202e"),
        ("\udcff", r"\udcff"),
        ("\0", r"\x00"),
    ],
)
def test_control_characters_are_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_line_breaks_can_be_escaped_too() -> None:
    assert escaped("a\nb\u2028") == r"a\nb\u2028"


@pytest.mark.parametrize("text", ["x" * 10**6, "\x1b" * 10**6])
def test_long_lines_keep_their_beginning_and_end(text: str) -> None:
    first, second = printable(f"begin {text} end\nshort").split("\n")
    assert len(first) == LONGEST and second == "short"
    assert first.startswith("begin ") and first.endswith(" end") and " ... " in first


def test_messages_are_escaped_on_the_console() -> None:
    code = "from gcgan_jax import cli; cli.fail('a\\x1b[2J\\nb \\u202e' + 'x' * 10**5)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(r"gcgan_jax: a\x1b[2J b \u202exxx")
    assert done.stderr.count("\n") == 1 and len(done.stderr) == LONGEST + 1
