# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is special to DRS. What all services do alike is in test_conformance.py."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_cloud import faults
from local_cloud.faults import FOREVER
from local_cloud.services.drs_jobs import Project
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.services import DOMAIN, DRS, KEY_ID, PASSWORD, PROJECT_ID, SECRET, USER

INFO, RETRY = DRS.info, DRS.act
WHERE: dict[str, Any] = {"project_id": PROJECT_ID}
ALL: dict[str, Any] = {**WHERE, "all_failed": True}
NO_WHERE: dict[str, Any] = dict.fromkeys(WHERE)
FAST: dict[str, Any] = {"wait": True, "wait_interval": 0.1, "wait_timeout": 60}
NO_PASSWORD: dict[str, Any] = dict.fromkeys(("username", "password", "user_domain_name"))
BY_KEY: dict[str, Any] = {**NO_PASSWORD, "access_key": KEY_ID, "secret_key": SECRET}
LOGIN, LIST, DETAIL, RETRIES = "CreateToken", "ListJobs", "BatchDetail", "BatchRetryTask"


@pytest.fixture
def project(cloud: LocalCloud) -> Project:
    """The one project of most tests, empty; its name is eu-de."""
    DRS.prepare(cloud)
    return cloud.world.drs.project(PROJECT_ID)


def operations(ran: Ran) -> dict[str, int]:
    """How often each operation was called."""
    return dict(Counter(request.operation for request in ran.arrived))


def codes(ran: Ran) -> dict[str, str]:
    """The error code of each job that has one."""
    return {task["id"]: task["error"]["code"] for task in ran["tasks"] if "error" in task}


def sent(cloud: LocalCloud) -> list[dict[str, Any]]:
    """What each retry asked for."""
    return [json.loads(request.body) for request in cloud.calls(RETRIES)]


# -- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({}, {LOGIN: 1}),
        ({"project_id": None, "project_name": "eu-de"}, {LOGIN: 1}),
        (BY_KEY, {}),
        ({**BY_KEY, "project_id": None, "project_name": "eu-de"}, {"ListProjects": 1}),
    ],
    ids=["password", "password, name", "key", "key, name"],
)
def test_a_password_lets_in_and_so_does_a_key(
    ansible: Ansible, cloud: LocalCloud, project: Project, options: dict[str, Any], calls: dict[str, int]
) -> None:
    ids = project.add_jobs(count=2)
    ran = ansible(RETRY, {**ALL, **options, "region": "eu-de"})
    assert not ran.failed
    assert ran.executed == Counter(ids)
    # Looked at when listed, and just before the retry.
    assert operations(ran) == {**calls, LIST: 3, DETAIL: 2, RETRIES: 1}
    assert not cloud.violations


def test_a_token_lets_in_and_is_not_exchanged(module: Direct, cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=1)
    token = cloud.world.drs.add_token(cloud.world.drs.identity.users[0], PROJECT_ID)
    for where in (WHERE, {"project_name": "eu-de"}):
        ran = module(INFO, {**where, **NO_PASSWORD, "auth_token": token})
        assert ran.ids == ids
        assert LOGIN not in operations(ran)
        assert token not in ran.output


def test_a_token_that_has_expired_stops_the_run_and_says_what_to_do(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    project.add_jobs(count=1)
    token = cloud.world.drs.add_token(cloud.world.drs.identity.users[0], PROJECT_ID)
    cloud.world.drs.expire_tokens()
    ran = module(RETRY, {**ALL, **NO_PASSWORD, "auth_token": token})
    assert ran.failed
    assert "APIGW.0307" in ran.msg
    assert "get a new one" in ran.msg
    assert len(ran.arrived) == 1


def test_a_temporary_key_needs_its_token(module: Direct, cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=1)
    cloud.world.add_account("TEMPORARY", "temporarySecret", security_token="temporary-token==")
    options = {**WHERE, **NO_PASSWORD, "access_key": "TEMPORARY", "secret_key": "temporarySecret"}
    assert module(INFO, {**options, "security_token": "temporary-token=="}).ids == ids
    ran = module(INFO, options)
    assert ran.failed
    assert "security_token" in ran.msg


ENVIRONMENTS: list[dict[str, str]] = [
    {"OS_USERNAME": USER, "OS_PASSWORD": PASSWORD, "OS_USER_DOMAIN_NAME": DOMAIN, "OS_PROJECT_NAME": "eu-de"},
    {"OS_ACCESS_KEY": KEY_ID, "OS_SECRET_KEY": SECRET, "OS_PROJECT_ID": PROJECT_ID},
    {"HUAWEICLOUD_SDK_AK": KEY_ID, "HUAWEICLOUD_SDK_SK": SECRET, "HUAWEICLOUD_SDK_PROJECT_ID": PROJECT_ID},
]


@pytest.mark.parametrize("environ", ENVIRONMENTS, ids=lambda environ: next(iter(environ)))
def test_the_environment_lets_in(module: Direct, project: Project, environ: dict[str, str]) -> None:
    ids = project.add_jobs(count=1)
    assert module(INFO, NO_PASSWORD, environ=environ).ids == ids


def write_clouds(cloud: LocalCloud, folder: Path, **more: Any) -> dict[str, str]:
    """A clouds.yaml with the entry otc, and the environment that names it."""
    auth = {"auth_url": f"{cloud.url}/v3", "username": USER, "password": PASSWORD, "user_domain_name": DOMAIN}
    entry = {"auth": {**auth, "project_name": "eu-de"}, "region_name": "eu-de", **more}
    path = folder / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"otc": entry, "other": {}}}))
    return {"OS_CLIENT_CONFIG_FILE": str(path)}


