# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM before DRS: tokens, locked users, projects, the version document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from contract.wire_drs import (
    KEY,
    OTHER,
    PASSWORD,
    PROJECT,
    SECRET,
    USER,
    Reply,
    furnish,
    login,
    post,
    retry,
    send,
    signed,
    token_for,
)
from local_cloud.services.drs_iam import domain_id
from local_cloud.services.drs_jobs import DOMAIN, Project
from local_cloud.testing import LocalCloud


@pytest.fixture
def project(cloud: LocalCloud) -> Project:
    return furnish(cloud)


def by_token(cloud: LocalCloud, token: str, scope: object = None) -> Reply:
    auth: dict[str, object] = {"identity": {"methods": ["token"], "token": {"id": token}}}
    if scope is not None:
        auth["scope"] = scope
    return send(cloud, "POST", "/v3/auth/tokens", {"auth": auth}, token="")


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_token_for_a_password_opens_drs(cloud: LocalCloud, project: Project) -> None:
    reply = login(cloud)
    assert reply.status == 201
    token = reply.json["token"]
    assert (token["methods"], token["user"]["name"], token["project"]["id"]) == (["password"], USER, PROJECT)
    issued, expires = (datetime.strptime(token[key], "%Y-%m-%dT%H:%M:%S.%fZ") for key in ("issued_at", "expires_at"))
    assert (expires - issued).total_seconds() == 24 * 3600
    ids = project.add_jobs()
    assert retry(cloud, *ids, token=reply.headers["X-Subject-Token"]).outcomes == {ids[0]: "success"}
    assert [request.changes for request in cloud.requests] == [False, True]


@pytest.mark.parametrize(
    "scope",
    [
        {"project": {"name": "eu-de"}},
        {"project": {"name": "eu-de", "domain": {"name": DOMAIN}}},
        {"project": {"name": "eu-de", "domain": {"id": domain_id(DOMAIN)}}},
        {"project": {"id": PROJECT}, "domain": {"name": DOMAIN}},
    ],
)
def test_scopes_of_one_project(cloud: LocalCloud, project: Project, scope: object) -> None:
    assert login(cloud, scope=scope).json["token"]["project"] == {
        "id": PROJECT,
        "name": "eu-de",
        "domain": {"id": domain_id(DOMAIN), "name": DOMAIN},
    }


@pytest.mark.parametrize("scope", [None, {"domain": {"name": DOMAIN}}, "unscoped", {"unscoped": {}}])
def test_token_without_a_project_is_of_no_use(cloud: LocalCloud, project: Project, scope: object) -> None:
    reply = login(cloud, scope=scope)
    assert "project" not in reply.json["token"]
    assert [one["type"] for one in reply.json["token"]["catalog"]] == ["identity"]
    refused = retry(cloud, "a", token=reply.headers["X-Subject-Token"])
    assert (refused.status, refused.code) == (403, "DRS.M00261")


def test_user_by_id(cloud: LocalCloud, project: Project) -> None:
    (user,) = cloud.world.drs.identity.users
    assert login(cloud, user={"id": user.id}).status == 201


def test_token_for_a_token_ends_with_it(cloud: LocalCloud, project: Project) -> None:
    first = login(cloud, scope=None)
    cloud.clock.advance(3600)
    reply = by_token(cloud, first.headers["X-Subject-Token"], {"project": {"id": OTHER}})
    assert reply.status == 201
    token = reply.json["token"]
    assert (token["methods"], token["project"]["id"]) == (["token"], OTHER)
    assert token["expires_at"] == first.json["token"]["expires_at"]


def test_expired_and_unknown_tokens_get_no_token(cloud: LocalCloud, project: Project) -> None:
    token = token_for(cloud)
    assert by_token(cloud, "another").code == "IAM.0067"
    cloud.world.drs.expire_tokens()
    reply = by_token(cloud, token)
    assert (reply.status, reply.code, reply.message) == (401, "IAM.0066", "The token has expired.")


def test_a_new_token_leaves_the_old_one_alone(cloud: LocalCloud, project: Project) -> None:
    tokens = [login(cloud).headers["X-Subject-Token"] for _ignored in range(2)]
    assert tokens[0] != tokens[1]
    assert [send(cloud, "GET", "/v3/projects", token=one).status for one in tokens] == [200, 200]


