# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""IAM as far as DRS needs it: a token for a password, what that token tells, and the id of a project by its name.

Sources: Open Telekom Cloud's IAM API reference, and what keystoneauth1 5.18.1 and huaweicloudsdkcore 3.1.219 send.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.drs import Identity, PasswordLogin
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import REPLIES, Who, read_object
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._signing.drs import with_token
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

# As keystoneauth1: a token that ends sooner may end on its way.
_MARGIN = 120.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_PROJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z", re.ASCII)
# The service catalog of a large cloud has some hundreds.
_MOST_ENTRIES = 5000


def is_project_id(text: str) -> bool:
    """Whether this can be the id of a project, which becomes part of every path."""
    return bool(_PROJECT_ID.fullmatch(text))


@dataclass(frozen=True)
class Grant:
    """A token and what came with it.

    :ivar expires: epoch seconds, None where it is not told
    :ivar issued: the same of its beginning
    :ivar urls: of DRS, from the service catalog, as (interface, region, URL)
    """

    token: str = field(repr=False)
    project_id: str
    expires: float | None
    urls: tuple[tuple[str, str, str], ...] = ()
    issued: float | None = None

    def url(self, interface: str, region: str | None) -> str | None:
        """The URL of DRS for this region; without a region, the only one that there is."""
        urls = {
            url
            for its_interface, its_region, url in self.urls
            if its_interface == interface and (region is None or its_region in (region, "*"))
        }
        return urls.pop() if len(urls) == 1 else None


class PasswordSession:
    """The token of one run, for all its threads; it is renewed when it ends.

    An account is locked after a few wrong passwords. So a renewal that fails is the last one: from then on nothing is
    sent, neither a password nor what the token is for.
    """

    def __init__(
        self,
        caller: Caller,
        endpoint: Endpoint,
        identity: Identity,
        login: PasswordLogin,
        *,
        clock: Clock,
        keep_secret: Callable[[str], None],
    ) -> None:
        """Log in.

        :raises CallError: the identity service refused it, or did not answer; nothing was sent to DRS
        """
        self._caller = caller
        self._base_url = endpoint.base_url()
        self._identity = identity
        self._login = login
        self._clock = clock
        self._keep_secret = keep_secret
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._failure: CallError | None = None
        self.grant = self._log_in()

    def sign(self, request: Request) -> Request:
        """The request with the token, which is renewed before it ends.

        :raises CallError: no new token could be had, now or before; the request was not sent
        """
        with self._lock:
            if self._failure or self._ends_soon:
                self._renew()
            token = self._mine.token = self.grant.token
        return with_token(request, token)

    def renew(self) -> bool:
        """Get a new token, unless another thread has done so since this one sent its request.

        :raises CallError: no new token could be had, now or before
        """
        with self._lock:
            if self._failure or getattr(self._mine, "token", None) == self.grant.token:
                self._renew()
        return True

    @property
    def _ends_soon(self) -> bool:
        return self._renew_at is not None and self._renew_at.passed

    def _renew(self) -> None:
        """As `_log_in`, once; after that has failed, only to say so again."""
        if self._failure is None:
            try:
                self.grant = self._log_in()
                return
            except CallError as exc:
                self._failure = exc
        failure = self._failure
        # Said of a call that was not carried out, and that no later one will be: never as lost or passing, whatever
        # became of the login. Its status and request id are told in its own words, not as those of this call.
        kind = Kind.LOCKED if failure.kind is Kind.LOCKED else Kind.DENIED
        text = f"the token had to be renewed, and no new one could be had: {str(failure).rstrip('.')}"
        # A new one for each caller, because callers write into what they catch.
        raise CallError(kind, text, code=failure.code) from failure

    def _log_in(self) -> Grant:
        """A new token. The password is sent again only if nobody can have looked at it.

        An account is locked after a few wrong passwords, so neither a refusal nor a lost reply is worth another try.
        """
        body = json.dumps(_login_body(self._identity, self._login)).encode()
        headers = {"Content-Type": "application/json"}
        request = Request("POST", self._base_url, "/v3/auth/tokens", headers=headers, body=body)
        grant = self._caller.change(request, self._parse)
        self._renew_at = self._renewal(grant)
        return grant

    def _parse(self, response: Response) -> Grant:
        # Before anything is said of a reply that may be no grant otherwise.
        self._keep_secret(response.headers.get("x-subject-token", ""))
        return _parse_grant(response, self._identity.project_id)

    def _renewal(self, grant: Grant) -> Deadline | None:
        """When to renew the token; None if only the service will tell that it has ended."""
        if grant.expires is None:
            return None
        # Both by the service's clock, so that it does not matter whether the one here is right.
        seconds = grant.expires - (self._clock.time() if grant.issued is None else grant.issued) - _MARGIN
        # One that ends soon from the start would be renewed for each request.
        return Deadline.after(self._clock, seconds) if seconds > 0 else None


