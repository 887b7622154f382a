# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A peer that means harm: every request ends in time, in a reply or a CallError, and leaves nothing behind."""

from __future__ import annotations

import gc
import gzip
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._http import MAX_REPLY_BYTES, Transport
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

Pieces = Callable[[], Iterator[bytes]]

TIMEOUT = 0.4
# On top of its time: what a machine that is busy needs to notice.
GRACE = 1.0
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = OK + b"Content-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b'{"total": 0}\n'


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_kept_for_its_log() -> Iterator[None]:
    """pytest keeps what is logged, with the exception, and all that its frames hold on to."""
    logger = logging.getLogger("urllib3")
    logger.disabled = logging.getLogger("urllib3.connection").disabled = True
    yield
    logger.disabled = logging.getLogger("urllib3.connection").disabled = False


class Peer:
    """Answers every connection with the pieces that are set, whatever is asked, and then hangs up."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        self.pieces: Pieces = lambda: iter(())
        self.pause = 0.0
        self.read_first = True
        self.ended = threading.Event()

    def run(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):  # the client has hung up, which is what it should do
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(2)
        if self.read_first:
            connection.recv(65536)
        for piece in self.pieces():
            connection.sendall(piece)
            if self.pause and self.ended.wait(self.pause):
                return
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@contextmanager
def peer() -> Iterator[Peer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = Peer(listener)
        thread = threading.Thread(target=one.run, name="peer", daemon=True)
        thread.start()
        yield one
        one.ended.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert not thread.is_alive()


def ask(
    port: int, *, scheme: str = "http", timeout: float = TIMEOUT, body: bytes = b"", tidy: bool = True
) -> Response | CallError:
    """One request over a connection of its own, that must end in time.

    :param tidy: whether to look, which takes longer than the request, that it leaves nothing behind
    """
    threads, sockets = (_threads(), _sockets(port)) if tidy else (set(), set())
    transport = Transport(timeout=timeout, verify=True, clock=Clock(), use_proxies=False)
    started = time.monotonic()
    answer: Response | CallError
    try:
        answer = transport.send(Request("POST", f"{scheme}://127.0.0.1:{port}", "/x", (), {}, body))
    except CallError as exc:
        # What the exceptions of its cause hold on to is theirs.
        answer = CallError(exc.kind, exc.text, code=exc.code, status=exc.status)
    assert time.monotonic() - started < timeout + GRACE
    del transport
    if not tidy:
        return answer
    gc.collect()
    for thread in _threads() - threads:
        thread.join(1)
        assert not thread.is_alive(), f"{thread} was left behind"
    assert _sockets(port) <= sockets, "a socket was left behind"
    return answer


def _threads() -> set[threading.Thread]:
    """Those that a request may not leave behind. One thread watches over all of them and stays."""
    assert sum(thread.name == "watchman" for thread in threading.enumerate()) <= 1
    return {thread for thread in threading.enumerate() if thread.name not in ("peer", "watchman")}


def _sockets(port: int) -> set[int]:
    """File descriptors of this process that are connected to the peer."""
    connections = psutil.Process().net_connections("tcp")
    return {one.fd for one in connections if getattr(one.raddr, "port", None) == port}


def once(*pieces: bytes) -> Pieces:
    return lambda: iter(pieces)


def endless(start: bytes, piece: bytes) -> Pieces:
    return lambda: chain([start], repeat(piece))


# -- what never ends --------------------------------------------------------------------------------------------------

DRIPS: dict[str, Pieces] = {
    "nothing": endless(b"", b""),
    "status line": endless(b"HTTP/1.1 200 O", b"K"),
    "header name": endless(OK, b"X"),
    "headers": endless(OK, b"X: y\r\n"),
    "100 Continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body with a length": endless(OK + b"Content-Length: 1000\r\n\r\n", b"x"),
    "body until the end": endless(OK + b"\r\n", b"x"),
    "chunks": endless(CHUNKED, b"1\r\nx\r\n"),
    "size of a chunk": endless(CHUNKED, b"0"),
    "extension of a chunk": endless(CHUNKED + b"5;", b"x"),
    "trailers": endless(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "body of a redirect": endless(b"HTTP/1.1 307 Moved\r\nLocation: /y\r\nContent-Length: 1000\r\n\r\n", b"x"),
    "packed body": endless(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:10], b"\0"),
    "what is no HTTP": endless(b"", b"\0\xff"),
    "after a first half": once(OK + b"Content-Length: 10\r\n\r\nhalf", *[b""] * 100),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_what_drips_without_end_ends_in_time(drip: str) -> None:
    with peer() as one:
        one.pieces, one.pause = DRIPS[drip], 0.05
        answer = ask(one.port)
    assert isinstance(answer, CallError)
    assert answer.kind is Kind.LOST
    assert answer.code in ("timeout", "connection_broken")


def test_a_body_whose_end_is_not_announced_is_never_taken_for_whole_because_time_was_over() -> None:
    with peer() as one:
        one.pieces, one.pause = endless(OK + b"\r\n{}", b" "), 0.05
        answer = ask(one.port)
    assert isinstance(answer, CallError)
    assert (answer.kind, answer.code) == (Kind.LOST, "timeout")


BLOCK = b"x" * 65536
FLOODS: dict[str, Pieces] = {
    "headers": endless(OK, b"X: y\r\n" * 1000),
    "a header": endless(OK + b"X: ", BLOCK),
    "status line": endless(b"HTTP/1.1 200 ", BLOCK),
    "100 Continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "103 Early Hints": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000),
    "101 Switching Protocols": endless(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", BLOCK),
    "body": endless(OK + b"\r\n", BLOCK),
    "body of an error": endless(b"HTTP/1.1 500 No\r\n\r\n", BLOCK),
    "body of a redirect": endless(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", BLOCK),
    "chunks of one byte": endless(CHUNKED, b"1\r\nx\r\n" * 10_000),
    "chunk": endless(CHUNKED + b"f" * 16 + b"\r\n", BLOCK),
    "size of a chunk": endless(CHUNKED, b"0" * 65536),
    "trailers": endless(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000),
    "cookies": endless(OK, b"Set-Cookie: a=b; expires=Wed, 99 Foo 99999 99:99:99\r\n" * 90 + b"\r\n"),
    "what is no HTTP": endless(b"", b"\0\xff" * 30_000),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_ends_in_time(flood: str) -> None:
    with peer() as one:
        one.pieces = FLOODS[flood]
        answer = ask(one.port, timeout=1)
    assert isinstance(answer, CallError)
    assert answer.kind in (Kind.LOST, Kind.BROKEN)


@pytest.mark.parametrize("status", [101, 102, 103, 199])
def test_a_reply_that_only_announces_another_one_decides_nothing(status: int) -> None:
    with peer() as one:
        one.pieces = once(b"HTTP/1.1 %d X\r\n\r\n" % status, GOOD)
        answer = ask(one.port)
    assert isinstance(answer, CallError)
    assert (answer.kind, answer.status) == (Kind.BROKEN, status)


@pytest.mark.parametrize(
    "head", [OK, OK + b"Content-Le", OK + b"Content-Length: 0\r\n", b"HTTP/1.1 200 OK", b"HTTP/1.1 20"]
)
def test_a_head_that_breaks_off_is_no_reply(head: bytes) -> None:
    with peer() as one:
        one.pieces = once(head)
        answer = ask(one.port)
    assert isinstance(answer, CallError)
    assert answer.kind is Kind.LOST


# -- lengths that lie, encodings that nobody asked for ----------------------------------------------------------------

LIES: dict[str, bytes] = {
    "longer than it is": OK + b"Content-Length: 99\r\n\r\n{}",
    "length of many digits": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "chunk that is longer": CHUNKED + b"99\r\n{}",
    "chunk of a negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "chunk of no size": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "no last chunk": CHUNKED + b"2\r\n{}\r\n",
    "gzip that is none": OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "deflate that is none": OK + b"Content-Encoding: deflate\r\nContent-Length: 2\r\n\r\n{}",
    "gzip that is cut": OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"total": 0}')[:-9],
}


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "length of many digits"])
def test_a_body_that_is_not_what_was_announced_is_no_reply(lie: str) -> None:
    with peer() as one:
        one.pieces = once(LIES[lie])
        answer = ask(one.port)
    assert isinstance(answer, CallError)
    assert answer.kind.may_have_run


ODD: dict[str, tuple[bytes, bytes]] = {
    "negative length": (OK + b"Content-Length: -5\r\n\r\n{}", b"{}"),
    "length of many digits": (LIES["length of many digits"], b"{}"),
    "no number": (OK + b"Content-Length: five\r\n\r\n{}", b"{}"),
    "chunked and a length": (
        OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"{}",
    ),
    "gzip": (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), b"{}"),
    "deflate": (OK + b"Content-Encoding: Deflate\r\n\r\n" + zlib.compress(b"{}"), b"{}"),
    "packed nothing": (OK + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", b""),
    "a character set for an encoding": (OK + b"Content-Encoding: utf-8\r\n\r\n{}", b"{}"),
    "br": (OK + b"Content-Encoding: br\r\n\r\n\x0b", b"\x0b"),
    "zstd": (OK + b"Content-Encoding: zstd\r\n\r\n\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd"),
    "gzip twice": (OK + b"Content-Encoding: gzip, gzip\r\n\r\n" + gzip.compress(b"x" * 99)[:4], b"\x1f\x8b\x08\x00"),
    "early hints first": (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, b'{"total": 0}\n'),
    "line feeds alone": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}"),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n{}", b"{}"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
}


@pytest.mark.parametrize("oddity", ODD)
def test_what_is_odd_and_whole_is_a_reply(oddity: str) -> None:
    sent, body = ODD[oddity]
    with peer() as one:
        one.pieces = once(sent)
        answer = ask(one.port)
    assert isinstance(answer, Response)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize(
    "location",
    [b"\xff\xfe", b"http://[", b"http://a:b:c/", b"//", b"\x1b[31m", b"x" * 60_000, b"http://%zz@/"],
    ids=str,
)
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_to_nonsense_is_a_reply(status: int, location: bytes) -> None:
    with peer() as one:
        one.pieces = once(b"HTTP/1.1 %d X\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location))
        answer = ask(one.port)
    assert isinstance(answer, Response)
    assert answer.status == status


def test_a_reply_before_the_request_was_read_ends_in_time() -> None:
    with peer() as one:
        one.pieces, one.read_first = once(GOOD), False
        answer = ask(one.port, body=b"x" * 10_000_000, timeout=2)
    assert isinstance(answer, Response) or answer.kind.may_have_run


def test_a_peer_that_never_reads_a_large_request_ends_in_time() -> None:
    with peer() as one:
        one.pieces, one.read_first, one.pause = endless(b"", b""), False, 0.05
        answer = ask(one.port, body=b"x" * 10_000_000)
    assert isinstance(answer, CallError)
    assert answer.kind is Kind.LOST


@pytest.mark.parametrize(
    "sent", [b"", b"\x16\x03\x03\x00\x05garba", b"HTTP/1.1 400 No\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28"]
)
def test_tls_that_is_none_was_never_reached(sent: bytes) -> None:
    with peer() as one:
        one.pieces = once(sent)
        answer = ask(one.port, scheme="https")
    assert isinstance(answer, CallError)
    assert answer.kind is Kind.UNREACHED


def test_tls_that_drips_ends_in_time() -> None:
    with peer() as one:
        one.pieces, one.pause = endless(b"\x16\x03\x03\x40\x00", b"\x02"), 0.05
        answer = ask(one.port, scheme="https")
    assert isinstance(answer, CallError)
    assert answer.kind is Kind.UNREACHED


def test_a_proxy_that_never_opens_the_tunnel_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with peer() as one:
        one.pieces, one.pause = endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), 0.05
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{one.port}")
        monkeypatch.setenv("no_proxy", "")
        transport = Transport(timeout=TIMEOUT, verify=True, clock=Clock(), use_proxies=True)
        started = time.monotonic()
        with pytest.raises(CallError) as caught:
            transport.send(Request("POST", "https://sls.example.com", "/x"))
        assert time.monotonic() - started < TIMEOUT + GRACE
    assert caught.value.kind is Kind.UNREACHED


# -- any byte ---------------------------------------------------------------------------------------------------------

REPLIES = (
    GOOD,
    CHUNKED + b'6\r\n{"tota\r\n6;x=y\r\nl": 0}\r\n0\r\nX-T: y\r\n\r\n',
    b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n",
    OK + b"Content-Encoding: gzip\r\nSet-Cookie: a=b; Path=/\r\n\r\n" + gzip.compress(b'{"total": 0}', mtime=0),
)


@pytest.fixture(scope="module")
def lasting_peer() -> Iterator[Peer]:
    with ExitStack() as stack:
        yield stack.enter_context(peer())


@pytest.mark.parametrize("number", range(len(REPLIES)))
def test_a_reply_that_ends_at_any_byte_is_whole_or_none(lasting_peer: Peer, number: int) -> None:
    for end in range(0, len(REPLIES[number]), 3):
        lasting_peer.pieces = once(REPLIES[number][:end])
        answer = ask(lasting_peer.port, timeout=5, tidy=False)
        assert isinstance(answer, Response) or answer.kind.may_have_run


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A reply with some bytes of it replaced, cut out or put in."""
    text = bytearray(draw(st.sampled_from(REPLIES)))
    for _number in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        size = draw(st.integers(0, 8))
        strange = st.one_of(
            st.binary(max_size=8), st.sampled_from([b"\r\n", b"\r\n\r\n", b":", b"\0", b"-1", b"\xff" * 9])
        )
        text[start : start + size] = draw(strange)
    return bytes(text)


