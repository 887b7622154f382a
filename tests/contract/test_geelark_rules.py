# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GeeLark demands of a call, and how it says no, in its own words and in every form its page leaves possible."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from contract.wire_geelark import (
    API_KEY,
    APP_ID,
    HISTORY,
    QUERY,
    RESTART,
    TOKEN,
    call,
    history,
    key_headers,
    query,
    restart,
    token_headers,
)
from local_cloud import faults
from local_cloud.services.geelark import GeelarkService
from local_cloud.tasks import Clock
from local_cloud.testing import LocalCloud

MINUTE = 1700000040  # the beginning of a minute
HOUR = 1699999200  # ... and of an hour
UNKNOWN = "999999999999999999"


def at(moment: float) -> Iterator[LocalCloud]:
    with LocalCloud(clock=Clock(frozen_at=moment)) as cloud:
        cloud.world.geelark.add_team(APP_ID, API_KEY, TOKEN)
        yield cloud


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    yield from at(MINUTE)


@pytest.fixture
def geelark(cloud: LocalCloud) -> GeelarkService:
    return cloud.world.geelark


# -- the envelope -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "code"), [({"ids": ["1"]}, 0), ({"ids": []}, 40004)])
def test_envelope_names_the_request_by_an_id_of_its_own(cloud: LocalCloud, content: object, code: int) -> None:
    headers = token_headers()
    reply = call(cloud, QUERY, content, headers=headers)
    assert (reply.code, reply.reply.status) == (code, 200)
    assert reply.json["traceId"] == cloud.requests[0].request_id != headers["traceId"]
    assert reply.reply.headers["Content-Type"] == "application/json"
    assert reply.reply.headers["Date"]


def test_error_has_code_and_message_and_no_data(cloud: LocalCloud) -> None:
    assert set(query(cloud).json) == {"traceId", "code", "msg"}


