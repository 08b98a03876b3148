"""Headless Chromium, and what the tests ask it."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
DRIVER = shutil.which("chromedriver")


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a driver of the Chromium on the PATH; skip the test where there is none."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    from selenium import webdriver

    if not CHROMIUM or not DRIVER:
        pytest.skip("no chromium and chromedriver on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def show(driver: Any, page: Path, *, width: int = 1400, theme: str = "light") -> None:
    """Open a page and wait until its images are drawn."""
    metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": theme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    driver.get(page.as_uri())
    driver.set_script_timeout(20)
    driver.execute_async_script(
        "Promise.all([...document.images].filter((i) => i.src).map((i) => i.decode()))"
        ".then(() => requestAnimationFrame(() => setTimeout(arguments[0])))"
    )


def requested(driver: Any) -> list[str]:
    """Return the addresses that the page asked for since the last call, other than data URIs."""
    events = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    addresses = (
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    )
    return [address for address in addresses if not address.startswith("data:")]


def complaints(driver: Any) -> list[str]:
    """Return what was written to the console since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]


def data_of(page: Path) -> Any:
    """Return the data that a page holds."""
    (stored,) = re.findall(r'id="data">(.*)</script>', page.read_text())
    return json.loads(stored)


def point(
    driver: Any, selector: str, x: float = 0.5, y: float = 0.5, *, click: bool = False
) -> None:
    """Move the pointer to a place in an element, in shares of its size, and click if asked to."""
    from selenium.webdriver import ActionChains

    target = driver.find_element("css selector", selector)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", target)
    size = target.size
    offset = (round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"]))
    actions = ActionChains(driver, duration=10).move_to_element_with_offset(target, *offset)
    (actions.click() if click else actions).perform()


def scroll_through(driver: Any) -> None:
    """Let every chart come into view."""
    driver.execute_async_script(
        """
        const done = arguments[0];
        const plots = [...document.querySelectorAll(".plot")];
        const next = () => {
          const plot = plots.shift();
          if (!plot) { done(); return; }
          plot.scrollIntoView();
          requestAnimationFrame(() => requestAnimationFrame(next));
        };
        next();
        """
    )
