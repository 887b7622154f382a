# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DRS of Open Telekom Cloud and Huawei Cloud as far as failed jobs need it, and the IAM that lets callers in.

The calls of v3 under /jobs (list, batch-retry-task, batch-status, batch-detail, batch-progress) and v5's actions of a
job, after the vendors' pages and huaweicloudsdkdrs 3.1.219. What no source settles is an option of the scenario
(`DrsOptions`).

A *read* of a job is one call that has it on the page of its answer: list (as itself or as a child), batch-status,
batch-detail, batch-progress or actions.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from local_cloud.services import UNKNOWN, Answer, Call, Headers, Operation, Refusal
from local_cloud.services.drs_auth import Gate
from local_cloud.services.drs_errors import envelope, item_text, refusal, unauthenticated
from local_cloud.services.drs_iam import Caller, Identity, Token, User, version_document
from local_cloud.services.drs_jobs import (
    DB_USE_TYPES,
    DOMAIN,
    PAUSED,
    STATES,
    JobList,
    Project,
    detail_fields,
    is_parent,
    job_action,
    list_fields,
    progress_fields,
    read,
    same_state,
    status_fields,
    word,
)
from local_cloud.services.drs_options import DrsOptions, checked
from local_cloud.tasks import Status, Task

if TYPE_CHECKING:
    from local_cloud.world import World

BODY_LIMIT = 12 * 1024 * 1024
MAX_PER_PAGE = 100
MAX_NAMES = 100
_LANGUAGES = (None, "en-us", "zh-cn")
_LIST_MEMBERS = {
    *("cur_page", "per_page", "db_use_type", "status", "engine_type", "name", "net_type", "service_name"),
    *("enterprise_project_id", "tags", "instance_ids", "instance_ip"),
}
_JOBS = r"^/v3/(?P<project>[^/]+)/jobs"
_ROUTES = (
    ("GET", re.compile(r"^/v3/?$"), "ShowVersion"),
    ("POST", re.compile(r"^/v3/auth/tokens$"), "CreateToken"),
    ("GET", re.compile(r"^/v3/projects$"), "ListProjects"),
    ("POST", re.compile(rf"{_JOBS}$"), "ListJobs"),
    ("POST", re.compile(rf"{_JOBS}/batch-retry-task$"), "BatchRetryTask"),
    ("POST", re.compile(rf"{_JOBS}/batch-status$"), "BatchStatus"),
    ("POST", re.compile(rf"{_JOBS}/batch-detail$"), "BatchDetail"),
    ("POST", re.compile(rf"{_JOBS}/batch-progress$"), "BatchProgress"),
    ("GET", re.compile(r"^/v5/(?P<project>[^/]+)/jobs/(?P<job>[^/]+)/actions$"), "ShowActions"),
)
_IAM = ("ShowVersion", "CreateToken", "ListProjects")
_RETRYABLE = ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", *PAUSED)
_Found = tuple[JobList, Task]
_Broken = tuple[str, str]  # the rule of a careful client that was broken ("": none), and the code of the refusal