def test_expiring_does_not_touch_tokens_to_come(cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.expire_tokens()
    assert send(cloud, "GET", "/v3/projects", token=login(cloud).headers["X-Subject-Token"]).status == 200


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["IAM.0001", "IAM.0062"])
def test_wrong_password(cloud: LocalCloud, project: Project, code: str) -> None:
    cloud.world.drs.configure(wrong_password_code=code)
    reply = login(cloud, "wrong")
    assert (reply.status, reply.code) == (401, code)
    assert "X-Subject-Token" not in reply.headers
    assert [(call.status, call.code) for call in cloud.calls("CreateToken")] == [(401, code)]


def test_wrong_passwords_lock_the_user_for_a_while(cloud: LocalCloud, project: Project) -> None:
    assert [login(cloud, "wrong").code for _ignored in range(3)] == ["IAM.0001"] * 3
    reply = login(cloud)
    assert (reply.status, reply.code, reply.message) == (401, "IAM.0061", "Account locked.")
    cloud.clock.advance(900)
    assert login(cloud).status == 201


def test_right_password_ends_the_count(cloud: LocalCloud, project: Project) -> None:
    passwords = ["wrong", "wrong", PASSWORD, "wrong", "wrong", PASSWORD]
    assert [login(cloud, one).status for one in passwords] == [401, 401, 201, 401, 401, 201]


def test_unknown_user_is_told_no_more_than_a_wrong_password(cloud: LocalCloud, project: Project) -> None:
    replies = [
        login(cloud, user={"name": "nobody", "domain": {"name": DOMAIN}}),
        login(cloud, user={"name": USER, "domain": {"name": "another"}}),
        login(cloud, user={"id": "nobody"}),
        login(cloud, "wrong"),
    ]
    assert {(one.status, one.code, one.message) for one in replies} == {
        (401, "IAM.0001", "The request you have made requires authentication.")
    }


def test_legacy_envelope(cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.configure(iam_envelope="legacy")
    assert login(cloud, "wrong").json == {
        "error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}
    }
    assert retry(cloud, "a", token="another").code == "APIGW.0301"


def test_disabled_user(cloud: LocalCloud, project: Project) -> None:
    token = token_for(cloud)
    cloud.world.drs.identity.users[0].disabled = True
    reply = login(cloud)
    assert (reply.status, reply.code, reply.message) == (403, "IAM.0082", f"The user {USER} is disabled.")
    assert retry(cloud, "a", token=token).code == "APIGW.0301"
    assert by_token(cloud, token).code == "IAM.0082"


def test_projects_that_are_unknown_or_somebody_elses(cloud: LocalCloud, project: Project) -> None:
    unknown = login(cloud, scope={"project": {"name": "eu-nl"}})
    assert (unknown.status, unknown.code, unknown.message) == (404, "IAM.0004", "Could not find project: eu-nl.")
    cloud.world.drs.add_user("guest", "secret", projects=[OTHER])
    reply = login(cloud, "secret", user={"name": "guest", "domain": {"name": DOMAIN}})
    assert (reply.status, reply.code) == (403, "IAM.0002")
    assert login(cloud, scope={"domain": {"name": "another"}}).code == "IAM.0002"


USER_OBJECT = {"name": USER, "domain": {"name": DOMAIN}, "password": PASSWORD}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "IAM.0011"),
        ([], "IAM.0011"),
        ({}, "IAM.0072"),
        ({"auth": {}}, "IAM.0072"),
        ({"auth": {"identity": {}}}, "IAM.0073"),
        ({"auth": {"identity": {"methods": ["password"]}}}, "IAM.0072"),
        ({"auth": {"identity": {"methods": ["totp"], "totp": {}}}}, "IAM.0073"),
        ({"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": USER}}}}}, "IAM.0072"),
        ({"auth": {"identity": {"methods": ["password"], "password": {"user": USER_OBJECT}}, "x": 1}}, "IAM.0073"),
        (
            {
                "auth": {
                    "identity": {"methods": ["password"], "password": {"user": USER_OBJECT}},
                    "scope": {"project": {}},
                }
            },
            "IAM.0073",
        ),
    ],
)
def test_requests_for_tokens_that_are_wrong(cloud: LocalCloud, project: Project, content: object, code: str) -> None:
    reply = send(cloud, "POST", "/v3/auth/tokens", content, token="")
    assert (reply.status, reply.code) == (400, code)
    assert PASSWORD not in reply.message


