"""Every command in the README and the docs has known flags and runs at toy size."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gcgan_jax import cli  # noqa: F401, defines the flags
from tests.helpers import OPERATOR_PAGE, write_files_of
from tests.program import ROOT, Program
from tests.reliability.invalid_input_cases.data import tfds
from tests.reliability.invalid_input_cases.folders import image
from tests.reliability.invalid_input_cases.image_folders import among_images
from tests.reliability.invalid_input_cases.image_sets import digits

DOCS = sorted(f"docs/{page.name}" for page in ROOT.glob("docs/*.md"))
PAGES = ("README.md", "CONTRIBUTING.md", *DOCS, "gcgan_jax/example/card.md")
OTHERS = (  # for tests, or of other projects
    *("pip", "python3 -m venv", "python -m pytest", "python -m tests.golden", "ruff"),
)
PROGRAM = "gcgan_jax.main"
FEW = (
    *("--config.batch_size=8", "--config.n_critic=1", "--config.iterations_per_call=1"),
    *("--config.generator.graph_layer.graph.knn.k=3", "--config.diagnostic_images=8"),
    "--config.show.headroom_images=10",
    *("--config.probe.seeds=2", "--config.probe.steps=2", "--config.probe.batch_size=8"),
    *("--config.probe.train_images=64", "--config.probe.test_images=16"),
)
TOY = (
    *(*FEW, "--config.num_iterations=2"),
    *("--config.generator.width=16", "--config.critic.widths=(4,6,8)"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
)
DATA_DIRECTORY = "--config.data.dir=TFDS_DIR"
DIRECTORIES = (DATA_DIRECTORY, "--config.eval.cache=cache")
OVERRIDES = {  # let each command finish within minutes; of a repeated flag, the last one counts
    PROGRAM: (*TOY, *DIRECTORIES),
    "scripts.evaluation.against_torch_fidelity": ("--images=0",),
    "tests.reliability.invalid_inputs": ("--only=pickle", "--output=page.md"),
    "scripts.benchmark": ("--cases=forward:knn:8@8", "--budget=0.1"),
    "scripts.benchmark.layers": (
        *("--rows=graph/knn", "--batch=2", "--side=8", "--features=6", "--k=3", "--budget=0"),
    ),
    "scripts.benchmark.accelerator": ("--toy", "--parts=operators"),
    "scripts.evaluation.calibrate_scores": ("--cache=cache",),
    "scripts.benchmark.aot": ("--noall", "--config=configs/baseline.py"),
    "tests.reliability.soak": ("--iterations=1000", "--", "--config=configs/quickstart.py", *TOY),
    "tests.reliability.fault_injection": (
        *("--only=file in the workdir", "--times=1", "--output=page.md"),
    ),
    "scripts.benchmark.scaling": ("--repetitions=1", "--points", "none,8,16,8"),
    "scripts.export_example": ("--output=example",),
    "scripts.cifar10_npz": (),
    "scripts.critic_jumps": ("--pairs=2", "--points=11"),
    "scripts.echo_table": ("--images=20", "--readings=20"),
    "scripts.study": ("--list", "--results=study.jsonl"),
    "scripts.matched": (),
    "scripts.losses": ("--only=*/wgan_gp/batch",),
    "scripts.plan_accuracy": (
        *("--rows=baseline", "--iterations=2", "--records=plan.jsonl", "--"),
        *(*TOY, *DIRECTORIES),
    ),
    "scripts.stability": ("--only=growth/*", "--records=records.jsonl"),
    "gcgan_jax.report": ("--no-viewers",),
    "scripts.plot_scores": ("--score=classifier_score",),
    "scripts.benchmark.precision": (),
    "scripts.table_4_1": (
        *("--seeds=1", "--iterations=2", "--width=16", "--rows=baseline,ecc-8", "--jobs=2"),
        "--score=classifier_score",
    ),
}
TABLE_OVERRIDES = (  # likewise, after --
    *(*FEW, *DIRECTORIES, "--config.eval.network=classifier", "--config.eval.protocol=small"),
)
OUTPUTS = {  # files that each mode writes to the workdir
    "evaluate": ("scores.jsonl",),
    "sample": ("pictures/samples-*",),
    "interpolate": ("pictures/spherical-*", "pictures/linear-*", "pictures/arithmetic-*"),
    "neighbours": ("pictures/neighbours-*",),
    "nearest": ("pictures/nearest-*",),
    "ablate": ("ablation-*",),
    "headroom": ("headroom.json",),
    "probe": ("probe.json",),
    "plan": (),
    "check": (),
}
REQUIREMENTS = {  # a module of the extra that a script needs
    "scripts.evaluation.against_torch_fidelity": "torch_fidelity",
    "scripts.benchmark": "torch_geometric",
    "scripts.benchmark.aot": "libtpu",
}


@dataclass(frozen=True)
class Command:
    """A documented command: `python -m MODULE ARGUMENTS`."""

    module: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.module}{self.arguments}"

    @property
    def is_distributed(self) -> bool:
        return "--distributed" in self.arguments or "--coordinator" in self.arguments

    @property
    def needs_run(self) -> bool:
        return "--mode=check" not in self.arguments and "checkpoint=example" not in self.arguments


def lines() -> list[str]:
    """Return the lines of the pages' shell blocks, and inline Python commands."""
    stripped = []
    for page in PAGES:
        text = (ROOT / page).read_text()
        for block, inline in re.findall(r"```sh\n(.*?)```|`(python -m [^`]+)`", text, re.DOTALL):
            joined = re.sub(r"\s*\\\n\s*", " ", block) if block else inline.replace("\n", " ")
            stripped += [line.partition("  #")[0].strip() for line in joined.splitlines()]
    return list(dict.fromkeys(filter(None, stripped)))


