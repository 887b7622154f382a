# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Tencent Cloud CLS (Cloud Log Service): tasks of rules that ship logs to COS.

Sources: the vendor's pages RetryShipperTask, DescribeShipperTasks, DescribeShippers and common error codes (API 3.0,
version 2020-10-16), and tencentcloud-sdk-python-cls 3.1.192. What no source establishes is marked as assumed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._discovery import (
    in_states,
    read_places_again,
    read_steadily,
    until_found,
    usable,
)
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._limits import Rate
from ansible_collections.redrive.tasks.plugins.module_utils._replies import (
    JsonReplies,
    list_of,
    milliseconds_of,
    number_of,
    text_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._rules.cls import RULES
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

FACTS = ServiceFacts(
    name="CLS",
    id_option="task_ids",
    absent=(
        "not found in the window: the id is unknown, of another region, or no longer shown by the service, which shows"
        " the last 3 days only"
    ),
    batch_size=1,
    wait_interval=10.0,
    retried_state=State.RUNNING,
    rules=RULES,
    horizon=3 * 86400,
    clock_codes=frozenset({"authfailure.signatureexpire"}),
    # Published are 20 requests a second for each API. Calls are sent evenly with a hundredth to spare, so that one that
    # is late by 10 ms does not make a 21st in a second; where more are late, on a busy machine, the count holds them.
    rate=Rate(1, 1 / 19.8, counted=Rate(20, 1.0)),
    # Each retry is a call of its own over a fresh connection, so one at a time would fall behind 20 a second as soon
    # as a call takes more than 50 ms.
    concurrency=16,
)

_VERSION = "2020-10-16"
_PAGE = 100
# DescribeShipperTasks has no pages, and no source tells how many tasks a reply holds at the most. A shipper makes some
# hundreds in three days, so a reply with as many as this may have been cut: the window is then read in halves.
_SUSPICIOUS = 1000
_SHORTEST_PIECE = 3600
# No source says which time a window means: that of the run, taken here for the creation of the task, or that of its
# logs, which come earlier by the interval of the shipping rule (at most 15 minutes). So much more is asked for.
_LOGS_BEFORE_RUN = 3600
# Below or above is no time of a task: the vendor's own samples hold some in seconds, or of nine digits.
_EARLIEST, _LATEST = 10**9, 10**10

_STATES = {"success": State.SUCCEEDED, "running": State.RUNNING, "failed": State.FAILED}

_ID = re.compile(r"[\x21-\x7e]{1,256}")


def check_id(option: str, value: str) -> str:
    """An id of a shipping rule or a task, opaque but printable.

    :raises InputError: it is empty, too long or not printable
    """
    if _ID.fullmatch(value):
        return value
    raise InputError(f"{option} holds what is no id: {value!r}. An id has 1 to 256 visible ASCII characters.")


_DOMAIN = "tencentcloudapi.com"
_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,32}){1,4}")
_REGIONAL = re.compile(rf"cls\.({_REGION.pattern})\.{re.escape(_DOMAIN)}")
_UPLOAD_DOMAINS = (".cls.tencentcs.com", ".cls.tencentyun.com", ".cls.myqcloud.com")


def check_region(region: str) -> str:
    """A region id, which becomes a header.

    :raises InputError: it is none
    """
    if _REGION.fullmatch(region):
        return region
    raise InputError(f"region is not a region id: {region!r}. An example is ap-guangzhou.")


def find_endpoint(endpoint: str | None, *, allow_plaintext: bool) -> Endpoint:
    """The endpoint from the option of that name, or the one of the China site, which serves all regions there.

    :raises InputError: it is not usable
    """
    if not endpoint:
        return Endpoint("https", f"cls.{_DOMAIN}")
    found = parse_endpoint(endpoint, allow_plaintext=allow_plaintext)
    if found.host.endswith(_UPLOAD_DOMAINS):
        raise InputError(
            f"endpoint {found.host!r} is where logs are uploaded to. The API is at cls.{_DOMAIN}, or"
            f" cls.intl.{_DOMAIN} on the international site."
        )
    return found


