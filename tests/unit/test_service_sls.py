# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SLS: paging, shapes, names, errors. What it puts on the wire is in tests/contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._services.sls import (
    SlsService,
    check_name,
    check_task_id,
    find_endpoint,
    region_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._task import ACCEPTED, State, Task, Window
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import NOW, SCOPE, FakeClock, FakeTransport, caller, reply

WINDOW = Window(int(NOW) - 3600, int(NOW))
FAILED = frozenset({State.FAILED})
Answer = Callable[[Request], Response]


def service(
    answer: Answer,
    *,
    logstore: str | None = "access",
    shipper: str | None = "to-oss",
    clock: FakeClock | None = None,
) -> SlsService:
    clock = clock or FakeClock()
    return SlsService(
        caller(FakeTransport(answer), clock, max_attempts=1),
        Endpoint("https", "cn-hangzhou.log.aliyuncs.com"),
        project="shop",
        logstore=logstore,
        shipper=shipper,
        clock=clock,
        warn=WARNINGS.append,
    )


WARNINGS: list[str] = []


@pytest.fixture(autouse=True)
def _no_old_warnings() -> None:
    WARNINGS.clear()


def item(task_id: str, status: str = "fail", **fields: Any) -> dict[str, Any]:
    return {"id": task_id, "taskStatus": status, "taskMessage": "", "taskCreateTime": int(NOW) - 60, **fields}


def page(items: list[Any], total: int | None = None) -> Response:
    return reply(200, {"count": len(items), "total": len(items) if total is None else total, "tasks": items})


def asked(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query, keep_blank_values=True).items()}


def listed(answer: Answer, states: frozenset[State] = FAILED) -> list[Task]:
    return list(service(answer).list_tasks(WINDOW, states))


def serve(items: list[dict[str, Any]], *, cap: int = 500, total: int | None = None) -> Answer:
    def answer(request: Request) -> Response:
        offset = int(asked(request)["offset"])
        return page(items[offset : offset + cap], len(items) if total is None else total)

    return answer


class TestPaging:
    @pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1200])
    def test_every_page_is_read(self, count: int) -> None:
        assert len(listed(serve([item(f"t{number}") for number in range(count)]))) == count

    def test_a_page_smaller_than_asked_for_is_not_the_last(self) -> None:
        assert len(listed(serve([item(f"t{number}") for number in range(25)], cap=10))) == 25

    def test_a_total_that_counts_other_states_too_ends_at_an_empty_page(self) -> None:
        assert len(listed(serve([item("a"), item("b")], total=700))) == 2

    def test_a_list_that_does_not_tell_its_total_is_read_to_its_end(self) -> None:
        items = [item(f"t{number}") for number in range(600)]

        def answer(request: Request) -> Response:
            offset = int(asked(request)["offset"])
            return reply(200, {"tasks": items[offset : offset + 500]})

        assert len(listed(answer)) == 600

    def test_a_total_that_means_the_page_does_not_hide_the_next_one(self) -> None:
        items = [item(f"t{number}") for number in range(600)]

        def answer(request: Request) -> Response:
            offset = int(asked(request)["offset"])
            return page(items[offset : offset + 500])

        assert len(listed(answer)) == 600

    def test_tasks_of_a_status_that_is_not_known_are_left_out_with_a_warning(self) -> None:
        assert listed(lambda request: page([item("a", "broken"), item("b")]))[0].id == "b"
        assert "status 'broken' is not known" in WARNINGS[0]

    def test_a_server_that_ignores_the_offset_ends(self) -> None:
        assert len(listed(lambda request: page([item("a"), item("b")], 700))) == 2

    def test_new_tasks_between_pages_do_not_show_a_task_twice(self) -> None:
        items = [item(f"t{number}") for number in range(20)]

        def answer(request: Request) -> Response:
            offset = int(asked(request)["offset"])
            if offset == 10 and len(items) == 20:
                items.insert(0, item("new"))
            return page(items[offset : offset + 10], len(items))

        found = [task.id for task in listed(answer)]
        assert sorted(found) == sorted({*(f"t{number}" for number in range(20)), "new"})

    def test_a_task_that_heals_between_pages_does_not_hide_another_and_is_not_taken_for_failed(self) -> None:
        items = [item(f"t{number:02}") for number in range(20)]

        def answer(request: Request) -> Response:
            offset = int(asked(request)["offset"])
            if offset == 10 and len(items) == 20:
                del items[0]
            return page(items[offset : offset + 10], len(items))

        assert [task.id for task in listed(answer)] == [f"t{number:02}" for number in range(1, 20)]

    def test_a_list_without_end_ends_in_words(self) -> None:
        def answer(request: Request) -> Response:
            offset = int(asked(request)["offset"])
            return page([item(f"t{offset}")], 10**11)

        with pytest.raises(CallError, match="did not end"):
            listed(answer)


