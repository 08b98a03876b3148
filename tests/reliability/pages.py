"""Pages of the documentation that end in tables, whose rows a script renews."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text


def renew(
    page: Path,
    tables: Mapping[tuple[str, ...], Sequence[str]],
    new: Mapping[str, str],
    summarise: str,
) -> int:
    """Replace some rows of a page's tables, keep the others, and return the number of rows.

    Args:
        page: its text before the first table is kept.
        tables: the names of all rows, in order, by the columns of their table.
        new: new rows by name, the first cell.
        summarise: last line, in which {rows} stands for the number of rows.
    """
    text = page.read_text() if page.exists() else ""
    lines = text.splitlines()
    intro = [*lines, "| "].index(next((line for line in lines if line.startswith("| ")), "| "))
    old = {line.split(" | ")[0].removeprefix("| "): line for line in lines[intro:]}
    rows = old | {cell(name): row for name, row in new.items()}
    parts, count = ["\n".join(lines[:intro]).rstrip()], 0
    for columns, names in tables.items():
        known = [rows[cell(name)] for name in names if cell(name) in rows]
        parts.append("\n".join([markdown.header(*columns), *known]))
        count += len(known)
    parts.append(summarise.format(rows=count))
    write_text(page, "\n\n".join(part for part in parts if part) + "\n")
    return count


def cell(name: str) -> str:
    """Return the name as it stands in the first cell of a row."""
    return markdown.row(name).removeprefix("| ").removesuffix(" |")
