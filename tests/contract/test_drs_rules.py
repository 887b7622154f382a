# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What DRS refuses, item by item and as a whole, and what it shows of a job."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from contract.wire_drs import (
    OTHER,
    PROJECT,
    SECRET,
    TEMPORARY,
    exchange,
    furnish,
    listing,
    post,
    retry,
    send,
    signed,
    signed_retry,
    status,
    token_for,
)
from local_cloud import faults
from local_cloud.services.drs_jobs import STATES, Project
from local_cloud.tasks import ScenarioError
from local_cloud.testing import LocalCloud


@pytest.fixture
def project(cloud: LocalCloud) -> Project:
    return furnish(cloud)


def kinds(cloud: LocalCloud) -> list[str]:
    return [one.kind for one in cloud.violations]


# -- the reply --------------------------------------------------------------------------------------------------------


def test_every_reply_names_its_request(cloud: LocalCloud, project: Project) -> None:
    replies = [
        listing(cloud),
        listing(cloud, status="NONSENSE"),
        send(cloud, "GET", "/v3/nonsense"),
        send(cloud, "GET", "/v3", token=""),
    ]
    assert [one.headers["X-Request-Id"] for one in replies] == [one.request_id for one in cloud.requests]


def test_refusal_has_code_text_and_request_id(cloud: LocalCloud, project: Project) -> None:
    reply = listing(cloud, status="NONSENSE")
    assert reply.status == 400
    assert reply.json == {
        "error_code": "DRS.M00202",
        "error_msg": "The value of parameter status is invalid.",
        "request_id": reply.headers["X-Request-Id"],
    }


def test_recorded_requests_hold_no_token_in_full(cloud: LocalCloud, project: Project) -> None:
    token = token_for(cloud)
    post(cloud, "jobs", {"db_use_type": "sync"}, token=token)
    assert token not in repr(cloud.requests)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v3/{PROJECT}/jobs"),
        ("POST", f"/v3/{PROJECT}/jobs/"),
        ("POST", f"/v3/{PROJECT}/jobs/batch-retry-task/"),
        ("PUT", f"/v3/{PROJECT}/jobs/batch-retry-task"),
        ("POST", "/v3/auth/tokens/"),
    ],
)
def test_other_paths_and_methods_are_no_apis(cloud: LocalCloud, project: Project, method: str, path: str) -> None:
    reply = send(cloud, method, path, {})
    assert (reply.status, reply.code) == (404, "APIGW.0101")


# -- who calls --------------------------------------------------------------------------------------------------------


def test_call_without_any_authentication_is_refused(cloud: LocalCloud, project: Project) -> None:
    reply = retry(cloud, "a", token="")
    assert (reply.status, reply.code) == (401, "APIGW.0301")
    assert reply.message == "Incorrect IAM authentication information: x-auth-token not found"


def test_unknown_token_is_refused(cloud: LocalCloud, project: Project) -> None:
    reply = retry(cloud, "a", token="another")
    assert (reply.status, reply.code) == (401, "APIGW.0301")
    assert reply.message.endswith("decrypt token fail")


def test_token_and_signature_together_are_refused(cloud: LocalCloud, project: Project) -> None:
    request = signed_retry(cloud, "a")
    headers = [*request.headers, ("X-Auth-Token", token_for(cloud))]
    assert exchange(cloud, "POST", request.target, headers, request.body).code == "APIGW.0301"


@pytest.mark.parametrize(("code", "expected"), [("APIGW.0307", 401), ("DRS.M00100", 403)])
def test_expired_token_is_told_apart_from_a_wrong_one(
    cloud: LocalCloud, project: Project, code: str, expected: int
) -> None:
    cloud.world.drs.configure(expired_token_code=code)
    (job,) = project.add_jobs()
    token = token_for(cloud)
    assert retry(cloud, "a", token=token).status == 400
    cloud.world.drs.expire_tokens()
    reply = retry(cloud, job, token=token)
    assert (reply.status, reply.code) == (expected, code)
    assert cloud.executed() == Counter()