def test_record_holds_neither_password_nor_token(cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.add_user("somebody", 'quo"te\\', projects=[])
    token = login(cloud).headers["X-Subject-Token"]
    by_token(cloud, token)
    login(cloud, 'quo"te\\', user={"name": "somebody", "domain": {"name": DOMAIN}})
    recorded = repr(cloud.requests)
    assert not any(secret in recorded for secret in (PASSWORD, token, "quo"))
    assert USER in recorded


# -- the catalog ------------------------------------------------------------------------------------------------------


def drs_url(reply: Reply) -> str | None:
    entries = reply.json["token"]["catalog"]
    return next((one["endpoints"][0]["url"] for one in entries if one["type"] == "drs"), None)


@pytest.mark.parametrize(
    ("configured", "path"),
    [({}, f"/v3/{PROJECT}"), ({"catalog": "without_project"}, ""), ({"catalog": False}, None)],
)
def test_catalog_points_here(cloud: LocalCloud, project: Project, configured: dict[str, Any], path: str | None) -> None:
    cloud.world.drs.configure(**configured)
    assert drs_url(login(cloud)) == (None if path is None else cloud.url + path)


def test_catalog_can_point_elsewhere_and_can_be_left_out(cloud: LocalCloud, project: Project) -> None:
    cloud.world.drs.configure(catalog_url="https://drs.eu-de.otc.t-systems.com")
    assert drs_url(login(cloud)) == f"https://drs.eu-de.otc.t-systems.com/v3/{PROJECT}"
    for query in ("?nocatalog", "?nocatalog=1"):
        assert "catalog" not in login(cloud, query=query).json["token"]


# -- projects and version ---------------------------------------------------------------------------------------------


def test_projects_by_name_for_tokens_and_for_keys(cloud: LocalCloud, project: Project) -> None:
    replies = [
        send(cloud, "GET", "/v3/projects?name=eu-de"),
        signed(cloud, "GET", "/v3/projects?name=eu-de", key=KEY, secret=SECRET).send(cloud),
    ]
    for reply in replies:
        assert [(one["id"], one["name"]) for one in reply.json["projects"]] == [(PROJECT, "eu-de")]
        assert reply.headers["X-IAM-Trace-Id"]
    assert send(cloud, "GET", "/v3/projects?name=eu-nl").json["projects"] == []


def test_projects_are_the_callers_own(cloud: LocalCloud, project: Project) -> None:
    def names(**more: Any) -> list[str]:
        return [one["name"] for one in send(cloud, "GET", "/v3/projects", **more).json["projects"]]

    assert names() == ["eu-de", "eu-de_other"]
    guest = cloud.world.drs.add_user("guest", "secret", projects=[OTHER])
    assert names(token=cloud.world.drs.add_token(guest)) == ["eu-de_other"]
    stranger = cloud.world.drs.add_user("stranger", "secret", domain="another")
    assert names(token=cloud.world.drs.add_token(stranger)) == []
    cloud.world.add_account("AKOTHER", "secret", projects=[PROJECT])
    reply = signed(cloud, "GET", "/v3/projects", key="AKOTHER", secret="secret").send(cloud)
    assert [one["id"] for one in reply.json["projects"]] == [PROJECT]


def test_projects_need_a_caller(cloud: LocalCloud, project: Project) -> None:
    assert send(cloud, "GET", "/v3/projects", token="").code == "APIGW.0301"


@pytest.mark.parametrize("path", ["/v3", "/v3/"])
def test_version_document_is_for_everybody(cloud: LocalCloud, path: str) -> None:
    version = send(cloud, "GET", path, token="").json["version"]
    assert (version["id"], version["status"]) == ("v3.6", "stable")
    assert version["links"] == [{"rel": "self", "href": f"{cloud.url}/v3/"}]


def test_region_of_a_project_is_the_beginning_of_its_name(cloud: LocalCloud, project: Project) -> None:
    reply = login(cloud, scope={"project": {"id": OTHER}})
    (entry,) = [one for one in reply.json["token"]["catalog"] if one["type"] == "drs"]
    assert entry["endpoints"][0]["region"] == "eu-de"
    assert post(cloud, "jobs", {"db_use_type": "sync"}, project=OTHER, token=token_for(cloud, OTHER)).status == 200
