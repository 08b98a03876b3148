"""Markdown tables."""

from gcgan_jax.report import markdown


def test_header_and_escaped_row() -> None:
    assert markdown.header("case", "seconds") == "| case | seconds |\n| --- | --- |"
    assert markdown.row("a|b", 3) == r"| a\|b | 3 |"
