# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side: one port for all services, faults on the wire, a record of every request, the control API."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakSet

import yaml
from aiohttp import web
from multidict import CIMultiDict

from local_cloud import faults as fault_kinds
from local_cloud.faults import Effect, Fault, FaultBook, Wire
from local_cloud.gates import Gate, Moment
from local_cloud.services import Answer, Call, Headers, Operation, Refusal, Service
from local_cloud.tasks import Clock, ScenarioError, seconds
from local_cloud.world import World

READ_LIMIT = 12 * 1024 * 1024 + 1  # one byte more than any service takes, so that each itself can refuse
CONTROL = "/_cloud/"
# In the body of a request for a token: a password, a token.
_SECRET_MEMBERS = re.compile(rb'("password"|"token"\s*:\s*\{\s*"id")(\s*:\s*)"(?:[^"\\]|\\.)*"')
_SECRET_HEADERS = ("authorization", "x-acs-security-token", "x-auth-token", "x-security-token", "x-tc-token", "sign")


@dataclass(frozen=True)
class RecordedRequest:
    """One request that reached the server. Secrets are shortened."""

    time: float
    request_id: str
    service: str
    operation: str
    method: str
    target: str
    headers: Headers
    body: str
    scope: Mapping[str, str]
    changes: bool  # a call that may change something; `ids` are the tasks that it names
    ids: tuple[str, ...]
    status: int | None  # None: no answer at all
    code: str | None  # the vendor's error code, if the answer was a refusal
    fault: str | None
    took_effect: bool  # the operation was carried out, whatever the client was told

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def project(self) -> str:
        return self.scope.get("project", "")

    @property
    def logstore(self) -> str:
        return self.scope.get("logstore", "")

    @property
    def shipper(self) -> str:
        return self.scope.get("shipper", "")


@dataclass(frozen=True)
class _Outcome:
    answer: Answer
    headers: Headers
    fault: Fault | None = None


class Cloud:
    """Services, faults and records; turns calls into answers. Knows nothing of sockets."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.scenario: Mapping[str, Any] = {}
        self._clean()

    def _clean(self) -> None:
        self.world = World(self.clock)
        self.faults = FaultBook()
        self.gates: list[Gate] = []
        self.latency = 0.0  # seconds of a round trip; a new connection takes one of its own before the first request
        self.requests: list[RecordedRequest] = []
        self.trapped: list[RecordedRequest] = []

    def load(self, scenario: Mapping[str, Any]) -> None:
        """Starts anew with this scenario."""
        self.scenario = scenario
        self._clean()
        self.world.load(scenario)
        try:
            self.latency = seconds(scenario.get("latency", 0))
            self.faults.add(*(fault_kinds.from_mapping(one) for one in scenario.get("faults") or []))
            for limit in scenario.get("rate_limits") or []:
                self.faults.add_rate_limit(**limit)
        except TypeError as error:
            raise ScenarioError(str(error)) from error

    def answer(self, call: Call) -> _Outcome:
        with self.world.lock:
            service = next((one for one in self.world.services.values() if one.claims(call)), None)
            if service is None:
                return _Outcome(Answer(404), ())
            operation = service.operation(call)
            now = self.clock.now() + self.faults.skew(operation)
            return self._serve(service, call, operation, now)

    def _serve(self, service: Service, call: Call, operation: Operation, now: float) -> _Outcome:
        fault: Fault | None = None
        code: str | None = None
        done = False
        answer = Answer(200)
        try:
            service.authenticate(call, operation, now)
            fault = self.faults.take(operation)
            limit = self.faults.throttles(operation, now)
            if fault is None and limit is not None:
                fault = fault_kinds.throttle(retry_after=limit.retry_after, kind="rate_limit")
            if fault is None or fault.effect is Effect.AFTER:
                answer = service.execute(call, operation, now)
                done = True
        except Refusal as refused:
            code, answer = refused.code, service.refused(refused)
        if fault is not None:
            answer = fault.answer_for(call, answer, service, service.secrets(call))
            refused_by_fault = fault.refusal_by(service)
            code = refused_by_fault.code if refused_by_fault is not None else code
        silent = fault is not None and fault.wire in (Wire.RESET, Wire.CLOSE)
        self.requests.append(
            record(
                call,
                time=self.clock.now(),
                service=service.name,
                operation=operation,
                status=None if silent else answer.status,
                code=code,
                fault=fault.kind if fault else None,
                took_effect=done,
            )
        )
        return _Outcome(answer, merge(service.reply_headers(call, now), answer.headers), fault)

    def gates_for(self, call: Call) -> list[Gate]:
        """The gates that hold this request, which has just arrived."""
        with self.world.lock:
            service = next((one for one in self.world.services.values() if one.claims(call)), None)
            operation = service.operation(call).name if service is not None and self.gates else ""
            return [gate for gate in self.gates if gate.counts(operation)]

    def summary(self) -> dict[str, Any]:
        with self.world.lock:
            sent = Counter(one for request in self.requests for one in request.ids)
            return {
                "requests": dict(Counter(request.operation for request in self.requests)),
                "statuses": dict(Counter(str(request.status) for request in self.requests)),
                "throttled": sum(self._was_throttled(request) for request in self.requests),
                "tasks_sent_once": sum(times == 1 for times in sent.values()),
                "tasks_sent_more": {one: times for one, times in sent.items() if times > 1},
                "retries_executed": sum(self.world.executed.values()),
                "tasks_executed_more": {one: times for one, times in self.world.executed.items() if times > 1},
                "violations": [asdict(one) for one in self.world.violations],
                "followed_redirects": len(self.trapped),
            }

    def _was_throttled(self, request: RecordedRequest) -> bool:
        """By a fault, by a rate limit, or by a limit of the service's own."""
        usual = self.world.services[request.service].throttled().code
        return request.fault in ("throttle", "rate_limit") or request.code == usual


