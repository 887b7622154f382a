# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Canaries: secrets that are like no other text, one for each place, so that a leak names where it came from.

What is looked for is the core of a canary, letters and digits only, which every usual spelling leaves as it is or turns
into something that is known. The search knows nothing of the code that hides secrets.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus

_CORE = 24
# So much of a core in one piece is found.
_PIECE = 8
_STEP = 4
_STEERING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|[\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
)


def core(place: str) -> str:
    """Letters and digits in both cases, always the same for a place."""
    digest = base64.b64encode(hashlib.sha512(place.encode()).digest()).decode()
    return re.sub("[^A-Za-z0-9]", "", digest)[:_CORE]


def canary(place: str) -> str:
    """A secret with all that is written differently in addresses, JSON, pages and shells, as a key may have it."""
    return f"k<&\"{core(place)}\\/+%'="


def plain_canary(place: str) -> str:
    """One of letters and digits, for places that take nothing else."""
    return f"k0{core(place)}"


def spelled(secret: str) -> dict[str, str]:
    """The ways in which a service, a gateway or a log may show a value, by name."""
    raw, half = secret.encode(), len(secret) // 2
    escaped = json.dumps(secret)[1:-1]
    encoded = base64.b64encode(raw).decode()
    return {
        "plain": secret,
        "lower case": secret.lower(),
        "upper case": secret.upper(),
        "in an address": quote(secret, safe=""),
        "in an address, lower case": quote(secret, safe="").lower(),
        "in an address, twice": quote(quote(secret, safe=""), safe=""),
        "in a form": quote_plus(secret),
        "in JSON": escaped,
        "in JSON, slashes too": escaped.replace("/", "\\/"),
        "in JSON, twice": json.dumps(escaped)[1:-1],
        "in a page": html.escape(secret),
        "in Python": repr(secret),
        "in base64": encoded,
        "in base64 of addresses": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "in base64, in lines": "\r\n ".join(re.findall(".{1,20}", encoded)),
        **{
            f"in base64 behind {user!r}": base64.b64encode(user.encode() + raw + b":more").decode()
            for user in ("u:", "us:", "usr:")
        },
        "in hex": raw.hex(),
        "in upper hex": raw.hex().upper(),
        "in lines": "\n".join(re.findall(".{1,9}", secret)),
        "in indented lines": "\r\n\t ".join(re.findall(".{1,9}", secret)),
        "in columns": " ".join(re.findall(".{1,4}", secret)),
        "with what has no width": "\u200b".join(secret),
        "with colours": f"{secret[:half]}\x1b[31m{secret[half:]}\x1b[0m",
        "cut off": f"{secret[: half + 4]}...",
        "blanked by half": f"{secret[: half + 4]}******",
    }


@lru_cache(maxsize=1000)
def _traces(heart: str) -> tuple[str, ...]:
    """Pieces of a core in every spelling, folded."""
    raw = heart.encode()
    forms = [heart, raw.hex()]
    # Encoded at each of the three places that it can have in a longer text, without what its neighbours change.
    forms += [base64.b64encode(b"-" * ahead + raw).decode()[4 if ahead else 0 : -4] for ahead in range(3)]
    pieces = (form[at : at + _PIECE] for form in forms for at in range(0, len(form) - _PIECE + 1, _STEP))
    return tuple(piece.lower() for piece in pieces)


def _folded(text: str) -> str:
    return _STEERING.sub("", text).lower()


def leaks(secrets: Mapping[str, str], text: str) -> dict[str, str]:
    """The names of the secrets of which the text shows a piece, and where: what stands around it, folded."""
    folded = _folded(text)
    found: dict[str, str] = {}
    for name, secret in secrets.items():
        places = (folded.find(trace) for trace in _traces(_heart(secret)))
        place = next((place for place in places if place >= 0), None)
        if place is not None:
            found[name] = folded[max(0, place - 60) : place + 60]
    return found


def _heart(secret: str) -> str:
    """The longest part of letters and digits."""
    parts: list[str] = re.findall("[A-Za-z0-9]+", secret)
    return max(parts, key=len)


def files(*folders: Path, given: Iterable[Path] = ()) -> Iterator[tuple[Path, str]]:
    """Every file below the folders, by path and content, but for those that were given to the run."""
    left_out = set(given)
    for path in (path for folder in folders for path in paths(folder)):
        if path not in left_out:
            with suppress(OSError):  # it may be gone by now
                yield path, f"{path}\n{path.read_bytes().decode('utf-8', 'replace')}"


def paths(folder: Path) -> Iterator[Path]:
    """Every regular file below the folder, of which parts may go away meanwhile."""
    for here, _ignored, names in os.walk(folder):
        yield from (path for path in (Path(here, name) for name in names) if path.is_file())
