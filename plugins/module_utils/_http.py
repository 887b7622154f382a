# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Sending one request. The only file that imports requests."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Union

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    import requests.adapters
    import urllib3
    import urllib3.connection
    import urllib3.exceptions
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

# Whether the request that this thread is sending may have left the machine.
_sending = threading.local()

if REQUESTS_IMPORT_ERROR is None:

    class _Connection(urllib3.connection.HTTPConnection):
        """Tells what never left from what may have arrived, and bounds the time for the head of a reply."""

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            _sending.begun = True
            super().request(*args, **kwargs)

        def getresponse(self) -> Any:
            with _in_time(self.sock):
                return super().getresponse()

    class _TlsConnection(urllib3.connection.HTTPSConnection):
        """The same over TLS."""

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is None:
                self.connect()
            _sending.begun = True
            super().request(*args, **kwargs)

        def getresponse(self) -> Any:
            with _in_time(self.sock):
                return super().getresponse()

    class _Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = _Connection

    class _TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = _TlsConnection

    class _Adapter(requests.adapters.HTTPAdapter):
        """Connects by the classes above, directly and through a proxy."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **kwargs)
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
            return manager


@contextmanager
def _in_time(sock: socket.socket) -> Iterator[None]:
    """Ends the connection when the block takes longer than one wait for a byte may.

    :raises TimeoutError: it did; what was read until then must not be taken for a whole head
    """
    ended = threading.Event()

    def end() -> None:
        ended.set()
        with suppress(OSError):
            # Not the method of a TLS socket, which would take its state away from under the thread that reads.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(sock.gettimeout() or _LONGEST_HEAD, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if ended.is_set():
        raise socket.timeout("the head of the reply did not end in time")


if TYPE_CHECKING:
    from requests import PreparedRequest, Session
    from requests import Response as RawResponse

MAX_REPLY_BYTES = 8 * 1024 * 1024
"""The largest genuine reply, a page of tasks, is far below 1 MiB; more is a fault or an attack."""
_PIECE = 64 * 1024
_LONGEST_HEAD = 3600.0
_NO_PROXIES: dict[str, Any] = {"http": None, "https": None, "all": None}

Verify = Union[bool, str]


class Transport:
    """Sends requests over kept-alive connections, one session for each thread.

    Certificates are verified, redirects are not followed, C(.netrc) is not read, cookies are not kept,
    and both the size of a reply and the time that it may take are bounded.
    """

    def __init__(self, *, timeout: float, verify: Verify, clock: Clock, use_proxies: bool = True) -> None:
        """`timeout` is in seconds for one whole request, `verify` as requests takes it."""
        self._timeout = timeout
        self._verify = verify
        self._clock = clock
        self._use_proxies = use_proxies
        self._local = threading.local()

    def send(self, request: Request, *, fresh: bool = False) -> Response:
        """Send the signed request once, and read the whole reply.

        :param fresh: over a new connection. The other side may just be giving up the one that is kept, and a request
            sent on that could be lost, with nobody knowing whether it had arrived.
        :raises CallError: no complete reply came; its kind says whether the request may have arrived
        """

        def authenticate(prepared: PreparedRequest) -> PreparedRequest:
            # As auth=, because requests replaces a plain Authorization header by an entry of .netrc.
            prepared.headers.update(request.headers)
            return prepared

        deadline = Deadline.after(self._clock, self._timeout)
        _sending.begun = False
        try:
            with self._session(fresh=fresh).request(
                request.method,
                request.url,
                data=request.body or None,
                auth=authenticate,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=self._timeout,
                allow_redirects=False,
                verify=self._verify,
                proxies=None if self._use_proxies else _NO_PROXIES,
                stream=True,
            ) as raw:
                body = _read(raw, deadline)
                headers = {name.lower(): value for name, value in raw.headers.items()}
                return Response(raw.status_code, headers, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            raise _call_error(exc, timed_out=deadline.passed, begun=_sending.begun) from exc

    def _session(self, *, fresh: bool) -> Session:
        """This thread's session, without its kept connections if a fresh one is wanted."""
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.headers["User-Agent"] = "ansible-redrive.tasks"
            session.cookies.set_policy(_no_cookies())
            session.mount("https://", _Adapter())
            session.mount("http://", _Adapter())
        elif fresh:
            session.close()
        return session


def _no_cookies() -> DefaultCookiePolicy:
    return DefaultCookiePolicy(allowed_domains=[])


def _read(raw: RawResponse, deadline: Deadline) -> bytes:
    body = bytearray()
    for piece in _pieces(raw):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise CallError(
                Kind.BROKEN,
                f"the reply is larger than {MAX_REPLY_BYTES // 1024**2} MiB and was not read further",
                code="reply_too_large",
                status=raw.status_code,
                hint="Check that the endpoint is the service itself.",
            )
        if deadline.passed:
            raise CallError(
                Kind.LOST,
                "the reply did not end within the time allowed for one request",
                code="timeout",
                status=raw.status_code,
                hint="Raise the option timeout if the service is slow.",
            )
    return bytes(body)


def _pieces(raw: RawResponse) -> Iterator[bytes]:
    """What has arrived, as it arrives, so that a reply that drips meets its deadline."""
    read_some = getattr(raw.raw, "read1", None)
    if read_some is None:  # urllib3 1.26, still shipped with enterprise distributions
        yield from raw.iter_content(1024)
        return
    while True:
        piece = read_some(_PIECE, decode_content=True)
        if not piece:
            return
        yield piece


def _call_error(exc: Exception, *, timed_out: bool, begun: bool) -> CallError:
    causes = list(_causes(exc))
    words = _words(causes)
    timeouts = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)
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
    if timed_out or any(isinstance(cause, timeouts) for cause in causes):
        return CallError(
            Kind.LOST,
            "no complete reply in time",
            code="timeout",
            hint="Raise the option timeout if the service is slow.",
        )
    if any(isinstance(cause, urllib3.exceptions.DecodeError) for cause in causes):
        return CallError(Kind.BROKEN, f"the reply cannot be decoded: {words}", code="broken_reply")
    return CallError(Kind.LOST, f"the connection broke before a complete reply: {words}", code="connection_broken")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps: requests and urllib3 nest in args, reason and __cause__."""
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
