# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DRS: paging, shapes, states, verdicts, errors. What it puts on the wire is in tests/contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import process_time
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import classify
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import Who
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._rules.drs import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._services.drs import (
    DrsService,
    check_job_id,
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

PROJECT = "054babbbde80d4602f5cc0043a40ed8c"
SCOPE = (("project_id", PROJECT),)
WINDOW = Window(0, int(NOW))
FAILED = frozenset({State.FAILED})
EVERY = frozenset(State)
CREATED = int(NOW) - 3600
Respond = Callable[[Request], Response]

WARNINGS: list[str] = []


@pytest.fixture(autouse=True)
def _no_old_warnings() -> None:
    WARNINGS.clear()


def service(respond: Respond | FakeTransport, *, host: str = "drs.example.com", **more: Any) -> DrsService:
    transport = respond if isinstance(respond, FakeTransport) else FakeTransport(respond)
    return DrsService(
        caller(transport, FakeClock(), max_attempts=1),
        Endpoint("https", host),
        **{"project_id": PROJECT, "who": Who.TOKEN, "db_use_types": ("sync",), "warn": WARNINGS.append, **more},
    )


def body(request: Request) -> dict[str, Any]:
    content = json.loads(request.body)
    assert isinstance(content, dict)
    return content


def call(request: Request) -> str:
    return request.path.partition("/jobs")[2]


def job(job_id: str, status: str = "FULL_TRANSFER_FAILED", **fields: Any) -> dict[str, Any]:
    """A job as details show it; what a list shows is among it."""
    return {
        "id": job_id,
        "status": status,
        "task_type": "FULL_INCR_TRANS",
        "create_time": str(CREATED * 1000),
        "update_time": str((CREATED + 60) * 1000),
        "db_use_type": "sync",
        **fields,
    }


class Cloud:
    """Keeps jobs in the order of the list, pages as the service does, and keeps what it was asked."""

    def __init__(self, *jobs: Mapping[str, Any], cap: int = 100) -> None:
        self.jobs = list(jobs)
        self.cap = cap
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, request: Request) -> Response:
        content = body(request)
        self.asked.append((call(request), content))
        if call(request) == "":
            return self.show_list(content)
        assert call(request) == "/batch-detail", request.path
        return self.show_details(content)

    def show_list(self, content: Mapping[str, Any]) -> Response:
        names = content["name"].split(",") if "name" in content else None
        named = [one for one in self.jobs if names is None or {one["id"], *_child_ids(one)} & set(names)]
        size = min(content["per_page"], self.cap)
        start = (content["cur_page"] - 1) * size
        return reply(200, {"total_record": len(named), "jobs": named[start : start + size]})

    def show_details(self, content: Mapping[str, Any]) -> Response:
        children = [child for one in self.jobs for child in one.get("children", ())]
        hidden = ("children", "job_action")
        found = {
            one["id"]: {name: value for name, value in one.items() if name not in hidden}
            for one in [*self.jobs, *children]
        }
        size = min(content["page_req"]["per_page"], self.cap)
        start = (content["page_req"]["cur_page"] - 1) * size
        page = content["jobs"][start : start + size]
        if not page:
            return refused(400, "DRS.M00211", "The value of Page exceeds the upper limit.")
        return reply(200, {"count": len(found), "results": [found[one] for one in page if one in found]})


def _child_ids(one: Mapping[str, Any]) -> list[str]:
    return [child["id"] for child in one.get("children", ())]


def shown(*items: Any, status: int = 200) -> Respond:
    """Shows these as details, whatever is asked for, and nothing in a list."""

    def respond(request: Request) -> Response:
        if call(request) == "":
            return reply(200, {"total_record": 0, "jobs": []})
        return reply(status, {"count": len(items), "results": list(items)})

    return respond


def refused(status: int, code: str, text: str = "the service's words", **headers: str) -> Response:
    return reply(status, {"error_code": code, "error_msg": text}, **headers)


def listed(respond: Respond, states: frozenset[State] = FAILED, **more: Any) -> list[Task]:
    return list(service(respond, **more).list_tasks(WINDOW, states))


def found(respond: Respond, *ids: str) -> dict[str, Task]:
    return {task.id: task for task in service(respond).find_tasks(ids, WINDOW)}


def one_task(item: Mapping[str, Any]) -> Task:
    """How a job is read that the list shows like this."""
    return listed(Cloud(item), EVERY)[0]


def some(count: int) -> list[dict[str, Any]]:
    return [job(f"j{number:04}") for number in range(count)]


