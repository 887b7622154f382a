# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Alibaba Cloud SLS (Simple Log Service): shipping tasks of old-version LogShipper rules.

Sources: the vendor's pages RetryShipperTask (both editions), GetShipperStatus and ListShipper, common error codes, and
aliyun-log-python-sdk 0.9.52. What no source establishes is marked as assumed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Callable, NamedTuple, TypeVar

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._discovery import (
    in_states,
    is_last_page,
    read_places_again,
    until_found,
    usable,
)
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._replies import (
    JsonReplies,
    number_of,
    seconds_of,
    text_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._rules.sls import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._service import ServiceFacts
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    ACCEPTED,
    Scope,
    State,
    Task,
    TaskKey,
    Verdict,
    Window,
)
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Query, Request, Response

T = TypeVar("T")
U = TypeVar("U")

FACTS = ServiceFacts(
    name="SLS",
    id_option="task_ids",
    absent=(
        "not found in the window: the id is unknown, or no longer shown by the service, which shows the last 48 hours"
        " only"
    ),
    batch_size=10,
    concurrency=16,  # no limit is published for these calls (assumed, as for CLS)
    wait_interval=10.0,
    retried_state=State.RUNNING,
    rules=RULES,
    horizon=48 * 3600,
    clock_codes=frozenset({"requesttimetooskewed", "requesttimeexpired"}),
)

_PAGE = 500
# A listing with more pages than this is no listing: half a million tasks, where a shipper makes some hundreds a day.
_MOST_PAGES = 1000
_MOST_PASSES = 3
# Of a right that is missing for one logstore or shipper and may be there for another.
_RIGHTS = frozenset({"unauthorized"})

_STATES = {"success": State.SUCCEEDED, "running": State.RUNNING, "fail": State.FAILED}
_STATUSES = {state: status for status, state in _STATES.items()}

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,126}[A-Za-z0-9])?")
_TASK_ID = re.compile(r"[\x21-\x7e]{1,256}")


def check_name(option: str, name: str) -> str:
    """A name that becomes part of a path or host.

    The vendor's rules for the three kinds of names differ in length and case between its pages and SDKs;
    this is what all of them allow together.

    :raises InputError: it is no legal name
    """
    if _NAME.fullmatch(name):
        return name
    raise InputError(
        f"{option} is not a legal name: {name!r}. Names have 1 to 128 letters, digits, '-' and '_',"
        " and begin and end with a letter or digit."
    )


def check_task_id(task_id: str) -> str:
    """A task id, opaque but printable.

    :raises InputError: it is empty, too long or not printable
    """
    if _TASK_ID.fullmatch(task_id):
        return task_id
    raise InputError(f"task_ids holds what is no task id: {task_id!r}. An id has 1 to 256 visible ASCII characters.")


_DOMAINS = (".log.aliyuncs.com", ".sls.aliyuncs.com")
_BARE_DOMAINS = tuple(domain[1:] for domain in _DOMAINS)
_NETWORKS = re.compile(r"-(?:intranet|share|vpc)$")
_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def find_endpoint(endpoint: str | None, region: str | None, *, project: str, allow_plaintext: bool) -> Endpoint:
    """The endpoint without the project in front, from the option of that name or from the region.

    :raises InputError: neither is given, or one is not usable
    """
    if region and not _REGION.fullmatch(region):
        raise InputError(f"region is not a region id: {region!r}. An example is cn-hangzhou.")
    if not endpoint:
        if not region:
            raise InputError(
                "Neither endpoint nor region is known. Set the option region or endpoint, the variable"
                " ALIBABA_CLOUD_REGION_ID, or region_id in the profile."
            )
        return Endpoint("https", region + _DOMAINS[0])
    if _REGION.fullmatch(endpoint) and endpoint != "localhost":  # a region id where an endpoint is expected
        endpoint += _DOMAINS[0]
    # The project may stand in front already, unless what is left would be no endpoint of a region any more.
    prefix = f"{project}."
    return parse_endpoint(endpoint, allow_plaintext=allow_plaintext, prefix=prefix, whole=_BARE_DOMAINS)


def region_of(endpoint: Endpoint) -> str | None:
    """The region that a public endpoint of the vendor's names; None for any other, such as the acceleration one."""
    for domain in _DOMAINS:
        if endpoint.host.endswith(domain):
            region = _NETWORKS.sub("", endpoint.host[: -len(domain)])
            return None if region == "log-global" else region
    return None