def find_project(caller: Caller, endpoint: Endpoint, name: str, who: Who) -> str:
    """The id of the only project of that name.

    :raises CallError: there is none, or there are several, or the identity service did not say
    """
    query = (("name", name),)
    request = Request("GET", endpoint.base_url(), "/v3/projects", query)
    found = caller.read(lambda: request, lambda response: _parse_projects(response, name, who))
    if len(found) == 1:
        return found[0]
    problem = f"there are {len(found)} projects of the name {name!r}" if found else f"there is no project {name!r}"
    raise CallError(
        Kind.GONE,
        f"{problem} that the caller may see",
        code="project_not_found",
        hint="Check project_name, or set project_id, which the console shows under My Credentials.",
    )


def _login_body(identity: Identity, login: PasswordLogin) -> dict[str, Any]:
    user: dict[str, Any] = {"password": login.password}
    domain = _domain(login.user_domain_id, login.user_domain_name)
    if login.user_id:
        user["id"] = login.user_id
    else:
        user.update(name=login.username, domain=domain)
    project: dict[str, Any] = {"id": identity.project_id}
    if not identity.project_id:
        project = {"name": identity.project_name}
        # As Open Telekom Cloud's sample, which names none: the project is of the user's own domain.
        project_domain = _domain(identity.project_domain_id, identity.project_domain_name) or domain
        project.update({"domain": project_domain} if project_domain else {})
    scope = {"project": project}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


def _domain(domain_id: str | None, name: str | None) -> dict[str, str]:
    return {"id": domain_id} if domain_id else {"name": name} if name else {}


def _parse_grant(response: Response, project_id: str | None) -> Grant:
    content = read_object(response, Who.PASSWORD)
    token = response.headers.get("x-subject-token", "")
    if not _TOKEN.fullmatch(token):
        raise REPLIES.wrong_shape(response, "there is no token in the header X-Subject-Token")
    told = _object(content.get("token"))
    project_id = project_id or _object(told.get("project")).get("id")
    if not isinstance(project_id, str) or not is_project_id(project_id):
        raise REPLIES.wrong_shape(response, "the token is for no project")
    expires, issued = (_moment(told.get(name)) for name in ("expires_at", "issued_at"))
    return Grant(token, project_id, expires, tuple(_urls(told.get("catalog"))), issued)


def _urls(catalog: Any) -> Iterator[tuple[str, str, str]]:
    for service in _objects(catalog):
        if service.get("type") != "drs":
            continue
        for endpoint in _objects(service.get("endpoints")):
            region = endpoint.get("region_id") or endpoint.get("region")
            parts = (endpoint.get("interface"), region, endpoint.get("url"))
            if all(isinstance(part, str) for part in parts):
                yield (str(parts[0]), str(parts[1]), str(parts[2]))


def _parse_projects(response: Response, name: str, who: Who) -> list[str]:
    content = read_object(response, who)
    if not isinstance(content.get("projects"), list):
        raise REPLIES.wrong_shape(response, "projects is not a list")
    found = [project.get("id") for project in _objects(content["projects"]) if project.get("name", name) == name]
    if not all(isinstance(one, str) and is_project_id(one) for one in found):
        raise REPLIES.wrong_shape(response, "a project has no id")
    return list(dict.fromkeys(str(one) for one in found))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value[:_MOST_ENTRIES] if isinstance(one, dict)] if isinstance(value, list) else []


def _moment(value: Any) -> float | None:
    """Epoch seconds of a time as Keystone writes it, always UTC; None for anything else."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(match.group(1)).replace(tzinfo=timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
