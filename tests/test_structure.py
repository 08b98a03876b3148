"""Structure of the code: layers of packages, imports, lengths of files and functions, wording."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.program import ROOT

PACKAGE = ROOT / "gcgan_jax"
LAYERS = (  # packages and modules import only from the layers below theirs
    {"main"},
    {"commands", "training"},
    {"experiment", "report"},
    {"evaluation", "models", "operators"},
    {"cli", "gan", "layers", "storage"},
    {"config", "data", "graphs", "runtime"},
    {"paths", "regular_files"},
    {"arrays", "errors", "platforms", "ranges", "references"},
)
SEES_CONFIG = ("commands/", "config/", "experiment/", "main.py", "training/loop.py")
UNIDIOMATIC = re.compile(r"\b(told|anew|gone on with|goes on from|mends?|mended)\b|_told\b")


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, and the names it imports, as `module.name`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package(path: Path) -> str:
    """Return the package or module in LAYERS of a file; a `__main__` is a program, like main."""
    return (
        "main"
        if path.stem == "__main__"
        else path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    )


def test_packages_import_only_from_lower_layers() -> None:
    layer_of = {name: number for number, names in enumerate(LAYERS) for name in names}
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "__init__.py":
            continue
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "gcgan_jax" or parts[1] in (package(path), "__version__"):
                continue
            assert layer_of[package(path)] < layer_of[parts[1]], f"{path} imports {name}"


def test_no_import_cycles() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    uses = {}
    for module, path in modules.items():
        names = imported(path)
        uses[module] = {n for n in names | {n.rpartition(".")[0] for n in names} if n in modules}
    while uses:
        leaves = {module for module, used in uses.items() if not used & uses.keys() - {module}}
        assert leaves, f"an import cycle among {sorted(uses)}"
        uses = {module: used for module, used in uses.items() if module not in leaves}


def test_only_code_that_builds_from_a_config_imports_its_type() -> None:
    for path in PACKAGE.rglob("*.py"):
        if not path.relative_to(PACKAGE).as_posix().startswith(SEES_CONFIG):
            assert "gcgan_jax.config.schema.Config" not in imported(path), path.name


def test_no_test_patches_a_module() -> None:
    """Tests pass in what they replace; they may set environment variables and the import path."""
    for path in python_files("tests"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("setattr", "setitem", "delattr"), f"{path}:{node.lineno}"
        assert "unittest.mock" not in imported(path) and "unittest" not in imported(path), path


def test_importing_loads_neither_jax_nor_tensorflow_before_they_are_needed() -> None:
    code = (
        "import sys, gcgan_jax, gcgan_jax.config.schema, gcgan_jax.cli\n"
        "assert not {'jax', 'flax', 'numpy', 'tensorflow'} & sys.modules.keys()\n"
        "names = [getattr(gcgan_jax, name) for name in gcgan_jax.__all__]\n"
        "from importlib import import_module; from pkgutil import walk_packages\n"
        "for module in walk_packages(gcgan_jax.__path__, 'gcgan_jax.'):\n"
        "    import_module(module.name)\n"
        "assert 'gcgan_jax.training.loop' in sys.modules\n"
        "assert not {'tensorflow', 'tensorflow_datasets', 'tensorboard'} & sys.modules.keys()\n"
        "assert set(gcgan_jax.__all__) <= set(dir(gcgan_jax))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_files_and_functions_are_short() -> None:
    for path in python_files("gcgan_jax", "scripts", "tests", "configs"):
        source = path.read_text()
        assert source.count("\n") <= 255, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name != "get_config":
                documented = ast.get_docstring(node) is not None and len(node.body) > 1
                first = node.body[1 if documented else 0]
                assert node.end_lineno - first.lineno < 42, f"{path}: {node.name}"


def test_plain_english() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    for path in [*python_files("gcgan_jax", "scripts", "tests", "configs"), *pages]:
        if path != Path(__file__):
            found = UNIDIOMATIC.search(path.read_text())
            assert not found, f"{path}: {found[0]}"
