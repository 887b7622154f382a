# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Sending one request. The only file that knows how HTTP is spoken.

By urllib3, over which requests works too: of what requests adds, every call would have to switch off redirects,
C(.netrc), cookies and unpacking, and would pay for loading it. What it knows of proxies is asked where there is one.
"""

from __future__ import annotations

import heapq
import http.client
import io
import os
import socket
import ssl
import threading
import time
import traceback
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline, Patience
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

REQUESTS_IMPORT_ERROR: str | None
try:
    import urllib3
    import urllib3.connection
    import urllib3.exceptions
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

# Of the request that this thread is sending: whether it may have left the machine, and what ends it in time.
_sending = threading.local()


# As http.client has it for headers.
_LONGEST_LINE = 65536


class _Lines(io.BufferedReader):
    """Remembers the last line that was read, and reads none without end, as older versions of urllib3 would."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(_LONGEST_LINE if size is None or size < 0 else size)
        return self.last


class _Reply(http.client.HTTPResponse):
    """Takes a head that breaks off for none; http.client takes it for one with fewer headers, and no body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = self._lines = _Lines(sock.makefile("rb", buffering=0))

    def begin(self) -> None:
        super().begin()
        if self._lines.last not in (b"\r\n", b"\n"):
            self.close()
            raise http.client.IncompleteRead(self._lines.last)


if REQUESTS_IMPORT_ERROR is None:

    class _Connection(urllib3.connection.HTTPConnection):
        """Tells what never left from what may have arrived, and ends when the time for the request is over."""

        response_class = _Reply

        def _new_conn(self) -> Any:
            return _watched(super()._new_conn())

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            _watched(self.sock)
            _sending.begun = True
            super().request(*args, **kwargs)

    class _TlsConnection(urllib3.connection.HTTPSConnection):
        """The same over TLS."""

        response_class = _Reply

        def _new_conn(self) -> Any:
            return _watched(super()._new_conn())

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            _watched(self.sock)
            _sending.begun = True
            super().request(*args, **kwargs)

    class _Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = _Connection

    class _TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = _TlsConnection


class _Watch:
    """Ends the connection of one request when its time is over, whatever is being waited for on it.

    The timeout of a socket does not do that: it begins anew with every byte, and heads, chunks and trailers can drip.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.ended = False
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._known = False

    def watch(self, sock: socket.socket) -> None:
        """Have this connection ended.

        :raises TimeoutError: the time is over already
        """
        if self.deadline.passed:
            raise socket.timeout("the time for the request is over")
        with self._lock:
            self._sock = sock
        if not self._known:
            self._known = True
            _watchman.add(self)

    def end(self) -> None:
        """The time is over."""
        with self._lock:
            if self._sock is None:
                return
            self.ended = True
            with suppress(OSError):
                # Not the method of a TLS socket, which would take its state away from under the thread that reads.
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def stop(self) -> None:
        """Leave the connection alone from now on."""
        with self._lock:
            self._sock = None


