# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifies signatures of API 3.0 (TC3-HMAC-SHA256) from the raw request.

Written from the page "Signature v3" and from what tencentcloud-sdk-python-common 3.1.195 sends; every rule that is not
obvious names its source.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from local_cloud.services import Call
from local_cloud.services.cls_errors import Language, refusal

if TYPE_CHECKING:
    from local_cloud.world import Account

SCHEME = "TC3-HMAC-SHA256"
SERVICE = "cls"
MAX_SKEW = 5 * 60
_AUTHORIZATION = re.compile(
    rf"^{SCHEME} Credential=([^/,\s]+)/(\d{{4}}-\d\d-\d\d)/([^/,\s]+)/tc3_request, "
    r"SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*), Signature=([0-9a-f]{64})$",
    re.ASCII,
)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_ONCE = ("host", "authorization", "content-type", "content-length")
_CONTENT_TYPES = {"POST": "application/json", "GET": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class _Authorization:
    secret_id: str
    day: str
    service: str
    signed: tuple[str, ...]
    signature: str


@dataclass(frozen=True)
class Verifier:
    accounts: Mapping[str, Account]

    def verify(self, call: Call, now: float) -> Account:
        """The account behind a genuine call; refuses any other."""
        language = language_of(call)
        _check_headers_once(call, language)
        sent = _parse(call, language)
        _check_content_type(call, language)
        stamp = _timestamp(call, language, now)
        account = self._account(sent.secret_id, call, language, now)
        day = datetime.fromtimestamp(stamp, timezone.utc).strftime("%Y-%m-%d")
        # The date of the scope is that of X-TC-Timestamp in UTC, whatever the server's own clock says.
        if (sent.day, sent.service) != (day, SERVICE):
            raise refusal(language, "signature")
        computed = signature(account.access_key_secret, sent.day, string_to_sign(call, sent.day, sent.signed))
        if not hmac.compare_digest(computed, sent.signature):
            raise refusal(language, "signature")
        return account

    def _account(self, secret_id: str, call: Call, language: Language, now: float) -> Account:
        account = self.accounts.get(secret_id)
        if account is None or account.disabled:
            raise refusal(language, "secret_id")
        if account.security_token != call.header("x-tc-token"):
            raise refusal(language, "token")
        if account.expires_at is not None and now >= account.expires_at:
            raise refusal(language, "token_expired")
        return account


def language_of(call: Call) -> Language:
    """Chinese unless English is asked for; other values are not documented."""
    return Language.ENGLISH if call.header("x-tc-language") == Language.ENGLISH.value else Language.CHINESE


def secret_id_of(call: Call) -> str:
    """Who says to have sent the call, whether that is true or not."""
    match = re.search(r"Credential=([^/,\s]+)/", call.header("authorization") or "")
    return match.group(1) if match else ""


def canonical_request(call: Call, signed: Sequence[str]) -> str:
    headers = "".join(f"{name}:{_canonical_value(call, name)}\n" for name in signed)
    query = call.query if call.method == "GET" else ""
    # The path is `/` for every call of API 3.0; any other was refused before.
    return "\n".join([call.method, "/", query, headers, ";".join(signed), _payload_hash(call)])


def string_to_sign(call: Call, day: str, signed: Sequence[str]) -> str:
    request = canonical_request(call, signed).encode("utf-8", "surrogateescape")
    stamp = call.header("x-tc-timestamp")
    return f"{SCHEME}\n{stamp}\n{day}/{SERVICE}/tc3_request\n{hashlib.sha256(request).hexdigest()}"


def signature(secret: str, day: str, text: str) -> str:
    key = f"TC3{secret}".encode()
    for part in (day, SERVICE, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _canonical_value(call: Call, name: str) -> str:
    value = (call.header(name) or "").strip()
    # tencentcloud-sdk-python-common 3.1.195 signs these two with their case kept. The page's example lower-cases the
    # value of a further one (x-tc-action).
    return value if name in ("content-type", "host") else value.lower()


def _payload_hash(call: Call) -> str:
    unsigned = call.header("x-tc-content-sha256") == _UNSIGNED
    return hashlib.sha256(_UNSIGNED.encode() if unsigned else call.body).hexdigest()


def _check_headers_once(call: Call, language: Language) -> None:
    seen = set()
    for key, _ignored in call.headers:
        name = key.lower()
        if name in seen and (name in _ONCE or name.startswith("x-tc-")):
            raise refusal(language, "header_twice", name=name)
        seen.add(name)


def _parse(call: Call, language: Language) -> _Authorization:
    text = call.header("authorization")
    if not text:
        raise refusal(language, "missing_parameter", name="Authorization")
    match = _AUTHORIZATION.match(text)
    if match is None:
        raise refusal(language, "authorization")
    secret_id, day, service, names, sent = match.groups()
    signed = tuple(names.split(";"))
    # The page asks for these two at least, and for ascending order.
    if not {"content-type", "host"} <= set(signed) or list(signed) != sorted(set(signed)):
        raise refusal(language, "authorization")
    return _Authorization(secret_id, day, service, signed, sent)


def _check_content_type(call: Call, language: Language) -> None:
    sent = call.header("content-type") or ""
    if sent.partition(";")[0].strip() != _CONTENT_TYPES.get(call.method):
        raise refusal(language, "content_type", value=sent)


def _timestamp(call: Call, language: Language, now: float) -> int:
    sent = call.header("x-tc-timestamp")
    if sent is None:
        raise refusal(language, "missing_parameter", name="Timestamp")
    if not re.match(r"^\d{1,10}$", sent, re.ASCII):
        raise refusal(language, "value", name="Timestamp", value=sent)
    if abs(now - int(sent)) > MAX_SKEW:
        raise refusal(language, "expired", value=sent, now=int(now))
    return int(sent)