def test_an_entry_of_clouds_yaml_lets_in(ansible: Ansible, cloud: LocalCloud, project: Project, tmp_path: Path) -> None:
    ids = project.add_jobs(count=1)
    ran = ansible(INFO, {"cloud": "otc"}, environ=write_clouds(cloud, tmp_path), defaults=False)
    assert ran.ids == ids
    assert PASSWORD not in ran.output


def test_a_cloud_that_is_not_there_is_named_with_those_that_are(
    module: Direct, cloud: LocalCloud, project: Project, tmp_path: Path
) -> None:
    ran = module(INFO, {"cloud": "otx"}, environ=write_clouds(cloud, tmp_path), defaults=False)
    assert ran.failed
    assert "Clouds there: otc, other." in ran.msg
    assert not ran.arrived


def test_a_wrong_password_is_tried_once_and_locks_no_account(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    for _try in range(2):
        ran = module(RETRY, {**ALL, "password": "not-the-password"})
        assert ran.failed
        assert "a few wrong ones" in ran.msg
        assert operations(ran) == {LOGIN: 1}
    assert not module(INFO, WHERE).failed


def test_a_locked_account_is_said_to_be_locked(module: Direct, cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.configure(lock_after=1)
    module(INFO, {**WHERE, "password": "not-the-password"})
    ran = module(INFO, WHERE)
    assert ran.failed
    assert "IAM.0061" in ran.msg
    assert "Wait" in ran.msg


@pytest.mark.parametrize("code", ["APIGW.0307", "DRS.M00100"])
@pytest.mark.parametrize("operation", [LIST, DETAIL, RETRIES])
def test_a_token_that_ends_during_the_run_is_renewed_once(
    module: Direct, cloud: LocalCloud, project: Project, operation: str, code: str
) -> None:
    ids = project.add_jobs(count=3)
    status = 401 if code.startswith("APIGW") else 403
    cloud.faults.add(faults.error(operation, status=status, code=code))
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert operations(ran)[LOGIN] == 2
    assert not cloud.violations


def test_a_token_that_is_never_good_ends_in_words(module: Direct, cloud: LocalCloud, project: Project) -> None:
    project.add_jobs(count=25)
    cloud.faults.add(faults.error(RETRIES, status=401, code="APIGW.0307", times=FOREVER))
    ran = module(RETRY, ALL)
    assert ran.failed
    assert operations(ran)[LOGIN] == 2
    assert ran.outcomes() == {"refused": 10, "not_attempted": 15}


def test_a_password_that_is_changed_during_the_run_leaves_the_rest_unattempted(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    project.add_jobs(count=25)
    cloud.faults.add(faults.error(RETRIES, status=401, code="APIGW.0307", skip=1))
    cloud.faults.add(faults.error(LOGIN, status=401, code="IAM.0001", skip=1))
    ran = module(RETRY, ALL)
    assert ran.failed
    assert operations(ran)[LOGIN] == 2
    assert ran.outcomes() == {"accepted": 10, "refused": 10, "not_attempted": 5}
    assert not cloud.violations


def test_an_identity_service_that_is_away_for_the_renewal_leaves_the_rest_unattempted(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    project.add_jobs(count=25)
    cloud.faults.add(faults.error(RETRIES, status=401, code="APIGW.0307", skip=1))
    cloud.faults.add(faults.html(LOGIN, status=503, skip=1))
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"accepted": 10, "refused": 10, "not_attempted": 5}
    assert operations(ran)[LOGIN] == 2


@pytest.mark.parametrize("answer", ["refused", "away", "cut"])
def test_no_password_is_sent_after_a_renewal_that_failed(
    module: Direct, cloud: LocalCloud, project: Project, answer: str
) -> None:
    """Neither by other threads nor by the looks of waiting: a few wrong ones lock the account."""
    project.add_jobs(count=60)
    cloud.faults.add(faults.error(DETAIL, status=401, code="APIGW.0307", skip=4, times=FOREVER))
    cloud.faults.add(faults.error(RETRIES, status=401, code="APIGW.0307", skip=1, times=FOREVER))
    failing = {
        "refused": faults.error(LOGIN, status=401, code="IAM.0001", skip=1, times=FOREVER),
        "away": faults.html(LOGIN, status=503, skip=1, times=FOREVER),
        "cut": faults.cut(LOGIN, skip=1, times=FOREVER),
    }
    cloud.faults.add(failing[answer])
    ran = module(RETRY, {**ALL, **FAST, "concurrency": 4})
    assert ran.failed
    assert operations(ran)[LOGIN] == 2


@pytest.mark.parametrize("names", [[], ["eu-de_a", "eu-de_a"]])
def test_a_project_name_means_exactly_one(
    module: Direct, cloud: LocalCloud, project: Project, names: list[str]
) -> None:
    for number, name in enumerate(names):
        cloud.world.drs.add_project(f"p{number}", name)
    ran = module(INFO, {**BY_KEY, "project_name": "eu-de_a"})
    assert ran.failed
    assert "project_id" in ran.msg
    assert operations(ran) == {"ListProjects": 1}


# -- where ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("catalog", [True, "without_project"])
def test_the_service_catalog_says_where_drs_is(
    module: Direct, cloud: LocalCloud, project: Project, catalog: bool | str
) -> None:
    cloud.world.drs.configure(catalog=catalog)
    ids = project.add_jobs(count=1)
    for region in (None, "eu-de"):
        assert module(INFO, {**WHERE, "endpoint": None, "region": region}).ids == ids


def test_without_a_catalog_and_a_known_region_the_endpoint_is_asked_for(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    cloud.world.drs.configure(catalog=False)
    ran = module(INFO, {**WHERE, "endpoint": None, "region": "eu-ch2"})
    assert ran.failed
    assert "Set the option endpoint" in ran.msg


@pytest.mark.parametrize("url", ["http://drs.example.com", "https://user:secret-word@drs.example.com", "https://x/y/z"])
def test_a_catalog_is_not_trusted_blindly(module: Direct, cloud: LocalCloud, project: Project, url: str) -> None:
    cloud.world.drs.configure(catalog_url=url, catalog="without_project")
    ran = module(INFO, {**WHERE, "endpoint": None})
    assert ran.failed
    assert "service catalog" in ran.msg
    assert "secret-word" not in ran.output
    assert operations(ran) == {LOGIN: 1}


@pytest.mark.parametrize("option", ["auth_url", "endpoint"])
def test_no_password_goes_over_plain_http(module: Direct, project: Project, option: str) -> None:
    ran = module(INFO, {**WHERE, option: "http://192.0.2.1/v3"})
    assert ran.failed
    assert f"{option} 'http://192.0.2.1' is plain http" in ran.msg
    assert not ran.arrived


def test_a_password_in_an_address_is_not_shown(module: Direct, project: Project) -> None:
    ran = module(INFO, {**WHERE, "auth_url": "https://user:secret-word@iam.example.com/v3"})
    assert ran.failed
    assert "secret-word" not in ran.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"project_id": "../x"}, "project_id is no project id"),
        ({"db_use_type": []}, "db_use_type is empty"),
        ({"db_use_type": ["backup"]}, "migration, sync, cloudDataGuard"),
        ({"job_ids": ["a/b"]}, "no job id"),
        ({"access_key": KEY_ID, "secret_key": SECRET}, "are given at once"),
        ({"password": None}, "without password"),
    ],
)
def test_a_wrong_option_ends_in_words_before_anything_is_sent(
    module: Direct, project: Project, options: dict[str, Any], words: str
) -> None:
    ran = module(INFO, {**WHERE, **options})
    assert ran.failed
    assert words in ran.msg
    assert not ran.arrived


