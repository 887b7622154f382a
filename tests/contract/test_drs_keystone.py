# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keystoneauth1, unchanged, driven against the local IAM and DRS: what openstacksdk and otcextensions log in with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1 import exceptions, session
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import Password, Token, v3

from contract.wire_drs import PASSWORD, PROJECT, USER, furnish, token_for
from local_cloud import faults
from local_cloud.services.drs_jobs import DOMAIN, Project
from local_cloud.testing import LocalCloud

RETRY = f"/v3/{PROJECT}/jobs/batch-retry-task"
BY_ID = {"project_id": PROJECT}
BY_NAME = {"project_name": "eu-de", "project_domain_name": DOMAIN}


@pytest.fixture
def project(cloud: LocalCloud) -> Project:
    return furnish(cloud)


class Sessions:
    """Makes sessions, and closes them."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._made: list[Any] = []

    def by(self, auth: Any) -> Any:
        made = session.Session(auth=auth)
        self._made.append(made)
        return made

    def by_password(self, kind: Any = v3.Password, password: str = PASSWORD, **scope: str) -> Any:
        scope = scope or BY_ID
        url = f"{self._cloud.url}/v3"
        return self.by(kind(url, username=USER, password=password, user_domain_name=DOMAIN, **scope))

    def close(self) -> None:
        for one in self._made:
            one.session.close()


@pytest.fixture
def sessions(cloud: LocalCloud) -> Iterator[Sessions]:
    sessions = Sessions(cloud)
    yield sessions
    sessions.close()


def retry(made: Any, *ids: str, **more: Any) -> Any:
    content = {"jobs": [{"job_id": one} for one in ids]}
    where = {"endpoint_filter": {"service_type": "drs", "interface": "public", "region_name": "eu-de"}, **more}
    return made.post("/jobs/batch-retry-task", json=content, **where)


def operations(cloud: LocalCloud) -> list[str]:
    return [request.operation for request in cloud.requests]


@pytest.mark.parametrize("scope", [BY_ID, BY_NAME], ids=["project id", "project name"])
def test_password_finds_drs_in_the_catalog(
    cloud: LocalCloud, project: Project, sessions: Sessions, scope: dict[str, str]
) -> None:
    ids = project.add_jobs()
    made = sessions.by_password(**scope)
    reply = retry(made, *ids)
    assert (reply.status_code, reply.json()["results"]) == (200, [{"id": ids[0], "status": "success"}])
    assert made.get_project_id() == PROJECT
    assert operations(cloud) == ["CreateToken", "BatchRetryTask"]
    assert cloud.executed() == Counter(ids)


def test_generic_password_reads_the_version_document_first(
    cloud: LocalCloud, project: Project, sessions: Sessions
) -> None:
    ids = project.add_jobs()
    assert retry(sessions.by_password(Password, **BY_NAME), *ids).status_code == 200
    assert operations(cloud) == ["ShowVersion", "CreateToken", "BatchRetryTask"]


@pytest.mark.parametrize("kind", [v3.Token, Token])
def test_existing_token(cloud: LocalCloud, project: Project, sessions: Sessions, kind: Any) -> None:
    ids = project.add_jobs()
    auth = kind(f"{cloud.url}/v3", token=token_for(cloud, None), **BY_ID)
    assert retry(sessions.by(auth), *ids).status_code == 200
    assert cloud.executed() == Counter(ids)


def test_expired_token_leads_to_a_new_one_and_one_resend(
    cloud: LocalCloud, project: Project, sessions: Sessions
) -> None:
    ids = project.add_jobs()
    made = sessions.by_password()
    made.get_token()
    cloud.world.drs.expire_tokens()
    assert retry(made, *ids).status_code == 200
    assert operations(cloud) == ["CreateToken", "BatchRetryTask", "CreateToken", "BatchRetryTask"]
    assert [request.code for request in cloud.calls("BatchRetryTask")] == ["APIGW.0307", None]
    assert cloud.executed() == Counter(ids)


@pytest.mark.parametrize("envelope", ["flat", "legacy"])
def test_wrong_password_is_tried_once(cloud: LocalCloud, project: Project, sessions: Sessions, envelope: str) -> None:
    cloud.world.drs.configure(iam_envelope=envelope)
    made = sessions.by_password(password="wrong")
    with pytest.raises(exceptions.Unauthorized, match="password is wrong" if envelope == "legacy" else "HTTP 401"):
        made.get_token()
    assert [request.code for request in cloud.requests] == ["IAM.0001"]


@pytest.mark.parametrize("catalog", [False, "without_project"])
def test_catalogs_that_do_not_help_are_overridden(
    cloud: LocalCloud, project: Project, sessions: Sessions, catalog: object
) -> None:
    cloud.world.drs.configure(catalog=catalog)
    ids = project.add_jobs()
    made = sessions.by_password()
    if catalog is False:
        with pytest.raises(exceptions.EndpointNotFound):
            retry(made, *ids)
    adapter = Adapter(made, service_type="drs", endpoint_override=f"{cloud.url}/v3/{PROJECT}")
    assert adapter.post("/jobs/batch-retry-task", json={"jobs": [{"job_id": ids[0]}]}).status_code == 200
    assert cloud.executed() == Counter(ids)


def test_throttling_is_raised_at_once(cloud: LocalCloud, project: Project, sessions: Sessions) -> None:
    ids = project.add_jobs()
    cloud.faults.add(faults.throttle("BatchRetryTask", retry_after=1))
    with pytest.raises(exceptions.TooManyRequests):
        retry(sessions.by_password(), *ids)
    assert operations(cloud) == ["CreateToken", "BatchRetryTask"]


def test_locked_user_and_foreign_project(cloud: LocalCloud, project: Project, sessions: Sessions) -> None:
    cloud.world.drs.configure(lock_after=1)
    for password in ("wrong", PASSWORD):
        with pytest.raises(exceptions.Unauthorized):
            sessions.by_password(password=password).get_token()
    assert [request.code for request in cloud.requests] == ["IAM.0001", "IAM.0061"]
    cloud.clock.advance(900)
    with pytest.raises(exceptions.NotFound):
        sessions.by_password(project_id="unknown").get_token()


def test_over_tls_the_catalog_points_to_https() -> None:
    with LocalCloud(tls=True) as cloud:
        ids = furnish(cloud).add_jobs()
        sessions = Sessions(cloud)
        made = sessions.by_password()
        made.verify = cloud.ca_file
        assert retry(made, *ids).status_code == 200
        assert made.get_endpoint(service_type="drs").startswith("https://")
        sessions.close()