@given(st.one_of(mutated(), st.binary(max_size=200), st.binary(max_size=200).map(lambda tail: OK + tail)))
def test_whatever_is_sent_ends_in_a_reply_or_a_call_error(lasting_peer: Peer, sent: bytes) -> None:
    lasting_peer.pieces = once(sent)
    answer = ask(lasting_peer.port, timeout=5, tidy=False)
    if isinstance(answer, CallError):
        assert answer.kind.may_have_run
    else:
        assert len(answer.body) <= MAX_REPLY_BYTES


# -- bombs ------------------------------------------------------------------------------------------------------------

_MEASURE = """
import resource, sys
from fuzz.test_sockets import bombs, once, peer, ask
packed = bombs()
with peer() as one:
    ask(one.port, timeout=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for sent in packed:
        one.pieces = once(sent)
        answer = ask(one.port, timeout=5)
        print(getattr(answer, "code", None) or len(answer.body))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def bombs() -> list[bytes]:
    """Replies that are a GiB when unpacked: packed by gzip, by zlib, twice, and below a redirect."""
    packed = []
    for form in (zlib.MAX_WBITS | 16, zlib.MAX_WBITS):
        packer = zlib.compressobj(9, zlib.DEFLATED, form)
        head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
        # What follows such a flush can be repeated: it refers to nothing before it.
        block = packer.compress(b"\0" * 1024**2) + packer.flush(zlib.Z_FULL_FLUSH)
        packed.append(head + block * 1024 + packer.flush())
    twice = gzip.compress(packed[0])
    return [
        OK + b"Content-Encoding: gzip\r\n\r\n" + packed[0],
        OK + b"Content-Encoding: deflate\r\n\r\n" + packed[1],
        OK + b"Content-Encoding: gzip, gzip\r\n\r\n" + twice,
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Encoding: gzip\r\n\r\n" + packed[0],
    ]


def test_a_bomb_is_not_unpacked() -> None:
    tests = str(Path(__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    *answers, grown = done.stdout.split()
    assert answers[0] == answers[1] == answers[3] == "reply_too_large", done.stderr
    assert int(grown) < 10 * MAX_REPLY_BYTES / 1024
