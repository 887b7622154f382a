# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature of CLS, step by step, against what the vendor's own SDK made of the same requests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._signing import cls
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request

DATA = Path(__file__).parents[1] / "data"
VECTORS: dict[str, Any] = json.loads((DATA / "vectors" / "tc3.json").read_text())
CAPTURES = ("cls_RetryShipperTask.json", "cls_DescribeShipperTasks.json", "cls_DescribeShippers.json")

# What the signer adds; everything else is given by whoever makes the request.
ADDED = {"X-TC-Timestamp", "X-TC-Token", "Authorization", "Content-Length"}
# What the SDK's HTTP library adds.
LIBRARY = {"User-Agent", "Accept", "Accept-Encoding", "Connection"}


def given_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ADDED | LIBRARY}


def request_of(vector: dict[str, Any]) -> Request:
    given, headers = vector["input"], given_headers(vector["expected"]["headers"])
    # The SDK hashes this text in place of the body, which the signer need not know.
    body = b"UNSIGNED-PAYLOAD" if given["unsigned_payload"] else given["body_utf8"].encode()
    query = tuple(parse_qsl(given["query_on_wire"]))
    return Request(given["method"], f"https://{given['host']}", given["path"], query, headers, body)


def key_of(vector: dict[str, Any]) -> cls.SecretKey:
    given = vector["input"]["credentials"]
    return cls.SecretKey(given["secret_id"], given["secret_key"], given["token"])


def by_name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def captured() -> list[dict[str, Any]]:
    """Every signed request that the SDK sent, with the name of its capture."""
    return [
        {"name": capture["name"], **request}
        for file in CAPTURES
        for capture in json.loads((DATA / "captures" / file).read_text())["captures"]
        for request in capture["requests"]
    ]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=by_name)
class TestVectors:
    def test_scope(self, vector: dict[str, Any]) -> None:
        assert cls.tc3_scope(vector["input"]["frozen_unix_time"]) == vector["expected"]["credential_scope"]

    def test_query(self, vector: dict[str, Any]) -> None:
        assert request_of(vector).target.partition("?")[2] == vector["input"]["query_on_wire"]

    def test_canonical_request(self, vector: dict[str, Any]) -> None:
        assert cls.tc3_canonical_request(request_of(vector)) == vector["expected"]["canonical_request"]

    def test_string_to_sign(self, vector: dict[str, Any]) -> None:
        expected = vector["expected"]
        text = cls.tc3_string_to_sign(
            expected["canonical_request"], vector["input"]["frozen_unix_time"], expected["credential_scope"]
        )
        assert text == expected["string_to_sign"]

    def test_headers(self, vector: dict[str, Any]) -> None:
        request, expected = request_of(vector), vector["expected"]
        signed = cls.sign_tc3(request, key_of(vector), vector["input"]["frozen_unix_time"])
        # The SDK leaves the length to its HTTP library; the captures have it.
        assert signed.headers == {**expected["headers"], "Content-Length": str(len(request.body))}
        assert signed.signature == expected["signature"]


@pytest.mark.parametrize("capture", captured(), ids=by_name)
def test_what_is_sent_is_what_the_sdk_sent(capture: dict[str, Any]) -> None:
    headers = {name: value for name, value in capture["headers"] if name not in LIBRARY}
    method, target, _ignored = capture["request_line"].split(" ")
    path, _ignored, query = target.partition("?")
    request = Request(
        method,
        f"http://{headers['Host']}",
        path,
        tuple(parse_qsl(query)),
        given_headers(headers),
        capture["body_utf8"].encode(),
    )
    key = cls.SecretKey("testSecretId", "testSecretKey", headers.get("X-TC-Token"))
    # Without a body the SDK sends no length.
    assert cls.sign_tc3(request, key, int(headers["X-TC-Timestamp"])).headers == {"Content-Length": "0", **headers}


def test_the_vendors_published_example_up_to_the_key() -> None:
    """Its secret is not published, so its signature cannot be compared."""
    example = VECTORS["documented_example"]
    headers = {
        "Content-Type": example["content_type"],
        "Host": example["host"],
        # The page signs the value in lower case. Ours is not signed, as the SDK's is not.
        "X-TC-Action": example["action_header"].lower(),
    }
    request = Request("POST", f"https://{example['host']}", "/", (), headers, example["body"].encode())
    canonical = cls.tc3_canonical_request(request, tuple(example["signed_headers"].split(";")))
    assert canonical.rpartition("\n")[2] == example["payload_sha256"]
    assert hashlib.sha256(canonical.encode()).hexdigest() == example["canonical_request_sha256"]
    assert cls.tc3_scope(example["timestamp"]) == example["scope"].replace("/cvm/", "/cls/")


REQUEST = Request(
    "POST",
    "https://cls.tencentcloudapi.com",
    "/",
    headers={"Content-Type": "application/json", "Host": "cls.tencentcloudapi.com", "X-TC-Action": "DescribeShippers"},
    body=b"{}",
)
KEY = cls.SecretKey("an-id", "the-secret")


@pytest.mark.parametrize("now", [1700006399.0, 1700006399.999])
def test_the_day_is_that_of_the_time_that_is_sent(now: float) -> None:
    signed = cls.sign_tc3(REQUEST, KEY, now)
    assert signed.headers["X-TC-Timestamp"] == "1700006399"
    assert "Credential=an-id/2023-11-14/cls/tc3_request, " in signed.headers["Authorization"]


def test_the_body_and_the_host_are_signed_and_the_action_is_not() -> None:
    signature = cls.sign_tc3(REQUEST, KEY, 5.0).signature
    assert cls.sign_tc3(replace(REQUEST, body=b"{ }"), KEY, 5.0).signature != signature
    assert cls.sign_tc3(REQUEST.with_headers({"Host": "other"}), KEY, 5.0).signature != signature
    assert cls.sign_tc3(REQUEST.with_headers({"X-TC-Action": "Other"}), KEY, 5.0).signature == signature


def test_no_token_no_header_for_it() -> None:
    assert "X-TC-Token" not in cls.sign_tc3(REQUEST, KEY, 5.0).headers


def test_a_key_does_not_show_its_secrets() -> None:
    shown = repr(cls.SecretKey("id", "the-secret", "the-token"))
    assert "the-secret" not in shown
    assert "the-token" not in shown
