"""What a case is, and flags and files that many cases share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

OPERATOR = "config.generator.graph_layer.operator"
QUICKSTART, ECC = "--config=configs/quickstart.py", "--config=configs/ecc.py"
EVALUATE = "--mode=evaluate"
SMALL = (
    *(QUICKSTART, "--config.generator.width=16", "--config.critic.widths=(4,6,8)"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
    *("--config.num_iterations=10", "--config.checkpoint_every=5"),
)


@dataclass(frozen=True)
class Case:
    """An invalid input.

    Attributes:
        name: what is wrong.
        flags: command line of the program, split like a shell's.
        prepare: creates the files that the flags name, in a given directory.
        resumes: whether {dir}/run holds a run of SMALL with two checkpoints, before `prepare`.
        environment: variables that the program has in addition.
    """

    name: str
    flags: str
    prepare: Callable[[Path], object] | None = None
    resumes: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def config_file(text: str) -> Callable[[Path], object]:
    return lambda directory: (directory / "mine.py").write_text(text, "latin-1")


def default_with(line: str) -> Callable[[Path], object]:
    return config_file(
        "from configs import default\ndef get_config():\n    config = default.get_config()\n"
        f"    {line}\n    return config\n"
    )


FILE = "--config={dir}/mine.py"