def test_error_can_have_null_for_data(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(null_data=True)
    assert query(cloud).json["data"] is None


def test_http_status_can_tell_errors(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(http_status_for_errors=400)
    (failed,) = geelark.add_tasks(APP_ID)
    replies = [query(cloud), restart(cloud, UNKNOWN), restart(cloud, UNKNOWN, failed), query(cloud, failed)]
    assert [(one.code, one.reply.status) for one in replies] == [(40004, 400), (40009, 400), (40006, 400), (0, 200)]


def test_http_status_of_a_fault_remains(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(http_status_for_errors=400)
    cloud.faults.add(faults.error(QUERY, status=503))
    assert query(cloud, "1").reply.status == 503


def test_either_mode_is_welcome(cloud: LocalCloud) -> None:
    assert query(cloud, "1", headers=token_headers()).code == 0
    assert query(cloud, "1", headers=key_headers(at=MINUTE)).code == 0


def test_call_without_credentials(cloud: LocalCloud) -> None:
    trace_id = token_headers()["traceId"]
    assert query(cloud, "1", headers={}).code == 40002
    assert query(cloud, "1", headers={"traceId": trace_id}).code == 40003


def test_expired_token(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.expire(APP_ID)
    assert query(cloud, "1").code == 40003
    assert query(cloud, "1", headers=key_headers(at=MINUTE)).code == 0


def test_service_whose_clock_is_wrong_takes_tokens_only(cloud: LocalCloud) -> None:
    cloud.faults.add(faults.skew(301))
    assert query(cloud, "1").code == 0
    assert query(cloud, "1", headers=key_headers(at=MINUTE)).code == 40003


@pytest.mark.parametrize(
    ("changes", "reading", "changing"),
    [
        ({"ip_allowed": False}, 40016, 40016),
        ({"paid": False}, 40011, 40011),
        ({"deny": ("*",)}, 40015, 40015),
        ({"deny": (RESTART,)}, 0, 40015),
        ({"in_arrears": True}, 0, 41001),
    ],
    ids=str,
)
def test_team_that_may_not(
    cloud: LocalCloud, geelark: GeelarkService, changes: dict[str, Any], reading: int, changing: int
) -> None:
    ids = geelark.add_tasks(APP_ID)
    geelark.change_team(APP_ID, **changes)
    assert (query(cloud, *ids).code, restart(cloud, *ids).code) == (reading, changing)
    assert cloud.executed() == Counter()


def test_teams_do_not_see_each_other(cloud: LocalCloud, geelark: GeelarkService) -> None:
    other = geelark.add_team("otherAppId", token="otherToken")
    theirs = geelark.add_tasks(other)
    assert query(cloud, *theirs).ids == []
    assert query(cloud, *theirs, headers=token_headers("otherToken")).ids == theirs
    assert restart(cloud, *theirs).failed == {theirs[0]: 48002}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", QUERY), ("PUT", RESTART), ("POST", "task/restart/"), ("POST", "task/Restart"), ("POST", "phone/list")],
)
def test_anything_else_does_not_exist(cloud: LocalCloud, method: str, path: str) -> None:
    assert call(cloud, path, {"ids": ["1"]}, method=method).code == 40005


def test_secrets_are_shortened_in_the_record(cloud: LocalCloud) -> None:
    headers = key_headers(at=MINUTE)
    query(cloud, "1", headers=headers)
    query(cloud, "1")
    text = str(cloud.requests)
    assert headers["sign"] not in text
    assert TOKEN not in text


def test_hostile_answer_repeats_the_callers_secrets(cloud: LocalCloud) -> None:
    cloud.faults.add(faults.error(QUERY, echo="{access_key_id} {secret} {token}"))
    assert query(cloud, "1").json["msg"] == f"{APP_ID} {API_KEY} {TOKEN}"


# -- body and parameters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"not json", b'{"ids": ["1"]', b"[]", b'"ids"', b"null"),
        *(b'{"ids": ["\xff"]}', b'{"ids":["1"],"ids":["2"]}', b'{"ids": NaN}'),
    ],
)
@pytest.mark.parametrize("operation", [QUERY, HISTORY, RESTART])
def test_body_is_a_json_object(cloud: LocalCloud, operation: str, body: bytes) -> None:
    assert call(cloud, operation, body=body).code == 40001


@pytest.mark.parametrize(("media", "code"), [(None, 40001), ("text/plain", 40001), ("Application/JSON; charset=x", 0)])
def test_content_type_is_json(cloud: LocalCloud, media: str | None, code: int) -> None:
    assert call(cloud, QUERY, {"ids": ["1"]}, media=media).code == code


def test_parameters_are_not_taken_from_the_query(cloud: LocalCloud) -> None:
    assert call(cloud, QUERY, {"ids": ["1"]}, target="/open/v1/task/query?size=1").code == 40004


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"ids": []},
        {"ids": None},
        {"ids": "1"},
        {"ids": [571222333444555666]},
        {"ids": ["1", 2]},
        {"ids": [""]},
        {"ids": [None]},
        {"ids": {"0": "1"}},
        {"ids": ["1"] * 101},
        {"taskIds": ["1"]},
        {"ids": ["1"], "size": 10},
    ],
    ids=lambda content: str(content)[:40],
)
@pytest.mark.parametrize("operation", [QUERY, RESTART])
def test_ids_are_one_to_a_hundred_strings(cloud: LocalCloud, operation: str, content: object) -> None:
    assert call(cloud, operation, content).code == 40004
    assert cloud.violations == []


def test_a_hundred_ids_are_accepted(cloud: LocalCloud, geelark: GeelarkService) -> None:
    ids = geelark.add_tasks(APP_ID, count=100)
    assert query(cloud, *ids).data["total"] == 100
    assert restart(cloud, *ids).data["successAmount"] == 100


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"size": 0}, 40008),
        ({"size": 101}, 40008),
        ({"size": -1}, 40008),
        ({"size": "10"}, 40004),
        ({"size": 10.0}, 40004),
        ({"size": True}, 40004),
        ({"lastId": 1}, 40004),
        ({"lastId": None}, 40004),
        ({"ids": [1]}, 40004),
        ({"ids": ["1"] * 101}, 40004),
        ({"page": 1}, 40004),
        ({"pageSize": 10}, 40004),
    ],
    ids=lambda value: str(value)[:40],
)
def test_parameters_of_the_history(cloud: LocalCloud, parameters: dict[str, object], code: int) -> None:
    assert history(cloud, **parameters).code == code


