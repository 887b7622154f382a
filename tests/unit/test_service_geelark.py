# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GeeLark: paging, shapes, errors, and what a restart says of each task. What it signs is in test_signing_geelark."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import pause_after
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._services.geelark import (
    FACTS,
    GeelarkService,
    check_task_id,
    find_endpoint,
)
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    ACCEPTED,
    Answer,
    FailureClass,
    State,
    Task,
    Verdict,
    Window,
)
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import NOW, FakeClock, FakeTransport, caller, reply

WINDOW = Window(int(NOW) - 86400, int(NOW))
FAILED = frozenset({State.FAILED})
WAITING, RUNNING, DONE, BROKEN, CANCELLED = 1, 2, 3, 4, 7
MESSAGE = "the current task status does not allow the operation"
Answers = Callable[[Request], Response]

WARNINGS: list[str] = []


@pytest.fixture(autouse=True)
def _no_old_warnings() -> None:
    WARNINGS.clear()


def service(answer: Answers | FakeTransport) -> GeelarkService:
    transport = answer if isinstance(answer, FakeTransport) else FakeTransport(answer)
    clock = FakeClock()
    one = caller(transport, clock, max_attempts=1)
    return GeelarkService(one, Endpoint("https", "openapi.geelark.com"), clock=clock, warn=WARNINGS.append)


def item(task_id: Any, status: Any = BROKEN, **fields: Any) -> dict[str, Any]:
    return {"id": task_id, "status": status, "scheduleAt": int(NOW) - 60, **fields}


def envelope(code: Any = 0, data: Any = None, **more: Any) -> dict[str, Any]:
    content = {"traceId": "123456ABCEDF", "code": code, "msg": "words", **more}
    return content if data is None else {**content, "data": data}


def page(items: Any, total: Any = None) -> Response:
    total = len(items or ()) if total is None else total
    return reply(200, envelope(data={"total": total, "items": items}))


def asked(request: Request) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.body)
    return content


def serve(ids: Sequence[str], *, cap: int = 100, total: int | None = None, **fields: Any) -> Answers:
    """A history of failed tasks, in pages of at most `cap`; `total` of None counts the window."""

    def answer(request: Request) -> Response:
        last = asked(request).get("lastId")
        start = ids.index(last) + 1 if last else 0
        items = [item(one, **fields) for one in ids[start : start + cap]]
        return page(items, len(ids) if total is None else total)

    return answer


def listed(answer: Answers | FakeTransport, states: frozenset[State] = FAILED) -> list[Task]:
    return list(service(answer).list_tasks(WINDOW, states))


def names(count: int) -> list[str]:
    return [str(571222333444000000 + number) for number in range(count)]


