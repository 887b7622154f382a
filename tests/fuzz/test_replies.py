# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a service answers, a call ends as documented or in a clear error, and nothing is accepted on a guess."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._classify import user_rules
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.drs import Identity, PasswordLogin
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import Who
from ansible_collections.redrive.tasks.plugins.module_utils._drs.login import (
    PasswordSession,
    find_project,
    is_project_id,
)
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._engine import Engine, Wait
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, RedriveError
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._service import Service
from ansible_collections.redrive.tasks.plugins.module_utils._services.drs import find_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    Answer,
    FailureClass,
    Outcome,
    State,
    Task,
    TaskKey,
    Verdict,
    Window,
)
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from fuzz.hostile import PAGES, Adversary, cases, is_sound_error, is_sound_task
from fuzz.services import IDS, TARGETS, Target
from unit.fakes import NOW, FakeClock, FakeTransport, caller, reply

WINDOW = Window(int(NOW) - 86_000, int(NOW))
ANY_STATE = frozenset(State)
# Of what a server says, repeated for each task.
LONGEST_WORDS = 5000

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def make(target: Target, answer: Any) -> tuple[Service, list[str]]:
    warnings: list[str] = []
    return target.make(answer, FakeClock(), warnings.append), warnings


def known_tasks(target: Target) -> list[Task]:
    """The tasks that the service shows when nobody lies."""
    service, _warnings = make(target, target.genuine)
    tasks = list(service.list_tasks(WINDOW, ANY_STATE))
    assert [task.id for task in tasks] == list(IDS)
    return tasks


def are_sound(tasks: Iterable[Task]) -> None:
    for task in tasks:
        is_sound_task(task)


def are_sound_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        assert Masker().line(warning).isprintable()


# -- reading ----------------------------------------------------------------------------------------------------------


@each_target
@given(data=st.data())
def test_whatever_is_shown_is_read_or_refused(target: Target, data: st.DataObject) -> None:
    service, warnings = make(target, Adversary(target.genuine, data.draw))
    known = known_tasks(target)
    reads: list[Callable[[], Iterable[Task]]] = [
        lambda: service.list_tasks(WINDOW, ANY_STATE),
        lambda: service.find_tasks([*IDS, "other"], WINDOW),
        lambda: service.read_again(known).values(),
    ]
    for read in reads:
        try:
            are_sound(read())
        except RedriveError as exc:
            is_sound_error(exc)
    are_sound_warnings(warnings)


@each_target
@pytest.mark.parametrize("page", PAGES, ids=lambda page: repr(page[:12]))
@pytest.mark.parametrize("status", [200, 400, 503])
def test_what_is_no_reply_of_the_service_is_a_clear_error(target: Target, page: bytes, status: int) -> None:
    service, _warnings = make(target, lambda request: Response(status, {}, page))
    with pytest.raises(CallError) as caught:
        list(service.list_tasks(WINDOW, ANY_STATE))
    is_sound_error(caught.value)


# -- lists that have no end -------------------------------------------------------------------------------------------

_LISTS = {"sls": "tasks", "cls": "Shippers", "drs": "jobs", "geelark": "items"}
# Two passes of 2000 pages, three of 1000, and one attempt more for the last.
_MOST_REQUESTS = 4010


class Endless:
    """Lists that go on: each page holds what no page has held, and what is told of their number is a lie."""

    def __init__(self, target: Target, total: Any, *, repeats: bool) -> None:
        self._target = target
        self._total = total
        self._repeats = repeats
        self.asked = 0

    def __call__(self, request: Request) -> Response:
        self.asked += 1
        response = self._target.genuine(replace(request, body=request.body.replace(b"lastId", b"last_id")))
        content = json.loads(response.body or b"null")
        for holder in (content, content and content.get("Response"), content and content.get("data")):
            self._go_on(holder)
        return replace(response, body=json.dumps(content).encode())

    def _go_on(self, holder: Any) -> None:
        name = _LISTS[self._target.name]
        if not isinstance(holder, dict) or name not in holder:
            return
        number = 0 if self._repeats else self.asked
        shown = json.loads(self._target.genuine(_FIRST[self._target.name]).body)
        shown = shown.get("Response") or shown.get("data") or shown
        for one in shown[name]:
            for key in ("id", "ShipperId"):
                if key in one:
                    one[key] = f"{one[key]}-{number}"
        holder[name] = shown[name]
        for key in ("total", "TotalCount", "total_record"):
            holder.pop(key, None)
            if self._total is not None:
                holder[key] = self._total


_FIRST = {
    "sls": Request("GET", "https://x", "/tasks", (("offset", "0"),)),
    "cls": Request("POST", "https://x", "/", body=b'{"Offset": 0}', api="DescribeShippers"),
    "drs": Request("POST", "https://x", "/jobs", body=b'{"cur_page": 1, "per_page": 100}'),
    "geelark": Request("POST", "https://x", "/open/v1/task/historyRecords", body=b"{}"),
}