class TestQuery:
    @pytest.mark.parametrize(
        ("states", "status"),
        [
            ({State.FAILED}, "fail"),
            ({State.RUNNING}, "running"),
            ({State.SUCCEEDED}, "success"),
            ({State.FAILED, State.RUNNING}, ""),
            ({State.UNKNOWN}, ""),
        ],
    )
    def test_one_state_is_asked_of_the_service_several_are_sorted_out_here(
        self, states: set[State], status: str
    ) -> None:
        seen = []

        def answer(request: Request) -> Response:
            seen.append(asked(request)["status"])
            return page([item("a"), item("b", "running"), item("c", "success"), item("d", "odd")])

        found = listed(answer, frozenset(states))
        assert seen == [status]
        assert {task.state for task in found} == states

    def test_reading_again_asks_only_around_the_creation_of_the_tasks(self) -> None:
        seen = []

        def answer(request: Request) -> Response:
            seen.append(asked(request))
            return page([item("a", "success"), item("other")])

        task = Task("a", SCOPE, "fail", State.FAILED, created=NOW - 60)
        again = service(answer).read_again([task])
        assert {key: one.state for key, one in again.items()} == {task.key: State.SUCCEEDED}
        assert (seen[0]["from"], seen[0]["to"], seen[0]["status"]) == (str(int(NOW) - 60), str(int(NOW) - 59), "")

    def test_reading_again_never_asks_beyond_the_horizon(self) -> None:
        seen = []

        def answer(request: Request) -> Response:
            seen.append(asked(request))
            return page([])

        old = Task("a", SCOPE, "fail", State.FAILED, created=NOW - 50 * 3600)
        assert service(answer).read_again([old]) == {}
        for query in seen:
            assert int(query["from"]) == int(NOW) - 48 * 3600 + 30
            assert int(query["to"]) > int(query["from"])

    def test_what_is_not_shown_around_its_creation_is_looked_for_at_all_times_since(self) -> None:
        def answer(request: Request) -> Response:
            return page([item("a", "success")] if int(asked(request)["to"]) > NOW else [])

        task = Task("a", SCOPE, "fail", State.FAILED, created=NOW - 60)
        assert service(answer).read_again([task])[task.key].state is State.SUCCEEDED

    def test_a_long_listing_does_not_fall_behind_the_horizon(self) -> None:
        seen = []
        clock = FakeClock()

        def answer(request: Request) -> Response:
            seen.append(int(asked(request)["from"]) - clock.now)
            clock.now += 50
            return page([item(f"t{len(seen)}")], 9)

        one = service(answer, clock=clock)
        list(one.list_tasks(Window(int(NOW) - 48 * 3600 + 60, int(NOW)), FAILED))
        assert min(seen) >= -48 * 3600 + 30


