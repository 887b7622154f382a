# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GeeLark's Open API as far as failed tasks of cloud phones need it.

task/query, task/historyRecords and task/restart, after the vendor's pages. What no source settles is an option of the
scenario (`GeelarkOptions`), or marked as assumed where it is done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from local_cloud.services import UNKNOWN, Answer, Call, Headers, Operation, Refusal
from local_cloud.services.geelark_auth import Team, Verifier, caller
from local_cloud.services.geelark_errors import ENVELOPE, FAIL, NO_NETWORK, PHONE_BUSY, SUCCESS, WAS_CANCELLED, refusal
from local_cloud.services.geelark_limits import Limits
from local_cloud.services.geelark_replies import FORMS, Failed, restarted, to_json
from local_cloud.tasks import ScenarioError, Status, Task, TaskList, seconds

if TYPE_CHECKING:
    from local_cloud.world import World

PREFIX = "/open/v1/"
QUERY, HISTORY, RESTART = "task/query", "task/historyRecords", "task/restart"
MAX_IDS = 100  # of task/restart it is assumed
MAX_SIZE = 100
MAX_RETRIES = 5
HORIZON = 7 * 86400

WAITING, IN_PROGRESS, COMPLETED, FAILED, CANCELLED = 1, 2, 3, 4, 7
_STATUS = {
    Status.RUNNING: IN_PROGRESS,
    Status.SUCCESS: COMPLETED,
    Status.FAIL: FAILED,
    Status.STOPPED: CANCELLED,
}


@dataclass(frozen=True)
class GeelarkOptions:
    """What the scenario chooses where sources disagree or are silent. Defaults: the pages, else the mildest."""

    skew: int = 300  # seconds by which `ts` may be off
    replay: str = "refused"  # or accepted: a traceId that was used before, in key mode
    http_status_for_errors: int = 200  # for every answer whose code is not 0
    null_data: bool = False  # errors show `"data": null` instead of no data
    null_items: bool = False  # an empty page shows `"items": null` instead of []
    default_size: int = 10
    order: str = "newest"  # or oldest: which task comes first in the history
    total: str = "window"  # or page: what `total` counts in the history
    repeat_last: bool = False  # past the end, the history serves its last page again
    short_pages: bool = False  # pages of the history are half as long as asked for, although more follow
    fail_details: str = "list"  # or another key of FORMS, absent, malformed
    successes: str = "counted"  # or wrong: successAmount is one too many
    all_failed: str = "details"  # 40009 with data; or no_data: 40009 without, unknown: 40000 without
    restart: str = "told"  # or unknown_undone, unknown_done: 40000 without data, though nothing or all was done
    queued: str = "waiting"  # or failed: a restarted task shows its old status while it is queued
    one_task_per_phone: bool = False  # a task that meets a busy phone fails again at once
    per_minute: int = 200
    per_hour: int = 24000

    def __post_init__(self) -> None:
        allowed = {
            "replay": ("refused", "accepted"),
            "order": ("newest", "oldest"),
            "total": ("window", "page"),
            "fail_details": (*FORMS, "absent", "malformed"),
            "successes": ("counted", "wrong"),
            "all_failed": ("details", "no_data", "unknown"),
            "restart": ("told", "unknown_undone", "unknown_done"),
            "queued": ("waiting", "failed"),
        }
        for one in fields(self):
            value = getattr(self, one.name)
            if type(value) is not type(one.default):
                raise ScenarioError(f"geelark.{one.name} is a {type(one.default).__name__}, not {value!r}")
            if value not in allowed.get(one.name, (value,)):
                raise ScenarioError(f"geelark.{one.name} is one of {allowed[one.name]}")


_DETAILS: Mapping[str, Any] = {
    "plan": "local plan",
    "type": 42,
    "phone": None,  # a name; without one each task has a phone of its own
    "cost": 60,
    "share_link": None,
    "restarts": 0,  # those that were there before
    "expired": False,
    "phone_deleted": False,
    "waiting": False,  # with status running: it has not begun
}


