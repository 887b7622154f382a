# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CLS: windows, paging, shapes, errors, verdicts, endpoints. What it puts on the wire is in tests/contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._engine import Engine
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._limits import Rate
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._services.cls import (
    FACTS,
    ClsService,
    check_id,
    check_region,
    find_endpoint,
    host_of,
    is_global,
    region_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    ACCEPTED,
    Answer,
    FailureClass,
    Outcome,
    Scope,
    State,
    Task,
    Window,
)
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import NOW, FakeClock, FakeTransport, caller, reply

HOUR = 3600
DAYS = 3 * 86400
WINDOW = Window(int(NOW) - 2 * HOUR, int(NOW))
FAILED = frozenset({State.FAILED})
ANY = frozenset(State)
SCOPE: Scope = (("shipper_id", "s1"),)
REQUEST_ID = "6ef60bec-0242-43af-bb20-270359fb54a7"
RANGE = (int(NOW - 400) * 1000, int(NOW - 100) * 1000)
Serve = Callable[[Request], Response]

WARNINGS: list[str] = []


@pytest.fixture(autouse=True)
def _no_old_warnings() -> None:
    WARNINGS.clear()


def service(
    serve: Serve | FakeTransport, *, shipper_id: str | None = "s1", clock: FakeClock | None = None, attempts: int = 1
) -> ClsService:
    clock = clock or FakeClock()
    transport = serve if isinstance(serve, FakeTransport) else FakeTransport(serve)
    return ClsService(
        caller(transport, clock, max_attempts=attempts),
        Endpoint("https", "cls.tencentcloudapi.com"),
        region="ap-guangzhou",
        shipper_id=shipper_id,
        clock=clock,
        warn=WARNINGS.append,
    )


def good(status: int = 200, **content: Any) -> Response:
    return reply(status, {"Response": {**content, "RequestId": REQUEST_ID}})


def bad(code: str, message: str = "words", status: int = 200, **headers: str) -> Response:
    error = {"Code": code, "Message": message}
    return reply(status, {"Response": {"Error": error, "RequestId": REQUEST_ID}}, **headers)


def item(task_id: str, status: str = "failed", *, at: float = NOW - 60, **fields: Any) -> dict[str, Any]:
    """A task whose run began then."""
    return {
        "TaskId": task_id,
        "ShipperId": "s1",
        "TopicId": "topic",
        "RangeStart": RANGE[0],
        "RangeEnd": RANGE[1],
        "StartTime": int(at * 1000),
        "EndTime": int(at * 1000) + 5000,
        "Status": status,
        "Message": "success" if status == "success" else "SlowDown",
        **fields,
    }


def asked(request: Request) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.body)
    return content


def tasks_of(items: list[dict[str, Any]], most: int | None = None) -> Serve:
    """Shows those whose run began in the window that is asked for, `most` of them, as a service that cuts does."""

    def serve(request: Request) -> Response:
        begin, end = asked(request)["StartTime"], asked(request)["EndTime"]
        return good(Tasks=[one for one in items if begin <= one["StartTime"] < end][:most])

    return serve


def listed(serve: Serve, states: frozenset[State] = FAILED, window: Window = WINDOW) -> list[Task]:
    return list(service(serve).list_tasks(window, states))


def failed(task_id: str = "a", **fields: Any) -> Task:
    return Task(task_id, SCOPE, "failed", State.FAILED, **{"created": NOW - 60, **fields})


