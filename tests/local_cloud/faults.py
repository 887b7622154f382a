# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripted faults: what goes wrong, for which operation, how often, and whether the call took effect all the same.

A genuine call is checked before any fault: a wrong signature is answered as such and uses up no fault.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from local_cloud.services import Answer, Call, Headers, Operation, Refusal, Service
from local_cloud.tasks import ScenarioError

FOREVER = None


class Effect(str, Enum):
    BEFORE = "before"  # the fault strikes first: the operation is not carried out
    AFTER = "after"  # the operation is carried out, only its answer is spoilt


class Wire(str, Enum):
    """How the answer is put on the wire."""

    PLAIN = "plain"
    RESET = "reset"  # RST instead of an answer
    CLOSE = "close"  # FIN instead of an answer
    CUT = "cut"  # Content-Length of the whole, half of the body, then FIN
    ENDLESS = "endless"  # chunked, never ends
    DRIP = "drip"  # a byte per interval


@dataclass(frozen=True)
class Fault:
    """One scripted fault. Use the constructors below."""

    kind: str
    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    scope: str | None = None  # the name of a project, Logstore or shipper
    effect: Effect = Effect.BEFORE
    wire: Wire = Wire.PLAIN
    delay: float = 0.0
    interval: float = 0.05
    max_seconds: float = 60.0
    skew: float = 0.0
    words: Callable[[Service], Refusal] | None = field(default=None, compare=False)
    echo: str | None = None
    answer: Answer | None = None
    spoil: Callable[[bytes], bytes] | None = field(default=None, compare=False)

    def matches(self, operation: Operation) -> bool:
        named = self.operation in ("*", operation.name)
        return named and (self.scope is None or self.scope in operation.scope.values())

    def refusal_by(self, service: Service) -> Refusal | None:
        """What the service says, if the fault makes it speak."""
        return self.words(service) if self.words is not None else None

    def answer_for(self, call: Call, genuine: Answer, service: Service, secrets: Mapping[str, str]) -> Answer:
        """What the client gets instead of the genuine answer (which is empty if nothing was carried out)."""
        refused = self.refusal_by(service)
        if refused is not None:
            if self.echo is not None:
                refused = Refusal(refused.status, refused.code, _echo(self.echo, call, secrets), refused.headers)
            return service.refused(refused)
        if self.answer is not None:
            return self.answer
        if self.spoil is not None:
            return Answer(genuine.status, self.spoil(genuine.body), genuine.headers)
        return genuine


def _echo(template: str, call: Call, secrets: Mapping[str, str]) -> str:
    """Fills `{authorization}`, `{token}`, `{headers}`, `{body}`, `{access_key_id}` and `{secret}` in."""
    values = {
        "authorization": call.header("authorization") or "",
        "token": call.header("x-acs-security-token") or "",
        "headers": "; ".join(f"{key}: {value}" for key, value in call.headers),
        "body": call.body.decode("utf-8", "replace"),
        **secrets,
    }
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


# -- constructors: each takes the operation first, and times, skip and scope by name --------------------------------


def throttle(
    operation: str = "*",
    *,
    code: str | None = None,
    status: int | None = None,
    message: str | None = None,
    retry_after: object | None = None,
    kind: str = "throttle",
    **when: Any,
) -> Fault:
    headers: Headers = () if retry_after is None else (("Retry-After", str(retry_after)),)

    def words(service: Service) -> Refusal:
        return _own(service.throttled(), status, code, message, headers)

    return Fault(kind, operation, words=words, **when)


def error(
    operation: str = "*",
    *,
    status: int | None = None,
    code: str | None = None,
    message: str | None = None,
    effect: str = "before",
    echo: str | None = None,
    **when: Any,
) -> Fault:
    """A vendor-style error, of the service's own making unless said otherwise.

    `echo` is a message with placeholders that give the request away, see `_echo`.
    """

    def words(service: Service) -> Refusal:
        return _own(service.broken(), status, code, message, ())

    return Fault("error", operation, effect=Effect(effect), words=words, echo=echo, **when)


def _own(usual: Refusal, status: int | None, code: str | None, message: str | None, headers: Headers) -> Refusal:
    """The service's usual refusal, with what the test says otherwise."""
    return Refusal(
        usual.status if status is None else status,
        usual.code if code is None else code,
        message if message is not None or code is not None else usual.message,
        headers,
    )


def ok_with_error(operation: str = "*", **more: Any) -> Fault:
    """Status 200 with an error envelope."""
    return error(operation, **{"status": 200, **more})