class TestListing:
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
    def test_every_page_is_read(self, count: int) -> None:
        assert len(listed(Cloud(*some(count)))) == count

    def test_a_page_smaller_than_asked_for_is_not_the_last(self) -> None:
        assert len(listed(Cloud(*some(25), cap=10))) == 25

    def test_a_total_that_means_the_page_does_not_hide_the_next_one(self) -> None:
        cloud = Cloud(*some(150))

        def respond(request: Request) -> Response:
            shown = cloud(request)
            content = shown.json()
            return reply(200, {**content, "total_record": len(content["jobs"])}) if call(request) == "" else shown

        assert len(listed(respond)) == 150

    @pytest.mark.parametrize("code", ["DRS.M00211", "DRS.M00002"])
    def test_a_page_beyond_the_end_is_the_end(self, code: str) -> None:
        cloud = Cloud(*some(100))

        def respond(request: Request) -> Response:
            if call(request) == "" and body(request)["cur_page"] > 1:
                return refused(400, code)
            return cloud(request)

        assert len(listed(respond)) == 100

    def test_each_kind_is_asked_for_once_and_a_job_in_two_lists_is_one(self) -> None:
        cloud = Cloud(job("a"))
        assert len(listed(cloud, db_use_types=("migration", "sync", "migration", "cloudDataGuard"))) == 1
        kinds = [content["db_use_type"] for path, content in cloud.asked if path == ""]
        assert kinds == ["migration", "sync", "cloudDataGuard"]

    def test_no_state_is_filtered_by_the_service(self) -> None:
        cloud = Cloud(job("a"), job("b", "PAUSING"), job("c", "INCRE_TRANSFER_STARTED"))
        assert [task.id for task in listed(cloud, frozenset({State.FAILED, State.PAUSED}))] == ["a", "b"]
        asked = {"cur_page": 1, "per_page": 100, "db_use_type": "sync", "engine_type": ""}
        assert cloud.asked[0] == ("", asked)

    @pytest.mark.parametrize(
        ("host", "more"),
        [
            ("drs.eu-de.otc.t-systems.com", {"engine_type": ""}),
            ("gateway.example.com", {"engine_type": ""}),
            ("drs.example.com.otc.t-systems.com.example.com", {"engine_type": ""}),
            ("drs.cn-north-4.myhuaweicloud.com", {}),
            ("DRS.cn-north-4.MyHuaweiCloud.com", {}),
            ("drs.eu-west-101.myhuaweicloud.eu", {}),
        ],
    )
    def test_every_engine_is_asked_for_wherever_the_list_may_be_of_one(self, host: str, more: dict[str, str]) -> None:
        """Open Telekom Cloud's page says that it shows MySQL unless told otherwise; so it may be behind a gateway."""
        cloud = Cloud()
        listed(cloud, host=host)
        assert cloud.asked[0][1] == {"cur_page": 1, "per_page": 100, "db_use_type": "sync", **more}

    def test_details_are_read_of_the_selected_jobs_only_and_never_with_the_default_page(self) -> None:
        cloud = Cloud(*some(150), job("x", "INCRE_TRANSFER_STARTED"))
        listed(cloud)
        details = [content for path, content in cloud.asked if path == "/batch-detail"]
        assert [len(content["jobs"]) for content in details] == [100, 50]
        assert all(content["page_req"] == {"cur_page": 1, "per_page": 100} for content in details)
        assert not any("x" in content["jobs"] for content in details)

    def test_a_job_that_changed_between_list_and_details_is_taken_as_it_is_now(self) -> None:
        cloud = Cloud(job("a"), job("b"))

        def respond(request: Request) -> Response:
            if call(request) == "/batch-detail":
                cloud.jobs[0] = job("a", "INCRE_TRANSFER_STARTED")
            return cloud(request)

        assert [task.id for task in listed(respond)] == ["b"]

    def test_a_job_without_details_is_shown_as_the_list_shows_it(self) -> None:
        def respond(request: Request) -> Response:
            if call(request) == "":
                return reply(200, {"total_record": 1, "jobs": [job("a", error_msg="Read timed out")]})
            return reply(200, {"count": 0, "results": []})

        assert listed(respond) == [
            Task("a", SCOPE, "FULL_TRANSFER_FAILED", State.FAILED, message="Read timed out", created=None)
        ]

    def test_a_list_that_shifts_between_pages_is_read_again(self) -> None:
        cloud = Cloud(*some(20), cap=10)

        def respond(request: Request) -> Response:
            if call(request) == "" and body(request)["cur_page"] == 2 and len(cloud.jobs) == 20:
                del cloud.jobs[0]
            return cloud(request)

        assert [task.id for task in listed(respond)] == [f"j{number:04}" for number in range(1, 20)]

    def test_a_list_that_never_rests_ends_with_a_warning(self) -> None:
        cloud = Cloud(*some(20), cap=10)

        def respond(request: Request) -> Response:
            if call(request) == "" and body(request)["cur_page"] == 2:
                cloud.jobs.insert(0, job(f"new{len(cloud.jobs)}"))
            return cloud(request)

        assert len(listed(respond)) >= 20
        assert "kept changing" in WARNINGS[0]

    @pytest.mark.parametrize(
        "second",
        [reply(200, {"total_record": 250, "jobs": []}), reply(200, {"total_record": 0}), refused(422, "DRS.M00002")],
    )
    def test_a_list_that_ends_early_is_read_again_and_then_warned_of(self, second: Response) -> None:
        cloud, listings = Cloud(*some(100)), []

        def respond(request: Request) -> Response:
            if call(request):
                return cloud(request)
            listings.append(body(request)["cur_page"])
            return reply(200, {"total_record": 250, "jobs": cloud.jobs}) if listings[-1] == 1 else second

        assert len(listed(respond)) == 100
        assert listings == [1, 2, 1, 2, 1, 2]
        assert "ended early" in WARNINGS[0]

    def test_a_server_that_ignores_the_page_ends(self) -> None:
        def respond(request: Request) -> Response:
            return (
                reply(200, {"total_record": 700, "jobs": [job("a")]})
                if call(request) == ""
                else Cloud(job("a"))(request)
            )

        assert len(listed(respond)) == 1

    def test_a_list_without_end_ends_in_words(self) -> None:
        def respond(request: Request) -> Response:
            return reply(200, {"total_record": 10**9, "jobs": [job(f"j{body(request)['cur_page']}")]})

        with pytest.raises(CallError, match="did not end"):
            listed(respond)

    def test_jobs_of_a_state_that_is_not_known_are_left_out_with_a_warning(self) -> None:
        assert [task.id for task in listed(Cloud(job("a", "ODD_FAILED"), job("b")))] == ["b"]
        assert "status 'ODD_FAILED' is not known" in WARNINGS[0]

    def test_an_id_that_is_none_is_left_out_with_a_warning(self) -> None:
        assert [task.id for task in listed(Cloud(job("a/b"), job("b")))] == ["b"]
        assert "'a/b'" in WARNINGS[0]

    def test_the_window_is_that_of_creation(self) -> None:
        one = service(Cloud(job("old", create_time=str((CREATED - 9000) * 1000)), job("new")))
        assert [task.id for task in one.list_tasks(Window(CREATED - 60, int(NOW)), FAILED)] == ["new"]

    def test_a_refused_kind_is_an_error(self) -> None:
        with pytest.raises(CallError, match=r"M00102.*drs:migrationJob:action"):
            listed(lambda request: refused(403, "DRS.M00102"))


