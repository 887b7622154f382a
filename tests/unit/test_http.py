# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending over real sockets: what is refused, what is bounded, and which failure is called what."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils import _http
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline, Patience
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._http import MAX_REPLY_BYTES, Transport
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

Serve = Callable[[socket.socket, bytes], object]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """A server on loopback that hands each request's head, with what follows it, to a function."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_on(connection: socket.socket) -> None:
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    head += piece
                with suppress(OSError):  # the client has hung up, which is what some tests are about
                    serve(connection, head)

        def run() -> None:
            while True:
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer_on, args=[connection], daemon=True).start()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def answer(text: str) -> Serve:
    return lambda connection, _head: connection.sendall(text.encode())


def send(base_url: str, *, timeout: float = 5, method: str = "GET", body: bytes = b"") -> Response:
    transport = Transport(timeout=timeout, verify=True, clock=Clock(), use_proxies=False)
    request = Request(method, base_url, "/x", (), {"Host": "shop.127.0.0.1"}, body)
    return transport.send(request.with_headers({"Authorization": "signed"}))


def failure(base_url: str, *, timeout: float = 5) -> CallError:
    with pytest.raises(CallError) as caught:
        send(base_url, timeout=timeout)
    return caught.value


def test_a_reply_is_read_whole_and_header_names_are_lower_case() -> None:
    with server(answer("HTTP/1.1 200 OK\r\nX-Thing: Yes\r\nContent-Length: 2\r\n\r\nok")) as url:
        response = send(url)
    assert (response.status, response.headers["x-thing"], response.body) == (200, "Yes", b"ok")


def test_an_entry_of_netrc_does_not_replace_the_signature(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    heads: list[bytes] = []

    def serve(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with server(serve) as url:
        transport = Transport(timeout=5, verify=True, clock=Clock(), use_proxies=True)
        transport.send(Request("GET", url, "/x", headers={"Authorization": "signed"}))
    assert b"Authorization: signed\r\n" in heads[0]
    assert b"Basic" not in heads[0]


def test_cookies_are_not_sent_back() -> None:
    heads: list[bytes] = []

    def serve(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    with server(serve) as url:
        transport = Transport(timeout=5, verify=True, clock=Clock(), use_proxies=False)
        for _number in range(2):
            transport.send(Request("GET", url, "/x"))
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


def test_a_redirect_is_handed_back_and_not_followed() -> None:
    with server(answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")) as url:
        assert send(url).status == 302


def test_a_refused_connection_never_reached_the_service() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert failure(url).kind is Kind.UNREACHED


def test_a_name_that_does_not_resolve_never_reached_the_service() -> None:
    assert failure("http://does-not-exist.invalid").kind is Kind.UNREACHED


def test_a_connection_that_ends_without_a_reply_is_lost() -> None:
    with server(lambda connection, _head: None) as url:
        assert failure(url).kind is Kind.LOST


def test_a_body_that_ends_too_early_is_lost() -> None:
    with server(answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")) as url:
        assert failure(url).kind is Kind.LOST


def test_a_chunked_body_that_ends_too_early_is_lost() -> None:
    with server(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf")) as url:
        assert failure(url).kind is Kind.LOST


def test_no_reply_in_time_is_lost() -> None:
    release = threading.Event()
    with server(lambda connection, _head: release.wait(10)) as url:
        error = failure(url, timeout=0.2)
        release.set()
    assert (error.kind, error.code) == (Kind.LOST, "timeout")


def test_a_reply_that_drips_meets_the_deadline() -> None:
    def serve(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:  # until the client hangs up
            connection.sendall(b"x")

    with server(serve) as url:
        error = failure(url, timeout=0.2)
    assert error.kind in (Kind.LOST, Kind.BROKEN)


@pytest.mark.parametrize("drop", [b"X-Drop: x\r\n", b"x"])
def test_a_head_that_drips_meets_the_deadline(drop: bytes) -> None:
    def serve(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        hung_up = threading.Event()
        while not hung_up.wait(0.05):  # until the client hangs up
            connection.sendall(drop)

    with server(serve) as url:
        error = failure(url, timeout=0.3)
    assert (error.kind, error.code) == (Kind.LOST, "timeout")


def test_a_reply_that_is_only_ever_announced_meets_the_deadline() -> None:
    def serve(connection: socket.socket, _head: bytes) -> None:
        while True:  # until the client hangs up
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with server(serve) as url:
        error = failure(url, timeout=0.3)
    assert (error.kind, error.code) == (Kind.LOST, "timeout")


def test_a_huge_reply_is_not_read_to_its_end() -> None:
    sent = 0

    def serve(connection: socket.socket, _head: bytes) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _number in range(64):
            connection.sendall(b"x" * 1024**2)
            sent += 1024**2

    with server(serve) as url:
        error = failure(url, timeout=60)
    assert (error.kind, error.code) == (Kind.BROKEN, "reply_too_large")
    assert sent < 8 * MAX_REPLY_BYTES


def test_a_body_that_is_not_what_its_encoding_says_is_broken() -> None:
    with server(answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")) as url:
        assert failure(url).kind is Kind.BROKEN


def test_what_is_no_http_is_lost() -> None:
    with server(answer("SSH-2.0-OpenSSH_9.2\r\n\r\n")) as url:
        assert failure(url).kind is Kind.LOST


def test_tls_to_a_server_without_it_never_reached_the_service() -> None:
    with server(answer("HTTP/1.1 400 Bad Request\r\n\r\n")) as url:
        assert failure(url.replace("http://", "https://")).kind in (Kind.LOST, Kind.UNREACHED)


class TestThroughAProxy:
    """A proxy must not turn a reply that is lost into a request that was never sent."""

    def failure(self, proxy: str, monkeypatch: pytest.MonkeyPatch, url: str, *, timeout: float = 5) -> CallError:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.setenv("no_proxy", "")
        transport = Transport(timeout=timeout, verify=False, clock=Clock(), use_proxies=True)
        with pytest.raises(CallError) as caught:
            transport.send(Request("PUT", url, "/x", body=b"[]"))
        return caught.value

    def test_a_lost_reply_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        heads: list[bytes] = []
        with server(lambda connection, head: heads.append(head)) as proxy:
            assert self.failure(proxy, monkeypatch, "http://sls.example.com").kind is Kind.LOST
        assert heads[0].startswith(b"PUT http://sls.example.com/x ")

    def test_a_late_reply_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        release = threading.Event()
        with server(lambda connection, _head: release.wait(10)) as proxy:
            error = self.failure(proxy, monkeypatch, "http://sls.example.com", timeout=0.2)
            release.set()
        assert error.kind is Kind.LOST

    def test_a_proxy_that_is_not_there_means_that_nothing_was_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for url in ("http://sls.example.com", "https://sls.example.com"):
            assert self.failure(proxy, monkeypatch, url).kind is Kind.UNREACHED

    def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_was_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with server(answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as proxy:
            assert self.failure(proxy, monkeypatch, "https://sls.example.com").kind is Kind.UNREACHED


@pytest.mark.parametrize(("in_use", "kept"), [(60.0, True), (0.0, False)])
def test_what_changes_something_takes_a_connection_in_use_or_a_new_one(
    monkeypatch: pytest.MonkeyPatch, in_use: float, kept: bool
) -> None:
    connections: list[socket.socket] = []

    def serve(connection: socket.socket, _head: bytes) -> None:
        connections.append(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        while b"\r\n\r\n" in connection.recv(65536):
            connections.append(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setattr(_http, "_IN_USE", in_use)
    with server(serve) as url:
        transport = Transport(timeout=5, verify=True, clock=Clock(), use_proxies=False)
        for fresh in (False, False, True):
            transport.send(Request("GET", url, "/x"), fresh=fresh)
        assert connections[0] is connections[1]
        assert (connections[1] is connections[2]) is kept


def test_where_less_time_is_left_a_request_has_no_more() -> None:
    clock, patience = Clock(), Patience()
    patience.deadline = Deadline.after(clock, 0)
    transport = Transport(timeout=60, verify=True, clock=clock, use_proxies=False, patience=patience)
    with server(lambda connection, _head: connection.recv(1)) as url:
        began = clock.monotonic()
        with pytest.raises(CallError) as caught:
            transport.send(Request("GET", url, "/x"))
    assert caught.value.code == "timeout"
    assert clock.monotonic() - began < 10


class Jumping(Clock):
    """The machine's time is another one at every look."""

    def __init__(self) -> None:
        super().__init__()
        self._hours = 0

    def machine_time(self) -> float:
        self._hours = 1 - self._hours
        return super().machine_time() + 7200 * self._hours - 3600


def test_the_time_of_a_request_does_not_depend_on_the_wall_clock() -> None:
    transport = Transport(timeout=0.3, verify=True, clock=Jumping(), use_proxies=False)
    with server(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as url:
        assert transport.send(Request("GET", url, "/x")).body == b"ok"
    with server(lambda connection, _head: connection.recv(1)) as url, pytest.raises(CallError) as caught:
        transport.send(Request("GET", url, "/x"))
    assert caught.value.code == "timeout"
