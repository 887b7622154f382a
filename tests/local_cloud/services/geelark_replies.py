# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answers of GeeLark to task/restart, in every form that its page leaves possible.

The page says that `failDetails` is an array of `{id: string, code: integer, msg: string}`, and then prints examples
that are no JSON at all: bare pairs within the array, a comma missing, the code as a string. No recorded answer shows
what is really sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.services.geelark_errors import ALL_FAILED, ENVELOPE, ITEM, PARTIAL, SUCCESS


@dataclass(frozen=True)
class Failed:
    """One task that was not restarted."""

    id: str
    code: int

    @property
    def fields(self) -> dict[str, Any]:
        return {"id": self.id, "code": self.code, "msg": ITEM[self.code]}


def _flat(failed: Sequence[Failed]) -> list[Any]:
    return [part for one in failed for pair in one.fields.items() for part in pair]


def _number(task_id: str) -> int | str:
    return int(task_id) if task_id.isdecimal() else task_id


FORMS: Mapping[str, Callable[[Sequence[Failed]], Any]] = {
    "list": lambda failed: [one.fields for one in failed],
    "string_codes": lambda failed: [{**one.fields, "code": str(one.code)} for one in failed],
    "number_ids": lambda failed: [{**one.fields, "id": _number(one.id)} for one in failed],
    "one_object": lambda failed: failed[0].fields,  # of several, the others remain unexplained
    "flat": _flat,
    "mixed": lambda failed: [part for one in failed for part in (ITEM[one.code], one.fields)],
    "none": lambda failed: None,
}
"""How `failDetails` can look. `absent` and `malformed` exist besides: see `restarted`."""


def restarted(
    trace_id: str, total: int, failed: Sequence[Failed], *, form: str = "list", wrong_count: bool = False
) -> tuple[int, bytes]:
    """Code and body of the answer to a restart of `total` tasks.

    Forms that are not in FORMS: `absent` leaves `failDetails` out, `malformed` prints it as the page does. With
    `wrong_count`, `successAmount` is one too many.
    """
    code = SUCCESS if not failed else ALL_FAILED if len(failed) == total else PARTIAL
    data: dict[str, Any] = {
        "totalAmount": total,
        "successAmount": total - len(failed) + wrong_count,
        "failAmount": len(failed),
    }
    content: dict[str, Any] = {"traceId": trace_id, "code": code, "msg": ENVELOPE[code], "data": data}
    if failed and form == "malformed":
        data["failDetails"] = "HERE"
        return code, json.dumps(content, indent=4).replace('"HERE"', _as_printed(failed)).encode()
    if failed and form != "absent":
        data["failDetails"] = FORMS[form](failed)
    return code, to_json(content)


def _as_printed(failed: Sequence[Failed]) -> str:
    """The array as the page of task/restart prints it, mistakes included."""
    inner, outer = " " * 12, " " * 8
    pairs = [
        f'{inner}"id": "{one.id}"\n{inner}"code": "{one.code}",\n{inner}"msg": "{ITEM[one.code]}"' for one in failed
    ]
    return "[\n" + ",\n".join(pairs) + f"\n{outer}]"


def to_json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
