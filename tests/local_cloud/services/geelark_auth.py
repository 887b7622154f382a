# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifies who calls GeeLark, by token or by key, from the raw request.

Written from the vendor's request instructions, whose worked example is the first of the vectors, and from what public
clients send. Neither body nor path is signed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from local_cloud.services import Call
from local_cloud.services.geelark_errors import refusal

_KEY_HEADERS = ("appid", "ts", "nonce", "sign")
_ONCE = ("authorization", "traceid", "content-type", "content-length", *_KEY_HEADERS)
_BEARER = re.compile(r"^Bearer (\S+)$")
_MILLISECONDS = re.compile(r"^[1-9]\d{12}$", re.ASCII)
# A UUID of version 4 in the three spellings that the vendor's own documents and clients use.
_TRACE_IDS = (
    re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
    re.compile(r"^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$"),
    re.compile(r"^[0-9A-F]{12}4[0-9A-F]{3}[89AB][0-9A-F]{15}$"),
)


@dataclass(frozen=True)
class Team:
    """One customer of GeeLark: a key, a token, and what it may do."""

    app_id: str
    api_key: str | None = None
    token: str | None = None
    token_expires_at: float | None = None
    ip_allowed: bool = True  # False: 40016
    paid: bool = True  # False: 40011
    deny: tuple[str, ...] = ()  # operations without permission, or "*": 40015
    in_arrears: bool = False  # True: 41001 for whatever changes something (assumed: reading costs nothing)

    def denies(self, operation: str) -> bool:
        return operation in self.deny or "*" in self.deny


@dataclass(frozen=True)
class Verifier:
    teams: Mapping[str, Team]
    skew: float = 300.0  # seconds by which `ts` may be off; assumed, no source names a bound
    seen: set[tuple[str, str]] | None = field(default_factory=set)  # (appId, traceId) so far; None: replays are fine

    def verify(self, call: Call, now: float) -> Team:
        """The team behind a genuine call; refuses any other with 40002 or 40003."""
        self._check_headers_once(call)
        trace_id = call.header("traceid")
        if not trace_id:
            raise refusal(40002)
        if not any(spelling.match(trace_id) for spelling in _TRACE_IDS):
            raise refusal(40002, "traceId is not a UUID")  # assumed: no page says how another text is answered
        if call.header("authorization") is None:
            return self._verify_key(call, trace_id, now)
        if any(call.header(name) is not None for name in _KEY_HEADERS):
            # assumed: no page says which of the two would count.
            raise refusal(40003, "token and key at once")
        return self._verify_token(call.header("authorization") or "", now)

    def _check_headers_once(self, call: Call) -> None:
        names = [key.lower() for key, _ignored in call.headers]
        for name in _ONCE:
            if names.count(name) > 1:
                raise refusal(40003, f"{name} was sent twice")  # assumed

    def _verify_token(self, authorization: str, now: float) -> Team:
        match = _BEARER.match(authorization)
        if match is None:
            raise refusal(40003, "not a bearer token")
        team = team_of_token(self.teams, match.group(1))
        if team is None:
            raise refusal(40003, "invalid token")
        if team.token_expires_at is not None and now >= team.token_expires_at:
            raise refusal(40003, "the token has expired")
        return team

    def _verify_key(self, call: Call, trace_id: str, now: float) -> Team:
        app_id, stamp, nonce, sent = (call.header(name) or "" for name in _KEY_HEADERS)
        team = self.teams.get(app_id)
        if team is None or team.api_key is None:
            raise refusal(40003, "unknown appId")
        if not _MILLISECONDS.match(stamp):
            raise refusal(40003, "ts is not a time in milliseconds")
        if abs(now * 1000 - int(stamp)) > self.skew * 1000:
            raise refusal(40003, "ts is too far off")
        if nonce != trace_id[:6]:
            raise refusal(40003, "nonce is not the beginning of traceId")
        text = "".join((app_id, trace_id, stamp, nonce, team.api_key))
        expected = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest().upper()
        if not hmac.compare_digest(expected.encode(), sent.encode("utf-8", "surrogateescape")):
            raise refusal(40003)
        self._check_fresh(app_id, trace_id)
        return team

    def _check_fresh(self, app_id: str, trace_id: str) -> None:
        """A traceId is good for one call, in whatever spelling. Assumed: the pages only say that each has its own."""
        if self.seen is None:
            return
        mark = (app_id, trace_id.replace("-", "").lower())
        if mark in self.seen:
            raise refusal(40003, "traceId was used before")
        self.seen.add(mark)


def team_of_token(teams: Mapping[str, Team], token: str) -> Team | None:
    return next((one for one in teams.values() if one.token is not None and one.token == token), None)


def caller(teams: Mapping[str, Team], call: Call) -> Team | None:
    """Whom a call claims to come from; nothing is verified."""
    match = _BEARER.match(call.header("authorization") or "")
    return team_of_token(teams, match.group(1)) if match else teams.get(call.header("appid") or "")
