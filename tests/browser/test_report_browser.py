"""The report in a real browser: that its policy admits its own script, and that a person can use it.

Chromium is driven over its debugging pipe (NUL-terminated JSON on file descriptors 3 and 4), which needs no package.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.score.report import write_report
from tests.pipeline.score.report_records import record, records
from tests.pipeline.score.test_report import hostile_record

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")


class Browser:
    """One tab of a headless Chromium; collects the requests it makes and what it writes to the console."""

    def __init__(self, profile: Path) -> None:
        command_read, self._commands = os.pipe()
        answers, answer_write = os.pipe()
        switches = f"--headless --no-sandbox --disable-gpu --remote-debugging-pipe --user-data-dir={profile}"
        shell = f'exec "$0" {switches} about:blank 3<&{command_read} 4>&{answer_write} 2>/dev/null'
        self._process = subprocess.Popen(["bash", "-c", shell, str(CHROMIUM)], pass_fds=(command_read, answer_write))
        os.close(command_read)
        os.close(answer_write)
        self._answers = os.fdopen(answers, "rb")
        self._number = 0
        self._session = ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "chromium ended"
            text += byte
        message: dict[str, Any] = json.loads(text)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        elif message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(message["params"]))
        return message

    def open(self, page: Path, hash: str = "") -> None:
        self.call("Page.navigate", url="about:blank")  # a new hash alone would not load the page anew
        self.requests.clear()
        self.complaints.clear()
        self.call("Page.navigate", url=f"{page.as_uri()}{hash}")
        while self.js("location.href.startsWith('file:') && document.readyState") != "complete":
            pass

    def js(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=13 if text else 0, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.js("new Promise(done => setTimeout(done, 50))")  # hashchange comes after the key

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._commands)
        self._answers.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(records(60), path, title="Sixty rows", settings={"seed": 42})
    return path


VISIBLE_ROWS = "[...document.querySelectorAll('#rows tbody tr')].filter(row => !row.hidden)"


def test_the_page_loads_nothing_else_and_the_policy_admits_its_script(browser: Browser, report: Path) -> None:
    browser.open(report)
    assert browser.requests == [report.as_uri()]
    assert browser.complaints == []
    assert browser.js("document.getElementById('matches').textContent") == "60 of 60 rows"


def test_an_address_with_a_row_opens_it(browser: Browser, report: Path) -> None:
    browser.open(report, "#item-12")
    text = browser.js("document.getElementById('item').innerText")
    assert browser.js("document.getElementById('overview').hidden")
    assert "demo-00012" in text
    assert "categorical_crossentropy" in text
    assert "# %% Compile" in text
    assert browser.complaints == []


def test_the_list_can_be_filtered_and_sorted(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.js("document.getElementById('only-failed').click()")
    assert browser.js(f"{VISIBLE_ROWS}.length") == 7
    browser.js("document.getElementById('only-failed').click()")
    browser.js("document.querySelector('[data-key=conformance] button').click()")
    values = browser.js(f"{VISIBLE_ROWS}.map(row => row.cells[4].textContent)")
    measured = [float(value) for value in values if value != "–"]
    assert measured == sorted(measured)
    assert values[len(measured) :] == ["–"] * (60 - len(measured))


def test_the_keyboard_is_enough(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.press("/")
    for key in "owls":
        browser.press(key)
    assert browser.js("document.getElementById('matches').textContent") == "6 of 60 rows"
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    browser.press("Enter")
    assert browser.js("location.hash") == "#item-16"
    browser.press("ArrowRight")
    assert browser.js("location.hash") == "#item-26"
    browser.press("Escape")
    assert browser.js("[document.getElementById('item').hidden, document.activeElement.hash]") == [True, "#item-26"]


def test_a_comparison_shows_both_sides_and_unfolds(browser: Browser, report: Path) -> None:
    browser.open(report, "#item-12")
    browser.js(
        "[...document.querySelectorAll('[role=tab]')].find(tab => /draft 1 → final/.test(tab.textContent)).click()"
    )
    assert browser.js("document.querySelectorAll('.diff del').length") == 7
    assert browser.js("document.querySelectorAll('.diff ins').length") == 13
    browser.js("document.querySelectorAll('.fold button').forEach(button => button.click())")
    lines = "[...document.querySelectorAll('.diff tbody tr')].map(row => row.cells[{}].textContent)"
    files = record(12).files
    assert "\n".join(browser.js(lines.format(3))) == files[0].text.removesuffix("\n")


def test_hostile_rows_stay_text(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    write_report([hostile_record()], path, title="Hostile", settings={})
    browser.open(path, "#item-0")
    tabs = browser.js("document.querySelectorAll('[role=tab]').length")
    for place in range(tabs):
        browser.js(f"document.getElementById('tab-{place}').click()")
    assert browser.requests == [path.as_uri()]
    assert browser.complaints == []
    assert browser.js("document.querySelectorAll('img').length") == 0
    assert "</script><script>alert(1)" in browser.js("document.getElementById('item').innerText")


@pytest.mark.parametrize("hash", ["", "#item-12"])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, report: Path, hash: str) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    browser.open(report, hash)
    width = browser.js("document.documentElement.scrollWidth")
    browser.call("Emulation.clearDeviceMetricsOverride")
    assert width == 400
