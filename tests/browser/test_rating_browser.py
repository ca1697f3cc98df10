"""The rating page in a real browser: blind, in an order of each rater's own, kept, and saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.measures.outputs import MethodName
from pipeline.pages.rating import RatingKey, ratables, read_ratings, write_rating_page
from tests.browser.chromium import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")

PROJECTS = [
    (
        MethodName("Runs", "", method),
        f"task-{item}",
        f"Requirement {item} </script><b>",
        "",
        f"print({item}, {method!r})",
    )
    for item in range(4)
    for method in ("secret-one", "secret-two")
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rate") / "rate.html"


@pytest.fixture(scope="module")
def key(page: Path) -> RatingKey:
    # The code says which method it is here, so that the test can tell; the page around it must not.
    return write_rating_page(ratables(PROJECTS, seed=7), page, title="Rate", seed=7)


def begin(browser: Browser, page: Path, rater: str) -> None:
    browser.open(page)
    browser.js(f"byId('rater').value = {json.dumps(rater)}; byId('start').requestSubmit()")


def rate(browser: Browser, aspect: str, value: int) -> None:
    browser.js(f"document.querySelector('input[name={aspect}][value=\"{value}\"]').click()")


ORDER = "order.map((place) => projects[place].key)"


def test_the_page_is_blind_and_needs_nothing_else(browser: Browser, page: Path, key: RatingKey) -> None:
    begin(browser, page, "Ada")
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []
    assert "secret" not in browser.js("byId('items').querySelector('.quote').textContent")
    assert "secret" not in page.read_text().split('<script type="application/json"')[0]
    assert "task-" not in page.read_text()
    assert browser.js("document.querySelectorAll('#items b').length") == 0


def test_each_rater_has_an_order_that_stays(browser: Browser, page: Path, key: RatingKey) -> None:
    orders = {}
    for rater in ("Ada", "Grace", "Ada"):
        begin(browser, page, rater)
        orders.setdefault(rater, []).append(browser.js(ORDER))
    assert orders["Ada"][0] == orders["Ada"][1]
    assert orders["Ada"][0] != orders["Grace"][0]
    assert sorted(orders["Ada"][0]) == sorted(key.outputs)


def test_ratings_are_kept_saved_and_read_back(browser: Browser, page: Path, key: RatingKey) -> None:
    begin(browser, page, "Lin")
    for aspect, value in (("compliance", 8), ("usefulness", 0), ("idiomaticity", 10)):
        rate(browser, aspect, value)
    first = browser.js("projects[order[0]].key")
    browser.js("byId('next').click()")
    rate(browser, "compliance", 3)
    begin(browser, page, "Lin")  # as if the browser had been closed
    assert browser.js("byId('progress').textContent") == "2 of 8 · 1 rated"
    browser.js("window.saved = null; URL.createObjectURL = (blob) => { window.saved = blob; return '#'; }")
    browser.js("byId('save').click()")
    text = browser.js("window.saved.text()")
    rows = list(read_ratings({"lin.json": text}, key))
    assert len(rows) == 2
    full = next(row for row in rows if row.idiomaticity is not None)
    assert (full.compliance, full.usefulness, full.idiomaticity, full.judge) == (8.0, 0.0, 10.0, "Lin")
    assert [(MethodName.of(full), full.item)] == list(key.outputs[first])


def test_a_phone_needs_no_sideways_scrolling(browser: Browser, page: Path, key: RatingKey) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    begin(browser, page, "Ada")
    width = browser.js("document.documentElement.scrollWidth")
    browser.call("Emulation.clearDeviceMetricsOverride")
    assert width == 400