def test_token_lives_for_a_day(cloud: LocalCloud, project: Project) -> None:
    project.add_jobs()
    token = token_for(cloud)
    cloud.clock.advance(24 * 3600 - 5)
    assert send(cloud, "GET", "/v3/projects", token=token).status == 200
    cloud.clock.advance(5)
    assert send(cloud, "GET", "/v3/projects", token=token).code == "APIGW.0307"


@pytest.mark.parametrize("scope", [None, OTHER], ids=["no project", "another project"])
def test_token_for_another_scope_is_refused(cloud: LocalCloud, project: Project, scope: str | None) -> None:
    reply = retry(cloud, "a", token=token_for(cloud, scope))
    assert (reply.status, reply.code, reply.message) == (403, "DRS.M00261", "Invalid project ID.")


def test_signed_call_reaches_the_projects_of_its_account_only(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs()
    assert signed_retry(cloud, *ids).send(cloud).status == 200
    cloud.world.add_account("AKOTHER", "secret", projects=[OTHER])
    reply = signed_retry(cloud, *ids, key="AKOTHER", secret="secret").send(cloud)
    assert (reply.status, reply.code) == (403, "DRS.M00261")


def test_project_header_must_name_the_project_of_the_path(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs()
    assert retry(cloud, *ids, also=[("X-Project-Id", OTHER)]).code == "DRS.M00261"
    assert retry(cloud, *ids, also=[("X-Project-Id", PROJECT)]).status == 200


def test_rights_of_users_and_of_keys(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs()
    reader = cloud.world.drs.add_user("reader", "secret", deny=["BatchRetryTask"])
    token = cloud.world.drs.add_token(reader, PROJECT)
    assert post(cloud, "jobs", {"db_use_type": "migration"}, token=token).status == 200
    reply = retry(cloud, *ids, token=token)
    assert (reply.status, reply.code, reply.message) == (403, "DRS.M00102", "Insufficient user permissions.")
    cloud.world.add_account("AKREADER", "secret", deny=["BatchRetryTask"])
    assert signed_retry(cloud, *ids, key="AKREADER", secret="secret").send(cloud).code == "DRS.M00102"
    assert cloud.executed() == Counter()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret": "another"}, "verify aksk signature fail"),
        ({"key": "AKNOBODY"}, "Get secretKey failed"),
        ({"at": time.time() - 1000}, "calc ak sk signature fail:signature expired"),
        ({"date": "yesterday"}, "calc ak sk signature fail:signature expired"),
        ({"names": ("content-type", "host")}, "host and x-sdk-date must be signed"),
        ({"names": ("x-sdk-date",)}, "host and x-sdk-date must be signed"),
        ({"names": ("x-sdk-date", "host")}, "the signed headers are invalid"),
        ({"security_token": "unasked"}, "the security token is invalid"),
        ({"key": TEMPORARY[0], "secret": TEMPORARY[1]}, "the security token is invalid"),
        (
            {
                "key": TEMPORARY[0],
                "secret": TEMPORARY[1],
                "security_token": TEMPORARY[2],
                "names": ("host", "x-sdk-date"),
            },
            "the security token must be signed",
        ),
    ],
)
def test_signatures_that_are_not_genuine(cloud: LocalCloud, project: Project, more: dict[str, Any], words: str) -> None:
    reply = signed_retry(cloud, *project.add_jobs(), **more).send(cloud)
    assert (reply.status, reply.code) == (401, "APIGW.0301")
    assert reply.message == f"Incorrect IAM authentication information: {words}"
    assert cloud.executed() == Counter()


def test_wrong_signatures_in_a_row_lock_the_key_for_a_while(cloud: LocalCloud, project: Project) -> None:
    def attempt(secret: str = SECRET) -> str:
        request = signed(cloud, "GET", "/v3/projects", secret=secret, at=cloud.clock.now())
        reply = request.send(cloud)
        return "" if reply.status == 200 else reply.message.partition(": ")[2]

    wrong, locked = "verify aksk signature fail", "AK access failed to reach the limit,forbidden"
    assert [attempt("wrong") for _ignored in range(5)] + [attempt()] == [wrong] * 5 + [""]
    assert [attempt("wrong") for _ignored in range(7)] + [attempt()] == [wrong] * 6 + [locked] * 2
    cloud.clock.advance(300)
    assert attempt() == ""


def test_shortest_list_of_signed_headers_will_do(cloud: LocalCloud, project: Project) -> None:
    assert signed_retry(cloud, *project.add_jobs(), names=("host", "x-sdk-date")).send(cloud).status == 200


def test_expired_temporary_key_is_refused(cloud: LocalCloud, project: Project) -> None:
    keys = {"key": TEMPORARY[0], "secret": TEMPORARY[1], "security_token": TEMPORARY[2]}
    ids = project.add_jobs(count=2)
    assert signed_retry(cloud, ids[0], **keys).send(cloud).status == 200
    cloud.world.expire(TEMPORARY[0])
    assert signed_retry(cloud, ids[1], **keys).send(cloud).message.endswith("the security token has expired")


# -- retrying ---------------------------------------------------------------------------------------------------------


def test_accepted_retry(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=2)
    reply = retry(cloud, *ids)
    assert reply.status == 200
    assert reply.json == {"results": [{"id": one, "status": "success"} for one in ids], "count": 2}
    assert cloud.executed() == cloud.retried() == Counter(ids)
    assert [request.changes for request in cloud.requests] == [True]


def test_each_job_has_its_own_result(cloud: LocalCloud, project: Project) -> None:
    (good,) = project.add_jobs()
    (running,) = project.add_jobs(status="INCRE_TRANSFER_STARTED")
    (busy,) = project.add_jobs("sync", busy_for=1)
    (gone,) = project.add_jobs(deleted=True)
    (ended,) = project.add_jobs(status="RELEASE_RESOURCE_COMPLETE")
    reply = retry(cloud, good, running, busy, gone, ended, "unknown")
    assert reply.status == 200
    assert reply.outcomes == {
        good: "success",
        running: "DRS.M00304",
        busy: "DRS.M01504",
        gone: "DRS.M05004",
        ended: "DRS.M00304",
        "unknown": "DRS.M05003",
    }
    assert reply.json["results"][1] == {
        "id": running,
        "status": "failed",
        "error_code": "DRS.M00304",
        "error_msg": "This API cannot be called in the current task status.",
    }
    assert kinds(cloud) == ["not_failed", "unknown_id", "not_failed", "unknown_id"]
    assert cloud.executed() == Counter([good])
    assert retry(cloud, busy).outcomes == {busy: "success"}


@pytest.mark.parametrize("state", ["FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "PAUSING", "PAUSEING", "stopped"])
def test_states_that_can_be_retried(cloud: LocalCloud, project: Project, state: str) -> None:
    (job,) = project.add_jobs(status=state)
    assert retry(cloud, job).outcomes == {job: "success"}
    assert kinds(cloud) == []


@pytest.mark.parametrize(
    "state", sorted({*STATES, "NEW_WORD"} - {"FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "PAUSING", "DELETED"})
)
def test_states_that_cannot_be_retried_unless_the_scenario_says_so(
    cloud: LocalCloud, project: Project, state: str
) -> None:
    (job,) = project.add_jobs(status=state)
    assert status(cloud, job).outcomes[job] in (state, "DRS.M01501")
    assert status(cloud, job).json["results"][0]["status"] == state
    assert retry(cloud, job).outcomes == {job: "DRS.M00304"}
    assert kinds(cloud) == ["not_failed"]
    if state.endswith("_FAILED"):
        cloud.world.drs.configure(also_retryable=[state])
        assert retry(cloud, job).outcomes == {job: "success"}


def test_deleted_state_is_shown_and_cannot_be_retried(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs(status="DELETED")
    assert status(cloud, job).outcomes == {job: "DELETED"}
    assert retry(cloud, job).outcomes == {job: "DRS.M05004"}


def test_parent_of_a_dual_active_pair_cannot_be_retried_but_its_children_can(
    cloud: LocalCloud, project: Project
) -> None:
    jobs = project.jobs("cloudDataGuard")
    (parent,) = jobs.add_tasks(multi_write=True, children=[{"count": 2}])
    children = jobs.children_of(parent)
    reply = retry(cloud, parent, *children)
    assert reply.outcomes == {parent: "DRS.M00307", children[0]: "success", children[1]: "success"}
    assert kinds(cloud) == ["parent"]
    details = post(cloud, "jobs/batch-detail", {"jobs": [parent, *children]}).json["results"]
    assert [one["multi_write"] for one in details] == [True, True, True]
    assert [one["parent_id"] for one in details] == [None, parent, parent]


def test_re_edit_is_refused_unless_the_job_takes_it(cloud: LocalCloud, project: Project) -> None:
    (plain,) = project.add_jobs(name="shop")
    (edited,) = project.add_jobs(re_edit=True)
    content = {"jobs": [{"job_id": one, "is_sync_re_edit": True} for one in (plain, edited)]}
    reply = post(cloud, "jobs/batch-retry-task", content)
    assert reply.outcomes == {plain: "DRS.M00401", edited: "success"}
    text = "shop is not support re-editing of synchronization tasks."
    assert reply.json["results"][0]["error_msg"] == text
    again = {"jobs": [{"job_id": plain, "is_sync_re_edit": False}]}
    assert post(cloud, "jobs/batch-retry-task", again).outcomes == {plain: "success"}


@pytest.mark.parametrize("configured", [400, 200, 202])
def test_batch_of_unknown_ids_only(cloud: LocalCloud, project: Project, configured: int) -> None:
    cloud.world.drs.configure(all_failed_status=configured, unknown_id_code="DRS.M00289")
    reply = retry(cloud, "one", "two")
    assert reply.status == configured
    assert reply.outcomes == {"one": "DRS.M00289", "two": "DRS.M00289"}
    assert "error_code" not in reply.json


def test_batch_whose_jobs_all_fail_for_another_reason_is_a_success(cloud: LocalCloud, project: Project) -> None:
    assert retry(cloud, *project.add_jobs(status="running")).status == 200


def test_variants_of_a_success(cloud: LocalCloud, project: Project) -> None:
    one, other = project.add_jobs(count=2)
    cloud.world.drs.configure(retry_status=202, result_case="title", leave_out=[other])
    reply = retry(cloud, one, other)
    assert (reply.status, reply.json["results"]) == (202, [{"id": one, "status": "Success"}])
    assert cloud.executed() == Counter([one, other])
    assert retry(cloud, one).json["results"][0]["status"] == "Failed"


BAD_RETRIES: list[tuple[str, object, str]] = [
    ("no JSON", b"{", "DRS.M00300"),
    ("a list", [], "DRS.M00300"),
    ("nothing", {}, "DRS.M00300"),
    ("no jobs", {"jobs": []}, "DRS.M00300"),
    ("jobs null", {"jobs": None}, "DRS.M00300"),
    ("ids only", {"jobs": ["a"]}, "DRS.M00202"),
    ("no id", {"jobs": [{}]}, "DRS.M00201"),
    ("empty id", {"jobs": [{"job_id": ""}]}, "DRS.M00201"),
    ("number as id", {"jobs": [{"job_id": 1}]}, "DRS.M00201"),
    ("unknown member", {"jobs": [{"job_id": "a", "id": "a"}]}, "DRS.M00202"),
    ("unknown member above", {"jobs": [{"job_id": "a"}], "page_req": {}}, "DRS.M00202"),
    ("re-edit as text", {"jobs": [{"job_id": "a", "is_sync_re_edit": "true"}]}, "DRS.M00202"),
    ("re-edit null", {"jobs": [{"job_id": "a", "is_sync_re_edit": None}]}, "DRS.M00202"),
    ("duplicates", {"jobs": [{"job_id": "a"}, {"job_id": "b"}, {"job_id": "a"}]}, "DRS.M00301"),
]


@pytest.mark.parametrize(("content", "code"), [row[1:] for row in BAD_RETRIES], ids=[row[0] for row in BAD_RETRIES])
def test_retry_that_is_wrong_as_a_whole(cloud: LocalCloud, project: Project, content: object, code: str) -> None:
    project.add_jobs(ids=["a", "b"])
    reply = post(cloud, "jobs/batch-retry-task", content)
    assert (reply.status, reply.code) == (400, code)
    assert cloud.executed() == Counter()
    assert kinds(cloud) == (["duplicate_id"] if code == "DRS.M00301" else [])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json;x=y"])
def test_body_must_be_declared_as_json(cloud: LocalCloud, project: Project, content_type: str) -> None:
    assert retry(cloud, *project.add_jobs(), content_type=content_type).code == "DRS.M00202"


def test_declared_charset_is_fine(cloud: LocalCloud, project: Project) -> None:
    assert retry(cloud, *project.add_jobs(), content_type="application/json; charset=UTF-8").status == 200


@pytest.mark.parametrize(("language", "expected"), [("en-us", 200), ("zh-cn", 200), ("de-de", 400)])
def test_languages(cloud: LocalCloud, project: Project, language: str, expected: int) -> None:
    assert retry(cloud, *project.add_jobs(), also=[("X-Language", language)]).status == expected


@pytest.mark.parametrize(("limit", "code"), [(1, "DRS.M00299"), (10, "DRS.M00300")])
def test_limit_of_jobs_in_a_retry(cloud: LocalCloud, project: Project, limit: int, code: str) -> None:
    ids = project.add_jobs(count=limit + 1)
    cloud.world.drs.configure(max_jobs=limit)
    assert retry(cloud, *ids).code == code
    assert retry(cloud, *ids[:limit]).status == 200
    cloud.world.drs.configure(max_jobs=None)
    assert retry(cloud, ids[-1]).status == 200


def test_any_number_of_jobs_by_default(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=300)
    assert len(set(ids)) == 300
    assert retry(cloud, *ids).json["count"] == 300


@pytest.mark.parametrize(("code", "expected"), [("APIGW.0308", 429), ("DRS.M01503", 400)])
def test_throttling_of_the_gateway_and_of_drs(cloud: LocalCloud, project: Project, code: str, expected: int) -> None:
    cloud.world.drs.configure(throttle_code=code)
    ids = project.add_jobs()
    cloud.faults.add(faults.throttle("BatchRetryTask", retry_after=2))
    reply = retry(cloud, *ids)
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (expected, code, "2")
    assert retry(cloud, *ids).outcomes == {ids[0]: "success"}
    assert (cloud.retried()[ids[0]], cloud.executed()[ids[0]]) == (2, 1)


def test_rate_limit_of_a_project(cloud: LocalCloud, project: Project) -> None:
    cloud.faults.add_rate_limit(rate=1e-9, burst=2, per="project")
    assert [status(cloud, *project.add_jobs()).status for _ignored in range(3)] == [200, 200, 429]
    other = {"project": OTHER, "token": token_for(cloud, OTHER)}
    assert post(cloud, "jobs", {"db_use_type": "sync"}, **other).status == 200
    assert cloud.summary()["throttled"] == 1


def test_service_that_is_broken(cloud: LocalCloud, project: Project) -> None:
    cloud.faults.add(faults.error("ListJobs", times=2))
    assert (listing(cloud).status, cloud.requests[-1].code) == (500, "DRS.M00004")
    cloud.world.drs.configure(dialect="hw")
    assert (listing(cloud).status, cloud.requests[-1].code) == (422, "DRS.M00004")


def test_fault_can_be_for_one_kind_of_jobs(cloud: LocalCloud, project: Project) -> None:
    cloud.faults.add(faults.html("ListJobs", scope="sync"))
    assert [listing(cloud, db_use_type=kind).status for kind in ("migration", "sync", "sync")] == [200, 502, 200]


def test_faults_speak_as_drs_and_can_echo_the_callers_secrets(cloud: LocalCloud, project: Project) -> None:
    cloud.faults.add(faults.error("BatchStatus"), faults.error("BatchStatus", echo="{token} {secret}"))
    reply = status(cloud, "a")
    assert (reply.status, reply.code, reply.message) == (500, "DRS.M00004", "Service is abnormal. Check logs.")
    token = token_for(cloud)
    assert post(cloud, "jobs/batch-status", {"jobs": ["a"]}, token=token).message == f"{token} DUMMY-PASSWORD"


# -- reading by id ----------------------------------------------------------------------------------------------------


def test_page_has_five_jobs_unless_the_call_says_otherwise(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=12)
    for name in ("batch-status", "batch-detail"):
        assert [one["id"] for one in post(cloud, f"jobs/{name}", {"jobs": ids}).json["results"]] == ids[:5]
        second = {"jobs": ids, "page_req": {"cur_page": 2}}
        assert [one["id"] for one in post(cloud, f"jobs/{name}", second).json["results"]] == ids[5:10]
    assert [one["id"] for one in status(cloud, *ids, cur_page=2, per_page=10).json["results"]] == ids[10:]
    for everything in ({"cur_page": 1, "per_page": 0}, {"cur_page": 0, "per_page": 0}, {"cur_page": 0}):
        reply = status(cloud, *ids, **everything)
        assert len(reply.json["results"]) == reply.json["count"] == 12


@pytest.mark.parametrize(
    ("page_req", "code"),
    [
        ({"cur_page": 2, "per_page": 5}, "DRS.M00211"),
        ({"per_page": 101}, "DRS.M00210"),
        ({"per_page": -1}, "DRS.M00210"),
        ({"per_page": "5"}, "DRS.M00210"),
        ({"cur_page": None}, "DRS.M00210"),
        ({"cur_page": 2, "per_page": 0}, "DRS.M00210"),
        ({"page": 1}, "DRS.M00202"),
        ([], "DRS.M00202"),
    ],
)
def test_bad_pages(cloud: LocalCloud, project: Project, page_req: object, code: str) -> None:
    ids = project.add_jobs(count=5)
    reply = post(cloud, "jobs/batch-status", {"jobs": ids, "page_req": page_req})
    assert (reply.status, reply.code) == (400, code)


@pytest.mark.parametrize(
    ("jobs", "code"),
    [([], "DRS.M00300"), (None, "DRS.M00300"), ([{"job_id": "a"}], "DRS.M00202"), (["a", "a"], "DRS.M00301")],
)
def test_bad_ids_in_reads(cloud: LocalCloud, project: Project, jobs: object, code: str) -> None:
    for name in ("batch-status", "batch-detail", "batch-progress"):
        assert post(cloud, f"jobs/{name}", {"jobs": jobs}).code == code
    assert kinds(cloud) == []


def test_unknown_ids_are_left_out_or_failed_items(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs()
    (gone,) = project.add_jobs(deleted=True)
    assert set(status(cloud, job, "unknown", gone).outcomes) == {job}
    cloud.world.drs.configure(unknown_reads="failed")
    outcomes = status(cloud, job, "unknown", gone).outcomes
    assert (outcomes["unknown"], outcomes[gone]) == ("DRS.M05003", "DRS.M05004")


@pytest.mark.parametrize("name", ["batch-status", "batch-detail", "batch-progress"])
def test_reads_of_unknown_ids_only_are_400_with_the_batch_body(cloud: LocalCloud, project: Project, name: str) -> None:
    (gone,) = project.add_jobs(deleted=True)
    reply = post(cloud, f"jobs/{name}", {"jobs": ["unknown", gone]})
    assert reply.status == 400
    assert reply.outcomes == {"unknown": "DRS.M05003", gone: "DRS.M05004"}
    assert set(reply.json) == {"count", "results"}


def test_status_of_a_failed_job_says_why(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs(code="DRS.KE0002", message="The username or password is incorrect.")
    assert status(cloud, job).json["results"] == [
        {
            "id": job,
            "status": "FULL_TRANSFER_FAILED",
            "error_code": "DRS.KE0002",
            "error_message": "The username or password is incorrect.",
        }
    ]


def test_details_hold_the_secrets_of_the_databases(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=2)
    reply = post(cloud, "jobs/batch-detail", {"jobs": ids})
    ends = [one[end] for one in reply.json["results"] for end in ("source_endpoint", "target_endpoint")]
    shown = {end[key] for end in ends for key in ("db_password", "ssl_cert_key", "ssl_cert_password")}
    assert shown == set(cloud.world.drs.canaries)
    assert len(shown) == 12
    other_calls = [
        status(cloud, *ids),
        listing(cloud),
        post(cloud, "jobs/batch-progress", {"jobs": ids}),
        retry(cloud, *ids),
    ]
    assert not any(canary in one.body.decode() for canary in shown for one in other_calls)


def test_details_give_times_as_text_of_milliseconds(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs(phase="incremental", age="2h", message="Deadlock found", name="shop")
    (shown,) = post(cloud, "jobs/batch-detail", {"jobs": [job]}).json["results"]
    created = project.jobs().task(job).created
    assert (shown["name"], shown["create_time"], shown["failed_reason"]) == (
        "shop",
        f"{created}000",
        "Deadlock found",
    )
    assert all(shown[key].isdigit() for key in ("actual_start_time", "full_transfer_complete_time", "update_time"))
    assert (shown["parent_id"], shown["multi_write"], shown["db_use_type"]) == (None, False, "migration")


def test_progress_is_answered_202(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs()
    reply = post(cloud, "jobs/batch-progress", {"jobs": [job]})
    assert reply.status == 202
    (shown,) = reply.json["results"]
    assert (shown["job_id"], shown["transfer_status"]) == (job, "FULL_TRANSFER_FAILED")
    assert isinstance(shown["progress_map"], dict)


# -- the list ---------------------------------------------------------------------------------------------------------


def test_list_is_of_one_kind_newest_first(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=3, age={"from": "3h", "to": "1h"})
    (other,) = project.add_jobs("sync")
    reply = listing(cloud)
    assert [one["id"] for one in reply.json["jobs"]] == ids[::-1]
    assert reply.json["total_record"] == 3
    assert [one["id"] for one in listing(cloud, db_use_type="sync").json["jobs"]] == [other]
    assert listing(cloud, db_use_type="cloudDataGuard").json == {"total_record": 0, "jobs": []}


def test_job_of_a_list_has_every_documented_field(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs(age="2h", name="shop-{n}")
    (shown,) = listing(cloud).json["jobs"]
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(project.jobs().task(job).created))
    assert shown == {
        "id": job,
        "name": "shop-0",
        "status": "FULL_TRANSFER_FAILED",
        "description": "",
        "create_time": created,
        "error_msg": "Communications link failure",
        "engine_type": "mysql",
        "net_type": "eip",
        "billing_tag": False,
        "job_direction": "up",
        "db_use_type": "migration",
        "task_type": "FULL_INCR_TRANS",
        "node_newFramework": False,
    }


def test_list_pages(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=25, age={"from": "3h", "to": "1h"})[::-1]
    assert [one["id"] for one in listing(cloud, cur_page=None, per_page=None).json["jobs"]] == ids[:10]
    assert [one["id"] for one in listing(cloud, cur_page=2, per_page=20).json["jobs"]] == ids[20:]
    for everything in ({"cur_page": 0}, {"per_page": 0}):
        assert [one["id"] for one in listing(cloud, **everything).json["jobs"]] == ids
    beyond = listing(cloud, cur_page=2)
    assert (beyond.json["total_record"], beyond.json["jobs"]) == (25, [])
    cloud.world.drs.configure(beyond_end="refuse")
    assert listing(cloud, cur_page=2).code == "DRS.M00211"
    assert listing(cloud, db_use_type="sync").status == 200


BAD_LISTS: list[tuple[dict[str, object], str]] = [
    ({"db_use_type": None}, "DRS.M00201"),
    ({"db_use_type": ""}, "DRS.M00201"),
    ({"db_use_type": "all"}, "DRS.M00202"),
    ({"per_page": 101}, "DRS.M00210"),
    ({"cur_page": "1"}, "DRS.M00210"),
    ({"status": "FAILED"}, "DRS.M00202"),
    ({"status": "FULL_TRANSFER_FAILED,PAUSING"}, "DRS.M00202"),
    ({"limit": 10}, "DRS.M00202"),
    ({"name": ",".join(f"job-{number}" for number in range(101))}, "DRS.M00202"),
]


@pytest.mark.parametrize(("members", "code"), BAD_LISTS, ids=[str(*row[0]) for row in BAD_LISTS])
def test_list_that_is_wrong(cloud: LocalCloud, project: Project, members: dict[str, object], code: str) -> None:
    reply = listing(cloud, **members)
    assert (reply.status, reply.code) == (400, code)


def test_list_filters(cloud: LocalCloud, project: Project) -> None:
    (full,) = project.add_jobs(phase="full", name="shop")
    (incremental,) = project.add_jobs(phase="incremental", name="warehouse")
    (paused,) = project.add_jobs(status="stopped")

    def found(**members: object) -> list[str]:
        reply = listing(cloud, **members)
        assert reply.json["total_record"] == len(reply.json["jobs"])
        return [one["id"] for one in reply.json["jobs"]]

    assert found(status="FULL_TRANSFER_FAILED") == [full]
    assert found(status="INCRE_TRANSFER_FAILED") == [incremental]
    assert found(status="PAUSING") == [paused]
    assert sorted(found(name=f"{full},{paused},unknown")) == sorted([full, paused])
    assert found(name="ware") == [incremental]
    assert found(engine_type="", status="") == found(name="")


def test_paused_jobs_may_have_other_names_and_no_filter(cloud: LocalCloud, project: Project) -> None:
    project.add_jobs(status="stopped")
    cloud.world.drs.configure(paused_word="PAUSEING")
    assert listing(cloud, status="PAUSING").json["jobs"][0]["status"] == "PAUSEING"
    cloud.world.drs.configure(paused_filter="refuse")
    assert listing(cloud, status="PAUSING").code == "DRS.M00202"


def test_children_stand_below_their_parent(cloud: LocalCloud, project: Project) -> None:
    jobs = project.jobs()
    (parent,) = jobs.add_tasks(status="running", multi_write=True, children=[{"status": "fail"}, {"status": "running"}])
    failed, running = jobs.children_of(parent)
    (shown,) = listing(cloud).json["jobs"]
    assert [(one["id"], one["status"]) for one in shown["children"]] == [
        (failed, "FULL_TRANSFER_FAILED"),
        (running, "FULL_TRANSFER_STARTED"),
    ]
    for members in ({"status": "FULL_TRANSFER_FAILED"}, {"name": running}):
        assert [one["id"] for one in listing(cloud, **members).json["jobs"]] == [parent]


def test_job_action_is_huawei_clouds(cloud: LocalCloud, project: Project) -> None:
    (failed,) = project.add_jobs(age="3h")
    project.add_jobs(age="2h", job_action=["START"])
    project.add_jobs(age="1h", status="running")
    actions = [one.get("job_action") for one in listing(cloud).json["jobs"]]
    assert [actions[0], actions[2]] == [None, None]
    assert actions[1]["available_actions"] == ["START"]
    cloud.world.drs.configure(dialect="hw")
    available = ["RETRY" in one["job_action"]["available_actions"] for one in listing(cloud).json["jobs"]]
    assert available == [False, False, True]
    action = send(cloud, "GET", f"/v5/{PROJECT}/jobs/{failed}/actions").json["job_action"]
    assert "RETRY" in action["available_actions"]
    assert send(cloud, "GET", f"/v5/{PROJECT}/jobs/unknown/actions").code == "DRS.10000010"


def test_query_is_refused(cloud: LocalCloud, project: Project) -> None:
    assert post(cloud, "jobs?offset=0", {"db_use_type": "sync"}).code == "DRS.M00200"


def test_signed_list(cloud: LocalCloud, project: Project) -> None:
    project.add_jobs()
    request = signed(cloud, "POST", f"/v3/{PROJECT}/jobs", {"db_use_type": "migration"})
    assert request.send(cloud).json["total_record"] == 1


# -- scenarios --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonsense": 1},
        {"dialect": "aws"},
        {"projects": {"p": {"jobs": {"backup": {}}}}},
        {"projects": {"p": {"jobs": {"sync": {"tasks": [{"phase": "half"}]}}}}},
        {"projects": {"p": {"jobs": {"sync": {"tasks": [{"colour": "red"}]}}}}},
        {"users": [{"name": "a"}]},
    ],
)
def test_scenario_that_cannot_be_built(cloud: LocalCloud, wrong: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError):
        cloud.load({"drs": wrong})