class TestTasks:
    def test_a_task_is_read(self) -> None:
        (task,) = listed(lambda request: good(Tasks=[item("a", Message="NoSuchBucket")]))
        assert task == Task(
            id="a",
            scope=SCOPE,
            status="failed",
            state=State.FAILED,
            message="NoSuchBucket",
            created=NOW - 60,
            expires=NOW - 60 + DAYS,
            finished=NOW - 55,
        )

    @pytest.mark.parametrize("content", [{"Tasks": None}, {}, {"Tasks": []}], ids=["null", "absent", "empty"])
    def test_no_tasks_in_any_of_three_shapes(self, content: dict[str, Any]) -> None:
        assert listed(lambda request: good(**content)) == []

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("success", State.SUCCEEDED),
            ("running", State.RUNNING),
            ("failed", State.FAILED),
            ("Failed", State.FAILED),
            ("stuck", State.UNKNOWN),
            ("", State.UNKNOWN),
            (None, State.UNKNOWN),
            (3, State.UNKNOWN),
        ],
    )
    def test_words_become_states(self, word: Any, state: State) -> None:
        assert [task.state for task in listed(lambda request: good(Tasks=[item("a", word)]), ANY)] == [state]

    def test_tasks_of_a_status_that_is_not_known_are_left_out_with_a_warning(self) -> None:
        assert [task.id for task in listed(lambda request: good(Tasks=[item("a", "stuck"), item("b")]))] == ["b"]
        assert WARNINGS == ["1 tasks were left out, because their status 'stuck' is not known here."]

    @pytest.mark.parametrize("value", [str(int(NOW) * 1000), int(NOW) * 1000])
    def test_times_are_numbers_or_their_digits(self, value: Any) -> None:
        (task,) = listed(lambda request: good(Tasks=[item("a", StartTime=value, EndTime=value)]))
        assert (task.created, task.finished) == (NOW, NOW)

    @pytest.mark.parametrize("value", [978653222, 0, None, "", "soon", -1, True, 1.5, 10**18, [], "\uff11\uff17"])
    def test_what_is_no_time_is_left_out(self, value: Any) -> None:
        fields = {"StartTime": value, "EndTime": value, "RangeStart": value, "RangeEnd": value}
        (task,) = listed(lambda request: good(Tasks=[{**item("a"), **fields}]))
        assert (task.created, task.expires, task.finished) == (None, None, None)

    def test_a_task_without_a_run_counts_by_its_logs(self) -> None:
        (task,) = listed(lambda request: good(Tasks=[item("a", StartTime=0, EndTime=0)]))
        assert (task.created, task.finished) == (RANGE[0] / 1000, None)

    @pytest.mark.parametrize("value", [None, 7, {"a": 1}])
    def test_a_message_of_another_type_does_no_harm(self, value: Any) -> None:
        (task,) = listed(lambda request: good(Tasks=[item("a", Message=value)]))
        assert isinstance(task.message, str)

    @pytest.mark.parametrize(
        "tasks",
        [7, "a", {"TaskId": "a"}, [None], ["a"], [{}], [{"TaskId": ""}], [{"TaskId": 7}]],
        ids=repr,
    )
    def test_other_shapes_are_an_error(self, tasks: Any) -> None:
        with pytest.raises(CallError, match="another shape than documented") as caught:
            listed(lambda request: good(Tasks=tasks))
        assert caught.value.kind is Kind.BROKEN
        assert caught.value.request_id == REQUEST_ID

    def test_more_fields_than_are_known_do_no_harm(self) -> None:
        assert len(listed(lambda request: good(Tasks=[item("a", New=1)], DeprecatedWarning="soon", More=[]))) == 1

    def test_a_task_shown_twice_counts_once(self) -> None:
        assert len(listed(lambda request: good(Tasks=[item("a"), item("a")]))) == 1


class TestWindow:
    def test_the_window_is_asked_for_in_milliseconds_with_room_for_the_logs_before_the_run(self) -> None:
        seen = []

        def serve(request: Request) -> Response:
            seen.append(asked(request))
            return good(Tasks=None)

        listed(serve)
        begin, end = (WINDOW.since - HOUR) * 1000, (WINDOW.until + 1) * 1000
        assert seen == [{"ShipperId": "s1", "StartTime": begin, "EndTime": end}]

    def test_what_the_room_brings_along_is_left_out(self) -> None:
        items = [item("early", at=WINDOW.since - 1), item("first", at=WINDOW.since), item("last", at=NOW + 0.5)]
        items.append(item("late", at=WINDOW.until + 1))
        assert [task.id for task in listed(tasks_of(items))] == ["first", "last"]

    def test_a_window_never_reaches_beyond_the_horizon(self) -> None:
        clock = FakeClock()
        begins = []

        def serve(request: Request) -> Response:
            begins.append(asked(request)["StartTime"] / 1000 - clock.now)
            clock.now += 3600
            return good(Tasks=[item(f"t{number}", at=NOW) for number in range(1000)])

        whole = Window(int(NOW) - DAYS + 60, int(NOW))
        list(service(serve, clock=clock).list_tasks(whole, FAILED))
        assert len(begins) > 3
        assert min(begins) == -DAYS + 30

    def test_a_window_that_falls_behind_the_horizon_meanwhile_is_not_asked_backwards(self) -> None:
        clock = FakeClock()

        def serve(request: Request) -> Response:
            assert asked(request)["StartTime"] < asked(request)["EndTime"]
            clock.now += DAYS
            return good(Tasks=[item(f"t{number}", at=NOW) for number in range(1000)])

        list(service(serve, clock=clock).list_tasks(WINDOW, FAILED))


