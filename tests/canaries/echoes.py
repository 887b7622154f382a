# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that shows all it knows of its caller: what was sent, and the keys behind it, wherever a reply has room."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from canaries.values import spelled
from local_cloud.faults import FOREVER, Effect, Fault
from local_cloud.services import Answer, Call, Refusal, Service

# Names under which services show words, in replies that are well formed otherwise.
_WORDS = re.compile("mess|msg|desc|reason|code|error|name|detail|info|node|title|log|plan", re.IGNORECASE)
_SIGNATURES = re.compile(r"Signature=([0-9a-f]{64})|LOG [^:]+:(\S+)")
_SIGNING_HEADERS = ("sign", "x-auth-token")


@dataclass(frozen=True)
class Echo(Fault):
    """Shows everything in one place of the reply.

    :ivar place: a key of PLACES
    :ivar secrets: by name; the caller's own, shown in every spelling
    :ivar seen: signatures and tokens that came with requests are noted here, as more that must not be shown
    """

    place: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def answer_for(self, call: Call, genuine: Answer, service: Service, secrets: Mapping[str, str]) -> Answer:
        self._note(call)
        spellings = [f"<{text}>" for secret in self.secrets.values() for text in spelled(secret).values()]
        headers = [f"{name}: {value}" for name, value in call.headers]
        text = "\n".join([*spellings, *headers, call.body.decode("utf-8", "replace")])
        return PLACES[self.place](text, genuine, service)

    def _note(self, call: Call) -> None:
        for match in _SIGNATURES.finditer(call.header("authorization") or ""):
            self.seen[f"signature {len(self.seen)}"] = match[1] or match[2]
        for name in _SIGNING_HEADERS:
            value = call.header(name)
            if value:
                self.seen[name] = value


def echo(operation: str, place: str, secrets: Mapping[str, str], seen: dict[str, str], **when: Any) -> Echo:
    """The fault, for every call of the operation; some need a genuine answer first."""
    effect = Effect.AFTER if place in NEED_ANSWER else Effect.BEFORE
    return Echo(
        "echo", operation, **{"times": FOREVER, "effect": effect, **when}, place=place, secrets=secrets, seen=seen
    )


def _refusal(status: int) -> Callable[[str, Answer, Service], Answer]:
    def refuse(text: str, _genuine: Answer, service: Service) -> Answer:
        usual = service.broken() if status != 429 else service.throttled()
        return service.refused(Refusal(status, usual.code, text))

    return refuse


def _code(text: str, _genuine: Answer, _service: Service) -> Answer:
    """As the code, and as every other part, of an error of any service."""
    error = {"Code": text, "Message": text, "code": text, "message": text}
    content = {"errorCode": text, "errorMessage": text, "code": text, "msg": text, "traceId": text, "error": error}
    content |= {"Response": {"Error": error, "RequestId": text}}
    content |= {"error_code": text, "error_msg": text, "request_id": text}
    return _json_answer(content, status=400)


def _page(status: int) -> Callable[[str, Answer, Service], Answer]:
    def page(text: str, _genuine: Answer, _service: Service) -> Answer:
        return Answer(status, f"<html>{text}</html>".encode(), (("Content-Type", "text/html"),))

    return page


def _headers(text: str, _genuine: Answer, _service: Service) -> Answer:
    line = "".join(char for char in " ".join(text.split()) if char.isascii() and char.isprintable())[:6000]
    names = ("x-log-requestid", "X-Request-Id", "X-IAM-Trace-Id", "Retry-After", "Server", "X-Subject-Token")
    location = ("Location", f"http://user:{quote(text)[:3000]}@127.0.0.1:1/{quote(text)[:3000]}?{quote(text)[:3000]}")
    return Answer(302, b"", (location, *((name, line) for name in names)))


def _details(text: str, genuine: Answer, _service: Service) -> Answer:
    return _poisoned(genuine, text, _WORDS)


def _everything(text: str, genuine: Answer, _service: Service) -> Answer:
    return _poisoned(genuine, text, re.compile(""))


def _half(text: str, genuine: Answer, service: Service) -> Answer:
    whole = _everything(text, genuine, service)
    return Answer(whole.status, whole.body[: len(whole.body) * 2 // 3], whole.headers)


PLACES: Mapping[str, Callable[[str, Answer, Service], Answer]] = {
    "refused": _refusal(400),
    "denied": _refusal(403),
    "failed": _refusal(500),
    "throttled": _refusal(429),
    "code": _code,
    "page": _page(403),
    "page instead": _page(200),
    "headers": _headers,
    "details": _details,
    "everything": _everything,
    "half": _half,
}
NEED_ANSWER = ("details", "everything", "half")


def _poisoned(genuine: Answer, text: str, names: re.Pattern[str]) -> Answer:
    content = json.loads(genuine.body or b"{}")
    return _json_answer(_with_text(content, text, names), status=genuine.status, headers=genuine.headers)


def _with_text(value: Any, text: str, names: re.Pattern[str], *, here: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: _with_text(inner, text, names, here=bool(names.search(name))) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_text(inner, text, names, here=here) for inner in value]
    return f"{value} {text}" if here and isinstance(value, str) else value


def _json_answer(content: Any, *, status: int, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, json.dumps(content).encode(), headers)