def test_empty_parameters_of_the_history_are_ignored(cloud: LocalCloud, geelark: GeelarkService) -> None:
    ids = geelark.add_tasks(APP_ID)
    assert history(cloud, ids=[], lastId="").ids == ids


# -- limits -----------------------------------------------------------------------------------------------------------


def test_two_hundred_calls_in_a_minute_and_more_in_the_next(cloud: LocalCloud, geelark: GeelarkService) -> None:
    cloud.clock.advance(30)  # in the middle of it: minutes are the clock's, not the caller's
    assert Counter(query(cloud, "1").code for _ignored in range(203)) == {0: 200, 40007: 3}
    assert history(cloud).code == 0
    cloud.clock.advance(29.999)
    assert query(cloud, "1").code == 40007
    cloud.clock.advance(0.001)
    assert query(cloud, "1").code == 0
    assert cloud.violations == []


def test_call_beyond_the_limit_does_nothing(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(per_minute=1)
    ids = geelark.add_tasks(APP_ID, count=2)
    assert [restart(cloud, one).code for one in ids] == [0, 40007]
    assert cloud.executed() == Counter(ids[:1])


def test_calls_that_are_not_genuine_do_not_count(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(per_minute=1)
    assert query(cloud, "1", headers=token_headers("wrong")).code == 40003
    assert [query(cloud, "1").code for _ignored in range(2)] == [0, 40007]


def test_limit_is_the_teams_own(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(per_minute=1)
    geelark.add_team("otherAppId", token="otherToken")
    assert [query(cloud, "1", headers=token_headers(one)).code for one in (TOKEN, "otherToken")] == [0, 0]


@pytest.fixture
def locked() -> Iterator[LocalCloud]:
    """A team that has just made its third call of an hour in which two are allowed."""
    for cloud in at(HOUR):
        cloud.world.geelark.configure(per_hour=2)
        assert [query(cloud, "1").code for _ignored in range(3)] == [0, 0, 40014]
        yield cloud


def test_who_overruns_the_hour_is_locked_out_of_everything_for_two(locked: LocalCloud) -> None:
    assert locked.violations == []
    locked.clock.advance(7199)
    assert [query(locked, "1").code, history(locked).code, restart(locked, "1").code] == [40014] * 3
    locked.clock.advance(1)
    assert query(locked, "1").code == 0


def test_calls_during_the_lock_are_noted_and_do_not_lengthen_it(locked: LocalCloud) -> None:
    locked.clock.advance(7000)
    assert query(locked, "1").code == 40014
    assert [(one.kind, one.scope) for one in locked.violations] == [("called_while_locked", (APP_ID, QUERY))]
    locked.clock.advance(200)
    assert query(locked, "1").code == 0


def test_a_new_hour_begins_with_the_clocks(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(per_hour=2)
    cloud.clock.advance(HOUR + 3599 - MINUTE)
    assert [query(cloud, "1").code for _ignored in range(2)] == [0, 0]
    cloud.clock.advance(1)
    assert [query(cloud, "1").code for _ignored in range(2)] == [0, 0]


def test_refused_calls_count_towards_the_hour(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(per_minute=1, per_hour=3)
    assert [query(cloud, "1").code for _ignored in range(4)] == [0, 40007, 40007, 40014]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.throttle(QUERY), 40007),
        (faults.throttle(QUERY, code="47002"), 47002),
        (faults.throttle(QUERY, code="40017", retry_after=7), 40017),
        (faults.error(QUERY), 50000),
        (faults.error(QUERY, code="40000"), 40000),
        (faults.ok_with_error(QUERY, code="41000"), 41000),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else value.kind,
)
def test_faults_speak_in_the_services_words(cloud: LocalCloud, fault: faults.Fault, code: int) -> None:
    cloud.faults.add(fault)
    reply = query(cloud, "1")
    assert (reply.reply.status, reply.code) == (200, code)
    assert reply.json["msg"]
    assert query(cloud, "1").code == 0


def test_rate_limit_of_the_scenario_is_the_teams(cloud: LocalCloud) -> None:
    cloud.faults.add_rate_limit(rate=1, burst=2, per="team")
    assert [query(cloud, "1").code for _ignored in range(3)] == [0, 0, 40007]


# -- task/restart -----------------------------------------------------------------------------------------------------


def test_restart_of_all(cloud: LocalCloud, geelark: GeelarkService) -> None:
    ids = geelark.add_tasks(APP_ID, count=2) + geelark.add_tasks(APP_ID, status="cancelled")
    reply = restart(cloud, *ids)
    assert (reply.code, reply.json["msg"]) == (0, "success")
    assert reply.data == {"totalAmount": 3, "successAmount": 3, "failAmount": 0}
    assert cloud.executed() == Counter(ids) == cloud.retried()
    assert cloud.violations == []


@pytest.fixture
def mixture(geelark: GeelarkService) -> dict[str, int]:
    """Tasks that cannot be restarted, and why."""
    reasons: list[tuple[int, dict[str, Any]]] = [
        (48001, {"status": "success"}),
        (48001, {"status": "running"}),
        (48001, {"status": "waiting"}),
        (48000, {"details": {"restarts": 5}}),
        (48003, {"details": {"expired": True}}),
        (40005, {"details": {"phone_deleted": True}}),
    ]
    return {geelark.add_tasks(APP_ID, **group)[0]: code for code, group in reasons} | {UNKNOWN: 48002}


def test_restart_of_some(cloud: LocalCloud, geelark: GeelarkService, mixture: dict[str, int]) -> None:
    ids = geelark.add_tasks(APP_ID, count=2)
    reply = restart(cloud, ids[0], *mixture, ids[1])
    assert (reply.code, reply.json["msg"]) == (40006, "partial success")
    amounts = {"totalAmount": 9, "successAmount": 2, "failAmount": 7}
    assert {key: value for key, value in reply.data.items() if key != "failDetails"} == amounts
    assert reply.failed == mixture
    assert all(set(one) == {"id", "code", "msg"} for one in reply.data["failDetails"])
    assert cloud.executed() == Counter(ids)


def test_restart_of_none(cloud: LocalCloud, mixture: dict[str, int]) -> None:
    reply = restart(cloud, *mixture)
    assert (reply.code, reply.json["msg"], reply.data["failAmount"]) == (40009, "process all failure", 7)
    assert reply.failed == mixture
    assert cloud.executed() == Counter()


def test_careless_restarts_are_noted(cloud: LocalCloud, geelark: GeelarkService, mixture: dict[str, int]) -> None:
    (failed,) = geelark.add_tasks(APP_ID, queued_reads=1)
    assert restart(cloud, failed, failed, *mixture).failed == {failed: 48001, **mixture}
    assert restart(cloud, failed).failed == {failed: 48001}
    kinds = ["duplicate_id", "not_failed", "not_failed", "not_failed", "unknown_id", "not_failed"]
    assert [one.kind for one in cloud.violations] == kinds
    assert {one.scope for one in cloud.violations} == {(APP_ID,)}
    assert cloud.executed() == Counter([failed])


def test_accepted_task_that_still_shows_failed_is_not_run_twice(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(queued="failed")
    ids = geelark.add_tasks(APP_ID, queued_reads=1)
    assert [restart(cloud, *ids).code, restart(cloud, *ids).code] == [0, 40009]
    assert [one.kind for one in cloud.violations] == ["already_accepted"]
    assert cloud.executed() == Counter(ids)


def test_task_is_restarted_five_times_at_most(cloud: LocalCloud, geelark: GeelarkService) -> None:
    (one,) = geelark.add_tasks(APP_ID, then="fail", runs_for={"reads": 0})
    for _ignored in range(5):
        assert restart(cloud, one).code == 0
        assert query(cloud, one).items[0]["status"] == 4
    assert restart(cloud, one).failed == {one: 48000}
    assert cloud.executed() == Counter({one: 5})


FORMS = {
    "list": '[{"id":"A","code":48000,"msg":"X"},{"id":"B","code":48002,"msg":"Y"}]',
    "string_codes": '[{"id":"A","code":"48000","msg":"X"},{"id":"B","code":"48002","msg":"Y"}]',
    "number_ids": '[{"id":A,"code":48000,"msg":"X"},{"id":B,"code":48002,"msg":"Y"}]',
    "one_object": '{"id":"A","code":48000,"msg":"X"}',
    "flat": '["id","A","code",48000,"msg","X","id","B","code",48002,"msg","Y"]',
    "mixed": '["X",{"id":"A","code":48000,"msg":"X"},"Y",{"id":"B","code":48002,"msg":"Y"}]',
    "none": "null",
}


@pytest.mark.parametrize("form", FORMS)
def test_form_of_the_details(cloud: LocalCloud, geelark: GeelarkService, form: str) -> None:
    geelark.configure(fail_details=form)
    (worn,) = geelark.add_tasks(APP_ID, details={"restarts": 5})
    expected = FORMS[form].replace("A", worn).replace("B", UNKNOWN)
    expected = expected.replace("X", "Task retry limit reached").replace("Y", "Task does not exist")
    body = restart(cloud, worn, UNKNOWN).reply.body.decode()
    assert body.endswith(f'"totalAmount":2,"successAmount":0,"failAmount":2,"failDetails":{expected}}}}}')


def test_details_can_be_absent(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(fail_details="absent")
    assert restart(cloud, UNKNOWN).data == {"totalAmount": 1, "successAmount": 0, "failAmount": 1}


AS_PRINTED = """{
    "traceId": "123456ABCEDF",
    "code": 40009,
    "msg": "process all failure",
    "data": {
        "totalAmount": 1,
        "successAmount": 0,
        "failAmount": 1,
        "failDetails": [
            "id": "123456"
            "code": "48001",
            "msg": "the current task status does not allow the operation"
        ]
    }
}"""


def test_details_can_be_as_the_vendors_page_prints_them(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(fail_details="malformed")
    geelark.add_tasks(APP_ID, id="123456", status="success")
    body = restart(cloud, "123456").reply.body.decode()
    assert body.replace(cloud.requests[0].request_id, "123456ABCEDF") == AS_PRINTED
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(body)


@pytest.mark.parametrize("form", ["list", "malformed", "none", "absent"])
def test_form_does_not_matter_when_nothing_failed(cloud: LocalCloud, geelark: GeelarkService, form: str) -> None:
    geelark.configure(fail_details=form)
    reply = restart(cloud, *geelark.add_tasks(APP_ID))
    assert reply.data == {"totalAmount": 1, "successAmount": 1, "failAmount": 0}


def test_counts_can_disagree(cloud: LocalCloud, geelark: GeelarkService) -> None:
    geelark.configure(successes="wrong")
    data = restart(cloud, UNKNOWN, *geelark.add_tasks(APP_ID)).data
    assert (data["totalAmount"], data["successAmount"], data["failAmount"]) == (2, 2, 1)


@pytest.mark.parametrize(("option", "code"), [("no_data", 40009), ("unknown", 40000)])
def test_total_failure_without_data(cloud: LocalCloud, geelark: GeelarkService, option: str, code: int) -> None:
    geelark.configure(all_failed=option)
    (failed,) = geelark.add_tasks(APP_ID)
    none, some = restart(cloud, UNKNOWN), restart(cloud, UNKNOWN, failed)
    assert (none.code, "data" in none.json) == (code, False)
    assert (some.code, some.failed) == (40006, {UNKNOWN: 48002})


@pytest.mark.parametrize(("option", "done", "status"), [("unknown_undone", 0, 4), ("unknown_done", 1, 2)])
def test_unknown_outcome(cloud: LocalCloud, geelark: GeelarkService, option: str, done: int, status: int) -> None:
    geelark.configure(restart=option)
    ids = geelark.add_tasks(APP_ID)
    reply = restart(cloud, *ids)
    assert (reply.code, reply.json["msg"], "data" in reply.json) == (40000, "unknown error", False)
    assert sum(cloud.executed().values()) == done
    assert query(cloud, *ids).items[0]["status"] == status


@pytest.mark.parametrize(("effect", "done"), [("before", 0), ("after", 1)])
def test_unknown_outcome_once_only(cloud: LocalCloud, geelark: GeelarkService, effect: str, done: int) -> None:
    cloud.faults.add(faults.error(RESTART, code="40000", effect=effect))
    ids = geelark.add_tasks(APP_ID)
    assert restart(cloud, *ids).code == 40000
    assert sum(cloud.executed().values()) == done
