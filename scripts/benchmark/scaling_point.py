"""The worker of one scaling point: `python -m scripts.benchmark.scaling_point ecc,16,32,8`."""

import sys
from functools import partial

import jax

from gcgan_jax.experiment import make_experiment
from scripts.benchmark.interleaved import serve
from scripts.benchmark.jax_worker import make_iteration
from scripts.benchmark.scaling import Point, config_of

if __name__ == "__main__":
    operator, *numbers = sys.argv[1].split(",")
    point = Point(operator, *map(int, numbers))
    run = partial(make_iteration, make_experiment(config_of(point)))
    serve(run, wait=jax.block_until_ready)
