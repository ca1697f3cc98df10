"""The service's page in a browser: from the key to the finished project, as it grows, by keyboard and on a phone."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from pipeline.methods import generation_stages
from serving.app import build_app
from serving.store.keys import SCOPES
from serving.work.stages import StagesServer
from tests.browser.chromium import CHROMIUM, Browser
from tests.serving.service import ASKED, serve_config, service_on
from tests.waiting import scaled

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

HOSTILE = (
    "Classify </textarea></script><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"> birds"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The service's address and a key; it runs in a thread."""
    stages = StagesServer(generation_stages(serve_config()))
    service = service_on(tmp_path_factory.mktemp("online") / "db", stages, serve_config())
    _, secret = service.keys.add("tests", service.settings.quotas, SCOPES)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(service), log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", secret
    server.should_exit = server.force_exit = True
    thread.join()
    stages.close()


def wait(browser: Browser, condition: str) -> None:
    """Until the condition holds; a page that is just being left has none."""
    end = time.monotonic() + scaled(40)
    while time.monotonic() < end:
        try:
            if browser.js(condition):
                return
        except (AssertionError, KeyError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"never came: {condition}")


def go(browser: Browser, address: str) -> None:
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=address)
    wait(browser, "location.protocol === 'http:' && document.readyState === 'complete'")


def ask(browser: Browser, address: str, requirement: str) -> None:
    """Types the requirement and sends it by Ctrl+Enter."""
    go(browser, address)
    browser.js("document.getElementById('requirement').focus()")
    browser.call("Input.insertText", text=requirement)
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, modifiers=2)
    wait(browser, "location.pathname.startsWith('/projects/')")


@pytest.mark.slow
def test_from_the_key_to_a_finished_project(browser: Browser, site: tuple[str, str]) -> None:
    address, secret = site
    go(browser, address)
    wait(browser, "location.pathname === '/login'")
    browser.complaints.clear()
    browser.js(f"document.getElementById('secret').value = {json.dumps(secret)}")
    browser.js("document.querySelector('main form').requestSubmit()")
    wait(browser, "!!document.getElementById('requirement')")
    ask(browser, address, ASKED)
    # The page is never loaded again: its parts come with the events.
    wait(browser, "!!document.getElementById('files') && !!document.getElementById('rating')")
    for part in ("understood", "plan", "samples", "drafts", "differences", "checks"):
        assert browser.js(f"!!document.getElementById('{part}')")
    browser.js("document.getElementById('plan-epochs').value = '7'")
    first = browser.js("location.pathname")
    browser.js("document.querySelector('#plan form').requestSubmit()")
    wait(browser, f"location.pathname !== {json.dumps(first)} && !!document.getElementById('files')")
    assert browser.js("document.getElementById('plan-epochs').value") == "7"
    browser.call("Emulation.setDeviceMetricsOverride", width=420, height=900, deviceScaleFactor=1, mobile=True)
    for page in ("/", first):
        go(browser, f"{address}{page}")
        assert browser.js("document.documentElement.scrollWidth") <= 420
    browser.call("Emulation.clearDeviceMetricsOverride")
    assert [request for request in browser.requests if not request.startswith((address, "about:", "data:"))] == []
    assert [complaint for complaint in browser.complaints if '"level": "error"' in complaint] == []


@pytest.mark.slow
def test_hostile_words_do_nothing(browser: Browser, site: tuple[str, str]) -> None:
    address, _ = site
    ask(browser, address, HOSTILE)
    wait(browser, "!!document.getElementById('files') || document.body.innerText.includes('No project came')")
    assert "owned" not in browser.js("document.title").split("<")[0]
    assert browser.js("document.querySelectorAll('img').length") == 0
    assert "<script>document.title" in browser.js("document.querySelector('h1').innerText")


@pytest.mark.slow
def test_a_table_is_described_in_the_browser_and_not_sent(
    browser: Browser, site: tuple[str, str], tmp_path: Path
) -> None:
    address, _ = site
    table = tmp_path / "houses.csv"
    rows = "".join(f"{n},{n * 1000},secret-street-{n % 3}\n" for n in range(300))
    table.write_text(f"rooms,price,street\n{rows}")
    go(browser, address)
    browser.requests.clear()
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    field = browser.call("DOM.querySelector", nodeId=root, selector="#sample")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=field, files=[str(table)])
    wait(browser, "document.getElementById('attributes').value !== ''")
    described = browser.js("document.getElementById('attributes').value")
    assert described == (
        "A table of about 300 rows with the columns rooms (number), price (number), street (3 different values)."
    )
    assert browser.requests == []
