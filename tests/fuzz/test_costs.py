# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No reply costs more than its size: replies of the largest size that is read, made to be worked on without end."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import LONGEST_MESSAGE, classify
from ansible_collections.redrive.tasks.plugins.module_utils._drs.hiding import Hider
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError
from ansible_collections.redrive.tasks.plugins.module_utils._plan import fingerprint
from ansible_collections.redrive.tasks.plugins.module_utils._redact import MASK, Masker
from ansible_collections.redrive.tasks.plugins.module_utils._rules import cls, drs, geelark, sls
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, Window
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from fuzz.services import TARGETS, Target
from unit.fakes import NOW, FakeClock, reply

MIB = 1024**2
WINDOW = Window(int(NOW) - 86_000, int(NOW))

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@contextmanager
def quickly(seconds: float = 3.0) -> Iterator[None]:
    """So many seconds of this thread's own work, where what goes wrong takes minutes."""
    started = time.thread_time()
    yield
    assert time.thread_time() - started < seconds


def genuine_first_then(target: Target, spoil: Callable[[Request, Any], Any]) -> Callable[[Request], Response]:
    """The service's replies with something done to what they hold."""

    def answer(request: Request) -> Response:
        response = target.genuine(request)
        content = spoil(request, json.loads(response.body or b"{}"))
        return Response(response.status, response.headers, json.dumps(content).encode())

    return answer


def _with_long_words(content: Any, words: str) -> Any:
    """Every text that is not an id or a state is as long as that."""
    if isinstance(content, dict):
        return {name: _with_long_words(one, words) if name not in _KEPT else one for name, one in content.items()}
    if isinstance(content, list):
        return [_with_long_words(one, words) for one in content]
    return words if isinstance(content, str) else content


_KEPT = {
    "id",
    "TaskId",
    "ShipperId",
    "RequestId",
    "status",
    "Status",
    "taskStatus",
    "shipper",
    "logstores",
    "create_time",
}
_KEPT |= {"db_use_type", "task_type"}


@each_target
def test_words_of_a_mebibyte_are_not_repeated_for_each_task(target: Target) -> None:
    answer = genuine_first_then(
        target, lambda request, content: _refusal(target, content) if target.changes(request) else content
    )
    service = target.make(answer, FakeClock(), lambda text: None)
    tasks = list(service.list_tasks(WINDOW, frozenset({State.FAILED})))[: service.facts.batch_size]
    tracemalloc.start()
    with quickly():
        try:
            verdicts = service.retry(tasks)
            said = [verdict.error.message for verdict in verdicts.values() if verdict.error]
        except CallError as exc:
            said = [str(exc)]
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said
    assert max(map(len, said)) < 10_000
    assert most < 60 * MIB