def test_another_project_is_denied(module: Direct, cloud: LocalCloud, project: Project) -> None:
    ran = module(INFO, {**BY_KEY, "project_id": "00000000000000000000000000000000"})
    assert ran.failed
    assert "DRS.M00261" in ran.msg
    assert "project_id" in ran.msg


# -- which jobs -------------------------------------------------------------------------------------------------------


def test_every_kind_of_job_is_looked_at_unless_one_is_named(module: Direct, project: Project) -> None:
    ids = {kind: project.add_jobs(kind, count=1) for kind in ("migration", "sync", "cloudDataGuard")}
    assert sorted(module(INFO, WHERE).ids) == sorted(one for some in ids.values() for one in some)
    ran = module(INFO, {**WHERE, "db_use_type": ["sync"]})
    assert (ran.ids, operations(ran)[LIST]) == (ids["sync"], 1)


@pytest.mark.parametrize("beyond_end", ["empty", "refuse"])
@pytest.mark.parametrize("unknown_reads", ["omit", "failed"])
def test_more_jobs_than_a_page_are_found_by_list_and_by_id(
    module: Direct, cloud: LocalCloud, project: Project, beyond_end: str, unknown_reads: str
) -> None:
    cloud.world.drs.configure(beyond_end=beyond_end, unknown_reads=unknown_reads)
    ids = project.add_jobs(count=205, age={"from": "9h", "to": "1h"})
    assert module(INFO, WHERE).ids == ids
    ran = module(INFO, {**WHERE, "job_ids": [*ids, "nowhere"]})
    assert ran.ids == [*ids, "nowhere"]
    assert ran.counts("missing") == (1,)


