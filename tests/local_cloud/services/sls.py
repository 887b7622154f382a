# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alibaba Cloud SLS as far as failed shipments need it.

RetryShipperTask, GetShipperStatus, ListShipper, GetShipperConfig, ListLogstores and ListProject, after the vendor's
pages and aliyun-log-python-sdk 0.9.52. What no source settles is an option of the scenario (`SlsOptions`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from local_cloud.services import UNKNOWN, Answer, Call, Headers, Operation, Refusal
from local_cloud.services.sls_auth import Verifier, parse_query
from local_cloud.services.sls_errors import TEXTS, Dialect, refusal
from local_cloud.tasks import ScenarioError, Status, Task, TaskList

if TYPE_CHECKING:
    from local_cloud.world import World

MAX_IDS = 10
MAX_SIZE = 500
HORIZON = 48 * 3600
BODY_LIMIT = 10 * 1024 * 1024

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_VENDOR_HOST = re.compile(
    r"^(?:(?P<project>[^.]+)\.)?[^.]+\.(?:log|sls)\.aliyuncs\.com$|^(?:(?P<p>[^.]+)\.)?log-global\.aliyuncs\.com$"
)
_ROUTES = (
    (re.compile(r"^/logstores/(?P<logstore>[^/]+)/shipper/(?P<shipper>[^/]+)/tasks$"), "GET", "GetShipperStatus"),
    (re.compile(r"^/logstores/(?P<logstore>[^/]+)/shipper/(?P<shipper>[^/]+)/tasks$"), "PUT", "RetryShipperTask"),
    (re.compile(r"^/logstores/(?P<logstore>[^/]+)/shipper/(?P<shipper>[^/]+)$"), "GET", "GetShipperConfig"),
    (re.compile(r"^/logstores/(?P<logstore>[^/]+)/shipper$"), "GET", "ListShipper"),
    (re.compile(r"^/logstores$"), "GET", "ListLogstores"),
    (re.compile(r"^/$"), "GET", "ListProject"),
)
_RAM_ACTIONS = {"ListLogstores": "log:ListLogStores"}


@dataclass(frozen=True)
class SlsOptions:
    """What the scenario chooses where sources disagree or are silent. Defaults: the newer pages, else the mildest."""

    dialect: Dialect = Dialect.SEED001
    unknown_ids: str = "accept"  # or refuse: ParameterInvalid for ids that are unknown or not failed, none is run
    total: str = "filtered"  # or all: `total` does not honour the status filter
    shipper_paging: str = "honoured"  # or ignored: ListShipper answers all names whatever offset and size say
    expired_token_code: str = "Unauthorized"  # or SecurityTokenExpired, which only the Python SDK names
    endpoints: tuple[str, ...] = ()  # further bare endpoint hosts, for ListProject

    def __post_init__(self) -> None:
        allowed = {
            "unknown_ids": ("accept", "refuse"),
            "total": ("filtered", "all"),
            "shipper_paging": ("honoured", "ignored"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ScenarioError(f"sls.{name} is one of {values}")


@dataclass
class Shipper:
    tasks: TaskList
    target: str = "oss"
    created: int = 0


@dataclass
class Logstore:
    shippers: dict[str, Shipper] = field(default_factory=dict)
    denied: bool = False


@dataclass
class Project:
    name: str
    region: str = "cn-hangzhou"
    forbidden: bool = False
    logstores: dict[str, Logstore] = field(default_factory=dict)


class SlsService:
    name = "sls"

    def __init__(self, world: World) -> None:
        self._world = world
        self.options = SlsOptions()
        self.projects: dict[str, Project] = {}

    # -- building ---------------------------------------------------------------------------------------------------

    def configure(self, **options: Any) -> None:
        known = {one.name for one in fields(SlsOptions)}
        if set(options) - known:
            raise ScenarioError(f"unknown sls options: {sorted(set(options) - known)}")
        if "dialect" in options:
            options["dialect"] = Dialect(options["dialect"])
        if "endpoints" in options:
            options["endpoints"] = tuple(options["endpoints"])
        with self._world.lock:
            self.options = replace(self.options, **options)

    def add_project(self, name: str, *, region: str | None = None, forbidden: bool | None = None) -> Project:
        with self._world.lock:
            project = self.projects.setdefault(name, Project(name))
            project.region = region or project.region
            project.forbidden = project.forbidden if forbidden is None else forbidden
            return project

    def add_logstore(self, project: str, name: str, *, denied: bool | None = None) -> Logstore:
        with self._world.lock:
            logstore = self.add_project(project).logstores.setdefault(name, Logstore())
            logstore.denied = logstore.denied if denied is None else denied
            return logstore

    def add_shipper(self, project: str, logstore: str, name: str, *, target: str = "oss") -> TaskList:
        with self._world.lock:
            shippers = self.add_logstore(project, logstore).shippers
            if name not in shippers:
                tasks = TaskList((project, logstore, name), self._world.clock, self._world.lock)
                shippers[name] = Shipper(tasks, target, int(self._world.clock.now()) - 30 * 86400)
            return shippers[name].tasks

    def load(self, scenario: Mapping[str, Any]) -> None:
        self.configure(**{key: value for key, value in scenario.items() if key != "projects"})
        for project, content in (scenario.get("projects") or {}).items():
            more = dict(content or {})
            logstores = more.pop("logstores", None) or {}
            self.add_project(project, **more)
            for logstore, inner in logstores.items():
                more = dict(inner or {})
                shippers = more.pop("shippers", None) or {}
                self.add_logstore(project, logstore, **more)
                for shipper, innermost in shippers.items():
                    self._load_shipper(project, logstore, shipper, dict(innermost or {}))

    def _load_shipper(self, project: str, logstore: str, name: str, content: dict[str, Any]) -> None:
        groups, events = content.pop("tasks", None) or [], content.pop("events", None) or []
        tasks = self.add_shipper(project, logstore, name, **content)
        for group in groups:
            tasks.add_tasks(**group)
        for event in events:
            tasks.add_event(**event)

    def task_lists(self) -> list[TaskList]:
        with self._world.lock:
            logstores = [store for project in self.projects.values() for store in project.logstores.values()]
            return [shipper.tasks for store in logstores for shipper in store.shippers.values()]

    def tasks(self) -> list[dict[str, Any]]:
        listed = []
        for tasks in self.task_lists():
            for task in tasks.newest_first():
                scope = dict(zip(("project", "logstore", "shipper"), tasks.scope))
                listed.append({"service": self.name, **scope, "retries": task.retries, **_task_fields(task)})
        return listed

    # -- the service --------------------------------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        return True  # the others have marks of their own and are asked first

    def operation(self, call: Call) -> Operation:
        project = self._project_name(call)
        scope = {} if project is None else {"project": project}
        for pattern, method, name in _ROUTES:
            match = pattern.match(call.path)
            if match and method == call.method and (name == "ListProject") == (project is None):
                changes = method == "PUT"
                return Operation(name, {**scope, **match.groupdict()}, changes, _ids(call) if changes else ())
        return Operation(UNKNOWN, scope)

    def authenticate(self, call: Call, operation: Operation, now: float) -> None:
        host = call.header("host")
        if not host:
            raise self._refusal("missing_host")
        if not re.match(r"^[A-Za-z0-9._-]+(:\d+)?$|^\[::1\](:\d+)?$", host):
            raise self._refusal("invalid_host", value=host)
        if len(call.body) > BODY_LIMIT:
            raise self._refusal("body_too_large", value=len(call.body))
        if call.header("transfer-encoding") is not None:
            raise self._refusal("missing_content_length")
        if operation.name == UNKNOWN:
            # An operation of a project asked of the bare endpoint, or the other way round.
            misplaced = any(pattern.match(call.path) and method == call.method for pattern, method, _ignored in _ROUTES)
            raise self._refusal(
                "invalid_host" if misplaced else "invalid_method", value=host if misplaced else call.target
            )
        verifier = Verifier(self._world.accounts, self.options.dialect, self.options.expired_token_code)
        project = self.projects.get(operation.scope.get("project", ""))
        account = verifier.verify(call, project.region if project else None, now)
        if project is not None and account.projects is not None and project.name not in account.projects:
            raise self._refusal("not_yours")
        logstore = project.logstores.get(operation.scope.get("logstore", "")) if project else None
        if account.denies(operation.name, operation.scope) or (logstore is not None and logstore.denied):
            action = _RAM_ACTIONS.get(operation.name, f"log:{operation.name}")
            region = project.region if project else account.region
            path = "/".join(f"{key}/{value}" for key, value in operation.scope.items()) or "project/*"
            resource = f"acs:log:{region}:{account.account_id}:{path}"
            raise self._refusal("denied", action=action, resource=resource)

    def execute(self, call: Call, operation: Operation, now: float) -> Answer:
        if operation.name == "ListProject":
            return self._list_project(call)
        project = self._project(operation)
        if operation.name == "ListLogstores":
            return self._list_logstores(call, project)
        logstore = project.logstores.get(operation.scope["logstore"])
        if logstore is None:
            raise self._refusal("logstore", value=operation.scope["logstore"])
        if operation.name == "ListShipper":
            return self._list_shipper(call, logstore)
        shipper = logstore.shippers.get(operation.scope["shipper"])
        if shipper is None or shipper.tasks.vanished:
            problem = "shipper_on_retry" if operation.name == "RetryShipperTask" else "shipper"
            raise self._refusal(problem, value=operation.scope["shipper"])
        try:
            if operation.name == "GetShipperConfig":
                return self._get_shipper_config(shipper)
            if operation.name == "GetShipperStatus":
                return self._get_shipper_status(call, shipper.tasks, now)
            return self._retry_shipper_task(call, shipper.tasks, now)
        finally:
            shipper.tasks.called(operation.name)

    def refused(self, refusal: Refusal) -> Answer:
        message = refusal.message if refusal.message is not None else TEXTS.get(refusal.code, refusal.code)
        return Answer(refusal.status, _json({"errorCode": refusal.code, "errorMessage": message}), refusal.headers)

    def throttled(self) -> Refusal:
        return Refusal(403, "MetaOperationQpsLimitExceeded")

    def broken(self) -> Refusal:
        return Refusal(500, "InternalServerError")

    def secrets(self, call: Call) -> Mapping[str, str]:
        sent = call.header("authorization") or ""
        account = next((one for key, one in self._world.accounts.items() if key in sent), None)
        if account is None:
            return {}
        return {"access_key_id": account.access_key_id, "secret": account.access_key_secret}

    def reply_headers(self, call: Call, now: float) -> Headers:
        newer = self.options.dialect is Dialect.SEED001
        return (
            ("Server", "nginx" if newer else "nginx/1.6.1"),
            ("Content-Type", "application/json"),
            ("Date", formatdate(now, usegmt=True)),
            ("x-log-requestid", call.request_id),
        )

    # -- operations ---------------------------------------------------------------------------------------------------

    def _list_project(self, call: Call) -> Answer:
        query = self._query(call)
        offset, size = self._page(query, default=100)
        wanted = query.get("projectName", "")
        region = _region_of_host(call.header("host") or "")
        listed = [
            _project_fields(project)
            for name, project in sorted(self.projects.items())
            if wanted in name and region in (None, project.region)
        ]
        return _listing("projects", listed, offset, size)

    def _list_logstores(self, call: Call, project: Project) -> Answer:
        query = self._query(call)
        offset, size = self._page(query, default=200)
        wanted = query.get("logstoreName", "")
        return _listing("logstores", [name for name in sorted(project.logstores) if wanted in name], offset, size)

    def _list_shipper(self, call: Call, logstore: Logstore) -> Answer:
        offset, size = self._page(self._query(call), default=100)
        names = sorted(name for name, shipper in logstore.shippers.items() if not shipper.tasks.vanished)
        for shipper in logstore.shippers.values():
            shipper.tasks.called("ListShipper")
        if self.options.shipper_paging == "ignored":
            return _listing("shipper", names, 0, len(names))
        return _listing("shipper", names, offset, size)

    def _get_shipper_config(self, shipper: Shipper) -> Answer:
        oss = {
            "ossBucket": "local-bucket",
            "ossPrefix": shipper.tasks.name,
            "roleArn": "acs:ram::1234567890123456:role/aliyunlogdefaultrole",
            "bufferInterval": 300,
            "bufferSize": 256,
            "compressType": "snappy",
            "pathFormat": "%Y/%m/%d/%H/%M",
            "timeZone": "+0000",
            "storage": {"format": "json", "detail": {"enableTag": False}},
        }
        odps = {
            "odpsEndpoint": "http://service.odps.aliyun.com/api",
            "odpsProject": "local_project",
            "odpsTable": "local_table",
            "fields": ["__time__"],
            "partitionColumn": ["__partition_time__"],
            "partitionTimeFormat": "yyyy_MM_dd",
            "bufferInterval": 1800,
        }
        content = {
            "shipperName": shipper.tasks.name,
            "targetType": shipper.target,
            "targetConfiguration": oss if shipper.target == "oss" else odps,
            "createTime": shipper.created,
            "lastModifyTime": shipper.created,
        }
        return Answer(200, _json(content))

    def _get_shipper_status(self, call: Call, tasks: TaskList, now: float) -> Answer:
        query = self._query(call)
        begin, end = self._integer(query, "from"), self._integer(query, "to")
        offset, size = self._page(query, default=100)
        status = query.get("status", "")
        if begin >= end:
            raise self._refusal("time_order")
        if begin < int(now) - HORIZON:
            raise self._refusal("too_old")
        if status not in ("", *(one.value for one in Status)):
            raise self._refusal("bad_status")
        if offset == 0:
            tasks.read()
        # assumed: the bounds are creation times (Chinese page), the end exclusive as in SLS's log queries.
        in_range = [task for task in tasks.newest_first() if begin <= task.created < end]
        statuses = [task.status for task in in_range]
        wanted = Status(status) if status else None
        chosen = [task for task in in_range if wanted in (None, task.status)]
        page = chosen[offset : offset + size]
        content = {
            "count": len(page),
            "total": len(chosen if self.options.total == "filtered" else in_range),
            "statistics": {one.value: statuses.count(one) for one in Status if one is not Status.STOPPED},
            "tasks": [_task_fields(task) for task in page],
        }
        return Answer(200, _json(content))

    def _retry_shipper_task(self, call: Call, tasks: TaskList, now: float) -> Answer:
        ids = self._task_ids(call)
        known = {one: tasks.get(one) for one in ids}
        if self.options.unknown_ids == "refuse":
            for one, task in known.items():
                if task is None or not task.can_be_retried():
                    raise self._refusal("not_retriable", value=one)
        self._note_violations(ids, known, tasks.scope, call.request_id)
        for one, task in known.items():
            if task is not None and task.can_be_retried() and task.retry(now):
                self._world.executed[one] += 1
        return Answer(200)

    def _task_ids(self, call: Call) -> list[str]:
        try:
            ids = json.loads(call.body.decode())
        except ValueError:
            raise self._refusal("bad_json") from None
        if not isinstance(ids, list) or not ids or not all(isinstance(one, str) and one for one in ids):
            raise self._refusal("bad_ids")
        if len(ids) > MAX_IDS:
            raise self._refusal("too_many_ids")
        return ids

    def _note_violations(
        self, ids: Sequence[str], known: Mapping[str, Task | None], scope: tuple[str, ...], request_id: str
    ) -> None:
        seen = set()
        for one in ids:
            task = known[one]
            if one in seen:
                self._world.add_violation("duplicate_id", one, scope, request_id)
            elif task is None:
                self._world.add_violation("unknown_id", one, scope, request_id)
            elif task.status is not Status.FAIL:
                self._world.add_violation("not_failed", one, scope, request_id)
            elif not task.can_be_retried():
                self._world.add_violation("already_accepted", one, scope, request_id)
            seen.add(one)

    # -- parameters ---------------------------------------------------------------------------------------------------

    def _refusal(self, problem: str, **values: object) -> Refusal:
        return refusal(self.options.dialect, problem, **values)

    def _project(self, operation: Operation) -> Project:
        name = operation.scope["project"]
        project = self.projects.get(name)
        if project is None:
            raise self._refusal("project", value=name)
        if project.forbidden:
            raise self._refusal("forbidden", value=name)
        return project

    def _query(self, call: Call) -> dict[str, str]:
        pairs = parse_query(call.query)
        query = dict(pairs)
        if len(query) != len(pairs):
            name = next(key for key, _ignored in pairs if [one for one, _ignored in pairs].count(key) > 1)
            raise self._refusal("bad_query", name=name, value=query[name])
        return query

    def _integer(self, query: Mapping[str, str], name: str, default: int | None = None) -> int:
        text = query.get(name)
        if text is None:
            if default is None:
                raise self._refusal("missing_query", name=name)
            return default
        if not re.match(r"^\d{1,18}$", text, re.ASCII):
            raise self._refusal("bad_query", name=name, value=text)
        return int(text)

    def _page(self, query: Mapping[str, str], *, default: int) -> tuple[int, int]:
        offset, size = self._integer(query, "offset", 0), self._integer(query, "size", default)
        if not 1 <= size <= MAX_SIZE:
            raise self._refusal("bad_query", name="size", value=size)
        return offset, size

    def _project_name(self, call: Call) -> str | None:
        """The project a Host stands for; None for a bare endpoint."""
        host = (call.header("host") or "").lower()
        host = host if host.endswith("]") else re.sub(r":\d+$", "", host)
        if host in _LOOPBACK or host in self.options.endpoints:
            return None
        vendor = _VENDOR_HOST.match(host)
        if vendor:
            return vendor.group("project") or vendor.group("p")
        return host.partition(".")[0]


def _ids(call: Call) -> tuple[str, ...]:
    try:
        content = json.loads(call.body.decode())
    except ValueError:
        return ()
    return tuple(one for one in content if isinstance(one, str)) if isinstance(content, list) else ()


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _listing(key: str, names: Sequence[object], offset: int, size: int) -> Answer:
    page = names[offset : offset + size]
    return Answer(200, _json({"count": len(page), "total": len(names), key: page}))


def _task_fields(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "taskStatus": task.status.value,
        "taskMessage": task.message,
        "taskCode": task.code,
        "taskCreateTime": task.created,
        "taskLastDataReceiveTime": task.last_receive,
        "taskFinishTime": task.finished,
        "taskDataLines": task.lines,
    }


def _project_fields(project: Project) -> dict[str, object]:
    return {
        "projectName": project.name,
        "region": project.region,
        "status": "Disable" if project.forbidden else "Normal",
        "description": "",
        "createTime": "2023-01-01 00:00:00",
        "lastModifyTime": "2023-01-01 00:00:00",
        "owner": "",
        "resourceGroupId": "",
        "internetEndpoint": f"{project.region}.log.aliyuncs.com",
        "internalEndpoint": f"{project.region}-intranet.log.aliyuncs.com",
    }


def _region_of_host(host: str) -> str | None:
    match = re.match(r"^(?P<region>[^.]+?)(?:-intranet|-share|-vpc)?\.(?:log|sls)\.aliyuncs\.com(?::\d+)?$", host)
    return match.group("region") if match else None