class _Watchman:
    """One thread that ends all watches in time: a timer for each request would cost more than the request."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: list[tuple[float, int, _Watch]] = []
        self._number = 0
        self._thread: threading.Thread | None = None

    def add(self, watch: _Watch) -> None:
        """Have it ended in time, unless it stops before."""
        with self._changed:
            self._number += 1
            heapq.heappush(self._watches, (watch.deadline.at, self._number, watch))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchman", daemon=True)
                self._thread.start()
            elif self._watches[0][-1] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._watches)
                watch = self._watches[0][-1]
                if not watch.deadline.passed:
                    self._changed.wait(watch.deadline.remaining)
                    continue
                heapq.heappop(self._watches)
            watch.end()


_watchman = _Watchman()


def _watched(sock: Any) -> Any:
    _sending.watch.watch(sock)
    return sock


if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse as RawResponse

MAX_REPLY_BYTES = 8 * 1024 * 1024
"""The largest genuine reply, a page of tasks, is far below 1 MiB; more is a fault or an attack."""
_PIECE = 64 * 1024
_GZIP_OR_ZLIB = 47
# A connection that was in use so short a time ago is not just being given up by the other side (assumed), seconds.
_IN_USE = 1.0
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_HEADERS = {"User-Agent": "ansible-redrive.tasks", "Accept": "application/json", "Accept-Encoding": "identity"}

Verify = Union[bool, str]


class Transport:
    """Sends requests over kept-alive connections, one for each thread.

    Certificates are verified, redirects are not followed, and both the size of a reply and the time that it may take
    are bounded.
    """

    def __init__(
        self,
        *,
        timeout: float,
        verify: Verify,
        clock: Clock,
        use_proxies: bool = True,
        patience: Patience | None = None,
    ) -> None:
        """`timeout`: seconds for one whole request; `verify`: a file or folder of authorities, or whether at all.

        `patience` may allow less time.
        """
        self._timeout = timeout
        self._patience = patience or Patience()
        self._verify = verify
        self._clock = clock
        self._use_proxies = use_proxies and any(map(os.environ.get, _PROXY_VARIABLES))
        self._local = threading.local()
        self._lock = threading.Lock()
        self._trusted: ssl.SSLContext | None = None

    def send(self, request: Request, *, fresh: bool = False) -> Response:
        """Send the signed request once, and read the whole reply.

        :param fresh: over a connection that is new or in steady use. The other side may just be giving up one that was
            kept for longer, and a request sent on that could be lost, with nobody knowing whether it had arrived.
        :raises CallError: no complete reply came; its kind says whether the request may have arrived
        """
        seconds = self._patience.seconds(self._timeout)
        deadline = Deadline.after(self._clock, seconds)
        _sending.begun = False
        watch = _sending.watch = _Watch(deadline)
        try:
            raw = self._manager(request.url, fresh=fresh).request(
                request.method,
                request.url,
                body=request.body or None,
                headers={**_HEADERS, **request.headers},
                timeout=urllib3.Timeout(connect=seconds, read=seconds),
                redirect=False,
                retries=False,
                preload_content=False,
                enforce_content_length=True,  # which is the default of newer versions
            )
            try:
                body = _read(raw, deadline)
            finally:
                # Nothing is left of it to close when it was read to its end.
                raw.close()
            if watch.ended:  # and so the end of the body may not have been its end
                raise socket.timeout("the reply did not end in time")
            if (
                raw.status < 200
            ):  # http.client knows one of these, and takes the others for the reply that they announce
                raise CallError(
                    Kind.BROKEN, "the reply only announces another one", code="broken_reply", status=raw.status
                )
            headers = {name.lower(): value for name, value in raw.headers.items()}
            packing = headers.get("content-encoding", "")
            return Response(raw.status, headers, _unpacked(body, packing, raw.status))
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            raise _call_error(exc, timed_out=deadline.passed, begun=_sending.begun) from exc
        finally:
            watch.stop()
            self._local.used = time.monotonic()

    def _manager(self, url: str, *, fresh: bool) -> urllib3.PoolManager:
        """What keeps this thread's connection."""
        manager: urllib3.PoolManager | None = getattr(self._local, "manager", None)
        if manager is None:
            manager = self._local.manager = self._new_manager(url)
        elif fresh and time.monotonic() - self._local.used > _IN_USE:
            manager.clear()
        return manager

    def _new_manager(self, url: str) -> urllib3.PoolManager:
        """What holds connections; all that one transport is asked for is at one place, or through one proxy."""
        settings: dict[str, Any] = {}
        if url.startswith("https:"):
            settings["ssl_context"] = self._trust()
        manager = _proxy_manager(url, settings) if self._use_proxies else None
        manager = manager or urllib3.PoolManager(**settings)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager

    def _trust(self) -> ssl.SSLContext:
        """Which certificates are trusted; read once, because that takes longer than many a call."""
        with self._lock:
            if self._trusted is None:
                self._trusted = _context(self._verify)
            return self._trusted


def _context(verify: Verify) -> ssl.SSLContext:
    of_environment = next(filter(None, map(os.environ.get, _CA_VARIABLES)), None)
    path = verify if isinstance(verify, str) else of_environment or _bundle_of_requests()
    folder = path is not None and Path(path).is_dir()
    try:
        context = ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
    except OSError as exc:
        raise CallError(
            Kind.DENIED,
            f"the certificates of authorities to trust cannot be read: {path}: {exc.strerror or exc}",
            code="certificate",
            hint=f"Check the option ca_path and the variables {' and '.join(_CA_VARIABLES)}.",
        ) from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _bundle_of_requests() -> str | None:
    """The authorities that requests trusts; None where a distribution has made those the system's."""
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()


