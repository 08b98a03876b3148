"""Self-contained HTML pages: a template, a style, plain JavaScript and data, in one file.

A page opens from disk and fetches nothing, which its Content-Security-Policy enforces: only the
scripts and styles in it are used, known by their hashes, and images only as data URIs. Data are
JSON that is no script, and the scripts write strings from it as text, never as markup.

The scripts are modules that import each other by lines `import { NAMES } from "./FILE.js";`. A page
has them in one, so that their top-level names must differ.
"""

import hashlib
import html
import json
import re
from base64 import b64encode
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from gcgan_jax.storage.atomic import write_text

FOLDER = resources.files(__name__)
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
ESCAPED = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def write_page(path: Path, title: str, data: Any, entry: str, *, plots: bool = False) -> None:
    """Write a page atomically, and the directories to hold it; see `make_page`.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, make_page(title, data, entry, plots=plots))


def make_page(title: str, data: Any, entry: str, *, plots: bool = False) -> str:
    """Return a page.

    Args:
        data: a JSON value, which the entry's script finds in the element `data`.
        entry: the file of the page's own script.
        plots: whether the page needs uPlot.
    """
    scripts, styles = [bundle(entry)], [_read("page.css")]
    if plots:
        licence = _read("vendor/uPlot.LICENSE")
        scripts.insert(0, f"/*\n{licence}\n*/\n{_read('vendor/uPlot.iife.min.js')}")
        styles.insert(0, _read("vendor/uPlot.min.css"))
    policy = [
        "default-src 'none'",
        "img-src data:",
        f"script-src {' '.join(map(_source_hash, scripts))}",
        f"style-src {' '.join(map(_source_hash, styles))}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return Template(_read("page.html")).substitute(
        policy="; ".join(policy),
        title=html.escape(title),
        styles="\n".join(f"<style>{style}</style>" for style in styles),
        data=as_script(data),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def as_script(data: Any) -> str:
    """Return JSON in which nothing can end or open an HTML element, or a line of a script."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).translate(ESCAPED)


def bundle(entry: str) -> str:
    """Return a module and all those that it imports, each after those it imports, as one script."""
    sources = (_read(name) for name in _in_order(entry, []))
    body = "\n".join(re.sub("^export ", "", IMPORT.sub("", s), flags=re.MULTILINE) for s in sources)
    return f'"use strict";\n(() => {{\n{body}}})();\n'


def _in_order(name: str, before: list[str]) -> list[str]:
    for imported in IMPORT.findall(_read(name)):
        if imported not in before:
            before = _in_order(imported, before)
    return [*before, name]


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _source_hash(source: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
