"""Thesis Table 4.1, row 1: no graph layer. `--config=configs/baseline.py`."""

from configs import default


def get_config():
    return default.get_config()
