# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verifier against the vendor's worked example and what public clients send, recorded as vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contract.wire_geelark import API_KEY, APP_ID, QUERY, TOKEN, call, key_headers, token_headers
from local_cloud.services import Call, Refusal
from local_cloud.services.geelark_auth import Team, Verifier
from local_cloud.tasks import Clock
from local_cloud.testing import LocalCloud

DATA = Path(__file__).parent.parent / "data"
NOW = 1709251198
SIGNED = ("appId", "traceId", "ts", "nonce", "sign")
TEAM = Team(APP_ID, API_KEY, TOKEN)


@dataclass(frozen=True)
class Vector:
    name: str
    headers: tuple[tuple[str, str], ...]
    team: Team
    now: float

    def verify(self, **changed: str) -> Team:
        """The verdict over a call with these headers, some of them changed."""
        headers = tuple((name, changed.get(name, value)) for name, value in self.headers)
        return verify(headers, self.team, self.now)

    def accepts(self, **changed: str) -> bool:
        try:
            return self.verify(**changed) == self.team
        except Refusal:
            return False


def verify(headers: tuple[tuple[str, str], ...], team: Team, now: float) -> Team:
    return Verifier({team.app_id: team}).verify(Call("POST", "/open/v1/task/query", headers, b"{}", ""), now)


def refusal_of(headers: dict[str, str], now: float = NOW, team: Team = TEAM) -> str:
    with pytest.raises(Refusal) as refused:
        verify(tuple(headers.items()), team, now)
    assert refused.value.status == 200
    return refused.value.code


def _load() -> Iterator[Vector]:
    for one in json.loads((DATA / "vectors" / "geelark_sign.json").read_text())["vectors"]:
        team = Team(one["app_id"], one["api_key"])
        yield Vector(one["name"], tuple(one["headers"].items()), team, int(one["ts"]) / 1000)


VECTORS = {vector.name: vector for vector in _load()}
every_vector = pytest.mark.parametrize("vector", list(VECTORS.values()), ids=list(VECTORS))


_KINDS = ("0123456789", "abcdef", "ABCDEF", "ghijklmnopqrstuvwxyz", "GHIJKLMNOPQRSTUVWXYZ")
_NEXT = {one: kind[(place + 1) % len(kind)] for kind in _KINDS for place, one in enumerate(kind)}


def mutations(text: str) -> Iterator[str]:
    """The text with one character replaced by another of its kind, for every place."""
    for place, character in enumerate(text):
        yield text[:place] + _NEXT.get(character, "0") + text[place + 1 :]


# -- key mode ---------------------------------------------------------------------------------------------------------


def test_no_vector_is_missing() -> None:
    assert len(VECTORS) == 5
    assert "vendor_published_example" in VECTORS


@every_vector
def test_vector_is_accepted(vector: Vector) -> None:
    assert vector.verify() == vector.team


@every_vector
def test_vector_is_accepted_over_the_wire(vector: Vector) -> None:
    with LocalCloud(clock=Clock(frozen_at=vector.now)) as cloud:
        cloud.world.geelark.add_team(vector.team.app_id, vector.team.api_key)
        headers = {name: value for name, value in vector.headers if name != "Content-Type"}
        assert call(cloud, QUERY, {"ids": ["1"]}, headers=headers).code == 0


@every_vector
@pytest.mark.parametrize("name", SIGNED)
def test_one_changed_character_in_a_header_is_refused(vector: Vector, name: str) -> None:
    changed = list(mutations(dict(vector.headers)[name]))
    assert changed
    assert [one for one in changed if vector.accepts(**{name: one})] == []


@every_vector
def test_one_changed_character_in_the_key_is_refused(vector: Vector) -> None:
    keys = mutations(vector.team.api_key or "")
    assert [one for one in keys if replace(vector, team=replace(vector.team, api_key=one)).accepts()] == []


@every_vector
def test_other_spelling_of_the_same_uuid_is_another_text_to_sign(vector: Vector) -> None:
    trace_id = dict(vector.headers)["traceId"]
    others = {trace_id.swapcase(), trace_id.upper().replace("-", "")} - {trace_id}
    assert [one for one in others if vector.accepts(traceId=one, nonce=one[:6])] == []


@every_vector
def test_lower_case_signature_is_refused(vector: Vector) -> None:
    assert not vector.accepts(sign=dict(vector.headers)["sign"].lower())


@every_vector
@pytest.mark.parametrize("name", SIGNED)
def test_header_sent_twice_is_refused(vector: Vector, name: str) -> None:
    value = dict(vector.headers)[name]
    assert not replace(vector, headers=(*vector.headers, (name.lower(), value))).accepts()


@every_vector
@pytest.mark.parametrize("offset", [-300, 300])
def test_five_minutes_off_is_accepted(vector: Vector, offset: int) -> None:
    assert replace(vector, now=vector.now + offset).accepts()


