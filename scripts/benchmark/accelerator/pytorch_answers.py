"""The PyTorch worker: `python -m scripts.benchmark.accelerator.pytorch_answers PLATFORM [--toy]`.

Each line on stdin is a request of `session.Workers`; each line on stdout is its result.
"""

import gc
import json
import sys
from functools import partial
from typing import Any

import torch

from scripts.benchmark import timing
from scripts.benchmark.cases import parse
from scripts.benchmark.interleaved import answer_lines, describe_error
from scripts.benchmark.pytorch_networks import OPERATORS
from scripts.benchmark.pytorch_worker import make_run

Request = dict[str, Any]
Result = dict[str, Any]


def answer(request: Request, platform: str, toy: bool) -> Result:
    """Return the result of a request, with the error in one line if there is one."""
    if request["part"] == "environment":
        return environment(platform)
    try:
        return measure(request, platform, toy)
    except Exception as error:  # a case can fail in any way; the others are measured all the same
        return {"error": describe_error(error)}
    finally:
        torch.compiler.reset()
        gc.collect()
        if platform == "cuda":
            torch.cuda.empty_cache()


def environment(platform: str) -> Result:
    """Return what is measured, and whether it can run on the platform."""
    module = OPERATORS["ecc"].__module__.rpartition(".")[-1]
    return {
        "usable": platform == "cpu" or torch.cuda.is_available(),
        "cuda": torch.version.cuda,
        "peer": {"pyg_operators": "PyTorch Geometric", "plain_operators": "plain gathers"}[module],
    }


def measure(request: Request, platform: str, toy: bool) -> Result:
    if platform == "cuda":
        torch.cuda.reset_peak_memory_stats()
    case = parse(request["subject"])
    run = make_run(request["implementation"], case, platform, toy)

    def wait(_: object) -> None:
        if platform == "cuda":
            torch.cuda.synchronize()

    result = timing.measure(run, wait, request["seconds"], timing.calls_at_once(case))
    if platform == "cuda":
        result["peak_bytes"] = torch.cuda.max_memory_allocated()
    return result


if __name__ == "__main__":
    reply = partial(answer, platform=sys.argv[1], toy="--toy" in sys.argv)
    answer_lines(lambda: lambda line: reply(json.loads(line)))
