# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login for DRS: what is asked of IAM, how often, and when a token is renewed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._credentials.drs import Identity, PasswordLogin
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import Who
from ansible_collections.redrive.tasks.plugins.module_utils._drs.login import (
    Grant,
    PasswordSession,
    find_project,
    is_project_id,
)
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import FakeClock, FakeTransport, caller, reply

PROJECT = "054babbbde80d4602f5cc0043a40ed8c"
IAM = Endpoint("https", "iam.eu-de.otc.t-systems.com")
LOGIN = PasswordLogin("https://iam.eu-de.otc.t-systems.com", "tester", None, "pass-word", "DOMAIN")
IDENTITY = Identity(LOGIN, PROJECT, None, None, None, auth_url=LOGIN.auth_url, region="eu-de", endpoint=None)
BY_NAME = replace(IDENTITY, project_id=None, project_name="eu-de")
# The clock of the tests stands at 2023-11-14T22:13:20Z.
TOMORROW, SOON = "2023-11-15T22:13:20.000000Z", "2023-11-14T22:14:20Z"
CALL = Request("POST", "https://drs.example.com", "/v3/x/jobs")
DENIED = {"error_code": "IAM.0001", "error_msg": "The request you have made requires authentication."}


def granted(issued: str = "token-1", *, expires: Any = TOMORROW, project: Any = PROJECT, **more: Any) -> Response:
    told = {"expires_at": expires, "project": {"id": project, "name": "eu-de"}, **more}
    return reply(201, {"token": told}, x_subject_token=issued)


def entry(url: Any, region: str = "eu-de", interface: str = "public") -> dict[str, Any]:
    return {"type": "drs", "endpoints": [{"interface": interface, "region": region, "region_id": region, "url": url}]}


class Session:
    """A session, and what it sent and kept secret."""

    def __init__(
        self,
        *script: Response | CallError,
        identity: Identity = IDENTITY,
        login: PasswordLogin = LOGIN,
        max_attempts: int = 5,
    ) -> None:
        self.clock = FakeClock()
        self.transport = FakeTransport(list(script))
        self.secrets: list[str] = []
        self.one = PasswordSession(
            caller(self.transport, self.clock, max_attempts=max_attempts),
            IAM,
            identity,
            login,
            clock=self.clock,
            keep_secret=self.secrets.append,
        )

    @property
    def token(self) -> str:
        """What a request is sent with."""
        return self.one.sign(CALL).headers["X-Auth-Token"]

    def body(self) -> Any:
        return json.loads(self.transport.sent[0].body)["auth"]


def refused(script: Sequence[Response | CallError]) -> tuple[CallError, int]:
    """The error of a login, and how many requests it took."""
    transport = FakeTransport(list(script))
    with pytest.raises(CallError) as caught:
        PasswordSession(
            caller(transport, FakeClock()), IAM, IDENTITY, LOGIN, clock=FakeClock(), keep_secret=lambda text: None
        )
    return caught.value, len(transport.sent)


