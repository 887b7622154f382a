# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The one masker for everything that leaves: results, messages, errors, warnings."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "********"
# A shorter value is no secret that anybody could keep, and masking it would blank ordinary words.
_SHORTEST_SECRET = 4
_ESCAPE = re.compile("%[0-9A-F]{2}")


class Masker:
    """Knows the secrets of this run and blanks them, also in the spellings in which a server may echo them."""

    def __init__(self) -> None:
        self._spellings: list[str] = []

    def add(self, secret: str | None) -> None:
        """Blank this value from now on."""
        if not secret or len(secret) < _SHORTEST_SECRET:
            return
        # Longest first: a secret that contains another one must go whole.
        self._spellings = sorted({*_spellings(secret), *self._spellings}, key=len, reverse=True)

    def also(self, secret: str) -> Masker:
        """A masker that knows one value more."""
        other = Masker()
        other._spellings = self._spellings
        other.add(secret)
        return other

    def text(self, text: str) -> str:
        """The text without any secret, and without half characters, which no output could carry."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()

    def line(self, text: str) -> str:
        """The same for what a terminal shows as it is: without what could steer it."""
        return "".join(char if char.isprintable() else " " for char in self.text(text))

    def value(self, value: Any) -> Any:
        """A JSON-like value (str, dict, list, numbers) without any secret, in keys and values alike."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def _spellings(secret: str) -> Iterator[str]:
    """The ways in which a server may echo a value."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield base64.b64encode(secret.encode()).decode()
    yield secret.encode().hex()
    for quoted in (quote(secret, safe=""), quote_plus(secret)):
        yield quoted
        yield _ESCAPE.sub(lambda match: match.group().lower(), quoted)
