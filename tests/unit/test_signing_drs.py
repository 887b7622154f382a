# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature of DRS, step by step, against what the vendor's own SDK made of the same requests."""

from __future__ import annotations

import calendar
import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._signing import drs
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Query, Request

DATA = Path(__file__).parents[1] / "data"
VECTORS: list[dict[str, Any]] = json.loads((DATA / "vectors" / "huawei_sdk_hmac.json").read_text())["vectors"]
# Every vector and every capture was made at this moment: the SDK's clock was frozen.
MOMENT = "20240229T235958Z"
NOW = float(calendar.timegm(time.strptime(MOMENT, "%Y%m%dT%H%M%SZ")))


def query_of(pairs: list[list[Any]]) -> Query:
    """The query as our requests hold it: texts only. The SDK spells lists, booleans and numbers out by itself."""

    def texts(value: Any) -> Iterator[str]:
        for one in value if isinstance(value, list) else [value]:
            yield str(one).lower() if isinstance(one, bool) else str(one)

    return tuple((name, text) for name, value in pairs for text in texts(value))


def request_of(vector: dict[str, Any]) -> Request:
    given = vector["input"]
    return Request(
        given["method"],
        f"{given['scheme']}://{given['host']}",
        given["path"],
        query_of(given["query"]),
        given["headers"],
        (given["body_utf8"] or "").encode(),
    )


def signed(vector: dict[str, Any]) -> Request:
    given = vector["credentials"]
    key = drs.AccessKey(given["access_key"], given["secret_key"], given["security_token"])
    return drs.sign_hmac(request_of(vector), key, NOW, given["project_id"])


def before_signing(vector: dict[str, Any]) -> Request:
    """The request with all headers but Authorization."""
    request = signed(vector)
    return replace(request, headers={name: v for name, v in request.headers.items() if name != "Authorization"})


def by_name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def test_there_are_all_vectors() -> None:
    assert len(VECTORS) == 17


@pytest.mark.parametrize("vector", VECTORS, ids=by_name)
class TestVectors:
    def test_canonical_path(self, vector: dict[str, Any]) -> None:
        expected = vector["expect"]["canonical_request"].split("\n")[1]
        assert drs.canonical_path(vector["input"]["path"]) == expected

    def test_canonical_query(self, vector: dict[str, Any]) -> None:
        expected = vector["expect"]["canonical_request"].split("\n")[2]
        assert drs.canonical_query(query_of(vector["input"]["query"])) == expected

    def test_signed_headers(self, vector: dict[str, Any]) -> None:
        assert drs.signed_headers(before_signing(vector)) == vector["expect"]["signed_headers"]

    def test_canonical_request(self, vector: dict[str, Any]) -> None:
        assert drs.canonical_request(before_signing(vector)) == vector["expect"]["canonical_request"]

    def test_string_to_sign(self, vector: dict[str, Any]) -> None:
        expected = vector["expect"]
        assert drs.string_to_sign(expected["canonical_request"], MOMENT) == expected["string_to_sign"]

    def test_headers(self, vector: dict[str, Any]) -> None:
        # The SDK trims what it sends as well; none of our own headers has anything to trim.
        headers = {name: value.strip() for name, value in signed(vector).headers.items()}
        assert headers == vector["expect"]["final_headers"]

    def test_the_signature_is_known_to_the_masker(self, vector: dict[str, Any]) -> None:
        assert signed(vector).signature == vector["expect"]["signature"]

    def test_the_query_is_sent_in_the_order_that_is_signed(self, vector: dict[str, Any]) -> None:
        sent = urlsplit(signed(vector).target).query
        on_wire = vector["expect"]["request_target"].partition("?")[2]
        assert parse_qsl(sent, keep_blank_values=True) == parse_qsl(on_wire, keep_blank_values=True)


def captured() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DATA / "captures").glob("hw_*.json")):
        for number, exchange in enumerate(json.loads(path.read_text()).get("exchanges", ())):
            if "Access=" in dict(exchange["headers"]).get("Authorization", ""):
                yield f"{path.stem}-{number}", exchange


