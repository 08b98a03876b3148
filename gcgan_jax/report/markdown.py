"""Tables in Markdown, line by line, as rows are printed while they are measured."""


def header(*columns: str) -> str:
    """The first two lines of a table."""
    return f"{row(*columns)}\n{row(*['---'] * len(columns))}"


def row(*cells: object) -> str:
    escaped = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
