# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""How a call to DRS says who makes it: a signature (C(SDK-HMAC-SHA256)) or a token.

The rules of the signature are those of the vendor's huaweicloudsdkcore 3.1.219, in the form C(Access=). Another dialect
goes by the same name, with a credential scope and a derived key; it is not used here.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit

from ansible_collections.redrive.tasks.plugins.module_utils._wire import Query, Request

ALGORITHM = "SDK-HMAC-SHA256"
_BODY_HASH = "x-sdk-content-sha256"
_UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
# A body of any other type is not signed.
_SIGNED_BODIES = ("application/json", "application/bson")


@dataclass(frozen=True)
class AccessKey:
    """An access key (AK) and its secret key (SK), with the token that belongs to them when they are temporary."""

    id: str
    secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


def with_token(request: Request, token: str) -> Request:
    """The request with a token of the identity service; masked like a signature, because it works like one."""
    return replace(request.with_headers({"X-Auth-Token": token}), signature=token)


def sign_hmac(request: Request, key: AccessKey, now: float, project_id: str | None) -> Request:
    """The request with every header of the signature, and its query in the order that is signed.

    Every header that the request has by then is signed; those that are added on the way are not.

    :param now: epoch seconds
    :param project_id: None while it is being looked up
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    added = {"X-Sdk-Date": moment, "Host": urlsplit(request.base_url).netloc}
    if project_id:
        added["X-Project-Id"] = project_id
    if key.security_token:
        added["X-Security-Token"] = key.security_token
    if not _lower(request.headers).get("content-type", "application/json").startswith(_SIGNED_BODIES):
        added["X-Sdk-Content-Sha256"] = _UNSIGNED_BODY
    complete = replace(request.with_headers(added), query=tuple(sorted(request.query)))
    text = string_to_sign(canonical_request(complete), moment)
    signature = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    authorization = f"{ALGORITHM} Access={key.id}, SignedHeaders={signed_headers(complete)}, Signature={signature}"
    return replace(complete.with_headers({"Authorization": authorization}), signature=signature)


def string_to_sign(canonical: str, moment: str) -> str:
    """What is signed; `moment` as in the header X-Sdk-Date."""
    return "\n".join((ALGORITHM, moment, _sha256(canonical.encode())))


def canonical_request(request: Request) -> str:
    """What is hashed, of a request that has all its headers but C(Authorization)."""
    headers, names = _lower(request.headers), signed_headers(request)
    body_hash = _sha256(request.body)
    if request.body:  # without one it is the hash of nothing, whatever the header says
        body_hash = headers.get(_BODY_HASH, body_hash)
    return "\n".join(
        (
            request.method,
            canonical_path(request.path),
            canonical_query(request.query),
            "".join(f"{name}:{headers[name]}\n" for name in names.split(";")),
            names,
            body_hash,
        )
    )


def canonical_path(path: str) -> str:
    """The path, encoded part by part; it ends in a slash here, and here only."""
    encoded = "/".join(_quote(part) for part in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def canonical_query(query: Query) -> str:
    """The query sorted by raw name and value; an empty value keeps its C(=)."""
    return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in sorted(query))


def signed_headers(request: Request) -> str:
    """The names of the headers that are signed; one with an underscore is not, as in the SDK."""
    return ";".join(sorted(name for name in _lower(request.headers) if "_" not in name))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def _quote(text: str) -> str:
    return quote(text, safe="~")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