@pytest.mark.parametrize("code", ["DRS.M05003", "DRS.M00289"])
def test_ids_of_which_none_is_known_are_missing(module: Direct, cloud: LocalCloud, project: Project, code: str) -> None:
    cloud.world.drs.configure(unknown_id_code=code)
    deleted = project.add_jobs(count=1, deleted=True)
    ran = module(RETRY, {**WHERE, "job_ids": ["nowhere", *deleted]})
    assert ran.failed
    assert ran.counts("missing", "retry") == (2, 0)
    assert not ran.changes


@pytest.mark.parametrize("word", ["PAUSING", "PAUSEING", "PAUSED"])
def test_a_paused_job_is_resumed_when_asked_for(module: Direct, cloud: LocalCloud, project: Project, word: str) -> None:
    cloud.world.drs.configure(paused_word=word, paused_filter="refuse")
    ids = project.add_jobs(status="stopped")
    assert module(INFO, {**WHERE, "states": ["paused"]}).by_id()[ids[0]]["status"] == word
    assert module(RETRY, {**WHERE, "job_ids": ids}).by_id()[ids[0]]["action"] == "skip"
    ran = module(RETRY, {**ALL, "include_paused": True, **FAST})
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert ran.counts("recovered") == (1,)


FAILURES = (
    "CREATE_FAILED",
    "START_JOB_FAILED",
    "CHANGE_JOB_FAILED",
    "RELEASE_RESOURCE_FAILED",
    "CHILD_TRANSFER_FAILED",
    "REBUILD_NODE_FAILED",
    "NODE_UPGRADE_FAILED",
)