def raw(
    operation: str = "*",
    *,
    status: int = 200,
    body: str = "",
    content_type: str = "text/plain",
    headers: Mapping[str, str] | None = None,
    effect: str = "before",
    kind: str = "raw",
    **when: Any,
) -> Fault:
    """Any status, body and content type, as a gateway or a captive portal would send."""
    pairs = (("Content-Type", content_type), *(headers or {}).items())
    return Fault(kind, operation, effect=Effect(effect), answer=Answer(status, body.encode(), pairs), **when)


def html(operation: str = "*", *, status: int = 502, **more: Any) -> Fault:
    body = f"<html><head><title>{status} Bad Gateway</title></head><body><center>nginx</center></body></html>"
    return raw(operation, status=status, body=body, content_type="text/html", kind="html", **more)


def redirect(operation: str = "*", *, status: int = 302, location: str, **more: Any) -> Fault:
    """Sends the client elsewhere; `/_cloud/trap` of any local cloud records who followed, and with which headers."""
    headers = {"Location": location}
    return raw(operation, status=status, headers=headers, content_type="text/html", kind="redirect", **more)


def reset(operation: str = "*", *, effect: str = "before", **when: Any) -> Fault:
    return Fault("reset", operation, effect=Effect(effect), wire=Wire.RESET, **when)


def close(operation: str = "*", *, effect: str = "before", **when: Any) -> Fault:
    return Fault("close", operation, effect=Effect(effect), wire=Wire.CLOSE, **when)


def cut(operation: str = "*", **when: Any) -> Fault:
    """Carried out; the connection ends in the middle of the answer's body."""
    return Fault("cut", operation, effect=Effect.AFTER, wire=Wire.CUT, **when)


def late(operation: str = "*", *, delay: float, **when: Any) -> Fault:
    """Carried out at once; the answer leaves `delay` seconds later."""
    return Fault("late", operation, effect=Effect.AFTER, delay=delay, **when)


