"""Pages: what is in them, and what cannot get into them."""

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

from gcgan_jax.report import page
from gcgan_jax.report.page import as_script, bundle, make_page

FOLDER = Path(page.__file__).parent
ENTRIES = ("viewer_page.js", "report_page.js")
HOSTILE = "</script><script>alert(1)</script><!--&\u2028\u2029"


def test_vendored_files_are_those_of_the_named_version() -> None:
    vendored = json.loads((FOLDER / "vendor" / "uPlot.json").read_text())
    for name, digest in vendored["sha256"].items():
        assert hashlib.sha256((FOLDER / "vendor" / name).read_bytes()).hexdigest() == digest
    assert f"(v{vendored['version']})" in (FOLDER / "vendor" / "uPlot.iife.min.js").read_text()[:99]
    text = make_page("runs", {}, "report_page.js", plots=True)
    assert "The MIT License (MIT)" in text and "Copyright (c) 2022 Leon Sorokin" in text


def test_data_and_titles_are_never_markup() -> None:
    text = make_page(HOSTILE, {HOSTILE: [HOSTILE]}, "viewer_page.js")
    ordinary = make_page("runs", {}, "viewer_page.js")
    for mark in ("<script", "</script", "<!--", "<title", "alert(1)<"):
        assert text.count(mark) == ordinary.count(mark)
    (stored,) = re.findall(r'id="data">(.*)</script>', text)
    assert json.loads(stored) == {HOSTILE: [HOSTILE]}
    assert not set("<>&\u2028\u2029") & set(as_script([HOSTILE]))


def test_only_the_scripts_and_styles_of_the_page_are_allowed() -> None:
    text = make_page("runs", {}, "report_page.js", plots=True)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    for kind in ("script", "style"):
        (hashes,) = re.findall(f"{kind}-src ([^;]*)", policy)
        sources = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digests = [hashlib.sha256(source.encode()).digest() for source in sources]
        assert hashes.split() == [f"'sha256-{b64encode(d).decode()}'" for d in digests]
        assert len(sources) == 2
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert not re.search(r'(src|href)="|url\(|@import', text.replace('href="#', ""))


def test_scripts_are_small_modules_without_names_in_common() -> None:
    for path in FOLDER.glob("*.js"):
        lines = path.read_text().splitlines()
        assert len(lines) < 250 and max(map(len, lines)) <= 100, path.name
    for entry in ENTRIES:
        script = bundle(entry)
        declared = re.findall(r"^(?:const|let|function|class) (\w+)", script, re.MULTILINE)
        assert len(set(declared)) == len(declared) > 5
        assert not re.search("^(import|export)", script, re.MULTILINE)
        assert script.index("function element(") < script.index("class Viewer")
