"""Every command in the README and the docs: its flags are known, and it runs at toy size."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import ROOT, Program, ended
from tests.reliability.invalid_input_cases import tfds

PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")))
OTHERS = (  # of the tests, or not ours
    *("pip", "python3 -m venv", "python -m pytest", "python -m tests.golden", "ruff"),
)
PROGRAM = "gcgan_jax.main"
FEW = (
    *("--config.batch_size=8", "--config.n_critic=1", "--config.iterations_per_call=1"),
    *("--config.generator.graph_layer.graph.knn.k=3", "--config.diagnostic_images=8"),
)
TOY = (
    *(*FEW, "--config.num_iterations=2"),
    *("--config.generator.width=16", "--config.critic.widths=(4,6,8)"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
)
PLACES = ("--config.data.dir=TFDS_DIR", "--config.eval.cache=cache")
SMALLER = {  # what ends each within minutes; the last of two equal flags counts
    PROGRAM: (*TOY, *PLACES),
    "scripts.evaluation.against_torch_fidelity": ("--images=0",),
    "tests.reliability.invalid_inputs": ("--only=pickle",),
    "scripts.benchmark": ("--cases=forward:knn:8@8", "--budget=0.1"),
    "scripts.evaluation.calibrate_scores": ("--cache=cache",),
    "scripts.benchmark.aot": ("--noall", "--config=configs/baseline.py"),
    "tests.reliability.soak": ("--iterations=1000", "--", "--config=configs/quickstart.py", *TOY),
    "tests.reliability.fault_injection": ("--only=file in the workdir", "--times=1"),
    "scripts.benchmark.scaling": ("--repetitions=1", "--points", "none,8,16,8"),
    "scripts.plot_scores": ("--score=classifier_score",),
    "scripts.benchmark.precision": (),
    "scripts.table_4_1": (
        *("--seeds=1", "--iterations=2", "--width=16", "--rows=baseline,ecc-8", "--jobs=2"),
        "--score=classifier_score",
    ),
}
OF_TABLES = (  # likewise, behind --
    *(*FEW, *PLACES, "--config.eval.network=classifier", "--config.eval.protocol=small"),
)
MADE = {  # by the modes, in the workdir
    "evaluate": ("scores.jsonl",),
    "sample": ("pictures/samples-*",),
    "interpolate": ("pictures/spherical-*", "pictures/linear-*", "pictures/arithmetic-*"),
    "neighbours": ("pictures/neighbours-*",),
    "nearest": ("pictures/nearest-*",),
}
NEEDS = {  # extras, and how one knows that they are installed
    "scripts.evaluation.against_torch_fidelity": "torch_fidelity",
    "scripts.benchmark": "torch_geometric",
    "scripts.benchmark.aot": "libtpu",
}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(r".*&& (.* -m pytest)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


@dataclass(frozen=True)
class Command:
    """One that starts Python: `python -m MODULE ARGUMENTS`."""

    module: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.module}{self.arguments}"

    @property
    def takes_several(self) -> bool:
        return "--distributed" in self.arguments or "--coordinator" in self.arguments


def lines() -> list[str]:
    """Of the pages' shell blocks, and what starts Python within a text."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text()
        for block, inline in re.findall(r"```sh\n(.*?)```|`(python -m [^`]+)`", text, re.DOTALL):
            joined = re.sub(r"\s*\\\n\s*", " ", block) if block else inline.replace("\n", " ")
            found += [line.partition("  #")[0].strip() for line in joined.splitlines()]
    return list(dict.fromkeys(filter(None, found)))


def commands() -> list[Command]:
    """Those of ours, also behind an installation or, in quotes, on another machine."""
    start = re.compile(r'python -m ([\w.]+)((?: [^&]*?)?)"?$')
    found = [Command(*match.groups()) for line in lines() if (match := start.search(line))]
    of_tests = ("pytest", "tests.golden")
    return [command for command in dict.fromkeys(found) if command.module not in of_tests]


