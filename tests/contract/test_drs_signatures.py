# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verifier against requests signed by the vendor's SDK, recorded as vectors and captures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from contract.wire_drs import PASSWORD, PROJECT, USER, exchange
from local_cloud.services import Call, Refusal
from local_cloud.services.drs_auth import canonical_request, string_to_sign, verify
from local_cloud.tasks import Clock
from local_cloud.testing import LocalCloud
from local_cloud.world import Account

DATA = Path(__file__).parent.parent / "data"
FROZEN = 1709251198  # 2024-02-29T23:59:58Z
JOBS = ("140b5236-88ad-43c8-811c-1268453jb101", "9a470239-2308-4bb5-a6bc-1040402fjb21")


@dataclass(frozen=True)
class Vector:
    name: str
    call: Call
    account: Account
    expected: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return str(self.expected["signed_headers"]).split(";")

    def verify(self, call: Call | None = None, account: Account | None = None, now: float = FROZEN) -> Account:
        account = account or self.account
        return verify(call or self.call, {account.access_key_id: account}, now)

    def with_header(self, name: str, value: str) -> Call:
        changed = ((key, value if key.lower() == name else old) for key, old in self.call.headers)
        return replace(self.call, headers=tuple(changed))


def _load() -> Iterator[Vector]:
    for content in json.loads((DATA / "vectors" / "huawei_sdk_hmac.json").read_text())["vectors"]:
        keys, given, expected = content["credentials"], content["input"], content["expect"]
        # requests quotes what is not allowed in a URL, and nothing else.
        target = quote(expected["request_target"], safe="/%?&=~+-_.!'()*")
        body = (given["body_utf8"] or "").encode()
        call = Call(given["method"], target, tuple(expected["final_headers"].items()), body, "")
        account = Account(keys["access_key"], keys["secret_key"], keys["security_token"])
        yield Vector(content["name"], call, account, expected)


VECTORS = {vector.name: vector for vector in _load()}
every_vector = pytest.mark.parametrize("vector", list(VECTORS.values()), ids=list(VECTORS))
RETRY = VECTORS["post_batch_retry_project_header"]


def mutations(text: str) -> Iterator[str]:
    """The text with one character replaced, for every place."""
    for position, character in enumerate(text):
        yield text[:position] + ("x" if character != "x" else "y") + text[position + 1 :]


def refused(vector: Vector, call: Call | None = None, account: Account | None = None) -> bool:
    try:
        vector.verify(call, account)
    except Refusal as refusal:
        return (refusal.status, refusal.code) == (401, "APIGW.0301")
    return False


def test_no_vector_is_missing() -> None:
    assert len(VECTORS) == 17


@every_vector
def test_request_signed_by_the_sdk_is_accepted(vector: Vector) -> None:
    assert vector.verify() == vector.account


@every_vector
def test_text_to_sign_is_the_sdks(vector: Vector) -> None:
    assert canonical_request(vector.call, vector.names) == vector.expected["canonical_request"]
    assert string_to_sign(vector.call, vector.names) == vector.expected["string_to_sign"]


@every_vector
def test_one_changed_character_in_path_or_query_is_refused(vector: Vector) -> None:
    changed = [replace(vector.call, target=target) for target in mutations(vector.call.target)]
    assert [call.target for call in changed if not refused(vector, call)] == []


@every_vector
def test_one_changed_byte_in_the_body_is_refused(vector: Vector) -> None:
    body = vector.call.body
    changed = [body[:place] + bytes([byte ^ 1]) + body[place + 1 :] for place, byte in enumerate(body)] + [body + b" "]
    accepted = [one for one in changed if not refused(vector, replace(vector.call, body=one))]
    # A body that is not JSON is not signed, says the SDK; DRS takes none such.
    assert accepted == (changed if vector.name == "non_json_content_type" else [])


@every_vector
def test_one_changed_character_in_a_signed_header_is_refused(vector: Vector) -> None:
    accepted = [
        (key, value)
        for key, old in vector.call.headers
        if key.lower() in vector.names
        for value in mutations(old.strip())
        if not refused(vector, vector.with_header(key.lower(), value))
    ]
    assert accepted == []


@every_vector
def test_one_changed_character_in_the_authorization_is_refused(vector: Vector) -> None:
    sent = vector.expected["authorization"]
    accepted = [one for one in mutations(sent) if not refused(vector, vector.with_header("authorization", one))]
    assert accepted == []