def _proxy_manager(url: str, settings: dict[str, Any]) -> urllib3.PoolManager | None:
    """What goes through the proxy that the environment names for this address, if it names one."""
    # Imported here, because every run pays for an import and few need this one.
    from requests import utils

    proxy = utils.select_proxy(url, utils.get_environ_proxies(url))
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    user, password = utils.get_auth_from_url(proxy)
    headers = urllib3.make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)


def _read(raw: RawResponse, deadline: Deadline) -> bytes:
    body = bytearray()
    for piece in _pieces(raw):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise _too_large(raw.status)
        if deadline.passed:
            raise CallError(
                Kind.LOST,
                "the reply did not end within the time allowed for one request",
                code="timeout",
                status=raw.status,
                hint="Raise the option timeout if the service is slow.",
            )
    return bytes(body)


def _too_large(status: int) -> CallError:
    return CallError(
        Kind.BROKEN,
        f"the reply is larger than {MAX_REPLY_BYTES // 1024**2} MiB and was not read further",
        code="reply_too_large",
        status=status,
        hint="Check that the endpoint is the service itself.",
    )


def _pieces(raw: RawResponse) -> Iterator[bytes]:
    """What has arrived, as it arrives, so that a reply that drips meets its deadline. Packed as it is: see below."""
    read_some = getattr(raw, "read1", None)
    if read_some is None:  # urllib3 1.26, still shipped with enterprise distributions
        yield from raw.stream(1024, decode_content=False)
        return
    while True:
        piece = read_some(_PIECE, decode_content=False)
        if not piece:
            return
        yield piece


def _unpacked(body: bytes, packing: str, status: int) -> bytes:
    """The body as it was before something on the way packed it, although we ask for it unpacked.

    Not by urllib3, whose older versions unpack one piece to whatever size it has. What is packed in any other way stays
    as it is, and will not be read as JSON: some servers name a character set where the packing belongs.

    :raises CallError: it is not packed as it says, or too large
    """
    if packing.strip().lower() not in ("gzip", "x-gzip", "deflate") or not body:
        return body
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        unpacked = unpacker.decompress(body, MAX_REPLY_BYTES + 1)
    except zlib.error as exc:
        raise _undecodable(str(exc), status) from exc
    if len(unpacked) > MAX_REPLY_BYTES:
        raise _too_large(status)
    if not unpacker.eof:
        raise _undecodable("it ends too early", status)
    return unpacked


def _undecodable(why: str, status: int) -> CallError:
    return CallError(Kind.BROKEN, f"the reply cannot be decoded: {why}", code="broken_reply", status=status)


def _call_error(exc: Exception, *, timed_out: bool, begun: bool) -> CallError:
    causes = list(_causes(exc))
    words = _words(causes)
    if any(type(cause).__name__ == "SSLCertVerificationError" for cause in causes):
        return CallError(
            Kind.DENIED,
            f"the server's certificate is not trusted: {words}",
            code="certificate",
            hint="Check the endpoint; for a private certificate authority set the option ca_path.",
        )
    if not begun:
        return CallError(
            Kind.UNREACHED,
            f"the service could not be reached: {words}",
            code="unreachable",
            hint="Check endpoint with its scheme and port, region, network and proxy. This call did not arrive.",
        )
    if timed_out or any(isinstance(cause, urllib3.exceptions.TimeoutError) for cause in causes):
        return CallError(
            Kind.LOST,
            "no complete reply in time",
            code="timeout",
            hint="Raise the option timeout if the service is slow.",
        )
    return CallError(Kind.LOST, f"the connection broke before a complete reply: {words}", code="connection_broken")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps: urllib3 nests in args, reason and __cause__."""
    pending: list[object] = [exc]
    seen = set()
    while pending:
        current = pending.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            pending += [current.__cause__, getattr(current, "reason", None), *current.args]


def _words(causes: list[BaseException]) -> str:
    """The innermost operating system error, which says most in the fewest words."""
    for cause in reversed(causes):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return next((str(cause) for cause in reversed(causes) if str(cause)), type(causes[0]).__name__)