class TestLargeReplies:
    WHOLE = Window(int(NOW) - DAYS + 60, int(NOW))

    def items(self, count: int) -> list[dict[str, Any]]:
        """Spread over the three days, the last of them now."""
        return [item(f"t{number}", at=NOW - number * (DAYS - 3600) / count) for number in range(count)]

    @pytest.mark.parametrize("count", [999, 1000, 1001, 4000])
    def test_a_service_that_cuts_its_replies_shows_everything_in_pieces(self, count: int) -> None:
        shown = listed(tasks_of(self.items(count), most=1000), window=self.WHOLE)
        assert len({task.id for task in shown}) == len(shown) == count
        assert not WARNINGS

    def test_a_small_reply_is_not_asked_for_again(self) -> None:
        transport = FakeTransport(tasks_of(self.items(999)))
        assert len(list(service(transport).list_tasks(self.WHOLE, FAILED))) == 999
        assert len(transport.sent) == 1

    def test_an_hour_that_may_be_cut_is_told_once(self) -> None:
        items = [item(f"t{number}", at=NOW - 60) for number in range(1000)]
        transport = FakeTransport(tasks_of(items))
        one = service(transport)
        assert len(list(one.list_tasks(self.WHOLE, FAILED))) == 1000
        one.read_again([failed("t1")])
        assert len(WARNINGS) == 1
        assert "Shipper s1 shows 1000 tasks of one hour" in WARNINGS[0]

    def test_splitting_has_an_end(self) -> None:
        transport = FakeTransport(lambda request: good(Tasks=[item(f"t{number}") for number in range(1000)]))
        assert len(list(service(transport).list_tasks(self.WHOLE, FAILED))) == 1000
        assert len(transport.sent) < 300

    @pytest.mark.parametrize("code", ["ResponseSizeLimitExceeded", "reply_too_large"])
    def test_a_reply_that_is_too_large_is_asked_for_in_pieces(self, code: str) -> None:
        items = self.items(900)

        def serve(request: Request) -> Response:
            if asked(request)["EndTime"] - asked(request)["StartTime"] <= DAYS * 1000 / 4:
                return tasks_of(items)(request)
            if code == "reply_too_large":
                raise CallError(Kind.BROKEN, "too large", code=code)
            return bad(code)

        assert len(listed(serve, window=self.WHOLE)) == 900

    def test_an_hour_that_is_too_large_is_an_error(self) -> None:
        with pytest.raises(CallError, match="ResponseSizeLimitExceeded"):
            listed(lambda request: bad("ResponseSizeLimitExceeded"), window=self.WHOLE)


