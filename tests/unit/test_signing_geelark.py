# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both ways into the GeeLark API, against the vendor's published example and what public clients send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._signing import geelark
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "vectors" / "geelark_sign.json").read_text()
)["vectors"]

REQUEST = Request(
    "POST",
    "https://openapi.geelark.com",
    "/open/v1/task/query",
    headers={"Content-Type": "application/json"},
    body=b"{}",
)
KEY = geelark.AppKey("an-app", "a-key")


def by_name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", VECTORS, ids=by_name)
class TestKey:
    def key(self, vector: dict[str, Any]) -> geelark.AppKey:
        return geelark.AppKey(vector["app_id"], vector["api_key"])

    def test_string_to_sign(self, vector: dict[str, Any]) -> None:
        text = geelark.string_to_sign(self.key(vector), vector["trace_id"], vector["ts"], vector["nonce"])
        assert text == vector["string_to_sign"]

    def test_headers(self, vector: dict[str, Any]) -> None:
        signed = geelark.sign(REQUEST, self.key(vector), int(vector["ts"]) / 1000, vector["trace_id"])
        assert signed.headers == {**vector["headers"], "Content-Length": "2"}
        assert signed.signature == vector["sign"]


def test_the_vendors_published_example_is_among_the_vectors() -> None:
    assert "6280C080AF7C3CCE168F15C913E3444A00A618CB0E16038EED9811D6E3366BDD" in {one["sign"] for one in VECTORS}


@pytest.mark.parametrize("now", [1709251198.001, 1709251198.0014, 1709251198.0008])
def test_the_time_is_sent_in_whole_milliseconds(now: float) -> None:
    assert geelark.sign(REQUEST, KEY, now, "a-trace-id").headers["ts"] == "1709251198001"


def test_the_key_is_never_sent() -> None:
    assert not any("a-key" in value for value in geelark.sign(REQUEST, KEY, 0.0, "a-trace-id").headers.values())


def test_the_body_is_not_signed_and_stays_as_it_is() -> None:
    other = Request("POST", REQUEST.base_url, "/open/v1/task/restart", headers=REQUEST.headers, body=b'{"ids": []}')
    signed = geelark.sign(other, KEY, 5.0, "a-trace-id")
    assert signed.headers["sign"] == geelark.sign(REQUEST, KEY, 5.0, "a-trace-id").headers["sign"]
    assert (signed.body, signed.url) == (other.body, other.url)


def test_a_token_travels_with_a_trace_id_and_nothing_else() -> None:
    signed = geelark.sign(REQUEST, geelark.Token("a-token"), 5.0, "a-trace-id")
    assert signed.headers == {
        "Content-Type": "application/json",
        "Content-Length": "2",
        "Authorization": "Bearer a-token",
        "traceId": "a-trace-id",
    }


def test_what_would_let_another_call_in_is_marked_as_such() -> None:
    assert geelark.sign(REQUEST, geelark.Token("a-token"), 5.0, "a-trace-id").signature == "a-token"
    signed = geelark.sign(REQUEST, KEY, 5.0, "a-trace-id")
    assert signed.signature == signed.headers["sign"]


def test_a_credential_does_not_show_its_secret() -> None:
    assert "a-token" not in repr(geelark.Token("a-token"))
    assert "a-key" not in repr(KEY)
