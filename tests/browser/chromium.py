# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A headless Chromium, spoken to over its pipe: the DevTools protocol, one JSON message after another, ended by NUL."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

Message = dict[str, Any]

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
# For one command; a busy machine starts a browser slowly.
_PATIENCE = 60.0

PHONE = (390, 844)
DESKTOP = (1280, 900)


class BrowserError(Exception):
    """The browser is missing, has ended, or refused a command."""


class Page:
    """One tab."""

    def __init__(self, browser: Chromium, context: str, session: str) -> None:
        self._browser = browser
        self._context = context
        self._session = session
        self.complaints: list[str] = []
        """What the console said: errors of scripts, violations of the page's policy, files that were not loaded."""

    def call(self, method: str, **params: Any) -> Message:
        """Send a command to this tab, and return what it says."""
        return self._browser.call(method, self._session, **params)

    def close(self) -> None:
        """Forget the tab, and all that it knows."""
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)

    def heard(self, message: Message) -> None:
        """Keep what the console says."""
        kind, params = message["method"], message["params"]
        if kind == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif kind == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif kind == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(params["args"]))
        elif kind == "Page.javascriptDialogOpening":
            self.complaints.append(f"a dialog: {params['message']}")

    def open(self, file: Path) -> None:
        """Load a file, and wait until it is there."""
        self.complaints.clear()
        self.call("Page.navigate", url=file.as_uri())
        end = time.monotonic() + _PATIENCE
        while self.run("document.readyState + location.href") != f"complete{file.as_uri()}":
            if time.monotonic() > end:
                raise BrowserError(f"{file} was not loaded within {_PATIENCE:g} s.")

    def run(self, expression: str) -> Any:
        """The value of an expression; a promise is awaited."""
        reply = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise BrowserError(json.dumps(reply["exceptionDetails"]))
        return reply["result"].get("value")

    def look(self, *, size: tuple[int, int] = DESKTOP, scheme: str = "light", media: str = "") -> None:
        """Set the size of the window in CSS pixels, the colour scheme and the medium (print, or empty)."""
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def scripts(self, *, on: bool) -> None:
        """Whether pages that are loaded from now on may run scripts."""
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def press(self, key: str, code: int, *, text: str = "", shift: bool = False) -> None:
        """Press a key and let go of it. `code` is the virtual key code that Windows has for it."""
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def tab(self) -> None:
        """Go on to what takes the next input."""
        self.press("Tab", 9)

    def enter(self) -> None:
        """Press what has the focus."""
        self.press("Enter", 13, text="\r")

    def type(self, text: str) -> None:
        """Press the keys of a text."""
        for letter in text:
            self.press(letter, ord(letter.upper()), text=letter)

    def picture(self, *, whole: bool = False) -> bytes:
        """A PNG of the window, or of the whole page."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])


class Chromium:
    """The browser: a process with an empty profile of its own, ended when the `with` block ends."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium")
        if program is None:
            raise BrowserError(
                "chromium is needed to check the HTML report. Install it (Debian: apt install chromium)."
            )
        to_browser, self._writing = os.pipe()
        self._reading, from_browser = os.pipe()
        # Chromium reads from 3 and writes to 4.
        open_pipes = ("bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash")
        self._process = subprocess.Popen(
            [*open_pipes, program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._unread = b""
        self._number = 0
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.call("Browser.close")
            self._process.wait(_PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._reading)
            os.close(self._writing)

    def page(self) -> Page:
        """A new tab that knows nothing of the others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, context, session)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        return page

    def call(self, method: str, session: str = "", **params: Any) -> Message:
        """Send a command, and return what it says.

        :raises BrowserError: it is refused, or not answered in time
        """
        self._number += 1
        message = {
            "id": self._number,
            "method": method,
            "params": params,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + _PATIENCE
        while True:
            reply = self._read(end)
            if reply.get("id") == self._number:
                break
            page = self._pages.get(reply.get("sessionId", ""))
            if page and "method" in reply:
                page.heard(reply)
        if "error" in reply:
            raise BrowserError(f"{method}: {reply['error']['message']}")
        answer: Message = reply["result"]
        return answer

    def _read(self, end: float) -> Message:
        while b"\0" not in self._unread:
            if not select.select([self._reading], [], [], max(0.0, end - time.monotonic()))[0]:
                raise BrowserError(f"Chromium did not answer within {_PATIENCE:g} s.")
            read = os.read(self._reading, 1 << 20)
            if not read:
                raise BrowserError("Chromium has ended.")
            self._unread += read
        message, _nul, self._unread = self._unread.partition(b"\0")
        answer: Message = json.loads(message)
        return answer