class TestFinding:
    def test_ids_are_read_in_chunks_and_kept_in_order(self) -> None:
        cloud = Cloud(*some(150))
        ids = [one["id"] for one in reversed(cloud.jobs)]
        assert list(found(cloud, *ids)) == ids
        assert [len(content["jobs"]) for path, content in cloud.asked if path] == [100, 50]

    def test_a_capped_page_does_not_hide_the_rest(self) -> None:
        cloud = Cloud(*some(12), cap=5)
        assert len(found(cloud, *(one["id"] for one in cloud.jobs))) == 12

    def test_an_unknown_id_is_absent(self) -> None:
        assert list(found(Cloud(job("a")), "a", "nowhere")) == ["a"]

    @pytest.mark.parametrize("code", ["DRS.M05003", "DRS.M05004", "DRS.M00289", "M05004"])
    @pytest.mark.parametrize("status", [200, 400])
    def test_a_job_that_is_gone_may_be_told_in_a_batch(self, status: int, code: str) -> None:
        gone = {"id": "b", "status": "failed", "error_code": code, "error_msg": "deleted"}
        assert list(found(shown(job("a"), gone, status=status), "a", "b")) == ["a"]
        assert not WARNINGS

    def test_a_job_that_is_refused_for_another_reason_is_absent_with_a_warning(self) -> None:
        item = {"id": "a", "status": "failed", "error_code": "DRS.M00102", "error_msg": "no rights"}
        assert not found(lambda request: reply(200, {"count": 1, "results": [item]}), "a")
        assert "no rights" in WARNINGS[0]

    def test_all_ids_unknown_as_a_400_with_results_is_no_error(self) -> None:
        item = {"id": "a", "status": "failed", "error_code": "DRS.M05003", "error_msg": "not found"}
        assert not found(lambda request: reply(400, {"count": 1, "results": [item]}), "a")

    def test_a_call_that_is_refused_as_a_whole_is_an_error(self) -> None:
        with pytest.raises(CallError, match=r"M00261.*Check project_id"):
            found(lambda request: refused(403, "DRS.M00261"), "a")

    @pytest.mark.parametrize("code", ["DRS.M05003", "DRS.M05004", "DRS.M00289"])
    def test_a_call_that_is_refused_for_a_job_that_is_gone_hides_no_other(self, code: str) -> None:
        cloud = Cloud(*some(9))

        def respond(request: Request) -> Response:
            gone = {"gone1", "gone2"} & set(body(request).get("jobs", ()))
            return refused(400, code) if gone else cloud(request)

        ids = [one["id"] for one in cloud.jobs]
        assert list(found(respond, "gone1", *ids, "gone2")) == ids
        assert found(respond, "gone1") == {}
        assert not WARNINGS

    def test_jobs_that_are_gone_are_left_out_of_a_list(self) -> None:
        cloud = Cloud(job("a"))
        respond: Respond = lambda request: refused(400, "DRS.M05004") if call(request) else cloud(request)  # noqa: E731
        assert listed(respond) == []

    def test_the_others_are_asked_for_again_where_only_those_that_are_gone_are_named(self) -> None:
        cloud = Cloud(*some(3))

        def respond(request: Request) -> Response:
            gone = [one for one in body(request).get("jobs", ()) if one.startswith("gone")]
            return results(item(gone[0], "DRS.M05004"), status=400) if gone else cloud(request)

        ids = [one["id"] for one in cloud.jobs]
        assert list(found(respond, "gone1", *ids, "gone2")) == ids

    def test_asking_again_ends(self) -> None:
        asked = []

        def respond(request: Request) -> Response:
            asked.append(call(request))
            return results(item(body(request)["jobs"][0], "DRS.M05004"), status=400)

        assert found(respond, *(f"j{number}" for number in range(100))) == {}
        assert len(asked) <= 200

    def test_a_job_that_was_not_asked_for_does_not_come_along(self) -> None:
        assert list(found(shown(job("x"), job("a")), "a")) == ["a"]


class TestStates:
    @pytest.mark.parametrize(
        ("word", "state"),
        [
            *((word, State.WAITING) for word in ("CREATING", "CONFIGURATION", "STARTJOBING", "WAITING_FOR_START")),
            *((word, State.RUNNING) for word in ("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE")),
            *(
                (word, State.RUNNING)
                for word in ("INCRE_TRANSFER_STARTED", "CHANGE_JOB_STARTED", "NODE_UPGRADE_COMPLETE")
            ),
            *((word, State.PAUSED) for word in ("PAUSING", "PAUSEING", "PAUSED")),
            *((word, State.FAILED) for word in ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "CREATE_FAILED")),
            *((word, State.FAILED) for word in ("CHILD_TRANSFER_FAILED", "NODE_UPGRADE_FAILED", "START_JOB_FAILED")),
            *((word, State.SUCCEEDED) for word in ("RELEASE_RESOURCE_COMPLETE", "RELEASE_CHILD_TRANSFER_COMPLETE")),
            ("incre_transfer_failed", State.FAILED),
            ("SOMETHING_FAILED", State.UNKNOWN),
            ("", State.UNKNOWN),
        ],
    )
    def test_a_word_means_a_state(self, word: str, state: State) -> None:
        task = one_task(job("a", word))
        assert (task.status, task.state) == (word, state)

    def test_a_job_that_is_shown_as_deleted_is_as_absent_as_one_that_is_not_shown(self) -> None:
        cloud = Cloud(job("a", "DELETED"), job("b"))
        assert list(found(cloud, "a", "b")) == ["b"]
        assert [task.id for task in listed(cloud, EVERY)] == ["b"]
        assert not WARNINGS

    def test_a_full_migration_that_is_complete_has_succeeded(self) -> None:
        task = one_task(job("a", "FULL_TRANSFER_COMPLETE", task_type="FULL_TRANS"))
        assert (task.state, task.healthy) == (State.SUCCEEDED, False)

    @pytest.mark.parametrize(
        ("word", "healthy"),
        [
            ("FULL_TRANSFER_STARTED", True),
            ("FULL_TRANSFER_COMPLETE", True),
            ("INCRE_TRANSFER_STARTED", True),
            ("STARTJOBING", False),
            ("RELEASE_RESOURCE_STARTED", False),
        ],
    )
    def test_what_never_ends_is_healthy_while_it_transfers(self, word: str, healthy: bool) -> None:
        assert one_task(job("a", word)).healthy is healthy

    def test_all_fields_are_read(self) -> None:
        item = job("a", "INCRE_TRANSFER_FAILED", error_code="DRS.KE0002", error_message="words", failed_reason="other")
        assert found(Cloud(item), "a")["a"] == Task(
            "a", SCOPE, "INCRE_TRANSFER_FAILED", State.FAILED, "DRS.KE0002", "words", CREATED
        )

    def test_the_reason_of_the_list_stands_in_for_none(self) -> None:
        assert one_task(job("a", error_msg="from the list")).message == "from the list"
        assert one_task(job("a", error_msg="from the list", failed_reason="from details")).message == "from details"

    def test_a_job_that_is_not_failed_tells_no_failure(self) -> None:
        task = one_task(job("a", "PAUSING", error_code="DRS.M01501", error_message="old"))
        assert (task.code, task.message) == ("", "")

    def test_a_time_of_update_is_no_sign_of_a_new_failure_and_other_words_are(self) -> None:
        cloud = Cloud(job("a"))
        one = service(cloud)
        before = next(iter(one.list_tasks(WINDOW, FAILED)))
        cloud.jobs[0] = job("a", update_time=str((CREATED + 90) * 1000))
        assert not one.read_again([before])[before.key].moved_since(before)
        cloud.jobs[0] = job("a", error_message="something else")
        assert one.read_again([before])[before.key].moved_since(before)

    def test_a_job_that_is_gone_is_absent_when_read_again(self) -> None:
        assert service(Cloud()).read_again([Task("a", SCOPE, "FULL_TRANSFER_FAILED", State.FAILED)]) == {}