def broken_json(operation: str = "*", **when: Any) -> Fault:
    def spoil(body: bytes) -> bytes:
        return body[: len(body) // 2] or b'{"half":'

    return Fault("broken_json", operation, effect=Effect.AFTER, spoil=spoil, **when)


def wrong_shape(operation: str = "*", *, shape: str, key: str = "tasks", **when: Any) -> Fault:
    """Valid JSON of a wrong shape.

    list: the whole in a list; null: `key` is null; lone: `key` holds its first element only; strings: all numbers as
    strings; missing: `key` is gone. `key` is meant wherever it stands.
    """
    if shape not in _SHAPES:
        raise ScenarioError(f"shape is one of {sorted(_SHAPES)}")

    def spoil(body: bytes) -> bytes:
        content = json.loads(body.decode()) if body else {}
        return json.dumps(_SHAPES[shape](content, key)).encode()

    return Fault("wrong_shape", operation, effect=Effect.AFTER, spoil=spoil, **when)


def _strings(content: Any, key: str) -> Any:
    if isinstance(content, dict):
        return {name: _strings(value, key) for name, value in content.items()}
    if isinstance(content, list):
        return [_strings(value, key) for value in content]
    return str(content) if isinstance(content, (int, float)) and not isinstance(content, bool) else content


def _missing(content: Any, key: str) -> Any:
    if isinstance(content, dict):
        return {name: _missing(value, key) for name, value in content.items() if name != key}
    return [_missing(value, key) for value in content] if isinstance(content, list) else content


def _changed(content: Any, key: str, change: Callable[[Any], Any]) -> Any:
    if isinstance(content, dict):
        return {name: change(value) if name == key else _changed(value, key, change) for name, value in content.items()}
    return [_changed(value, key, change) for value in content] if isinstance(content, list) else content


_SHAPES: Mapping[str, Callable[[Any, str], Any]] = {
    "list": lambda content, key: [content],
    "null": lambda content, key: _changed(content, key, lambda _value: None),
    "lone": lambda content, key: _changed(content, key, lambda value: (value or [{}])[0]),
    "strings": _strings,
    "missing": _missing,
}


def skew(seconds: float, operation: str = "*", *, times: int | None = FOREVER, **when: Any) -> Fault:
    """The service's clock is off by so many seconds: in its Date header and in what it checks."""
    return Fault("skew", operation, times=times, skew=seconds, **when)


def endless(operation: str = "*", *, max_seconds: float = 60.0, **when: Any) -> Fault:
    return Fault("endless", operation, effect=Effect.AFTER, wire=Wire.ENDLESS, max_seconds=max_seconds, **when)


def drip(operation: str = "*", *, interval: float = 0.05, max_seconds: float = 60.0, **when: Any) -> Fault:
    """The genuine answer, one byte per interval."""
    return Fault(
        "drip", operation, effect=Effect.AFTER, wire=Wire.DRIP, interval=interval, max_seconds=max_seconds, **when
    )


def huge(operation: str = "*", *, mib: int = 32, **when: Any) -> Fault:
    """Carried out; the answer is padded with spaces to so many MiB (it stays valid JSON)."""
    return Fault("huge", operation, effect=Effect.AFTER, spoil=lambda body: body + b" " * (mib << 20), **when)


def gzip_bomb(operation: str = "*", *, mib: int = 64, **when: Any) -> Fault:
    """Carried out; a small gzip body that unpacks to so many MiB of spaces."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream:
        for _ignored in range(mib):
            stream.write(b" " * (1 << 20))
    answer = Answer(200, packed.getvalue(), (("Content-Encoding", "gzip"),))
    return Fault("gzip_bomb", operation, effect=Effect.AFTER, answer=answer, **when)


CONSTRUCTORS: Mapping[str, Callable[..., Fault]] = {
    "throttle": throttle,
    "error": error,
    "ok_with_error": ok_with_error,
    "raw": raw,
    "html": html,
    "redirect": redirect,
    "reset": reset,
    "close": close,
    "cut": cut,
    "late": late,
    "broken_json": broken_json,
    "wrong_shape": wrong_shape,
    "skew": skew,
    "endless": endless,
    "drip": drip,
    "huge": huge,
    "gzip_bomb": gzip_bomb,
}


def from_mapping(content: Mapping[str, Any]) -> Fault:
    """A fault as scenarios and the control API write it: `{fault: throttle, operation: ListShipper, times: 2}`."""
    arguments = dict(content)
    constructor = CONSTRUCTORS.get(arguments.pop("fault", ""))
    if constructor is None:
        raise ScenarioError(f"fault is one of {sorted(CONSTRUCTORS)}")
    if arguments.get("times") == "forever":
        arguments["times"] = FOREVER
    try:
        return constructor(**arguments)
    except (TypeError, ValueError) as problem:
        raise ScenarioError(f"{content['fault']}: {problem}") from problem


@dataclass
class _Scripted:
    fault: Fault
    skip: int
    left: int | None


@dataclass
class RateLimit:
    """A token bucket for each project (or Logstore, or shipper; `per: ""` is one for all). Beyond it: throttled."""

    rate: float
    burst: float = 1.0
    per: str = "project"
    operation: str = "*"
    retry_after: object | None = None
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def allows(self, operation: Operation, now: float) -> bool:
        if self.operation not in ("*", operation.name) or (self.per and self.per not in operation.scope):
            return True
        key = operation.scope.get(self.per, "")
        level, last = self._buckets.get(key, (float(self.burst), now))
        level = min(float(self.burst), level + (now - last) * self.rate)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now)
        return allowed


class FaultBook:
    """The faults still to come, and the rate limits. Used under the world's lock."""

    def __init__(self) -> None:
        self._scripted: list[_Scripted] = []
        self.rate_limits: list[RateLimit] = []

    def add(self, *faults: Fault) -> None:
        self._scripted += [_Scripted(fault, fault.skip, fault.times) for fault in faults]

    def add_rate_limit(self, **limit: Any) -> None:
        self.rate_limits.append(RateLimit(**limit))

    def clear(self) -> None:
        self._scripted.clear()
        self.rate_limits.clear()

    def pending(self) -> list[Fault]:
        """Faults that have not struck as often as planned (those without end excepted)."""
        return [one.fault for one in self._scripted if one.left]

    def skew(self, operation: Operation) -> float:
        """By how much the clock is off for this call."""
        return sum(one.fault.skew for one in self._scripted if one.fault.kind == "skew" and _strikes(one, operation))

    def take(self, operation: Operation) -> Fault | None:
        """The first fault due for this call; faults behind it wait for the next one."""
        for one in self._scripted:
            if one.fault.kind != "skew" and _strikes(one, operation):
                return one.fault
        return None

    def throttles(self, operation: Operation, now: float) -> RateLimit | None:
        return next((limit for limit in self.rate_limits if not limit.allows(operation, now)), None)


def _strikes(one: _Scripted, operation: Operation) -> bool:
    if not one.fault.matches(operation) or one.left == 0:
        return False
    if one.skip:
        one.skip -= 1
        return False
    if one.left is not None:
        one.left -= 1
    return True
