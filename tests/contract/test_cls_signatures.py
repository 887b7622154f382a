# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CLS's verifier against requests signed by the vendor's SDK, recorded as vectors and captures."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contract.wire import Signed, exchange
from contract.wire_cls import KEY, SECRET, SHIPPER, TASK, ClsReply, authorization
from local_cloud.services import Call, Refusal
from local_cloud.services.cls_auth import Verifier, canonical_request, string_to_sign
from local_cloud.tasks import Clock
from local_cloud.testing import LocalCloud
from local_cloud.world import Account

DATA = Path(__file__).parent.parent / "data"
FROZEN = 1700000000
SIGNED = ("content-type", "host")


@dataclass(frozen=True)
class Vector:
    name: str
    call: Call
    account: Account
    now: int
    expected: dict[str, Any]

    @property
    def signs_its_body(self) -> bool:
        return self.call.header("x-tc-content-sha256") is None

    def verify(self, call: Call | None = None, account: Account | None = None, now: float | None = None) -> Account:
        account = account or self.account
        verifier = Verifier({account.access_key_id: account})
        return verifier.verify(call or self.call, self.now if now is None else now)

    def with_header(self, name: str, value: str) -> Call:
        changed = ((key, value if key.lower() == name else old) for key, old in self.call.headers)
        return replace(self.call, headers=tuple(changed))


def _load() -> Iterator[Vector]:
    for content in json.loads((DATA / "vectors" / "tc3.json").read_text())["vectors"]:
        given, expected = content["input"], content["expected"]
        query = given["query_on_wire"]
        target = f"{given['path']}?{query}" if query else given["path"]
        body = base64.b64decode(given["body_base64"])
        credentials = given["credentials"]
        yield Vector(
            content["name"],
            Call(given["method"], target, tuple(expected["headers"].items()), body, ""),
            Account(credentials["secret_id"], credentials["secret_key"], credentials["token"]),
            given["frozen_unix_time"],
            expected,
        )


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
    assert len(VECTORS) == 16


@every_vector
def test_request_signed_by_the_sdk_is_accepted(vector: Vector) -> None:
    assert vector.verify() == vector.account


@every_vector
def test_text_to_sign_is_the_sdks(vector: Vector) -> None:
    assert canonical_request(vector.call, SIGNED) == vector.expected["canonical_request"]
    day = vector.expected["credential_scope"].partition("/")[0]
    assert string_to_sign(vector.call, day, SIGNED) == vector.expected["string_to_sign"]


@every_vector
def test_signer_of_these_tests_signs_as_the_sdk_does(vector: Vector) -> None:
    request = Signed(vector.call.method, vector.call.target, dict(vector.call.headers), vector.call.body)
    stamp = vector.call.header("x-tc-timestamp") or ""
    account = vector.account
    made = authorization(
        request,
        stamp,
        key=account.access_key_id,
        secret=account.access_key_secret,
        service="cls",
        day=None,
        signed=SIGNED,
    )
    assert made == vector.expected["authorization"]


@every_vector
def test_one_changed_byte_in_the_body_is_refused(vector: Vector) -> None:
    body = vector.call.body
    changed = [body[:place] + bytes([byte ^ 1]) + body[place + 1 :] for place, byte in enumerate(body)] + [body + b" "]
    accepted = [one for one in changed if not refused(vector, replace(vector.call, body=one))]
    assert accepted == ([] if vector.signs_its_body else changed)


@every_vector
def test_one_changed_character_in_the_query_is_refused(vector: Vector) -> None:
    targets = [f"/?{query}" for query in mutations(vector.call.query)]
    assert [one for one in targets if not refused(vector, replace(vector.call, target=one))] == []


@every_vector
@pytest.mark.parametrize("name", ["authorization", "content-type", "host", "x-tc-timestamp", "x-tc-content-sha256"])
def test_one_changed_character_in_what_is_signed_is_refused(vector: Vector, name: str) -> None:
    sent = vector.call.header(name) or ""
    assert [one for one in mutations(sent) if not refused(vector, vector.with_header(name, one))] == []