OTHER_FAILURES = (
    "CREATE_FAILED",
    "START_JOB_FAILED",
    "CHANGE_JOB_FAILED",
    "RELEASE_RESOURCE_FAILED",
    "CHILD_TRANSFER_FAILED",
    "REBUILD_NODE_FAILED",
    "NODE_UPGRADE_FAILED",
)


def offered(*actions: str) -> dict[str, Any]:
    return {"job_action": {"available_actions": list(actions), "unavailable_actions": [], "current_action": ""}}


class TestJudging:
    @pytest.mark.parametrize("word", OTHER_FAILURES)
    def test_what_is_no_failed_transfer_is_judged_by_its_state(self, word: str) -> None:
        task = one_task(job("a", word, error_code="DRS.M01501", error_message="words"))
        assert (task.code, task.message) == (word, "DRS.M01501: words")
        assert classify(task, RULES).failure_class is FailureClass.FIX

    @pytest.mark.parametrize("word", OTHER_FAILURES)
    def test_unless_the_service_itself_offers_a_retry(self, word: str) -> None:
        task = one_task(job("a", word, error_code="DRS.M01501", error_message="words", **offered("retry")))
        assert (task.code, task.message, task.barred) == ("DRS.M01501", "words", None)

    def test_a_failed_transfer_for_which_no_retry_is_offered_is_barred(self) -> None:
        task = one_task(job("a", **offered("RESET", "STOP")))
        assert task.barred
        assert (task.barred.rule, task.barred.failure_class) == ("drs.retry_not_available", FailureClass.FIX)
        assert "RESET, STOP" in task.barred.remedy

    @pytest.mark.parametrize("more", [{}, {"job_action": None}, {"job_action": {"available_actions": "RETRY"}}])
    def test_where_the_service_does_not_say_the_state_decides(self, more: dict[str, Any]) -> None:
        assert one_task(job("a", **more)).barred is None

    def test_what_was_offered_in_another_state_does_not_count(self) -> None:
        cloud = Cloud(job("a", "INCRE_TRANSFER_STARTED", **offered("PAUSE")))
        one = service(cloud)
        running = next(iter(one.list_tasks(WINDOW, EVERY)))
        cloud.jobs[0] = job("a")
        assert one.read_again([running])[running.key].barred is None

    def test_reading_again_judges_as_the_list_did(self) -> None:
        one = service(Cloud(job("a", "START_JOB_FAILED", error_code="DRS.M01501", **offered("RETRY"))))
        before = next(iter(one.list_tasks(WINDOW, FAILED)))
        assert one.read_again([before]) == {before.key: before}


def lookups(cloud: Cloud) -> list[tuple[str, str]]:
    """Which lists were asked for which ids."""
    return [
        (content["db_use_type"], content["name"]) for path, content in cloud.asked if path == "" and "name" in content
    ]


class TestByIdAsInTheList:
    """What the service offers counts for jobs that are named as it does for all that failed."""

    def test_named_jobs_are_judged_as_listed_ones(self) -> None:
        jobs = [
            job("a", "START_JOB_FAILED", error_code="DRS.M01501", **offered("RETRY")),
            job("b", **offered("RESET")),
            job("c", error_msg="from the list"),
        ]
        assert found(Cloud(*jobs), "a", "b", "c") == {task.id: task for task in listed(Cloud(*jobs))}

    def test_the_list_is_asked_for_failed_jobs_only_by_kind_and_in_chunks(self) -> None:
        jobs = [*some(150), job("m", db_use_type="migration"), job("x", "INCRE_TRANSFER_STARTED")]
        cloud = Cloud(*jobs)
        found(cloud, *(one["id"] for one in jobs))
        assert [(kind, len(names.split(","))) for kind, names in lookups(cloud)] == [
            ("sync", 100),
            ("sync", 50),
            ("migration", 1),
        ]
        cloud = Cloud(job("x", "INCRE_TRANSFER_STARTED"))
        found(cloud, "x")
        assert lookups(cloud) == []

    @pytest.mark.parametrize(
        "answer", [refused(400, "DRS.M00202"), refused(422, "DRS.M00002"), reply(404, "<html>"), reply(400, {})]
    )
    def test_a_list_that_refuses_ids_is_no_error(self, answer: Response) -> None:
        cloud = Cloud(job("a"))
        assert found(lambda request: answer if call(request) == "" else cloud(request), "a")["a"].barred is None

    @pytest.mark.parametrize("answer", [refused(403, "DRS.M00102"), reply(503, ""), reply(200, "<html>")])
    def test_any_other_failure_is(self, answer: Response) -> None:
        cloud = Cloud(job("a"))
        with pytest.raises(CallError):
            found(lambda request: answer if call(request) == "" else cloud(request), "a")


