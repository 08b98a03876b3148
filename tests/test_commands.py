"""Every command in the README and the docs: its flags are known, and the program's own run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.bad_inputs import tfds
from scripts.program import ROOT, Program, ended

PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")))
OTHERS = ("pip", "python3 -m venv", "ruff", "gcloud", "srun")  # not ours, or of another machine
TOY = (
    *("--config.num_iterations=2", "--config.batch_size=8", "--config.n_critic=1"),
    *("--config.iterations_per_call=1", "--config.generator.width=16"),
    *("--config.critic.widths=(4,6,8)", "--config.generator.k=3", "--config.figure_images=8"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
)


def commands() -> list[str]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
            lines = re.sub(r"\s*\\\n\s*", " ", block).splitlines()
            found += [line.partition("  #")[0].strip() for line in lines if line.strip()]
    return list(dict.fromkeys(found))


def of_the_program() -> list[tuple[str, ...]]:
    """The arguments of each command that starts it, here or, in quotes, on another machine."""
    found = []
    for command in commands():
        words = shlex.split(command)
        words += [inner for word in words if " " in word for inner in shlex.split(word)]
        if "gcgan_jax.main" in words:
            found.append(tuple(words[words.index("gcgan_jax.main") + 1 :]))
    return list(dict.fromkeys(found))


def takes_several(arguments: tuple[str, ...]) -> bool:
    return any(flag.startswith(("--distributed", "--coordinator")) for flag in arguments)


def of_scripts() -> list[tuple[str, str]]:
    """Name and arguments of each command that starts one."""
    found = [re.search(r"scripts[./](\w+)(?:\.py)?(.*)", command) for command in commands()]
    return [(match[1], match[2]) for match in found if match]


def test_nothing_else_is_asked_for() -> None:
    ours = re.compile(r"(\S*/)?python (-m (gcgan_jax\.main|scripts\.\w+)|scripts/\w+\.py)\b")
    for command in commands():
        assert command.startswith(OTHERS) or ours.match(command), command
    assert len(of_the_program()) >= 9 and len(of_scripts()) >= 9


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


@pytest.mark.parametrize("arguments", of_the_program(), ids=" ".join)
def test_flags_of_the_program_are_known(
    arguments: tuple[str, ...], program: Program, tmp_path: Path
) -> None:
    """Those of several processes wait for others; the others look for a run to go on with."""
    several = takes_several(arguments)
    alone = "--connect_timeout=1" if several else "--mode=sample"
    flags = [flag for flag in arguments if several or not flag.startswith("--mode")]
    code, _, err = ended(program.start(*flags, alone, f"--workdir={tmp_path / 'none'}"))
    assert (code, err.count("\n")) == (1, 1)
    met = ("holds no run", "were not all there within 1 s", "cannot connect to the other")
    assert any(line in err for line in met), err


@pytest.mark.parametrize(("name", "arguments"), of_scripts())
def test_flags_of_scripts_are_known(name: str, arguments: str) -> None:
    source = (ROOT / "scripts" / f"{name}.py").read_text()
    for flag in re.findall(r"--\w+", arguments):
        assert f'"{flag}"' in source or f'"{flag[2:]}"' in source  # argparse's, or absl's


@pytest.mark.slow
def test_commands_of_the_program_run_at_toy_size(program: Program, tmp_path: Path) -> None:
    """One after the other, as a reader would: what is trained first is scored and shown then."""
    tfds(train=1000, test=16)(tmp_path / "data")
    places = (f"--config.data.dir={tmp_path / 'data'}", f"--config.eval.cache={tmp_path / 'cache'}")
    for arguments in of_the_program():
        if takes_several(arguments):
            continue
        config = re.search(r"configs/(\w+)", " ".join(arguments))[1]
        own = (f"--workdir={tmp_path / config}", *places)
        code, _, err = ended(program.start(*arguments, *TOY, *own))
        assert (code, err) == (0, ""), arguments
    assert (tmp_path / "ecc" / "scores.jsonl").exists()
    pictures = {path.name.split("-")[0] for path in tmp_path.glob("quickstart/pictures/*")}
    kinds = {"samples", "spherical", "linear", "arithmetic", "neighbours", "nearest"}
    assert pictures == kinds
