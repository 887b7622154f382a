# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifies SLS signatures v1 (LOG, hmac-sha1 and hmac-sha256) and V4 (SLS4-HMAC-SHA256), from the raw request.

Written from the pages "Request signatures" and "Common request headers" and from what aliyun-log-python-sdk 0.9.52
and alibabacloud-gateway-sls 0.4.2 send; every rule that is not obvious names its source.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local_cloud.services import Call
from local_cloud.services.sls_errors import Dialect, refusal

if TYPE_CHECKING:
    from local_cloud.world import Account

API_VERSION = "0.6.0"
MAX_SKEW = 15 * 60
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC1123 = re.compile(r"^(\w{3}), (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$", re.ASCII)
_BASIC_ISO = re.compile(r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$", re.ASCII)
_V1 = re.compile(r"^LOG ([^:\s]+):([A-Za-z0-9+/]+={0,2})$")
_V4_PREFIX = "SLS4-HMAC-SHA256"
_V4 = re.compile(
    r"^SLS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/sls/aliyun_v4_request,Signature=([0-9a-f]{64})$"
)
_METHODS: Mapping[str, Callable[..., Any]] = {"hmac-sha1": hashlib.sha1, "hmac-sha256": hashlib.sha256}
_ONCE = ("host", "authorization", "date", "content-type", "content-md5", "content-length")


@dataclass(frozen=True)
class Verifier:
    accounts: Mapping[str, Account]
    dialect: Dialect = Dialect.SEED001
    expired_token_code: str = "Unauthorized"

    def verify(self, call: Call, region: str | None, now: float) -> Account:
        """The account behind a genuine call; refuses any other. `region` is where the called project lives."""
        self._check_headers_once(call)
        authorization = call.header("authorization")
        if not authorization:
            raise refusal(self.dialect, "missing_authorization")
        self._check_common(call)
        if authorization.startswith(_V4_PREFIX):
            return self._verify_v4(call, authorization, region, now)
        return self._verify_v1(call, authorization, now)

    # -- headers ----------------------------------------------------------------------------------------------------

    def _check_headers_once(self, call: Call) -> None:
        seen = set()
        for key, value in call.headers:
            name = key.lower()
            if name not in _ONCE and not name.startswith(("x-log-", "x-acs-")):
                continue
            if name in seen:
                raise refusal(self.dialect, "bad_header", name=name, value=value)
            seen.add(name)

    def _check_common(self, call: Call) -> None:
        version = call.header("x-log-apiversion")
        if version is None:
            raise refusal(self.dialect, "missing_api_version")
        if version != API_VERSION:
            raise refusal(self.dialect, "bad_api_version", value=version)
        size = call.header("x-log-bodyrawsize")
        if size is None:
            # The older page asks for it with compression only, and the older RetryShipperTask sample has none.
            if self.dialect is Dialect.SEED001:
                raise refusal(self.dialect, "missing_body_raw_size")
        elif size != str(len(call.body)):
            raise refusal(self.dialect, "bad_body_raw_size", value=size)
        content_type = call.header("content-type")
        if call.body and not content_type:
            raise refusal(self.dialect, "missing_content_type")
        if call.body and str(content_type).partition(";")[0].strip() != "application/json":
            raise refusal(self.dialect, "bad_content_type", value=content_type)

    def _check_time(self, stamp: int | None, sent: str, now: float) -> None:
        if stamp is None:
            raise refusal(self.dialect, "bad_date", value=sent)
        if abs(now - stamp) > MAX_SKEW:
            raise refusal(self.dialect, "skewed", value=sent, now=formatdate(now, usegmt=True))

    def _account(self, key_id: str, call: Call, now: float) -> Account:
        account = self.accounts.get(key_id)
        if account is None:
            raise refusal(self.dialect, "unknown_key", value=key_id)
        if account.disabled:
            raise refusal(self.dialect, "disabled_key", value=key_id)
        if account.security_token != call.header("x-acs-security-token"):
            raise refusal(self.dialect, "token_invalid")
        if account.expires_at is not None and now >= account.expires_at:
            expired = refusal(self.dialect, "token_expired")
            expired.code = self.expired_token_code
            raise expired
        return account

    def _compare(self, computed: str, sent: str) -> None:
        if not hmac.compare_digest(computed.encode(), sent.encode()):
            raise refusal(self.dialect, "signature", value=sent)

    # -- v1 ---------------------------------------------------------------------------------------------------------

    def _verify_v1(self, call: Call, authorization: str, now: float) -> Account:
        match = _V1.match(authorization)
        if match is None:
            raise refusal(self.dialect, "bad_authorization", value=authorization)
        key_id, sent = match.groups()
        name = call.header("x-log-signaturemethod")
        if name is None:
            raise refusal(self.dialect, "missing_signature_method")
        method = _METHODS.get(name)
        if method is None:
            raise refusal(self.dialect, "bad_signature_method", value=name)
        date = call.header("date")
        if not date:
            raise refusal(self.dialect, "missing_date")
        # "Common request headers": x-log-date, if sent, replaces Date in the 15-minute check; Date stays mandatory.
        if _rfc1123(date) is None:
            raise refusal(self.dialect, "bad_date", value=date)
        moment = call.header("x-log-date") or date
        self._check_time(_rfc1123(moment), moment, now)
        account = self._account(key_id, call, now)
        self._check_md5(call)
        key = account.access_key_secret.encode()
        digest = hmac.new(key, string_to_sign_v1(call).encode("utf-8", "surrogateescape"), method).digest()
        self._compare(base64.b64encode(digest).decode(), sent)
        return account

    def _check_md5(self, call: Call) -> None:
        sent = call.header("content-md5") or ""
        # alibabacloud-gateway-sls 0.4.2 sends an empty Content-MD5 without a body; with one it must be there.
        expected = hashlib.md5(call.body, usedforsecurity=False).hexdigest().upper() if call.body else ""
        if sent != expected:
            raise refusal(self.dialect, "bad_header", name="content-md5", value=sent)

    # -- V4 ---------------------------------------------------------------------------------------------------------

    def _verify_v4(self, call: Call, authorization: str, region: str | None, now: float) -> Account:
        match = _V4.match(authorization)
        if match is None:
            raise refusal(self.dialect, "bad_authorization", value=authorization)
        key_id, day, signed_region, sent = match.groups()
        date = call.header("x-log-date")
        if date is None:
            raise refusal(self.dialect, "missing_date")
        self._check_time(_basic_iso(date), date, now)
        account = self._account(key_id, call, now)
        content_hash = hashlib.sha256(call.body).hexdigest()
        if call.header("x-log-content-sha256") != content_hash:
            raise refusal(self.dialect, "signature", value=sent)
        if day != date[:8] or signed_region != (region or account.region):
            raise refusal(self.dialect, "signature", value=sent)
        scope = f"{day}/{signed_region}/sls/aliyun_v4_request"
        request = canonical_request_v4(call, content_hash).encode("utf-8", "surrogateescape")
        text = f"{_V4_PREFIX}\n{date}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
        key = f"aliyun_v4{account.access_key_secret}".encode()
        for part in (day, signed_region, "sls", "aliyun_v4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        self._compare(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), sent)
        return account


def string_to_sign_v1(call: Call) -> str:
    lines = [
        call.method,
        call.header("content-md5") or "",
        call.header("content-type") or "",
        call.header("date") or "",
    ]
    signed = {}
    for key, value in call.headers:
        name = key.lower()
        # aliyun-log-python-sdk 0.9.52 leaves x-log-meta-* out, and adds x-log-date after signing.
        if name.startswith(("x-log-", "x-acs-")) and not name.startswith("x-log-meta-") and name != "x-log-date":
            signed[name] = value.strip()
    lines += [f"{name}:{signed[name]}" for name in sorted(signed)]
    query = "&".join(f"{key}={value}" for key, value in sorted(parse_query(call.query)))
    lines.append(f"{call.path}?{query}" if query else call.path)
    return "\n".join(lines)


def canonical_request_v4(call: Call, content_hash: str) -> str:
    signed = {}
    for key, value in call.headers:
        name = key.lower()
        relevant = name in ("host", "content-type") or name.startswith(("x-log-", "x-acs-"))
        if relevant and not name.startswith("x-log-meta-"):
            signed[name] = value.strip()
    query = []
    for key, value in sorted(parse_query(call.query)):
        # aliyun-log-python-sdk 0.9.52: the key goes in as it is, an empty value leaves the bare key.
        query.append(f"{key}={quote(value, safe='-_.~', errors='surrogateescape')}" if value else key)
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    return "\n".join([call.method, call.path, "&".join(query), lines, ";".join(sorted(signed)), content_hash])


def parse_query(query: str) -> list[tuple[str, str]]:
    """The decoded pairs of a query as HTTP libraries form-encode it (a space travels as `+`), empty values kept."""
    pairs = []
    for part in query.split("&") if query else []:
        key, _ignored, value = part.partition("=")
        pairs.append((_decode(key), _decode(value)))
    return pairs


def _decode(text: str) -> str:
    raw = bytearray()
    rest = text.replace("+", " ").encode("utf-8", "surrogateescape")
    position = 0
    while position < len(rest):
        pair = rest[position + 1 : position + 3]
        if rest[position : position + 1] == b"%" and re.match(rb"^[0-9A-Fa-f]{2}$", pair):
            raw += binascii.unhexlify(pair)
            position += 3
        else:
            raw += rest[position : position + 1]
            position += 1
    return raw.decode("utf-8", "surrogateescape")


def _rfc1123(text: str) -> int | None:
    match = _RFC1123.match(text)
    if match is None or match.group(3) not in _MONTHS:
        return None
    day, month, year = int(match.group(2)), _MONTHS.index(match.group(3)) + 1, int(match.group(4))
    stamp = _stamp(year, month, day, *(int(part) for part in match.group(5, 6, 7)))
    if stamp is None or _DAYS[calendar.weekday(year, month, day)] != match.group(1):
        return None
    return stamp


def _basic_iso(text: str) -> int | None:
    match = _BASIC_ISO.match(text)
    return None if match is None else _stamp(*(int(part) for part in match.groups()))


def _stamp(*parts: int) -> int | None:
    try:
        return int(datetime(*parts, tzinfo=timezone.utc).timestamp())  # type: ignore[misc,arg-type]
    except ValueError:
        return None