OF_THE_PROGRAM = [command for command in commands() if command.module == PROGRAM]
OF_SCRIPTS = [command for command in commands() if command.module != PROGRAM]


def test_nothing_else_is_asked_for() -> None:
    ours = re.compile(rf"python -m ({'|'.join(SMALLER)})\b")
    for line in lines():
        assert line.startswith(OTHERS) or ours.search(line), line
    assert {command.module for command in commands()} == set(SMALLER)
    assert len(OF_THE_PROGRAM) >= 11 and len(OF_SCRIPTS) >= 14


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    cache = tmp_path_factory.mktemp("compiled")
    program = Program(
        JAX_NUM_CPU_DEVICES="1",
        JAX_DISABLE_MOST_OPTIMIZATIONS="true",
        JAX_COMPILATION_CACHE_DIR=str(cache),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
    )
    yield program
    program.close()


@pytest.mark.parametrize("command", OF_THE_PROGRAM, ids=str)
def test_flags_of_the_program_are_known(command: Command, program: Program, tmp_path: Path) -> None:
    """Those of several processes wait for others; the others look for a run to go on with."""
    several = command.takes_several
    alone = "--connect_timeout=1" if several else "--mode=sample"
    arguments = shlex.split(command.arguments)
    flags = [flag for flag in arguments if several or not flag.startswith("--mode")]
    code, _, err = ended(program.start(*flags, alone, f"--workdir={tmp_path / 'none'}"))
    assert (code, err.count("\n")) == (1, 1)
    met = ("holds no run", "within 1 s: start each of them", "cannot connect to the other")
    assert any(line in err for line in met), err


@pytest.mark.parametrize("command", OF_SCRIPTS, ids=str)
def test_flags_of_scripts_are_known(command: Command) -> None:
    source = (ROOT / f"{command.module.replace('.', '/')}.py").read_text()
    own = command.arguments.partition(" -- ")[0]  # what follows is the program's
    for flag in re.findall(r"--\w+", own):
        assert f'"{flag}"' in source or f'"{flag[2:]}"' in source  # argparse's, or absl's


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Looks like the one of the README, so that what is written there is written here."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("configs", "gcgan_jax", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "docs").mkdir()
    tfds(train=5000, test=5000, classes=(0, 7))(folder / "data")
    return folder


def at_toy_size(command: Command) -> str:
    own, _, of_program = command.arguments.partition(" -- ")
    own = re.sub(r"--config\.critic\.widths=\S+", "", own)  # tuples given twice are joined
    own = " ".join([own, *map(shlex.quote, SMALLER[command.module])])
    if command.module == "scripts.table_4_1":
        own = " ".join([own, "--", of_program, *map(shlex.quote, OF_TABLES)])
    return f"{sys.executable} -m {command.module}{own}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [command for command in commands() if not command.takes_several], ids=str
)
def test_commands_run_at_toy_size(command: Command, program: Program, folder: Path) -> None:
    """One after the other, as a reader would: what is trained first is scored and shown then."""
    needed = NEEDS.get(command.module)
    if needed and not importlib.util.find_spec(needed):
        pytest.skip(f"{needed} is not installed")
    line = at_toy_size(command)
    quick_to_compile = program.environment if command.module == PROGRAM else {}
    done = subprocess.run(
        line.replace("TFDS_DIR", str(folder / "data")).replace("NAME.py", "ecc.py"),
        shell=True,
        cwd=folder,
        env=os.environ | {"JAX_NUM_CPU_DEVICES": "1"} | quick_to_compile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if command.module == PROGRAM:
        assert done.stderr == ""
    if mode := re.search(r"--mode=(\w+)", command.arguments):
        config = re.search(r"configs/(\w+)", command.arguments)[1]
        for name in MADE[mode[1]]:
            assert any(folder.glob(f"runs/{config}/{name}")), name
    for path in re.findall(r"=(\S+\.(?:json|png))", command.arguments):
        assert (folder / path).stat().st_size > 0
