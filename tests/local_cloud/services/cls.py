# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent Cloud CLS as far as failed shipping tasks need it: API 3.0, version 2020-10-16.

RetryShipperTask, DescribeShipperTasks and DescribeShippers, after the vendor's pages and tencentcloud-sdk-python-cls
3.1.192. What no source settles is an option of the scenario (`ClsOptions`).
"""

from __future__ import annotations

import json
import re
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from local_cloud.services import UNKNOWN, Answer, Call, Headers, Operation, Refusal
from local_cloud.services.cls_auth import SCHEME, Verifier, language_of, secret_id_of
from local_cloud.services.cls_errors import Language, refusal, text
from local_cloud.services.cls_parameters import ACTIONS, INT64, parameters, sent
from local_cloud.services.cls_tasks import ShipperTasks, task_fields
from local_cloud.tasks import ScenarioError, Status, Task, TaskList

if TYPE_CHECKING:
    from local_cloud.world import World

VERSION = "2020-10-16"
HORIZON = 3 * 86400 * 1000  # milliseconds
MAX_LIMIT = 100
MAX_FILTERS = 10
MAX_VALUES = 10
PUBLISHED_RATE = 20  # requests of one account to one action within any second
BODY_LIMIT = 10 * 1024 * 1024
TOPIC = "5b158596-d0ad-4da5-af92-4fac4cd662c4"

_REGION = re.compile(r"^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$")
_REGIONAL_HOST = re.compile(r"^cls\.(?P<region>[a-z]{2}-[a-z0-9-]+)\.tencentcloudapi\.com(?::\d+)?$")
_ACCOUNT_STATES = ("isolated", "destroyed", "missing", "acl_failed")
_EMPTY: Mapping[str, Sequence[object] | None] = {"null": None, "list": []}


@dataclass(frozen=True)
class ClsOptions:
    """What the scenario chooses where sources disagree or are silent, and what is up with the accounts."""

    window_by: str = "start"  # or range: StartTime and EndTime choose tasks by RangeStart, not by the run's start
    empty: str = "null"  # or list, absent: Tasks and Shippers when there are none
    times: str = "integers"  # or strings, as in a sample of the vendor's
    new_id_on_retry: bool = False  # a task that runs again gets a new TaskId; its range stays
    new_start_on_retry: bool = False  # a task that runs again shows that run's StartTime
    published_limit: bool = False  # more than 20 requests to one action within a second are throttled
    content_type: str = "application/json"  # or with a charset: the vendor's SDK then overlooks every error
    # By SecretId: isolated (overdue), destroyed, missing, acl_failed.
    account_states: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        allowed = {
            "window_by": ("start", "range"),
            "empty": ("null", "list", "absent"),
            "times": ("integers", "strings"),
            "new_id_on_retry": (True, False),
            "new_start_on_retry": (True, False),
            "published_limit": (True, False),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ScenarioError(f"cls.{name} is one of {values}")
        if set(self.account_states.values()) - set(_ACCOUNT_STATES):
            raise ScenarioError(f"cls.account_states has values of {_ACCOUNT_STATES}")


@dataclass
class Shipper:
    """A rule that ships the logs of one topic to COS."""

    id: str
    region: str
    topic_id: str
    name: str
    tasks: ShipperTasks
    enabled: bool = True
    abnormal: bool = False
    created: int = 0

    @property
    def task_status(self) -> int:
        """0 stopped, 1 running, 2 abnormal."""
        return 0 if not self.enabled else 2 if self.abnormal else 1


class RollingSecond:
    """Allows so many calls within any second; those beyond count as well."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: dict[tuple[str, ...], deque[float]] = {}

    def allows(self, key: tuple[str, ...], now: float) -> bool:
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - 1.0:
            calls.popleft()
        calls.append(now)
        return len(calls) <= self._most