class TestShippers:
    def serve(self, shippers: list[Any], total: Any = None, most: int = 100) -> Serve:
        def serve(request: Request) -> Response:
            content = asked(request)
            if request.api == "DescribeShipperTasks":
                return good(Tasks=[item(f"t-{content['ShipperId']}")])
            page = shippers[content["Offset"] : content["Offset"] + min(content["Limit"], most)]
            return good(Shippers=page or None, TotalCount=len(shippers) if total is None else total)

        return serve

    def shippers(self, count: int) -> list[dict[str, Any]]:
        return [{"ShipperId": f"s{number}", "ShipperName": "same"} for number in range(count)]

    def ids(self, serve: Serve) -> list[str]:
        return [task.id for task in service(serve, shipper_id=None).list_tasks(WINDOW, FAILED)]

    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
    def test_every_shipper_is_looked_at(self, count: int) -> None:
        assert self.ids(self.serve(self.shippers(count))) == [f"t-s{number}" for number in range(count)]

    def test_a_page_smaller_than_asked_for_is_not_the_last(self) -> None:
        assert len(self.ids(self.serve(self.shippers(45), most=20))) == 45

    def test_a_total_that_means_the_page_does_not_hide_the_next_one(self) -> None:
        assert len(self.ids(self.serve(self.shippers(150), total=100))) == 150

    def test_a_service_that_ignores_the_offset_ends(self) -> None:
        def serve(request: Request) -> Response:
            if request.api == "DescribeShippers":
                return good(Shippers=self.shippers(3), TotalCount=1000)
            return good(Tasks=[item("t")])

        assert len(self.ids(serve)) == 3

    def test_a_list_that_ends_early_is_read_again(self) -> None:
        shippers = self.shippers(150)
        pages = [shippers[:100], [], shippers[:100], shippers[100:]]

        def serve(request: Request) -> Response:
            if request.api == "DescribeShippers":
                return good(Shippers=pages.pop(0), TotalCount=150)
            return self.serve(shippers)(request)

        assert len(self.ids(serve)) == 150
        assert WARNINGS == []

    def test_a_shipper_that_a_deletion_hid_is_found(self) -> None:
        before = self.shippers(150)
        after = [one for one in before if one["ShipperId"] != "s5"]
        calls: list[int] = []

        def serve(request: Request) -> Response:
            if request.api == "DescribeShippers":
                calls.append(asked(request)["Offset"])
            return self.serve(before if len(calls) == 1 else after)(request)

        assert "t-s100" in self.ids(serve)
        assert calls == [0, 100, 0, 100]
        assert WARNINGS == []

    def test_a_list_that_never_shows_all_that_it_speaks_of_is_told(self) -> None:
        assert len(self.ids(self.serve(self.shippers(100), total=150))) == 100
        assert len(WARNINGS) == 1
        assert "The list of shippers kept changing while it was read, or ended early" in WARNINGS[0]

    def test_the_scope_is_the_shipper_alone(self) -> None:
        (task,) = service(self.serve(self.shippers(1)), shipper_id=None).list_tasks(WINDOW, FAILED)
        assert task.scope == (("shipper_id", "s0"),)

    def test_the_shipper_that_was_named_is_not_looked_for(self) -> None:
        transport = FakeTransport(self.serve([]))
        assert [task.id for task in service(transport).list_tasks(WINDOW, FAILED)] == ["t-s1"]
        assert [request.api for request in transport.sent] == ["DescribeShipperTasks"]

    def test_an_id_that_cannot_be_sent_is_left_out_with_a_warning(self) -> None:
        assert self.ids(self.serve([{"ShipperId": "a b"}, {"ShipperId": "s1"}])) == ["t-s1"]
        assert WARNINGS == ["Left out: shipper 'a b', because that is no legal id."]

    @pytest.mark.parametrize("shippers", [[None], [{}], [{"ShipperId": 1}], "s1"], ids=repr)
    def test_other_shapes_are_an_error(self, shippers: Any) -> None:
        with pytest.raises(CallError, match="another shape than documented"):
            self.ids(lambda request: good(Shippers=shippers, TotalCount=1))

    def test_a_total_that_is_no_number_is_an_error(self) -> None:
        with pytest.raises(CallError, match="TotalCount is not a number"):
            self.ids(lambda request: good(Shippers=[], TotalCount="many"))

    @pytest.mark.parametrize(
        "code",
        [
            "ResourceNotFound.ShipperNotExist",
            "AuthFailure.UnauthorizedOperation",
            "UnauthorizedOperation",
            "OperationDenied.ACLFailed",
            "InvalidParameterValue",
        ],
    )
    def test_a_shipper_that_refuses_is_left_out_unless_it_was_named(self, code: str) -> None:
        def serve(request: Request) -> Response:
            refuses = request.api == "DescribeShipperTasks" and asked(request)["ShipperId"] == "s1"
            return bad(code) if refuses else self.serve(self.shippers(3))(request)

        assert self.ids(serve) == ["t-s0", "t-s2"]
        assert len(WARNINGS) == 1
        assert WARNINGS[0].startswith(f"Left out: POST / (DescribeShipperTasks) failed: {code}")
        with pytest.raises(CallError, match=code):
            listed(serve)

    def test_shippers_that_all_refuse_are_an_error(self) -> None:
        def serve(request: Request) -> Response:
            return self.serve(self.shippers(2))(request) if request.api == "DescribeShippers" else bad("AuthFailure")

        with pytest.raises(CallError, match="AuthFailure"):
            self.ids(serve)

    def test_looking_for_ids_ends_when_all_are_found(self) -> None:
        transport = FakeTransport(self.serve(self.shippers(5)))
        found = list(service(transport, shipper_id=None).find_tasks(["t-s1", "t-s0"], WINDOW))
        assert [task.id for task in found] == ["t-s0", "t-s1"]
        assert len(transport.sent) == 3


