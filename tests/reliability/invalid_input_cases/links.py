"""Links and other things that are no files, in place of files that a run writes."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.reliability.invalid_input_cases.case import EVALUATE, SMALL, Case
from tests.reliability.invalid_input_cases.folders import socket_file

RUN = " ".join([*SMALL, "--workdir={dir}/run"])
SAMPLE = f"{RUN} --mode=sample --config.show.format=png"
SCORE = f"{RUN} {EVALUATE} --config.eval.network=structure"
SAMPLES = "pictures/samples-0000010"


def link(directory: Path) -> Callable[[Path], None]:
    """Return a function that links to a file outside the run, which must stay as it is."""
    target = directory / "precious"
    target.write_text("precious")
    return lambda path: path.symlink_to(target)


def at(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return a function that puts something in the place of a run's file."""

    def prepare(directory: Path) -> None:
        path = directory / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)

    return prepare


def link_at(name: str) -> Callable[[Path], None]:
    return lambda directory: at(name, link(directory))(directory)


LINKS = (
    Case("link in place of the lock", RUN, link_at("lock")),
    Case(
        "link to nothing in place of the lock",
        RUN,
        at("lock", lambda path: path.symlink_to("absent")),
    ),
    Case(
        "link to a device in place of the lock",
        RUN,
        at("lock", lambda path: path.symlink_to("/dev/null")),
    ),
    Case("pipe in place of the lock", RUN, at("lock", os.mkfifo)),
    Case("directory in place of the lock", RUN, at("lock", os.mkdir)),
    Case("socket in place of the lock", RUN, at("lock", socket_file)),
    Case("link in place of the lock of a run to resume", RUN, link_at("lock"), True),
    Case("link in place of the lock of scores", SCORE, link_at("scores.jsonl.lock"), True),
    Case("pipe in place of the lock of scores", SCORE, at("scores.jsonl.lock", os.mkfifo), True),
    Case("link in place of a folder of samples", SAMPLE, link_at(SAMPLES), True),
    Case("file in place of a folder of samples", SAMPLE, at(SAMPLES, Path.touch), True),
)
