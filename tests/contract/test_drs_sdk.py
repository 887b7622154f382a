# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Huawei Cloud's Python SDK, unchanged, driven against the local cloud."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdrs.v3 import (
    BatchListJobDetailsRequest,
    BatchListJobStatusRequest,
    BatchListProgressesRequest,
    BatchQueryJobReqPage,
    BatchQueryProgressReq,
    BatchRestoreTaskRequest,
    BatchRetryReq,
    DrsClient,
    PageReq,
    QueryJobsReq,
    RetryInfo,
    ShowJobListRequest,
)

from contract.wire_drs import KEY, OTHER, PROJECT, SECRET, TEMPORARY, furnish
from local_cloud import faults
from local_cloud.services.drs_jobs import Project
from local_cloud.testing import LocalCloud

pytestmark = [
    # All of v3 is deprecated in favour of v5, which Open Telekom Cloud does not have.
    pytest.mark.filterwarnings("ignore:Method '.*' of DrsClient is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:\w+Response.to_dict\(\) is deprecated:DeprecationWarning"),
]


@pytest.fixture
def project(cloud: LocalCloud) -> Project:
    return furnish(cloud)


@pytest.fixture
def client(cloud: LocalCloud, project: Project) -> Any:
    return connect(cloud)


def connect(
    cloud: LocalCloud,
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    project_id: str | None = PROJECT,
) -> Any:
    """A client; without a project id it asks IAM for the project that bears the name of the region."""
    credentials = BasicCredentials(key, secret, project_id).with_iam_endpoint(cloud.url)
    if token is not None:
        credentials = credentials.with_security_token(token)
    builder = DrsClient.new_builder().with_credentials(credentials)
    if project_id is None:
        return builder.with_region(Region("eu-de", cloud.url)).build()
    return builder.with_endpoints([cloud.url]).build()


def retry(client: Any, *ids: str, re_edit: bool | None = None) -> Any:
    infos = [RetryInfo(job_id=one, is_sync_re_edit=re_edit) for one in ids]
    return client.batch_restore_task(BatchRestoreTaskRequest(body=BatchRetryReq(jobs=infos)))


def status(client: Any, *ids: str) -> Any:
    body = BatchQueryJobReqPage(jobs=list(ids), page_req=PageReq(cur_page=1, per_page=0))
    return client.batch_list_job_status(BatchListJobStatusRequest(body=body))


def progress(client: Any, *ids: str) -> Any:
    return client.batch_list_progresses(BatchListProgressesRequest(body=BatchQueryProgressReq(jobs=list(ids))))


def listing(client: Any, **filters: Any) -> Any:
    body = QueryJobsReq(**{"cur_page": 1, "per_page": 100, "db_use_type": "migration", **filters})
    return client.show_job_list(ShowJobListRequest(body=body))


def problem(call: Callable[[], object]) -> tuple[int, str, str]:
    with pytest.raises(ServiceResponseException) as caught:
        call()
    assert len(caught.value.request_id) == 24
    return caught.value.status_code, caught.value.error_code, caught.value.error_msg


@pytest.mark.parametrize("keys", [(KEY, SECRET), TEMPORARY], ids=["lasting", "temporary"])
def test_failed_jobs_are_listed_retried_and_healthy(cloud: LocalCloud, project: Project, keys: tuple[str, ...]) -> None:
    failed = project.add_jobs(count=3, phase="incremental")
    project.add_jobs(count=2, status="running")
    client = connect(cloud, *keys)
    listed = listing(client, status="INCRE_TRANSFER_FAILED")
    assert sorted(job.id for job in listed.jobs) == sorted(failed)
    assert listed.total_record == 3
    results = retry(client, *failed).results
    assert [(one.id, one.status, one.error_code) for one in results] == [(one, "success", None) for one in failed]
    assert {one.status for one in status(client, *failed).results} == {"STARTJOBING"}
    assert {one.status for one in status(client, *failed).results} == {"INCRE_TRANSFER_STARTED"}
    assert cloud.executed() == cloud.retried() == Counter(failed)
    assert cloud.violations == []


def test_project_is_found_by_the_name_of_the_region(cloud: LocalCloud, project: Project) -> None:
    ids = project.add_jobs()
    client = connect(cloud, project_id=None)
    assert retry(client, *ids).results[0].status == "success"
    assert [request.operation for request in cloud.requests] == ["ListProjects", "BatchRetryTask"]


def test_each_job_of_a_batch_has_its_own_result(client: Any, project: Project) -> None:
    (good,) = project.add_jobs(re_edit=True)
    (busy,) = project.add_jobs(busy_for=1, re_edit=True)
    results = retry(client, good, busy, "unknown", re_edit=True).results
    assert [(one.id, one.status, one.error_code) for one in results] == [
        (good, "success", None),
        (busy, "failed", "DRS.M01504"),
        ("unknown", "failed", "DRS.M05003"),
    ]