class TestShapes:
    def test_all_fields_are_read(self) -> None:
        raw = item("a", taskMessage="words", taskCode="Code", taskFinishTime=int(NOW) - 30, taskDataLines=3)
        assert listed(lambda request: page([raw])) == [
            Task("a", SCOPE, "fail", State.FAILED, "Code", "words", NOW - 60, NOW - 60 + 48 * 3600, NOW - 30)
        ]

    def test_times_may_be_digits_and_a_missing_one_is_unknown(self) -> None:
        raw = {"id": "a", "taskStatus": "fail", "taskCreateTime": "1699999940", "taskFinishTime": 0}
        task = listed(lambda request: page([raw]))[0]
        assert (task.created, task.finished, task.message, task.code) == (1_699_999_940.0, None, "", "")

    @pytest.mark.parametrize("tasks", [None, []])
    def test_no_tasks_may_be_null_or_empty(self, tasks: Any) -> None:
        assert listed(lambda request: reply(200, {"count": 0, "total": 0, "tasks": tasks})) == []

    def test_a_lone_task_may_come_without_its_list(self) -> None:
        assert len(listed(lambda request: reply(200, {"count": 1, "total": 1, "tasks": item("a")}))) == 1

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "<html>",
            '{"half":',
            "[]",
            "5",
            "null",
            '{"tasks": 5}',
            '{"tasks": [5]}',
            '{"tasks": [{"id": 5}]}',
            '{"tasks": [{}]}',
            '{"tasks": [], "total": "many"}',
            '{"tasks": [], "total": {}}',
            "[" * 200_000,
            '{"tasks": [{"id": "a", "taskCreateTime": ' + "9" * 5000 + "}]}",
        ],
        ids=lambda body: body[:30],
    )
    def test_anything_else_is_a_broken_reply(self, body: str) -> None:
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(200, body))
        assert caught.value.kind is Kind.BROKEN

    @pytest.mark.parametrize("moment", [True, -5, 1e300, "x", {}, [], 10**15, "10000000000000"])
    def test_a_nonsensical_time_is_unknown(self, moment: Any) -> None:
        assert listed(lambda request: page([item("a", taskCreateTime=moment)]))[0].created is None


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (401, "Unauthorized", Kind.DENIED),
            (401, "SignatureNotMatch", Kind.DENIED),
            (401, "InvalidAccessKeyId", Kind.DENIED),
            (401, "SecurityTokenExpired", Kind.DENIED),
            (401, "SomethingNew", Kind.DENIED),
            (400, "RequestTimeExpired", Kind.DENIED),
            (400, "RequestTimeTooSkewed", Kind.DENIED),
            (403, "ProjectForbidden", Kind.DENIED),
            (403, "MetaOperationQpsLimitExceeded", Kind.THROTTLED),
            (403, "ReadQuotaExceed", Kind.THROTTLED),
            (503, "ReadQuotaExceed", Kind.TRANSIENT),
            (403, "Readquotaexceed", Kind.THROTTLED),
            (403, "ShardWriteQuotaExceed", Kind.THROTTLED),
            (429, "", Kind.THROTTLED),
            (403, "ProjectQuotaExceed", Kind.REJECTED),
            (403, "ExceedQuota", Kind.REJECTED),
            (404, "ProjectNotExist", Kind.GONE),
            (404, "ProjectNotExists", Kind.GONE),
            (404, "LogStoreNotExist", Kind.GONE),
            (404, "ShipperNotExist", Kind.GONE),
            (400, "ShipperNotExist", Kind.GONE),
            (400, "ParameterInvalid", Kind.REJECTED),
            (503, "ServerBusy", Kind.TRANSIENT),
            (500, "InternalServerError", Kind.TRANSIENT),
            (400, "RequestTimeout", Kind.TRANSIENT),
            (502, "", Kind.TRANSIENT),
            (200, "InternalServerError", Kind.TRANSIENT),
            (200, "Unauthorized", Kind.DENIED),
        ],
    )
    def test_what_a_code_means(self, status: int, code: str, kind: Kind) -> None:
        body = {"errorCode": code, "errorMessage": "the service's words"} if code else "<html>"
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(status, body, x_log_requestid="5B0A6B60"))
        assert caught.value.kind is kind
        assert caught.value.request_id == "5B0A6B60"

    def test_the_message_tells_everything(self) -> None:
        body = {"errorCode": "ShipperNotExist", "errorMessage": "Shipper does not exist."}
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(404, body, x_log_requestid="5B0A6B60"))
        assert str(caught.value) == (
            "GET /logstores/access/shipper/to-oss/tasks failed: ShipperNotExist: Shipper does not exist."
            " (HTTP 404, request id 5B0A6B60). Check shipper: it may have been deleted or replaced by an export job."
        )

    @pytest.mark.parametrize("body", ["", "\n", "{}", "null"])
    def test_a_retry_is_accepted_whatever_json_stands_in_a_good_reply(self, body: str) -> None:
        task = Task("a", SCOPE, "fail", State.FAILED)
        assert service(lambda request: reply(200, body)).retry([task]) == {task.key: ACCEPTED}

    @pytest.mark.parametrize("body", ["<html>Welcome</html>", "OK", '{"errorCode": "Unauth', "\ufeff\ufeff{}"])
    def test_what_is_no_json_in_a_good_reply_is_no_answer_to_a_retry(self, body: str) -> None:
        task = Task("a", SCOPE, "fail", State.FAILED)
        with pytest.raises(CallError) as caught:
            service(lambda request: reply(200, body)).retry([task])
        assert caught.value.kind.may_have_run


