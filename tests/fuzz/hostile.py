# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes broken, deep, huge and wrong-typed replies out of genuine ones, and says what no answer to them may be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, RedriveError
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response


def cases(number: int) -> settings:
    """So many cases for each hundred of the profile."""
    return settings(max_examples=settings().max_examples * number // 100)


LONGEST_ERROR = 10_000
"""Characters of a message, whatever a server says."""

# What stands in the place of a number, a text or an object. Numbers that JSON cannot have are written by json.dumps as
# Python reads them.
_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    "",
    "0",
    "-1",
    "1" * 16,
    10**15,
    10**400,
    -(10**400),
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    1.5,
    "x" * 70_000,
    "\ud800",
    "\udfff\ud800",
    "\x00\x07\x1b[31m\x1b]0;owned\x07",
    "line\r\nfeed\x85\u2028",
    "\u202etxt.exe\u2066",
    "٣",
    "../../etc/passwd",
    "%2e%2e%2f\r\nX-Injected: y",
    "{{ lookup('pipe', 'id') }}",
    [],
    {},
    [None],
    [[]],
    {"": None},
    [{}] * 50,
    {"id": {"id": {}}},
]

PAGES = (
    b"",
    b" \r\n\t ",
    b"<html><head><title>502</title></head></html>",
    b"\xef\xbb\xbf",
    b"\xff\xfe\x00\xd8",
    b"\x00" * 64,
    b"\x80abc",
    b"null",
    b"NaN",
    b'"text"',
    b"1e999",
    b"9" * 5000,
    b"-" + b"9" * 100_000,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 900 + b"]" * 900,
    b"[" + b"0," * 100_000 + b"0]",
    b"{}" * 3,
    b'{"code": 0} trailing',
    b"\x1b[2J\x07",
    "\u202eabc".encode("utf-16"),
)

_HEADERS: dict[str, list[str]] = {
    "retry-after": ["-5", "0", "9" * 5000, "1e999", "nan", "Wed, 99 Foo 99999 99:99:99 GMT", "\x1b[31m", "٣", "Mon,,,"],
    "date": [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "0",
        "Wed, 21 Oct 99999 07:28:00 GMT",
        "1 Jan 0001 00:00 -9999",
        "x" * 60_000,
    ],
    "location": ["http://evil/\x1b[31m", "x" * 60_000, ""],
    "x-log-requestid": ["\x1b[31m", "x" * 60_000, "a\nb"],
    "x-request-id": ["\x1b[31m", "x" * 60_000, "a\nb"],
    "x-subject-token": ["", "a b", "\x1b[31m", "x" * 60_000],
    "content-type": ["text/html", "application/json; charset=utf-7"],
}


@st.composite
def spoilt_values(draw: st.DrawFn, content: Any, *, moving: bool = True) -> Any:
    """JSON-like content with one to three of its nodes replaced, left out, wrapped or, if wanted, put elsewhere too."""
    content = copy.deepcopy(content)
    for _number in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(_places(content))) if _places(content) else (None, None)
        how = draw(st.sampled_from(["replace", "replace", "replace", "drop", "wrap", "swap"]))
        strange = copy.deepcopy(draw(st.one_of(st.sampled_from(_VALUES), _any_json)))
        if holder is None:
            return strange
        if how == "drop":
            del holder[key]
        elif how == "wrap":
            holder[key] = [holder[key]]
        elif how == "swap" and moving:
            other, place = draw(st.sampled_from(_places(content)))
            holder[key] = copy.deepcopy(other[place])
        else:
            holder[key] = strange
    return content