class TestLogin:
    def test_a_project_id_is_the_scope(self) -> None:
        session = Session(granted())
        assert session.transport.sent[0].url == "https://iam.eu-de.otc.t-systems.com/v3/auth/tokens"
        assert session.body() == {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"password": "pass-word", "name": "tester", "domain": {"name": "DOMAIN"}}},
            },
            "scope": {"project": {"id": PROJECT}},
        }
        assert session.one.grant.project_id == PROJECT
        assert session.token == "token-1"

    @pytest.mark.parametrize(
        ("more", "domain"),
        [
            ({}, {"name": "DOMAIN"}),
            ({"project_domain_name": "OTHER"}, {"name": "OTHER"}),
            ({"project_domain_name": "OTHER", "project_domain_id": "d1"}, {"id": "d1"}),
        ],
    )
    def test_a_project_name_has_a_domain(self, more: dict[str, Any], domain: dict[str, str]) -> None:
        session = Session(granted(), identity=replace(BY_NAME, **more))
        assert session.body()["scope"] == {"project": {"name": "eu-de", "domain": domain}}
        assert session.one.grant.project_id == PROJECT

    def test_the_id_of_a_user_needs_no_domain(self) -> None:
        login = PasswordLogin(LOGIN.auth_url, None, "u1", "pass-word")
        session = Session(granted(), identity=BY_NAME, login=login)
        assert session.body()["identity"]["password"]["user"] == {"password": "pass-word", "id": "u1"}
        assert session.body()["scope"] == {"project": {"name": "eu-de"}}

    def test_the_token_is_kept_secret_and_never_shown(self) -> None:
        session = Session(granted())
        assert session.secrets == ["token-1"]
        assert "token-1" not in repr(session.one.grant)
        assert session.one.sign(CALL).signature == "token-1"

    @pytest.mark.parametrize(
        "body",
        [
            DENIED,
            {"error_code": "IAM.0062", "error_msg": "Incorrect password."},
            {"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}},
            "<html>",
        ],
    )
    def test_a_wrong_password_is_tried_once(self, body: Any) -> None:
        error, sent = refused([reply(401, body)])
        assert (error.kind, sent) == (Kind.DENIED, 1)
        assert "locked" in error.hint

    def test_a_locked_account_says_so(self) -> None:
        error, sent = refused([reply(401, {"error_code": "IAM.0061", "error_msg": "Account locked."})])
        assert (error.kind, sent) == (Kind.LOCKED, 1)

    @pytest.mark.parametrize("lost", [CallError(Kind.LOST, "gone"), reply(503, "<html>"), reply(201, "<html>")])
    def test_a_password_that_may_have_been_looked_at_is_not_sent_again(self, lost: Response | CallError) -> None:
        assert refused([lost])[1] == 1

    @pytest.mark.parametrize(
        "unread", [CallError(Kind.UNREACHED, "no"), reply(429, {"error_code": "IAM.0012", "error_msg": "slow down"})]
    )
    def test_a_password_that_nobody_looked_at_is(self, unread: Response | CallError) -> None:
        assert Session(unread, granted()).token == "token-1"

    @pytest.mark.parametrize(
        "response",
        [
            reply(201, {"token": {"project": {"id": PROJECT}}}),
            reply(201, {"token": {"project": {"id": PROJECT}}}, x_subject_token=""),
            reply(201, {"token": {"project": {"id": PROJECT}}}, x_subject_token="two words"),
            reply(201, [], x_subject_token="token-1"),
        ],
    )
    def test_a_reply_without_a_token_is_broken(self, response: Response) -> None:
        assert refused([response])[0].kind is Kind.BROKEN

    @pytest.mark.parametrize("project", ["../x", "", None, 5])
    def test_a_project_that_could_become_another_path_is_refused(self, project: Any) -> None:
        with pytest.raises(CallError, match="for no project"):
            Session(granted(project=project), identity=BY_NAME)

    @pytest.mark.parametrize("told", [{}, {"catalog": 5}, {"catalog": [5, {}, {"type": "drs"}, entry(5)]}])
    def test_a_catalog_of_any_shape_is_survived(self, told: dict[str, Any]) -> None:
        assert Session(granted(**told)).one.grant.urls == ()


class TestCatalog:
    def grant(self, *entries: dict[str, Any]) -> Grant:
        return Session(granted(catalog=[{"type": "identity", "endpoints": []}, *entries])).one.grant

    def test_the_region_and_the_interface_choose(self) -> None:
        grant = self.grant(entry("https://a"), entry("https://b", "eu-nl"), entry("https://c", interface="internal"))
        assert grant.url("public", "eu-de") == "https://a"
        assert grant.url("public", "eu-nl") == "https://b"
        assert grant.url("internal", "eu-de") == "https://c"
        assert grant.url("public", "elsewhere") is None

    def test_without_a_region_only_one_can_be_meant(self) -> None:
        assert self.grant(entry("https://a")).url("public", None) == "https://a"
        assert self.grant(entry("https://a"), entry("https://b", "eu-nl")).url("public", None) is None

    def test_an_entry_for_every_region_counts(self) -> None:
        assert self.grant(entry("https://a", "*")).url("public", "eu-de") == "https://a"


class TestRenewal:
    def test_a_token_that_expired_is_renewed_and_kept_secret(self) -> None:
        session = Session(granted(), granted("token-2"))
        assert session.token == "token-1"
        assert session.one.renew()
        assert session.token == "token-2"
        assert session.secrets == ["token-1", "token-2"]

    @pytest.mark.parametrize(("age", "token"), [(86_000, "token-1"), (86_290, "token-2")])
    def test_a_token_that_ends_within_two_minutes_is_renewed_before_it_is_used(self, age: int, token: str) -> None:
        session = Session(granted(), granted("token-2", expires=None))
        session.clock.now += age
        assert session.token == token

    @pytest.mark.parametrize("expires", [SOON, "2001-01-01T00:00:00Z", "soon", None, 5, "9999-99-99T00:00:00Z"])
    def test_a_token_that_ends_soon_from_the_start_is_used_as_it_is(self, expires: Any) -> None:
        """A clock that is wrong must not cost a login for each request."""
        session = Session(granted(expires=expires))
        assert {session.token, session.token} == {"token-1"}

    @pytest.mark.parametrize("off", [0, 86_000 * 3, -86_000 * 3, 86_200, -86_200])
    def test_when_it_is_renewed_does_not_depend_on_the_clock_here(self, off: float) -> None:
        """Both ends of it are told by the service, and in between the machine's time may jump."""
        ends = {"expires": TOMORROW, "issued_at": "2023-11-14T22:13:20.000000Z"}
        session = Session(granted(**ends), granted("token-2", expires=None))
        session.clock.off = off
        assert session.token == "token-1"
        session.clock.now += 86_000
        assert session.token == "token-1"
        session.clock.now += 300
        assert session.token == "token-2"

    def test_threads_that_find_the_same_token_expired_renew_it_once(self) -> None:
        session = Session(granted(), granted("token-2"))
        barrier = Barrier(4)

        def work(_number: int) -> str:
            session.one.sign(CALL)
            barrier.wait(5)
            session.one.renew()
            return session.token

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(work, range(4))) == {"token-2"}
        assert len(session.transport.sent) == 2

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (reply(401, DENIED), Kind.DENIED),
            (reply(401, {"error_code": "IAM.0061", "error_msg": "locked"}), Kind.LOCKED),
            (reply(404, {"error_code": "IAM.0004", "error_msg": "no project"}), Kind.DENIED),
            (reply(400, {"error_code": "IAM.0011", "error_msg": "bad"}), Kind.DENIED),
            (reply(503, "<html>"), Kind.DENIED),
            (reply(429, ""), Kind.DENIED),
            (reply(201, "<html>"), Kind.DENIED),
            (CallError(Kind.LOST, "gone", code="timeout"), Kind.DENIED),
            (CallError(Kind.UNREACHED, "no network", code="unreachable"), Kind.DENIED),
        ],
    )
    def test_a_renewal_that_fails_does_not_look_like_a_call_that_may_have_run(
        self, answer: Response | CallError, kind: Kind
    ) -> None:
        session = Session(granted(), answer, max_attempts=1)
        session.one.sign(CALL)
        with pytest.raises(CallError, match="no new one could be had: POST /v3/auth/tokens failed") as caught:
            session.one.renew()
        assert caught.value.kind is kind
        assert not caught.value.kind.may_have_run
        assert "pass-word" not in str(caught.value)
        # They are those of the login, whose words tell them.
        assert (caught.value.status, caught.value.request_id) == (None, "")

    @pytest.mark.parametrize(
        ("answer", "sends"),
        [
            (reply(401, DENIED), 1),
            (reply(401, {"error_code": "IAM.0061", "error_msg": "locked"}), 1),
            (reply(503, "<html>"), 1),
            (CallError(Kind.LOST, "gone", code="timeout"), 1),
            (CallError(Kind.UNREACHED, "no network", code="unreachable"), 5),
            (reply(429, ""), 5),
        ],
    )
    def test_a_renewal_that_failed_is_the_last_one(self, answer: Response | CallError, sends: int) -> None:
        """Neither an attempt of a call nor a later call sends the password again."""
        session = Session(granted(), *[answer] * 20)
        session.clock.now += 86_290
        calls = FakeTransport(lambda request: reply(200, "{}"))
        drs = replace(caller(calls, session.clock, sign=session.one.sign), renew=session.one.renew)
        errors = []
        for _call in range(3):
            with pytest.raises(CallError) as caught:
                drs.read(lambda: CALL, lambda response: response)
            errors.append(str(caught.value))
        with pytest.raises(CallError):
            session.one.renew()
        assert len(session.transport.sent) == 1 + sends
        assert calls.sent == []
        assert len(set(errors)) == 1

    def test_the_words_of_a_failed_renewal_claim_nothing_else(self) -> None:
        session = Session(granted(), reply(401, DENIED, x_request_id="r-1"))
        session.one.sign(CALL)
        with pytest.raises(CallError) as caught:
            session.one.renew()
        assert str(caught.value) == (
            "The call failed: IAM.0001: the token had to be renewed, and no new one could be had: POST /v3/auth/tokens"
            " failed: IAM.0001: The request you have made requires authentication. (HTTP 401, request id r-1). Check"
            " user name, password and domain, and try the password once by hand before you run again: an account is"
            " locked after a few wrong ones. This run does not send it again."
        )

    def test_threads_that_find_the_token_expired_send_a_refused_password_once(self) -> None:
        session = Session(granted(), *[reply(401, DENIED)] * 8)
        barrier = Barrier(8)

        def work(_number: int) -> Kind:
            session.one.sign(CALL)
            barrier.wait(5)
            with pytest.raises(CallError) as caught:
                session.one.renew()
            return caught.value.kind

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(work, range(8))) == {Kind.DENIED}
        assert len(session.transport.sent) == 2


