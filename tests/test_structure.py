"""Who imports whom: the config ends where experiments begin, and libraries load when needed."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gcgan_jax"
SEES_CONFIG = {"config.py", "experiment.py", "main.py", "train.py", "trained.py"}  # and modes/


def imported(path: Path) -> set[str]:
    """Modules that a file imports, and names from them, as `module.name`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_config_is_seen_only_where_objects_are_made_of_it() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name == "modes" or path.name in SEES_CONFIG:
            continue
        modules = {name.rpartition(".")[0] for name in imported(path)}
        assert "gcgan_jax.experiment" not in modules, path.name
        assert "gcgan_jax.config.schema.Config" not in imported(path), path.name


def test_no_test_patches_a_module() -> None:
    """They hand in what they need; the environment and the import path are no module's."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("setattr", "setitem", "delattr"), f"{path}:{node.lineno}"
        assert "unittest.mock" not in imported(path) and "unittest" not in imported(path), path


def test_importing_the_package_takes_neither_jax_nor_tensorflow() -> None:
    code = (
        "import sys, gcgan_jax.config.schema, gcgan_jax.cli\n"
        "assert not {'jax', 'flax', 'tensorflow'} & sys.modules.keys()\n"
        "import gcgan_jax.experiment\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
