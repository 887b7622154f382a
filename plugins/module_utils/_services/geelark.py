# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""GeeLark Open API: tasks of cloud phones. The account is the scope.

Sources: the vendor's pages task/restart, "Task query", "Batch query tasks", request instructions and error codes, and
its command line client. What no source establishes is marked as assumed.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._discovery import in_states
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._limits import Backoff, Rate
from ansible_collections.redrive.tasks.plugins.module_utils._replies import (
    JsonReplies,
    id_of_request,
    list_of,
    number_of,
    seconds_of,
    text_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._rules.geelark import RULES
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
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response, shown

DEFAULT_ENDPOINT = "openapi.geelark.com"

FACTS = ServiceFacts(
    name="GeeLark",
    id_option="task_ids",
    absent="not found: the id is unknown, or of another account, or the service no longer shows the task",
    # Published for task/query and task/cancel; of task/restart it is assumed.
    batch_size=100,
    wait_interval=15.0,
    retried_state=State.WAITING,
    rules=RULES,
    horizon=7 * 86400,
    # Whatever is wrong with a signature or a token; how far a time may be off is not documented.
    clock_codes=frozenset({"40003"}),
    # Published are 200 in a minute. The vendor's own client keeps to 180, and so leaves some for others of the account.
    rate=Rate(180, 60.0),
    # A refusal for coming too fast is lifted the next minute: the shortest four pauses make one together.
    throttled=Backoff(base=5.0, cap=60.0, factor=3.0),
    heals_itself=True,  # what was made in the vendor's client is retried by the vendor, up to twice
    stale_seconds=10.0,
    stoppable=("include_cancelled", State.CANCELLED),
)

_QUERY, _HISTORY, _RESTART = (f"/open/v1/task/{name}" for name in ("query", "historyRecords", "restart"))

_SCOPE: Scope = ()
_PAGE = 100
_MOST_IDS = 100
# A listing with more pages than this is no listing: 200,000 tasks in a week, and twelve minutes of the published rate.
_MOST_PAGES = 2000
_MOST_PASSES = 2

# 5 and 6 stand in no source.
_STATES = {
    "1": State.WAITING,
    "2": State.RUNNING,
    "3": State.SUCCEEDED,
    "4": State.FAILED,
    "7": State.CANCELLED,
}

_TASK_ID = re.compile(r"[\x21-\x7e]{1,64}")


def check_task_id(task_id: str) -> str:
    """A task id: decimal digits as far as the vendor shows any, but opaque here.

    :raises InputError: it is empty, too long or not printable
    """
    if _TASK_ID.fullmatch(task_id):
        return task_id
    raise InputError(f"task_ids holds what is no task id: {task_id!r}. An id has 1 to 64 visible ASCII characters.")


def find_endpoint(endpoint: str | None, *, allow_plaintext: bool) -> Endpoint:
    """The option's endpoint, or the vendor's.

    :raises InputError: it is not usable
    """
    return parse_endpoint(endpoint or DEFAULT_ENDPOINT, allow_plaintext=allow_plaintext)


class GeelarkService:
    """The tasks of one account."""

    facts = FACTS

    def __init__(self, caller: Caller, endpoint: Endpoint, *, clock: Clock, warn: Callable[[str], None]) -> None:
        self._caller = caller
        self._base_url = endpoint.base_url()
        self._clock = clock
        self._warn = warn

    def list_tasks(self, window: Window, states: frozenset[State]) -> Iterator[Task]:
        """Every task in the window in one of these states. The service filters by neither."""
        shown = [task for task in self._history() if window.holds(task)]
        yield from in_states([shown], states, self._warn)

    def find_tasks(self, ids: Sequence[str], window: Window) -> Iterator[Task]:  # noqa: ARG002 - it reads by id
        """The tasks with these ids, whatever the window is; an unknown id is taken to be left out by the service."""
        yield from self._query(ids)

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        """The tasks as they are now."""
        return {task.key: task for task in self._query([task.id for task in tasks])}

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        """Restart at most a hundred tasks; the service answers for each of those that it did not restart."""
        request = self._request(_RESTART, {"ids": [task.id for task in tasks]})
        return self._caller.change(
            request,
            lambda response: _judge_restart(self._restarted(response), tasks, lambda text: shown(text, response.mask)),
        )

    def _query(self, ids: Sequence[str]) -> Iterator[Task]:
        """The tasks with these ids, each once, under the id that was asked for; whatever else comes is left out.

        A task that nobody named must not be restarted, nor one twice because it comes twice. No source says that ids
        come back as they were sent (assumed: a number, say, loses the zeros in front).
        """
        wanted = list(dict.fromkeys(ids))
        spellings = Counter(map(_bare, wanted))
        for start in range(0, len(wanted), _MOST_IDS):
            chunk = wanted[start : start + _MOST_IDS]
            tasks = self._caller.read(partial(self._request, _QUERY, {"ids": chunk}), self._parse_page).tasks
            by_id = {task.id: task for task in tasks}
            by_bare_id = {_bare(task.id): task for task in tasks}
            for task_id in chunk:
                task = by_id.get(task_id)
                if task is None and spellings[_bare(task_id)] == 1:
                    task = by_bare_id.get(_bare(task_id))
                if task is not None:
                    yield task._replace(id=task_id)

    def _history(self) -> list[Task]:
        """Every task that the service shows, each once.

        What no source tells: the order, what `total` counts, and what follows a cursor whose task has gone meanwhile.
        Nothing may follow it, and then the list ends early. So a pass that shows fewer tasks than its first page spoke
        of is followed by another one.
        """
        tasks: dict[str, Task] = {}
        total = 0
        for _pass in range(_MOST_PASSES):
            total = self._read_pages(tasks)
            if total <= len(tasks):
                return list(tasks.values())
        self._warn(
            f"The service speaks of {total} tasks and showed {len(tasks)}: some may have been missed. Run again to"
            " catch them, or name them by task_ids."
        )
        return list(tasks.values())

    def _read_pages(self, tasks: dict[str, Task]) -> int:
        """Adds the tasks from the first page to the last; how many there are by the word of the first page.

        Only a page that is empty, or shows nothing new, is the last. A short one is not, because the service may cap
        the size of a page, and no total is, because it may count the page alone: one request more costs less than a
        task that nobody sees.
        """
        seen: set[str] = set()
        first_total: int | None = None
        last_id = ""
        for _page in range(_MOST_PAGES):
            page = self._caller.read(partial(self._history_request, last_id), self._parse_page)
            first_total = page.total if first_total is None else first_total
            known = len(seen)
            seen.update(task.id for task in page.tasks)
            if len(seen) == known:
                return first_total
            tasks.update((task.id, task) for task in page.tasks)
            last_id = page.tasks[-1].id
        raise CallError(Kind.BROKEN, f"the list of tasks did not end within {_MOST_PAGES} pages", code="endless_list")

    def _history_request(self, last_id: str) -> Request:
        cursor = {"lastId": last_id} if last_id else {}
        return self._request(_HISTORY, {"size": _PAGE, **cursor})

    def _request(self, path: str, content: Mapping[str, Any]) -> Request:
        """Every call is a POST with JSON, reads included."""
        body = json.dumps(content).encode()
        return Request("POST", self._base_url, path, headers={"Content-Type": "application/json"}, body=body)

    def _parse_page(self, response: Response) -> _Page:
        envelope = _envelope(response)
        if envelope is None:
            raise _no_envelope(response)
        if not envelope.is_good(response):
            raise self._error(envelope, response)
        if not isinstance(envelope.data, dict):
            raise _REPLIES.wrong_shape(response, "data is not an object")
        items = list_of(envelope.data.get("items"))
        if items is None:
            raise _REPLIES.wrong_shape(response, "items is not a list")
        return _Page([_parse_task(response, item) for item in items], _total(response, envelope.data))

    def _restarted(self, response: Response) -> _Envelope:
        """The envelope of a restart that tells what became of the tasks.

        :raises CallError: the whole call failed, or nobody knows what it did
        """
        envelope = _envelope(response) or _printed_envelope(response)
        if envelope is None:
            raise _no_envelope(response)
        tells = isinstance(envelope.data, dict)
        if envelope.code in (_PARTIAL, _ALL_FAILED) and tells:
            return envelope
        if not envelope.is_good(response):
            raise self._restart_error(envelope, response)
        if not tells and envelope.data is not None:
            raise _REPLIES.wrong_shape(response, "data is not an object")
        return envelope

    def _error(self, envelope: _Envelope, response: Response) -> CallError:
        kind, hint = _judge(envelope.code, response.status, self._clock.time())
        return _REPLIES.failed(response, kind, hint, code=envelope.code, text=envelope.text)

    def _restart_error(self, envelope: _Envelope, response: Response) -> CallError:
        """As `_error`, but a server that failed is not believed that it did nothing: the tasks have to be read.

        A lock is believed. It says that the call was not carried out, and to read while it lasts may prolong it; the
        next run reads the states first. Results for each task are believed as well (see `_restarted`), as none of them
        makes a task be sent once more.
        """
        error = self._error(envelope, response)
        if response.status >= 500 and error.kind is not Kind.LOCKED:
            error.kind = Kind.TRANSIENT
        return error


# -- envelopes --------------------------------------------------------------------------------------------------------

_GOOD, _PARTIAL, _ALL_FAILED = "0", "40006", "40009"
_TRACE_ID = re.compile(r'"traceId"\s{0,20}:\s{0,20}"([^"\\\s]{1,128})"')
_LONGEST_HEAD = 4096


class _Envelope(NamedTuple):
    """What every reply comes in. Its code is the verdict, whatever the HTTP status.

    :ivar code: digits
    :ivar text: the service's words
    :ivar trace_id: the service's own; it need not be the one that was sent
    """

    code: str
    text: str
    data: Any
    trace_id: str

    def is_good(self, response: Response) -> bool:
        """Whether the service says that all went well. It is not believed under the status of a server's failure."""
        return self.code == _GOOD and response.status < 500


def _envelope(response: Response) -> _Envelope | None:
    """The envelope; None if the reply is none, or one without a code."""
    try:
        content = response.json()
    except ValueError:
        return None
    code = number_of(content.get("code")) if isinstance(content, dict) else None
    if code is None:
        return None
    trace_id = id_of_request(content.get("traceId"))
    return _Envelope(str(code), text_of(content.get("msg")), content.get("data"), trace_id)


def _no_envelope(response: Response) -> CallError:
    """The error for a reply that comes from something before the service, or is spoilt."""
    if response.status != 429 and response.status < 500:
        return _REPLIES.wrong_shape(response, f"no envelope with a code: {response.excerpt() or 'an empty body'}")
    kind, hint = _judge("", response.status, 0.0)
    return _REPLIES.failed(response, kind, hint)


def _request_id(response: Response) -> str:
    match = _TRACE_ID.search(response.body[:_LONGEST_HEAD].decode("utf-8", "replace"))
    return match.group(1) if match else ""


_REPLIES = JsonReplies(FACTS.name, _request_id)

# The vendor's page on task/restart prints answers that are no JSON: in failDetails stand bare pairs, and a comma is
# missing. No recorded answer shows what is really sent, so just that can be read, too. All repetitions are bounded, and
# what does not look like this stays unread.
_LONGEST_PRINTED = 256 * 1024
_PRINTED_CODE = re.compile(r'"code"\s{0,99}:\s{0,99}"?([0-9]{1,9})\b')
_PRINTED_TEXT = re.compile(r'"msg"\s{0,99}:\s{0,99}"((?:[^"\\]|\\.){0,2000})"')
_PRINTED_AMOUNT = re.compile(r'"(totalAmount|successAmount|failAmount)"\s{0,99}:\s{0,99}"?([0-9]{1,9})\b')
_PRINTED_ITEM = re.compile(
    r'"id"\s{0,99}:\s{0,99}"?([^"\\\s,]{1,64})"?\s{0,99}(?:,\s{0,99})?'
    r'"code"\s{0,99}:\s{0,99}"?([0-9]{1,9})"?\s{0,99}(?:,\s{0,99})?'
    r'"msg"\s{0,99}:\s{0,99}"((?:[^"\\]|\\.){0,2000})"'
)


def _printed_envelope(response: Response) -> _Envelope | None:
    """The envelope of a partial or failed restart that looks as the vendor's page prints it; None for anything else."""
    text = response.body[:_LONGEST_PRINTED].decode("utf-8", "replace")
    head, mark, tail = text.partition('"failDetails"')
    code, words = _PRINTED_CODE.search(head), _PRINTED_TEXT.search(head)
    if not mark or not code or code.group(1) not in (_PARTIAL, _ALL_FAILED):
        return None
    data: dict[str, Any] = dict(_PRINTED_AMOUNT.findall(head))
    items: list[Any] = [dict(zip(("id", "code", "msg"), item)) for item in _PRINTED_ITEM.findall(tail)]
    # What looks otherwise is there, and is not understood.
    data["failDetails"] = items + [None] * (tail.count('"id"') - len(items))
    return _Envelope(code.group(1), words.group(1) if words else "", data, _request_id(response))


# -- tasks ------------------------------------------------------------------------------------------------------------


class _Page(NamedTuple):
    """Tasks of one reply.

    :ivar total: how many the service speaks of; whether in the window or on the page is not established
    """

    tasks: list[Task]
    total: int


def _total(response: Response, data: Mapping[str, Any]) -> int:
    if data.get("total") is None:
        return 0
    total = number_of(data["total"])
    if total is None:
        raise _REPLIES.wrong_shape(response, "total is not a number")
    return total


def _parse_task(response: Response, item: Any) -> Task:
    """One task. Nothing else of it is read: results and logs may hold data of the accounts that it works with."""
    task_id = _id_of(item.get("id")) if isinstance(item, dict) else None
    if task_id is None:
        raise _REPLIES.wrong_shape(response, "a task has no id")
    status = text_of(item.get("status"))
    created = seconds_of(item.get("scheduleAt"))
    cost = number_of(item.get("cost"))
    code = item.get("failCode")
    return Task(
        id=task_id,
        scope=_SCOPE,
        status=status,
        state=_STATES.get(status, State.UNKNOWN),
        code="" if code in (0, "0") else text_of(code),
        message=text_of(item.get("failDesc")),
        created=created,
        expires=None if created is None else created + (FACTS.horizon or 0),
        # Assumed: the service tells no end, but how long the task took. It is enough to tell two runs apart.
        finished=None if created is None or cost is None else created + cost,
    )


def _id_of(value: Any) -> str | None:
    """An id as text, never by way of a floating point number, which would lose its last digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 <= value < 10**64 else ""
    return value if isinstance(value, str) and _TASK_ID.fullmatch(value) else None


def _bare(task_id: str) -> str:
    """What is left of an id that was a number meanwhile."""
    return task_id.lstrip("0") if task_id.isdecimal() else task_id


# -- what a restart says of each task ---------------------------------------------------------------------------------


class _Refused(NamedTuple):
    """One task that was not restarted, in the service's words."""

    id: str
    code: str
    text: str


_NAMES = ("id", "code", "msg")


class _Details(NamedTuple):
    """The tasks that a reply says were not restarted.

    :ivar refused: by id
    :ivar contradicted: ids of which it says two things
    :ivar words: whether texts stand between the entries
    :ivar understood: whether every entry was
    """

    refused: Mapping[str, _Refused]
    contradicted: frozenset[str]
    words: bool
    understood: bool


def _judge_restart(envelope: _Envelope, tasks: Sequence[Task], mask: Callable[[str], str]) -> dict[TaskKey, Verdict]:
    """The verdict for each task that was sent. `mask` takes out what the service repeats of the request's secrets."""
    data = envelope.data or {}
    details = _read_details(data.get("failDetails"))
    told = {one.id: _verdict(one, envelope.trace_id, mask) for one in details.refused.values()}
    told.update(dict.fromkeys(details.contradicted, _silence(envelope, mask, "says two things of this task")))
    rest = _verdict_of_the_rest(envelope, data, {task.id for task in tasks}, details, mask)
    return {task.key: told.get(task.id, rest) for task in tasks}


def _verdict_of_the_rest(
    envelope: _Envelope, data: Mapping[str, Any], sent: set[str], details: _Details, mask: Callable[[str], str]
) -> Verdict:
    """What holds for a task of which the reply says nothing.

    It was accepted, or refused with all others, only where every entry was understood and every number that the reply
    tells agrees: otherwise nobody knows of which task something was not understood. Texts between the entries, as the
    vendor's page prints them, say nothing where the entries make up the number of failures.
    """
    silence = _silence(envelope, mask, "does not say what became of this task")
    refused = details.refused.keys()
    all_failed = envelope.code == _ALL_FAILED
    failed = len(sent) if all_failed else len(refused)
    expected = {"totalAmount": len(sent), "successAmount": len(sent) - failed, "failAmount": failed}
    told = {name: number_of(data[name]) for name in expected if data.get(name) is not None}
    counted = told.keys() & {"successAmount", "failAmount"}
    explained = not details.words or (refused and counted)
    if not (details.understood and explained and refused <= sent):
        return silence
    if any(number != expected[name] for name, number in told.items()):
        return silence
    if all_failed and "failAmount" in told:
        return Verdict(Answer.REFUSED, ItemError(envelope.code, mask(envelope.text), envelope.trace_id))
    if envelope.code == _GOOD or (not all_failed and refused and counted):
        return ACCEPTED
    return silence


def _silence(envelope: _Envelope, mask: Callable[[str], str], what: str) -> Verdict:
    text = f"the reply ({mask(envelope.text)}) {what}"
    return Verdict(Answer.SILENT, ItemError(envelope.code, text, envelope.trace_id))


def _read_details(details: Any) -> _Details:
    """The tasks that were not restarted, in whatever form.

    A list of objects, one object, nothing, names and values one after the other in a flat list, or these mixed.
    """
    parts = [details] if isinstance(details, dict) and details else details if isinstance(details, list) else []
    loose = [part for part in parts if not isinstance(part, dict)]
    pairs, words = _paired([part for part in loose if not isinstance(part, list)])
    refused: dict[str, _Refused] = {}
    contradicted = set()
    entries = [*(part for part in parts if isinstance(part, dict)), *pairs]
    for entry in entries:
        one = _read_detail(entry)
        if one is not None and refused.setdefault(one.id, one).code != one.code:
            contradicted.add(one.id)
    strange = any(isinstance(part, list) for part in loose) or not all(map(_is_word, words))
    understood = not strange and all(map(_read_detail, entries)) and bool(parts or not details)
    return _Details(refused, frozenset(contradicted), bool(words), understood)


def _is_word(part: Any) -> bool:
    """Whether it is a text, and not the name of something that does not follow."""
    return isinstance(part, str) and part not in _NAMES


def _read_detail(entry: Mapping[str, Any]) -> _Refused | None:
    """One task that was not restarted; None if it cannot be told which, or the code is of a kind that none is."""
    task_id, code = _id_of(entry.get("id")), entry.get("code")
    if task_id is None or isinstance(code, (bool, float, list, dict)):
        return None
    return _Refused(task_id, text_of(code).strip(), text_of(entry.get("msg")))


def _paired(parts: Sequence[Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Objects made of names and values one after the other, each beginning with its id; and what stands between."""
    entries: list[dict[str, Any]] = []
    rest = []
    position = 0
    while position < len(parts):
        name = parts[position]
        if name not in _NAMES or position + 1 == len(parts):
            rest.append(name)
            position += 1
            continue
        if name == "id" or not entries:
            entries.append({})
        entries[-1][name] = parts[position + 1]
        position += 2
    return entries, rest


_ITEMS: dict[str, tuple[Answer, Finding | None]] = {
    "48000": (
        Answer.REFUSED,
        Finding(
            FailureClass.EXHAUSTED,
            "geelark.retry_limit",
            "The service restarts a task five times at the most. Mend what makes it fail, and create a new task.",
        ),
    ),
    "48001": (Answer.NOT_NOW, None),
    "48002": (
        Answer.REFUSED,
        Finding(
            FailureClass.GONE, "geelark.task_gone", "The task no longer exists. If it is still wanted, create it anew."
        ),
    ),
    "48003": (
        Answer.REFUSED,
        Finding(
            FailureClass.GONE,
            "geelark.material_expired",
            "The service no longer has the files of the task. Upload them again, and create a new task.",
        ),
    ),
    "40005": (
        Answer.REFUSED,
        Finding(
            FailureClass.GONE,
            "geelark.phone_deleted",
            "The cloud phone is deleted, and its tasks with it. Create the task on another phone.",
        ),
    ),
    # An unknown error, and an error within the service: they do not say that nothing was done.
    "40000": (Answer.SILENT, None),
    "50000": (Answer.SILENT, None),
}


def _verdict(refused: _Refused, trace_id: str, mask: Callable[[str], str]) -> Verdict:
    """What the service's words about one task mean; any other code is a refusal."""
    answer, finding = _ITEMS.get(refused.code, (Answer.REFUSED, None))
    return Verdict(answer, ItemError(mask(refused.code), mask(refused.text), trace_id), finding)


# -- what a failed call means -----------------------------------------------------------------------------------------

_DEFECT = "The service does not take the request as it is sent: please report it, with the request id."
_THROTTLED = "The service limits how often it is asked: lower rate_limit, or try again in a minute."
_PROXY = "Check the proxy of the phone."
_TROUBLE = "The service failed by its own fault: try again later."

_CODES: dict[str, tuple[Kind, str]] = {
    "40000": (Kind.TRANSIENT, "The service does not say what went wrong, nor whether anything was done."),
    "40001": (Kind.REJECTED, _DEFECT),
    "40002": (Kind.REJECTED, _DEFECT),
    "40003": (
        Kind.DENIED,
        "Check api_token, which may have expired, or app_id and api_key; these need a clock that is right as well.",
    ),
    "40004": (Kind.REJECTED, _DEFECT),
    "40005": (Kind.REJECTED, "Check the endpoint, and that what the tasks belong to still exists."),
    # Without data, as in all other cases they are no errors but results.
    "40006": (Kind.TRANSIENT, "The service says that a part was done, but not which."),
    "40007": (Kind.THROTTLED, _THROTTLED),
    "40008": (Kind.REJECTED, _DEFECT),
    "40009": (Kind.TRANSIENT, "The service says that all failed, but not why."),
    "40010": (Kind.TRANSIENT, "What the call needs is occupied: try again later."),
    "40011": (Kind.DENIED, "The Open API is for paid plans only: change the plan of the account."),
    "40012": (Kind.REJECTED, "The vendor has withdrawn this call: look for a newer version of this collection."),
    "40013": (Kind.DENIED, "The user does not exist: check whose api_token or app_id it is."),
    "40015": (Kind.DENIED, "The user has no permission: let the owner of the team grant the use of tasks."),
    "40016": (Kind.DENIED, "Add the address of this machine to the IP whitelist in the API settings of the account."),
    "40017": (Kind.THROTTLED, _THROTTLED),
    "41000": (Kind.DENIED, "The account has no task points left: buy some, then run again."),
    "41001": (Kind.DENIED, "The account has no balance left: top it up, then run again."),
    "42001": (Kind.REJECTED, "What the tasks belong to does not exist any more."),
    "43004": (Kind.REJECTED, _PROXY),
    "43029": (Kind.TRANSIENT, _TROUBLE),
    "45002": (Kind.REJECTED, _PROXY),
    "45003": (Kind.REJECTED, _PROXY),
    "45004": (Kind.REJECTED, _PROXY),
    "46001": (Kind.DENIED, "The plan of the account has expired: renew it, then run again."),
    "47002": (Kind.THROTTLED, "Too much is under way at once, or all devices are in use: try again in a minute."),
    "48000": (Kind.REJECTED, ""),
    "48001": (Kind.REJECTED, ""),
    "48002": (Kind.REJECTED, ""),
    "48003": (Kind.REJECTED, ""),
    "48004": (Kind.REJECTED, "Install another version of the app on the phone."),
    "42008": (Kind.REJECTED, "Install another version of the app on the phone."),
    "50000": (Kind.TRANSIENT, _TROUBLE),
}

_LOCK_SECONDS = 2 * 3600
_DAY_SECONDS = 86400


def _judge(code: str, status: int, now: float) -> tuple[Kind, str]:
    """What an error means for what may be done next, and what a person can do. `now` is in epoch seconds."""
    known = _CODES.get(code)
    if known:
        return known
    if code == "40014":
        until = _iso(now + _LOCK_SECONDS)
        return Kind.LOCKED, (
            "After too many calls in one hour the service locks the account for two hours. Do not call it before"
            f" {until}: calls meanwhile do not help. Then run again, with a lower rate_limit."
        )
    if code == "43008":
        until = _iso((now // _DAY_SECONDS + 1) * _DAY_SECONDS)
        return Kind.LOCKED, f"What the account may use in one day is used up. Run again after {until}."
    if status == 429:
        return Kind.THROTTLED, _THROTTLED
    if status >= 500:
        return Kind.TRANSIENT, _TROUBLE
    # A code that stands on no page may mean anything, so after a restart the tasks are looked at.
    return Kind.BROKEN, "This code is not known here: look it up in the vendor's documentation."


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