class TestReadAgain:
    def seen(self, before: list[dict[str, Any]], after: list[dict[str, Any]], *ids: str) -> dict[str, Task]:
        """What of these tasks is seen again, when the service shows first the one list, then the other."""
        now = [before]

        def serve(request: Request) -> Response:
            return tasks_of(now[0])(request)

        one = service(serve)
        tasks = {task.id: task for task in one.list_tasks(WINDOW, ANY)}
        now[0] = after
        found = one.read_again([tasks[task_id] for task_id in ids])
        assert all(key == task.key for key, task in found.items())
        return {task.id: task for task in found.values()}

    def test_a_task_is_seen_in_its_new_state(self) -> None:
        again = self.seen([item("a"), item("b")], [item("a", "success"), item("b")], "a")
        assert {name: task.state for name, task in again.items()} == {"a": State.SUCCEEDED}

    def test_a_task_whose_run_begins_anew_is_found(self) -> None:
        again = self.seen([item("a", at=NOW - 3000)], [item("a", "running", at=NOW)], "a")
        assert again["a"].state is State.RUNNING

    def test_a_task_that_is_no_longer_shown_is_absent(self) -> None:
        assert self.seen([item("a"), item("b")], [item("b")], "a") == {}

    def test_a_new_task_of_the_same_logs_in_its_place_is_the_task(self) -> None:
        again = self.seen([item("a")], [item("new", "running", at=NOW)], "a")
        assert (again["a"].state, again["a"].created) == (State.RUNNING, NOW)

    def test_a_new_task_of_the_same_logs_beside_it_is_the_task(self) -> None:
        again = self.seen([item("a")], [item("a"), item("new", "success", at=NOW)], "a")
        assert again["a"].state is State.SUCCEEDED

    def test_of_several_new_tasks_of_the_same_logs_the_latest_counts(self) -> None:
        after = [item("z", "running", at=NOW), item("y", "failed", at=NOW - 10), item("a")]
        assert self.seen([item("a")], after, "a")["a"].state is State.RUNNING

    def test_a_task_of_the_same_logs_that_was_there_before_is_another(self) -> None:
        before = [item("a"), item("old", "success")]
        assert self.seen(before, [item("old", "success")], "a") == {}

    def test_tasks_that_shared_their_logs_are_not_mixed_up(self) -> None:
        assert self.seen([item("a"), item("b")], [item("new", "success")], "a", "b") == {}

    def test_a_new_task_of_other_logs_is_another(self) -> None:
        assert self.seen([item("a")], [item("new", RangeStart=RANGE[0] + 1)], "a") == {}

    @pytest.mark.parametrize("status", ["failed", "success"])
    def test_a_task_that_came_before_the_retry_and_after_the_window_is_another(self, status: str) -> None:
        # It ships the same logs, and began before the failure was there.
        both = [item("a", at=NOW - 3000, EndTime=int(NOW) * 1000), item("b", status, at=NOW - 600)]
        one = service(tasks_of(both))
        (task,) = one.list_tasks(Window(WINDOW.since, int(NOW) - 1800), FAILED)
        assert {key[1]: now.state for key, now in one.read_again([task]).items()} == {"a": State.FAILED}

    def test_a_task_from_before_the_first_look_is_another_even_if_no_time_is_known(self) -> None:
        # Times in seconds are none, and the old task is older than the window.
        no_time: dict[str, Any] = {
            "StartTime": 0,
            "EndTime": 0,
            "RangeStart": int(NOW) - 9000,
            "RangeEnd": int(NOW) - 8000,
        }
        begins = []

        def serve(request: Request) -> Response:
            begins.append(asked(request)["StartTime"])
            old = [item("old", "success", **no_time)] if begins[-1] < (WINDOW.since - HOUR) * 1000 else []
            return good(Tasks=[*old, item("a", **no_time)])

        one = service(serve)
        (task,) = one.list_tasks(WINDOW, FAILED)
        assert task.created is None
        assert one.read_again([task])[task.key].state is State.FAILED
        assert len(begins) == 2

    def test_a_task_without_a_range_is_known_by_its_id_only(self) -> None:
        nothing: dict[str, Any] = {"RangeStart": None, "RangeEnd": None}
        assert self.seen([item("a", **nothing)], [item("new", **nothing)], "a") == {}

    def test_tasks_of_a_shipper_that_is_gone_are_absent(self) -> None:
        assert service(lambda request: bad("ResourceNotFound.ShipperNotExist")).read_again([failed()]) == {}

    def test_other_trouble_is_told(self) -> None:
        with pytest.raises(CallError, match="InternalError"):
            service(lambda request: bad("InternalError")).read_again([failed()])


class TestSameLogs:
    """Tasks of the same logs that were there before a retry."""

    def run(self, tasks: list[dict[str, Any]], window: Window = WINDOW, retry: CallError | None = None) -> Engine:
        """All failed tasks of the window are retried."""
        self.retried: list[str] = []

        def serve(request: Request) -> Response:
            if request.api != "RetryShipperTask":
                return tasks_of(tasks)(request)
            self.retried.append(asked(request)["TaskId"])
            if retry:
                raise retry
            return good()

        one = service(serve)
        policy = Policy((), frozenset({FailureClass.UNCLASSIFIED}))
        engine = Engine(one, clock=FakeClock())
        engine.send(build_plan(one.list_tasks(window, FAILED), Selection(), policy, absent=""))
        return engine

    def test_an_older_task_of_the_same_logs_is_not_what_became_of_a_retry(self) -> None:
        # The retry never arrived. The other one began after the window.
        shown = [item("a", at=NOW - 3000), item("b", "success", at=NOW - 600)]
        lost = CallError(Kind.LOST, "lost")
        engine = self.run(shown, Window(WINDOW.since, int(NOW) - 1800), retry=lost)
        assert self.retried == ["a"]
        assert [result.outcome for result in engine.results.values()] == [Outcome.UNKNOWN]


