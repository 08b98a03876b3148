"""Markdown tables, line by line, so that rows can be printed as soon as they are measured."""


def header(*columns: str) -> str:
    """Return the first two lines of a table."""
    return f"{row(*columns)}\n{row(*['---'] * len(columns))}"


def row(*cells: object) -> str:
    """Return a line of a table."""
    escaped = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