CAPTURED = dict(captured())


def test_there_are_signed_captures() -> None:
    assert {"hw_batch_retry_task-0", "hw_project_autodiscovery-0", "hw_project_autodiscovery-1"} <= set(CAPTURED)


@pytest.mark.parametrize("name", CAPTURED)
def test_the_sdk_on_the_wire_signs_alike(name: str) -> None:
    exchange = CAPTURED[name]
    method, target, _ignored = exchange["request_line"].split(" ")
    headers = dict(exchange["headers"])
    access, names = re.findall(r"(?:Access|SignedHeaders)=([^,]+)", headers["Authorization"])
    given = {name: value for name, value in headers.items() if name in ("Content-Type", "User-Agent", "X-Language")}
    parts = urlsplit(target)
    request = Request(
        method,
        f"http://{headers['Host']}",
        parts.path,
        tuple(parse_qsl(parts.query, keep_blank_values=True)),
        {name: value for name, value in given.items() if name.lower() in names.split(";")},
        exchange["body"].encode(),
    )
    secret = VECTORS[0]["credentials"]["secret_key"]
    key = drs.AccessKey(access, secret, headers.get("X-Security-Token"))
    result = drs.sign_hmac(request, key, NOW, headers.get("X-Project-Id"))
    assert result.headers["Authorization"] == headers["Authorization"]
    assert result.target == target


def test_only_headers_that_the_request_has_are_signed() -> None:
    """What the library that sends it adds (User-Agent, Accept, Content-Length) may change on the way."""
    request = Request("POST", "https://drs.example.com", "/v3/p/jobs", headers={"Content-Type": "application/json"})
    authorization = drs.sign_hmac(request, drs.AccessKey("i", "s"), NOW, None).headers["Authorization"]
    assert "SignedHeaders=content-type;host;x-sdk-date," in authorization


def test_without_a_body_the_hash_of_nothing_is_signed() -> None:
    """Also where the type would leave a body unsigned; so the SDK does it."""
    headers = {"Content-Type": "text/plain", "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
    request = Request("GET", "https://drs.example.com", "/v3/p/jobs", headers=headers)
    assert drs.canonical_request(request).endswith("\n" + hashlib.sha256().hexdigest())


def test_signing_again_replaces_the_moment() -> None:
    """Each attempt is signed anew, always from the request without a signature."""
    request, key = Request("GET", "https://drs.example.com", "/v3/p/jobs"), drs.AccessKey("i", "s")
    first, second = drs.sign_hmac(request, key, NOW, "p"), drs.sign_hmac(request, key, NOW + 1, "p")
    assert first.signature != second.signature
    assert second.headers["X-Sdk-Date"] == "20240229T235959Z"


class TestToken:
    def test_it_travels_as_keystone_sends_it(self) -> None:
        path = DATA / "captures" / "ks_endpoint_override_retry.json"
        exchange = json.loads(path.read_text())["exchanges"][1]
        request = Request("POST", "http://127.0.0.1", "/v3/p/jobs/batch-retry-task")
        token = drs.with_token(request, "DUMMY-TOKEN-0001").headers["X-Auth-Token"]
        assert token == dict(exchange["headers"])["X-Auth-Token"]

    def test_it_is_known_to_the_masker(self) -> None:
        request = drs.with_token(Request("GET", "https://drs.example.com", "/v3/p/jobs"), "the-token")
        assert request.signature == "the-token"

    def test_a_token_needs_no_signature(self) -> None:
        request = drs.with_token(Request("GET", "https://drs.example.com", "/v3/p/jobs"), "the-token")
        assert set(request.headers) == {"X-Auth-Token"}


def test_a_key_does_not_show_its_secrets() -> None:
    shown = repr(drs.AccessKey("id", "the-secret", "the-token"))
    assert "the-secret" not in shown
    assert "the-token" not in shown
