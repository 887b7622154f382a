# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifies SDK-HMAC-SHA256 signatures (the `Access=` form) from the raw request.

Written from the API gateway guide's "AK/SK authentication" and from what huaweicloudsdkcore 3.1.219 sends. What is
signed is what the request lists: the vendor's samples differ in their headers. The AWS-like form with `Credential=` is
unknown here, as is V11-HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from local_cloud.services import Call, Refusal
from local_cloud.services.drs_errors import unauthenticated

if TYPE_CHECKING:
    from local_cloud.world import Account

ALGORITHM = "SDK-HMAC-SHA256"
MAX_SKEW = 15 * 60
# "If an AK/SK pair fails to be authenticated for more than five consecutive times, it is locked" (FAQs on APIG.0301).
MAX_FAILURES = 5
LOCK_SECONDS = 5 * 60
_AUTHORIZATION = re.compile(r"^SDK-HMAC-SHA256 Access=([^,\s]+), SignedHeaders=([^,\s]+), Signature=([0-9a-f]{64})$")
_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$", re.ASCII)
_ALWAYS_SIGNED = ("host", "x-sdk-date")  # the shortest list of the vendor's samples
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


@dataclass
class Gate:
    """Lets signed calls in, and locks a key after too many wrong signatures in a row."""

    failures: Counter[str] = field(default_factory=Counter)
    locked_until: dict[str, float] = field(default_factory=dict)

    def verify(self, call: Call, accounts: Mapping[str, Account], now: float) -> Account:
        match = _AUTHORIZATION.match(call.header("authorization") or "")
        key_id = match.group(1) if match else ""
        if now < self.locked_until.get(key_id, now):
            raise unauthenticated("AK access failed to reach the limit,forbidden")
        try:
            account = verify(call, accounts, now)
        except WrongSignature:
            self.failures[key_id] += 1
            if self.failures[key_id] > MAX_FAILURES:
                del self.failures[key_id]
                self.locked_until[key_id] = now + LOCK_SECONDS
            raise
        del self.failures[key_id]
        return account


class WrongSignature(Refusal):
    """Made with another secret, or of another request."""

    def __init__(self) -> None:
        usual = unauthenticated("verify aksk signature fail")
        super().__init__(usual.status, usual.code, usual.message)


def verify(call: Call, accounts: Mapping[str, Account], now: float) -> Account:
    """The account behind a genuine call; refuses any other with 401 APIGW.0301."""
    match = _AUTHORIZATION.match(call.header("authorization") or "")
    if match is None:
        raise unauthenticated("the authorization header is invalid")
    key_id, listed, sent = match.groups()
    names = listed.split(";")
    _check_listed(call, names)
    date = call.header("x-sdk-date") or ""
    stamp = _stamp(date)
    if stamp is None or abs(now - stamp) > MAX_SKEW:
        raise unauthenticated("calc ak sk signature fail:signature expired")
    account = accounts.get(key_id)
    if account is None or account.disabled:
        raise unauthenticated("Get secretKey failed")
    computed = hmac.new(account.access_key_secret.encode(), _encoded(string_to_sign(call, names)), hashlib.sha256)
    if not hmac.compare_digest(computed.hexdigest(), sent):
        raise WrongSignature
    _check_token(call, account, now)
    return account


def _check_listed(call: Call, names: list[str]) -> None:
    if names != sorted(set(names)) or any(name != name.lower() or "_" in name for name in names):
        raise unauthenticated("the signed headers are invalid")
    present = [key.lower() for key, _ignored in call.headers]
    if any(present.count(name) != 1 for name in names):
        raise unauthenticated("a signed header is missing or sent twice")
    if not set(_ALWAYS_SIGNED) <= set(names):
        raise unauthenticated("host and x-sdk-date must be signed")
    if "x-security-token" in present and "x-security-token" not in names:
        raise unauthenticated("the security token must be signed")


def _check_token(call: Call, account: Account, now: float) -> None:
    """A temporary key needs its own security token, a lasting one has none."""
    if account.security_token != call.header("x-security-token"):
        raise unauthenticated("the security token is invalid")
    if account.expires_at is not None and now >= account.expires_at:
        raise unauthenticated("the security token has expired")


def string_to_sign(call: Call, names: list[str]) -> str:
    digest = hashlib.sha256(_encoded(canonical_request(call, names))).hexdigest()
    return f"{ALGORITHM}\n{call.header('x-sdk-date')}\n{digest}"


def canonical_request(call: Call, names: list[str]) -> str:
    lines = "".join(f"{name}:{(call.header(name) or '').strip()}\n" for name in names)
    path, query = _canonical_path(call.path), _canonical_query(call.query)
    return "\n".join([call.method, path, query, lines, ";".join(names), _payload(call, names)])


def _canonical_path(path: str) -> str:
    """Every part decoded and encoded anew; a slash at the end, whether it was sent or not."""
    parts = "/".join(quote(part, safe="-_.~") for part in unquote_to_bytes(_encoded(path)).split(b"/"))
    return parts if parts.endswith("/") else f"{parts}/"


def _canonical_query(query: str) -> str:
    pairs = sorted(query_pairs(query))
    return "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in pairs)


def query_pairs(query: str) -> Iterator[tuple[bytes, bytes]]:
    for part in query.split("&") if query else []:
        key, _ignored, value = part.partition("=")
        yield _decoded(key), _decoded(value)


def _payload(call: Call, names: list[str]) -> str:
    """The hash of the body. A body that is not JSON may stay unsigned, if the request says so in a signed header."""
    stated = call.header("x-sdk-content-sha256") if "x-sdk-content-sha256" in names else None
    kind = (call.header("content-type") or "").lower()
    if stated == _UNSIGNED_PAYLOAD and not kind.startswith(("application/json", "application/bson")):
        return _UNSIGNED_PAYLOAD
    return hashlib.sha256(call.body).hexdigest()


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(_encoded(text.replace("+", " ")))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _stamp(text: str) -> float | None:
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