def dual_active(multi_write: Any = True) -> dict[str, Any]:
    more: dict[str, Any] = {"multi_write": multi_write, "db_use_type": "cloudDataGuard"}
    children = [job(f"child{number}", parent_id="parent", **more) for number in (1, 2)]
    return job("parent", children=children, **more)


class TestDualActive:
    @pytest.mark.parametrize("multi_write", [True, "true"])
    def test_children_are_jobs_of_their_own_and_their_parent_is_barred(self, multi_write: Any) -> None:
        tasks = {task.id: task for task in listed(Cloud(dual_active(multi_write)), db_use_types=("cloudDataGuard",))}
        assert list(tasks) == ["parent", "child1", "child2"]
        barred = tasks["parent"].barred
        assert barred
        assert barred.rule == "drs.dual_active_parent"
        assert "child1, child2" in barred.remedy
        assert tasks["child1"].barred is tasks["child2"].barred is None

    def test_a_parent_that_is_asked_for_by_id_is_barred_as_well(self) -> None:
        cloud = Cloud(dual_active())
        barred = found(cloud, "parent")["parent"].barred
        assert barred
        assert "child1, child2" in barred.remedy
        assert lookups(cloud) == [("cloudDataGuard", "parent")]

    def test_a_child_that_names_its_parent_is_enough(self) -> None:
        cloud = Cloud(dual_active())
        tasks = found(cloud, "parent", "child2")
        assert tasks["parent"].barred
        assert tasks["child2"].barred is None

    def test_a_parent_of_no_known_kind_is_looked_for_in_every_list(self) -> None:
        parent = {**dual_active(), "db_use_type": None}
        cloud = Cloud(parent)
        show_list = cloud.show_list
        cloud.show_list = lambda content: (  # type: ignore[method-assign]
            show_list(content) if content["db_use_type"] == "cloudDataGuard" else refused(400, "DRS.M00202")
        )
        assert found(cloud, "parent")["parent"].barred
        assert [kind for kind, _name in lookups(cloud)] == ["migration", "sync", "cloudDataGuard"]

    def test_parents_are_looked_for_alone_where_a_list_takes_one_id(self) -> None:
        """With Open Telekom Cloud, whose list knows one name."""
        cloud = Cloud(dual_active(), job("other", db_use_type="cloudDataGuard"))
        show_list = cloud.show_list
        cloud.show_list = lambda content: (  # type: ignore[method-assign]
            reply(200, {"total_record": 0, "jobs": []}) if "," in content["name"] else show_list(content)
        )
        assert found(cloud, "parent", "other")["parent"].barred
        assert lookups(cloud) == [("cloudDataGuard", "parent,other"), ("cloudDataGuard", "parent")]

    def test_a_parent_that_cannot_be_retried_anyway_is_not_looked_for(self) -> None:
        cloud = Cloud({**dual_active(), "status": "INCRE_TRANSFER_STARTED"})
        found(cloud, "parent")
        assert lookups(cloud) == []

    def test_children_of_a_job_that_is_not_dual_active_do_not_bar_it(self) -> None:
        """A synchronisation that was re-edited has a child as well."""
        child = job("child", "CHILD_TRANSFER_STARTED", parent_id="a")
        assert {task.id: task.barred for task in listed(Cloud(job("a", children=[child])))} == {"a": None}


SECRET = "db-Passw0rd!"


class TestSecrets:
    def item(self, **more: Any) -> dict[str, Any]:
        end = {
            "db_user": "root",
            "db_password": SECRET,
            "kafka_security_config": {"trust_store_password": SECRET[::-1]},
        }
        return job("a", source_endpoint=end, target_endpoint=end, **more)

    def test_a_failure_that_echoes_a_password_is_shown_without_it(self) -> None:
        item = self.item(error_message=f"login as root with {SECRET} or {SECRET[::-1]} refused")
        assert one_task(item).message == "login as root with ******** or ******** refused"

    def test_an_error_that_echoes_a_password_is_shown_without_it(self) -> None:
        cloud = Cloud(self.item())

        def respond(request: Request) -> Response:
            return (
                refused(400, "DRS.M00200", f"bad {SECRET}") if call(request) == "/batch-retry-task" else cloud(request)
            )

        one = service(respond)
        tasks = list(one.list_tasks(WINDOW, FAILED))
        with pytest.raises(CallError) as caught:
            one.retry(tasks)
        assert SECRET not in str(caught.value)

    def test_a_reply_that_is_cut_does_not_show_it(self) -> None:
        text = json.dumps({"count": 1, "results": [{"id": "a", "source_endpoint": {"db_password": SECRET}}]})
        for end in (len(text) - 3, text.index(SECRET) + 6):
            with pytest.raises(CallError) as caught:
                found(lambda request, end=end: reply(200, text[:end]), "a")  # type: ignore[misc]
            assert "db_password" in str(caught.value)
            assert SECRET[:6] not in str(caught.value)

    def test_values_of_three_letters_and_names_without_secrets_stay(self) -> None:
        item = job("a", error_message="root at 10.0.0.1", source_endpoint={"db_user": "root", "db_password": "roo"})
        assert one_task(item).message == "root at 10.0.0.1"

    def test_a_text_of_one_job_does_not_show_the_password_of_another(self) -> None:
        jobs = [job("parent", error_message=f"child: login with {SECRET}"), self.item() | {"id": "child"}]
        for tasks in (listed(Cloud(*jobs)), found(Cloud(*jobs), "parent", "child").values()):
            assert [task.message for task in tasks] == ["child: login with ********", ""]

    def test_a_job_that_is_refused_does_not_show_it(self) -> None:
        answer = results(item("a", "DRS.KE0002", error_msg=f"login root/{SECRET} failed"), status=400)
        cloud = Cloud(self.item())
        one = service(lambda request: answer if call(request) == "/batch-retry-task" else cloud(request))
        (verdict,) = one.retry(list(one.list_tasks(WINDOW, FAILED))).values()
        assert verdict.error
        assert verdict.error.message == "login root/******** failed"

    def test_nor_does_one_that_could_not_be_read(self) -> None:
        """The secret may come later than the text."""
        bad = item("a", "DRS.M00004", error_msg=f"cannot open mysql://root:{SECRET}@10.0.0.1")
        found(shown(bad, self.item() | {"id": "b"}), "a", "b")
        assert WARNINGS == ["The job a could not be read: DRS.M00004: cannot open mysql://root:********@10.0.0.1"]

    def test_nor_a_state_that_is_not_known(self) -> None:
        assert found(Cloud(self.item() | {"status": f"ODD {SECRET}"}), "a")["a"].status == "ODD ********"

    def test_codes_stay_whole_whatever_the_password_is(self) -> None:
        end: dict[str, Any] = {"source_endpoint": {"db_password": "0000"}}
        task = one_task(job("a", error_code="DRS.M00004", error_message="0000 is wrong", **end))
        assert (task.code, task.message) == ("DRS.M00004", "******** is wrong")


