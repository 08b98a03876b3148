"""Progress on the console."""

import re
import threading

import numpy as np
import pytest

from gcgan_jax.runtime.progress import image_progress, progress


def test_short_work_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress("abc", 3, "letters")) == ["a", "b", "c"]
    batches = [np.zeros((2, 3, 8, 8, 3), np.uint8)] * 2
    assert len(list(image_progress(batches, 12))) == 2
    assert capsys.readouterr() == ("", "")


def test_a_line_after_each_item_but_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    threads = threading.active_count()
    for _ in progress([100, 200, 700], 1000, "images", count=lambda item: item, every=0):
        assert threading.active_count() == threads
    printed = capsys.readouterr()
    first, second = printed.out.splitlines()
    assert re.fullmatch(r"100 of 1000 images  \S+ images/s  \d:\d\d:\d\d left", first)
    assert re.fullmatch(r"300 of 1000 images  \S+ images/s  \d:\d\d:\d\d left", second)
    assert printed.err == ""


def test_an_unknown_total(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress([1.6, 1.6], None, "MiB", count=lambda item: item, every=0))
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"2 MiB  \S+ MiB/s", first)
    assert re.fullmatch(r"3 MiB  \S+ MiB/s", second)
