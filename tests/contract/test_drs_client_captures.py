# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our client asks of DRS and of IAM is what the vendor's SDK and keystoneauth1 ask.

The captures were made with huaweicloudsdkdrs 3.1.219 and keystoneauth1 5.18.1 against a recorder on port 28391, those
of the SDK at a frozen time.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._credentials.drs import Identity, PasswordLogin
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import Who
from ansible_collections.redrive.tasks.plugins.module_utils._drs.login import PasswordSession, find_project
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError
from ansible_collections.redrive.tasks.plugins.module_utils._services.drs import DrsService
from ansible_collections.redrive.tasks.plugins.module_utils._signing.drs import AccessKey, sign_hmac
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, Window
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import FakeClock, FakeTransport, caller, reply

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NOW = 1_709_251_198.0  # 20240229T235958Z
HERE = Endpoint("http", "127.0.0.1", 28391)
PROJECT = "054babbbde80d4602f5cc0043a40ed8c"
FIRST, SECOND = "140b5236-88ad-43c8-811c-1268453jb101", "9a470239-2308-4bb5-a6bc-1040402fjb21"
DOMAIN = "OTC-EU-DE-000000000010000"
# They come from the HTTP library, name the program, or (the signature) depend on both.
LIBRARY = {"user-agent", "accept", "accept-encoding", "connection", "content-length", "authorization"}


def exchange(name: str, number: int = 0) -> dict[str, Any]:
    """One request of a capture, with what was answered."""
    found = json.loads((CAPTURES / name).read_text())["exchanges"][number]
    assert isinstance(found, dict)
    return found


def answer(captured: dict[str, Any]) -> Response:
    """What the recorder answered."""
    response = captured["response"]
    return reply(response["status"], response["body"], **{name.lower(): value for name, value in response["headers"]})