class TestShapes:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "<html>",
            '{"half":',
            "[]",
            "null",
            "{}",
            '{"jobs": null}',
            '{"jobs": null, "total_record": 3}',
            '{"jobs": 5}',
            '{"jobs": [5]}',
            '{"jobs": [{}]}',
            '{"jobs": [{"id": 5}]}',
            '{"jobs": [{"id": "a", "children": 5}]}',
            '{"jobs": [{"id": "a", "children": [{}]}]}',
            '{"jobs": [], "total_record": "many"}',
            "[" * 200_000,
        ],
        ids=lambda text: text[:40],
    )
    def test_a_list_of_another_shape_is_a_broken_reply(self, text: str) -> None:
        with pytest.raises(CallError) as caught:
            listed(lambda request: reply(200, text))
        assert caught.value.kind is Kind.BROKEN

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "<html>",
            "{}",
            '{"results": null}',
            '{"results": 5, "count": 1}',
            '{"results": [5]}',
            '{"results": [{}]}',
            '{"results": null, "count": 1}',
        ],
    )
    def test_so_are_details(self, text: str) -> None:
        with pytest.raises(CallError) as caught:
            found(lambda request: reply(200, text), "a")
        assert caught.value.kind is Kind.BROKEN

    @pytest.mark.parametrize("jobs", [None, []])
    def test_no_jobs_may_be_null_or_empty(self, jobs: Any) -> None:
        assert listed(lambda request: reply(200, {"total_record": 0, "jobs": jobs})) == []

    def test_a_lone_job_may_come_without_its_list(self) -> None:
        lone = reply(200, {"count": "1", "results": job("a", "INCRE_TRANSFER_STARTED")})
        assert list(found(lambda request: lone, "a")) == ["a"]

    @pytest.mark.parametrize("moment", [True, -5, 1e300, "x", {}, [], "", "0", None])
    def test_a_nonsensical_time_is_unknown(self, moment: Any) -> None:
        assert one_task(job("a", create_time=moment)).created is None


def failed(*ids: str) -> list[Task]:
    return [Task(one, SCOPE, "FULL_TRANSFER_FAILED", State.FAILED) for one in ids]


def verdicts(response: Response, *ids: str) -> dict[str, Verdict]:
    made = service(lambda request: response).retry(failed(*ids))
    return {task_id: verdict for (_scope, task_id), verdict in made.items()}


def item(job_id: str, code: str = "", **more: Any) -> dict[str, Any]:
    if not code:
        return {"id": job_id, "status": "success", **more}
    return {"id": job_id, "status": "failed", "error_code": code, "error_msg": "words", **more}


def results(*items: Any, status: int = 200) -> Response:
    return reply(status, {"results": list(items), "count": len(items)}, x_request_id="r-1")


