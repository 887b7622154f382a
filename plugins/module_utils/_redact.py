# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The one masker for everything that leaves: results, messages, errors, warnings.

It knows the secrets of this run, and blanks what lets others into somebody's account in addresses that services show.
Rules and filters see the whole text, as they come before it.
"""

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

# Whoever has an address that somebody signed may use it, and services put such addresses into their messages. Of the
# names, q-ak is where the signed addresses of one object store hold the id of the key.
_TELLTALES = ("signature", "token", "secret", "accesskeyid", "access_key_id", "credential", "q-ak")
# A parameter whose name holds one of these, also within an address that is a parameter itself (%3D is =, %26 is &). The
# value ends where none goes on: at the next parameter, a quote, a space. No part of a text is tried twice.
_CHARACTER = r"[^\s&%\"'<>\\,;|()\[\]{}]"
_SIGNED = re.compile(
    rf"((?:{'|'.join(map(re.escape, _TELLTALES))})[a-z0-9_.-]{{0,64}}(?:=|%3D))"
    rf"(?!%26)(?=%|{_CHARACTER}){_CHARACTER}*(?:%(?!26){_CHARACTER}*)*",
    re.IGNORECASE | re.ASCII,
)


def without_signatures(text: str) -> str:
    """The text with the values blanked that make an address usable by whoever reads it: signatures, tokens, key ids."""
    if "=" not in text and "?" not in text:
        return text
    lowered = text.lower()
    if not any(telltale in lowered for telltale in _TELLTALES):
        return text
    return _SIGNED.sub(rf"\g<1>{MASK}", text)


class Masker:
    """Knows the secrets of this run and blanks them, also in the spellings in which a server may echo them."""

    def __init__(self) -> None:
        self._spellings: list[str] = []

    def add(self, secret: str | None) -> None:
        """Blank this value from now on."""
        if not secret or len(secret) < _SHORTEST_SECRET:
            return
        # Longest first: a secret that contains another one must go whole.
        self._spellings = sorted({*spellings(secret), *self._spellings}, key=len, reverse=True)

    def also(self, secret: str) -> Masker:
        """A masker that knows one value more."""
        other = Masker()
        other._spellings = self._spellings
        other.add(secret)
        return other

    def text(self, text: str) -> str:
        """The text without any secret and any signature, and without half characters, which no output could carry."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        text = without_signatures(text)
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


def spellings(secret: str) -> Iterator[str]:
    """The ways in which a server may echo a value; some may be the same."""
    yield secret
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")
    yield base64.b64encode(secret.encode()).decode()
    yield secret.encode().hex()
    for quoted in (quote(secret, safe=""), quote_plus(secret)):
        yield quoted
        yield _ESCAPE.sub(lambda match: match.group().lower(), quoted)