class DrsService:
    name = "drs"

    def __init__(self, world: World) -> None:
        self._world = world
        self._request_id = ""
        self.options = DrsOptions()
        self.identity = Identity()
        self._gate = Gate()

    # -- building ---------------------------------------------------------------------------------------------------

    def configure(self, **options: Any) -> None:
        """Sets options of `DrsOptions`."""
        with self._world.lock:
            self.options = replace(self.options, **checked(options))

    def add_project(
        self, project_id: str, name: str = "eu-de", *, domain: str = DOMAIN, region: str | None = None
    ) -> Project:
        """A project, or the one that is there. Its region is the first part of its name (`eu-de_team`)."""
        with self._world.lock:
            made = Project(project_id, name, domain, region or name.partition("_")[0], self._world)
            return self.identity.projects.setdefault(project_id, made)

    def project(self, project_id: str) -> Project:
        """The project of that id; raises KeyError without one."""
        return self.identity.projects[project_id]

    def add_user(self, name: str, password: str, **more: Any) -> User:
        """A user; `domain`, `projects` (ids; by default all of the domain), `deny`, `disabled`."""
        with self._world.lock:
            for key in ("projects", "deny"):
                if more.get(key) is not None:
                    more[key] = tuple(more[key])
            user = User(name, password, **more)
            self.identity.users.append(user)
            return user

    def add_token(self, user: User, project_id: str | None = None, *, id: str | None = None) -> str:  # noqa: A002
        """A token of the user, as somebody got it before; for a project or for none."""
        with self._world.lock:
            now = self._world.clock.now()
            project = None if project_id is None else self.project(project_id)
            return self.identity.issue(user, project, now, now + self.options.token_seconds, id=id).id

    def expire_tokens(self) -> None:
        """Lets every token issued so far expire now."""
        with self._world.lock:
            for token in self.identity.tokens.values():
                token.expires_at = min(token.expires_at, self._world.clock.now())

    @property
    def tokens(self) -> dict[str, Token]:
        """Every token issued, by itself."""
        with self._world.lock:
            return dict(self.identity.tokens)

    @property
    def canaries(self) -> list[str]:
        """Every password and key in the details of a job: none may ever show up."""
        with self._world.lock:
            return [one for jobs in self.job_lists() for one in jobs.canaries()]

    def job_lists(self) -> list[JobList]:
        with self._world.lock:
            return [jobs for project in self.identity.projects.values() for jobs in project.lists.values()]

    def load(self, scenario: Mapping[str, Any]) -> None:
        options = {key: value for key, value in scenario.items() if key not in ("users", "projects")}
        self.configure(**options)
        for project_id, content in (scenario.get("projects") or {}).items():
            more = dict(content or {})
            lists = more.pop("jobs", None) or {}
            project = self.add_project(project_id, **more)
            for db_use_type, inner in lists.items():
                jobs = project.jobs(db_use_type)
                for group in (inner or {}).get("tasks") or []:
                    jobs.add_tasks(**group)
                for event in (inner or {}).get("events") or []:
                    jobs.add_event(**event)
        for user in scenario.get("users") or []:
            self.add_user(**user)

    def tasks(self) -> list[dict[str, Any]]:
        listed = []
        for project in self.identity.projects.values():
            for jobs in project.lists.values():
                for task in jobs.newest_first():
                    shown = {**status_fields(task, self.options), "parent_id": task.details["parent_id"]}
                    scope = {"project": project.id, "db_use_type": jobs.name}
                    listed.append({"service": self.name, **scope, "retries": task.retries, **shown})
        return listed

    # -- the service --------------------------------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        return re.match(r"^/v(3|3\.0|5)(/|$)", call.path) is not None

    def operation(self, call: Call) -> Operation:
        self._request_id = call.request_id
        for method, pattern, name in _ROUTES:
            match = pattern.match(call.path)
            if match and method == call.method:
                return _operation(name, match.groupdict(), call)
        return Operation(UNKNOWN)

    def authenticate(self, call: Call, operation: Operation, now: float) -> None:
        if len(call.body) > BODY_LIMIT:
            raise refusal("APIGW.0201")
        if operation.name == UNKNOWN:
            raise refusal("APIGW.0101")
        if operation.name == "ShowVersion":
            return
        if operation.name == "CreateToken":
            self.identity.grant(call, self.options, now)
            return
        caller = self._caller(call, now)
        if operation.name == "ListProjects":
            return
        project_id = operation.scope["project"]
        # huaweicloudsdkdrs names the project in a header too; that the two must agree is assumed.
        stated = call.header("x-project-id")
        if project_id not in self.identity.projects or not caller.owns(project_id) or stated not in (None, project_id):
            raise refusal("DRS.M00261")
        if caller.denies(operation.name):
            raise refusal("DRS.M00102")

    def _caller(self, call: Call, now: float) -> Caller:
        token, authorization = call.header("x-auth-token"), call.header("authorization")
        if token is not None and authorization is not None:
            raise unauthenticated("more than one kind of authentication")
        if token is not None:
            return self.identity.caller_with(token, self.options, now)
        if authorization is None:
            raise unauthenticated("x-auth-token not found")
        account = self._gate.verify(call, self._world.accounts, now)
        return Caller(account.projects, None, account.deny)

    def execute(self, call: Call, operation: Operation, now: float) -> Answer:
        if operation.name == "ShowVersion":
            return version_document(call)
        if operation.name == "CreateToken":
            return self.identity.create_token(call, self.options, now)
        if operation.name == "ListProjects":
            return self.identity.list_projects(call, self._caller(call, now))
        if call.header("x-language") not in _LANGUAGES:
            raise refusal("DRS.M00202", name="X-Language")
        operations: dict[str, Callable[[Call, Project, float], Answer]] = {
            "ListJobs": self._list_jobs,
            "BatchRetryTask": self._batch_retry_task,
            "BatchStatus": self._batch_status,
            "BatchDetail": self._batch_detail,
            "BatchProgress": self._batch_progress,
            "ShowActions": self._show_actions,
        }
        project = self.project(operation.scope["project"])
        try:
            return operations[operation.name](call, project, now)
        finally:
            for jobs in _concerned(call, operation, project):
                jobs.called(operation.name)

    def refused(self, refusal: Refusal) -> Answer:
        content = envelope(refusal, self._request_id, legacy_iam=self.options.iam_envelope == "legacy")
        return Answer(refusal.status, _json(content), refusal.headers)

    def throttled(self) -> Refusal:
        return refusal(self.options.throttle_code)

    def broken(self) -> Refusal:
        usual = refusal("DRS.M00004")
        return Refusal(422, usual.code, usual.message) if self.options.dialect == "hw" else usual

    def secrets(self, call: Call) -> Mapping[str, str]:
        sent = call.header("authorization") or ""
        account = next((one for key, one in self._world.accounts.items() if key in sent), None)
        if account is not None:
            token = account.security_token or ""
            return {"access_key_id": account.access_key_id, "secret": account.access_key_secret, "token": token}
        token = call.header("x-auth-token") or ""
        issued = self.identity.tokens.get(token)
        return {"token": token, "secret": issued.user.password if issued else _password_in(call)}

    def reply_headers(self, call: Call, now: float) -> Headers:
        headers = (
            ("Server", "api-gateway"),
            ("Content-Type", "application/json;charset=utf-8"),
            ("Date", formatdate(now, usegmt=True)),
            ("X-Request-Id", call.request_id),
        )
        iam = call.path.startswith(("/v3/auth/", "/v3/projects", "/v3.0/"))
        return (*headers, ("X-IAM-Trace-Id", f"token_{call.request_id}")) if iam else headers

    # -- retrying -----------------------------------------------------------------------------------------------------

    def _batch_retry_task(self, call: Call, project: Project, now: float) -> Answer:
        wanted = self._retry_infos(call)
        twice = _duplicates([job_id for job_id, _ignored in wanted])
        for job_id in twice:
            self._world.add_violation("duplicate_id", job_id, (project.id,), call.request_id)
        if twice:
            raise refusal("DRS.M00301", name="jobs")
        results = [self._retry(project, job_id, re_edit, call.request_id, now) for job_id, re_edit in wanted]
        unknown = (self.options.unknown_id_code, "DRS.M05004")
        none_known = all(one.get("error_code") in unknown for one in results)
        status = self.options.all_failed_status if none_known else self.options.retry_status
        shown = [one for one in results if one["id"] not in self.options.leave_out]
        return Answer(status, _json({"results": shown, "count": len(shown)}))

    def _retry_infos(self, call: Call) -> list[tuple[str, bool]]:
        """The ids, and whether each is sent as re-edited."""
        jobs = _jobs_of(_body(call, {"jobs"}))
        wanted = []
        for one in jobs:
            if not isinstance(one, dict) or set(one) - {"job_id", "is_sync_re_edit"}:
                raise refusal("DRS.M00202", name="jobs")
            if not isinstance(one.get("job_id"), str) or not one["job_id"]:
                raise refusal("DRS.M00201", name="job_id")
            if not isinstance(one.get("is_sync_re_edit", False), bool):
                raise refusal("DRS.M00202", name="is_sync_re_edit")
            wanted.append((one["job_id"], one.get("is_sync_re_edit", False)))
        limit = self.options.max_jobs
        if limit is not None and len(wanted) > limit:
            raise refusal("DRS.M00299") if limit == 1 else refusal("DRS.M00300", value=f"at most {limit} jobs.")
        return wanted

    def _retry(self, project: Project, job_id: str, re_edit: bool, request_id: str, now: float) -> dict[str, Any]:
        """What becomes of one job of the batch."""
        found = project.find(job_id)
        broken = self._wrong_kind(found, re_edit) or self._wrong_state(found)
        if broken is not None:
            rule, code = broken
            if rule:
                self._world.add_violation(rule, job_id, found[0].scope if found else (project.id,), request_id)
            text = item_text(code, name=found[1].details["name"] if found else "")
            return {"id": job_id, "status": self._result("failed"), "error_code": code, "error_msg": text}
        if found and found[1].retry(now):
            self._world.executed[job_id] += 1
        return {"id": job_id, "status": self._result("success")}

    def _wrong_kind(self, found: _Found | None, re_edit: bool) -> _Broken | None:
        """Why this job cannot be retried at all."""
        if found is None:
            return "unknown_id", self.options.unknown_id_code
        task = found[1]
        if task.details["deleted"] or word(task, self.options) == "DELETED":
            return "unknown_id", "DRS.M05004"
        if is_parent(task):
            return "parent", "DRS.M00307"
        if re_edit and not task.details["re_edit"]:
            return "", "DRS.M00401"
        return None

    def _wrong_state(self, found: _Found | None) -> _Broken | None:
        """Why this job cannot be retried now."""
        if found is None:
            return None
        task = found[1]
        if task.details["busy_for"] > 0:
            task.details["busy_for"] -= 1
            return "", "DRS.M01504"
        if task.status in (Status.FAIL, Status.STOPPED) and not task.can_be_retried():
            return "already_accepted", "DRS.M01504"
        states = (*_RETRYABLE, *self.options.also_retryable)
        if not task.can_be_retried() or word(task, self.options) not in states:
            return "not_failed", "DRS.M00304"
        return None

    def _result(self, text: str) -> str:
        return text.title() if self.options.result_case == "title" else text

    # -- reading ------------------------------------------------------------------------------------------------------

    def _batch_status(self, call: Call, project: Project, now: float) -> Answer:
        ids, page = self._ids_and_page(call, {"jobs", "page_req"})
        return self._batch(project, ids, page, now, lambda _jobs, task: status_fields(task, self.options))

    def _batch_detail(self, call: Call, project: Project, now: float) -> Answer:
        ids, page = self._ids_and_page(call, {"jobs", "page_req"})
        return self._batch(project, ids, page, now, lambda jobs, task: detail_fields(task, project, jobs, self.options))

    def _batch_progress(self, call: Call, project: Project, now: float) -> Answer:
        ids, _ignored = self._ids_and_page(call, {"jobs"})
        answer = self._batch(project, ids, ids, now, lambda _jobs, task: progress_fields(task, self.options))
        return replace(answer, status=202) if answer.status == 200 else answer

    def _batch(
        self,
        project: Project,
        ids: Sequence[str],
        page: Sequence[str],
        now: float,
        show: Callable[[JobList, Task], dict[str, Any]],
    ) -> Answer:
        """A page of jobs by id. `count` is that of all pages (assumed from "Total number")."""
        known = {one: found for one in ids if (found := _living(project.find(one))) is not None}
        results = []
        for one in page:
            if one in known:
                read(known[one][1], now)
                results.append(show(*known[one]))
            elif self.options.unknown_reads == "failed" or not known:
                code = self.options.unknown_id_code if project.find(one) is None else "DRS.M05004"
                refused = {"id": one, "status": self._result("failed"), "error_code": code}
                results.append({**refused, "error_msg": item_text(code)})
        count = len(known) if known and self.options.unknown_reads == "omit" else len(ids)
        # "A 400 that carries the batch body": Terraform's provider reads results[0].error_code from it.
        return Answer(200 if known else 400, _json({"count": count, "results": results}))

    def _ids_and_page(self, call: Call, members: set[str]) -> tuple[list[str], list[str]]:
        """All ids asked for, and those on the page asked for: five unless the call says otherwise."""
        content = _body(call, members)
        ids = _jobs_of(content)
        if not all(isinstance(one, str) and one for one in ids):
            raise refusal("DRS.M00202", name="jobs")
        if _duplicates(ids):
            raise refusal("DRS.M00301", name="jobs")
        page_req = content.get("page_req")
        if page_req is None:
            page_req = {}
        if not isinstance(page_req, dict) or set(page_req) - {"cur_page", "per_page"}:
            raise refusal("DRS.M00202", name="page_req")
        cur_page, per_page = _page(page_req, default=5)
        if per_page == 0 and cur_page > 1:
            raise refusal("DRS.M00210", value="cur_page must be 0 or 1.")
        page = _slice(ids, cur_page, per_page)
        if not page:
            raise refusal("DRS.M00211")
        return ids, page

    def _list_jobs(self, call: Call, project: Project, now: float) -> Answer:
        content = _body(call, _LIST_MEMBERS)
        if content.get("db_use_type") in (None, ""):
            raise refusal("DRS.M00201", name="db_use_type")
        if content["db_use_type"] not in DB_USE_TYPES:
            raise refusal("DRS.M00202", name="db_use_type")
        cur_page, per_page = _page(content, default=10)
        state, names = self._state_filter(content), _names_filter(content)
        jobs = project.jobs(content["db_use_type"])
        matching = [task for task in _top_level(jobs) if self._matches(jobs, task, state, names)]
        page = _slice(matching, cur_page, per_page)
        if not page and cur_page > 1 and self.options.beyond_end == "refuse":
            raise refusal("DRS.M00211")
        for task in page:
            for one in (task, *_children(jobs, task)):
                read(one, now)
        # Being read may have changed a job: what does not match any more is not shown, nor counted.
        shown = [task for task in page if self._matches(jobs, task, state, names)]
        total = len(matching) - len(page) + len(shown)
        fields = [list_fields(task, jobs, self.options) for task in shown]
        return Answer(200, _json({"total_record": total, "jobs": fields}))

    def _state_filter(self, content: Mapping[str, Any]) -> str:
        state = content.get("status") or ""
        if state and state not in (*STATES, *PAUSED):
            raise refusal("DRS.M00202", name="status")
        if state in PAUSED and self.options.paused_filter == "refuse":
            raise refusal("DRS.M00202", name="status")
        return str(state)

    def _matches(self, jobs: JobList, task: Task, state: str, names: Sequence[str]) -> bool:
        """A job matches by itself or, which is assumed, by one of its children."""
        family = (task, *_children(jobs, task))
        by_name = not names or any(
            one.id in names or any(name in one.details["name"] for name in names) for one in family
        )
        return by_name and (not state or any(same_state(word(one, self.options), state) for one in family))

    def _show_actions(self, call: Call, project: Project, now: float) -> Answer:
        found = _living(project.find(call.path.split("/")[4]))
        if found is None:
            # Huawei Cloud's v5 has eight-digit codes of its own.
            raise Refusal(400, "DRS.10000010", "The job does not exist.")
        read(found[1], now)
        return Answer(200, _json({"job_action": job_action(found[1])}))