class TestVerdicts:
    @pytest.mark.parametrize(
        ("option", "more"), [(None, {}), (True, {"is_sync_re_edit": True}), (False, {"is_sync_re_edit": False})]
    )
    def test_is_sync_re_edit_is_sent_only_when_it_is_set(self, option: bool | None, more: dict[str, Any]) -> None:
        transport = FakeTransport([results(item("a"), item("b"))])
        service(transport, is_sync_re_edit=option).retry(failed("a", "b"))
        assert body(transport.sent[0]) == {"jobs": [{"job_id": "a", **more}, {"job_id": "b", **more}]}
        assert transport.fresh == [True]

    @pytest.mark.parametrize("status", [200, 202])
    @pytest.mark.parametrize("word", ["success", "Success", "SUCCESS"])
    def test_any_good_status_and_any_case_accepts(self, status: int, word: str) -> None:
        assert verdicts(results({"id": "a", "status": word}, status=status), "a") == {"a": ACCEPTED}

    @pytest.mark.parametrize("status", [200, 202, 400])
    def test_each_job_has_its_own_verdict_whatever_the_http_status_says(self, status: int) -> None:
        made = verdicts(results(item("a"), item("b", "DRS.M00999"), status=status), "a", "b")
        assert made["a"] == ACCEPTED
        error = made["b"].error
        assert made["b"].answer is Answer.REFUSED
        assert error
        assert (error.code, error.message, error.request_id) == ("DRS.M00999", "words", "r-1")

    @pytest.mark.parametrize(
        ("code", "answer", "rule"),
        [
            ("DRS.M00304", Answer.NOT_NOW, None),
            ("M00304", Answer.NOT_NOW, None),
            ("DRS.M01504", Answer.NOT_NOW, None),
            ("DRS.M05003", Answer.REFUSED, "drs.job_gone"),
            ("DRS.M05004", Answer.REFUSED, "drs.job_gone"),
            ("m00289", Answer.REFUSED, "drs.job_gone"),
            ("DRS.M00307", Answer.REFUSED, "drs.wrong_level"),
            ("DRS.M00308", Answer.REFUSED, "drs.wrong_level"),
            ("DRS.KE0002", Answer.REFUSED, "drs.database_login"),
            ("DRS.M06011", Answer.REFUSED, "drs.database_instance"),
            ("DRS.M06020", Answer.REFUSED, "drs.destination_held"),
            ("DRS.M01503", Answer.REFUSED, None),
            ("DRS.M00401", Answer.REFUSED, None),
        ],
    )
    def test_what_a_code_means_for_a_job(self, code: str, answer: Answer, rule: str | None) -> None:
        verdict = verdicts(results(item("a", code)), "a")["a"]
        assert (verdict.answer, verdict.finding.rule if verdict.finding else None) == (answer, rule)

    def test_a_refusal_says_what_to_do(self) -> None:
        error = verdicts(results(item("a", "DRS.M00401")), "a")["a"].error
        assert error
        assert error.message == "words. The job is no synchronisation that was re-edited: leave is_sync_re_edit out."

    @pytest.mark.parametrize(
        "items",
        [
            [],
            [item("other")],
            ["a"],
            [{"id": 5, "status": "success"}],
            [{"id": "a"}],
            [{"id": "a", "status": "odd"}],
            [item("a", "", error_code="DRS.M00304")],
            [item("a"), item("a", "DRS.M00304")],
        ],
    )
    def test_no_clear_answer_is_silence(self, items: list[Any]) -> None:
        assert verdicts(results(*items), "a")["a"].answer is Answer.SILENT

    def test_an_error_without_a_status_is_a_refusal(self) -> None:
        assert verdicts(results({"id": "a", "error_code": "DRS.M00999"}), "a")["a"].answer is Answer.REFUSED

    @pytest.mark.parametrize("text", ["", "<html>", "{}", '{"results": null}', '{"results": 5}', "[]", '{"half'])
    def test_a_good_reply_without_results_may_have_run(self, text: str) -> None:
        with pytest.raises(CallError) as caught:
            verdicts(reply(200, text), "a")
        assert caught.value.kind is Kind.BROKEN
        assert caught.value.kind.may_have_run

    @pytest.mark.parametrize(("status", "code"), [(202, "DRS.M01504"), (400, "DRS.M00304")])
    def test_a_state_that_a_whole_call_complains_of_is_looked_at_in_each(self, status: int, code: str) -> None:
        """Some may have been started before it was found."""
        made = verdicts(refused(status, code), "a", "b")
        assert {one.answer for one in made.values()} == {Answer.NOT_NOW}

    def test_a_whole_call_about_one_job_is_about_that_job(self) -> None:
        verdict = verdicts(refused(400, "DRS.M05004"), "a")["a"]
        assert verdict.finding
        assert verdict.finding.failure_class is FailureClass.GONE

    @pytest.mark.parametrize(
        "code", ["DRS.M00299", "DRS.M00289", "DRS.M05003", "DRS.M05004", "M05004", "DRS.M00401", "DRS.M00307"]
    )
    def test_a_whole_call_that_is_refused_for_one_is_to_be_sent_one_by_one(self, code: str) -> None:
        """Nothing of it was carried out, and it does not say for the sake of which."""
        caught = error(refused(400, code, x_request_id="r-1"))
        assert (caught.kind, caught.code, caught.request_id) == (Kind.TOO_MANY, code, "r-1")

    @pytest.mark.parametrize("code", ["DRS.M00299", "DRS.M05004"])
    @pytest.mark.parametrize("status", [500, 502])
    def test_but_not_by_a_server_that_fails(self, status: int, code: str) -> None:
        assert error(refused(status, code)).kind is Kind.TRANSIENT

    @pytest.mark.parametrize("status", [200, 400])
    def test_a_batch_of_which_every_job_is_one_too_many_is_to_be_sent_one_by_one(self, status: int) -> None:
        caught = error(results(item("a", "DRS.M00299"), item("b", "m00299"), status=status))
        assert (caught.kind, caught.text) == (Kind.TOO_MANY, "words")

    @pytest.mark.parametrize(
        "other", [(), (item("b"),), (item("b", "DRS.M00304"),)], ids=["silent", "accepted", "another code"]
    )
    def test_a_batch_of_which_something_may_have_been_carried_out_is_not(self, other: tuple[Any, ...]) -> None:
        assert verdicts(results(item("a", "DRS.M00299"), *other), "a", "b")["a"].answer is Answer.REFUSED

    def test_one_job_alone_is_never_too_many(self) -> None:
        assert verdicts(results(item("a", "DRS.M00299")), "a")["a"].answer is Answer.REFUSED
        with pytest.raises(CallError) as caught:
            verdicts(refused(400, "DRS.M00299"), "a")
        assert caught.value.kind is Kind.REJECTED