def region_of(endpoint: Endpoint) -> str | None:
    """The region that a regional endpoint of the vendor's names; None for any other."""
    match = _REGIONAL.fullmatch(endpoint.host)
    return match.group(1) if match else None


def is_global(endpoint: Endpoint) -> bool:
    """Whether it is one of the vendor's names that serve several regions, so that each call has to name its region.

    At any other address, a gateway say, the region may be settled already: the vendor's pages call it not required.
    """
    return endpoint.host.endswith(f".{_DOMAIN}") and region_of(endpoint) is None


def host_of(endpoint: Endpoint) -> str:
    """The Host header, which is signed: without the port that the scheme has by itself."""
    usual = {"https": 443, "http": 80}[endpoint.scheme]
    port = "" if endpoint.port in (None, usual) else f":{endpoint.port}"
    return endpoint.bracketed_host.lower() + port


_Logs = tuple[int, int]
"""The range of time of the logs in a task, milliseconds."""


class _Shown(NamedTuple):
    """A task as the service shows it, and its logs, by which it is known again."""

    task: Task
    logs: _Logs | None


class ClsService:
    """The shippers of one account in one region, or one shipper."""

    facts = FACTS

    def __init__(
        self,
        caller: Caller,
        endpoint: Endpoint,
        *,
        region: str | None,
        shipper_id: str | None,
        clock: Clock,
        warn: Callable[[str], None],
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._warn = warn
        self._shipper_id = shipper_id
        self._region = region
        self._host = host_of(endpoint)
        self._base_url = endpoint.base_url()
        # The logs of every task that was there before any retry, so that one that came later is told from them; and
        # since when each shipper was looked at.
        self._known: dict[TaskKey, _Logs | None] = {}
        self._since: dict[Scope, int] = {}
        self._cut_off: set[Scope] = set()

    def list_tasks(self, window: Window, states: frozenset[State]) -> Iterator[Task]:
        """Every task in the window in one of these states. The service filters by none, so they are sorted out here."""
        yield from in_states(self._tasks(window), states, self._warn)

    def find_tasks(self, ids: Sequence[str], window: Window) -> Iterator[Task]:
        """The tasks of one shipper after another, until all ids are found: CLS has no call that reads one by its id."""
        yield from until_found(self._tasks(window), ids)

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        """The tasks as they are now. None of a shipper that is gone."""
        return read_places_again(tasks, self._read_scope_again)

    def _read_scope_again(self, scope: Scope, tasks: Sequence[Task]) -> dict[TaskKey, Task]:
        """From all times since their creation: no source says whether a retry gives a task a new time, or a new id."""
        created = [task.created for task in tasks if task.created is not None]
        since = int(min(created)) - _LOGS_BEFORE_RUN if len(created) == len(tasks) else 0
        # Never from before the first look: a task from then would be taken for one that came later.
        since = max(since, self._since.get(scope, since))
        # One second more: whether the service counts the end in is not established.
        shown = self._read(scope, Window(since, int(self._clock.time()) + 1))
        by_key = {one.task.key: one.task for one in shown}
        successors = self._successors(scope, shown)
        found: dict[TaskKey, Task] = {}
        for task in tasks:
            now = successors.get(self._known.get(task.key)) or by_key.get(task.key)
            if now is not None:
                found[task.key] = now._replace(id=task.id)
        return found

    def _successors(self, scope: Scope, shown: Sequence[_Shown]) -> dict[_Logs | None, Task]:
        """Tasks that came since the first look, by their logs, where those were the logs of just one task before.

        That a retry may make a new task of the same logs, beside the old one or in its place, is assumed.
        """
        owners = Counter(logs for (where, _ignored), logs in self._known.items() if where == scope)
        new = [one for one in shown if one.logs and one.task.key not in self._known and owners[one.logs] == 1]
        return {one.logs: one.task for one in sorted(new, key=lambda one: one.task.created or 0.0)}

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        """Retry tasks, each in a call of its own: CLS takes one at a time."""
        return {task.key: self._retry(task) for task in tasks}

    def _retry(self, task: Task) -> Verdict:
        request = self._request("RetryShipperTask", {"ShipperId": _shipper_of(task.scope), "TaskId": task.id})
        try:
            self._caller.change(request, _retried)
        except CallError as exc:
            verdict = _verdict(exc)
            if verdict is None:
                raise
            return verdict
        return ACCEPTED

    def _tasks(self, window: Window) -> Iterator[list[Task]]:
        """The tasks of one shipper after another, of all states."""
        return usable(
            self._scopes,
            lambda scope: self._list(scope, window),
            named=bool(self._shipper_id),
            rights=_RIGHTS,
            warn=self._warn,
        )

    @cached_property
    def _scopes(self) -> list[Scope]:
        ids = [self._shipper_id] if self._shipper_id else self._shipper_ids()
        return [(("shipper_id", shipper_id),) for shipper_id in ids]

    def _shipper_ids(self) -> list[str]:
        """The ids of all shippers."""
        ids = read_steadily(self._shipper_page, key=str, size=_PAGE, what="shippers", warn=self._warn)
        for strange in [one for one in ids if not _ID.fullmatch(one)]:
            self._warn(f"Left out: shipper {strange!r}, because that is no legal id.")
        return [one for one in ids if _ID.fullmatch(one)]

    def _shipper_page(self, _number: int, offset: int) -> tuple[list[str], int | None]:
        content = {"Offset": offset, "Limit": _PAGE}
        return self._caller.read(partial(self._request, "DescribeShippers", content), _parse_shippers)

    def _list(self, scope: Scope, window: Window) -> list[Task]:
        """Every task of one shipper that was created in the window, each once.

        Whatever end the window has, it is read until now: what is there already must not be taken later for what a
        retry made.
        """
        now = int(self._clock.time())
        since = window.since - _LOGS_BEFORE_RUN
        shown = self._read(scope, Window(since, max(window.until, now)))
        self._known.update((one.task.key, one.logs) for one in shown)
        self._since[scope] = min(since, self._since.get(scope, since))
        return [one.task for one in shown if _is_in(window, one.task)]

    def _read(self, scope: Scope, window: Window) -> list[_Shown]:
        """What the service shows of the window, each task once, in pieces where one reply may not have held it all."""
        since = max(window.since, int(self._clock.time()) - (FACTS.horizon or 0))
        shown = self._read_pieces(scope, Window(since, max(window.until, since)))
        return list({one.task.id: one for one in shown}.values())

    def _read_pieces(self, scope: Scope, window: Window) -> Iterator[_Shown]:
        length = window.until - window.since
        whole: list[_Shown] = []
        try:
            whole = self._caller.read(
                partial(self._tasks_request, scope, window), lambda response: _parse_tasks(response, scope)
            )
        except CallError as exc:
            if exc.code.lower() not in _TOO_LARGE or length <= _SHORTEST_PIECE:
                raise
        else:
            yield from whole
            if len(whole) < _SUSPICIOUS:
                return
        if length <= _SHORTEST_PIECE:
            self._warn_of_cut(scope, len(whole))
            return
        middle = window.since + length // 2
        for piece in (Window(window.since, middle), Window(middle + 1, window.until)):
            yield from self._read_pieces(scope, piece)

    def _warn_of_cut(self, scope: Scope, number: int) -> None:
        """Once for each shipper, as tasks are read again and again while waiting."""
        if scope not in self._cut_off:
            self._cut_off.add(scope)
            self._warn(
                f"Shipper {_shipper_of(scope)} shows {number} tasks of one hour: some may be missing, because no source"
                " says how many a reply can hold."
            )

    def _tasks_request(self, scope: Scope, window: Window) -> Request:
        """One listing, of what the service still shows now: a long run must not fall behind its horizon."""
        horizon = int(self._clock.time()) - (FACTS.horizon or 0) + FACTS.horizon_margin // 2
        since = max(window.since, horizon)
        # Until the end of the last second, because the service counts in milliseconds.
        until = max(window.until, since) + 1
        content = {"ShipperId": _shipper_of(scope), "StartTime": since * 1000, "EndTime": until * 1000}
        return self._request("DescribeShipperTasks", content)

    def _request(self, action: str, content: Mapping[str, Any]) -> Request:
        headers = {
            # Both are signed, so they are sent in lower case just as they stand here.
            "Content-Type": "application/json",
            "Host": self._host,
            "X-TC-Action": action,
            "X-TC-Version": _VERSION,
            **({"X-TC-Region": self._region} if self._region else {}),
            # The default is Chinese.
            "X-TC-Language": "en-US",
        }
        return Request("POST", self._base_url, "/", (), headers, json.dumps(content).encode(), api=action)


def _is_in(window: Window, task: Task) -> bool:
    """Whether the task was created in the window, which counts whole seconds; tasks begin in between."""
    return window.holds(task if task.created is None else task._replace(created=float(int(task.created))))


def _shipper_of(scope: Scope) -> str:
    return dict(scope)["shipper_id"]


def _parse_shippers(response: Response) -> tuple[list[str], int | None]:
    content = _content(response)
    items = list_of(content.get("Shippers"))
    if items is None:
        raise _REPLIES.wrong_shape(response, "Shippers is not a list")
    total = number_of(content.get("TotalCount"))
    if total is None and content.get("TotalCount") is not None:
        raise _REPLIES.wrong_shape(response, "TotalCount is not a number")
    return [_id_of(response, item, "ShipperId") for item in items], total


def _parse_tasks(response: Response, scope: Scope) -> list[_Shown]:
    items = list_of(_content(response).get("Tasks"))
    if items is None:
        raise _REPLIES.wrong_shape(response, "Tasks is not a list")
    return [_parse_task(response, item, scope) for item in items]


def _parse_task(response: Response, item: Any, scope: Scope) -> _Shown:
    task_id = _id_of(response, item, "TaskId")
    status = text_of(item.get("Status"))
    begin, end = number_of(item.get("RangeStart")), number_of(item.get("RangeEnd"))
    # That a task is created when its run begins is assumed.
    created = _moment_of(item.get("StartTime")) or _moment_of(item.get("RangeStart"))
    task = Task(
        id=task_id,
        scope=scope,
        status=status,
        state=_STATES.get(status.lower(), State.UNKNOWN),
        message=text_of(item.get("Message")),
        created=created,
        expires=None if created is None else created + (FACTS.horizon or 0),
        finished=_moment_of(item.get("EndTime")),
    )
    return _Shown(task, (begin, end) if begin and end else None)


def _id_of(response: Response, item: Any, name: str) -> str:
    if isinstance(item, dict) and isinstance(item.get(name), str) and item[name]:
        return str(item[name])
    raise _REPLIES.wrong_shape(response, f"an entry has no {name}")


def _moment_of(value: Any) -> float | None:
    """Epoch seconds of a time in milliseconds; None for what is no time of a task."""
    moment = milliseconds_of(value)
    return moment if moment is not None and _EARLIEST <= moment < _LATEST else None


def _answer(response: Response) -> dict[str, Any]:
    """What stands under Response, whatever status and type the reply has; empty where there is nothing to read."""
    try:
        content = response.json()
    except ValueError:
        return {}
    answer = content.get("Response") if isinstance(content, dict) else None
    return answer if isinstance(answer, dict) else {}


def _request_id(response: Response) -> str:
    return text_of(_answer(response).get("RequestId"))


_REPLIES = JsonReplies(FACTS.name, _request_id)


def _content(response: Response) -> dict[str, Any]:
    """What stands under Response of a reply that tells of success.

    :raises CallError: what the service complains of, in a reply of status 200 as in any other; or it is no reply of CLS
    """
    answer = _answer(response)
    if answer.get("Error") is not None:
        raise _complaint(response, answer["Error"])
    if not 200 <= response.status < 300:
        kind, hint = _judge_status(response.status) or (Kind.REJECTED, "Check that the endpoint is CLS itself.")
        raise _REPLIES.failed(response, kind, hint)
    if not answer:
        _REPLIES.content(response)
        raise _REPLIES.wrong_shape(response, "there is no Response")
    if not isinstance(answer.get("RequestId"), str) or not answer["RequestId"]:
        raise _REPLIES.wrong_shape(response, "Response has no RequestId")
    return answer


def _retried(response: Response) -> dict[str, Any]:
    """As `_content`, but a server that failed is not believed that it did nothing: the task has to be read.

    :raises CallError: as `_content`
    """
    try:
        return _content(response)
    except CallError as exc:
        if response.status >= 500:
            exc.kind = Kind.TRANSIENT
        raise


def _complaint(response: Response, error: Any) -> CallError:
    """What the service complains of."""
    code = text_of(error.get("Code")) if isinstance(error, dict) else ""
    if not code:
        return _REPLIES.wrong_shape(response, f"Error has no Code: {response.excerpt()}")
    kind, hint = _judge(code, response.status)
    text = text_of(error.get("Message")) or "the service says no more"
    return _REPLIES.failed(response, kind, hint, code=code, text=text)


_CREDENTIALS_HINT = "Check secret_id, secret_key and token, and that the key is enabled."
_RIGHTS_HINT = (
    "Check that CAM allows the key cls:DescribeShippers, cls:DescribeShipperTasks and cls:RetryShipperTask on the"
    " shipping rules."
)
_ADDRESS_HINT = "Check endpoint and region."
_TROUBLE = (Kind.TRANSIENT, "The service failed by its own fault: try again later.")
_TOO_FAST = (Kind.THROTTLED, "The service limits how often it is asked: lower rate_limit, or try again later.")
_BAD_KEY = (Kind.DENIED, _CREDENTIALS_HINT)
_NO_RIGHT = (Kind.DENIED, _RIGHTS_HINT)
_NO_ADDRESS = (Kind.DENIED, _ADDRESS_HINT)
_REFUSED = (Kind.REJECTED, "")

_NOT_TO_RETRY = "failedoperation.shippertasknottoretry"
_NO_TASK = "resourcenotfound.shippertasknotexist"

# Codes of the vendor's tables in lower case, some as Major.Minor. A minor that is not here counts as its major.
_CODES: dict[str, tuple[Kind, str]] = {
    "requestlimitexceeded": _TOO_FAST,  # with .UinLimitExceeded, .GlobalRegionUinLimitExceeded, .IPLimitExceeded
    "failedoperation.readqpslimit": _TOO_FAST,
    "failedoperation.writeqpslimit": _TOO_FAST,
    "failedoperation.tagqpslimit": _TOO_FAST,
    "internalerror": _TROUBLE,  # with .ServerBusy, .DbError
    "internalerror.illegalrole": (
        Kind.REJECTED,
        "The role of CLS is missing or may not write: authorise CLS in CAM again.",
    ),
    "serviceunavailable": _TROUBLE,
    "resourceunavailable": _TROUBLE,
    # With .Timeout, .SearchTimeout and all others. Whether the call was carried out is not established: it is assumed
    # that it may have been, and the state is read.
    "failedoperation": (Kind.TRANSIENT, "The service does not say more: look at the task in the console."),
    _NOT_TO_RETRY: (Kind.REJECTED, "The service allows no retry of this task."),
    "failedoperation.topicisolated": (Kind.REJECTED, "The log topic is isolated: pay first, or restore it."),
    "failedoperation.topicclosed": (Kind.REJECTED, "The log topic is closed: open it first."),
    # Quotas of how many objects may exist, not of how often may be asked.
    "limitexceeded": _REFUSED,
    "authfailure": _BAD_KEY,
    "authfailure.secretidnotfound": _BAD_KEY,
    "authfailure.invalidsecretid": (Kind.DENIED, "The key is none of the API's. " + _CREDENTIALS_HINT),
    "authfailure.signaturefailure": (Kind.DENIED, "The secret does not belong to the key. " + _CREDENTIALS_HINT),
    "authfailure.signatureexpire": (
        Kind.DENIED,
        "The service allows 5 minutes: set the clock of the machine that runs the module.",
    ),
    "authfailure.invalidauthorization": _BAD_KEY,
    "authfailure.tokenfailure": (
        Kind.DENIED,
        "The token has expired or does not belong to the key: get new temporary credentials, all three parts.",
    ),
    "authfailure.mfafailure": (Kind.DENIED, "The account asks for a second factor: use a key that needs none."),
    "authfailure.unauthorizedoperation": _NO_RIGHT,
    "unauthorizedoperation": _NO_RIGHT,
    "ipinblacklist": (Kind.DENIED, "The address of this machine is blocked for the key."),
    "ipnotinwhitelist": (Kind.DENIED, "The address of this machine is not among those allowed for the key."),
    "operationdenied": _NO_RIGHT,
    "operationdenied.aclfailed": _NO_RIGHT,
    "operationdenied.accountisolate": (Kind.DENIED, "The account has overdue payments: pay first."),
    "operationdenied.accountdestroy": (Kind.DENIED, "The account has been terminated: use a key of another."),
    "operationdenied.accountnotexists": (Kind.DENIED, "The account is not there: use a key of another."),
    "resourcenotfound": _REFUSED,
    "resourcenotfound.shippernotexist": (
        Kind.GONE,
        "Check shipper_id, and that region and endpoint are those of the shipping rule.",
    ),
    "resourcenotfound.topicnotexist": (Kind.GONE, "The log topic of the shipping rule has been deleted."),
    _NO_TASK: _REFUSED,
    "invalidparameter": _REFUSED,
    "invalidparametervalue": _REFUSED,
    "missingparameter": _REFUSED,
    "unknownparameter": _REFUSED,
    "invalidrequest": _REFUSED,
    "requestsizelimitexceeded": _REFUSED,
    "responsesizelimitexceeded": _REFUSED,
    "resourceinuse": _REFUSED,
    "resourceinsufficient": _REFUSED,
    "unsupportedoperation": _REFUSED,
    "dryrunoperation": _REFUSED,
    "actionoffline": (Kind.DENIED, "The vendor has taken this call out of service."),
    "invalidaction": _NO_ADDRESS,
    "nosuchversion": _NO_ADDRESS,
    "nosuchproduct": _NO_ADDRESS,
    "unsupportedregion": _NO_ADDRESS,
    "unsupportedprotocol": (Kind.DENIED, "Check the scheme of endpoint: it should be https."),
}

# Of a right that is missing for one shipper and may be there for another.
_RIGHTS = frozenset({"authfailure.unauthorizedoperation", "unauthorizedoperation", "operationdenied.aclfailed"})
# What a reply that holds too many tasks ends in, here and there.
_TOO_LARGE = ("reply_too_large", "responsesizelimitexceeded")


def _judge(code: str, status: int) -> tuple[Kind, str]:
    """What an error means for what may be done next, and what a person can do."""
    exact = code.lower()
    return _CODES.get(exact) or _CODES.get(exact.partition(".")[0]) or _judge_status(status) or _REFUSED


def _judge_status(status: int) -> tuple[Kind, str] | None:
    """As `_judge`, for a reply of a gateway: the service itself answers with 200, also when it refuses."""
    if status == 429:
        return _TOO_FAST
    return _TROUBLE if status >= 500 else None


# What a refusal tells of the one task that the call named, by code.
_VERDICTS: dict[str, tuple[Answer, Finding | None]] = {
    _NOT_TO_RETRY: (
        Answer.NOT_NOW,
        Finding(
            FailureClass.EXHAUSTED,
            "cls.not_to_retry",
            "CLS allows no retry of this task. Ship its logs anew by other means if they are needed: the log topic"
            " holds them as long as its retention lasts.",
        ),
    ),
    _NO_TASK: (
        Answer.REFUSED,
        Finding(
            FailureClass.GONE,
            "cls.task_not_exist",
            "CLS does not know this task any more. Ship its logs anew by other means if they are needed.",
        ),
    ),
    "invalidparameter": (Answer.REFUSED, None),
    "invalidparametervalue": (Answer.REFUSED, None),
}


def _verdict(exc: CallError) -> Verdict | None:
    """The verdict on the task, where the error concerns it alone."""
    if exc.kind.may_have_run:
        return None
    code = exc.code.lower()
    known = _VERDICTS.get(code) or _VERDICTS.get(code.partition(".")[0])
    if known is None:
        return None
    answer, finding = known
    return Verdict(answer, ItemError(exc.code, str(exc), exc.request_id), finding)