class TestRetry:
    def test_one_call_names_one_task(self) -> None:
        transport = FakeTransport(lambda request: good())
        assert service(transport).retry([failed()]) == {failed().key: ACCEPTED}
        (request,) = transport.sent
        assert asked(request) == {"ShipperId": "s1", "TaskId": "a"}
        assert (request.method, request.target, request.api) == ("POST", "/", "RetryShipperTask")
        assert transport.fresh == [True]
        assert FACTS.batch_size == 1

    def test_a_task_that_must_not_be_retried_is_to_be_looked_at(self) -> None:
        code = "FailedOperation.ShipperTaskNotToRetry"
        verdict = service(lambda request: bad(code, "not allowed")).retry([failed()])[failed().key]
        assert verdict.answer is Answer.NOT_NOW
        assert verdict.finding
        assert (verdict.finding.failure_class, verdict.finding.rule) == (FailureClass.EXHAUSTED, "cls.not_to_retry")
        assert verdict.error
        assert (verdict.error.code, verdict.error.request_id) == (code, REQUEST_ID)
        assert "POST / (RetryShipperTask) failed: " + code + ": not allowed" in verdict.error.message

    def test_a_task_that_is_not_known_is_gone(self) -> None:
        answer = bad("ResourceNotFound.ShipperTaskNotExist")
        verdict = service(lambda request: answer).retry([failed()])[failed().key]
        assert verdict.answer is Answer.REFUSED
        assert verdict.finding
        assert (verdict.finding.failure_class, verdict.finding.rule) == (FailureClass.GONE, "cls.task_not_exist")

    @pytest.mark.parametrize("code", ["InvalidParameter", "InvalidParameterValue", "InvalidParameter.Task"])
    def test_a_parameter_that_is_refused_concerns_the_task(self, code: str) -> None:
        verdict = service(lambda request: bad(code)).retry([failed()])[failed().key]
        assert (verdict.answer, verdict.finding) == (Answer.REFUSED, None)
        assert verdict.error
        assert verdict.error.code == code

    def test_a_shipper_that_is_gone_is_an_error(self) -> None:
        with pytest.raises(CallError) as caught:
            service(lambda request: bad("ResourceNotFound.ShipperNotExist")).retry([failed()])
        assert caught.value.kind is Kind.GONE

    @pytest.mark.parametrize(
        ("answer", "may_have_run"),
        [
            (bad("RequestLimitExceeded"), False),
            (bad("AuthFailure.SignatureFailure"), False),
            (bad("FailedOperation"), True),
            (bad("FailedOperation.Timeout"), True),
            (bad("InternalError.ServerBusy"), True),
            (reply(502, "<html>"), True),
            (bad("RequestLimitExceeded", status=502), True),
            (bad("FailedOperation.ShipperTaskNotToRetry", status=500), True),
            (bad("InvalidParameter", status=503), True),
            (bad("AuthFailure.SignatureFailure", status=500), True),
            (bad("RequestLimitExceeded", status=429), False),
            (reply(200, "<html>"), True),
            (reply(200, ""), True),
            (reply(200, {}), True),
            (reply(200, {"Response": {}}), True),
            (reply(200, {"Response": None}), True),
            (reply(200, {"Response": []}), True),
            (reply(200, {"Response": {"RequestId": ""}}), True),
            (reply(200, {"Response": {"RequestId": 7}}), True),
            (reply(200, {"RequestId": "r"}), True),
            (reply(200, []), True),
            (reply(200, "null"), True),
            (reply(200, "[" * 100_000), True),
            (good(500), True),
            (reply(200, {"Response": {"Error": {}, "RequestId": "r"}}), True),
            (reply(200, {"Response": {"Error": "oops", "RequestId": "r"}}), True),
        ],
    )
    def test_only_what_surely_was_not_carried_out_may_be_sent_again(self, answer: Response, may_have_run: bool) -> None:
        with pytest.raises(CallError) as caught:
            service(lambda request: answer).retry([failed()])
        assert caught.value.kind.may_have_run is may_have_run

    def test_being_too_fast_is_waited_for(self) -> None:
        transport = FakeTransport([bad("RequestLimitExceeded"), bad("RequestLimitExceeded"), good()])
        assert service(transport, attempts=3).retry([failed()]) == {failed().key: ACCEPTED}

    def test_trouble_is_not_answered_by_a_second_retry(self) -> None:
        transport = FakeTransport([bad("InternalError"), good()])
        with pytest.raises(CallError):
            service(transport, attempts=3).retry([failed()])
        assert len(transport.sent) == 1


def raised(answer: Response) -> CallError:
    with pytest.raises(CallError) as caught:
        listed(lambda request: answer)
    return caught.value