class TestDiscovery:
    def answer(self, request: Request) -> Response:
        if request.path == "/logstores":
            return reply(200, {"count": 2, "total": 2, "logstores": ["one", "internal-log"]})
        if request.path == "/logstores/internal-log/shipper":
            return reply(401, {"errorCode": "Unauthorized", "errorMessage": "denied"})
        if request.path == "/logstores/one/shipper":
            return reply(200, {"count": 2, "total": 2, "shipper": ["a", "b"]})
        if request.path == "/logstores/one/shipper/b/tasks":
            return reply(404, {"errorCode": "ShipperNotExist", "errorMessage": "gone"})
        return page([item("t")])

    def test_a_project_is_all_its_shippers_less_those_that_refuse(self) -> None:
        found = list(service(self.answer, logstore=None, shipper=None).list_tasks(WINDOW, FAILED))
        assert [dict(task.scope)["shipper"] for task in found] == ["a"]
        assert len(WARNINGS) == 2

    def test_a_named_shipper_that_is_gone_is_an_error(self) -> None:
        with pytest.raises(CallError, match="ShipperNotExist"):
            list(service(self.answer, logstore="one", shipper="b").list_tasks(WINDOW, FAILED))

    def test_a_project_that_refuses_everything_is_an_error(self) -> None:
        def answer(request: Request) -> Response:
            if request.path == "/logstores":
                return reply(200, {"count": 1, "total": 1, "logstores": ["one"]})
            return reply(401, {"errorCode": "Unauthorized", "errorMessage": "denied"})

        with pytest.raises(CallError, match="Unauthorized"):
            list(service(answer, logstore=None, shipper=None).list_tasks(WINDOW, FAILED))

    def test_a_name_from_the_service_that_is_not_legal_becomes_no_path(self) -> None:
        paths = []

        def answer(request: Request) -> Response:
            paths.append(request.path)
            if request.path == "/logstores/access/shipper":
                return reply(200, {"count": 2, "total": 2, "shipper": ["../../x", "good"]})
            return page([item("t")])

        assert len(list(service(answer, shipper=None).list_tasks(WINDOW, FAILED))) == 1
        assert paths == ["/logstores/access/shipper", "/logstores/access/shipper/good/tasks"]
        assert "'../../x'" in WARNINGS[0]


class TestNames:
    @pytest.mark.parametrize("name", ["a", "shop", "ali-test_project", "A1", "x" * 128])
    def test_legal_ones_pass(self, name: str) -> None:
        assert check_name("project", name) == name

    @pytest.mark.parametrize(
        "name", ["../x", "a/b", "a\n", "a\nb", "%2e", "a%2fb", "-a", "a-", "a b", "", "x" * 129, "ä", ".", "..", "a.b"]
    )
    def test_others_do_not(self, name: str) -> None:
        with pytest.raises(InputError, match="project is not a legal name"):
            check_name("project", name)

    @pytest.mark.parametrize("task_id", ["", "a b", "a\n", "ä", "x" * 257])
    def test_an_id_is_printable(self, task_id: str) -> None:
        with pytest.raises(InputError, match="task id"):
            check_task_id(task_id)


class TestEndpoint:
    def find(self, endpoint: str | None, region: str | None = None) -> Endpoint:
        return find_endpoint(endpoint, region, project="shop", allow_plaintext=False)

    @pytest.mark.parametrize(
        ("endpoint", "region", "host"),
        [
            (None, "cn-hangzhou", "cn-hangzhou.log.aliyuncs.com"),
            ("cn-hangzhou", None, "cn-hangzhou.log.aliyuncs.com"),
            ("shop.cn-hangzhou.log.aliyuncs.com", None, "cn-hangzhou.log.aliyuncs.com"),
            ("https://cn-hangzhou-intranet.log.aliyuncs.com/", None, "cn-hangzhou-intranet.log.aliyuncs.com"),
            ("log-global.aliyuncs.com", "cn-hangzhou", "log-global.aliyuncs.com"),
            ("localhost", None, "localhost"),
        ],
    )
    def test_it_is_found(self, endpoint: str | None, region: str | None, host: str) -> None:
        assert self.find(endpoint, region).host == host

    def test_neither_is_an_error_that_says_what_to_set(self) -> None:
        with pytest.raises(InputError, match="ALIBABA_CLOUD_REGION_ID"):
            self.find(None)

    @pytest.mark.parametrize("region", ["cn/hangzhou", "cn hangzhou", "cn-hangzhou.evil.com", "CN", "-cn", "cn\n"])
    def test_a_region_that_could_become_another_host_is_refused(self, region: str) -> None:
        with pytest.raises(InputError, match="region is not a region id"):
            self.find(None, region)

    @pytest.mark.parametrize(
        ("host", "region"),
        [
            ("cn-hangzhou.log.aliyuncs.com", "cn-hangzhou"),
            ("cn-hangzhou-intranet.log.aliyuncs.com", "cn-hangzhou"),
            ("cn-hangzhou-share.sls.aliyuncs.com", "cn-hangzhou"),
            ("log-global.aliyuncs.com", None),
            ("127.0.0.1", None),
            ("sls.example.com", None),
        ],
    )
    def test_the_region_is_read_from_a_public_endpoint_only(self, host: str, region: str | None) -> None:
        assert region_of(Endpoint("https", host)) == region