class ClsService:
    name = "cls"

    def __init__(self, world: World) -> None:
        self._world = world
        self.options = ClsOptions()
        self.shippers: dict[str, Shipper] = {}
        self._limit = RollingSecond(PUBLISHED_RATE)
        # The call being served (one at a time): refusals need its language and its id.
        self._call = Call("POST", "/", (), b"", "")

    # -- building ---------------------------------------------------------------------------------------------------

    def configure(self, **options: Any) -> None:
        known = {one.name for one in fields(ClsOptions)}
        if set(options) - known:
            raise ScenarioError(f"unknown cls options: {sorted(set(options) - known)}")
        with self._world.lock:
            self.options = replace(self.options, **options)

    def add_shipper(
        self,
        shipper_id: str,
        *,
        region: str = "ap-guangzhou",
        topic_id: str = TOPIC,
        name: str | None = None,
        enabled: bool = True,
        abnormal: bool = False,
    ) -> ShipperTasks:
        """A shipper that is not there yet; `name` is its id unless given."""
        with self._world.lock:
            if shipper_id in self.shippers:
                raise ScenarioError(f"shipper {shipper_id} exists already")
            tasks = ShipperTasks((region, topic_id, shipper_id), self._world.clock, self._world.lock)
            created = int(self._world.clock.now()) - 30 * 86400
            shipper = Shipper(shipper_id, region, topic_id, name or shipper_id, tasks, enabled, abnormal, created)
            self.shippers[shipper_id] = shipper
            return tasks

    def load(self, scenario: Mapping[str, Any]) -> None:
        self.configure(**{key: value for key, value in scenario.items() if key != "shippers"})
        for shipper_id, content in (scenario.get("shippers") or {}).items():
            more = dict(content or {})
            groups, events = more.pop("tasks", None) or [], more.pop("events", None) or []
            tasks = self.add_shipper(shipper_id, **more)
            for group in groups:
                tasks.add_tasks(**group)
            for event in events:
                tasks.add_event(**event)

    def task_lists(self) -> list[TaskList]:
        with self._world.lock:
            return [shipper.tasks for shipper in self.shippers.values()]

    def tasks(self) -> list[dict[str, Any]]:
        listed = []
        with self._world.lock:
            for shipper in self.shippers.values():
                for task in shipper.tasks.newest_first():
                    shown = task_fields(task, shipper.id, shipper.topic_id)
                    listed.append({"service": self.name, "region": shipper.region, "retries": task.retries, **shown})
        return listed

    # -- the service --------------------------------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        return call.header("x-tc-action") is not None or (call.header("authorization") or "").startswith(SCHEME)

    def operation(self, call: Call) -> Operation:
        self._call = call
        action = call.header("x-tc-action") or ""
        scope = {"account": secret_id_of(call), "region": self._region(call)}
        if action not in ACTIONS:
            return Operation(UNKNOWN, scope)
        try:
            content = sent(call, Language.ENGLISH)
        except Refusal:
            content = {}
        shipper, task = content.get("ShipperId"), content.get("TaskId")
        if isinstance(shipper, str):
            scope["shipper"] = shipper
        changes = action == "RetryShipperTask"
        return Operation(action, scope, changes, (task,) if changes and isinstance(task, str) else ())

    def authenticate(self, call: Call, operation: Operation, now: float) -> None:
        language = language_of(call)
        _check_form(call, language)
        account = Verifier(self._world.accounts).verify(call, now)
        _check_action(call, operation, language)
        region = operation.scope["region"]
        if not _REGION.match(region):
            raise refusal(language, "region", value=region)
        state = self.options.account_states.get(account.access_key_id)
        if state is not None:
            raise refusal(language, state)
        if account.denies(operation.name, operation.scope):
            shipper = operation.scope.get("shipper")
            resource = f"qcs::cls:{region}:uin/{account.account_id}:{f'shipper/{shipper}' if shipper else '*'}"
            raise refusal(language, "denied", action=f"cls:{operation.name}", resource=resource)
        key = (account.account_id, operation.name)
        if self.options.published_limit and not self._limit.allows(key, now):
            raise self.throttled()

    def execute(self, call: Call, operation: Operation, now: float) -> Answer:
        content = parameters(call, operation.name)
        if operation.name == "DescribeShippers":
            return self._describe_shippers(content, operation.scope["region"])
        shipper = self._shipper(content, operation.scope["region"])
        try:
            if operation.name == "DescribeShipperTasks":
                return self._describe_shipper_tasks(content, shipper, now)
            return self._retry_shipper_task(content, shipper, now)
        finally:
            shipper.tasks.called(operation.name)

    def refused(self, refusal: Refusal) -> Answer:
        message = refusal.message if refusal.message is not None else text(language_of(self._call), refusal.code)
        return self._answer({"Error": {"Code": refusal.code, "Message": message}}, refusal.status, refusal.headers)

    def throttled(self) -> Refusal:
        return Refusal(200, "RequestLimitExceeded")

    def broken(self) -> Refusal:
        return Refusal(200, "InternalError")

    def secrets(self, call: Call) -> Mapping[str, str]:
        account = self._world.accounts.get(secret_id_of(call))
        if account is None:
            return {}
        return {
            "access_key_id": account.access_key_id,
            "secret": account.access_key_secret,
            "token": account.security_token or "",
        }

    def reply_headers(self, call: Call, now: float) -> Headers:
        return (
            ("Server", "nginx"),
            ("Content-Type", self.options.content_type),
            ("Date", formatdate(now, usegmt=True)),
        )

    # -- operations ---------------------------------------------------------------------------------------------------

    def _retry_shipper_task(self, content: Mapping[str, Any], shipper: Shipper, now: float) -> Answer:
        task_id = content["TaskId"]
        tasks = shipper.tasks
        task = tasks.get(task_id)
        if task is None:
            self._note("already_accepted" if task_id in tasks.former_ids else "unknown_id", task_id, shipper)
            raise self._refusal("task")
        if not task.can_be_retried():
            self._note("already_accepted" if task.status is Status.FAIL else "not_failed", task_id, shipper)
            raise self._refusal("not_to_retry")
        if task.details["refuses_retry"]:
            raise self._refusal("not_to_retry")
        if task.retry(now):
            self._world.executed[task_id] += 1
            self._follow_up(tasks, now)
        return self._answer({})

    def _describe_shipper_tasks(self, content: Mapping[str, Any], shipper: Shipper, now: float) -> Answer:
        begin, end = content["StartTime"], content["EndTime"]
        if begin >= end:
            raise self._refusal("time_order")
        if begin < int(now * 1000) - HORIZON:
            raise self._refusal("too_old")
        shipper.tasks.read()
        self._follow_up(shipper.tasks, now)
        as_text = self.options.times == "strings"
        shown = [
            task_fields(task, shipper.id, shipper.topic_id, as_text=as_text)
            for task in shipper.tasks.newest_first()
            if begin <= self._time_of(task) < end  # assumed: the end is exclusive
        ]
        return self._answer(self._listed("Tasks", shown))

    def _describe_shippers(self, content: Mapping[str, Any], region: str) -> Answer:
        offset = self._number(content, "Offset", 0, range(INT64))
        limit = self._number(content, "Limit", 20, range(1, MAX_LIMIT + 1))
        precise = self._number(content, "PreciseSearch", 0, range(2))
        filters = content.get("Filters", [])
        self._check_filters(filters)
        here = [one for one in self.shippers.values() if one.region == region and not one.tasks.vanished]
        chosen = [one for one in here if all(_passes(one, filter_, bool(precise)) for filter_ in filters)]
        shown = [_shipper_fields(one) for one in chosen[offset : offset + limit]]
        for one in here:
            one.tasks.called("DescribeShippers")
        return self._answer({**self._listed("Shippers", shown), "TotalCount": len(chosen)})

    def _check_filters(self, filters: Sequence[Mapping[str, Any]]) -> None:
        if len(filters) > MAX_FILTERS:
            raise self._refusal("value", name="Filters", value=len(filters))
        for number, one in enumerate(filters):
            if one["Key"] not in _FILTERS:
                raise self._refusal("value", name=f"Filters.{number}.Key", value=one["Key"])
            values = one["Values"]
            if not 1 <= len(values) <= MAX_VALUES:
                raise self._refusal("value", name=f"Filters.{number}.Values", value=len(values))
            for value in values if one["Key"] == "taskStatus" else ():
                if value not in ("0", "1", "2"):
                    raise self._refusal("value", name=f"Filters.{number}.Values", value=value)

    def _time_of(self, task: Task) -> int:
        """What a window of DescribeShipperTasks looks at, in milliseconds."""
        return int(task.created * 1000 if self.options.window_by == "start" else task.details["range_start"])

    def _follow_up(self, tasks: ShipperTasks, now: float) -> None:
        options = self.options
        tasks.follow_up(now, new_ids=options.new_id_on_retry, new_start=options.new_start_on_retry)

    def _note(self, kind: str, task_id: str, shipper: Shipper) -> None:
        self._world.add_violation(kind, task_id, shipper.tasks.scope, self._call.request_id)

    # -- parameters and answers ---------------------------------------------------------------------------------------

    def _number(self, content: Mapping[str, Any], name: str, default: int, allowed: range) -> int:
        value = int(content.get(name, default))
        if value not in allowed:
            raise self._refusal("value", name=name, value=value)
        return value

    def _shipper(self, content: Mapping[str, Any], region: str) -> Shipper:
        for name in ("ShipperId", "TaskId"):
            if content.get(name) == "":
                raise self._refusal("value", name=name, value="")
        shipper = self.shippers.get(content["ShipperId"])
        if shipper is None or shipper.region != region or shipper.tasks.vanished:
            raise self._refusal("shipper")
        return shipper

    def _region(self, call: Call) -> str:
        """The region a call is for: as it says, else the endpoint's own, else (assumed) the account's."""
        named = call.header("x-tc-region")
        if named is not None:
            return named
        host = _REGIONAL_HOST.match((call.header("host") or "").lower())
        if host is not None:
            return host.group("region")
        account = self._world.accounts.get(secret_id_of(call))
        return account.region if account is not None else ""

    def _refusal(self, problem: str, **values: object) -> Refusal:
        return refusal(language_of(self._call), problem, **values)

    def _listed(self, name: str, items: Sequence[object]) -> dict[str, object]:
        if items:
            return {name: items}
        return {} if self.options.empty == "absent" else {name: _EMPTY[self.options.empty]}

    def _answer(self, content: Mapping[str, object], status: int = 200, headers: Headers = ()) -> Answer:
        response = {**content, "RequestId": shown_request_id(self._call.request_id)}
        return Answer(status, json.dumps({"Response": response}, ensure_ascii=False).encode(), headers)


