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
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Callable, TypeVar

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._discovery import read_steadily
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import GONE, Who, bare
from ansible_collections.redrive.tasks.plugins.module_utils._drs.hiding import Hider
from ansible_collections.redrive.tasks.plugins.module_utils._drs.jobs import (
    HEALTHY,
    JOB_ID,
    Item,
    Listed,
    Page,
    failure_of,
    is_parent,
    offers_no_retry,
    parse_items,
    parse_page,
    state_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._drs.verdicts import parse_verdicts
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._replies import milliseconds_of, text_of
from ansible_collections.redrive.tasks.plugins.module_utils._rules.drs import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._service import ServiceFacts
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
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
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response, shown

T = TypeVar("T")

DB_USE_TYPES = ("migration", "sync", "cloudDataGuard")
"""Kinds of jobs; a list shows one kind. The last one is disaster recovery."""

FACTS = ServiceFacts(
    name="DRS",
    id_option="job_ids",
    absent="not found in the project: the id is unknown, or the job is deleted or its resources are released",
    # No source states how many jobs a call may name.
    batch_size=10,
    concurrency=4,  # no limit is published (assumed)
    wait_interval=20.0,
    retried_state=State.WAITING,
    rules=RULES,
    # Of a signature: that of a key which is unknown or wrong has the same code.
    clock_codes=frozenset({"apigw.0301", "apig.0301"}),
    # The vendor resumes jobs by itself: three times, or without end while the network is down.
    heals_itself=True,
    # The vendor's Terraform provider waits as long before its first look.
    stale_seconds=20.0,
    stoppable=("include_paused", State.PAUSED),
    code_prefix="DRS.",
)

# The most that a page may hold, and the most ids that a call that reads takes here.
_PAGE = 100
# A dual-active job has two children; a message that names more than this helps nobody.
_MOST_NAMED = 10

# There is no such job, no such page, nothing at all.
_NOTHING_THERE = ("m00002", "m00211")


def check_job_id(job_id: str) -> str:
    """A job id. Most look like a UUID, but end in letters that no UUID has.

    :raises InputError: it is none
    """
    if JOB_ID.fullmatch(job_id):
        return job_id
    raise InputError(f"job_ids holds what is no job id: {job_id!r}. An id has 1 to 64 letters, digits, '-' and '_'.")


# By region, where the vendors establish it. Whether eu-ch2 has DRS, and under which name, is not established.
_OTC = "otc.t-systems.com"
_HOSTS = (
    (re.compile(r"eu-(?:de|nl)"), f"drs.{{}}.{_OTC}"),
    (re.compile(r"eu-west-101"), "drs.{}.myhuaweicloud.eu"),
    (re.compile(r"(?!eu-)[a-z]{2}-[a-z]+-[0-9]+"), "drs.{}.myhuaweicloud.com"),
)
# It is tried where a run of slashes begins only: at each slash of one, it would take a square of its length.
_VERSION = re.compile(r"(?<!/)/+(?:v3(?:/[^/?#]*)?/*)?$")
_LONGEST_URL = 2048
# Its list has every engine; its page knows no empty type.
_HUAWEI = (".myhuaweicloud.com", ".myhuaweicloud.eu")


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
        option = "The URL of DRS in the service catalog"
        if len(catalog_url) > _LONGEST_URL:
            raise InputError(f"{option} is longer than {_LONGEST_URL} characters. Set the option endpoint.")
        return parse_endpoint(_VERSION.sub("", catalog_url), allow_plaintext=allow_plaintext, option=option)
    host = next((host for pattern, host in _HOSTS if pattern.fullmatch(region or "")), None)
    if region and host:
        return Endpoint("https", host.format(region))
    what = (
        f"No endpoint of DRS is known for the region {region!r}" if region else "Neither endpoint nor region is known"
    )
    raise InputError(
        f"{what}, and no service catalog names one. Set the option endpoint, for example drs.eu-de.{_OTC}, or region."
    )


@dataclass
class _Details:
    """What was read of some jobs by id: each is found, or refused, or the service does not speak of it."""

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    refused: dict[str, ItemError] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """Of how many jobs there was an answer."""
        return len(self.found) + len(self.refused)

    def lacking(self, ids: Iterable[str]) -> list[str]:
        """Those of which there was none."""
        return [one for one in ids if one not in self.found and one not in self.refused]

    def is_gone(self, job_id: str) -> bool:
        """Whether the service says that there is no such job any more."""
        return job_id in self.refused and bare(self.refused[job_id].code) in GONE


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
        # example; Huawei Cloud's has no such default. Whose service another name stands for is not known.
        self._any_engine = {} if endpoint.host.lower().endswith(_HUAWEI) else {"engine_type": ""}
        self._listed: dict[str, Listed] = {}
        self._children: dict[str, tuple[str, ...]] = {}
        self._hider = Hider()

    def list_tasks(self, window: Window, states: frozenset[State]) -> Iterator[Task]:
        """Every job that was created in the window and is in one of these states, children of other jobs included."""
        listed: dict[str, Listed] = {}
        for db_use_type in self._db_use_types:
            listed.update((job.id, job) for job in self._list(db_use_type))
        self._listed.update(listed)
        self._warn_of_strange(listed.values(), states)
        wanted = [job for job in listed.values() if job.state in states]
        details = self._read([job.id for job in wanted])
        for job in wanted:
            if details.is_gone(job.id):
                continue
            task = self._task(details.found.get(job.id) or job.as_item)
            # Its state may have changed since the list.
            if task.state in states and window.holds(task):
                yield task

    def find_tasks(self, ids: Sequence[str], window: Window) -> Iterator[Task]:  # noqa: ARG002 - it reads by id
        """The jobs with these ids, whatever their kind and time."""
        items = self._read(ids).found
        self._look_up(items)
        yield from self._tasks(items)

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        """The jobs as they are now.

        From their details rather than from batch-status, which is shorter: that a job failed again between two looks
        shows in the words of its failure, if anywhere. Its time of update is no sign, because taking the retry may
        change that already, while the old state is still shown (assumed).
        """
        return {task.key: task for task in self._tasks(self._read([task.id for task in tasks]).found)}

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        """Retry (or resume) at most a batch of jobs. Each has an answer of its own, whatever the HTTP status says.

        :raises CallError: C(TOO_MANY) when nothing was carried out and each job is to be sent alone
        """
        content = {"jobs": [{"job_id": task.id, **self._re_edit} for task in tasks]}
        request = self._request("/batch-retry-task", content)
        ids = [task.id for task in tasks]
        verdicts = self._caller.change(
            request, self._guarded(lambda response: parse_verdicts(response, self._who, ids))
        )
        return {task.key: self._shown_verdict(verdicts[task.id]) for task in tasks}

    # -- reading ------------------------------------------------------------------------------------------------------

    def _warn_of_strange(self, jobs: Iterable[Listed], states: frozenset[State]) -> None:
        if State.UNKNOWN in states:
            return
        words = Counter(self._hider.word(job.status) for job in jobs if job.state is State.UNKNOWN)
        for word, number in words.items():
            self._warn(f"{number} jobs were left out, because their status {word!r} is not known here.")

    def _list(self, db_use_type: str) -> list[Listed]:
        """Every job of one kind, each once."""

        def read_page(number: int, _offset: int) -> tuple[list[Listed], int | None]:
            page = self._read_page({"cur_page": number + 1, "per_page": _PAGE, "db_use_type": db_use_type})
            return page.jobs, page.total

        jobs = read_steadily(read_page, key=lambda job: job.id, size=_PAGE, what=f"{db_use_type} jobs", warn=self._warn)
        family = {one.id: one for job in jobs for one in job.family}
        for job in family.values():
            if job.children:
                self._children[job.id] = job.child_ids
        return [job for job in family.values() if self._is_usable(job)]

    def _is_usable(self, job: Listed) -> bool:
        if JOB_ID.fullmatch(job.id):
            return True
        self._warn(f"Left out: a job whose id {self._hider.text(job.id)!r} is none.")
        return False

    def _read_page(self, content: Mapping[str, Any]) -> Page:
        """One page of a list; one beyond its end is empty, even where the service calls it an error."""
        make = partial(self._request, "", {**content, **self._any_engine})
        try:
            return self._caller.read(make, self._guarded(lambda response: parse_page(response, self._who)))
        except CallError as exc:
            if bare(exc.code) in _NOTHING_THERE:
                return Page([], None)
            raise

    def _look_up(self, items: Mapping[str, Mapping[str, Any]]) -> None:
        """Ask the list, by id, what only the list tells: which actions are offered, and which children a job has.

        Huawei Cloud's takes several ids at once. Where one is all that it takes, nothing is shown of several: then
        nobody says which actions there are, and parents are asked for once more, each alone.
        """
        asked = [job_id for job_id, item in items.items() if _state(item) is State.FAILED or self._lacks_children(item)]
        by_kind = _by_kind(asked, items)
        for kind, ids in by_kind.items():
            for start in range(0, len(ids), _PAGE):
                self._look_up_in(kind, ids[start : start + _PAGE])
        for kind, ids in by_kind.items():
            alone = [job_id for job_id in ids if len(ids) > 1 and self._lacks_children(items[job_id])]
            for job_id in alone:
                self._look_up_in(kind, [job_id])

    def _look_up_in(self, kind: str, ids: Sequence[str]) -> None:
        """As `_look_up`, in the list of one kind. That it is refused is no error: it is an extra."""
        try:
            page = self._read_page({"cur_page": 1, "per_page": _PAGE, "db_use_type": kind, "name": ",".join(ids)})
        except CallError as exc:
            if exc.kind is not Kind.REJECTED:
                raise
            return
        for job in (one for top in page.jobs for one in top.family):
            if job.id in ids:
                self._listed[job.id] = job
                if job.children:
                    self._children[job.id] = job.child_ids

    def _lacks_children(self, item: Mapping[str, Any]) -> bool:
        """Whether it could be retried if it had no children, and whether it has is not known."""
        retryable = _state(item) in (State.FAILED, State.PAUSED)
        return retryable and is_parent(item) and item["id"] not in self._children

    def _read(self, ids: Sequence[str]) -> _Details:
        """The details of these jobs by id, in the order of the ids."""
        details = _Details()
        for start in range(0, len(ids), _PAGE):
            self._read_chunk(ids[start : start + _PAGE], details)
        # Every secret that a text can hold is known only now.
        for job_id, error in details.refused.items():
            if not details.is_gone(job_id):
                words = self._hider.text(f"{error.code}: {error.message}")
                self._warn(f"The job {job_id} could not be read: {words}")
        shown = {job_id: details.found[job_id] for job_id in ids if job_id in details.found}
        for job_id, item in shown.items():
            parent = text_of(item.get("parent_id"))
            if parent:
                self._children[parent] = tuple(dict.fromkeys((*self._children.get(parent, ()), job_id)))
        return replace(details, found=shown)

    def _read_chunk(self, ids: Sequence[str], details: _Details) -> None:
        """Read at most a page of jobs into `details`.

        Where some are refused, others may not be shown for their sake. So these are asked for once more, as long as
        that brings a further refusal.
        """
        lacking = list(ids)
        while lacking:
            refused = len(details.refused)
            self._read_some(lacking, details)
            lacking = details.lacking(lacking)
            if len(details.refused) == refused:
                return

    def _read_some(self, ids: Sequence[str], details: _Details) -> None:
        """As `_read_chunk`, once. A call that is refused for a job that is gone does not say which: it is halved."""
        try:
            self._read_detail_pages(ids, details)
        except CallError as exc:
            if exc.kind is not Kind.REJECTED or bare(exc.code) not in GONE:
                raise
            if len(ids) == 1:
                details.refused[ids[0]] = ItemError(exc.code, exc.text, exc.request_id)
                return
            half = len(ids) // 2
            self._read_some(ids[:half], details)
            self._read_some(ids[half:], details)

    def _read_detail_pages(self, ids: Sequence[str], details: _Details) -> None:
        """The pages of one question.

        The service shows five unless it is told otherwise, and may cap the page (assumed); whether its count is that
        of all pages is not established. So pages are read until every job is there, or one brings nothing new.
        """
        for number in range(1, len(ids) + 2):
            content = {"jobs": list(ids), "page_req": {"cur_page": number, "per_page": _PAGE}}
            known = details.known
            for item in self._read_items(content, first=number == 1):
                if item.id not in ids:
                    continue
                if item.error is not None:
                    details.refused[item.id] = item.error
                elif _state(item.content) is State.MISSING:
                    details.refused[item.id] = ItemError(GONE[0], "deleted")
                else:
                    details.found[item.id] = item.content
            if details.known == known or not details.lacking(ids):
                return

    def _read_items(self, content: Mapping[str, Any], *, first: bool) -> list[Item]:
        make = partial(self._request, "/batch-detail", content)
        try:
            return self._caller.read(make, self._guarded(lambda response: parse_items(response, self._who)))
        except CallError as exc:
            if bare(exc.code) in _NOTHING_THERE or (exc.kind is Kind.REJECTED and not first):
                return []
            raise

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def _tasks(self, items: Mapping[str, Mapping[str, Any]]) -> list[Task]:
        return [self._task(item) for item in items.values()]

    def _task(self, item: Mapping[str, Any]) -> Task:
        """A job as its details show it, with what the list told of it."""
        job_id, status = str(item["id"]), text_of(item.get("status"))
        listed = self._listed.get(job_id)
        state = state_of(status, text_of(item.get("task_type")) or (listed.task_type if listed else ""))
        # What is offered belongs to the state in which it was offered.
        actions = listed.actions if listed and listed.status == status else None
        failed = state is State.FAILED
        code, message = failure_of(item, status, actions, listed) if failed else ("", "")
        return Task(
            id=job_id,
            scope=self._scope,
            status=self._hider.word(status) if state is State.UNKNOWN else status,
            state=state,
            code=self._hider.word(code),
            message=self._hider.text(message),
            created=milliseconds_of(item.get("create_time")),
            barred=self._barred(item, status, actions),
            healthy=state is State.RUNNING and status.upper() in HEALTHY,
        )

    def _barred(self, item: Mapping[str, Any], status: str, actions: tuple[str, ...] | None) -> Finding | None:
        """Why a retry would surely be refused."""
        children = self._children.get(str(item["id"]), ())
        if is_parent(item) and children:
            named = ", ".join(children[:_MOST_NAMED])
            remedy = f"This is the parent of a dual-active job, which cannot be retried: retry its children, {named}."
            return Finding(FailureClass.FIX, "drs.dual_active_parent", remedy)
        if offers_no_retry(status, actions):
            offered = self._hider.text(", ".join(actions or ())) or "nothing"
            remedy = f"DRS does not offer a retry of this job now, but {offered}. Look at the job in the console."
            return Finding(FailureClass.FIX, "drs.retry_not_available", remedy)
        return None

    def _shown_verdict(self, verdict: Verdict) -> Verdict:
        error = verdict.error
        if error is None:
            return verdict
        hider = self._hider
        told = ItemError(shown(error.code, hider.word), shown(error.message, hider.text), hider.text(error.request_id))
        return verdict._replace(error=told)

    # -- calls --------------------------------------------------------------------------------------------------------

    def _request(self, call: str, content: Mapping[str, Any]) -> Request:
        headers = {"Content-Type": "application/json", "X-Language": "en-us"}
        path = f"/v3/{self._project_id}/jobs{call}"
        return Request("POST", self._base_url, path, headers=headers, body=json.dumps(content).encode())

    def _guarded(self, parse: Callable[[Response], T]) -> Callable[[Response], T]:
        """Learns what must be hidden before anything is made of a reply, and keeps it out of every error."""

        def guarded(response: Response) -> T:
            with suppress(ValueError):  # the parser will say so
                self._hider.learn(response.json())
            try:
                return parse(replace(response, mask=lambda text: self._hider.excerpt(response.mask(text))))
            except CallError as exc:
                exc.text, exc.request_id = map(self._hider.text, (exc.text, exc.request_id))
                exc.code = self._hider.word(exc.code)
                raise

        return guarded


def _state(item: Mapping[str, Any]) -> State:
    return state_of(text_of(item.get("status")), text_of(item.get("task_type")))


def _by_kind(ids: Iterable[str], items: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """In which lists these can be: in any of them, where the details of a job do not say."""
    by_kind: dict[str, list[str]] = {}
    for job_id in ids:
        kind = text_of(items[job_id].get("db_use_type"))
        for one in (kind,) if kind in DB_USE_TYPES else DB_USE_TYPES:
            by_kind.setdefault(one, []).append(job_id)
    return by_kind
