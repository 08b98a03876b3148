"""A browser for the tests of pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.report.browser import chromium, complaints, requested


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture
def driver(browser: Any) -> Iterator[Any]:
    """The browser, whose pages may neither complain nor fetch anything."""
    complaints(browser), requested(browser)
    yield browser
    assert complaints(browser) == []
    assert [address for address in requested(browser) if not address.startswith("file:")] == []