class TestPaging:
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
    def test_every_page_is_read(self, count: int) -> None:
        assert [task.id for task in listed(serve(names(count)))] == names(count)
        assert WARNINGS == []

    def test_a_page_goes_on_where_the_last_one_ended(self) -> None:
        transport = FakeTransport(serve(names(101)))
        listed(transport)
        assert [asked(request) for request in transport.sent] == [
            {"size": 100},
            {"size": 100, "lastId": names(100)[-1]},
            {"size": 100, "lastId": names(101)[-1]},
        ]

    def test_a_page_smaller_than_asked_for_is_not_the_last(self) -> None:
        assert len(listed(serve(names(25), cap=10))) == 25

    @pytest.mark.parametrize("total", [0, 10])
    def test_a_total_that_means_the_page_or_nothing_does_not_hide_the_next_one(self, total: int) -> None:
        assert len(listed(serve(names(25), cap=10, total=total))) == 25
        assert WARNINGS == []

    def test_a_server_that_ignores_the_cursor_ends(self) -> None:
        transport = FakeTransport(lambda request: page([item("1"), item("2")]))
        assert len(listed(transport)) == 2
        assert len(transport.sent) == 2

    def test_a_last_page_that_is_served_again_and_again_ends(self) -> None:
        ids = names(25)

        def answer(request: Request) -> Response:
            last = asked(request).get("lastId")
            start = ids.index(last) + 1 if last else 0
            start = 20 if start == 25 else start
            return page([item(one) for one in ids[start : start + 10]], 25)

        assert [task.id for task in listed(answer)] == ids

    def test_tasks_on_two_pages_are_folded(self) -> None:
        pages = {None: ["1", "2"], "2": ["2", "3"], "3": []}
        assert [
            task.id
            for task in listed(lambda request: page([item(one) for one in pages[asked(request).get("lastId")]], 3))
        ] == ["1", "2", "3"]

    def test_a_list_that_ends_early_because_its_cursor_has_gone_is_read_again(self) -> None:
        ids = names(25)
        gone: list[str] = []

        def answer(request: Request) -> Response:
            last = asked(request).get("lastId")
            if last == ids[9] and not gone:
                gone.append(last)
                return page([], 24)
            return serve(ids, cap=10)(request)

        assert sorted(task.id for task in listed(answer)) == ids
        assert WARNINGS == []

    def test_a_list_that_never_shows_all_that_it_speaks_of_is_told(self) -> None:
        assert len(listed(serve(names(5), total=9))) == 5
        assert "speaks of 9 tasks and showed 5" in WARNINGS[0]

    def test_a_list_without_end_ends_in_words(self) -> None:
        numbers = iter(range(10**6))
        with pytest.raises(CallError, match="did not end within 2000 pages"):
            listed(lambda request: page([item(str(next(numbers)))]))


class TestSelection:
    def test_the_service_filters_nothing_so_states_are_sorted_out_here(self) -> None:
        items = [item("1"), item("2", WAITING), item("3", RUNNING), item("4", DONE), item("5", CANCELLED)]
        for status, state in zip("14", (State.WAITING, State.FAILED)):
            assert {task.status for task in listed(lambda request: page(items), frozenset({state}))} == {status}
        assert WARNINGS == []

    @pytest.mark.parametrize("status", [5, 6, 0, 99, None, "odd", {}, 4.0, True])
    def test_tasks_of_a_status_that_is_not_known_are_left_out_with_a_warning(self, status: Any) -> None:
        assert [task.id for task in listed(lambda request: page([item("1", status), item("2")]))] == ["2"]
        assert "is not known here" in WARNINGS[0]

    def test_the_window_is_applied_here(self) -> None:
        times = {"1": WINDOW.since - 1, "2": WINDOW.since, "3": WINDOW.until, "4": WINDOW.until + 1, "5": None}
        items = [item(one, scheduleAt=moment) for one, moment in times.items()]
        assert [task.id for task in listed(lambda request: page(items))] == ["2", "3", "5"]

    def test_named_tasks_are_read_a_hundred_at_a_time_whatever_the_window(self) -> None:
        transport = FakeTransport(lambda request: page([item(one, scheduleAt=1) for one in asked(request)["ids"]]))
        found = list(service(transport).find_tasks(names(201), WINDOW))
        assert [task.id for task in found] == names(201)
        assert [len(asked(request)["ids"]) for request in transport.sent] == [100, 100, 1]
        assert {request.path for request in transport.sent} == {"/open/v1/task/query"}

    def test_an_id_that_is_not_known_is_absent(self) -> None:
        assert list(service(lambda request: page([])).find_tasks(["1"], WINDOW)) == []

    def test_a_task_that_comes_twice_is_one(self) -> None:
        shown = [item("1"), item("2"), item("1")]
        assert [task.id for task in service(lambda request: page(shown)).find_tasks(["1", "2"], WINDOW)] == ["1", "2"]

    def test_tasks_that_nobody_asked_for_are_left_out(self) -> None:
        ids = names(150)
        found = service(lambda request: page([item(one) for one in [*ids, "7"]])).find_tasks(ids, WINDOW)
        assert [task.id for task in found] == ids

    def test_reading_again_leaves_out_what_nobody_asked_for(self) -> None:
        one = Task("1", (), "4", State.FAILED)
        again = service(lambda request: page([item("7"), item("1"), item("1")])).read_again([one])
        assert list(again) == [one.key]

    @pytest.mark.parametrize("shown", ["123", 123])
    def test_an_id_that_comes_back_as_a_number_is_the_one_that_was_asked_for(self, shown: Any) -> None:
        one = service(lambda request: page([item(shown)]))
        assert [task.id for task in one.find_tasks(["0123"], WINDOW)] == ["0123"]
        asked_for = Task("0123", (), "4", State.FAILED)
        assert one.read_again([asked_for])[asked_for.key].id == "0123"

    def test_one_task_by_two_spellings_is_one(self) -> None:
        found = service(lambda request: page([item(123) for _one in asked(request)["ids"]]))
        assert [task.id for task in found.find_tasks(["0123", *names(99), "123"], WINDOW)] == ["123"]

    def test_reading_again_is_by_id(self) -> None:
        tasks = [Task("1", (), "4", State.FAILED), Task("2", (), "4", State.FAILED)]
        transport = FakeTransport(lambda request: page([item("1", RUNNING), item("2", DONE)]))
        again = service(transport).read_again(tasks)
        assert {key[1]: task.state for key, task in again.items()} == {"1": State.RUNNING, "2": State.SUCCEEDED}
        assert [asked(request) for request in transport.sent] == [{"ids": ["1", "2"]}]