# -- requests ---------------------------------------------------------------------------------------------------------


def _operation(name: str, places: Mapping[str, str], call: Call) -> Operation:
    scope = {key: value for key, value in places.items() if key != "job"}
    if name == "ListJobs":
        kind = _loosely(call).get("db_use_type")
        return Operation(name, {**scope, "db_use_type": kind} if isinstance(kind, str) else scope)
    changes = name == "BatchRetryTask"
    return Operation(name, scope, changes, _ids(call) if changes else ())


def _loosely(call: Call) -> dict[str, Any]:
    """The body if it is an object, else an empty one."""
    try:
        content = json.loads(call.body.decode())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _ids(call: Call) -> tuple[str, ...]:
    jobs = _loosely(call).get("jobs")
    named = [one.get("job_id") if isinstance(one, dict) else one for one in jobs] if isinstance(jobs, list) else []
    return tuple(one for one in named if isinstance(one, str))


def _password_in(call: Call) -> str:
    match = re.search(rb'"password"\s*:\s*"([^"]*)"', call.body)
    return match.group(1).decode("utf-8", "replace") if match else ""


def _body(call: Call, members: set[str]) -> dict[str, Any]:
    """The body, which must be a JSON object without members unknown to the call."""
    kind, _ignored, parameter = (call.header("content-type") or "").partition(";")
    charset = parameter.strip().lower()
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf8", "charset=utf-8"):
        raise refusal("DRS.M00202", name="Content-Type")
    if call.query:
        raise refusal("DRS.M00200")
    try:
        content = json.loads(call.body.decode())
    except ValueError:
        raise refusal("DRS.M00300", value="the body is not JSON.") from None
    if not isinstance(content, dict):
        raise refusal("DRS.M00300", value="the body is not an object.")
    if set(content) - members:
        raise refusal("DRS.M00202", name=min(set(content) - members))
    return content


