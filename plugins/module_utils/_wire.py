# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""A request and a reply as values. No I/O here, so that signing stays pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Callable
from urllib.parse import urlencode

# Longer texts are cut before they are looked at; no secret is as long.
_LONGEST_TEXT = 64 * 1024
# What is shown of them: a text may be repeated for each task that a call named.
_LONGEST_SHOWN = 2000
# To make a number of its digits takes a square of their count, and not every Python refuses very long ones by itself.
_MOST_DIGITS = 1000

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One HTTP request before it is sent.

    :ivar base_url: scheme, host and port that is connected to, without trailing slash
    :ivar path: absolute, made of validated names only, so that it needs no encoding
    :ivar query: decoded names and values, in the order in which they are sent
    :ivar headers: names as they are sent
    :ivar api: which of the service's limits it counts against, where each of its APIs has one of its own
    :ivar signature: what of the headers must not be shown, because the request could be sent again with it
    """

    method: str
    base_url: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    api: str = ""
    signature: str = field(default="", repr=False)

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def url(self) -> str:
        """What is connected to and asked for."""
        return self.base_url + self.target

    @property
    def call(self) -> str:
        """The request in words, for messages."""
        return f"{self.method} {self.path} ({self.api})" if self.api else f"{self.method} {self.path}"

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The same request with more headers."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True)
class Response:
    """One complete reply.

    :ivar headers: names in lower case
    :ivar mask: takes secrets out of a text before any of it is shown
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    mask: Callable[[str], str] = field(default=str, repr=False, compare=False)

    def json(self) -> Any:
        """The body as JSON.

        It is read once, however many ask, because a reply can be large and answer for many. Nobody may change it.

        :raises ValueError: it is not JSON, or nested deeper than any service nests
        """
        return self._content

    @cached_property
    def _content(self) -> Any:
        try:
            return json.loads(self.body, parse_int=_whole_number)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc

    def excerpt(self, limit: int = 200) -> str:
        """The beginning of the body on one line, for messages."""
        return shown(" ".join(self.body[:_LONGEST_TEXT].decode("utf-8", "replace").split()), self.mask, limit)


def shown(text: str, mask: Callable[[str], str], limit: int = _LONGEST_SHOWN) -> str:
    """What of a server's words may be shown, which can be of any length: their beginning, without secrets."""
    # Masked before it is cut: half a secret is no longer recognised.
    text = mask(text[:_LONGEST_TEXT])
    return text if len(text) <= limit else text[:limit] + "…"


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)
