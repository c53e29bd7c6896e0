"""A real browser for tests: headless Chromium, alone with a profile of its own, and what it asked the network for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip

#: Texts whose contrast with their ground is under what WCAG 2.1 asks for (1.4.3): 4.5, or 3 for large text.
CONTRAST = """\
const light = c => { c = c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                     return .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; };
const colour = s => s.match(/[\\d.]+/g).map(Number);
const ground = e => {
    for (; e; e = e.parentElement) {
        const c = colour(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c.slice(0, 3);
    }
    return [255, 255, 255];
};
const faint = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; n = walker.nextNode();) {
    const e = n.parentElement, style = getComputedStyle(e);
    if (!n.textContent.trim() || !e.checkVisibility() || ["SCRIPT", "STYLE"].includes(e.tagName)) continue;
    const a = light(colour(style.color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.add(e.tagName + "." + e.className + ": " + ratio.toFixed(1));
}
return [...faint];
"""


class Browser:
    """Opens pages; `driver` is selenium's own."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = 1240, height: int = 1000, dark: bool = False) -> None:
        """Show a page at this size, in light or dark."""
        self._cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._cdp("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get_log("performance")  # what earlier pages asked for
        self.driver.get(url)
        self.wait_for("body")  # seen once, on a busy machine: there was none yet

    def texts(self, selector: str) -> list[str]:
        """The visible text of every element that a CSS selector finds."""
        return [element.text for element in self.driver.find_elements("css selector", selector)]

    def wait_for(self, selector: str, count: int = 1, seconds: float = 10) -> None:
        """Until the selector finds `count` elements; selenium's TimeoutException after `seconds`."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, seconds, 0.05).until(
            lambda driver: len(driver.find_elements("css selector", selector)) >= count
        )

    def script(self, code: str) -> Any:
        return self.driver.execute_script(code)

    def hosts_asked(self) -> set[str]:
        """Hosts (with port) that the page made the browser ask, since it was opened."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        urls = (m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent")
        return {urlsplit(url).netloc for url in urls if url.startswith(("http:", "https:", "ws:", "wss:"))}

    def errors(self) -> list[str]:
        """What the page wrote to the console as an error."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def faint(self) -> list[str]:
        """Elements whose text is hard to read against its ground, with the contrast."""
        found: list[str] = self.script(CONTRAST)
        return found

    def screenshot(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))

    def _cdp(self, method: str, **parameters: Any) -> None:
        self.driver.execute_cdp_cmd(method, parameters)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A running browser; the test is skipped where Chromium, its driver or selenium is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("Chromium or its driver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver))
    try:
        running.set_page_load_timeout(20)
        yield Browser(running)
    finally:
        running.quit()