def error(response: Response, who: Who = Who.TOKEN) -> CallError:
    with pytest.raises(CallError) as caught:
        service(lambda request: response, who=who).retry(failed("a", "b"))
    return caught.value


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (422, "DRS.M00002", Kind.REJECTED),
            (500, "DRS.M00004", Kind.TRANSIENT),
            (422, "DRS.M00004", Kind.TRANSIENT),
            (400, "DRS.M00007", Kind.REJECTED),
            (403, "DRS.M00100", Kind.EXPIRED),
            (404, "DRS.M00101", Kind.DENIED),
            (403, "DRS.M00102", Kind.DENIED),
            (401, "DRS.M00103", Kind.DENIED),
            (400, "DRS.M00105", Kind.DENIED),
            (400, "DRS.M00200", Kind.REJECTED),
            (403, "DRS.M00261", Kind.DENIED),
            (400, "DRS.M00301", Kind.REJECTED),
            (422, "DRS.M01501", Kind.TRANSIENT),
            (400, "DRS.M01503", Kind.THROTTLED),
            (400, "m01503", Kind.THROTTLED),
            (404, "APIGW.0101", Kind.DENIED),
            (413, "APIGW.0201", Kind.REJECTED),
            (504, "APIGW.0201", Kind.TRANSIENT),
            (401, "APIGW.0301", Kind.DENIED),
            (403, "APIG.0302", Kind.DENIED),
            (401, "APIGW.0307", Kind.EXPIRED),
            (401, "APIG.0307", Kind.EXPIRED),
            (429, "APIGW.0308", Kind.THROTTLED),
            (429, "APIG.0308", Kind.THROTTLED),
            (429, "", Kind.THROTTLED),
            (503, "APIGW.0613", Kind.TRANSIENT),
            (401, "IAM.0001", Kind.DENIED),
            (401, "IAM.0061", Kind.LOCKED),
            (401, "IAM.0066", Kind.EXPIRED),
            (403, "IAM.0080", Kind.DENIED),
            (429, "IAM.0012", Kind.THROTTLED),
            (403, "EPS.0003", Kind.DENIED),
            (401, "", Kind.EXPIRED),
            (403, "", Kind.DENIED),
            (502, "", Kind.TRANSIENT),
            (418, "", Kind.REJECTED),
            (200, "DRS.M00200", Kind.REJECTED),
        ],
    )
    def test_what_a_code_means(self, status: int, code: str, kind: Kind) -> None:
        response = refused(status, code, x_request_id="r-1") if code else reply(status, "<html>", x_request_id="r-1")
        caught = error(response)
        assert (caught.kind, caught.request_id) == (kind, "r-1")

    @pytest.mark.parametrize("code", ["APIGW.0307", "DRS.M00100", "APIGW.0301", "IAM.0001", ""])
    def test_a_key_does_not_expire_and_its_clock_matters(self, code: str) -> None:
        caught = error(refused(401, code) if code else reply(401, "no"), who=Who.KEY)
        assert caught.kind is Kind.DENIED
        assert "clock" in caught.hint

    @pytest.mark.parametrize(
        "envelope",
        [
            {"error_code": "X.1", "error_msg": "words", "request_id": "r-2"},
            {"errorCode": "X.1", "errorMsg": "words"},
            {"code": "X.1", "message": "words"},
            {"error": {"code": "X.1", "message": "words", "title": "Bad Request"}},
            {"error": {"code": "X.1", "title": "words"}},
        ],
    )
    def test_every_envelope_is_read(self, envelope: dict[str, Any]) -> None:
        caught = error(reply(400, envelope))
        assert (caught.code, caught.text) == ("X.1", "words")
        assert caught.request_id == envelope.get("request_id", "")

    def test_the_older_envelope_of_iam_has_a_number(self) -> None:
        caught = error(reply(401, {"error": {"code": 401, "message": "The token must be updated"}}))
        assert (caught.kind, caught.code) == (Kind.EXPIRED, "401")

    def test_the_message_tells_everything(self) -> None:
        assert str(error(refused(403, "DRS.M00261", "Invalid project ID.", x_request_id="r-1"))) == (
            f"POST /v3/{PROJECT}/jobs/batch-retry-task failed: DRS.M00261: Invalid project ID."
            " (HTTP 403, request id r-1). Check project_id, and that endpoint or region is the project's own."
        )

    @pytest.mark.parametrize("response", [reply(404, "<html>"), reply(404, {"error": {"code": 404}}), reply(400, "no")])
    def test_who_does_not_speak_like_the_service_is_hardly_the_service(self, response: Response) -> None:
        assert "Check that the endpoint is DRS itself" in error(response).hint

    def test_html_is_shown_shortened(self) -> None:
        assert "<html>bad gateway" in str(error(reply(502, "<html>bad gateway</html>")))


class TestNames:
    @pytest.mark.parametrize("job_id", ["140b5236-88ad-43c8-811c-1268453jb101", "a", "x" * 64])
    def test_an_id_need_not_be_a_uuid(self, job_id: str) -> None:
        assert check_job_id(job_id) == job_id

    @pytest.mark.parametrize("job_id", ["", "a b", "a\n", "ä", "a/b", 'a"', "x" * 65])
    def test_but_no_more_than_letters_and_digits(self, job_id: str) -> None:
        with pytest.raises(InputError, match="no job id"):
            check_job_id(job_id)


class TestEndpoint:
    @pytest.mark.parametrize("tail", ["/" * 2000 + "!", "/v3/a" * 400 + "!", "/v3" + "/" * 1900 + "!"])
    def test_a_long_url_of_the_catalog_takes_no_time(self, tail: str) -> None:
        started = process_time()
        for _number in range(20):
            with pytest.raises(InputError):
                self.find(None, f"https://drs.example.com{tail}", None)
        assert process_time() - started < 0.5

    def test_a_url_of_the_catalog_has_its_bounds(self) -> None:
        with pytest.raises(InputError, match="service catalog is longer than 2048 characters"):
            self.find(None, "https://drs.example.com" + "/" * 20_000, None)

    def find(self, *known: str | None, allow_plaintext: bool = False) -> str:
        endpoint, catalog_url, region = known
        return find_endpoint(endpoint, catalog_url, region, allow_plaintext=allow_plaintext).base_url()

    @pytest.mark.parametrize(
        ("endpoint", "catalog_url", "region", "url"),
        [
            ("drs.example.com", "https://other.example.com", "eu-de", "https://drs.example.com"),
            (None, "https://drs.example.com/v3/0123", "eu-de", "https://drs.example.com"),
            (None, "https://drs.example.com:8443/v3/", None, "https://drs.example.com:8443"),
            (None, "https://drs.example.com", None, "https://drs.example.com"),
            (None, None, "eu-de", "https://drs.eu-de.otc.t-systems.com"),
            (None, None, "eu-nl", "https://drs.eu-nl.otc.t-systems.com"),
            (None, None, "cn-north-4", "https://drs.cn-north-4.myhuaweicloud.com"),
            (None, None, "eu-west-101", "https://drs.eu-west-101.myhuaweicloud.eu"),
        ],
    )
    def test_it_is_found(self, endpoint: str | None, catalog_url: str | None, region: str | None, url: str) -> None:
        assert self.find(endpoint, catalog_url, region) == url

    @pytest.mark.parametrize("region", ["eu-ch2", "eu-west-0", "nowhere", "a.b", None])
    def test_what_no_source_establishes_is_asked_for(self, region: str | None) -> None:
        with pytest.raises(InputError, match="Set the option endpoint"):
            self.find(None, None, region)

    @pytest.mark.parametrize(
        "url",
        [
            "http://drs.example.com/v3/0123",
            "https://user:word@drs.example.com/v3/0123",
            "https://drs.example.com/v3/0123?x=1",
            "https://drs.example.com/other/place",
            "ftp://drs.example.com",
        ],
    )
    def test_the_catalog_is_not_trusted_blindly(self, url: str) -> None:
        with pytest.raises(InputError, match="service catalog") as caught:
            self.find(None, url, "eu-de")
        assert "word" not in str(caught.value)
