# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between the services as far as a run of their modules goes. No behaviour: that is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from local_cloud.testing import LocalCloud

KEY_ID, SECRET = "testAccessKeyId", "testAccessKeySecret"
USER, PASSWORD, DOMAIN = "testUser", "testUserPassword", "testDomain"
PROJECT_ID = "054babbbde80d4602f5cc0043a40ed8c"
API_TOKEN = "testGeelarkBearerToken0123456789"


@dataclass(frozen=True)
class Service:
    """One service, its two modules, and how the local cloud plays it.

    :ivar id_option: names tasks
    :ivar scope: the names of what a task belongs to
    :ivar horizon: for so long the service shows a task; None where it does not tell
    :ivar batch: tasks in one retry call at the most
    :ivar expected: the state that a diff expects after a retry
    :ivar credentials: options that the local cloud accepts
    :ivar where: options that name the one parent of most tests
    :ivar retry: the operation that retries, as the local cloud calls it
    :ivar lists: the operations that list tasks, the one that shows their failures last
    :ivar throttle: code with which the service itself refuses what comes too fast
    :ivar stop: the option that includes tasks which a person stopped, and their state
    :ivar unread: codes of refusals after which a retry is sent again, because the service did not even look at it
    :ivar locks: codes that lock the account
    :ivar prepare: makes accounts and the parent
    :ivar add: adds tasks to the parent and returns their ids; arguments as `TaskList.add_tasks`
    :ivar transient: arguments for tasks that a retry can heal; C({n}) is a number that differs from task to task
    :ivar fix: arguments for tasks that need a person first
    :ivar denied: HTTP status and code with which the service refuses a caller without the right to retry
    """

    name: str
    info: str
    act: str
    id_option: str
    scope: frozenset[str]
    horizon: timedelta | None
    batch: int
    expected: str
    credentials: Mapping[str, Any]
    where: Mapping[str, Any]
    retry: str
    lists: tuple[str, ...]
    prepare: Callable[[LocalCloud], object]
    add: Callable[..., list[str]]
    transient: Mapping[str, Any]
    fix: Mapping[str, Any]
    denied: tuple[int, str]
    throttle: str
    stop: tuple[str, str] | None = None
    locks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.name

    def defaults(self, cloud: LocalCloud) -> dict[str, Any]:
        """The options of every run that gives no others."""
        return {"endpoint": cloud.url, **self.credentials, **self.more(cloud)}

    def more(self, cloud: LocalCloud) -> dict[str, Any]:
        """Options that depend on where the local cloud listens."""
        return {"auth_url": f"{cloud.url}/v3"} if self.name == "drs" else {}

    def all_failed(self, **more: Any) -> dict[str, Any]:
        """Options that select every failed task of the one parent."""
        return {**self.where, "all_failed": True, **more}

    def by_id(self, ids: list[str], **more: Any) -> dict[str, Any]:
        """Options that name tasks of the one parent."""
        return {**self.where, self.id_option: ids, **more}


def _prepare_sls(cloud: LocalCloud) -> None:
    if KEY_ID not in cloud.world.accounts:
        cloud.world.add_account(KEY_ID, SECRET)
    cloud.world.add_shipper("shop", "access", "to-oss")


def _add_sls(cloud: LocalCloud, **tasks: Any) -> list[str]:
    return cloud.world.add_shipper("shop", "access", "to-oss").add_tasks(**tasks)


SLS = Service(
    name="sls",
    info="sls_shipper_task_info",
    act="sls_shipper_task_retry",
    id_option="task_ids",
    scope=frozenset({"project", "logstore", "shipper"}),
    horizon=timedelta(hours=48),
    batch=10,
    expected="running",
    credentials={"access_key_id": KEY_ID, "access_key_secret": SECRET},
    where={"project": "shop", "logstore": "access", "shipper": "to-oss"},
    retry="RetryShipperTask",
    lists=("GetShipperStatus",),
    prepare=_prepare_sls,
    add=_add_sls,
    transient={"code": "InternalServerError", "message": "Try {n} again."},
    fix={"code": "InvalidOssBucket", "message": "No bucket {n}."},
    denied=(401, "Unauthorized"),
    throttle="MetaOperationQpsLimitExceeded",
    unread=("RequestTimeExpired", "RequestTimeTooSkewed"),
    secrets=(SECRET,),
)