class TestErrors:
    @pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/html", ""])
    def test_an_error_is_one_whatever_status_and_type_say(self, status: int, content_type: str) -> None:
        error = raised(bad("AuthFailure.SecretIdNotFound", "no such id", status, content_type=content_type))
        assert error.kind is Kind.DENIED
        assert (error.code, error.text) == ("AuthFailure.SecretIdNotFound", "no such id")
        assert (error.status, error.request_id) == (status, REQUEST_ID)

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("RequestLimitExceeded", Kind.THROTTLED),
            ("RequestLimitExceeded.UinLimitExceeded", Kind.THROTTLED),
            ("RequestLimitExceeded.GlobalRegionUinLimitExceeded", Kind.THROTTLED),
            ("RequestLimitExceeded.IPLimitExceeded", Kind.THROTTLED),
            ("FailedOperation.ReadQpsLimit", Kind.THROTTLED),
            ("FailedOperation.WriteQpsLimit", Kind.THROTTLED),
            ("FailedOperation.TagQpsLimit", Kind.THROTTLED),
            ("InternalError", Kind.TRANSIENT),
            ("InternalError.ServerBusy", Kind.TRANSIENT),
            ("InternalError.DbError", Kind.TRANSIENT),
            ("InternalError.NeverHeardOf", Kind.TRANSIENT),
            ("InternalError.IllegalRole", Kind.REJECTED),
            ("FailedOperation", Kind.TRANSIENT),
            ("FailedOperation.Timeout", Kind.TRANSIENT),
            ("FailedOperation.SearchTimeout", Kind.TRANSIENT),
            ("FailedOperation.CloudProductInvocationError", Kind.TRANSIENT),
            ("FailedOperation.TopicIsolated", Kind.REJECTED),
            ("FailedOperation.TopicClosed", Kind.REJECTED),
            ("ServiceUnavailable", Kind.TRANSIENT),
            ("ResourceUnavailable", Kind.TRANSIENT),
            ("LimitExceeded", Kind.REJECTED),
            ("LimitExceeded.Shipper", Kind.REJECTED),
            ("AuthFailure", Kind.DENIED),
            ("AuthFailure.SignatureFailure", Kind.DENIED),
            ("AuthFailure.SignatureExpire", Kind.DENIED),
            ("AuthFailure.InvalidSecretId", Kind.DENIED),
            ("AuthFailure.InvalidAuthorization", Kind.DENIED),
            ("AuthFailure.TokenFailure", Kind.DENIED),
            ("AuthFailure.MFAFailure", Kind.DENIED),
            ("AuthFailure.UnauthorizedOperation", Kind.DENIED),
            ("AuthFailure.NeverHeardOf", Kind.DENIED),
            ("UnauthorizedOperation", Kind.DENIED),
            ("UnauthorizedOperation.NeverHeardOf", Kind.DENIED),
            ("IpInBlacklist", Kind.DENIED),
            ("IpNotInWhitelist", Kind.DENIED),
            ("OperationDenied", Kind.DENIED),
            ("OperationDenied.ACLFailed", Kind.DENIED),
            ("OperationDenied.AccountIsolate", Kind.DENIED),
            ("OperationDenied.AccountDestroy", Kind.DENIED),
            ("OperationDenied.AccountNotExists", Kind.DENIED),
            ("ResourceNotFound", Kind.REJECTED),
            ("ResourceNotFound.ShipperNotExist", Kind.GONE),
            ("ResourceNotFound.TopicNotExist", Kind.GONE),
            ("InvalidParameter", Kind.REJECTED),
            ("InvalidParameterValue", Kind.REJECTED),
            ("MissingParameter", Kind.REJECTED),
            ("UnknownParameter", Kind.REJECTED),
            ("InvalidAction", Kind.DENIED),
            ("NoSuchVersion", Kind.DENIED),
            ("NoSuchProduct", Kind.DENIED),
            ("UnsupportedRegion", Kind.DENIED),
            ("UnsupportedProtocol", Kind.DENIED),
            ("ActionOffline", Kind.DENIED),
            ("UnsupportedOperation", Kind.REJECTED),
            ("InvalidRequest", Kind.REJECTED),
            ("RequestSizeLimitExceeded", Kind.REJECTED),
            ("ResourceInUse", Kind.REJECTED),
            ("ResourceInsufficient", Kind.REJECTED),
            ("DryRunOperation", Kind.REJECTED),
            ("NeverHeardOf", Kind.REJECTED),
        ],
    )
    def test_codes_say_what_may_be_done_next(self, code: str, kind: Kind) -> None:
        assert raised(bad(code)).kind is kind

    @pytest.mark.parametrize(
        ("code", "hint"),
        [
            ("AuthFailure.TokenFailure", "get new temporary credentials"),
            ("AuthFailure.SignatureExpire", "set the clock"),
            ("AuthFailure.SignatureFailure", "does not belong to the key"),
            ("AuthFailure.UnauthorizedOperation", "cls:RetryShipperTask"),
            ("OperationDenied.AccountIsolate", "pay first"),
            ("InternalError.IllegalRole", "authorise CLS"),
            ("FailedOperation.TopicIsolated", "pay first"),
            ("FailedOperation.TopicClosed", "open it first"),
            ("ResourceNotFound.ShipperNotExist", "Check shipper_id"),
            ("UnsupportedRegion", "Check endpoint and region"),
        ],
    )
    def test_errors_say_what_to_do(self, code: str, hint: str) -> None:
        assert hint in str(raised(bad(code)))

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(429, Kind.THROTTLED), (500, Kind.TRANSIENT), (503, Kind.TRANSIENT), (403, Kind.REJECTED)],
    )
    def test_a_gateway_is_judged_by_its_status(self, status: int, kind: Kind) -> None:
        error = raised(reply(status, "<html>Gateway</html>"))
        assert error.kind is kind
        assert "<html>Gateway</html>" in str(error)
        assert raised(bad("NeverHeardOf", status=status)).kind is kind

    @pytest.mark.parametrize("body", ["", "{", "<html>", "[]", "null", "7", '"text"', "{}", '{"Response": 7}'])
    def test_what_is_not_of_the_service_is_broken(self, body: str) -> None:
        error = raised(reply(200, body))
        assert (error.kind, error.code) == (Kind.BROKEN, "broken_reply")
        assert "Check that the endpoint is CLS itself" in str(error)