class TestShapes:
    def test_all_fields_are_read_and_no_others(self) -> None:
        raw = item("1", failCode=20100, failDesc="no network", cost=40, logs=["private"], resultImages=["https://x"])
        task = listed(lambda request: page([raw]))[0]
        created = NOW - 60
        assert task == Task(
            "1", (), "4", State.FAILED, "20100", "no network", created, created + 7 * 86400, created + 40
        )
        assert "private" not in repr(task)

    def test_a_failure_without_words_and_times_is_one(self) -> None:
        task = listed(lambda request: page([{"id": "1", "status": 4}]))[0]
        assert task == Task("1", (), "4", State.FAILED)

    @pytest.mark.parametrize(
        ("value", "code"), [(20100, "20100"), ("20100", "20100"), (None, ""), (0, ""), ("0", ""), ("odd", "odd")]
    )
    def test_a_code_may_be_a_number_or_a_text(self, value: Any, code: str) -> None:
        assert listed(lambda request: page([item("1", failCode=value)]))[0].code == code

    def test_a_status_may_be_a_text(self) -> None:
        assert len(listed(lambda request: page([item("1", "4")]))) == 1

    def test_an_id_that_is_a_number_keeps_every_digit(self) -> None:
        assert listed(lambda request: page([item(571222333444555667)]))[0].id == "571222333444555667"

    @pytest.mark.parametrize("items", [None, []])
    def test_no_tasks_may_be_null_or_empty(self, items: Any) -> None:
        assert listed(lambda request: page(items)) == []

    def test_the_same_failure_after_another_run_is_told_from_the_old_one(self) -> None:
        first, second = listed(lambda request: page([item("1", cost=40), item("2", cost=41)]))
        assert second._replace(id="1").moved_since(first)

    @pytest.mark.parametrize(
        "data",
        [
            None,
            [],
            5,
            {"items": 5},
            {"items": {}},
            {"items": [5]},
            {"items": [{}]},
            {"items": [{"id": None}]},
            {"items": [{"id": True}]},
            {"items": [{"id": 5.7e17}]},
            {"items": [{"id": ""}]},
            {"items": [{"id": "a b"}]},
            {"items": [{"id": "x" * 65}]},
            {"items": [{"id": -1}]},
            {"items": [], "total": "many"},
        ],
        ids=str,
    )
    def test_any_other_shape_is_a_broken_reply(self, data: Any) -> None:
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(200, envelope(data=data)))
        assert (caught.value.kind, caught.value.request_id) == (Kind.BROKEN, "123456ABCEDF")

    @pytest.mark.parametrize("moment", [True, -5, 1e300, "x", {}, [], 10**15])
    def test_a_nonsensical_time_is_unknown(self, moment: Any) -> None:
        task = listed(lambda request: page([item("1", scheduleAt=moment, cost=moment)]))[0]
        assert (task.created, task.finished) == (None, None)


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (40000, Kind.TRANSIENT),
            (40001, Kind.REJECTED),
            (40002, Kind.REJECTED),
            (40003, Kind.DENIED),
            (40004, Kind.REJECTED),
            (40005, Kind.REJECTED),
            (40007, Kind.THROTTLED),
            (40008, Kind.REJECTED),
            (40011, Kind.DENIED),
            (40012, Kind.REJECTED),
            (40013, Kind.DENIED),
            (40014, Kind.LOCKED),
            (40015, Kind.DENIED),
            (40016, Kind.DENIED),
            (40017, Kind.THROTTLED),
            (41000, Kind.DENIED),
            (41001, Kind.DENIED),
            (42001, Kind.REJECTED),
            (43008, Kind.LOCKED),
            (46001, Kind.DENIED),
            (47002, Kind.THROTTLED),
            (50000, Kind.TRANSIENT),
            ("40014", Kind.LOCKED),
            (12345, Kind.BROKEN),
        ],
    )
    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_the_code_decides_whatever_the_status(self, code: Any, kind: Kind, status: int) -> None:
        if code == 12345 and status == 500:
            kind = Kind.TRANSIENT
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(status, envelope(code)))
        error = caught.value
        assert (error.kind, error.code, error.text, error.request_id) == (kind, str(code), "words", "123456ABCEDF")
        assert error.hint

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(200, Kind.BROKEN), (404, Kind.BROKEN), (429, Kind.THROTTLED), (500, Kind.TRANSIENT), (502, Kind.TRANSIENT)],
    )
    @pytest.mark.parametrize(
        "body", ["<html>Bad <b>Gateway</b>", "", "[]", "null", '{"msg": "x"}', '{"code": null}', '{"code": "x"}',
                 '{"code": true}', '{"code": {}}', '{"code": -1}', "[" * 200_000]
    )  # fmt: skip
    def test_a_reply_that_is_no_envelope_is_judged_by_its_status(self, status: int, kind: Kind, body: str) -> None:
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(status, body))
        assert (caught.value.kind, caught.value.status) == (kind, status)
        assert body[:20] in str(caught.value)

    def test_a_good_code_is_not_believed_under_the_status_of_a_broken_server(self) -> None:
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(500, envelope(data={"items": []})))
        assert caught.value.kind is Kind.TRANSIENT

    def test_a_lock_tells_until_when(self) -> None:
        with pytest.raises(CallError, match="Do not call it before 2023-11-15T00:13"):
            listed(lambda request: reply(200, envelope(40014)))

    def test_a_limit_of_the_day_ends_at_midnight(self) -> None:
        with pytest.raises(CallError, match="Run again after 2023-11-15T00:00:00Z"):
            listed(lambda request: reply(200, envelope(43008)))

    def test_the_message_tells_everything(self) -> None:
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(200, envelope(40016, msg="ip not allowed")))
        assert str(caught.value) == (
            "POST /open/v1/task/historyRecords failed: 40016: ip not allowed (HTTP 200, request id 123456ABCEDF)."
            " Add the address of this machine to the IP whitelist in the API settings of the account."
        )

    def test_the_pauses_after_a_throttled_call_make_a_minute_together(self) -> None:
        assert sum(pause_after(attempt, FACTS.throttled, lambda: 0.0) for attempt in range(1, 5)) >= 60


