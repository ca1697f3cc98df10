"""The report in a real browser: that its policy admits its own script, and that a person can use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.pages.report import write_report
from pipeline.pages.score_report import write_score_report
from tests.browser.chromium import CHROMIUM, Browser
from tests.pipeline.pages.report_records import record, records
from tests.pipeline.pages.score_records import score_page
from tests.pipeline.pages.test_report import hostile_record

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")


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


def test_a_score_report_opens_its_items_and_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "scores.html"
    write_score_report(score_page(), path)
    browser.open(path)
    assert browser.requests == [path.as_uri()]
    assert browser.complaints == []
    assert browser.js("document.getElementById('matches').textContent") == "3 of 3 rows"
    browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    browser.open(path)
    browser.js("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert browser.js("document.documentElement.scrollWidth") == 400
    browser.open(path, "#item-1")
    assert browser.js("document.documentElement.scrollWidth") == 400
    browser.call("Emulation.clearDeviceMetricsOverride")
    names = browser.js("[...document.querySelectorAll('[role=tab]')].map((tab) => tab.textContent)")
    assert names[:3] == ["Reference", "first", "second (a model)"]
    assert "Compare first → reference" in names
    assert browser.complaints == []
