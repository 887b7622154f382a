# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Reading replies that may have any shape: every value is checked before it is used."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Response

_LATEST = 10**12


_LONGEST_ID = 256


def text_of(value: Any) -> str:
    """A text as it is, nothing as an empty one, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else json.dumps(value)
    except RecursionError:  # what could just be read may be nested too deeply to be written
        return "…"


def id_of_request(value: Any) -> str:
    """What may be the id of a request; one that nobody could quote is none."""
    return value if isinstance(value, str) and len(value) <= _LONGEST_ID and value.isprintable() else ""


def number_of(value: Any) -> int | None:
    """A whole number, given as one or as its digits, that is not negative and below 10 to the 15th; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        return int(value)
    return value if isinstance(value, int) and 0 <= value < 10**15 else None


def seconds_of(value: Any) -> float | None:
    """Epoch seconds, given as a number or as its digits; 0 means that there is none, as does what is no time."""
    number = number_of(value)
    return float(number) if number and number < _LATEST else None


def milliseconds_of(value: Any) -> float | None:
    """Epoch seconds of what is given in milliseconds, as `seconds_of`."""
    number = number_of(value)
    return number / 1000 if number and number / 1000 < _LATEST else None


def list_of(value: Any) -> list[Any] | None:
    """A list as it is, nothing as an empty one; None for anything else."""
    return [] if value is None else value if isinstance(value, list) else None


class JsonReplies(NamedTuple):
    """Reads the JSON replies of one service.

    :ivar service: its name, for messages
    :ivar request_id: finds the id of the request in a reply
    """

    service: str
    request_id: Callable[[Response], str]

    def content(self, response: Response) -> dict[str, Any]:
        """The body, which must be an object.

        :raises CallError: it is none
        """
        content = self.any_json(response)
        if not isinstance(content, dict):
            raise self.wrong_shape(response, "the reply is not an object")
        return content

    def any_json(self, response: Response) -> Any:
        """The body, which must be JSON.

        :raises CallError: it is not
        """
        try:
            return response.json()
        except ValueError as exc:
            raise self.broken(response, f"the reply is not JSON: {response.excerpt() or 'an empty body'}") from exc

    def failed(self, response: Response, kind: Kind, hint: str, *, code: str = "", text: str = "") -> CallError:
        """The error for a call that the service refused or failed at: in its words, or without any in its reply's."""
        return CallError(
            kind,
            text or f"the service answered without words: {response.excerpt() or 'an empty body'}",
            code=code,
            status=response.status,
            request_id=id_of_request(self.request_id(response)),
            hint=hint,
        )

    def wrong_shape(self, response: Response, what: str) -> CallError:
        """The error for a reply that is not what the service documents."""
        return self.broken(response, f"the reply has another shape than documented: {what}")

    def broken(self, response: Response, text: str) -> CallError:
        """The error for a reply that cannot be read."""
        return CallError(
            Kind.BROKEN,
            text,
            code="broken_reply",
            status=response.status,
            request_id=id_of_request(self.request_id(response)),
            hint=f"Check that the endpoint is {self.service} itself and not a proxy.",
        )