class TeamTasks(TaskList):
    """The tasks of one team; a read is a task/query for the task, or a first page of the history that it may be on."""

    def add_tasks(self, **group: Any) -> list[str]:
        """As any list of tasks, with numbers as ids and codes, and with details: see `_DETAILS`.

        `{n}` in details is the number within the group. The status may also be `waiting` and `cancelled`.
        """
        details = {**_DETAILS, **(group.pop("details", None) or {})}
        if set(details) != set(_DETAILS):
            raise ScenarioError(f"details know {sorted(_DETAILS)}, not {sorted(set(details) - set(_DETAILS))}")
        status = group.pop("status", "fail")
        details["waiting"] = details["waiting"] or status == "waiting"
        status = {"waiting": "running", "cancelled": "stopped"}.get(status, status)
        made: list[str] = super().add_tasks(**_with_reason(group, status), status=status, details=details)
        with self._lock:
            for number, one in enumerate(made):
                if not one.isdecimal():
                    raise ScenarioError(f"the id of a task is a number, not {one!r}")
                task = self._tasks[one]
                for key, value in task.details.items():
                    task.details[key] = value.replace("{n}", str(number)) if isinstance(value, str) else value
                task.details["phone"] = task.details["phone"] or f"phone of {one}"
        return made

    def _id(self, names: Sequence[str | None], number: int) -> str:
        return str(names[number]) if names else _number(super()._id(names, number))

    def read_only(self, ids: Sequence[str], now: float) -> list[Task]:
        """Counts a read for these tasks and returns those that are known, each once."""
        found = [task for one in dict.fromkeys(ids) if (task := self.get(one)) is not None]
        for task in found:
            task.on_read(now)
        return found

    def phone_is_busy(self, task: Task) -> bool:
        """Whether the phone of a task that is not active is kept by one that is."""
        phone = task.details["phone"]
        return any(
            other.details["phone"] == phone and (other.queued or other.status is Status.RUNNING) for other in self
        )