def _refusal(target: Target, content: Any) -> Any:
    words = "no " * (MIB // 3)
    refusals = {
        "sls": {"errorCode": "ParameterInvalid", "errorMessage": words},
        "cls": {"Response": {"Error": {"Code": "InvalidParameter", "Message": words}, "RequestId": words}},
        "drs": {"error_code": "DRS.M00304", "error_msg": words, "request_id": words},
        "geelark": {"code": 40009, "msg": words, "traceId": words, "data": {"failAmount": 3}},
    }
    return refusals[target.name]


@each_target
def test_failures_of_a_mebibyte_each_are_read_and_judged_in_time(target: Target) -> None:
    words = "access denied by timeout 10.0.0.1 " * (MIB // 34)
    answer = genuine_first_then(target, lambda request, content: _with_long_words(content, words))
    warnings: list[str] = []
    service = target.make(answer, FakeClock(), warnings.append)
    with quickly(10):
        tasks = list(service.list_tasks(WINDOW, frozenset({State.FAILED})))
        for task in tasks:
            assert fingerprint(classify(task, service.facts.rules).message)
    assert len(tasks) == 3


@each_target
@pytest.mark.parametrize("depth", range(880, 1000, 8))
def test_what_can_just_be_read_can_be_told(target: Target, depth: int) -> None:
    """To write what is nested takes as deep a stack as to read it, from a place that may be further down."""
    answer = genuine_first_then(target, lambda request, content: _with_long_words(content, "DEEP"))
    text = "[" * depth + "]" * depth

    def spoilt(request: Request) -> Response:
        response = answer(request)
        return Response(response.status, response.headers, response.body.replace(b'"DEEP"', text.encode()))

    service = target.make(spoilt, FakeClock(), lambda text: None)
    with suppress(CallError):
        list(service.list_tasks(WINDOW, frozenset(State)))


def test_the_id_of_a_request_is_not_looked_for_anew_for_each_job() -> None:
    (target,) = (one for one in TARGETS if one.name == "drs")
    results = [{"id": f"job-{number}", "status": "failed"} for number in range(100_000)]
    service = target.make(
        lambda request: reply(200, {"count": 1, "total_record": 0, "results": results, "jobs": []}), FakeClock(), print
    )
    with quickly(10):
        assert list(service.find_tasks(["other"], WINDOW)) == []


@pytest.mark.parametrize("content", [b"9" * 8 * MIB, b'{"total": ' + b"9" * 8 * MIB + b"}", b"[" * 8 * MIB])
def test_numbers_and_depths_without_end_are_no_json(content: bytes) -> None:
    with quickly(), pytest.raises(ValueError, match="too"):
        Response(200, {}, content).json()


class TestPrintedReplies:
    """GeeLark's page prints a reply that is no JSON; to look for it in any reply takes no longer than to read that."""

    HEAD = '{"code": 40006, "msg": "x", "failDetails": ['

    @pytest.mark.parametrize(
        "item",
        [
            '"id":1' + " " * 198 + '"code":1' + " " * 198 + '"msg":"' + "x" * 1990,
            '"id"' + " " * 99 + ":" + " " * 99 + '"' + "x" * 64 + '"' + " " * 198,
            '"id":1,"code":1,"msg":"' + "\\\\" * 995,
        ],
        ids=["blanks", "no code", "escapes"],
    )
    def test_what_almost_looks_like_it_is_given_up_soon(self, item: str) -> None:
        (target,) = (one for one in TARGETS if one.name == "geelark")
        body = (self.HEAD + item * (250_000 // len(item))).encode()
        service = target.make(lambda request: Response(200, {}, body), FakeClock(), print)
        tasks = [Task(id=one, scope=(), status="4", state=State.FAILED) for one in ("t1", "t2")]
        with quickly(), suppress(CallError):
            service.retry(tasks)


class TestHiding:
    """Secrets of databases are hidden in any text; whoever answers can choose both."""

    def test_secrets_that_all_begin_alike_and_a_text_that_does(self) -> None:
        hider = Hider()
        hider.learn({"password": ["a" * length for length in range(4, 2900)]})
        with quickly():
            assert set(hider.text("a" * MIB)) == set(MASK)

    def test_secrets_that_almost_stand_in_a_text(self) -> None:
        hider = Hider()
        hider.learn({"password": ["a" * length + "b" for length in range(4, 2900)]})
        with quickly():
            assert "a" * 2000 not in hider.text("a" * MIB)

    def test_more_secrets_than_can_be_known_hide_every_text(self) -> None:
        for secrets in (["é" * MIB], [f"{number:07}" * 1000 for number in range(2000)]):
            hider = Hider()
            tracemalloc.start()
            with quickly(10):
                hider.learn({"password": secrets})
            _now, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert most < 400 * MIB
            assert hider.text("nothing to see") == MASK
            assert hider.word("FULL_TRANSFER_FAILED") == "FULL_TRANSFER_FAILED"


_MASKED = {
    "letters": "a",
    "blanks": " ",
    "letters between blanks": "a ",
    "addresses": "://u:",
    "names of signatures": "signature=",
    "signatures": "token=%",
    "escapes": "\x1b[",
    "colours": "a\x1b[0m",
    "percents": "%25",
    "halves": "\ud800",
    "the secret, cut off": "wJalrXUtnFEMI/K7MD ",
    "the secret in base64": "d0phbHJYVXRuRkVNSS9L",
}


@pytest.mark.parametrize("piece", _MASKED)
def test_a_text_is_masked_in_a_time_that_its_length_explains(piece: str) -> None:
    masker = Masker()
    for secret in ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a" * 40, "short", "A1" * 2000):
        masker.add(secret)
    with quickly():
        masker.text(_MASKED[piece] * (500_000 // len(_MASKED[piece])))


@pytest.mark.parametrize(
    "rules", [sls.RULES, cls.RULES, drs.RULES, geelark.RULES], ids=["sls", "cls", "drs", "geelark"]
)
def test_no_message_keeps_the_rules_busy(rules: Any) -> None:
    words = {word for rule in rules if rule.pattern for word in rule.pattern.pattern.replace("\\", "").split("|")}
    texts = [*words, "a", "0", " ", "a ", "1.1.", "not ", "\n", "İ"]
    for text in texts:
        message = (text * LONGEST_MESSAGE)[:LONGEST_MESSAGE]
        with quickly(0.5):
            for rule in rules:
                rule.meets(Task(id="x", scope=(), status="", state=State.FAILED, code=text, message=message))


@pytest.mark.parametrize("text", ["a", "a1", "0", "a-", "aaaaaaaa-", "aaaaaaaa-aaaa-", "abcdefg1 ", "é"])
def test_no_message_keeps_the_folding_busy(text: str) -> None:
    with quickly():
        fingerprint(text * (MIB // len(text)))
