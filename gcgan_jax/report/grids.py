"""Sample grids of several runs for one page, within a budget of bytes."""

import io
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from gcgan_jax.regular_files import read_regular
from gcgan_jax.report.workdirs import Run
from gcgan_jax.storage.image_files import GAP

CORNER = 4  # rows and columns of samples in the corner of a grid
WIDEST = 300  # pixels of a corner; larger ones are reduced by a whole factor
BASE64 = 4 / 3  # length of an encoded byte


def sample_grids(runs: Sequence[Run], budget: int) -> dict[str, Any]:
    """Return the grids of each run as data URIs: all of them or, if they are too large, parts.

    Then the corner of CORNER x CORNER samples stands for a grid, and as many of the iterations are
    kept as fit, evenly spaced, the first and the last among them.

    Args:
        budget: bytes for all runs, in equal shares.
    """
    paths = [_paths(run) for run in runs]
    share = budget // max(1, sum(map(bool, paths)))
    entire = all(BASE64 * sum(p.stat().st_size for p in of.values()) <= share for of in paths)
    part = "the first samples of each grid, and no more iterations than fit into the page"
    return {
        "note": f"Of the same latents throughout{'' if entire else f'; {part}'}.",
        "runs": [_grids(run, of, share, entire) for run, of in zip(runs, paths, strict=True)],
    }


def _paths(run: Run) -> dict[int, Path]:
    """Return the files of a run's grids by iteration."""
    files = sorted((run.workdir / "samples").glob("*.png"))
    return {int(file.stem): file for file in files if file.stem.isdecimal() and file.is_file()}


def _grids(run: Run, paths: dict[int, Path], share: int, entire: bool) -> dict[str, Any]:
    side = int(run.settings["data"]["image_size"])
    grids, steps = [], list(paths)
    if steps and not entire:
        largest = max(len(_corner(paths[step], side) or b"") for step in spaced(steps, 3))
        steps = spaced(steps, max(2, int(share / (BASE64 * max(1, largest)))))
    for step in steps:
        png = _whole(paths[step]) if entire else _corner(paths[step], side)
        if png:
            grids.append({"step": step, "png": data_uri(png)})
    unreadable = len(steps) - len(grids)
    notes = [f"{len(steps)} of {len(paths)} grids"] if len(steps) < len(paths) else []
    notes += [f"{unreadable} unreadable"] if unreadable else []
    return {"run": run.name, "grids": grids, "note": ", ".join(notes)}


def spaced(steps: Sequence[int], count: int) -> list[int]:
    """Return `count` (at least two) of the steps at equal distances, with the first and last."""
    if len(steps) <= count:
        return list(steps)
    last = len(steps) - 1
    return [steps[round(i * last / (count - 1))] for i in range(count)]


def data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _whole(path: Path) -> bytes | None:
    """Return a file if it is an image that can be read; None otherwise."""
    content = read_regular(path)
    return None if _image(content) is None else content


def _corner(path: Path, side: int) -> bytes | None:
    """Return the corner of a grid of images of this side; None if it cannot be read."""
    image = _image(read_regular(path))
    if image is None:
        return None
    edge = CORNER * (side + GAP) - GAP
    corner = image.crop((0, 0, min(edge, image.width), min(edge, image.height)))
    factor = -(-corner.width // WIDEST)
    file = io.BytesIO()
    corner.reduce(factor).save(file, format="png", optimize=True)
    return file.getvalue()


def _image(content: bytes) -> Image.Image | None:
    try:
        image = Image.open(io.BytesIO(content), formats=["png"])
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    return image.convert("RGB")
