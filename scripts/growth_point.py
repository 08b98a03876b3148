"""The measured process of one point: `python -m scripts.growth_point ecc,16,32,8`."""

import sys
from functools import partial

from gcgan_jax.experiment import make_experiment
from scripts import turns
from scripts.growth import Point, config_of
from scripts.ours_side import make_iteration

if __name__ == "__main__":
    operator, *numbers = sys.argv[1].split(",")
    point = Point(operator, *map(int, numbers))
    turns.serve(partial(make_iteration, make_experiment(config_of(point))))
