# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both signatures of SLS, step by step, against what the vendor's own SDK made of the same requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._signing import sls
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request

DATA = Path(__file__).parents[1] / "data"


def load(name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((DATA / "vectors" / name).read_text())["vectors"]
    return content


def request_of(vector: dict[str, Any]) -> Request:
    given = vector["input"]
    return Request(
        given["method"],
        f"https://{given['host']}",
        given["path"],
        tuple((name, value) for name, value in given["query_unencoded"]),
        {"Host": given["host"], **given["headers_given"]},
        given["body_utf8"].encode(),
    )


def key_of(vector: dict[str, Any]) -> sls.AccessKey:
    given = vector["input"]["credentials"]
    return sls.AccessKey(given["access_key_id"], given["access_key_secret"], given["security_token"])


def by_name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", load("sls_v1.json"), ids=by_name)
class TestVersion1:
    def signed(self, vector: dict[str, Any]) -> Request:
        return sls.sign_v1(request_of(vector), key_of(vector), vector["input"]["frozen_unix_time"])

    def test_canonical_headers(self, vector: dict[str, Any]) -> None:
        headers = {name: value for name, value in self.signed(vector).headers.items() if name != "x-log-date"}
        assert sls.v1_canonical_headers(headers) == vector["expected"]["canonicalized_headers"]

    def test_canonical_resource(self, vector: dict[str, Any]) -> None:
        assert sls.v1_canonical_resource(request_of(vector)) == vector["expected"]["canonicalized_resource"]

    def test_string_to_sign(self, vector: dict[str, Any]) -> None:
        signed = self.signed(vector)
        unsigned = {name: value for name, value in signed.headers.items() if name != "x-log-date"}
        request = Request(signed.method, signed.base_url, signed.path, signed.query, unsigned, signed.body)
        assert sls.v1_string_to_sign(request) == vector["expected"]["string_to_sign"]

    def test_headers(self, vector: dict[str, Any]) -> None:
        assert self.signed(vector).headers == vector["expected"]["headers"]

    def test_target(self, vector: dict[str, Any]) -> None:
        assert request_of(vector).target == vector["expected"]["request_target_on_wire"]


@pytest.mark.parametrize("vector", load("sls_v4.json"), ids=by_name)
class TestVersion4:
    def signed(self, vector: dict[str, Any]) -> Request:
        given = vector["input"]
        return sls.sign_v4(request_of(vector), key_of(vector), given["frozen_unix_time"], region=given["region"])

    def test_canonical_request(self, vector: dict[str, Any]) -> None:
        headers = {name: value for name, value in self.signed(vector).headers.items() if name != "Authorization"}
        request = request_of(vector).with_headers(headers)
        assert sls.v4_canonical_request(request) == vector["expected"]["canonical_request"]

    def test_string_to_sign(self, vector: dict[str, Any]) -> None:
        expected = vector["expected"]
        moment = expected["headers"]["x-log-date"]
        scope = sls.v4_scope(moment, vector["input"]["region"])
        assert scope == expected["scope"]
        assert sls.v4_string_to_sign(expected["canonical_request"], moment, scope) == expected["string_to_sign"]

    def test_headers(self, vector: dict[str, Any]) -> None:
        assert self.signed(vector).headers == vector["expected"]["headers"]


def test_a_key_does_not_show_its_secrets() -> None:
    shown = repr(sls.AccessKey("id", "the-secret", "the-token"))
    assert "the-secret" not in shown
    assert "the-token" not in shown
