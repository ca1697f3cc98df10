"""A headless Chromium for tests, driven over its debugging pipe (NUL-terminated JSON on file descriptors 3 and 4).

That needs no package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.waiting import scaled

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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
        self._process.wait(timeout=scaled(20))
        os.close(self._commands)
        self._answers.close()
