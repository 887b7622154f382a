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
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

MASK = "********"
# What is known of a run is in its result; nobody reads more than this of one message.
_LONGEST_LINE = 8000
# A shorter value is no secret that anybody could keep, and masking it would blank ordinary words.
_SHORTEST_SECRET = 4
# A shorter one is found as it is spelt only: looking for it in any case and across blanks would blank ordinary words.
_SHORTEST_LOOSE = 8
# Of a secret that is cut off, so much and half of it must be there to count: less may be how two names begin.
_SHORTEST_PART = 12
# What a secret is looked up by. A shorter piece stands in too many texts.
_SHORTEST_ANCHOR = 3
_ESCAPE = re.compile("%[0-9A-F]{2}")

# What may stand within a secret and leave it readable: blanks, line breaks, what has no width.
_NOISE = (
    "[\\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb]+"
)
# Also what sets colours; and both as it is escaped in JSON and code, and in addresses.
_COLOURS = r"[0-?]{0,32}[ -/]{0,4}[@-~]"
_STEERING = f"\x1b\\[{_COLOURS}|{_NOISE}"
_ESCAPED = (
    rf"\\{{1,16}}(?=[nrtfvbxue0])(?:(?:x1b|u001b|033|e)\[{_COLOURS}|[nrtfvb]|x[01][0-9a-f]|x[89a][0-9a-f]"
    r"|u00[0189a][0-9a-f]|u034f|u061c|u115f|u1160|u17b[45]|u180[b-f]|u20[026][0-9a-f]|ufe0[0-9a-f]|ufeff|ufff[9ab])"
)
_IN_ADDRESS = (
    rf"%(?:25){{0,4}}1b%(?:25){{0,4}}5b{_COLOURS}"
    r"|%(?:25){0,4}(?:[01][0-9a-f]|20|7f|c2%(?:25){0,4}[89a][0-9a-f]|e2%(?:25){0,4}8[01]%(?:25){0,4}[89a][0-9a-f])"
)
# Each may also be no such thing but the beginning of a secret, so all are tried.
_FOLDINGS = (
    ("", re.compile(_NOISE)),
    ("\x1b", re.compile(_STEERING)),
    ("\\", re.compile(f"{_ESCAPED}|{_STEERING}", re.IGNORECASE)),
    ("%", re.compile(f"{_IN_ADDRESS}|{_STEERING}", re.IGNORECASE)),
)
_WORD = re.compile("[a-z0-9]+")
_NAMES = {"&": ("amp",), "<": ("lt",), ">": ("gt",), '"': ("quot",), "'": ("apos",)}
# In base64 that is made for addresses.
_ADDRESS_SAFE = {"+": "-", "/": "_"}
_ENCODED = re.compile(r"[A-Za-z0-9+/_=\\-]*")
_LONGEST_RUN = 8192

# Whoever has an address that somebody signed may use it, and services put such addresses into their messages. Of the
# names, q-ak is where the signed addresses of one object store hold the id of the key.
_TELLTALES = ("signature", "token", "secret", "accesskeyid", "access_key_id", "credential", "q-ak", "passw", "pwd")
# A parameter whose name holds one of these, also within an address that is a parameter itself (%3D is =, %26 is &). The
# value ends where none goes on: at the next parameter, a quote, a space. No part of a text is tried twice.
_CHARACTER = r"[^\s&%\"'<>\\,;|()\[\]{}]"
_SIGNED = re.compile(
    rf"((?:{'|'.join(map(re.escape, _TELLTALES))})[a-z0-9_.-]{{0,64}}(?:=|%3D))"
    rf"(?!%26)(?=%|{_CHARACTER}){_CHARACTER}*(?:%(?!26){_CHARACTER}*)*",
    re.IGNORECASE | re.ASCII,
)
# The password in an address with a user, as of a database or a proxy.
_USER_AND_PASSWORD = re.compile(r"(://[^\s/?#@:\"'<>\\]{0,256}:)[^\s/?#@\"'<>\\]{1,512}@")


def without_signatures(text: str) -> str:
    """The text without the values that make an address usable by whoever reads it: signatures, tokens, passwords."""
    if "@" in text and "://" in text:
        text = _USER_AND_PASSWORD.sub(rf"\g<1>{MASK}@", text)
    if "=" not in text and "?" not in text:
        return text
    lowered = text.lower()
    if not any(telltale in lowered for telltale in _TELLTALES):
        return text
    return _SIGNED.sub(rf"\g<1>{MASK}", text)


