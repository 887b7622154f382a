# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The signature of Tencent Cloud CLS: C(TC3-HMAC-SHA256), the version 3 signature of all the vendor's services.

The rules are those of tencentcloud-sdk-python-common 3.1.195 and of the vendor's page on the signature. The page signs
C(x-tc-action) too; the SDK signs C(content-type) and C(host) only, and is followed, because it is what the service is
known to accept.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request

_ALGORITHM = "TC3-HMAC-SHA256"
_SERVICE = "cls"
_TERMINATOR = "tc3_request"
_SIGNED_HEADERS = ("content-type", "host")


@dataclass(frozen=True)
class SecretKey:
    """A pair of SecretId and SecretKey, with the token that belongs to it when it is a temporary one."""

    id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def sign_tc3(request: Request, key: SecretKey, now: float) -> Request:
    """The request with every header of the signature. `now` is epoch seconds.

    The request carries C(Content-Type) and C(Host) as they will be sent; they are signed byte for byte.
    """
    timestamp = int(now)
    headers = {"X-TC-Timestamp": str(timestamp), "Content-Length": str(len(request.body))}
    if key.token:
        headers["X-TC-Token"] = key.token
    unsigned = request.with_headers(headers)
    scope = tc3_scope(timestamp)
    text = tc3_string_to_sign(tc3_canonical_request(unsigned), timestamp, scope)
    signature = _hmac(_tc3_key(key.secret, scope), text).hex()
    authorization = (
        f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={';'.join(_SIGNED_HEADERS)}, Signature={signature}"
    )
    return replace(unsigned.with_headers({"Authorization": authorization}), signature=signature)


def tc3_scope(timestamp: int) -> str:
    """Day in UTC and service for which a signature holds. `timestamp` is what C(X-TC-Timestamp) says."""
    return f"{time.strftime('%Y-%m-%d', time.gmtime(timestamp))}/{_SERVICE}/{_TERMINATOR}"


def tc3_canonical_request(request: Request, signed_headers: tuple[str, ...] = _SIGNED_HEADERS) -> str:
    """What is hashed of the request. `signed_headers` are names in lower case, sorted; values count as they are sent.

    :raises KeyError: the request has no header of one of these names
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    return "\n".join(
        (
            request.method,
            request.path,
            # As it is sent: neither sorted nor encoded in any other way.
            urlencode(request.query),
            "".join(f"{name}:{headers[name]}\n" for name in signed_headers),
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def tc3_string_to_sign(canonical_request: str, timestamp: int, scope: str) -> str:
    """What is signed."""
    return "\n".join((_ALGORITHM, str(timestamp), scope, hashlib.sha256(canonical_request.encode()).hexdigest()))


def _tc3_key(secret: str, scope: str) -> bytes:
    key = ("TC3" + secret).encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