@every_vector
def test_one_changed_character_in_secret_or_token_is_refused(vector: Vector) -> None:
    account = vector.account
    others = [replace(account, access_key_secret=one) for one in mutations(account.access_key_secret)]
    others += [replace(account, security_token=one) for one in mutations(account.security_token or "")]
    assert [one for one in others if not refused(vector, account=one)] == []


@every_vector
def test_token_is_needed_exactly_where_the_key_is_temporary(vector: Vector) -> None:
    token = None if vector.account.security_token else "surprise"
    with pytest.raises(Refusal, match=r"AuthFailure\.TokenFailure"):
        vector.verify(account=replace(vector.account, security_token=token))


@every_vector
@pytest.mark.parametrize("offset", [-300, 300])
def test_five_minutes_off_is_accepted(vector: Vector, offset: int) -> None:
    assert vector.verify(now=vector.now + offset) == vector.account


@every_vector
@pytest.mark.parametrize("offset", [-301, 301])
def test_a_second_more_is_refused(vector: Vector, offset: int) -> None:
    with pytest.raises(Refusal, match=r"AuthFailure\.SignatureExpire"):
        vector.verify(now=vector.now + offset)


@every_vector
@pytest.mark.parametrize("name", ["authorization", "x-tc-timestamp", "x-tc-action", "content-type", "host"])
def test_header_sent_twice_is_refused(vector: Vector, name: str) -> None:
    twice = (*vector.call.headers, (name.upper(), vector.call.header(name) or ""))
    with pytest.raises(Refusal, match="InvalidRequest"):
        vector.verify(replace(vector.call, headers=twice))


def test_canonical_request_of_the_manuals_example_is_the_manuals() -> None:
    example = json.loads((DATA / "vectors" / "tc3.json").read_text())["documented_example"]
    headers = (
        ("Content-Type", example["content_type"]),
        ("Host", example["host"]),
        ("X-TC-Action", example["action_header"]),
    )
    manual = Call("POST", "/", headers, example["body"].encode(), "")
    text = canonical_request(manual, example["signed_headers"].split(";"))
    assert text.endswith(example["payload_sha256"])
    assert hashlib.sha256(text.encode()).hexdigest() == example["canonical_request_sha256"]


def _captures() -> Iterator[Any]:
    for path in sorted((DATA / "captures").glob("cls_*.json")):
        for capture in json.loads(path.read_text()).get("captures", []):
            for number, request in enumerate(capture["requests"]):
                yield pytest.param(request, id=f"{path.stem}-{capture['name']}-{number}")


def test_captures_are_all_there() -> None:
    assert len(list(_captures())) == 20


@pytest.mark.parametrize("request_", list(_captures()))
def test_captured_sdk_request_is_answered_when_replayed_over_the_wire(request_: dict[str, Any]) -> None:
    token = next((value for name, value in request_["headers"] if name == "X-TC-Token"), None)
    method, target, _ignored = request_["request_line"].split(" ")
    with LocalCloud(clock=Clock(frozen_at=FROZEN)) as cloud:
        cloud.world.add_account(KEY, SECRET, security_token=token, region="ap-guangzhou")
        cloud.world.cls.add_shipper(SHIPPER).add_tasks(id=TASK)
        headers = [(name, value) for name, value in request_["headers"] if name.lower() != "connection"]
        body = base64.b64decode(request_["body_base64"])
        reply = exchange(cloud, method, target, headers, body)
        assert ClsReply(reply.status, None, reply.body).code is None
        changed = body[:-1] + b" " if body else b" "
        headers = [(name, str(len(changed)) if name == "Content-Length" else value) for name, value in headers]
        if not body:
            headers.append(("Content-Length", "1"))
        reply = exchange(cloud, method, target, headers, changed)
        assert ClsReply(reply.status, None, reply.body).code == "AuthFailure.SignatureFailure"
