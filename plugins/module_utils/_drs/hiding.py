# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Keeps passwords and keys of databases, which the details of jobs hold as they were entered, out of every text."""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._redact import MASK, spellings

# A shorter value is no secret that anybody could keep, and hiding it would blank ordinary words.
_SHORTEST_SECRET = 4
# Characters. No key of a database is as long, nor are those of all jobs together; how each can be spelt takes some
# thirty times as much memory. Where there is more, nothing is shown.
_LONGEST_SECRET = 64 * 1024
_MOST_TO_KNOW = 8 * 1024 * 1024
# Characters that are compared for one text: a fraction of a second. What begins like very many secrets is not shown.
_MOST_TO_COMPARE = 20_000_000
# db_password, ssl_cert_key, trust_store_password and their like; not the key of a tag, which is called just so.
_SECRET_NAME = re.compile(r"passw|pwd|secret|token|ssl_cert|[a-z]_?key$|(?:^|_)sk$", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    r'("[^"\s]{0,40}(?:passw|pwd|secret|token|ssl_cert|key)[^"\s]{0,40}"\s{0,9}:\s{0,9}\\{0,3}")(?:[^"\\]|\\.)*',
    re.IGNORECASE,
)
# Codes and states are what decisions are made on. They are looked up, never composed, so no secret stands within one.
_WORD_OF_THE_SERVICE = re.compile(r"(?:[A-Za-z]{2,8}\.)?[A-Za-z]{0,2}[0-9]{3,8}|[A-Za-z]+(?:_[A-Za-z]+)+")


class Hider:
    """Knows every secret that the service has shown so far, for all threads of a run.

    There may be tens of thousands, so they are looked up by how they begin instead of being tried one by one. Whoever
    answers in the place of the service may show more than can be known or compared: then more is hidden than need be.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        # By their first characters, then by their length: certificates all begin alike.
        self._by_start: dict[str, dict[int, set[str]]] = {}
        self._lengths: dict[str, list[int]] = {}
        self._to_know = _MOST_TO_KNOW

    def learn(self, content: Any) -> None:
        """Hide from now on what a reply holds under the name of a secret, at any depth."""
        with self._lock:
            for secret in _secrets_in(content):
                if len(secret) >= _SHORTEST_SECRET and secret not in self._secrets and self._to_know >= 0:
                    self._to_know -= len(secret) if len(secret) <= _LONGEST_SECRET else self._to_know + 1
                    if self._to_know >= 0:
                        self._secrets.add(secret)
                        self._add(secret)

    def _add(self, secret: str) -> None:
        for spelling in _spellings(secret):
            if len(spelling) >= _SHORTEST_SECRET:
                start = spelling[:_SHORTEST_SECRET]
                of_length = self._by_start.setdefault(start, {}).setdefault(len(spelling), set())
                if not of_length:
                    insort(self._lengths.setdefault(start, []), len(spelling))
                of_length.add(spelling)

    def text(self, text: str) -> str:
        """The text without any secret. What two of them cover together goes as a whole."""
        kept: list[str] = []
        covered_to = compared = 0
        with self._lock:
            if self._to_know < 0:
                return MASK if text else ""
            for place in range(len(text) - _SHORTEST_SECRET + 1 if self._by_start else 0):
                if text[place : place + _SHORTEST_SECRET] not in self._by_start:
                    continue
                end, more = self._end_of_secret(text, place, covered_to)
                compared += more
                if compared > _MOST_TO_COMPARE:
                    return "".join([*kept, text[covered_to:place], MASK])
                if end <= covered_to:
                    continue
                if place >= covered_to:
                    kept += [text[covered_to:place], MASK]
                covered_to = end
        return "".join([*kept, text[covered_to:]])

    def _end_of_secret(self, text: str, place: int, covered_to: int) -> tuple[int, int]:
        """Where the longest secret that begins here ends, 0 if none ends behind what is covered; and what that cost."""
        start = text[place : place + _SHORTEST_SECRET]
        known, lengths = self._by_start[start], self._lengths[start]
        compared = 0
        for number in range(bisect_right(lengths, len(text) - place) - 1, -1, -1):
            size = lengths[number]
            if place + size <= covered_to or compared > _MOST_TO_COMPARE:
                break
            compared += size + 100
            if text[place : place + size] in known[size]:
                return place + size, compared
        return 0, compared

    def word(self, word: str) -> str:
        """The same for a code or state, which stays whole: C(0000) is a bad password, and stands in many codes."""
        if word not in self._secrets and _WORD_OF_THE_SERVICE.fullmatch(word):
            return word
        return self.text(word)

    def excerpt(self, text: str) -> str:
        """The same for a part of a reply that may not be readable: what stands behind the name of a secret goes too."""
        return self.text(_SECRET_IN_TEXT.sub(rf"\1{MASK}", text))


def _spellings(secret: str) -> set[str]:
    """As the usual ones; also escaped twice, as in JSON inside JSON, and as an excerpt shows it, in one line."""
    escaped = json.dumps(secret)[1:-1]
    return {*spellings(secret), escaped, json.dumps(escaped)[1:-1], " ".join(secret.split())}


def _secrets_in(content: Any) -> Iterator[str]:
    """Values under the name of a secret, or of something that holds secrets, also in JSON that stands as a text."""
    waiting: list[tuple[Any, bool]] = [(content, False)]
    while waiting:
        value, secret = waiting.pop()
        if isinstance(value, dict):
            waiting += ((inner, secret or bool(_SECRET_NAME.search(str(name)))) for name, inner in value.items())
        elif isinstance(value, list):
            waiting += ((inner, secret) for inner in value)
        elif isinstance(value, str):
            inner = _json_in(value)
            if inner is not None:
                waiting.append((inner, secret))
            if secret:
                yield value
        elif secret and isinstance(value, (int, float)) and not isinstance(value, bool):
            yield json.dumps(value)


def _json_in(text: str) -> Any:
    """The object that the text is in JSON; None if it is none."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