def secrets_in_address(address: str | None) -> Iterator[str]:
    """What stands before the host of an address and is not for others: a password, also with its user, also decoded."""
    before = (address or "").rpartition("@")[0]
    before = before.partition("://")[2] or before
    _user, colon, password = before.partition(":")
    for secret in (password, before) if colon else (before,):
        yield secret
        yield unquote(secret)


class Masker:
    """Knows the secrets of this run and blanks them, also in the spellings in which a server may echo them.

    A secret of eight characters or more is found in upper and lower case, with blanks, line breaks, colours or what has
    no width within it, as a part of what is encoded, and cut off in its second half. A shorter one is found as it is.
    """

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._short: tuple[str, ...] = ()
        self._long: tuple[_Spelling, ...] = ()

    def add(self, secret: str | None) -> None:
        """Blank this value from now on."""
        if not secret or len(secret) < _SHORTEST_SECRET or secret in self._known:
            return
        loose = tuple(_loosely(secret)) if len(secret) >= _SHORTEST_LOOSE else ()
        if loose and all(len(spelling.anchor) >= _SHORTEST_ANCHOR for spelling in loose):
            self._long += loose
        else:
            # Longest first: a secret that contains another one must go whole.
            self._short = tuple(sorted({*spellings(secret), *self._short}, key=len, reverse=True))
        self._known |= {secret}

    def also(self, secret: str) -> Masker:
        """A masker that knows one value more."""
        other = Masker()
        other._known, other._short, other._long = self._known, self._short, self._long
        other.add(secret)
        return other

    def text(self, text: str) -> str:
        """The text without any secret and any signature, and without half characters, which no output could carry."""
        if len(text) >= _SHORTEST_LOOSE and self._long:
            text = self._without_long(text)
        for spelling in self._short:
            if spelling in text:
                text = text.replace(spelling, MASK)
        text = without_signatures(text)
        return text if text.isascii() else text.encode("utf-8", "replace").decode()

    def _without_long(self, text: str) -> str:
        places: list[tuple[int, int]] = []
        for mark, noise in _FOLDINGS:
            if mark not in text:
                continue
            folded = "".join(text.split()).lower()
            if mark or not (folded.isascii() and folded.isprintable()):
                folded = noise.sub("", text).lower()
            there = [spelling for spelling in self._long if spelling.anchor in folded]
            if there:
                places += _places(text, there, noise)
        if not places:
            return text
        kept, at = [], 0
        for start, end in _merged(places):
            kept += [text[at:start], MASK]
            at = end
        return "".join([*kept, text[at:]])

    def line(self, text: str) -> str:
        """The same for what a terminal shows as it is: without what could steer it, and not without end."""
        text = self.text(text)
        text = text if len(text) <= _LONGEST_LINE else text[:_LONGEST_LINE] + "…"
        return "".join(char if char.isprintable() else " " for char in text)

    def value(self, value: Any) -> Any:
        """A JSON-like value (str, dict, list, numbers) without any secret, in keys and values alike."""
        return self._value(value, {})

    def _value(self, value: Any, shown: dict[str, str]) -> Any:
        """The same; `shown` remembers texts, of which a result repeats most for each task."""
        if isinstance(value, str):
            text = shown.get(value)
            if text is None:
                text = shown[value] = self.text(value)
            return text
        if isinstance(value, dict):
            return {self._value(key, shown): self._value(item, shown) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(item, shown) for item in value]
        return value


@dataclass(frozen=True)
class _Spelling:
    """A secret, or what an encoding makes of it, as it is looked for in folded texts.

    :ivar anchor: the longest plain part of the least that must be there, in lower case
    :ivar content: in lower case
    :ivar encoded: it may stand within a longer text of the same encoding, of which nothing must be left
    """

    anchor: str = field(repr=False)
    content: str = field(repr=False)
    encoded: bool

    def places(self, folded: str) -> Iterator[tuple[int, int, bool]]:
        """Where it begins and ends in the folded text, and whether that is the whole of it."""
        atoms = _atoms(self.content)
        least = _least(len(atoms))
        for match in re.finditer("".join(atoms[:least]), folded):
            end, number = match.end(), least
            while number < len(atoms):
                more = re.compile(atoms[number]).match(folded, end)
                if more is None:
                    break
                end, number = more.end(), number + 1
            yield match.start(), end, number == len(atoms)