def as_told(request: Request) -> tuple[str, Any, dict[str, str]]:
    """Request line, body and headers of ours."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = json.loads(request.body) if request.body else None
    return f"{request.method} {request.target} HTTP/1.1", body, drop(headers)


def as_captured(captured: dict[str, Any]) -> tuple[str, Any, dict[str, str]]:
    """The same of theirs."""
    body = json.loads(captured["body"]) if captured["body"] else None
    return captured["request_line"], body, drop({name.lower(): value for name, value in captured["headers"]})


def drop(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in LIBRARY}


def service(transport: FakeTransport, key: AccessKey, *, re_edit: bool | None = None) -> DrsService:
    signed = caller(transport, FakeClock(), sign=lambda request: sign_hmac(request, key, NOW, PROJECT), max_attempts=1)
    return DrsService(
        signed,
        HERE,
        project_id=PROJECT,
        who=Who.KEY,
        db_use_types=("migration",),
        is_sync_re_edit=re_edit,
        warn=lambda text: None,
    )


KEY = AccessKey("AKEXAMPLE0000000TEST", "secret")


def tasks(*ids: str) -> list[Task]:
    return [Task(one, (("project_id", PROJECT),), "FULL_TRANSFER_FAILED", State.FAILED) for one in ids]


def test_a_retry_is_the_sdks_with_and_without_is_sync_re_edit() -> None:
    captured = exchange("hw_batch_retry_task.json")
    line, body, headers = as_captured(captured)
    for re_edit, job in ((None, body["jobs"][0]), (True, body["jobs"][1])):
        transport = FakeTransport([answer(captured)])
        service(transport, KEY, re_edit=re_edit).retry(tasks(job["job_id"]))
        assert as_told(transport.sent[0]) == (line, {"jobs": [job]}, headers)


def test_a_temporary_key_sends_and_signs_its_token() -> None:
    captured = exchange("hw_batch_retry_task_security_token.json")
    transport = FakeTransport([answer(captured)])
    service(transport, replace(KEY, security_token="TEMP-SECURITY-TOKEN")).retry(tasks(FIRST))
    line, body, headers = as_told(transport.sent[0])
    assert headers.pop("x-language") == "en-us"  # the SDK leaves it to its caller
    assert (line, body, headers) == as_captured(captured)
    assert "x-security-token" in transport.sent[0].headers["Authorization"]


def test_the_answer_that_the_sdk_was_given_is_read_alike() -> None:
    captured = exchange("hw_batch_retry_task.json")
    made = service(FakeTransport([answer(captured)]), KEY).retry(tasks(FIRST, SECOND))
    read = json.loads((CAPTURES / "hw_batch_retry_task.json").read_text())["client_result"]["results"]
    assert [(key[1], verdict.error.code if verdict.error else None) for key, verdict in made.items()] == [
        (one["id"], one["error_code"]) for one in read
    ]


def test_a_list_is_the_sdks_but_for_the_state_and_the_engine() -> None:
    captured = exchange("hw_job_list_v3.json")
    transport = FakeTransport([answer(captured), answer(exchange("hw_batch_detail.json"))])
    found = list(service(transport, KEY).list_tasks(Window(0, int(NOW)), frozenset(State)))
    line, body, headers = as_told(transport.sent[0])
    assert headers.pop("x-language") == "en-us"
    # Every engine is asked for of a host that is not Huawei Cloud's, as the recorder's.
    assert body.pop("engine_type") == ""
    assert (line, {**body, "status": "INCRE_TRANSFER_FAILED"}, headers) == as_captured(captured)
    assert [(task.id, task.status, task.created) for task in found] == [(FIRST, "STARTJOBING", 1608519469.412)]


def test_details_are_the_sdks_but_for_the_size_of_the_page() -> None:
    captured = exchange("hw_batch_detail.json")
    transport = FakeTransport([answer(captured)])
    service(transport, KEY).read_again(tasks(FIRST))
    line, body, headers = as_told(transport.sent[0])
    assert headers.pop("x-language") == "en-us"
    assert body["page_req"].pop("per_page") == 100
    expected = as_captured(captured)
    assert expected[1]["page_req"].pop("per_page") == 0
    assert (line, body, headers) == expected


def test_a_project_is_looked_up_as_the_sdk_does() -> None:
    captured = exchange("hw_project_autodiscovery.json")
    transport = FakeTransport([answer(captured)])
    one = caller(transport, FakeClock(), sign=lambda request: sign_hmac(request, KEY, NOW, None))
    assert find_project(one, HERE, "eu-de", Who.KEY) == PROJECT
    assert as_told(transport.sent[0]) == as_captured(captured)


LOGIN = PasswordLogin("http://127.0.0.1:28391", "tester", None, "DUMMY-PASSWORD", DOMAIN)
BY_ID = Identity(LOGIN, PROJECT, None, None, None, auth_url=LOGIN.auth_url, region="eu-de", endpoint=None)
BY_NAME = replace(BY_ID, project_id=None, project_name="eu-de", project_domain_name=DOMAIN)


@pytest.mark.parametrize(
    ("name", "identity"),
    [("ks_v3password_project_id.json", BY_ID), ("ks_v3password_project_name.json", BY_NAME)],
)
def test_a_login_is_that_of_keystoneauth(name: str, identity: Identity) -> None:
    captured = exchange(name)
    transport = FakeTransport([answer(captured)])
    session = PasswordSession(
        caller(transport, FakeClock()), HERE, identity, LOGIN, clock=FakeClock(), keep_secret=lambda text: None
    )
    line, body, headers = as_told(transport.sent[0])
    theirs = as_captured(captured)
    assert (line, body) == theirs[:2]
    assert headers == {name: value for name, value in theirs[2].items() if name != "host"}  # requests adds it
    assert transport.sent[0].body.decode() == captured["body"]
    read = json.loads((CAPTURES / name).read_text())["client_result"]
    assert (session.grant.token, session.grant.project_id) == (read["token"], read["project_id"])
    assert session.grant.url("public", "eu-de") == f"http://127.0.0.1:28391/v3/{PROJECT}"


CASES = json.loads((CAPTURES / "ks_token_response_probes.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_token_is_taken_where_keystoneauth_takes_one(case: dict[str, Any]) -> None:
    """Ours needs neither the catalog nor the time at which the token ends."""
    response = reply(case["status"], case["body"], **{name.lower(): value for name, value in case["headers"].items()})

    def log_in() -> str:
        one = caller(FakeTransport([response]), FakeClock(), max_attempts=1)
        session = PasswordSession(one, HERE, BY_ID, LOGIN, clock=FakeClock(), keep_secret=lambda text: None)
        return session.grant.token

    if any(name.lower() == "x-subject-token" for name in case["headers"]):
        assert log_in() == case["client_result"].get("token", "DUMMY-TOKEN-0001")
        return
    with pytest.raises(CallError):
        log_in()
