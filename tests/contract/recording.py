# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records what our clients put on the wire, to be held against captures of the vendors' SDKs.

The captures were made at a frozen time; each file says how.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller, Counters, RateLimiter, Signer
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NOW = 1_700_000_000
# They come from the HTTP library or name the program; the services read none of them.
LIBRARY = {"user-agent", "accept", "accept-encoding", "connection"}


class FrozenClock(Clock):
    """The time at which the captures were made."""

    def time(self) -> float:
        return NOW


@dataclass
class Recording:
    """Where requests arrive, and those that did, with names of headers in lower case.

    :ivar reply: what each of them is answered
    """

    reply: bytes
    port: int = 0
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch, host: str, reply: bytes) -> Iterator[Recording]:
    """A server that this host name and all below it lead to."""
    kept = Recording(reply)

    class Recorder(BaseHTTPRequestHandler):
        def _record(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.seen.append((self.requestline, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(kept.reply)))
            self.end_headers()
            self.wfile.write(kept.reply)

        do_GET = do_POST = do_PUT = _record

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Recorder)
    kept.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: resolve("127.0.0.1" if str(name).endswith(host) else name, *rest, **more),
    )
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


def captures(file: str) -> dict[str, dict[str, Any]]:
    """The captures of a file by name."""
    return {capture["name"]: capture for capture in json.loads((CAPTURES / file).read_text())["captures"]}


def own_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers without those of the HTTP library, names in lower case."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lower.items() if name not in LIBRARY}


def caller(sign: Signer) -> Caller:
    """Sends each request once, at the time of the captures."""
    clock = FrozenClock()
    return Caller(
        transport=Transport(timeout=10, verify=True, clock=clock, use_proxies=False),
        sign=sign,
        max_attempts=1,
        limiter=RateLimiter(None, clock),
        clock=clock,
        random=lambda: 0.0,
        counters=Counters(),
        masker=Masker(),
    )