class TestNames:
    @pytest.mark.parametrize("value", ["57f5808c-4a55-11eb-b378-0242ac130002", "x", "a" * 256, 'odd"id'])
    def test_ids_are_opaque(self, value: str) -> None:
        assert check_id("shipper_id", value) == value

    @pytest.mark.parametrize("value", ["", "a b", "a\nb", "a" * 257, "é", "a\x00"])
    def test_what_cannot_be_an_id_is_refused(self, value: str) -> None:
        with pytest.raises(InputError, match="shipper_id holds what is no id"):
            check_id("shipper_id", value)

    @pytest.mark.parametrize("region", ["ap-guangzhou", "ap-shenzhen-fsi", "na-siliconvalley", "sa-saopaulo"])
    def test_regions(self, region: str) -> None:
        assert check_region(region) == region

    @pytest.mark.parametrize("region", ["guangzhou", "ap-guangzhou\n", "AP-GUANGZHOU", "ap_guangzhou", "ap-", "a b-c"])
    def test_what_is_no_region_is_refused(self, region: str) -> None:
        with pytest.raises(InputError, match="region is not a region id"):
            check_region(region)


class TestEndpoint:
    def test_the_china_site_is_the_default(self) -> None:
        assert find_endpoint(None, allow_plaintext=False) == Endpoint("https", "cls.tencentcloudapi.com")

    @pytest.mark.parametrize(
        ("text", "host"),
        [
            ("cls.intl.tencentcloudapi.com", "cls.intl.tencentcloudapi.com"),
            ("https://cls.tencentcloudapi.com", "cls.tencentcloudapi.com"),
            ("https://CLS.tencentcloudapi.com:443", "cls.tencentcloudapi.com"),
            ("https://cls.tencentcloudapi.com:8443", "cls.tencentcloudapi.com:8443"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:443", "localhost:443"),
            ("https://[::1]:8443", "[::1]:8443"),
        ],
    )
    def test_the_signed_host_is_the_endpoint_without_the_usual_port(self, text: str, host: str) -> None:
        assert host_of(find_endpoint(text, allow_plaintext=False)) == host

    @pytest.mark.parametrize("host", ["ap-guangzhou.cls.tencentcs.com", "ap-guangzhou.cls.tencentyun.com"])
    def test_a_host_for_uploads_is_refused(self, host: str) -> None:
        with pytest.raises(InputError, match="where logs are uploaded to"):
            find_endpoint(host, allow_plaintext=False)

    def test_plain_http_is_refused(self) -> None:
        with pytest.raises(InputError, match="plain http"):
            find_endpoint("http://cls.tencentcloudapi.com", allow_plaintext=False)

    @pytest.mark.parametrize(
        ("host", "region"),
        [
            ("cls.ap-guangzhou.tencentcloudapi.com", "ap-guangzhou"),
            ("cls.ap-shenzhen-fsi.tencentcloudapi.com", "ap-shenzhen-fsi"),
            ("cls.tencentcloudapi.com", None),
            ("cls.intl.tencentcloudapi.com", None),
            ("cls.internal.tencentcloudapi.com", None),
            ("cvm.ap-guangzhou.tencentcloudapi.com", None),
            ("cls.ap-guangzhou.tencentcloudapi.com.example.com", None),
            ("127.0.0.1", None),
        ],
    )
    def test_the_region_is_read_from_a_regional_endpoint_only(self, host: str, region: str | None) -> None:
        assert region_of(Endpoint("https", host)) == region

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("cls.tencentcloudapi.com", True),
            ("cls.intl.tencentcloudapi.com", True),
            ("cls.internal.tencentcloudapi.com", True),
            ("cls.ap-guangzhou.tencentcloudapi.com", False),
            ("127.0.0.1", False),
            ("gateway.example.com", False),
        ],
    )
    def test_a_name_that_serves_several_regions_needs_one(self, host: str, expected: bool) -> None:
        assert is_global(Endpoint("https", host)) is expected


def test_the_published_rate_is_kept_with_a_little_to_spare() -> None:
    assert FACTS.rate
    assert FACTS.rate.counted == Rate(20, 1.0)
    assert FACTS.rate.calls == 1
    assert 20 * FACTS.rate.seconds > 1.0
    assert 200 * FACTS.rate.seconds < 10.5
