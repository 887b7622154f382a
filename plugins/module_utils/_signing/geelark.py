# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The two ways in which the GeeLark Open API lets a call in: a token, or a key that signs the headers.

The rules are those of the vendor's request instructions. Neither way protects path, query or body.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Union

from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request

_NONCE_LENGTH = 6


@dataclass(frozen=True)
class Token:
    """The token of an account. It is sent as it is, so it is a secret on the wire too."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class AppKey:
    """The id of a team's application, and the key that belongs to it and is never sent."""

    app_id: str
    api_key: str = field(repr=False)


Credential = Union[Token, AppKey]


def sign(request: Request, credential: Credential, now: float, trace_id: str) -> Request:
    """The request with every header that lets it in.

    :param now: epoch seconds; a token needs none
    :param trace_id: fresh for each call, a version 4 UUID in any spelling; both ways are refused without
    """
    headers = {"traceId": trace_id, "Content-Length": str(len(request.body))}
    if isinstance(credential, Token):
        headers["Authorization"] = f"Bearer {credential.value}"
        return replace(request.with_headers(headers), signature=credential.value)
    timestamp = str(round(now * 1000))
    nonce = trace_id[:_NONCE_LENGTH]
    text = string_to_sign(credential, trace_id, timestamp, nonce)
    signature = hashlib.sha256(text.encode()).hexdigest().upper()
    headers.update({"appId": credential.app_id, "ts": timestamp, "nonce": nonce, "sign": signature})
    return replace(request.with_headers(headers), signature=signature)


def string_to_sign(key: AppKey, trace_id: str, timestamp: str, nonce: str) -> str:
    """What is hashed. It ends in the key itself, so it must not be shown. `timestamp` is epoch milliseconds."""
    return f"{key.app_id}{trace_id}{timestamp}{nonce}{key.api_key}"
