# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""DRS (Data Replication Service) of Open Telekom Cloud and Huawei Cloud: jobs of API v3.

Sources: Open Telekom Cloud's API reference (batch-retry-task, batch-detail, list of jobs, status and error codes), the
same pages of Huawei Cloud, huaweicloudsdkdrs 3.1.219, and the vendor's Terraform provider. What no source establishes
is marked as assumed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, TypeVar

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._complaints.drs import (
    GONE,
    REPLIES,
    Who,
    bare,
    error_of,
    hint_for,
    read_object,
    request_id_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._discovery import is_last_page
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._replies import (
    list_of,
    milliseconds_of,
    number_of,
    text_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._rules.drs import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._service import ServiceFacts
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    ACCEPTED,
    Answer,
    FailureClass,
    Finding,
    ItemError,
    Scope,
    State,
    Task,
    TaskKey,
    Verdict,
    Window,
)
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

T = TypeVar("T")

DB_USE_TYPES = ("migration", "sync", "cloudDataGuard")
"""Kinds of jobs; a list shows one kind. The last one is disaster recovery."""

FACTS = ServiceFacts(
    name="DRS",
    id_option="job_ids",
    absent="not found in the project: the id is unknown, or the job is deleted or its resources are released",
    # No source states how many jobs a call may name.
    batch_size=10,
    wait_interval=20.0,
    retried_state=State.WAITING,
    rules=RULES,
    # The vendor resumes jobs by itself: three times, or without end while the network is down.
    heals_itself=True,
    # The vendor's Terraform provider waits as long before its first look.
    stale_seconds=20.0,
    stoppable=("include_paused", State.PAUSED),
)

# The most that a page may hold, and the most ids that a call that reads takes here.
_PAGE = 100
# A listing with more pages than this is no listing: a hundred thousand jobs, where a tenant has some dozens.
_MOST_PAGES = 1000
_MOST_PASSES = 3
# A dual-active job has two children; a message that names more than this helps nobody.
_MOST_NAMED = 10

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_job_id(job_id: str) -> str:
    """A job id. Most look like a UUID, but end in letters that no UUID has.

    :raises InputError: it is none
    """
    if _JOB_ID.fullmatch(job_id):
        return job_id
    raise InputError(f"job_ids holds what is no job id: {job_id!r}. An id has 1 to 64 letters, digits, '-' and '_'.")


# By region, where the vendors establish it. Whether eu-ch2 has DRS, and under which name, is not established.
_OTC = "otc.t-systems.com"
_HOSTS = (
    (re.compile(r"eu-(?:de|nl)"), f"drs.{{}}.{_OTC}"),
    (re.compile(r"eu-west-101"), "drs.{}.myhuaweicloud.eu"),
    (re.compile(r"(?!eu-)[a-z]{2}-[a-z]+-[0-9]+"), "drs.{}.myhuaweicloud.com"),
)
_VERSION = re.compile(r"/+(?:v3(?:/[^/?#]*)?/*)?$")


def find_endpoint(
    endpoint: str | None, catalog_url: str | None, region: str | None, *, allow_plaintext: bool
) -> Endpoint:
    """Where DRS is: what the user says, else what the service catalog says, else what the region's name tells.

    :param catalog_url: with or without version and project
    :raises InputError: none of them tells, or one is not usable
    """
    if endpoint:
        return parse_endpoint(endpoint, allow_plaintext=allow_plaintext)
    if catalog_url:
        # Whoever answers the login must not lead requests over plain http, nor to a path of his choice.
        url = _VERSION.sub("", catalog_url)
        return parse_endpoint(url, allow_plaintext=allow_plaintext, option="The URL of DRS in the service catalog")
    host = next((host for pattern, host in _HOSTS if pattern.fullmatch(region or "")), None)
    if region and host:
        return Endpoint("https", host.format(region))
    what = (
        f"No endpoint of DRS is known for the region {region!r}" if region else "Neither endpoint nor region is known"
    )
    raise InputError(
        f"{what}, and no service catalog names one. Set the option endpoint, for example drs.eu-de.{_OTC}, or region."
    )


# -- words of the service ---------------------------------------------------------------------------------------------

_STATES: Mapping[str, State] = {
    "CREATING": State.WAITING,
    "CONFIGURATION": State.WAITING,
    "STARTJOBING": State.WAITING,
    "WAITING_FOR_START": State.WAITING,
    "FULL_TRANSFER_STARTED": State.RUNNING,
    "FULL_TRANSFER_COMPLETE": State.RUNNING,
    "INCRE_TRANSFER_STARTED": State.RUNNING,
    "CHANGE_JOB_STARTED": State.RUNNING,
    "CHILD_TRANSFER_STARTING": State.RUNNING,
    "CHILD_TRANSFER_STARTED": State.RUNNING,
    "CHILD_TRANSFER_COMPLETE": State.RUNNING,
    "RELEASE_CHILD_TRANSFER_STARTED": State.RUNNING,
    "RELEASE_RESOURCE_STARTED": State.RUNNING,
    "REBUILD_NODE_STARTED": State.RUNNING,
    "NODE_UPGRADE_START": State.RUNNING,
    "NODE_UPGRADE_COMPLETE": State.RUNNING,
    "FULL_TRANSFER_FAILED": State.FAILED,
    "INCRE_TRANSFER_FAILED": State.FAILED,
    "CREATE_FAILED": State.FAILED,
    "START_JOB_FAILED": State.FAILED,
    "CHANGE_JOB_FAILED": State.FAILED,
    "RELEASE_RESOURCE_FAILED": State.FAILED,
    "CHILD_TRANSFER_FAILED": State.FAILED,
    "REBUILD_NODE_FAILED": State.FAILED,
    "NODE_UPGRADE_FAILED": State.FAILED,
    # The first is Huawei Cloud's, for a job that is paused, not pausing; the second a page of Open Telekom Cloud's.
    "PAUSING": State.PAUSED,
    "PAUSEING": State.PAUSED,
    "PAUSED": State.PAUSED,
    "RELEASE_RESOURCE_COMPLETE": State.SUCCEEDED,
    "RELEASE_CHILD_TRANSFER_COMPLETE": State.SUCCEEDED,
    # Huawei Cloud still shows it for a time; it was a person who deleted it.
    "DELETED": State.CANCELLED,
}
# A replication that never ends by itself does its work in these.
_HEALTHY = ("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED")
# A retry is for failed transfers; whether it is for other failures is not established.
_TRANSFER_FAILED = ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED")
_RETRY = "RETRY"


def _state(status: str, task_type: str) -> State:
    if status.upper() == "FULL_TRANSFER_COMPLETE" and task_type.upper() == "FULL_TRANS":
        return State.SUCCEEDED
    return _STATES.get(status.upper(), State.UNKNOWN)


@dataclass(frozen=True)
class _Listed:
    """What the list tells of a job and its details do not.

    :ivar status: when it was listed, because `actions` are those of that state
    :ivar actions: what the service offers to do with it, in upper case; None where it does not say
    """

    id: str
    status: str
    task_type: str
    message: str
    actions: tuple[str, ...] | None
    children: tuple[_Listed, ...]

    @property
    def family(self) -> tuple[_Listed, ...]:
        """The job and its children, which are jobs of their own."""
        return (self, *(one for child in self.children for one in child.family))

    @property
    def child_ids(self) -> tuple[str, ...]:
        """The ids of its children, as far as they are ids."""
        return tuple(child.id for child in self.children if _JOB_ID.fullmatch(child.id))

    @property
    def as_item(self) -> dict[str, Any]:
        """The same as details would show it, where they show nothing."""
        return {"id": self.id, "status": self.status, "task_type": self.task_type, "error_message": self.message}


@dataclass(frozen=True)
class _Page:
    """One page of a list; `total` is None where it is not told."""

    jobs: list[_Listed]
    total: int | None


class DrsService:
    """The jobs of one project."""

    facts = FACTS

    def __init__(
        self,
        caller: Caller,
        endpoint: Endpoint,
        *,
        project_id: str,
        who: Who,
        db_use_types: Sequence[str] = DB_USE_TYPES,
        is_sync_re_edit: bool | None = None,
        warn: Callable[[str], None],
    ) -> None:
        """`is_sync_re_edit` is sent with each retry, unless it is None."""
        self._caller = caller
        self._base_url = endpoint.base_url()
        self._project_id = project_id
        self._who = who
        self._db_use_types = tuple(dict.fromkeys(db_use_types))
        self._re_edit = {} if is_sync_re_edit is None else {"is_sync_re_edit": is_sync_re_edit}
        self._warn = warn
        self._scope: Scope = (("project_id", project_id),)
        # Open Telekom Cloud's page says that a list shows MySQL unless told otherwise, and sends an empty type in its
        # example; Huawei Cloud's has no such default.
        self._any_engine = {"engine_type": ""} if endpoint.host.endswith(f".{_OTC}") else {}
        self._listed: dict[str, _Listed] = {}
        self._children: dict[str, tuple[str, ...]] = {}
        self._secrets: set[str] = set()
        self._one_by_one = False

    def list_tasks(self, window: Window, states: frozenset[State]) -> Iterator[Task]:
        """Every job that was created in the window and is in one of these states, children of other jobs included."""
        listed: dict[str, _Listed] = {}
        for db_use_type in self._db_use_types:
            listed.update((job.id, job) for job in self._list(db_use_type))
        self._listed.update(listed)
        self._warn_of_strange(listed.values(), states)
        wanted = [job for job in listed.values() if _state(job.status, job.task_type) in states]
        items = self._read([job.id for job in wanted])
        for job in wanted:
            task = self._task(items.get(job.id) or job.as_item)
            # Its state may have changed since the list.
            if task.state in states and window.holds(task):
                yield task

    def find_tasks(self, ids: Sequence[str], window: Window) -> Iterator[Task]:  # noqa: ARG002 - it reads by id
        """The jobs with these ids, whatever their kind and time."""
        items = self._read(ids)
        for job_id, item in items.items():
            if _is_true(item.get("multi_write")) and not item.get("parent_id") and job_id not in self._children:
                self._look_for_children(job_id, text_of(item.get("db_use_type")))
        yield from map(self._task, items.values())

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        """The jobs as they are now.

        From their details rather than from batch-status, which is shorter: that a job failed again between two looks
        shows in its time of update only.
        """
        items = self._read([task.id for task in tasks])
        return {task.key: task for task in map(self._task, items.values())}

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        """Retry (or resume) at most a batch of jobs. Each has an answer of its own, whatever the HTTP status says."""
        if not self._one_by_one:
            try:
                return self._retry(tasks)
            except CallError as exc:
                if len(tasks) == 1 or bare(exc.code) != _ONE_ONLY:
                    raise
                self._one_by_one = True
        return self._retry_one_by_one(tasks)

    # -- retrying -----------------------------------------------------------------------------------------------------

    def _retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        content = {"jobs": [{"job_id": task.id, **self._re_edit} for task in tasks]}
        request = self._request("/batch-retry-task", content)
        ids = [task.id for task in tasks]
        parse = self._guarded(lambda response: _parse_verdicts(response, self._who, ids))
        verdicts = self._caller.change(request, parse)
        return {task.key: verdicts[task.id] for task in tasks}

    def _retry_one_by_one(self, tasks: Sequence[Task]) -> dict[TaskKey, Verdict]:
        """A call for each; what has been answered must not be lost when a later one fails."""
        verdicts: dict[TaskKey, Verdict] = {}
        for number, task in enumerate(tasks):
            try:
                verdicts.update(self._retry([task]))
            except CallError as exc:
                if not verdicts:
                    raise
                answer = Answer.SILENT if exc.kind.may_have_run else Answer.REFUSED
                verdicts[task.key] = Verdict(answer, ItemError(exc.code, str(exc), exc.request_id))
                if exc.kind in (Kind.REJECTED, Kind.GONE):
                    continue
                unsent = ItemError(exc.code, f"not sent, because the call before it failed: {exc}")
                verdicts.update((one.key, Verdict(Answer.REFUSED, unsent)) for one in tasks[number + 1 :])
                break
        return verdicts

    # -- reading ------------------------------------------------------------------------------------------------------

    def _warn_of_strange(self, jobs: Iterable[_Listed], states: frozenset[State]) -> None:
        if State.UNKNOWN in states:
            return
        words = Counter(job.status for job in jobs if _state(job.status, job.task_type) is State.UNKNOWN)
        for word, number in words.items():
            self._warn(f"{number} jobs were left out, because their status {word!r} is not known here.")

    def _list(self, db_use_type: str) -> list[_Listed]:
        """Every job of one kind, each once.

        Jobs that are made or deleted between two pages shift the later ones. A pass in which that can have happened is
        followed by another one, and only the last pass counts.
        """
        jobs: dict[str, _Listed] = {}
        for _number in range(_MOST_PASSES):
            jobs, steady = self._read_pages(db_use_type)
            if steady:
                break
        else:
            self._warn(
                f"The {db_use_type} jobs kept changing while they were listed: some may have been missed. Run again to"
                " catch them."
            )
        family = {one.id: one for job in jobs.values() for one in job.family}
        for job in family.values():
            if job.children:
                self._children[job.id] = job.child_ids
        return [job for job in family.values() if self._is_usable(job)]

    def _is_usable(self, job: _Listed) -> bool:
        if _JOB_ID.fullmatch(job.id):
            return True
        self._warn(f"Left out: a job whose id {job.id!r} is none.")
        return False

    def _read_pages(self, db_use_type: str) -> tuple[dict[str, _Listed], bool]:
        """The jobs from the first page to the last, and whether the list stayed the same meanwhile."""
        jobs: dict[str, _Listed] = {}
        totals: set[int | None] = set()
        seen = 0
        for number in range(1, _MOST_PAGES + 1):
            page = self._read_page({"cur_page": number, "per_page": _PAGE, "db_use_type": db_use_type})
            known = len(jobs)
            jobs.update((job.id, job) for job in page.jobs)
            seen += len(page.jobs)
            if page.jobs:
                totals.add(page.total)
            if len(jobs) == known or is_last_page(len(page.jobs), seen, page.total, size=_PAGE):
                return jobs, len(totals) <= 1 and len(jobs) == seen
        raise CallError(Kind.BROKEN, f"the list of jobs did not end within {_MOST_PAGES} pages", code="endless_list")

    def _read_page(self, content: Mapping[str, Any]) -> _Page:
        """One page of a list; one beyond its end is empty, even where the service calls it an error."""
        make = partial(self._request, "", {**content, **self._any_engine})
        try:
            return self._caller.read(make, self._guarded(lambda response: _parse_page(response, self._who)))
        except CallError as exc:
            if bare(exc.code) in _NOTHING_THERE:
                return _Page([], None)
            raise

    def _look_for_children(self, job_id: str, db_use_type: str) -> None:
        """Ask the list, which can be asked by id, because no job's details name its children."""
        if db_use_type not in DB_USE_TYPES:
            return
        page = self._read_page({"cur_page": 1, "per_page": _PAGE, "db_use_type": db_use_type, "name": job_id})
        for job in page.jobs:
            if job.id == job_id:
                self._children[job_id] = job.child_ids

    def _read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The details of these jobs by id, in the order of the ids; one that is gone is absent."""
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(ids), _PAGE):
            chunk = ids[start : start + _PAGE]
            shown = self._read_details(chunk)
            found.update((job_id, shown[job_id]) for job_id in chunk if job_id in shown)
        for job_id, item in found.items():
            parent = text_of(item.get("parent_id"))
            if parent:
                self._children[parent] = tuple(dict.fromkeys((*self._children.get(parent, ()), job_id)))
        return found

    def _read_details(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The details of at most a page of jobs.

        The service shows five unless it is told otherwise, and may cap the page (assumed); whether its count is that
        of all pages is not established. So pages are read until every job is there, or one brings nothing new.
        """
        found: dict[str, Mapping[str, Any]] = {}
        gone: set[str] = set()
        for number in range(1, len(ids) + 2):
            content = {"jobs": list(ids), "page_req": {"cur_page": number, "per_page": _PAGE}}
            known = len(found) + len(gone)
            for item in self._read_items(content, first=number == 1):
                if item.id not in ids:
                    continue
                if item.error is None:
                    found[item.id] = item.content
                    continue
                gone.add(item.id)
                if bare(item.error.code) not in GONE:
                    self._warn(f"The job {item.id} could not be read: {item.error.code}: {item.error.message}")
            if len(found) + len(gone) in (known, len(ids)):
                break
        return found

    def _read_items(self, content: Mapping[str, Any], *, first: bool) -> list[_Item]:
        make = partial(self._request, "/batch-detail", content)
        try:
            return self._caller.read(make, self._guarded(self._parse_details))
        except CallError as exc:
            if bare(exc.code) in _NOTHING_THERE or (exc.kind is Kind.REJECTED and not first):
                return []
            raise

    def _parse_details(self, response: Response) -> list[_Item]:
        items = _parse_items(response, self._who)
        for item in items:
            self._secrets.update(_secrets_of(item.content))
        return items

    def _task(self, item: Mapping[str, Any]) -> Task:
        """A job as its details show it, with what the list told of it."""
        job_id, status = str(item["id"]), text_of(item.get("status"))
        listed = self._listed.get(job_id)
        state = _state(status, text_of(item.get("task_type")) or (listed.task_type if listed else ""))
        # What is offered belongs to the state in which it was offered.
        actions = listed.actions if listed and listed.status == status else None
        failed = state is State.FAILED
        code, message = _words(item, status, actions, listed) if failed else ("", "")
        secrets = _secrets_of(item)
        return Task(
            id=job_id,
            scope=self._scope,
            status=status,
            state=state,
            code=_hidden(code, secrets),
            message=_hidden(message, secrets),
            created=milliseconds_of(item.get("create_time")),
            # Assumed: it changes with the state. While a job runs or is paused it tells of no end.
            finished=milliseconds_of(item.get("update_time")) if failed or state is State.SUCCEEDED else None,
            barred=self._barred(item, status, actions),
            healthy=state is State.RUNNING and status.upper() in _HEALTHY,
        )

    def _barred(self, item: Mapping[str, Any], status: str, actions: tuple[str, ...] | None) -> Finding | None:
        """Why a retry would surely be refused."""
        children = self._children.get(str(item["id"]), ())
        if _is_true(item.get("multi_write")) and children and not item.get("parent_id"):
            named = ", ".join(children[:_MOST_NAMED])
            remedy = f"This is the parent of a dual-active job, which cannot be retried: retry its children, {named}."
            return Finding(FailureClass.FIX, "drs.dual_active_parent", remedy)
        if actions is not None and status.upper() in _TRANSFER_FAILED and _RETRY not in actions:
            offered = ", ".join(actions) or "nothing"
            remedy = f"DRS does not offer a retry of this job now, but {offered}. Look at the job in the console."
            return Finding(FailureClass.FIX, "drs.retry_not_available", remedy)
        return None

    # -- calls --------------------------------------------------------------------------------------------------------

    def _request(self, call: str, content: Mapping[str, Any]) -> Request:
        headers = {"Content-Type": "application/json", "X-Language": "en-us"}
        path = f"/v3/{self._project_id}/jobs{call}"
        return Request("POST", self._base_url, path, headers=headers, body=json.dumps(content).encode())

    def _guarded(self, parse: Callable[[Response], T]) -> Callable[[Response], T]:
        """Keeps what job details hold, passwords and keys of databases, out of every error."""

        def guarded(response: Response) -> T:
            try:
                return parse(replace(response, mask=lambda text: self._hide(_without_secrets(response.mask(text)))))
            except CallError as exc:
                exc.text = self._hide(exc.text)
                raise

        return guarded

    def _hide(self, text: str) -> str:
        return _hidden(text, tuple(self._secrets))


def _is_true(value: Any) -> bool:
    """Whether it is true, or the word for it: the types of some members differ between the vendors' pages."""
    return value is True or value == "true"


# -- what replies hold ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Item:
    """One job of a batch; `error` is why it is not shown."""

    id: str
    content: Mapping[str, Any]
    error: ItemError | None


def _parse_page(response: Response, who: Who) -> _Page:
    content = read_object(response, who)
    total = content.get("total_record")
    if total is not None and number_of(total) is None:
        raise REPLIES.wrong_shape(response, "total_record is not a number")
    jobs = _rows(response, content, "jobs", number_of(total))
    return _Page([_parse_listed(response, job, depth=0) for job in jobs], number_of(total))


def _rows(response: Response, content: Mapping[str, Any], name: str, number: int | None) -> list[Any]:
    """The list of that name. No list at all is an empty one where the reply itself counts none."""
    value = content.get(name)
    rows = [value] if isinstance(value, dict) and "id" in value else list_of(value)
    if rows is None or (value is None and number != 0):
        raise REPLIES.wrong_shape(response, f"{name} is not a list")
    return rows


def _parse_listed(response: Response, job: Any, depth: int) -> _Listed:
    if not isinstance(job, dict) or not isinstance(job.get("id"), str) or not job["id"]:
        raise REPLIES.wrong_shape(response, "a job has no id")
    children = list_of(job.get("children")) if depth == 0 else []
    if children is None:
        raise REPLIES.wrong_shape(response, "the children of a job are not a list")
    return _Listed(
        id=job["id"],
        status=text_of(job.get("status")),
        task_type=text_of(job.get("task_type")),
        message=text_of(job.get("error_msg")),
        actions=_actions(job.get("job_action")),
        children=tuple(_parse_listed(response, child, depth + 1) for child in children),
    )


def _actions(job_action: Any) -> tuple[str, ...] | None:
    """What is offered; None where the service does not say, as Open Telekom Cloud does not."""
    offered = job_action.get("available_actions") if isinstance(job_action, dict) else None
    if not isinstance(offered, list) or not all(isinstance(action, str) for action in offered):
        return None
    return tuple(action.upper() for action in offered)


def _parse_items(response: Response, who: Who) -> list[_Item]:
    """The jobs of a batch; a 400 that carries them is no error of the call."""
    content = _batch(response)
    if content is None:
        content = read_object(response, who)
    return [
        _parse_item(response, item) for item in _rows(response, content, "results", number_of(content.get("count")))
    ]


def _batch(response: Response) -> dict[str, Any] | None:
    """The body, if it is one that answers for each job; the vendor's Terraform provider reads it from a 400 too."""
    if not (200 <= response.status < 300 or response.status == 400):
        return None
    try:
        content = response.json()
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("results"), (list, dict)):
        return None
    return content if content["results"] or not content.get("error_code") else None