# -- restart ----------------------------------------------------------------------------------------------------------


def restart(answer: Response, ids: Sequence[str] = ("1", "2")) -> dict[str, Verdict]:
    tasks = [Task(one, (), "4", State.FAILED) for one in ids]
    return {key[1]: verdict for key, verdict in service(lambda request: answer).retry(tasks).items()}


def answers(answer: Response, ids: Sequence[str] = ("1", "2")) -> dict[str, Answer]:
    return {one: verdict.answer for one, verdict in restart(answer, ids).items()}


def amounts(total: int, failed: int, details: Any = None) -> dict[str, Any]:
    data: dict[str, Any] = {"totalAmount": total, "successAmount": total - failed, "failAmount": failed}
    return data if details is None else {**data, "failDetails": details}


def detail(task_id: Any = "2", code: Any = 48001, msg: str = MESSAGE) -> dict[str, Any]:
    return {"id": task_id, "code": code, "msg": msg}


FLAT = ["id", "2", "code", "48001", "msg", MESSAGE]
PRINTED = '''{
    "traceId": "123456ABCEDF",
    "code": %s,
    "msg": "partial success",
    "data": {
        "totalAmount": %s,
        "successAmount": %s,
        "failAmount": %s,
        "failDetails": [
%s
        ]
    }
}'''  # fmt: skip
PRINTED_ITEM = f'''            "id": "%s"
            "code": "48001",
            "msg": "{MESSAGE}"'''


