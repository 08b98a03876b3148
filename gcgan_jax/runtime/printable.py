"""Text from files and command lines, made safe to print on a console."""

LONGEST = 2000  # characters of a line
TAIL = 500  # of them, from its end, where a message has its remedy


def printable(text: str) -> str:
    """Escape what a console would obey, such as ESC, and shorten long lines; line breaks stay."""
    return "\n".join(_shorten(escaped(line)) for line in text.split("\n"))


def escaped(text: str) -> str:
    """Escape control characters, line breaks, bidirectional overrides and surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _shorten(line: str) -> str:
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST - TAIL - 5]} ... {line[-TAIL:]}"