CLS_SHIPPER = "57f5808c-4a55-11eb-b378-0242ac130002"


def _prepare_cls(cloud: LocalCloud) -> None:
    if KEY_ID not in cloud.world.accounts:
        cloud.world.add_account(KEY_ID, SECRET)
    cloud.world.cls.add_shipper(CLS_SHIPPER)


def _add_cls(cloud: LocalCloud, **tasks: Any) -> list[str]:
    tasks.pop("code", None)  # its tasks have none
    return cloud.world.cls.shippers[CLS_SHIPPER].tasks.add_tasks(**tasks)


CLS = Service(
    name="cls",
    info="cls_shipper_task_info",
    act="cls_shipper_task_retry",
    id_option="task_ids",
    scope=frozenset({"shipper_id"}),
    horizon=timedelta(days=3),
    batch=1,
    expected="running",
    credentials={"secret_id": KEY_ID, "secret_key": SECRET, "region": "ap-guangzhou"},
    where={"shipper_id": CLS_SHIPPER},
    retry="RetryShipperTask",
    lists=("DescribeShipperTasks",),
    prepare=_prepare_cls,
    add=_add_cls,
    transient={"message": "InternalError: try {n} again."},
    fix={"message": "NoSuchBucket: no bucket {n}."},
    denied=(200, "AuthFailure.UnauthorizedOperation"),
    throttle="RequestLimitExceeded",
    unread=("AuthFailure.SignatureExpire",),
    secrets=(SECRET,),
)


def _prepare_drs(cloud: LocalCloud) -> None:
    cloud.world.drs.add_project(PROJECT_ID, domain=DOMAIN)
    cloud.world.drs.add_user(USER, PASSWORD, domain=DOMAIN)


def _add_drs(cloud: LocalCloud, **tasks: Any) -> list[str]:
    return cloud.world.drs.project(PROJECT_ID).add_jobs(**tasks)


DRS = Service(
    name="drs",
    info="drs_job_info",
    act="drs_job_retry",
    id_option="job_ids",
    scope=frozenset({"project_id"}),
    horizon=None,
    batch=10,
    expected="waiting",
    credentials={"username": USER, "password": PASSWORD, "user_domain_name": DOMAIN},
    where={"project_id": PROJECT_ID},
    retry="BatchRetryTask",
    lists=("ListJobs", "BatchDetail"),
    prepare=_prepare_drs,
    add=_add_drs,
    transient={"code": "", "message": "Communications link failure, node {n}."},
    fix={"code": "", "message": "Access denied for user root at node {n}."},
    denied=(403, "DRS.M00102"),
    throttle="APIGW.0308",
    stop=("include_paused", "paused"),
    unread=("APIGW.0301", "APIGW.0307", "DRS.M00100", "DRS.M00299", "DRS.M00289", "DRS.M05004"),
    secrets=(PASSWORD,),
)


def _prepare_geelark(cloud: LocalCloud) -> None:
    cloud.world.geelark.add_team("testTeam", token=API_TOKEN)


def _add_geelark(cloud: LocalCloud, **tasks: Any) -> list[str]:
    return cloud.world.geelark.add_tasks("testTeam", **tasks)


GEELARK = Service(
    name="geelark",
    info="geelark_task_info",
    act="geelark_task_restart",
    id_option="task_ids",
    scope=frozenset(),
    horizon=timedelta(days=7),
    batch=100,
    expected="waiting",
    credentials={"api_token": API_TOKEN},
    where={},
    retry="task/restart",
    lists=("task/historyRecords",),
    prepare=_prepare_geelark,
    add=_add_geelark,
    transient={"code": "20002", "message": "Phone {n} is busy."},
    fix={"code": "20101", "message": "Proxy {n} fails."},
    denied=(200, "40015"),
    throttle="40007",
    stop=("include_cancelled", "cancelled"),
    locks=("40014", "43008"),
    unread=("40003",),
    secrets=(API_TOKEN,),
)


SERVICES = (SLS, CLS, DRS, GEELARK)
BY_MODULE = {module: service for service in SERVICES for module in (service.info, service.act)}