_any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Every node but the root, as what holds it and under which key."""
    found: list[tuple[Any, Any]] = []
    waiting = [content]
    while waiting and len(found) < 500:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else list(range(len(one))) if isinstance(one, list) else []
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found


def _doubled(text: str, draw: st.DrawFn) -> str:
    """An object in which a key stands twice, the second time with something else."""
    start = text.find("{")
    name = draw(
        st.sampled_from(["code", "errorCode", "Response", "results", "total", "id", "tasks", "data", "error_code"])
    )
    value = json.dumps(draw(st.sampled_from(_VALUES[:12])))
    return text if start < 0 else f'{text[: start + 1]}"{name}": {value}, {text[start + 1 :].lstrip()}'


_SPOILERS: dict[str, Callable[[bytes, st.DrawFn], bytes]] = {
    "value": lambda body, draw: json.dumps(draw(spoilt_values(json.loads(body or "{}")))).encode(),
    "cut": lambda body, draw: body[: draw(st.integers(0, max(0, len(body) - 1)))],
    "page": lambda body, draw: draw(st.sampled_from(PAGES)),
    "doubled": lambda body, draw: _doubled(body.decode(), draw).encode(),
    "encoded": lambda body, draw: body.decode().encode(
        draw(st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "utf-7"]))
    ),
    "bytes": lambda body, draw: draw(st.binary(max_size=8)).join(_halves(body, draw)),
    "whole": lambda body, draw: body,
}
_STATUSES = [200, 202, 204, 302, 400, 401, 403, 404, 429, 500, 503]


def _halves(body: bytes, draw: st.DrawFn) -> tuple[bytes, bytes]:
    place = draw(st.integers(0, len(body)))
    return body[:place], body[place:]


@st.composite
def spoilt_replies(draw: st.DrawFn, genuine: Response) -> Response:
    """A reply made out of a genuine one."""
    status, headers = genuine.status, dict(genuine.headers)
    body = _SPOILERS[draw(st.sampled_from(["value"] * 4 + list(_SPOILERS)))](genuine.body, draw)
    if draw(st.integers(0, 3)) == 0:
        status = draw(st.sampled_from(_STATUSES) | st.integers(100, 599))
    for name in draw(st.lists(st.sampled_from(sorted(_HEADERS)), max_size=2)):
        headers[name] = draw(st.sampled_from(_HEADERS[name]))
    return Response(status, headers, body)


@dataclass
class Adversary:
    """Answers as the genuine service does, with some of the replies spoilt.

    :ivar replies: every reply so far, as it was sent
    """

    genuine: Callable[[Request], Response]
    draw: Callable[[st.SearchStrategy[Any]], Any]
    rate: int = 2
    most: int = 3
    replies: list[tuple[Request, Response]] = field(default_factory=list)
    spoilt: int = 0

    def __call__(self, request: Request) -> Response:
        response = self.genuine(request)
        if self.spoilt < self.most and self.draw(st.integers(0, self.rate)) == 0:
            self.spoilt += 1
            response = self.draw(spoilt_replies(response))
        self.replies.append((request, response))
        assert len(self.replies) < 3000, "there is no end to the requests"
        return response


# -- what must hold ---------------------------------------------------------------------------------------------------


def is_sound_error(exc: RedriveError) -> None:
    """Whether the message is clear, short, and may be shown in a terminal."""
    text = Masker().line(str(exc))
    assert text.strip()
    assert text.isprintable()
    assert len(text) <= LONGEST_ERROR
    text.encode()
    if isinstance(exc, CallError):
        assert exc.text
        assert exc.retry_after is None or exc.retry_after >= 0
        assert exc.request_id.isprintable()


def is_sound_task(task: Task) -> None:
    """Whether it has the documented shape."""
    assert isinstance(task.id, str)
    assert task.id
    assert isinstance(task.state, State)
    for text in (task.status, task.code, task.message):
        assert isinstance(text, str)
    for name, value in task.scope:
        assert isinstance(name, str)
        assert isinstance(value, str)
    for moment in (task.created, task.expires, task.finished):
        assert moment is None or 0.0 < moment < 10**13


def json_of(response: Response) -> Any:
    """The body as JSON by nobody's reading but Python's; None where it is none."""
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def member(content: Any, name: str) -> Any:
    return content.get(name) if isinstance(content, Mapping) else None