def shown_request_id(request_id: str) -> str:
    """The RequestId that CLS shows for a request as the server records it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, request_id))


def _check_form(call: Call, language: Language) -> None:
    if call.method not in ("GET", "POST"):
        raise refusal(language, "method")
    if call.path != "/" or (call.query and call.method == "POST"):
        raise refusal(language, "target", value=call.target)
    if len(call.body) > BODY_LIMIT:
        raise refusal(language, "too_large")


def _check_action(call: Call, operation: Operation, language: Language) -> None:
    action = call.header("x-tc-action")
    if not action:
        raise refusal(language, "missing_parameter", name="Action")
    version = call.header("x-tc-version")
    if version != VERSION:
        raise refusal(language, "version", value=version or "")
    if operation.name == UNKNOWN:
        raise refusal(language, "action", value=action)


def _name_passes(shipper: Shipper, value: str, precise: bool) -> bool:
    return value == shipper.name if precise else value in shipper.name


_FILTERS: Mapping[str, Callable[[Shipper, str, bool], bool]] = {
    "shipperName": _name_passes,
    "shipperId": lambda shipper, value, _precise: value == shipper.id,
    "topicId": lambda shipper, value, _precise: value == shipper.topic_id,
    "taskStatus": lambda shipper, value, _precise: value == str(shipper.task_status),
}


def _passes(shipper: Shipper, filter_: Mapping[str, Any], precise: bool) -> bool:
    """Whether one of the filter's values fits."""
    fits = _FILTERS[filter_["Key"]]
    return any(fits(shipper, value, precise) for value in filter_["Values"])


def _shipper_fields(shipper: Shipper) -> dict[str, object]:
    return {
        "ShipperId": shipper.id,
        "TopicId": shipper.topic_id,
        "Bucket": "local-bucket-1250000001",
        "Prefix": "logs/",
        "ShipperName": shipper.name,
        "Interval": 300,
        "MaxSize": 256,
        "Status": shipper.enabled,
        "FilterRules": None,
        "Partition": "/%Y/%m/%d/%H/",
        "Compress": {"Format": "gzip"},
        "Content": {"Format": "json", "Csv": None, "Json": {"EnableTag": False, "MetaFields": []}, "Parquet": None},
        "CreateTime": datetime.fromtimestamp(shipper.created, timezone.utc).strftime("%Y-%m-%d %H:%M:%S"),
        "FilenameMode": 0,
        "StartTime": 0,
        "EndTime": 0,
        "Progress": 0,
        "RemainTime": 0,
        "HistoryStatus": 0,
        "StorageType": "STANDARD",
        "RoleArn": "",
        "ExternalId": "",
        "TaskStatus": shipper.task_status,
        "TimeZone": "GMT+08:00",
        "DSLFilter": "",
    }
