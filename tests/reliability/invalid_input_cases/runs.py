"""Files of a run that are none or are damaged, and places that results cannot be written to."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.reliability.invalid_input_cases.case import EVALUATE, QUICKSTART, SMALL, Case

RUN = " ".join([*SMALL, "--workdir={dir}/run"])
SAMPLE = f"{RUN} --mode=sample"
ELSEWHERE = f"{SAMPLE} --out={{dir}}/out"

Prepare = Callable[[Path], object]


def pipe(name: str) -> Prepare:
    return instead(name, os.mkfifo)


def folder(name: str) -> Prepare:
    return instead(name, Path.mkdir)


def link(name: str, target: str) -> Prepare:
    return instead(name, lambda path: path.symlink_to(target))


def content(name: str, stored: bytes) -> Prepare:
    return instead(name, lambda path: path.write_bytes(stored))


def instead(name: str, create: Prepare) -> Prepare:
    """Return a function that creates something in place of a file."""

    def prepare(directory: Path) -> None:
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        create(path)

    return prepare


def with_foreign_line(name: str, create: Callable[[str], Prepare]) -> Prepare:
    """Return a function that adds a line, and creates something where it should be moved to."""

    def prepare(directory: Path) -> None:
        with (directory / name).open("a") as file:
            file.write("foreign\n")
        create(f"{name}.rejected")(directory)

    return prepare


def other_run(directory: Path) -> None:
    shutil.copytree(directory / "run", directory / "out")


METRICS, CONFIG, SCORES = "run/metrics.jsonl", "run/config.json", "run/scores.jsonl"
SCORE, SCORING = f"{RUN} {EVALUATE}", f"{RUN} --config.num_iterations=15 --config.eval_every=5"

RUNS = (
    Case("pipe as metrics", RUN, pipe(METRICS), True),
    Case("directory as metrics", RUN, folder(METRICS), True),
    Case("link to a file as metrics", RUN, link(METRICS, "mine"), True),
    Case("link to a device as metrics", RUN, link(METRICS, "/dev/zero"), True),
    Case("directory for rejected metrics", RUN, with_foreign_line(METRICS, folder), True),
    Case("pipe for rejected metrics", RUN, with_foreign_line(METRICS, pipe), True),
    Case("pipe as scores", SCORE, pipe(SCORES), True),
    Case("directory as scores", SCORE, folder(SCORES), True),
    Case("link to a device as scores", SCORE, link(SCORES, "/dev/zero"), True),
    Case("pipe as scores of a training run", SCORING, pipe(SCORES), True),
    Case("link to a file as scores of a training run", SCORING, link(SCORES, "mine"), True),
    Case("pipe as config of a run", RUN, pipe(CONFIG), True),
    Case("pipe as config of a run to sample", SAMPLE, pipe(CONFIG), True),
    Case("directory as config of a run", RUN, folder(CONFIG), True),
    Case("link to a device as config of a run", SAMPLE, link(CONFIG, "/dev/zero"), True),
    Case("empty config of a run", RUN, content(CONFIG, b""), True),
    Case("config of a run that is not UTF-8", RUN, content(CONFIG, b'{"seed": "\xff"}'), True),
    Case("config of a run that is a list", RUN, content(CONFIG, b"[1, 2]"), True),
    Case("config of a run nested too deeply", SAMPLE, content(CONFIG, b"[" * 10**5), True),
    Case("section nested too deeply", RUN, content(CONFIG, b'{"a":' * 99 + b"1" + b"}" * 99), True),
    Case("config of a run of 2 MiB", SAMPLE, content(CONFIG, b" " * 2**21), True),
    Case("training elsewhere", f"{QUICKSTART} --out={{dir}}/out"),
    Case("checking elsewhere", "--mode=check --out={dir}/out"),
    Case("page of samples", f"{SAMPLE} --out={{dir}}/out.html"),
    Case("nothing as place for images", f"{SAMPLE} --out="),
    Case("file as place for images", ELSEWHERE, content("out", b"mine"), True),
    Case("place for images below a file", f"{ELSEWHERE}/new", content("out", b"mine"), True),
    Case("pipe as place for images", ELSEWHERE, pipe("out"), True),
    Case("link to nothing as place for images", ELSEWHERE, link("out", "missing"), True),
    Case("place for images that has too long a name", f"{SAMPLE} --out={{dir}}/{'x' * 300}"),
    Case("place for images in a system directory", f"{SAMPLE} --out=/proc/new"),
    Case("images into another run", ELSEWHERE, other_run, True),
    Case("file in place of the images' directory", ELSEWHERE, content("out/pictures", b""), True),
    Case("scores into another run", f"{SCORE} --out={{dir}}/out", other_run, True),
    Case(
        "images of no run elsewhere",
        f"{QUICKSTART} --workdir={{dir}}/run --mode=sample --out={{dir}}/out",
    ),
)