class SlsService:
    """The shippers of one project, one logstore, or one shipper."""

    facts = FACTS

    def __init__(
        self,
        caller: Caller,
        endpoint: Endpoint,
        *,
        project: str,
        logstore: str | None,
        shipper: str | None,
        clock: Clock,
        warn: Callable[[str], None],
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._warn = warn
        self._project = project
        self._logstore = logstore
        self._shipper = shipper
        self._host = f"{project}.{endpoint.bracketed_host}"
        # As the vendor's SDK: the project goes into the host name, or into the Host header alone where the
        # endpoint is an address; the header never carries the port.
        self._base_url = endpoint.base_url() if endpoint.is_direct else endpoint.base_url(prefix=project)

    def list_tasks(self, window: Window, states: frozenset[State]) -> Iterator[Task]:
        """Every task in the window in one of these states."""
        # The service filters by one status; several are sorted out here.
        statuses = [_STATUSES.get(state, "") for state in states]
        status = statuses[0] if len(statuses) == 1 else ""
        yield from in_states(self._tasks(window, status), states, self._warn)

    def find_tasks(self, ids: Sequence[str], window: Window) -> Iterator[Task]:
        """The tasks of one shipper after another, until all ids are found: SLS has no call that reads one by its id."""
        yield from until_found(self._tasks(window, status=""), ids)

    def _tasks(self, window: Window, status: str) -> Iterator[list[Task]]:
        """The tasks of one shipper after another; those of other states may come along."""
        return self._usable(self._scopes, lambda scope: self._list(scope, window, status))

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        """The tasks as they are now. None of a shipper that is gone."""
        return read_places_again(tasks, self._read_scope_again)

    def _read_scope_again(self, scope: Scope, tasks: Sequence[Task]) -> dict[TaskKey, Task]:
        """First from a window around their creation; what that does not show, from all times since.

        The vendor's pages differ in whether a window means the creation of tasks or their begin and end, and no source
        says whether a retry gives a task a new time of creation.
        """
        created = [task.created for task in tasks if task.created is not None]
        since = int(min(created)) if len(created) == len(tasks) else 0
        now = int(self._clock.time())
        found: dict[TaskKey, Task] = {}
        # One second more: whether the service counts the end in is not established.
        for until in (int(max(created, default=now)) + 1, now + 1):
            absent = {task.key for task in tasks} - found.keys()
            if absent:
                shown = self._list(scope, Window(since, until), status="")
                found.update((task.key, task) for task in shown if task.key in absent)
        return found

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        """Retry at most ten tasks of one shipper. The service answers for the whole call, not for each task."""
        body = json.dumps([task.id for task in tasks]).encode()
        request = self._request("PUT", _tasks_path(tasks[0].scope), body=body)
        self._caller.change(request, _check_retry)
        return {task.key: ACCEPTED for task in tasks}

    @cached_property
    def _scopes(self) -> list[Scope]:
        return list(self._discover())

    def _discover(self) -> Iterator[Scope]:
        """The shippers to look at."""
        if self._logstore and self._shipper:
            yield self._scope(self._logstore, self._shipper)
        elif self._logstore:
            yield from self._discover_shippers(self._logstore)
        else:
            logstores = self._names("/logstores", "logstores")
            for scopes in self._usable(logstores, lambda logstore: list(self._discover_shippers(logstore))):
                yield from scopes

    def _usable(self, places: Sequence[T], read: Callable[[T], U]) -> Iterator[U]:
        """What each place holds. Internal logstores refuse these calls, so they are left out (assumed, no source)."""
        return usable(places, read, named=bool(self._shipper), rights=_RIGHTS, warn=self._warn)

    def _discover_shippers(self, logstore: str) -> Iterator[Scope]:
        for shipper in self._names(f"/logstores/{logstore}/shipper", "shipper"):
            yield self._scope(logstore, shipper)

    def _scope(self, logstore: str, shipper: str) -> Scope:
        return (("project", self._project), ("logstore", logstore), ("shipper", shipper))

    def _names(self, path: str, key: str) -> list[str]:
        """All names of a paged list. The service may ignore paging, so a page without a new name is the last."""
        names: dict[str, None] = {}
        for _page in range(_MOST_PAGES):
            query = (("offset", str(len(names))), ("size", str(_PAGE)))
            page, total = self._caller.read(
                partial(self._request, "GET", path, query), lambda response: _parse_names(response, key)
            )
            before = len(names)
            names.update(dict.fromkeys(page))
            if len(names) == before or is_last_page(len(page), len(names), total, size=_PAGE):
                break
        else:
            raise CallError(Kind.BROKEN, f"the list {key} did not end within {_MOST_PAGES} pages", code="endless_list")
        for name in [name for name in names if not _NAME.fullmatch(name)]:
            self._warn(f"Left out: {key} {name!r}, because it is no legal name.")
            del names[name]
        return list(names)

    def _list(self, scope: Scope, window: Window, status: str) -> list[Task]:
        """Every task of one shipper, each once; those of other states may come along.

        Tasks that enter or leave the list between two pages shift the later ones, so that some are shown twice and
        others never. A pass in which that can have happened is followed by another one, over tasks of all states,
        because what changes its state does not leave that list. Only the last pass counts.
        """
        tasks: list[Task] = []
        for number in range(_MOST_PASSES):
            tasks, steady = self._read_pages(scope, window, status if number == 0 else "")
            if steady:
                return tasks
        self._warn(
            f"The tasks of {_tasks_path(scope)} kept changing while they were listed: some may have been missed."
            " Run again to catch them."
        )
        return tasks

    def _read_pages(self, scope: Scope, window: Window, status: str) -> tuple[list[Task], bool]:
        """The tasks from the first page to the last, and whether the list stayed the same meanwhile."""
        tasks: dict[str, Task] = {}
        sums: set[str] = set()
        offset = 0
        for _page in range(_MOST_PAGES):
            page = self._caller.read(
                partial(self._page_request, scope, window, status, offset),
                lambda response: _parse_tasks(response, scope),
            )
            known = len(tasks)
            tasks.update((task.id, task) for task in page.tasks)
            # What tasks do changes the totals by state, but not the list of all.
            sums.add(page.sums if status else str(page.total))
            offset += len(page.tasks)
            if len(tasks) == known or is_last_page(len(page.tasks), offset, page.total, size=_PAGE):
                return list(tasks.values()), len(sums) == 1 and len(tasks) == offset
        raise CallError(Kind.BROKEN, f"the list of tasks did not end within {_MOST_PAGES} pages", code="endless_list")

    def _page_request(self, scope: Scope, window: Window, status: str, offset: int) -> Request:
        """One page, of what the service still shows now: a long listing must not fall behind its horizon."""
        horizon = int(self._clock.time()) - (FACTS.horizon or 0) + FACTS.horizon_margin // 2
        since = max(window.since, horizon)
        query = (
            ("from", str(since)),
            ("to", str(max(window.until, since + 1))),
            ("status", status),
            ("offset", str(offset)),
            ("size", str(_PAGE)),
        )
        return self._request("GET", _tasks_path(scope), query)

    def _request(self, method: str, path: str, query: Query = (), body: bytes = b"") -> Request:
        headers = {"Host": self._host}
        if body:
            headers["Content-Type"] = "application/json"
        return Request(method, self._base_url, path, query, headers, body)


def _tasks_path(scope: Scope) -> str:
    names = dict(scope)
    return f"/logstores/{names['logstore']}/shipper/{names['shipper']}/tasks"


def _parse_names(response: Response, key: str) -> tuple[list[str], int | None]:
    content = _object(response)
    names = content.get(key)
    if names is None:
        names = []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _REPLIES.wrong_shape(response, f"{key} is not a list of names")
    return names, _total(response, content)


class _Page(NamedTuple):
    """One page of tasks.

    :ivar total: tasks in the list, None if it is not told; whether those of other states count is not established
    :ivar sums: every total that the service tells; when it differs between two pages, the list has changed
    """

    tasks: list[Task]
    total: int | None
    sums: str


def _parse_tasks(response: Response, scope: Scope) -> _Page:
    content = _object(response)
    items = content.get("tasks")
    if items is None:
        items = []
    elif isinstance(items, dict):  # a model of the vendor's types the array as one object
        items = [items]
    if not isinstance(items, list):
        raise _REPLIES.wrong_shape(response, "tasks is not a list")
    total = _total(response, content)
    sums = f"{total} {text_of(content.get('statistics'))}"
    return _Page([_parse_task(response, item, scope) for item in items], total, sums)


def _parse_task(response: Response, item: Any, scope: Scope) -> Task:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
        raise _REPLIES.wrong_shape(response, "a task has no id")
    status = text_of(item.get("taskStatus"))
    state = _STATES.get(status.lower(), State.UNKNOWN)
    created = seconds_of(item.get("taskCreateTime"))
    return Task(
        id=item["id"],
        scope=scope,
        status=status,
        state=state,
        code=text_of(item.get("taskCode")),
        message=text_of(item.get("taskMessage")),
        created=created,
        expires=None if created is None else created + (FACTS.horizon or 0),
        finished=seconds_of(item.get("taskFinishTime")),
    )


def _total(response: Response, content: Mapping[str, Any]) -> int | None:
    if content.get("total") is None:
        return None
    total = number_of(content["total"])
    if total is None:
        raise _REPLIES.wrong_shape(response, "total is not a number")
    return total


def _object(response: Response) -> dict[str, Any]:
    _check(response)
    return _REPLIES.content(response)


def _request_id(response: Response) -> str:
    return response.headers.get("x-log-requestid", "")


_REPLIES = JsonReplies(FACTS.name, _request_id)


def _check_retry(response: Response) -> None:
    """The reply to a retry has an empty body, or JSON that nobody reads.

    Anything else comes from something in between, or is a part of what may have been an error.

    :raises CallError: the service refused it, or nobody knows what it did
    """
    _check(response)
    if response.body.strip():
        _REPLIES.any_json(response)


def _check(response: Response) -> None:
    """Raise what the service complains of; a reply is an error by its status or by its envelope."""
    code, text = _envelope(response)
    if 200 <= response.status < 300 and not code:
        return
    kind, hint = _judge(code, text, response.status)
    raise _REPLIES.failed(response, kind, hint, code=code, text=text)


def _envelope(response: Response) -> tuple[str, str]:
    """Error code and text; empty where the reply has none."""
    try:
        content = response.json()
    except ValueError:
        return "", ""
    if not isinstance(content, dict) or not content.get("errorCode"):
        return "", ""
    return text_of(content["errorCode"]), text_of(content.get("errorMessage"))


_CREDENTIALS_HINT = "Check access_key_id, access_key_secret and security_token, and that the key is enabled."
_RIGHTS_HINT = (
    "Check that the key is enabled, that the project belongs to its account, and that RAM allows it"
    " log:GetShipperStatus, log:ListShipper, log:ListLogStores and log:RetryShipperTask there."
)
_CLOCK_HINT = "The service allows 15 minutes: set the clock of the machine that runs the module."

_NO_PROJECT = (Kind.GONE, "Check project, and that endpoint or region is the project's own.")

_TROUBLE = (Kind.TRANSIENT, "The service failed by its own fault: try again later.")

# Codes of the vendor's tables in lower case: an older page prints some with other capitals.
_CODES: dict[str, tuple[Kind, str]] = {
    "unauthorized": (Kind.DENIED, _RIGHTS_HINT),
    "invalidaccesskeyid": (Kind.DENIED, _CREDENTIALS_HINT),
    "invalidaccesskeyid.notfound": (Kind.DENIED, _CREDENTIALS_HINT),
    "signaturenotmatch": (Kind.DENIED, "The secret does not belong to the key. " + _CREDENTIALS_HINT),
    "securitytoken.expired": (Kind.DENIED, "The STS token has expired: get a new one."),
    "securitytokenexpired": (Kind.DENIED, "The STS token has expired: get a new one."),
    "requesttimetooskewed": (Kind.DENIED, _CLOCK_HINT),
    "requesttimeexpired": (Kind.DENIED, _CLOCK_HINT),
    "projectforbidden": (Kind.DENIED, "The account is in arrears: pay first."),
    "projectnotexist": _NO_PROJECT,
    "projectnotexists": _NO_PROJECT,  # as the older page on common errors spells it
    "logstorenotexist": (Kind.GONE, "Check logstore."),
    "shippernotexist": (Kind.GONE, "Check shipper: it may have been deleted or replaced by an export job."),
    "serverbusy": _TROUBLE,
    "internalservererror": _TROUBLE,
    "requesttimeout": _TROUBLE,
    # Quotas of how many objects may exist, not of how often may be asked.
    "projectquotaexceed": (Kind.REJECTED, ""),
    "exceedquota": (Kind.REJECTED, ""),
    "quotaexceed": (Kind.REJECTED, ""),
}
_THROTTLE = re.compile(r"(?:qps|quota).*exceed", re.IGNORECASE)


def _judge(code: str, text: str, status: int) -> tuple[Kind, str]:
    """What an error means for what may be done next, and what a person can do."""
    known = _CODES.get(code.lower())
    if known:
        return known
    # With a status of its own fault the service may have carried it out, whatever it says.
    if status == 429 or (status < 500 and _THROTTLE.search(code)) or (status == 403 and _THROTTLE.search(text)):
        return Kind.THROTTLED, "The service limits how often it is asked: lower rate_limit, or try again later."
    if status == 401:
        return Kind.DENIED, _RIGHTS_HINT
    if status >= 500:
        return _TROUBLE
    return Kind.REJECTED, ""