def _parse_item(response: Response, item: Any) -> _Item:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
        raise REPLIES.wrong_shape(response, "a result has no id")
    # A state is a word in capitals; this one is the outcome of looking.
    failed = text_of(item.get("status")).lower() in _REFUSED
    return _Item(item["id"], item, _item_error(response, item) if failed else None)


def _item_error(response: Response, item: Mapping[str, Any]) -> ItemError:
    text = text_of(item.get("error_msg")) or text_of(item.get("error_message"))
    return ItemError(text_of(item.get("error_code")), text or "no reason given", request_id_of(response))


def _words(
    item: Mapping[str, Any], status: str, actions: tuple[str, ...] | None, listed: _Listed | None
) -> tuple[str, str]:
    """Code and text of a failure.

    Where it is no failed transfer, and the service does not offer a retry, the state says more than the code does.
    """
    code = text_of(item.get("error_code"))
    text = text_of(item.get("error_message")) or text_of(item.get("failed_reason"))
    text = text or (listed.message if listed else "")
    if status.upper() in _TRANSFER_FAILED or _RETRY in (actions or ()):
        return code, text
    return status, ": ".join(filter(None, (code, text)))


_HIDDEN = "********"
# A shorter value is no secret that anybody could keep, and hiding it would blank ordinary words.
_SHORTEST_SECRET = 6
_SECRET_NAME = re.compile(r"passw|secret|token|(?:^|_)(?:key|sk|pwd)$|cert_key|store_key", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    r'("[^"\s]{0,40}(?:passw|secret|token|key|pwd)[^"\s]{0,40}"\s{0,9}:\s{0,9}")(?:[^"\\]|\\.)*', re.IGNORECASE
)
_DEEPEST = 5


