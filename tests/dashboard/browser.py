"""A page of the dashboard in a real Chromium, as the tests drive and watch it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from live_box_spreads.dashboard import ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(__file__).resolve().parents[2] / "artifacts" / "screenshots"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader"),
]
PATIENCE_MS = 40_000
CLICKS, SETTLED_MS = 5, 1_000
SURFACES = [ids.MID_SURFACE, ids.QUOTED_SURFACE, ids.VOLUME_SURFACE]
SHOWN_RATES = """id => {
    const rates = document.querySelector(`#${id} .js-plotly-plot`)._fullData
        .find(trace => trace.name === 'Median' || trace.name.startsWith('Mid')).y;
    return Array.from(rates);
}"""
CAMERA = """id => document.querySelector(`#${id} .js-plotly-plot`)._fullLayout.scene._scene
    .getCamera().eye"""
NEXT_FRAME = "() => new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))"
COLOURS_OF = """async png => {
    const bytes = Uint8Array.from(atob(png), c => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d', {willReadFrequently: true});
    context.drawImage(image, 0, 0);
    const {data} = context.getImageData(0, 0, image.width, image.height);
    const seen = new Map();
    for (let i = 0; i < data.length; i += 4) {
        const colour = (data[i] >> 3 << 10) | (data[i + 1] >> 3 << 5) | (data[i + 2] >> 3);
        seen.set(colour, (seen.get(colour) || 0) + 1);
    }
    return {colours: seen.size, largest: Math.max(...seen.values()) / (data.length / 4)};
}"""


class Watched:
    """A page, with everything that went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("requestfailed", self._request_failed)
        page.on("response", self._response)

    def _request_failed(self, request: Any) -> None:
        if not request.url.endswith("/alive"):  # given up by the page itself on a busy machine
            self.faults.append(f"failed: {request.url}")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")

    def until_painted(self) -> None:
        for surface in SURFACES:
            self.page.wait_for_selector(f"#{surface} canvas")
        for chart in (ids.TERM_STRUCTURE, ids.SKEW):
            self.page.wait_for_selector(f"#{chart} .scatterlayer .point")
        self.page.wait_for_selector(f"#{ids.GRID} .ag-row")

    def look(self, selector: str) -> dict[str, float]:
        """Return how many colours an element shows, and the share of the most frequent one."""
        png = self.page.locator(selector).screenshot()
        found: dict[str, float] = self.page.evaluate(COLOURS_OF, base64.b64encode(png).decode())
        return found

    def text(self, control: str) -> str:
        return self.page.locator(f"#{control}").inner_text()

    def drag(self, selector: str, *, by: tuple[float, float]) -> None:
        box = self.page.locator(selector).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in (0.25, 0.5, 0.75, 1.0):
            # A scene looks at the mouse once a frame; on a busy machine all this may be one.
            self.page.evaluate(NEXT_FRAME)
            self.page.mouse.move(x + step * by[0], y + step * by[1])
        self.page.evaluate(NEXT_FRAME)
        self.page.mouse.up()

    def camera(self, surface: str) -> dict[str, float]:
        eye: dict[str, float] = self.page.evaluate(CAMERA, surface)
        return eye

    def until_turned(self, surface: str, before: dict[str, float]) -> None:
        """Wait until the camera of a surface is elsewhere; a drag takes effect a frame later."""
        script = f"([id, eye]) => Math.abs(({CAMERA})(id).x - eye.x) > 0.05"
        self.page.wait_for_function(script, arg=[surface, before])

    def expect_text(self, control: str, pattern: str) -> None:
        """Wait until the text of an element matches; the element itself may be yet to come."""
        script = """([id, pattern]) => {
            const element = document.getElementById(id);
            return element !== null && new RegExp(pattern).test(element.innerText);
        }"""
        self.page.wait_for_function(script, arg=[control, pattern])

    def choose(self, control: str, label: str) -> None:
        option = self.page.get_by_role("option", name=re.compile(label))
        for _ in range(CLICKS):  # a click while the page draws may find the list not wired yet
            self.page.locator(f"#{control}").click()
            self.page.wait_for_timeout(SETTLED_MS)
            if option.is_visible():
                break
        option.click()

    def press(self, control: str, label: str) -> None:
        self.page.locator(f"#{control}").get_by_text(label, exact=True).click()

    def fill(self, control: str, value: str) -> None:
        self.page.locator(f"#{control}").fill(value)

    def keep(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser; skip where there is none, which CI may not do."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium on the path for the browser tests")
        pytest.skip("no chromium on the path; install it to run the browser tests")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 # only where there is a browser

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=FLAGS, headless=True)
        yield opened
        opened.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