def _least(length: int) -> int:
    """With how many of its first characters a secret of this length is given away."""
    return min(length, max(_SHORTEST_PART, (length + 1) // 2))


def _loosely(secret: str) -> Iterator[_Spelling]:
    """The secret, and what encodings make of it; escapes are left to how these are looked for."""
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret: False, raw.hex(): False}
    for ahead in range(3):
        # As in the base64 of a longer text, for instance behind the name of a user: without the ends, which depend on
        # what is next to it.
        encoded = base64.b64encode(b"-" * ahead + raw).decode()
        forms[encoded[4 if ahead else 0 : -4 if (ahead + len(raw)) % 3 else None]] = True
    for form, encoded_too in forms.items():
        content = form.lower()
        anchor = max(_WORD.findall(content[: _least(len(content))]), key=len, default="")
        yield _Spelling(anchor, content, encoded_too)


def _atoms(content: str) -> list[str]:
    """Patterns for each of the characters; a blank goes with what follows, because it may be folded away."""
    atoms, blanks = [], ""
    for char in content:
        if char.isspace():
            blanks += f"(?:{_atom(char)}|[+])?"
        else:
            atoms.append(blanks + _atom(char))
            blanks = ""
    return atoms


@lru_cache(maxsize=512)
def _atom(char: str) -> str:
    """A pattern for one character as it is, and as it is escaped, also twice, in addresses, JSON, pages and code."""
    if char.isascii() and char.isalnum():
        return char
    raw, code = char.encode("utf-8", "surrogatepass"), ord(char)
    units = char.encode("utf-16-be", "surrogatepass").hex()
    names = "|".join([*_NAMES.get(char, ()), f"#0{{0,8}}{code}", f"#x0{{0,8}}{code:x}"])
    end = "(?:;|%(?:25){0,4}3b)"
    # Escapes first: a percent sign may begin one.
    forms = [
        "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in raw),
        f"(?:&|%(?:25){{0,4}}26)(?:amp{end}){{0,4}}(?:{names}){end}",
        r"\\{0,16}".join(["", *(f"u{units[at : at + 4]}" for at in range(0, len(units), 4))]),
        r"\\{0,16}".join(["", *(f"x{byte:02x}" for byte in raw)]),
        *(re.escape(one) for one in (char, _ADDRESS_SAFE.get(char)) if one),
    ]
    return rf"(?:\\|%(?:25){{0,4}}5c){{0,16}}(?:{'|'.join(forms)})"


def _places(text: str, there: list[_Spelling], noise: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where these stand in the text, by start and end."""
    folded = _Folded(text, noise)
    for spelling in there:
        for begin, stop, whole in spelling.places(folded.text):
            start, end = folded.origin(begin), folded.origin(stop - 1) + 1
            if spelling.encoded:
                start -= len(_run(text[max(0, start - _LONGEST_RUN) : start][::-1]))
                end += len(_run(text[end : end + _LONGEST_RUN]))
            elif not whole and text[end : end + 1].isalnum():
                continue  # another word, which begins alike
            yield start, end


def _run(text: str) -> str:
    """With what a text begins that may belong to something encoded."""
    match = _ENCODED.match(text)
    return match.group() if match else ""


class _Folded:
    """A text in lower case and without noise, and where each character of that comes from."""

    def __init__(self, text: str, noise: re.Pattern[str]) -> None:
        parts: list[str] = []
        self._starts: list[int] = []
        self._origins: list[int] = []
        size = at = 0
        for start, end in [*(match.span() for match in noise.finditer(text)), (len(text), len(text))]:
            if start > at:
                parts.append(_lower(text[at:start]))
                self._starts.append(size)
                self._origins.append(at)
                size += start - at
            at = end
        self.text = "".join(parts)

    def origin(self, place: int) -> int:
        """Where the character at this place stands in the text."""
        part = bisect_right(self._starts, place) - 1
        return self._origins[part] + place - self._starts[part]


def _lower(text: str) -> str:
    """In lower case, with as many characters as before: there is one letter that becomes two."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(char.lower()[:1] for char in text)


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same in order and without overlaps: what two secrets cover together goes as a whole."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def spellings(secret: str) -> Iterator[str]:
    """The ways in which a server may echo a value; some may be the same."""
    yield secret
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")
    raw = secret.encode("utf-8", "surrogatepass")  # half a character can be typed into a playbook
    yield base64.b64encode(raw).decode()
    yield raw.hex()
    for quoted in (quote(raw, safe=""), quote_plus(raw)):
        yield quoted
        yield _ESCAPE.sub(lambda match: match.group().lower(), quoted)
