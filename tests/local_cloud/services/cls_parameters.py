# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the three actions of CLS take: every parameter, its type, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from local_cloud.services import Call
from local_cloud.services.cls_auth import language_of
from local_cloud.services.cls_errors import Language, refusal

INT64 = 1 << 63


@dataclass(frozen=True)
class Parameter:
    kind: str  # text, integer, texts or objects
    required: bool = False
    members: Mapping[str, Parameter] = field(default_factory=dict)  # of each of the objects


_FILTER = {"Key": Parameter("text", required=True), "Values": Parameter("texts", required=True)}
ACTIONS: Mapping[str, Mapping[str, Parameter]] = {
    "RetryShipperTask": {"ShipperId": Parameter("text", required=True), "TaskId": Parameter("text", required=True)},
    "DescribeShipperTasks": {
        "ShipperId": Parameter("text", required=True),
        "StartTime": Parameter("integer", required=True),
        "EndTime": Parameter("integer", required=True),
    },
    "DescribeShippers": {
        "Filters": Parameter("objects", members=_FILTER),
        "Offset": Parameter("integer"),
        "Limit": Parameter("integer"),
        "PreciseSearch": Parameter("integer"),
    },
}


def parameters(call: Call, action: str) -> dict[str, Any]:
    """The parameters of a known action, complete and of the right types; refuses any others."""
    language, known = language_of(call), ACTIONS[action]
    content = sent(call, language)
    if call.method == "GET":
        content = {name: _from_text(known.get(name), value) for name, value in content.items()}
    _check(known, content, "", language)
    return content


def sent(call: Call, language: Language) -> dict[str, Any]:
    """The parameters as sent, from the body, or with GET from the query."""
    content = _from_query(call.query, language) if call.method == "GET" else _from_body(call.body, language)
    if not isinstance(content, dict):
        raise refusal(language, "not_json")
    return content


def _from_body(body: bytes, language: Language) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ignored in pairs}) != len(pairs):
            raise ValueError("a member twice")
        return dict(pairs)

    try:
        return json.loads(body.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise refusal(language, "not_json") from None


def _from_query(query: str, language: Language) -> Any:
    """`Filters.0.Values.1=x` is the second value of the first filter."""
    content: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        *path, last = name.split(".")
        place: Any = content
        for part in path:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last in place:
            raise refusal(language, "not_json")
        place[last] = value
    return {name: _listed(value) for name, value in content.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    return [inner[name] for name in sorted(inner, key=int)] if all(name.isdecimal() for name in inner) else inner


def _from_text(parameter: Parameter | None, value: Any) -> Any:
    number = parameter is not None and parameter.kind == "integer" and re.match(r"^-?\d{1,19}$", str(value), re.ASCII)
    return int(value) if number else value


def _check(known: Mapping[str, Parameter], content: Mapping[str, Any], path: str, language: Language) -> None:
    for name in content:
        if name not in known:
            raise refusal(language, "unknown_parameter", name=path + name)
    for name, parameter in known.items():
        if name in content:
            _check_type(parameter, content[name], path + name, language)
        elif parameter.required:
            raise refusal(language, "missing_parameter", name=path + name)


def _check_type(parameter: Parameter, value: Any, path: str, language: Language) -> None:
    if not _fits(parameter.kind, value):
        raise refusal(language, "type", name=path)
    if parameter.kind == "objects":
        for number, one in enumerate(value):
            _check(parameter.members, one, f"{path}.{number}.", language)


def _fits(kind: str, value: Any) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and -INT64 <= value < INT64
    return isinstance(value, list) and _all_of(str if kind == "texts" else dict, value)


def _all_of(wanted: type, values: Iterable[object]) -> bool:
    return all(isinstance(one, wanted) for one in values)