def _with_reason(group: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The group with a code, as text, and a message wherever a task does not end well."""
    content = dict(group)
    code = content.get("code")
    if code is None:
        code = {"fail": NO_NETWORK, "stopped": WAS_CANCELLED}.get(status, "")
    again = content.get("then_code")
    if again is None:
        again = code if status == "fail" else NO_NETWORK
    for one in (str(code), str(again)):
        if one and not one.isdecimal():
            raise ScenarioError(f"a failCode is a number, not {one!r}")
    message = content.get("message")
    if message is None:
        message = _description(str(code))
    if content.get("then_message") is None:
        content["then_message"] = message if again == code else _description(str(again))
    return {**content, "code": str(code), "message": message, "then_code": str(again)}


def _description(code: str) -> str:
    return FAIL.get(code, "The task did not work out." if code else "")


def _number(text: str) -> str:
    """18 digits, always the same for the same text."""
    return str(10**17 + int(hashlib.sha256(text.encode()).hexdigest(), 16) % (9 * 10**17))


class GeelarkService:
    name = "geelark"

    def __init__(self, world: World) -> None:
        self._world = world
        self.options = GeelarkOptions()
        self.teams: dict[str, Team] = {}
        self._tasks: dict[str, TeamTasks] = {}
        self._limits = Limits()
        self._seen: set[tuple[str, str]] = set()
        self._trace_id = ""  # the service's own for the call in hand; the one that was sent is not repeated
        self._operations: Mapping[str, Callable[[Call, TeamTasks, float], Answer]] = {
            QUERY: self._query,
            HISTORY: self._history,
            RESTART: self._restart,
        }

    # -- building ---------------------------------------------------------------------------------------------------

    def configure(self, **options: Any) -> None:
        known = {one.name for one in fields(GeelarkOptions)}
        if set(options) - known:
            raise ScenarioError(f"unknown geelark options: {sorted(set(options) - known)}")
        with self._world.lock:
            self.options = replace(self.options, **options)

    def add_team(
        self,
        app_id: str,
        api_key: str | None = None,
        token: str | None = None,
        *,
        token_expires_in: Any = None,
        token_expired: bool = False,
        deny: Sequence[str] = (),
        **more: Any,
    ) -> Team:
        """A team with a key, a token, or both."""
        now = self._world.clock.now()
        expires = now - 1 if token_expired else None if token_expires_in is None else now + seconds(token_expires_in)
        team = Team(app_id, api_key, token, token_expires_at=expires, deny=tuple(deny), **more)
        with self._world.lock:
            self.teams[app_id] = team
            self._tasks.setdefault(app_id, TeamTasks((app_id,), self._world.clock, self._world.lock))
            return team

    def change_team(self, team: Team | str, **changes: Any) -> None:
        """Changes what a team may do: any field of `Team`."""
        with self._world.lock:
            app_id = _app_id(team)
            self.teams[app_id] = replace(self.teams[app_id], **changes)

    def expire(self, team: Team | str) -> None:
        """Lets the team's token expire now."""
        self.change_team(team, token_expires_at=self._world.clock.now() - 1)

    def tasks_of(self, team: Team | str) -> TeamTasks:
        with self._world.lock:
            return self._tasks[_app_id(team)]

    def add_tasks(self, team: Team | str, **group: Any) -> list[str]:
        return self.tasks_of(team).add_tasks(**group)

    def load(self, scenario: Mapping[str, Any]) -> None:
        self.configure(**{key: value for key, value in scenario.items() if key != "teams"})
        for content in scenario.get("teams") or []:
            more = dict(content)
            groups, events = more.pop("tasks", None) or [], more.pop("events", None) or []
            tasks = self.tasks_of(self.add_team(**more))
            for group in groups:
                tasks.add_tasks(**group)
            for event in events:
                tasks.add_event(**event)

    def tasks(self) -> list[dict[str, Any]]:
        return [
            {"service": self.name, "team": team, "retries": task.retries, **self._task_fields(task, link=True)}
            for team, tasks in self._tasks.items()
            for task in tasks.newest_first()
        ]

    # -- the service --------------------------------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        return call.path.startswith(PREFIX)

    def operation(self, call: Call) -> Operation:
        self._trace_id = call.request_id  # this is the first that the service hears of a call
        name = call.path[len(PREFIX) :]
        team = caller(self.teams, call)
        scope = {} if team is None else {"team": team.app_id}
        if call.method != "POST" or name not in self._operations:
            return Operation(UNKNOWN, scope)
        changes = name == RESTART
        return Operation(name, scope, changes, _ids_of(call) if changes else ())

    def authenticate(self, call: Call, operation: Operation, now: float) -> None:
        seen = self._seen if self.options.replay == "refused" else None
        team = Verifier(self.teams, self.options.skew, seen).verify(call, now)
        self._check_team(team, operation)
        self._check_limits(team, operation, call.request_id)
        if operation.name == UNKNOWN:
            raise refusal(40005, call.path)  # assumed: no page says how an unknown path or method is answered

    def execute(self, call: Call, operation: Operation, now: float) -> Answer:
        team = self.teams[operation.scope["team"]]
        tasks = self._tasks[team.app_id]
        try:
            if tasks.vanished:
                raise refusal(40013)
            if team.in_arrears and operation.changes:
                raise refusal(41001)
            return self._operations[operation.name](call, tasks, now)
        finally:
            tasks.called(operation.name)

    def refused(self, refusal: Refusal) -> Answer:
        code = int(refusal.code)
        message = refusal.message if refusal.message is not None else ENVELOPE.get(code, "error")
        content: dict[str, Any] = {"traceId": self._trace_id, "code": code, "msg": message}
        if self.options.null_data:
            content["data"] = None
        status = self.options.http_status_for_errors if refusal.status == 200 else refusal.status
        return Answer(status, to_json(content), refusal.headers)

    def throttled(self) -> Refusal:
        return refusal(40007)

    def broken(self) -> Refusal:
        return refusal(50000)

    def secrets(self, call: Call) -> Mapping[str, str]:
        team = caller(self.teams, call)
        if team is None:
            return {}
        return {"access_key_id": team.app_id, "secret": team.api_key or "", "token": team.token or ""}

    def reply_headers(self, call: Call, now: float) -> Headers:
        return (("Content-Type", "application/json"), ("Date", formatdate(now, usegmt=True)))

    def _check_team(self, team: Team, operation: Operation) -> None:
        if not team.ip_allowed:
            raise refusal(40016)
        if not team.paid:
            raise refusal(40011)
        if team.denies(operation.name):
            raise refusal(40015)

    def _check_limits(self, team: Team, operation: Operation, request_id: str) -> None:
        now = self._world.clock.now()  # the hour is the world's, whatever a `skew` fault makes of its Date
        if self._limits.locked(team.app_id, now):
            self._world.add_violation("called_while_locked", "", (team.app_id, operation.name), request_id)
            raise refusal(40014)
        code = self._limits.count(
            team.app_id, operation.name, now, per_minute=self.options.per_minute, per_hour=self.options.per_hour
        )
        if code is not None:
            raise refusal(code)

    # -- operations ---------------------------------------------------------------------------------------------------

    def _query(self, call: Call, tasks: TeamTasks, now: float) -> Answer:
        ids = _needed_ids(_parameters(call, {"ids"}))
        found = [self._task_fields(task, link=True) for task in tasks.read_only(ids, now)]
        return self._listing(found, len(found))

    def _history(self, call: Call, tasks: TeamTasks, now: float) -> Answer:
        content = _parameters(call, {"size", "lastId", "ids"})
        size = _size(content, self.options.default_size)
        last = content.get("lastId", "")
        if not isinstance(last, str):
            raise refusal(40004, "lastId is a string")
        ids = _some_ids(content)
        if not last:
            if ids:
                tasks.read_only(ids, now)
            else:
                tasks.read()
        window = [one for one in tasks.newest_first() if one.created >= now - HORIZON and (not ids or one.id in ids)]
        if self.options.order == "oldest":
            window.reverse()
        page = self._page([one.id for one in window], last, size)
        listed = [self._task_fields(one) for one in window if one.id in page]
        return self._listing(listed, len(window if self.options.total == "window" else listed))

    def _page(self, ids: Sequence[str], last: str, size: int) -> Sequence[str]:
        """The ids behind `last`. Behind one that is not there (any more) is nothing."""
        size = max(1, size // 2) if self.options.short_pages else size
        if last and last not in ids:
            return ()
        start = ids.index(last) + 1 if last else 0
        if start == len(ids) and last and self.options.repeat_last:
            start = (len(ids) - 1) // size * size
        return ids[start : start + size]

    def _restart(self, call: Call, tasks: TeamTasks, now: float) -> Answer:
        ids = _needed_ids(_parameters(call, {"ids"}))
        options = self.options
        if options.restart == "unknown_undone":
            raise refusal(40000)
        failed = [
            Failed(one, code)
            for place, one in enumerate(ids)
            if (code := self._restart_one(one, one in ids[:place], tasks, now, call.request_id)) is not None
        ]
        if len(failed) == len(ids) and options.all_failed != "details":
            raise refusal(40000 if options.all_failed == "unknown" else 40009)
        if options.restart == "unknown_done":
            return self.refused(refusal(40000))
        code, body = restarted(
            self._trace_id, len(ids), failed, form=options.fail_details, wrong_count=options.successes == "wrong"
        )
        return Answer(200 if code == SUCCESS else options.http_status_for_errors, body)

    def _restart_one(self, one: str, again: bool, tasks: TeamTasks, now: float, request_id: str) -> int | None:
        """Restarts a task, or says why not."""
        task = tasks.get(one)
        careless = "duplicate_id" if again else self._carelessness(task)
        if careless is not None:
            self._world.add_violation(careless, one, tasks.scope, request_id)
        code = _obstacle(task)
        if task is None or code is not None:
            return code
        busy = self.options.one_task_per_phone and tasks.phone_is_busy(task)
        if task.retry(now):
            task.details["waiting"] = False
            self._world.executed[one] += 1
            if busy:
                task.fail(now, PHONE_BUSY, FAIL[PHONE_BUSY])
        return None

    def _carelessness(self, task: Task | None) -> str | None:
        if task is None:
            return "unknown_id"
        if self._status(task) not in (FAILED, CANCELLED):
            return "not_failed"
        return None if task.can_be_retried() else "already_accepted"

    # -- answers ------------------------------------------------------------------------------------------------------

    def _status(self, task: Task) -> int:
        if task.queued and self.options.queued == "waiting":
            return WAITING
        waiting = task.status is Status.RUNNING and task.details["waiting"]
        return WAITING if waiting else _STATUS[task.status]

    def _task_fields(self, task: Task, *, link: bool = False) -> dict[str, Any]:
        """A task as task/query (with `link`) and task/historyRecords show it. What does not apply is left out."""
        status, details = self._status(task), task.details
        content: dict[str, Any] = {
            "id": task.id,
            "planName": details["plan"],
            "taskType": details["type"],
            "serialName": details["phone"],
            "envId": _number(f"phone {details['phone']}"),
            "scheduleAt": task.created,  # assumed: a retry leaves it as it is
            "status": status,
        }
        if status in (FAILED, CANCELLED) and task.code:
            content.update({"failCode": int(task.code), "failDesc": task.message})
        if status in (COMPLETED, FAILED):
            content["cost"] = details["cost"]
        if link and status == COMPLETED:
            content["shareLink"] = details["share_link"] or ""
        return content

    def _listing(self, items: Sequence[Mapping[str, Any]], total: int) -> Answer:
        shown = None if not items and self.options.null_items else items
        data = {"total": total, "items": shown}
        return Answer(
            200, to_json({"traceId": self._trace_id, "code": SUCCESS, "msg": ENVELOPE[SUCCESS], "data": data})
        )


def _obstacle(task: Task | None) -> int | None:
    """The code for a task that cannot be restarted. Which comes first, if there are several, is assumed."""
    if task is None:
        return 48002
    if not task.can_be_retried():
        return 48001
    if task.details["phone_deleted"]:
        return 40005
    if task.details["expired"]:
        return 48003
    return 48000 if task.details["restarts"] + task.retries >= MAX_RETRIES else None


# -- parameters -------------------------------------------------------------------------------------------------------


def _parameters(call: Call, known: set[str]) -> dict[str, Any]:
    """The body of a call. What is assumed of it: that a service so strict would refuse what its pages do not name."""
    media = (call.header("content-type") or "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise refusal(40001, "Content-Type is application/json")
    if call.query:
        raise refusal(40004, "parameters belong into the body")
    try:
        content = json.loads(call.body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except ValueError:
        raise refusal(40001) from None
    if not isinstance(content, dict):
        raise refusal(40001, "the body is a JSON object")
    if set(content) - known:
        raise refusal(40004, f"unknown {', '.join(sorted(set(content) - known))}")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _needed_ids(content: Mapping[str, Any]) -> list[str]:
    ids = _some_ids(content)
    if not ids:
        raise refusal(40004, "ids is required")
    return ids


def _some_ids(content: Mapping[str, Any]) -> list[str]:
    ids = content.get("ids", [])
    if not isinstance(ids, list) or not all(isinstance(one, str) and one for one in ids):
        raise refusal(40004, "ids is an array of strings")
    if len(ids) > MAX_IDS:
        raise refusal(40004, f"at most {MAX_IDS} ids")
    return ids


def _size(content: Mapping[str, Any], default: int) -> int:
    size = content.get("size", default)
    if not isinstance(size, int) or isinstance(size, bool):
        raise refusal(40004, "size is an integer")
    if not 1 <= size <= MAX_SIZE:
        raise refusal(40008, f"size is 1 to {MAX_SIZE}")
    return size


def _ids_of(call: Call) -> tuple[str, ...]:
    """The ids in the body of a call that nobody has looked at yet."""
    try:
        content = json.loads(call.body.decode())
    except ValueError:
        return ()
    ids = content.get("ids") if isinstance(content, dict) else None
    return tuple(one for one in ids if isinstance(one, str)) if isinstance(ids, list) else ()


def _app_id(team: Team | str) -> str:
    return team if isinstance(team, str) else team.app_id
