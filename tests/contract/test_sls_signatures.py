# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verifier against requests signed by the vendor's SDKs, recorded as vectors and captures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from contract.wire import exchange
from local_cloud.services import Call, Refusal
from local_cloud.services.sls_auth import Verifier, canonical_request_v4, string_to_sign_v1
from local_cloud.services.sls_errors import Dialect
from local_cloud.tasks import Clock
from local_cloud.testing import LocalCloud
from local_cloud.world import Account

DATA = Path(__file__).parent.parent / "data"
FROZEN = 1700000000
# aliyun-log-python-sdk 0.9.52 adds x-log-date to a v1 request after signing it: only the time check looks at it.
NOT_SIGNED = {"authorization", "content-length", "accept"}


@dataclass(frozen=True)
class Vector:
    name: str
    call: Call
    account: Account
    region: str | None
    now: int
    expected: dict[str, Any]

    @property
    def is_v1(self) -> bool:
        return self.region is None

    def verify(self, call: Call | None = None, account: Account | None = None, now: float | None = None) -> Account:
        account = account or self.account
        verifier = Verifier({account.access_key_id: account})
        return verifier.verify(call or self.call, self.region, self.now if now is None else now)

    def with_header(self, name: str, value: str) -> Call:
        changed = ((key, value if key.lower() == name else old) for key, old in self.call.headers)
        return replace(self.call, headers=tuple(changed))


def _vector(content: dict[str, Any], prefix: str) -> Vector:
    given, expected = content["input"], content["expected"]
    query = urlencode([tuple(pair) for pair in given["query_unencoded"]])
    target = expected.get("request_target_on_wire") or given["path"] + (f"?{query}" if query else "")
    return Vector(
        f"{prefix}-{content['name']}",
        Call(given["method"], target, tuple(expected["headers"].items()), base64.b64decode(given["body_base64"]), ""),
        Account(**given["credentials"]),
        given.get("region"),
        given["frozen_unix_time"],
        expected,
    )


def _load() -> Iterator[Vector]:
    v1 = json.loads((DATA / "vectors" / "sls_v1.json").read_text())
    v4 = json.loads((DATA / "vectors" / "sls_v4.json").read_text())
    for prefix, vectors in (
        ("v1", v1["vectors"]),
        ("v1-sha256", v1["variant_hmac_sha256"]["vectors"]),
        ("v4", v4["vectors"]),
    ):
        for content in vectors:
            yield _vector(content, prefix)


VECTORS = {vector.name: vector for vector in _load()}
every_vector = pytest.mark.parametrize("vector", list(VECTORS.values()), ids=list(VECTORS))


def mutations(text: str) -> Iterator[str]:
    """The text with one character replaced, for every place."""
    for position, character in enumerate(text):
        yield text[:position] + ("x" if character != "x" else "y") + text[position + 1 :]


def refused(vector: Vector, call: Call | None = None, account: Account | None = None) -> bool:
    try:
        vector.verify(call, account)
    except Refusal:
        return True
    return False


def test_no_vector_is_missing() -> None:
    assert len(VECTORS) == 19 + 4 + 20


@every_vector
def test_request_signed_by_the_sdk_is_accepted(vector: Vector) -> None:
    assert vector.verify() == vector.account


@every_vector
def test_text_to_sign_is_the_sdks(vector: Vector) -> None:
    if vector.is_v1:
        assert string_to_sign_v1(vector.call) == vector.expected["string_to_sign"]
    else:
        content_hash = vector.call.header("x-log-content-sha256") or ""
        assert canonical_request_v4(vector.call, content_hash) == vector.expected["canonical_request"]


@every_vector
def test_one_changed_character_in_path_or_query_is_refused(vector: Vector) -> None:
    accepted = [
        target for target in mutations(vector.call.target) if not refused(vector, replace(vector.call, target=target))
    ]
    assert accepted == []


@every_vector
def test_one_changed_byte_in_the_body_is_refused(vector: Vector) -> None:
    body = vector.call.body
    changed = [body[:place] + bytes([byte ^ 1]) + body[place + 1 :] for place, byte in enumerate(body)] + [body + b" "]
    assert [one for one in changed if not refused(vector, replace(vector.call, body=one))] == []


@every_vector
def test_one_changed_character_in_a_signed_header_is_refused(vector: Vector) -> None:
    unsigned = NOT_SIGNED | ({"x-log-date"} if vector.is_v1 else set())
    # A v1 request does not sign its Host: the project is protected by V4 only.
    unsigned |= {"host"} if vector.is_v1 else set()
    accepted = [
        (key, value)
        for key, old in vector.call.headers
        if key.lower() not in unsigned
        for value in mutations(old)
        if not refused(vector, vector.with_header(key.lower(), value))
    ]
    assert accepted == []


