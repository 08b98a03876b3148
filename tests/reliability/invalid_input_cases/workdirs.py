"""Workdirs with links, pipes, devices, files or directories where something else belongs."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.reliability.invalid_input_cases.case import QUICKSTART, SMALL, Case

Make = Callable[[Path], object]


def at(name: str, make: Make) -> Make:
    """Return a function that puts something else in place of a part of the directory."""

    def prepare(directory: Path) -> None:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)

    return prepare


def file(path: Path) -> None:
    path.write_text("precious")


def link_to_file(path: Path) -> None:
    target = path.with_name("precious.txt")
    file(target)
    path.symlink_to(target)


def link_to_folder(path: Path) -> None:
    target = path.with_name("precious")
    target.mkdir()
    file(target / "00000.png")
    path.symlink_to(target)


def link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("absent"))


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/null")


def unix_socket(path: Path) -> None:
    """Create a socket; the path that is bound is relative, as it must be short."""
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(before)


RUN = " ".join([*SMALL, "--workdir={dir}/run"])
EXAMPLE = f"{QUICKSTART} --config.checkpoint=example --workdir={{dir}}/run"
SAMPLE = f"{EXAMPLE} --mode=sample"
SINGLE = f"{SAMPLE} --config.show.format=png"
PICTURE = "run/pictures/samples-0000400"

WORKDIRS = (
    Case("link to a file in place of the lock", RUN, at("run/lock", link_to_file)),
    Case("link to nothing in place of the lock", RUN, at("run/lock", link_to_nothing)),
    Case("link to a device in place of the lock", RUN, at("run/lock", link_to_device)),
    Case("pipe in place of the lock", RUN, at("run/lock", os.mkfifo)),
    Case("socket in place of the lock", RUN, at("run/lock", unix_socket)),
    Case("directory in place of the lock", RUN, at("run/lock", os.mkdir)),
    Case("workdir that is a link to a file", RUN, at("run", link_to_file)),
    Case("workdir that is a link to nothing", RUN, at("run", link_to_nothing)),
    Case("workdir that is a link to itself", RUN, at("run", link_to_itself)),
    Case("pipe as workdir", RUN, at("run", os.mkfifo)),
    Case("device as workdir", " ".join([*SMALL, "--workdir=/dev/null"])),
    Case("workdir with too long a name", " ".join([*SMALL, f"--workdir={{dir}}/{'r' * 256}"])),
    Case("workdir where nothing can be created", " ".join([*SMALL, "--workdir=/proc/run"])),
    Case("folder of pictures that is a link", SINGLE, at(PICTURE, link_to_folder)),
    Case("folder of pictures that is a link to nothing", SINGLE, at(PICTURE, link_to_nothing)),
    Case("folder of pictures that is a file", SINGLE, at(PICTURE, file)),
    Case("folder of pictures that is a pipe", SINGLE, at(PICTURE, os.mkfifo)),
    Case("pictures that are a file", SAMPLE, at("run/pictures", file)),
    Case("pictures that are a link to nothing", SAMPLE, at("run/pictures", link_to_nothing)),
    Case("picture that is a folder", SAMPLE, at(f"{PICTURE}.png", os.mkdir)),
    Case(
        "array of pictures that is a folder",
        f"{SAMPLE} --config.show.format=npz",
        at(f"{PICTURE}.npz", os.mkdir),
    ),
)