def test_what_is_no_failed_transfer_is_left_alone_until_asked_for(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    ids = [project.add_jobs(status=word)[0] for word in FAILURES]
    ran = module(RETRY, ALL)
    assert not ran.changes
    assert {task["failure"]["code"] for task in ran["tasks"]} == set(FAILURES)
    cloud.world.drs.configure(also_retryable=["START_JOB_FAILED"])
    ran = module(RETRY, {**ALL, "codes": ["START_JOB_FAILED"], "retry_classes": ["fix"]})
    assert ran.executed == Counter([ids[1]])
    assert not cloud.violations


@pytest.mark.parametrize("by_id", [False, True])
def test_what_the_service_offers_comes_before_the_state(
    module: Direct, cloud: LocalCloud, project: Project, by_id: bool
) -> None:
    cloud.world.drs.configure(dialect="hw", also_retryable=["START_JOB_FAILED"])
    offered = project.add_jobs(status="START_JOB_FAILED", job_action=["RETRY"])
    refused = project.add_jobs(job_action=["RESET", "STOP"])
    where = {**WHERE, "job_ids": [*offered, *refused]} if by_id else ALL
    ran = module(RETRY, {**where, "retry_classes": ["transient", "fix"]})
    assert ran.executed == Counter(offered)
    barred = ran.by_id()[refused[0]]
    assert (barred["action"], barred["failure"]["rule"]) == ("skip", "drs.retry_not_available")
    assert "RESET, STOP" in barred["failure"]["remedy"]
    assert not cloud.violations


@pytest.mark.parametrize("dialect", ["otc", "hw"])
@pytest.mark.parametrize("status", ["fail", "stopped"])
def test_of_a_dual_active_job_the_children_are_retried_and_the_parent_never(
    module: Direct, cloud: LocalCloud, project: Project, dialect: str, status: str
) -> None:
    cloud.world.drs.configure(dialect=dialect)
    parent = project.add_jobs(
        "cloudDataGuard", multi_write=True, status=status, children=[{"count": 2, "status": status}]
    )
    children = project.jobs("cloudDataGuard").children_of(parent[0])
    everything = {"retry_classes": ["transient", "unclassified", "fix"], "include_paused": True}
    ran = module(RETRY, {**WHERE, "job_ids": parent, **everything})
    assert not ran.changes
    assert all(child in ran["tasks"][0]["reason"] for child in children)
    ran = module(RETRY, {**ALL, **everything})
    assert ran.executed == Counter(children)
    assert ran.by_id()[parent[0]]["action"] == "skip"
    assert not cloud.violations


# -- retrying ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("case", ["lower", "title"])
def test_each_job_of_a_call_has_its_own_answer(
    module: Direct, cloud: LocalCloud, project: Project, status: int, case: str
) -> None:
    cloud.world.drs.configure(retry_status=status, result_case=case)
    good = project.add_jobs(count=3, age="3h")
    busy = project.add_jobs(count=1, busy_for=9, age="2h")
    ran = module(RETRY, ALL)
    assert ran.failed
    assert ran.executed == Counter(good)
    assert codes(ran) == {busy[0]: "DRS.M01504"}
    assert ran.outcomes() == {"accepted": 3, "refused": 1}


def test_jobs_that_vanish_just_before_the_call_are_gone(module: Direct, cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=2)
    body = json.dumps(
        {
            "results": [
                {"id": one, "status": "failed", "error_code": "DRS.M05004", "error_msg": "deleted"} for one in ids
            ]
        }
    )
    cloud.faults.add(faults.raw(RETRIES, status=400, body=body, content_type="application/json"))
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"refused": 2}
    assert {task["failure"]["class"] for task in ran["tasks"]} == {"gone"}


def test_a_job_that_the_answer_leaves_out_is_read_and_not_sent_again(
    module: Direct, cloud: LocalCloud, project: Project
) -> None:
    ids = project.add_jobs(count=3)
    cloud.world.drs.configure(leave_out=[ids[1]])
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran.outcomes() == {"accepted": 3}
    assert len(ran.changes) == 1


def test_a_service_that_takes_one_job_in_a_call_gets_one(module: Direct, cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.configure(max_jobs=1)
    ids = project.add_jobs(count=12)
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert [len(put.ids) for put in ran.changes] == [10, *[1] * 12]


@pytest.mark.parametrize("code", ["DRS.M00289", "DRS.M05004"])
def test_a_call_that_is_refused_for_the_sake_of_one_is_sent_one_by_one(
    module: Direct, cloud: LocalCloud, project: Project, code: str
) -> None:
    ids = project.add_jobs(count=3)
    cloud.faults.add(faults.error(RETRIES, status=400, code=code))
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert [len(put.ids) for put in ran.changes] == [3, 1, 1, 1]


def test_another_operation_in_a_whole_reply_is_no_success(module: Direct, cloud: LocalCloud, project: Project) -> None:
    """DRS.M01504 comes with HTTP 202."""
    project.add_jobs(count=2)
    cloud.faults.add(faults.error(RETRIES, status=202, code="DRS.M01504"))
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"refused": 2}
    assert set(codes(ran).values()) == {"DRS.M01504"}