@every_vector
def test_one_changed_character_in_the_authorization_is_refused(vector: Vector) -> None:
    sent = vector.expected["authorization"]
    assert [one for one in mutations(sent) if not refused(vector, vector.with_header("authorization", one))] == []


@every_vector
def test_one_changed_character_in_secret_or_token_is_refused(vector: Vector) -> None:
    account = vector.account
    others = [replace(account, access_key_secret=one) for one in mutations(account.access_key_secret)]
    others += [replace(account, security_token=one) for one in mutations(account.security_token or "")]
    assert [one for one in others if not refused(vector, account=one)] == []


@every_vector
def test_token_is_needed_exactly_where_the_key_is_temporary(vector: Vector) -> None:
    token = None if vector.account.security_token else "surprise"
    with pytest.raises(Refusal, match="security token you provided is invalid"):
        vector.verify(account=replace(vector.account, security_token=token))


@every_vector
def test_header_added_after_signing_is_refused(vector: Vector) -> None:
    added = replace(vector.call, headers=(*vector.call.headers, ("x-log-something", "else")))
    with pytest.raises(Refusal, match="SignatureNotMatch"):
        vector.verify(added)


@every_vector
@pytest.mark.parametrize("name", ["authorization", "date", "x-log-date", "x-log-apiversion", "x-log-bodyrawsize"])
def test_header_sent_twice_is_refused(vector: Vector, name: str) -> None:
    value = vector.call.header(name)
    if value is None:
        name, value = "x-log-apiversion", "0.6.0"
    with pytest.raises(Refusal, match="ParameterInvalid"):
        vector.verify(replace(vector.call, headers=(*vector.call.headers, (name.upper(), value))))


@every_vector
@pytest.mark.parametrize("offset", [-900, 900])
def test_fifteen_minutes_off_is_accepted(vector: Vector, offset: int) -> None:
    assert vector.verify(now=vector.now + offset) == vector.account


@every_vector
@pytest.mark.parametrize("offset", [-901, 901])
@pytest.mark.parametrize(("dialect", "code"), [("seed000", "RequestTimeTooSkewed"), ("seed001", "RequestTimeExpired")])
def test_a_second_more_is_refused(vector: Vector, offset: int, dialect: str, code: str) -> None:
    verifier = Verifier({vector.account.access_key_id: vector.account}, Dialect(dialect))
    with pytest.raises(Refusal, match=code):
        verifier.verify(vector.call, vector.region, vector.now + offset)


def test_x_log_date_stands_in_for_date_in_the_time_check_of_v1() -> None:
    vector = VECTORS["v1-get_tasks_default"]
    late = vector.with_header("x-log-date", "Tue, 14 Nov 2023 22:33:20 GMT")
    with pytest.raises(Refusal, match="RequestTimeExpired"):
        vector.verify(late)
    assert vector.verify(late, now=vector.now + 1200) == vector.account


def test_lower_case_md5_is_refused() -> None:
    vector = VECTORS["v1-retry_two_ids"]
    with pytest.raises(Refusal, match="content-md5"):
        vector.verify(vector.with_header("content-md5", vector.expected["content_md5"].lower()))


def test_v4_is_refused_in_another_region() -> None:
    vector = VECTORS["v4-retry_two_ids"]
    with pytest.raises(Refusal, match="SignatureNotMatch"):
        replace(vector, region="eu-central-1").verify()


def test_v4_day_of_the_scope_must_be_that_of_the_date() -> None:
    vector = VECTORS["v4-retry_two_ids"]
    other = vector.expected["authorization"].replace("/20231114/", "/20231115/")
    with pytest.raises(Refusal, match="SignatureNotMatch"):
        vector.verify(vector.with_header("authorization", other))


def _captures() -> Iterator[Any]:
    for path in sorted((DATA / "captures").glob("sls_*.json")):
        for capture in json.loads(path.read_text()).get("captures", []):
            for number, request in enumerate(capture["requests"]):
                yield pytest.param(request, id=f"{path.stem}-{capture['name']}-{number}")


@pytest.mark.parametrize("request_", list(_captures()))
def test_captured_sdk_request_is_answered_when_replayed_over_the_wire(request_: dict[str, Any]) -> None:
    token = next((value for name, value in request_["headers"] if name.lower() == "x-acs-security-token"), None)
    method, target, _ignored = request_["request_line"].split(" ")
    with LocalCloud(clock=Clock(frozen_at=FROZEN)) as cloud:
        cloud.world.add_account("testAccessKeyId", "testAccessKeySecret", security_token=token)
        cloud.world.add_shipper("ali-test-project", "test-logstore", "test-shipper")
        headers = [(name, value) for name, value in request_["headers"] if name.lower() != "connection"]
        reply = exchange(cloud, method, target, headers, base64.b64decode(request_["body_base64"]))
        assert (reply.status, reply.body[:80] if reply.status != 200 else b"") == (200, b"")
