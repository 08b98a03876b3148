"""Markdown tables, line by line, so that rows can be printed as soon as they are measured."""

from collections.abc import Mapping


def header(*columns: str) -> str:
    """Return the first two lines of a table."""
    return f"{row(*columns)}\n{row(*['---'] * len(columns))}"


def row(*cells: object) -> str:
    """Return a line of a table."""
    escaped = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with the given parts between its markers, `<!-- NAME -->` and `<!-- end -->`.

    Raises:
        ValueError: the page lacks the markers of a part.
    """
    end = "<!-- end -->"
    for name, part in parts.items():
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, closed, after = rest.partition(end)
        if not closed:
            raise ValueError(f"no table between <!-- {name} --> and {end}: add both lines")
        page = f"{before}{start}\n{part}\n\n{end}{after}"
    return page
