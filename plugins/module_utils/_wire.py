# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""A request and a reply as values. No I/O here, so that signing stays pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable
from urllib.parse import urlencode

# Longer bodies are cut before they are looked at; no secret is as long.
_LONGEST_EXCERPT = 64 * 1024

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

        :raises ValueError: it is not JSON, or nested deeper than any service nests
        """
        try:
            return json.loads(self.body)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc

    def excerpt(self, limit: int = 200) -> str:
        """The beginning of the body on one line, for messages."""
        # Masked before it is cut: half a secret is no longer recognised.
        text = self.mask(" ".join(self.body[:_LONGEST_EXCERPT].decode("utf-8", "replace").split()))
        return text if len(text) <= limit else text[:limit] + "…"