@every_vector
def test_another_method_or_secret_is_refused(vector: Vector) -> None:
    assert refused(vector, replace(vector.call, method="PUT"))
    assert refused(vector, account=replace(vector.account, access_key_secret="another"))


@every_vector
def test_signature_is_good_for_fifteen_minutes_either_way(vector: Vector) -> None:
    for skew in (-900, 900):
        assert vector.verify(now=FROZEN + skew) == vector.account
    for skew in (-901, 901):
        with pytest.raises(Refusal, match="signature expired"):
            vector.verify(now=FROZEN + skew)


def test_unsigned_header_may_change() -> None:
    call = replace(RETRY.call, headers=(*RETRY.call.headers, ("Accept", "*/*")))
    assert RETRY.verify(call) == RETRY.account


@pytest.mark.parametrize("name", ["host", "x-sdk-date", "content-type"])
def test_signed_header_must_be_there_exactly_once(name: str) -> None:
    headers = RETRY.call.headers
    without = tuple(pair for pair in headers if pair[0].lower() != name)
    assert refused(RETRY, replace(RETRY.call, headers=without))
    twice = (*headers, next(pair for pair in headers if pair[0].lower() == name))
    assert refused(RETRY, replace(RETRY.call, headers=twice))


def test_temporary_key_needs_its_own_signed_token() -> None:
    vector = VECTORS["post_batch_retry_security_token"]
    assert refused(vector, account=replace(vector.account, security_token="another"))
    assert refused(vector, account=replace(vector.account, security_token=None))
    assert refused(RETRY, account=replace(RETRY.account, security_token="a-token"))
    unsigned = replace(RETRY.call, headers=(*RETRY.call.headers, ("X-Security-Token", "a-token")))
    assert refused(RETRY, unsigned, replace(RETRY.account, security_token="a-token"))


def test_unknown_and_disabled_keys_are_refused() -> None:
    assert refused(RETRY, account=replace(RETRY.account, access_key_id="AKOTHER"))
    assert refused(RETRY, account=replace(RETRY.account, disabled=True))


# -- captures over the wire -------------------------------------------------------------------------------------------


def _exchanges(prefix: str) -> Iterator[Any]:
    for path in sorted((DATA / "captures").glob(f"{prefix}*.json")):
        for number, one in enumerate(json.loads(path.read_text()).get("exchanges", [])):
            yield pytest.param(one, id=f"{path.stem}-{number}")


def _replay(cloud: LocalCloud, captured: dict[str, Any]) -> Any:
    method, target, _ignored = captured["request_line"].split(" ")
    headers = [(name, value) for name, value in captured["headers"] if name.lower() != "connection"]
    return exchange(cloud, method, target, headers, captured["body"].encode())


@pytest.mark.parametrize("captured", list(_exchanges("hw_")))
def test_captured_sdk_request_is_genuine_and_v3_is_answered(captured: dict[str, Any]) -> None:
    token = next((value for name, value in captured["headers"] if name == "X-Security-Token"), None)
    with LocalCloud(clock=Clock(frozen_at=FROZEN)) as cloud:
        cloud.world.add_account(RETRY.account.access_key_id, RETRY.account.access_key_secret, security_token=token)
        cloud.world.drs.add_project(PROJECT, "eu-de").add_jobs(ids=JOBS)
        reply = _replay(cloud, captured)
        (request,) = cloud.requests
    if request.operation == "Unknown":  # most of v5 is not built
        headers = tuple((name, value) for name, value in captured["headers"])
        method, target, _ignored = captured["request_line"].split(" ")
        call = Call(method, target, headers, captured["body"].encode(), "")
        assert verify(call, {RETRY.account.access_key_id: RETRY.account}, FROZEN) == RETRY.account
        assert "/v5/" in target
    else:
        assert reply.status == captured["response"]["status"]


@pytest.mark.parametrize("captured", [*_exchanges("ks_"), *_exchanges("otcextensions_")])
def test_captured_request_with_a_token_is_answered(captured: dict[str, Any]) -> None:
    with LocalCloud() as cloud:
        drs = cloud.world.drs
        drs.add_project(PROJECT, "eu-de").add_jobs(ids=JOBS)
        user = drs.add_user(USER, PASSWORD)
        for token in ("DUMMY-TOKEN-0001", "EXISTING-TOKEN"):
            drs.add_token(user, PROJECT, id=token)
        assert _replay(cloud, captured).status == captured["response"]["status"]
