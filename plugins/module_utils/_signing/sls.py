# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Signatures of Alibaba Cloud SLS: version 1 (C(LOG), HMAC-SHA1) and version 4 (C(SLS4-HMAC-SHA256)).

The rules are those of the vendor's aliyun-log-python-sdk 0.9.52 and of the vendor's pages on request signatures;
where the two differ, the SDK is followed, because it is what the service is known to accept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from urllib.parse import quote

from ansible_collections.redrive.tasks.plugins.module_utils._wire import Query, Request

API_VERSION = "0.6.0"
_V4 = "SLS4-HMAC-SHA256"
_V4_TERMINATOR = "aliyun_v4_request"


@dataclass(frozen=True)
class AccessKey:
    """An AccessKey pair, with the token that belongs to it when it is a temporary one."""

    id: str
    secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


def sign_v1(request: Request, key: AccessKey, now: float) -> Request:
    """The request with every header of signature version 1. `now` is epoch seconds."""
    date = formatdate(now, usegmt=True)
    headers = {**_common_headers(request, key), "x-log-signaturemethod": "hmac-sha1", "Date": date}
    if request.body:
        # Upper-case hex, not the base64 that the header's standard asks for.
        headers["Content-MD5"] = _md5(request.body).upper()
    signed = request.with_headers(headers)
    digest = hmac.new(key.secret.encode(), v1_string_to_sign(signed).encode(), hashlib.sha1).digest()
    signature = base64.b64encode(digest).decode()
    # x-log-date is sent as the SDK sends it: after signing, so it is no part of the signed text.
    return replace(
        signed.with_headers({"Authorization": f"LOG {key.id}:{signature}", "x-log-date": date}), signature=signature
    )


def v1_string_to_sign(request: Request) -> str:
    """What version 1 signs, of a request that has all its headers but C(Authorization)."""
    headers = request.headers
    lines = [request.method]
    lines += [headers.get(name, "") for name in ("Content-MD5", "Content-Type", "Date")]
    return "\n".join(lines) + "\n" + v1_canonical_headers(headers) + v1_canonical_resource(request)


def v1_canonical_headers(headers: Mapping[str, str]) -> str:
    """The vendor's own headers, sorted, one on each line."""
    own = {name.lower(): value.strip() for name, value in headers.items()}
    return "".join(f"{name}:{own[name]}\n" for name in sorted(own) if name.startswith(("x-log-", "x-acs-")))


def v1_canonical_resource(request: Request) -> str:
    """The path and the decoded query, sorted by name."""
    if not request.query:
        return request.path
    return request.path + "?" + "&".join(f"{name}={value}" for name, value in sorted(request.query))


def sign_v4(request: Request, key: AccessKey, now: float, *, region: str) -> Request:
    """The request with every header of signature version 4. `now` is epoch seconds."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    signed = request.with_headers(
        {
            **_common_headers(request, key),
            "x-log-date": moment,
            "x-log-content-sha256": _sha256(request.body),
        }
    )
    scope = v4_scope(moment, region)
    digest = v4_string_to_sign(v4_canonical_request(signed), moment, scope)
    signature = _hmac_sha256(_v4_key(key.secret, scope), digest).hex()
    authorization = f"{_V4} Credential={key.id}/{scope},Signature={signature}"
    return replace(signed.with_headers({"Authorization": authorization}), signature=signature)


def v4_scope(moment: str, region: str) -> str:
    """Day, region and service for which a version 4 signature holds."""
    return f"{moment[:8]}/{region}/sls/{_V4_TERMINATOR}"


def v4_canonical_request(request: Request) -> str:
    """What version 4 hashes, of a request that has all its headers but C(Authorization)."""
    headers = {name.lower(): value.strip() for name, value in request.headers.items()}
    signed = sorted(
        name for name in headers if name in ("host", "content-type") or name.startswith(("x-log-", "x-acs-"))
    )
    return "\n".join(
        (
            request.method,
            request.path,
            v4_canonical_query(request.query),
            "".join(f"{name}:{headers[name]}\n" for name in signed),
            ";".join(signed),
            headers["x-log-content-sha256"],
        )
    )


def v4_canonical_query(query: Query) -> str:
    """The query sorted by raw name; names stay raw and an empty value loses its C(=), as in the SDK."""
    pairs = ((name, quote(value, safe="-_.~")) for name, value in sorted(query))
    return "&".join(f"{name}={value}" if value else name for name, value in pairs)


def v4_string_to_sign(canonical_request: str, moment: str, scope: str) -> str:
    """What version 4 signs."""
    return "\n".join((_V4, moment, scope, _sha256(canonical_request.encode())))


def _v4_key(secret: str, scope: str) -> bytes:
    key = ("aliyun_v4" + secret).encode()
    for part in scope.split("/"):
        key = _hmac_sha256(key, part)
    return key


def _common_headers(request: Request, key: AccessKey) -> dict[str, str]:
    headers = {
        "x-log-apiversion": API_VERSION,
        "x-log-bodyrawsize": str(len(request.body)),
        "Content-Length": str(len(request.body)),
    }
    if key.security_token:
        headers["x-acs-security-token"] = key.security_token
    return headers


def _hmac_sha256(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _md5(data: bytes) -> str:
    # A checksum that the protocol prescribes, not a safeguard: FIPS builds allow it under this flag only.
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