@every_vector
@pytest.mark.parametrize("offset", [-300.01, 300.01])
def test_more_is_refused(vector: Vector, offset: float) -> None:
    with pytest.raises(Refusal, match="40003"):
        replace(vector, now=vector.now + offset).verify()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ts": str(NOW)},
        {"ts": f"{NOW}.000"},
        {"ts": f" {NOW}000"},
        {"nonce": "abcdef"},
        {"nonce": ""},
        {"app_id": "somebodyElse"},
        {"api_key": "another"},
        {"sign": ""},
    ],
    ids=str,
)
def test_call_that_is_signed_for_something_else_is_refused(wrong: dict[str, str]) -> None:
    more = {"at": NOW} | wrong
    assert refusal_of(key_headers(**more)) == "40003"  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["appId", "ts", "nonce", "sign"])
def test_missing_header_is_refused(name: str) -> None:
    headers = key_headers(at=NOW)
    del headers[name]
    assert refusal_of(headers) == "40003"


def test_team_without_a_key_cannot_sign() -> None:
    assert refusal_of(key_headers(at=NOW, api_key=""), team=Team(APP_ID, token=TOKEN)) == "40003"


# -- traceId ----------------------------------------------------------------------------------------------------------

UUID = "0c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f"


@pytest.mark.parametrize("trace_id", [UUID, UUID.upper(), UUID.upper().replace("-", "")])
def test_three_spellings_of_a_uuid_are_accepted(trace_id: str) -> None:
    assert verify(tuple(key_headers(at=NOW, trace_id=trace_id).items()), TEAM, NOW) == TEAM
    assert verify(tuple(token_headers(trace_id=trace_id).items()), TEAM, NOW) == TEAM


@pytest.mark.parametrize(
    "trace_id",
    [
        *("", "abcdef", UUID.replace("-", ""), UUID[:-1], f"{UUID}0", f"{{{UUID}}}", UUID.replace("c", "C")),
        *(UUID.replace("-4c", "-1c"), UUID.replace("-8e", "-ce"), UUID.replace("f", "g"), f" {UUID}"),
    ],
)
def test_anything_else_is_no_trace_id(trace_id: str) -> None:
    assert refusal_of(key_headers(at=NOW, trace_id=trace_id)) == "40002"
    assert refusal_of(token_headers(trace_id=trace_id)) == "40002"


@pytest.mark.parametrize("headers", [key_headers(at=NOW), token_headers()], ids=["key", "token"])
def test_trace_id_is_needed_in_either_mode(headers: dict[str, str]) -> None:
    assert refusal_of({name: value for name, value in headers.items() if name != "traceId"}) == "40002"


# -- token mode -------------------------------------------------------------------------------------------------------


def test_token_is_accepted() -> None:
    assert verify(tuple(token_headers().items()), TEAM, NOW) == TEAM


@pytest.mark.parametrize("token", list(mutations(TOKEN)))
def test_one_changed_character_in_the_token_is_refused(token: str) -> None:
    assert refusal_of(token_headers(token)) == "40003"


@pytest.mark.parametrize("authorization", [TOKEN, f"bearer {TOKEN}", f"Bearer: {TOKEN}", f"Bearer  {TOKEN}", "Bearer "])
def test_other_spellings_of_bearer_are_refused(authorization: str) -> None:
    assert refusal_of({**token_headers(), "Authorization": authorization}) == "40003"


def test_token_expires() -> None:
    team = replace(TEAM, token_expires_at=NOW)
    assert verify(tuple(token_headers().items()), team, NOW - 1) == team
    assert refusal_of(token_headers(), team=team) == "40003"


@pytest.mark.parametrize("name", ["appId", "ts", "nonce", "sign"])
def test_token_goes_without_the_headers_of_the_key(name: str) -> None:
    both = {**token_headers(), name: key_headers(at=NOW)[name]}
    assert refusal_of(both) == "40003"


def test_team_without_a_token_is_nobodys_bearer() -> None:
    assert refusal_of({**token_headers(), "Authorization": "Bearer None"}, team=Team(APP_ID, API_KEY)) == "40003"


# -- replays ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def geelark(cloud: LocalCloud) -> LocalCloud:
    cloud.world.geelark.add_team(APP_ID, API_KEY, TOKEN)
    return cloud


@pytest.mark.parametrize(("option", "code"), [("refused", 40003), ("accepted", 0)])
def test_signed_call_that_is_sent_again(geelark: LocalCloud, option: str, code: int) -> None:
    geelark.world.geelark.configure(replay=option)
    headers = key_headers()
    assert [call(geelark, QUERY, {"ids": ["1"]}, headers=headers).code for _ignored in range(2)] == [0, code]


def test_other_spelling_of_a_used_trace_id_is_a_replay(geelark: LocalCloud) -> None:
    codes = [
        call(geelark, QUERY, {"ids": ["1"]}, headers=key_headers(trace_id=trace_id)).code
        for trace_id in (UUID, UUID.upper().replace("-", ""))
    ]
    assert codes == [0, 40003]


def test_refused_call_does_not_use_up_its_trace_id(geelark: LocalCloud) -> None:
    codes = [
        call(geelark, QUERY, {"ids": ["1"]}, headers=key_headers(trace_id=UUID, api_key=key)).code
        for key in ("another", API_KEY)
    ]
    assert codes == [40003, 0]


def test_trace_id_may_be_used_again_with_a_token(geelark: LocalCloud) -> None:
    headers = token_headers()
    assert [call(geelark, QUERY, {"ids": ["1"]}, headers=headers).code for _ignored in range(2)] == [0, 0]