def merge(usual: Headers, special: Headers) -> Headers:
    """Special headers take the place of usual ones."""
    names = {key.lower() for key, _ignored in special}
    return (*((key, value) for key, value in usual if key.lower() not in names), *special)


def record(call: Call, *, operation: Operation, **more: Any) -> RecordedRequest:
    headers = tuple((key, shorten(value) if key.lower() in _SECRET_HEADERS else value) for key, value in call.headers)
    return RecordedRequest(
        request_id=call.request_id,
        method=call.method,
        target=call.target,
        headers=headers,
        body=_SECRET_MEMBERS.sub(rb'\1\2"..."', call.body).decode("utf-8", "replace"),
        operation=operation.name,
        scope=dict(operation.scope),
        changes=operation.changes,
        ids=tuple(operation.ids),
        **more,
    )


def shorten(secret: str) -> str:
    return f"{secret[:12]}...({len(secret)})" if len(secret) > 16 else "..."


class Server:
    """A `Cloud` behind one loopback port."""

    def __init__(self, cloud: Cloud, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None):
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("the local cloud listens on loopback only")
        self.cloud = cloud
        self.port = port
        self._host = host
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self._met: WeakSet[asyncio.Transport] = WeakSet()

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    async def start(self) -> None:
        # Bodies must stay as sent: their hashes are checked.
        server = web.Server(self._handle, auto_decompress=False, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = await _read(request)
        if call.path.startswith(CONTROL):
            return await self._control(call)
        latency = self.cloud.latency  # each call waits by itself: others are served meanwhile
        if latency and self._is_first(request):
            await asyncio.sleep(latency)
        gates = self.cloud.gates_for(call) if self.cloud.gates else []
        if not await _pass(gates, Moment.ARRIVED):
            _drop(request, rst=False)
            return web.Response()
        outcome = self.cloud.answer(call)
        if latency:
            await asyncio.sleep(latency)
        if not await _pass(gates, Moment.EXECUTED):
            _drop(request, rst=False)
            return web.Response()
        response = await _write(request, outcome)
        if any(gate.moment is Moment.ANSWERED for gate in gates):
            await response.prepare(request)
            await response.write_eof()
            await _pass(gates, Moment.ANSWERED)
        return response

    def _is_first(self, request: web.BaseRequest) -> bool:
        """Whether it is the first on its connection, which had to be made for it."""
        transport = request.transport
        if transport is None or transport in self._met:
            return False
        self._met.add(transport)
        return True

    # -- control API -------------------------------------------------------------------------------------------------

    async def _control(self, call: Call) -> web.StreamResponse:
        name = call.path[len(CONTROL) :]
        if name.partition("/")[0] == "trap":
            trapped = record(
                call,
                time=self.cloud.clock.now(),
                service="trap",
                operation=Operation("Trapped"),
                status=200,
                code=None,
                fault=None,
                took_effect=False,
            )
            with self.cloud.world.lock:
                self.cloud.trapped.append(trapped)
            return web.Response(body=b"")
        if not re.match(r"^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$", call.header("host") or ""):
            return web.json_response({"error": "the control API answers on a loopback Host only"}, status=403)
        handler = self._control_routes().get((call.method, name))
        if handler is None:
            return web.json_response({"error": f"no {call.method} {call.path}"}, status=404)
        try:
            content = yaml.safe_load(call.body) if call.body else None
            with self.cloud.world.lock:
                return web.json_response(handler(content))
        except (ScenarioError, LookupError, TypeError, ValueError, yaml.YAMLError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    def _control_routes(self) -> Mapping[tuple[str, str], Callable[[Any], Any]]:
        cloud = self.cloud
        return {
            ("GET", "requests"): lambda _: [asdict(one) for one in cloud.requests],
            ("GET", "trapped"): lambda _: [asdict(one) for one in cloud.trapped],
            ("GET", "tasks"): lambda _: [one for service in cloud.world.services.values() for one in service.tasks()],
            ("GET", "summary"): lambda _: cloud.summary(),
            ("POST", "faults"): self._post_faults,
            ("DELETE", "faults"): lambda _: cloud.faults.clear(),
            ("POST", "reset"): lambda _: cloud.load(cloud.scenario),
            ("POST", "scenario"): lambda content: cloud.load(content or {}),
            ("POST", "clock"): lambda content: cloud.clock.advance(float(content["advance"])),
        }

    def _post_faults(self, content: Any) -> Any:
        for one in content if isinstance(content, list) else [content]:
            if "rate_limit" in one:
                self.cloud.faults.add_rate_limit(**one["rate_limit"])
            else:
                self.cloud.faults.add(fault_kinds.from_mapping(one))
        return {"pending": [fault.kind for fault in self.cloud.faults.pending()]}


# -- the wire -------------------------------------------------------------------------------------------------------


async def _read(request: web.BaseRequest) -> Call:
    body = bytearray()
    while len(body) < READ_LIMIT:
        chunk = await request.content.read(READ_LIMIT - len(body))
        if not chunk:
            break
        body += chunk
    headers = tuple(
        (key.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
        for key, value in request.raw_headers
    )
    # A proxied request carries the whole URL: the server can stand in as an HTTP proxy for the vendor's host names.
    target = re.sub(r"^http://[^/?#]*", "", request.raw_path) or "/"
    return Call(request.method, target, headers, bytes(body), secrets.token_hex(12).upper(), request.secure)


async def _pass(gates: list[Gate], moment: Moment) -> bool:
    """Wait at the gates of this moment; whether the request goes on."""
    goes_on = True
    for gate in gates:
        if gate.moment is moment:
            goes_on = await gate.hold() and goes_on
    return goes_on


async def _write(request: web.BaseRequest, outcome: _Outcome) -> web.StreamResponse:
    fault, answer = outcome.fault, outcome.answer
    if fault is not None and fault.delay:
        await asyncio.sleep(fault.delay)
    wire = fault.wire if fault is not None else Wire.PLAIN
    if wire is Wire.RESET:
        _drop(request, rst=True)
    elif wire is Wire.CLOSE:
        _drop(request, rst=False)
    elif wire is Wire.PLAIN:
        return web.Response(status=answer.status, body=answer.body, headers=_multi(outcome.headers))
    else:
        assert fault is not None
        await _write_slowly(request, outcome, fault)
    return web.Response()  # nobody is left to get it


def _multi(headers: Headers) -> CIMultiDict[str]:
    return CIMultiDict(headers)


async def _write_slowly(request: web.BaseRequest, outcome: _Outcome, fault: Fault) -> None:
    response = web.StreamResponse(status=outcome.answer.status, headers=_multi(outcome.headers))
    body = outcome.answer.body or b"{}"
    if fault.wire is not Wire.ENDLESS:
        response.content_length = len(body)
    else:
        response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        if fault.wire is Wire.CUT:
            await response.write(body[: len(body) // 2])
        else:
            await asyncio.wait_for(_pour(response, body, fault), fault.max_seconds)
    except (asyncio.TimeoutError, ConnectionError):
        pass
    _drop(request, rst=False)


async def _pour(response: web.StreamResponse, body: bytes, fault: Fault) -> None:
    if fault.wire is Wire.ENDLESS:
        while True:
            await response.write(b" " * 16384)
            await asyncio.sleep(0.005)
    for position in range(len(body)):
        await response.write(body[position : position + 1])
        await asyncio.sleep(fault.interval)


def _drop(request: web.BaseRequest, *, rst: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if rst:
        # SO_LINGER with zero seconds makes the kernel send RST instead of FIN.
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