class TestRestart:
    def test_the_request(self) -> None:
        transport = FakeTransport(lambda request: reply(200, envelope(data=amounts(2, 0))))
        service(transport).retry([Task(one, (), "4", State.FAILED) for one in ("1", "2")])
        (sent,) = transport.sent
        assert (sent.method, sent.url) == ("POST", "https://openapi.geelark.com/open/v1/task/restart")
        assert sent.headers["Content-Type"] == "application/json"
        assert asked(sent) == {"ids": ["1", "2"]}

    @pytest.mark.parametrize("data", [None, {}, amounts(2, 0), amounts(2, 0, [])])
    def test_success_is_success_for_all(self, data: Any) -> None:
        assert restart(reply(200, envelope(0, data))) == {"1": ACCEPTED, "2": ACCEPTED}

    @pytest.mark.parametrize(
        "details",
        [
            [detail()],
            [detail(code="48001")],
            [detail(2, "48001")],
            detail(),
            FLAT,
            ["id", 2, "code", 48001, "msg", MESSAGE],
            ["some words", detail()],
            ["some words", *FLAT],
            [*FLAT, "rest"],
            [detail(), detail()],
        ],
        ids=str,
    )
    def test_a_part_that_failed_is_understood_in_every_form(self, details: Any) -> None:
        found = restart(reply(200, envelope(40006, amounts(2, 1, details))))
        assert found["1"] == ACCEPTED
        assert found["2"].answer is Answer.NOT_NOW
        error = found["2"].error
        assert error
        assert (error.code, error.message, error.request_id) == ("48001", MESSAGE, "123456ABCEDF")

    @pytest.mark.parametrize(
        "more",
        [
            [{"code": 48001, "msg": MESSAGE}],
            [{"id": 1.5e18, "code": 48001}],
            [{"id": "1", "code": 48001.0}],
            [{"id": "1", "code": True}],
            [{"id": "1", "code": {}}],
            [{}],
            [None],
            [7],
            [["id", "1"]],
            ["code", 48001],
            ["id"],
            "1: 48001",
            7,
            True,
        ],
        ids=str,
    )
    @pytest.mark.parametrize("counted", [True, False], ids=["counted", "uncounted"])
    @pytest.mark.parametrize("code", [0, 40006, 40009])
    def test_an_entry_that_is_not_understood_may_mean_any_task(self, code: int, more: Any, counted: bool) -> None:
        failed = 2 if code == 40009 else 1
        details = [detail(), *more] if isinstance(more, list) else more
        data = {**(amounts(2, failed) if counted else {}), "failDetails": details}
        found = answers(reply(200, envelope(code, data)))
        assert found["1"] is Answer.SILENT
        assert found["2"] is (Answer.NOT_NOW if isinstance(more, list) else Answer.SILENT)

    @pytest.mark.parametrize("details", [["x"], ["1: 48001"], "x", [{"code": 48001}]], ids=str)
    def test_success_with_details_that_are_not_understood_is_not_believed(self, details: Any) -> None:
        assert answers(reply(200, envelope(0, {"failDetails": details}))) == dict.fromkeys("12", Answer.SILENT)

    @pytest.mark.parametrize("code", [0, 40006, 40009])
    def test_two_details_that_contradict_each_other_say_nothing(self, code: int) -> None:
        data = amounts(2, 2 if code == 40009 else 1, [detail(code=48000), detail(code=40000)])
        verdict = restart(reply(200, envelope(code, data)))["2"]
        assert verdict.answer is Answer.SILENT
        assert verdict.error
        assert verdict.error.message == "the reply (words) says two things of this task"

    def test_several_may_stand_flat_and_mixed(self) -> None:
        details = [*FLAT, "id", "3", "code", 48000, "msg", "limit", detail("4", 48002)]
        found = answers(reply(200, envelope(40006, amounts(4, 3, details))), ("1", "2", "3", "4"))
        assert found == {"1": Answer.ACCEPTED, "2": Answer.NOT_NOW, "3": Answer.REFUSED, "4": Answer.REFUSED}

    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_all_that_failed_are_results_whatever_the_status(self, status: int) -> None:
        details = [detail("1"), detail("2", "48000")]
        found = answers(reply(status, envelope(40009, amounts(2, 2, details))))
        assert found == {"1": Answer.NOT_NOW, "2": Answer.REFUSED}

    @pytest.mark.parametrize(
        "data",
        [
            amounts(2, 1),
            amounts(2, 1, "odd"),
            amounts(2, 1, [{"code": 48001}]),
            amounts(2, 2, [detail()]),
            {**amounts(2, 1, [detail()]), "successAmount": 2},
            {**amounts(2, 1, [detail()]), "totalAmount": 3},
            {**amounts(2, 1, [detail()]), "failAmount": "one"},
            amounts(2, 1, [detail("9")]),
            amounts(2, 2, [detail(), detail("9")]),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("code", [0, 40006])
    def test_a_task_is_not_accepted_where_a_number_does_not_agree(self, code: int, data: Any) -> None:
        assert answers(reply(200, envelope(code, data)))["1"] is Answer.SILENT

    @pytest.mark.parametrize("data", [{}, {"failDetails": [detail()]}, amounts(2, 0), amounts(2, 0, [])], ids=str)
    def test_a_part_of_which_no_number_is_told_or_none_failed_leaves_the_rest_open(self, data: Any) -> None:
        assert answers(reply(200, envelope(40006, data)))["1"] is Answer.SILENT

    def test_all_failed_without_a_word_on_each_refuses_all_in_the_words_of_the_envelope(self) -> None:
        found = restart(reply(200, envelope(40009, amounts(2, 2))))
        for verdict in found.values():
            assert verdict.answer is Answer.REFUSED
            assert verdict.error
            assert (verdict.error.code, verdict.error.message) == ("40009", "words")

    @pytest.mark.parametrize("failed", [1, 3, None, "x"])
    def test_all_failed_with_another_number_than_were_sent_says_nothing_of_the_rest(self, failed: Any) -> None:
        data = {"failAmount": failed, "failDetails": [detail()]}
        assert answers(reply(200, envelope(40009, data))) == {"1": Answer.SILENT, "2": Answer.NOT_NOW}

    def test_all_failed_with_a_success_among_them_says_nothing_of_the_rest(self) -> None:
        data = {**amounts(2, 2, [detail()]), "successAmount": 1}
        assert answers(reply(200, envelope(40009, data)))["1"] is Answer.SILENT

    def test_a_secret_that_the_service_repeats_is_taken_out(self) -> None:
        signature = "5CE1A9D20F5E4C7B8A96"
        data = amounts(2, 1, [detail(msg=f"not with {signature}")])
        transport = FakeTransport(lambda request: reply(200, envelope(40009, data, msg=f"bad {signature}")))
        clock = FakeClock()
        one = caller(transport, clock, sign=lambda request: replace(request, signature=signature))
        endpoint = Endpoint("https", "openapi.geelark.com")
        verdicts = GeelarkService(one, endpoint, clock=clock, warn=WARNINGS.append).retry(
            [Task(task_id, (), "4", State.FAILED) for task_id in ("1", "2")]
        )
        assert len(verdicts) == 2
        assert signature not in repr(verdicts)

    @pytest.mark.parametrize("code", [40000, 40006, 40009, 50000])
    def test_a_failure_without_data_leaves_everything_open(self, code: int) -> None:
        with pytest.raises(CallError) as caught:
            restart(reply(200, envelope(code)))
        assert caught.value.kind is Kind.TRANSIENT
        assert caught.value.kind.may_have_run

    @pytest.mark.parametrize("code", [40001, 40003, 40007, 40017, 47002, 48002, 12345, 0])
    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_server_that_failed_is_not_believed_that_it_did_nothing(self, code: int, status: int) -> None:
        transport = FakeTransport(lambda request: reply(status, envelope(code)))
        clock = FakeClock()
        one = GeelarkService(
            caller(transport, clock, max_attempts=5),
            Endpoint("https", "openapi.geelark.com"),
            clock=clock,
            warn=WARNINGS.append,
        )
        with pytest.raises(CallError) as caught:
            one.retry([Task("1", (), "4", State.FAILED)])
        assert caught.value.kind is Kind.TRANSIENT
        assert caught.value.code == str(code)
        assert len(transport.sent) == 1

    @pytest.mark.parametrize("code", [40014, 43008])
    @pytest.mark.parametrize("status", [200, 500])
    def test_a_lock_is_one_whatever_the_status(self, code: int, status: int) -> None:
        with pytest.raises(CallError) as caught:
            restart(reply(status, envelope(code)))
        assert caught.value.kind is Kind.LOCKED

    @pytest.mark.parametrize("data", [[], "x", 5])
    def test_success_with_data_of_another_shape_may_have_run(self, data: Any) -> None:
        with pytest.raises(CallError) as caught:
            restart(reply(200, envelope(0, data)))
        assert caught.value.kind is Kind.BROKEN

    @pytest.mark.parametrize(
        ("code", "answer", "failure_class"),
        [
            ("48000", Answer.REFUSED, FailureClass.EXHAUSTED),
            ("48001", Answer.NOT_NOW, None),
            ("48002", Answer.REFUSED, FailureClass.GONE),
            ("48003", Answer.REFUSED, FailureClass.GONE),
            ("40005", Answer.REFUSED, FailureClass.GONE),
            ("48004", Answer.REFUSED, None),
            ("42008", Answer.REFUSED, None),
            ("99999", Answer.REFUSED, None),
            ("", Answer.REFUSED, None),
            ("40000", Answer.SILENT, None),
        ],
    )
    def test_what_a_code_of_one_task_means(self, code: str, answer: Answer, failure_class: FailureClass | None) -> None:
        verdict = restart(reply(200, envelope(40006, amounts(2, 1, [detail("2", code)]))))["2"]
        assert verdict.answer is answer
        assert (verdict.finding and verdict.finding.failure_class) == failure_class
        assert verdict.error
        assert verdict.error.message == MESSAGE


class TestAnswersAsThePagePrintsThem:
    """They are no JSON: bare pairs stand in the array, and a comma is missing."""

    def printed(self, code: int, total: int, failed: int, *ids: str) -> Response:
        items = ",\n".join(PRINTED_ITEM % one for one in ids)
        return reply(200, PRINTED % (code, total, total - failed, failed, items))

    def test_partial(self) -> None:
        found = restart(self.printed(40006, 2, 1, "2"))
        assert found["1"] == ACCEPTED
        assert found["2"].answer is Answer.NOT_NOW
        assert found["2"].error
        assert (found["2"].error.message, found["2"].error.request_id) == (MESSAGE, "123456ABCEDF")

    def test_several(self) -> None:
        found = answers(self.printed(40006, 3, 2, "3", "1"), ("1", "2", "3"))
        assert found == {"1": Answer.NOT_NOW, "2": Answer.ACCEPTED, "3": Answer.NOT_NOW}

    def test_all(self) -> None:
        assert answers(self.printed(40009, 1, 1, "1"), ("1",)) == {"1": Answer.NOT_NOW}

    def test_what_is_cut_off_stays_unexplained(self) -> None:
        whole = self.printed(40006, 3, 2, "3", "1").body
        cut = Response(200, {}, whole[: whole.index(b'"id": "1"') + 12])
        found = answers(cut, ("1", "2", "3"))
        assert found == {"1": Answer.SILENT, "2": Answer.SILENT, "3": Answer.NOT_NOW}

    @pytest.mark.parametrize(
        "body",
        [
            PRINTED % (0, 2, 1, 1, PRINTED_ITEM % "2"),
            PRINTED % (40003, 2, 1, 1, PRINTED_ITEM % "2"),
            '"code": 40006, "msg": "x"',
            '"failDetails": [ "code": 40006',
            '{"code": 40006',
            "<html>",
        ],
    )
    def test_nothing_else_is_read_like_that(self, body: str) -> None:
        with pytest.raises(CallError) as caught:
            restart(reply(200, body))
        assert caught.value.kind is Kind.BROKEN

    def test_an_entry_that_cannot_be_read_leaves_its_task_open_even_if_all_failed(self) -> None:
        body = self.printed(40009, 2, 2, "2", "1").body.replace(b'"id": "1"', b'"id": ?')
        assert answers(Response(200, {}, body)) == {"1": Answer.SILENT, "2": Answer.NOT_NOW}

    def test_a_hostile_text_takes_no_time(self) -> None:
        body = '{"code": 40006, "failDetails": [' + '"id": "1" "code": "48001" "msg": "\\\\' * 5000
        assert answers(reply(200, body))["2"] is Answer.SILENT

    def test_a_list_is_never_read_like_that(self) -> None:
        with pytest.raises(CallError):
            listed(lambda request: self.printed(40006, 2, 1, "2"))


class TestInput:
    @pytest.mark.parametrize("task_id", ["571222333444555666", "1", "a-b", "x" * 64])
    def test_a_printable_id_passes(self, task_id: str) -> None:
        assert check_task_id(task_id) == task_id

    @pytest.mark.parametrize("task_id", ["", "a b", "1\n", "ä", "x" * 65, "\0"])
    def test_others_do_not(self, task_id: str) -> None:
        with pytest.raises(InputError, match="task id"):
            check_task_id(task_id)

    @pytest.mark.parametrize(
        ("endpoint", "url"),
        [
            (None, "https://openapi.geelark.com"),
            ("https://openapi.geelark.cn", "https://openapi.geelark.cn"),
            ("openapi.geelark.cn", "https://openapi.geelark.cn"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ],
    )
    def test_the_endpoint(self, endpoint: str | None, url: str) -> None:
        assert find_endpoint(endpoint, allow_plaintext=False).base_url() == url

    def test_plain_http_to_another_machine_is_refused(self) -> None:
        with pytest.raises(InputError, match="plain http"):
            find_endpoint("http://openapi.geelark.com", allow_plaintext=False)