@each_target
@pytest.mark.parametrize("total", [None, 0, 1, 10**14])
def test_a_list_without_end_ends(target: Target, total: Any) -> None:
    endless = Endless(target, total, repeats=False)
    service, _warnings = make(target, endless)
    with suppress(CallError):
        list(service.list_tasks(WINDOW, frozenset({State.CANCELLED})))
    assert endless.asked <= _MOST_REQUESTS


@each_target
@pytest.mark.parametrize("total", [None, 0, 1, 10**14])
def test_a_page_that_repeats_itself_ends_the_list(target: Target, total: Any) -> None:
    endless = Endless(target, total, repeats=True)
    service, _warnings = make(target, endless)
    list(service.list_tasks(WINDOW, frozenset({State.CANCELLED})))
    assert endless.asked < 20


# -- retrying ---------------------------------------------------------------------------------------------------------


def retried(target: Target, answer: Any, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict] | CallError:
    service, _warnings = make(target, answer)
    try:
        verdicts = service.retry(tasks)
    except CallError as exc:
        is_sound_error(exc)
        return exc
    assert set(verdicts) == {task.key for task in tasks}
    for verdict in verdicts.values():
        assert (verdict.error is None) == (verdict.answer is Answer.ACCEPTED)
        error = verdict.error
        assert error is None or max(map(len, (error.code, error.message, error.request_id))) < LONGEST_WORDS
    return verdicts


def is_accepted(said: Mapping[TaskKey, Verdict] | CallError, task: Task) -> bool:
    return not isinstance(said, CallError) and said[task.key].answer is Answer.ACCEPTED


def is_refused(said: Mapping[TaskKey, Verdict] | CallError, task: Task) -> bool:
    if isinstance(said, CallError):
        return not said.kind.may_have_run
    return said[task.key].answer in (Answer.REFUSED, Answer.NOT_NOW)


@each_target
@given(data=st.data())
@cases(100)
def test_nothing_but_what_the_documentation_calls_so_is_an_acceptance(target: Target, data: st.DataObject) -> None:
    tasks = known_tasks(target)[: 1 if target.name == "cls" else 3]
    adversary = Adversary(target.genuine, data.draw, rate=0, most=1)
    said = retried(target, adversary, tasks)
    _request, response = adversary.replies[-1]
    for task in tasks:
        if is_accepted(said, task):
            assert target.accepts(response, task.id, [one.id for one in tasks])


@each_target
@given(data=st.data())
@cases(100)
def test_a_good_status_over_what_cannot_be_read_is_neither_yes_nor_no(target: Target, data: st.DataObject) -> None:
    tasks = known_tasks(target)[: 1 if target.name == "cls" else 3]
    adversary = Adversary(target.genuine, data.draw, rate=0, most=1)
    said = retried(target, adversary, tasks)
    _request, response = adversary.replies[-1]
    if 200 <= response.status < 300 and not target.readable(response):
        assert not any(is_accepted(said, task) or is_refused(said, task) for task in tasks)


@each_target
@pytest.mark.parametrize("page", [page for page in PAGES if page.strip() and page not in (b"null", b"NaN")], ids=repr)
def test_a_page_in_the_place_of_an_answer_to_a_retry_settles_nothing(target: Target, page: bytes) -> None:
    if target.name == "sls" and page in _JSON_OF_NOBODY:
        page = b"<html>"
    tasks = known_tasks(target)[:1]
    said = retried(target, lambda request: Response(200, {}, page), tasks)
    assert not is_accepted(said, tasks[0])
    assert not is_refused(said, tasks[0])


# The reply of SLS has a body that nobody reads, as long as it is JSON.
_JSON_OF_NOBODY = [page for page in PAGES if page[:1] in b'"[1']


# -- logging in -------------------------------------------------------------------------------------------------------

IDENTITY = Identity(
    PasswordLogin("https://iam.eu-de.otc.t-systems.com", "user", None, "s3cr3t-of-iam", "OTC"),
    project_id=None,
    project_name="eu-de",
    project_domain_name=None,
    project_domain_id=None,
    auth_url="https://iam.eu-de.otc.t-systems.com",
    region="eu-de",
    endpoint=None,
)


def _identity_service(request: Request) -> Response:
    project = {"id": "054babbbde80d4602f5cc0043a40ed8c", "name": "eu-de", "domain": {"name": "OTC"}}
    if request.path == "/v3/projects":
        return reply(200, {"projects": [project]})
    endpoint = {
        "interface": "public",
        "region": "eu-de",
        "region_id": "eu-de",
        "url": "https://drs.eu-de.example.com/v3",
    }
    catalog = [{"type": "drs", "name": "drs", "endpoints": [endpoint]}]
    times = {"issued_at": "2023-11-14T22:13:20.000000Z", "expires_at": "2023-11-15T22:13:20.000000Z"}
    token = {"methods": ["password"], "project": project, "catalog": catalog, **times}
    return reply(201, {"token": token}, x_subject_token="MIIEtoken")