def _secrets_of(item: Mapping[str, Any]) -> set[str]:
    """Passwords and keys of the databases, which details hold as they were entered."""
    ends = [value for name, value in item.items() if name.endswith("_endpoint")]
    return {secret for end in ends for secret in _secrets_in(end, _DEEPEST)}


def _secrets_in(value: Any, depth: int) -> Iterator[str]:
    if not depth or not isinstance(value, (dict, list)):
        return
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if not isinstance(inner, str):
            yield from _secrets_in(inner, depth - 1)
        elif isinstance(name, str) and _SECRET_NAME.search(name) and len(inner) >= _SHORTEST_SECRET:
            yield inner


def _without_secrets(text: str) -> str:
    """The text without values that stand behind the name of a secret, of a reply that is no whole JSON."""
    return _SECRET_IN_TEXT.sub(rf"\1{_HIDDEN}", text)


def _hidden(text: str, secrets: Iterable[str]) -> str:
    # Longest first: a secret that contains another one must go whole.
    for secret in sorted((one for one in secrets if one in text), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


# -- verdicts ---------------------------------------------------------------------------------------------------------

_SUCCESS = ("success",)
_REFUSED = ("failed", "fail")
_ONE_ONLY = "m00299"
_NOT_NOW = ("m00304", "m01504")
_NOTHING_THERE = ("m00002", "m00211")

_RULES = {rule.name: rule for rule in RULES}
# What a refusal tells of the job itself, by the rule of the same meaning.
_FINDINGS: Mapping[str, str] = {
    **dict.fromkeys(GONE, "drs.job_gone"),
    **dict.fromkeys(("m00307", "m00308"), "drs.wrong_level"),
    "ke0002": "drs.database_login",
    **dict.fromkeys(("m05006", "m06007", "m06011"), "drs.database_instance"),
    **dict.fromkeys(("m06020", "m06021"), "drs.destination_held"),
}


def _parse_verdicts(response: Response, who: Who, ids: Sequence[str]) -> dict[str, Verdict]:
    """The verdict of each of these jobs; one that the reply does not name is silent."""
    content = _batch(response)
    if content is None:
        return dict.fromkeys(ids, _verdict_of_all(response, who, ids))
    verdicts: dict[str, Verdict] = {}
    for item in _rows(response, content, "results", None):
        job_id = item.get("id") if isinstance(item, dict) else None
        if isinstance(job_id, str):
            verdict = _verdict(response, item)
            # Two answers that contradict each other are none.
            verdicts[job_id] = verdict if verdicts.get(job_id, verdict) == verdict else _silent(response)
    return {job_id: verdicts.get(job_id) or _silent(response) for job_id in ids}


def _silent(response: Response) -> Verdict:
    text = "the reply to the retry does not say what became of this job"
    return Verdict(Answer.SILENT, ItemError("no_answer", text, request_id_of(response)))


def _verdict(response: Response, item: Mapping[str, Any]) -> Verdict:
    """What the service says of one job, in any case of letters: v5 of the API writes C(Success)."""
    word, refused = text_of(item.get("status")).lower(), bool(item.get("error_code"))
    if word in _SUCCESS and not refused:
        return ACCEPTED
    if word in _REFUSED or (refused and not word):
        return _refusal(_item_error(response, item))
    return _silent(response)


def _refusal(error: ItemError) -> Verdict:
    code = bare(error.code)
    if code in _NOT_NOW:
        return Verdict(Answer.NOT_NOW, error)
    rule = _RULES.get(_FINDINGS.get(code, ""))
    finding = Finding(rule.failure_class, rule.name, rule.remedy) if rule else None
    hint = hint_for(code)
    words = f"{error.message.rstrip('.')}. {hint}" if hint and not finding else error.message
    return Verdict(Answer.REFUSED, replace(error, message=words), finding)


def _verdict_of_all(response: Response, who: Who, ids: Sequence[str]) -> Verdict:
    """What a reply without results says, as far as it speaks of jobs and not of the call.

    :raises CallError: it speaks of the call
    """
    error = error_of(response, who)
    if error is None:
        REPLIES.content(response)
        raise REPLIES.wrong_shape(response, "there are no results")
    code = bare(error.code)
    about_one = len(ids) == 1 and (code in _FINDINGS or code == "m00401")
    if error.kind is Kind.REJECTED and (code in _NOT_NOW or about_one):
        return _refusal(ItemError(error.code, error.text, error.request_id))
    raise error