def test_batch_of_unknown_ids_only_is_an_error_without_a_code(client: Any) -> None:
    code, error_code, text = problem(lambda: retry(client, "unknown"))
    assert (code, error_code) == (400, "400")
    assert json.loads(text)["results"][0]["error_code"] == "DRS.M05003"


def test_details_are_understood(client: Any, project: Project) -> None:
    jobs = project.jobs("cloudDataGuard")
    (parent,) = jobs.add_tasks(status="running", multi_write=True, children=[{"message": "Deadlock found"}])
    (child,) = jobs.children_of(parent)
    body = BatchQueryJobReqPage(jobs=[parent, child])
    shown = client.batch_list_job_details(BatchListJobDetailsRequest(body=body)).results
    assert [(one.id, one.parent_id, one.multi_write) for one in shown] == [(parent, None, True), (child, parent, True)]
    assert (shown[1].failed_reason, shown[1].error_code) == ("Deadlock found", "DRS.M01501")
    assert shown[1].create_time == f"{jobs.task(child).created}000"
    assert shown[1].source_endpoint.db_password in project.jobs("cloudDataGuard").canaries()


def test_progress_is_understood(client: Any, project: Project) -> None:
    (job,) = project.add_jobs()
    (shown,) = progress(client, job).results
    assert (shown.job_id, shown.transfer_status) == (job, "FULL_TRANSFER_FAILED")
    assert shown.progress_map["data"].completed == "42%"


def test_children_and_actions_of_a_list_are_understood(cloud: LocalCloud, client: Any, project: Project) -> None:
    cloud.world.drs.configure(dialect="hw")
    project.add_jobs(status="running", children=[{}])
    (shown,) = listing(client).jobs
    assert [one.status for one in shown.children] == ["FULL_TRANSFER_FAILED"]
    assert "RETRY" not in shown.job_action.available_actions


def test_wrong_keys(cloud: LocalCloud, project: Project) -> None:
    words = "Incorrect IAM authentication information: "
    for keys, text in (
        ((KEY, "wrong"), "verify aksk signature fail"),
        (("AKNOBODY", "wrong"), "Get secretKey failed"),
        (TEMPORARY[:2], "the security token is invalid"),
    ):
        client = connect(cloud, *keys)
        assert problem(lambda client=client: listing(client)) == (401, "APIGW.0301", words + text)  # type: ignore[misc]


def test_somebody_elses_project(cloud: LocalCloud, project: Project) -> None:
    cloud.world.add_account("AKOTHER", "secret", projects=[OTHER])
    client = connect(cloud, "AKOTHER", "secret")
    assert problem(lambda: listing(client)) == (403, "DRS.M00261", "Invalid project ID.")


def test_throttled_retry_is_not_sent_again_by_the_sdk(cloud: LocalCloud, client: Any, project: Project) -> None:
    ids = project.add_jobs()
    cloud.faults.add(faults.throttle("BatchRetryTask"))
    assert problem(lambda: retry(client, *ids))[:2] == (429, "APIGW.0308")
    assert len(cloud.requests) == 1


def _probes() -> list[Any]:
    path = Path(__file__).parent.parent / "data" / "captures" / "hw_error_and_shape_probes.json"
    return [pytest.param(case, id=case["case"]) for case in json.loads(path.read_text())["cases"]]


@pytest.mark.parametrize("case", _probes())
def test_sdk_makes_of_any_answer_what_was_recorded(cloud: LocalCloud, client: Any, case: Mapping[str, Any]) -> None:
    served, recorded = case["served"], dict(case["sdk_result"])
    body = served["body"] if isinstance(served["body"], str) else json.dumps(served["body"])
    headers = dict(served["headers"])
    cloud.faults.add(
        faults.raw(
            status=served["status"], body=body, content_type=headers.pop("Content-Type"), headers=headers, times=None
        )
    )
    call = progress if "progress" in case["case"] else status if "status unknown" in case["case"] else retry
    result: dict[str, Any]
    try:
        result = {"parsed": {**call(client, "a").to_dict(), "status_code": served["status"]}}
    except ServiceResponseException as error:
        names = ("status_code", "error_code", "error_msg", "request_id")
        result = {"raised": type(error).__name__, **{name: getattr(error, name) for name in names}}
    except AttributeError as error:
        result = {"raised": "AttributeError", "text": str(error)}
    if recorded.get("request_id", "") is None:
        # The reply of the local cloud names its request always.
        recorded["request_id"] = cloud.requests[-1].request_id
    assert result == recorded