@given(data=st.data())
def test_whatever_the_identity_service_answers_is_a_login_or_a_clear_error(data: st.DataObject) -> None:
    login = IDENTITY.credential
    assert isinstance(login, PasswordLogin)
    endpoint, clock = Endpoint("https", "iam.eu-de.otc.t-systems.com"), FakeClock()
    adversary = Adversary(_identity_service, data.draw, rate=0)
    one = caller(FakeTransport(adversary), clock, max_attempts=2)
    kept: list[str] = []
    try:
        session = PasswordSession(one, endpoint, IDENTITY, login, clock=clock, keep_secret=kept.append)
        assert is_project_id(session.grant.project_id)
        signed = session.sign(Request("GET", "https://drs.example.com", "/v3"))
        assert signed.headers["X-Auth-Token"] in kept
        url = session.grant.url("public", "eu-de")
        find_endpoint(None, url, "eu-de", allow_plaintext=False)
    except RedriveError as exc:
        is_sound_error(exc)
    # A password that was looked at is not sent again: only that the call came too fast says that it was not.
    assert (
        len(adversary.replies) == 1 or adversary.replies[0][1].status == 429 or b"308" in adversary.replies[0][1].body
    )
    try:
        assert is_project_id(find_project(one, endpoint, "eu-de", Who.TOKEN))
    except RedriveError as exc:
        is_sound_error(exc)


# -- the whole run ----------------------------------------------------------------------------------------------------

POLICY = Policy(
    rules=user_rules([{"match": "time", "class": "transient", "remedy": "wait"}], ""),
    retry_classes=frozenset(FailureClass),
)


def run(target: Target, answer: Any, ids: tuple[str, ...] | None) -> dict[str, Any]:
    """What a module returns after a plan, its retries and a wait, by the way that the modules go."""
    clock = FakeClock()
    warnings: list[str] = []
    service = target.make(answer, clock, warnings.append)
    selection = Selection(ids=ids)
    shown = service.find_tasks(ids, WINDOW) if ids else service.list_tasks(WINDOW, selection.states)
    plan = build_plan(shown, selection, POLICY, absent="not there")
    engine = Engine(service, clock=clock)
    engine.send(plan)
    engine.wait(Wait(60, 10))
    results = engine.results
    plan = _result.amended(plan, results)
    count = _result.counts(plan, results)
    return {
        "changed": _result.changed(results),
        "msg": Masker().line(_result.sentence(count, check_mode=False, waited=True)),
        "tasks": _result.tasks(plan, results),
        "counts": count,
        "problems": _result.problems(count, results, engine.pending),
        "causes": _result.causes(plan),
        "diff": _result.diff(plan, results, service.facts.retried_state),
        "warnings": [Masker().line(warning) for warning in [*warnings, *engine.warnings]],
        "first_error": _result.first_error(_result.tasks(plan, results)),
    }


@each_target
@pytest.mark.parametrize("ids", [None, (*IDS, "other")], ids=["all", "by id"])
@given(data=st.data())
@cases(50)
def test_a_run_among_lies_still_adds_up(target: Target, ids: tuple[str, ...] | None, data: st.DataObject) -> None:
    adversary = Adversary(target.genuine, data.draw, rate=3, most=4)
    try:
        result = run(target, adversary, ids)
    except RedriveError as exc:
        is_sound_error(exc)
        assert not any(target.changes(request) for request, _response in adversary.replies)
        return
    shown = json.dumps(Masker().value(result), allow_nan=False, ensure_ascii=False).encode()
    assert json.loads(shown)["counts"] == result["counts"]
    counts, tasks = result["counts"], result["tasks"]
    assert counts["selected"] == sum(counts[name] for name in ("retry", "none", "skip", "missing")) == len(tasks)
    assert counts["retry"] == sum(counts[name] for name in ("accepted", "refused", "unknown", "not_attempted"))
    assert sum(cause["count"] for cause in result["causes"]) == sum("failure" in task for task in tasks)
    assert result["changed"] is (Outcome.ACCEPTED.value in {task["outcome"] for task in tasks})
    never_twice(target, adversary)


def never_twice(target: Target, adversary: Adversary) -> None:
    """A task whose retry may have been carried out is not sent again."""
    sent: set[bytes] = set()
    for request, response in adversary.replies:
        if target.changes(request):
            assert request.body not in sent
            # What was not carried out may be sent again: throttled, or too many at once.
            if response.status < 400 or response.status >= 500:
                sent.add(request.body)