def _jobs_of(content: Mapping[str, Any]) -> list[Any]:
    jobs = content.get("jobs")
    if not isinstance(jobs, list) or not jobs:
        raise refusal("DRS.M00300", value="jobs is empty.")
    return jobs


def _duplicates(ids: Iterable[str]) -> list[str]:
    return [one for one, times in Counter(ids).items() if times > 1]


def _page(content: Mapping[str, Any], *, default: int) -> tuple[int, int]:
    numbers = []
    for name, usual, most in (("cur_page", 1, None), ("per_page", default, MAX_PER_PAGE)):
        value = content.get(name, usual)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0 or (most is not None and value > most):
            raise refusal("DRS.M00210", value=f"{name} is {value}.")
        numbers.append(value)
    return numbers[0], numbers[1]


def _slice(items: list[Any], cur_page: int, per_page: int) -> list[Any]:
    """Page 0, or one without a size, is everything."""
    return items[(cur_page - 1) * per_page : cur_page * per_page] if cur_page and per_page else items


def _names_filter(content: Mapping[str, Any]) -> list[str]:
    """Names or ids, comma separated."""
    names = [one for one in str(content.get("name") or "").split(",") if one]
    if len(names) > MAX_NAMES:
        raise refusal("DRS.M00202", name="name")
    return names


# -- jobs -------------------------------------------------------------------------------------------------------------


def _living(found: _Found | None) -> _Found | None:
    return None if found is None or found[1].details["deleted"] else found


def _top_level(jobs: JobList) -> list[Task]:
    if jobs.vanished:
        return []
    return [one for one in jobs.newest_first() if one.details["parent_id"] is None and not one.details["deleted"]]


def _children(jobs: JobList, task: Task) -> list[Task]:
    return [jobs.task(one) for one in jobs.children_of(task.id)]


def _concerned(call: Call, operation: Operation, project: Project) -> Iterable[JobList]:
    """The lists whose events a call counts for: the one listed, or those of the jobs that it names."""
    if operation.name == "ListJobs":
        kind = operation.scope.get("db_use_type")
        return [project.lists[kind]] if kind in project.lists else []
    named = _ids(call) or (call.path.split("/")[4],)
    found = (project.find(one) for one in named)
    return dict.fromkeys(one[0] for one in found if one is not None)


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