def commands() -> list[Command]:
    """Return this project's commands, also after an installation or in quotes, for another host."""
    start = re.compile(r'python -m ([\w.]+)((?: [^&]*?)?)"?$')
    matches = [Command(*match.groups()) for line in lines() if (match := start.search(line))]
    excluded = ("pytest", "tests.golden")
    return [command for command in dict.fromkeys(matches) if command.module not in excluded]


PROGRAM_COMMANDS = [command for command in commands() if command.module == PROGRAM]
SCRIPT_COMMANDS = [command for command in commands() if command.module != PROGRAM]


def test_all_documented_commands_are_covered() -> None:
    known = re.compile(rf"python -m ({'|'.join(OVERRIDES)})\b")
    for line in lines():
        assert line.startswith(OTHERS) or known.search(line), line
    assert {command.module for command in commands()} == set(OVERRIDES)
    assert len(PROGRAM_COMMANDS) >= 11 and len(SCRIPT_COMMANDS) >= 14


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


def test_program_flags_are_known(program: Program, tmp_path: Path) -> None:
    """Distributed commands then wait for other processes; all others look for a trained run."""
    of_page = "--config=gin.py"  # a file that docs/operator.md shows
    needing_run = [c for c in PROGRAM_COMMANDS if c.needs_run and of_page not in c.arguments]
    flags = [at_quick_failure(command, tmp_path / "none") for command in needing_run]
    for command, (code, _, err) in zip(needing_run, program.run_forked(flags), strict=True):
        assert (code, err.count("\n")) == (1, 1), command
        met = ("holds no run", "within 1 s: start each of them", "cannot connect to the other")
        met += ("cannot listen there",)  # HOST is no host
        assert any(line in err for line in met), err


def at_quick_failure(command: Command, workdir: Path) -> list[str]:
    arguments = shlex.split(command.arguments)
    if command.is_distributed:
        return [*arguments, "--connect_timeout=1", f"--workdir={workdir}"]
    flags = [flag for flag in arguments if not flag.startswith("--mode")]
    return [*flags, "--mode=sample", f"--workdir={workdir}"]


@pytest.mark.parametrize("command", SCRIPT_COMMANDS, ids=str)
def test_script_flags_are_known(command: Command) -> None:
    path = ROOT / command.module.replace(".", "/")
    source = (path / "__main__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    arguments = command.arguments.partition(" -- ")[0]  # what follows goes to the program
    for flag in re.findall(r"--\w+", arguments):
        assert f'"{flag}"' in source or f'"{flag[2:]}"' in source  # argparse's, or absl's


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory like the repository's, so that commands write here."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("configs", "gcgan_jax", "scripts", "tests"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "docs").mkdir()
    for page in ("laboratory.md", "plan.md"):  # with tables that a command brings up to date
        shutil.copy(ROOT / "docs" / page, folder / "docs")
    write_files_of(OPERATOR_PAGE, folder)
    tfds(train=5000, test=5000, classes=(0, 7))(folder / "data")
    among_images(image("L", 40))(folder)
    digits(folder / "data", "mnist")
    return folder


def at_toy_size(command: Command) -> str:
    if not command.needs_run:
        return f"{sys.executable} -m {command.module}{command.arguments}"
    arguments, _, program_flags = command.arguments.partition(" -- ")
    arguments = re.sub(r"--config\.critic\.widths=\S+", "", arguments)  # repeated tuples are joined
    arguments = " ".join([arguments, *map(shlex.quote, OVERRIDES[command.module])])
    if command.module == "scripts.table_4_1":
        arguments = " ".join([arguments, "--", program_flags, *map(shlex.quote, TABLE_OVERRIDES)])
    if "IMAGES_DIR" in arguments:
        arguments = arguments.replace(DATA_DIRECTORY, "")
    return f"{sys.executable} -m {command.module}{arguments}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [command for command in commands() if not command.is_distributed], ids=str
)
def test_commands_run_at_toy_size(command: Command, program: Program, folder: Path) -> None:
    """Run the commands in order: later ones evaluate and visualise what earlier ones train."""
    requirement = REQUIREMENTS.get(command.module)
    if requirement and not importlib.util.find_spec(requirement):
        pytest.skip(f"{requirement} is not installed")
    line = at_toy_size(command)
    quick_compilation = program.environment if command.module == PROGRAM else {}
    done = subprocess.run(
        line.replace("TFDS_DIR", "data")
        .replace("IMAGES_DIR", "images")
        .replace("NAME.py", "ecc.py"),
        shell=True,
        cwd=folder,
        env=os.environ | {"JAX_NUM_CPU_DEVICES": "1"} | quick_compilation,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if command.module == PROGRAM:
        assert done.stderr == ""
    mode = re.search(r"--mode=(\w+)", command.arguments)
    if mode and ".html" not in command.arguments:  # a page is the only output
        for name in OUTPUTS[mode[1]]:
            config = re.search(r"(\w+)\.py", command.arguments)[1]
            assert any(folder.glob(f"runs/{config}/{name}")), name
    for path in re.findall(r"=(\S+\.(?:html|json|npz|png))\b", command.arguments):
        assert (folder / path).stat().st_size > 0