def test_a_throttle_with_status_400_is_waited_out(module: Direct, cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.configure(throttle_code="DRS.M01503")
    ids = project.add_jobs(count=2)
    cloud.faults.add(faults.throttle(RETRIES, times=2))
    ran = module(RETRY, ALL)
    assert ran.executed == Counter(ids)
    assert ran["requests"]["throttled"] == 2


@pytest.mark.parametrize("check", [True, False])
def test_a_job_that_the_service_resumed_by_itself_is_not_retried(
    module: Direct, cloud: LocalCloud, project: Project, check: bool
) -> None:
    healed = project.add_jobs(heals_after_reads=2)
    ids = project.add_jobs(count=1)
    ran = module(RETRY, ALL, check=check)
    assert ran.executed == Counter(() if check else ids)
    task = ran.by_id()[healed[0]]
    assert (task["action"], task["outcome"]) == ("none", "none")
    assert task["state_after"] in ("running", "waiting", "succeeded")
    assert not cloud.violations


@pytest.mark.parametrize(("option", "more"), [(None, {}), (True, {"is_sync_re_edit": True})])
def test_is_sync_re_edit_is_left_out_unless_it_is_set(
    module: Direct, cloud: LocalCloud, project: Project, option: bool | None, more: dict[str, bool]
) -> None:
    ids = project.add_jobs("sync", count=1, re_edit=True)
    assert not module(RETRY, {**ALL, "is_sync_re_edit": option}).failed
    assert sent(cloud) == [{"jobs": [{"job_id": ids[0], **more}]}]


def test_a_job_that_does_not_take_is_sync_re_edit_is_refused_in_words(module: Direct, project: Project) -> None:
    project.add_jobs(count=1)
    ran = module(RETRY, {**ALL, "is_sync_re_edit": True})
    assert ran.outcomes() == {"refused": 1}
    assert "leave is_sync_re_edit out" in ran.msg


# -- waiting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task_type", ["FULL_TRANS", "FULL_INCR_TRANS", "INCR_TRANS"])
def test_a_job_has_recovered_when_it_works_though_it_never_ends(
    module: Direct, project: Project, task_type: str
) -> None:
    project.add_jobs(count=2, task_type=task_type)
    ran = module(RETRY, {**ALL, **FAST})
    assert not ran.failed
    assert ran.counts("accepted", "recovered", "still_running") == (2, 2, 0)


def test_a_job_that_fails_again_is_said_so_at_once(module: Direct, project: Project) -> None:
    project.add_jobs(count=1, then="fail")
    ran = module(RETRY, {**ALL, **FAST})
    assert ran.failed
    assert ran.counts("failed_again") == (1,)


# -- secrets ----------------------------------------------------------------------------------------------------------


def held(cloud: LocalCloud, ran: Ran) -> list[str]:
    """What is in the output and must not be."""
    secrets = [*cloud.world.drs.canaries, *cloud.world.drs.tokens, PASSWORD, SECRET]
    return [one for one in secrets if one in ran.output]


def test_passwords_of_databases_and_tokens_stay_out_of_everything(
    ansible: Ansible, cloud: LocalCloud, project: Project
) -> None:
    project.add_jobs(count=2)
    for module_name, options in ((INFO, WHERE), (RETRY, {**ALL, **FAST})):
        ran = ansible(module_name, options, diff=True, verbosity=3)
        assert not ran.failed
        assert len(cloud.world.drs.canaries) == 12
        assert held(cloud, ran) == []


@pytest.mark.parametrize("fault", ["cut", "broken_json", "wrong_shape"])
def test_nor_does_a_reply_that_cannot_be_read_show_them(
    module: Direct, cloud: LocalCloud, project: Project, fault: str
) -> None:
    project.add_jobs(count=2)
    more = {"shape": "list"} if fault == "wrong_shape" else {}
    cloud.faults.add(getattr(faults, fault)(DETAIL, times=FOREVER, **more))
    ran = module(INFO, {**WHERE, "max_attempts": 1})
    assert ran.failed
    assert held(cloud, ran) == []


def test_nor_a_message_that_repeats_one(module: Direct, cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=1, code="")
    task = project.jobs().task(ids[0])
    task.message = f"Access denied for user root with {task.details['db_password_source']}"
    ran = module(RETRY, ALL)
    assert held(cloud, ran) == []
    failure = ran["tasks"][0]["failure"]
    assert (failure["rule"], failure["message"]) == ("drs.access_denied", "Access denied for user root with ********")


def test_nor_a_refusal_that_repeats_one(module: Direct, cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs(count=1)
    word = project.jobs().task(ids[0]).details["db_password_source"]
    refused = {"id": ids[0], "status": "failed", "error_code": "DRS.M00999", "error_msg": f"login with {word} failed"}
    body = json.dumps({"results": [refused]})
    cloud.faults.add(faults.raw(RETRIES, status=400, body=body, content_type="application/json"))
    ran = module(RETRY, ALL)
    assert ran["tasks"][0]["error"]["message"] == "login with ******** failed"
    assert held(cloud, ran) == []