class TestProjects:
    def find(self, body: Any, status: int = 200) -> str:
        transport = FakeTransport([reply(status, body)])
        project = find_project(caller(transport, FakeClock(), max_attempts=1), IAM, "eu-de_team a", Who.KEY)
        assert transport.sent[0].url == "https://iam.eu-de.otc.t-systems.com/v3/projects?name=eu-de_team+a"
        return project

    def test_the_only_one_is_taken(self) -> None:
        assert self.find({"projects": [{"id": PROJECT, "name": "eu-de_team a"}]}) == PROJECT

    def test_others_that_the_service_shows_as_well_do_not_count(self) -> None:
        other = {"id": "other", "name": "eu-de"}
        assert self.find({"projects": [other, {"id": PROJECT, "name": "eu-de_team a"}]}) == PROJECT

    @pytest.mark.parametrize("ids", [[], ["a", "b"]])
    def test_none_or_several_are_an_error(self, ids: list[str]) -> None:
        with pytest.raises(CallError, match=r"project.*set project_id"):
            self.find({"projects": [{"id": one, "name": "eu-de_team a"} for one in ids]})

    @pytest.mark.parametrize("body", [{}, {"projects": 5}, {"projects": [{"name": "eu-de_team a", "id": "../x"}]}, "x"])
    def test_anything_else_is_a_broken_reply(self, body: Any) -> None:
        with pytest.raises(CallError) as caught:
            self.find(body)
        assert caught.value.kind is Kind.BROKEN

    def test_a_key_that_is_unknown_is_denied(self) -> None:
        with pytest.raises(CallError) as caught:
            self.find({"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail"}, status=401)
        assert caught.value.kind is Kind.DENIED

    @pytest.mark.parametrize("text", ["", "..", "a/b", "a%2f", "a\n", "ä"])
    def test_a_project_id_becomes_part_of_a_path(self, text: str) -> None:
        assert is_project_id(PROJECT)
        assert not is_project_id(text)
