# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM as far as DRS needs it: tokens for passwords and for tokens, projects, the version document.

After Open Telekom Cloud's IAM API reference and what keystoneauth1 5.18.1 and huaweicloudsdkcore 3.1.219 send.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from local_cloud.services import Answer, Call
from local_cloud.services.drs_auth import query_pairs
from local_cloud.services.drs_errors import refusal, unauthenticated
from local_cloud.services.drs_jobs import DOMAIN, Project
from local_cloud.services.drs_options import DrsOptions


@dataclass
class User:
    """A user of IAM."""

    name: str
    password: str
    domain: str = DOMAIN
    projects: tuple[str, ...] | None = None  # ids; None: every project of the domain
    deny: tuple[str, ...] = ()  # names of operations, as for accounts; `*` denies all of DRS
    disabled: bool = False
    wrong_tries: int = 0  # since the last right one
    locked_until: float = 0.0

    @property
    def id(self) -> str:
        return _made_up_id("user", self.domain, self.name)


@dataclass
class Token:
    id: str
    user: User
    project: Project | None  # None: of the whole domain, or of nothing; DRS takes neither
    methods: tuple[str, ...]
    issued_at: float
    expires_at: float


@dataclass(frozen=True)
class Caller:
    """Who calls DRS."""

    projects: tuple[str, ...] | None  # ids of those it belongs to; None: all
    scope: str | None  # the project its token is for; None: it is no token; empty: a token for none
    deny: tuple[str, ...]

    def owns(self, project_id: str) -> bool:
        return self.scope in (None, project_id) and (self.projects is None or project_id in self.projects)

    def denies(self, operation: str) -> bool:
        return any(rule.rpartition(":")[2] in (operation, "*") for rule in self.deny)


@dataclass(frozen=True)
class _Grant:
    """What a request for a token asks for, found right."""

    user: User
    project: Project | None
    methods: tuple[str, ...]
    expires_at: float


@dataclass
class Identity:
    """Users, projects and tokens."""

    projects: dict[str, Project] = field(default_factory=dict)
    users: list[User] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)

    def issue(self, user: User, project: Project | None, now: float, expires_at: float, **more: Any) -> Token:
        token_id = more.pop("id", None) or f"MII{secrets.token_urlsafe(120)}"
        methods = more.pop("methods", ("password",))
        token = Token(token_id, user, project, methods, now, expires_at)
        self.tokens[token_id] = token
        return token

    def caller_with(self, token_id: str, options: DrsOptions, now: float) -> Caller:
        """Whose token it is; refuses one that is unknown or not valid any more."""
        token = self.tokens.get(token_id)
        if token is None or token.user.disabled:
            raise unauthenticated("decrypt token fail")
        if now >= token.expires_at:
            raise refusal(options.expired_token_code)
        user = token.user
        return Caller(tuple(self.projects_of(user)), token.project.id if token.project else "", user.deny)

    def projects_of(self, user: User) -> list[str]:
        """The ids of the user's projects."""
        own = (project for project in self.projects.values() if project.domain == user.domain)
        return [project.id for project in own if user.projects is None or project.id in user.projects]

    # -- POST /v3/auth/tokens ----------------------------------------------------------------------------------------

    def grant(self, call: Call, options: DrsOptions, now: float) -> _Grant:
        """Who asks for a token, and for which project; refuses, and counts, a wrong password."""
        auth = _object(_object(_json_body(call), "auth", known=("auth",)), None, known=("identity", "scope"))
        identity = _object(auth, "identity", known=("identity", "scope"))
        methods = identity.get("methods")
        if methods not in (["password"], ["token"]) or set(identity) - {"methods", *methods}:
            raise refusal("IAM.0073", name="methods", value=methods)
        if methods == ["password"]:
            user = self._by_password(_object(identity, "password"), options, now)
            expires_at = now + options.token_seconds
        else:
            token = self._by_token(_object(identity, "token"), now)
            user, expires_at = token.user, token.expires_at  # assumed, as in Keystone: no longer than the first one
        return _Grant(user, self._scope(auth.get("scope"), user), tuple(methods), expires_at)

    def create_token(self, call: Call, options: DrsOptions, now: float) -> Answer:
        asked = self.grant(call, options, now)
        token = self.issue(asked.user, asked.project, now, asked.expires_at, methods=asked.methods)
        content = self._token_fields(token)
        if not any(key == b"nocatalog" for key, _ignored in query_pairs(call.query)):
            catalog = _catalog(token, call, options)
            content["catalog"] = catalog if options.catalog else catalog[:1]
        return Answer(201, json.dumps({"token": content}).encode(), (("X-Subject-Token", token.id),))

    def _by_password(self, content: Mapping[str, Any], options: DrsOptions, now: float) -> User:
        given = _object(content, "user", known=("user",))
        if set(given) - {"id", "name", "password", "domain"}:
            raise refusal("IAM.0073", name="user", value=sorted(given))
        password = given.get("password")
        if not isinstance(password, str):
            raise refusal("IAM.0072", name="password")
        user = self._user(given)
        if user is None:
            raise refusal(options.wrong_password_code)
        if now < user.locked_until:
            raise refusal("IAM.0061")
        if password != user.password:
            user.wrong_tries += 1
            if user.wrong_tries >= options.lock_after:
                user.wrong_tries, user.locked_until = 0, now + options.lock_seconds
            raise refusal(options.wrong_password_code)
        if user.disabled:
            raise refusal("IAM.0082", value=user.name)
        user.wrong_tries = 0
        return user

    def _user(self, given: Mapping[str, Any]) -> User | None:
        if "id" in given:
            return next((user for user in self.users if user.id == given["id"]), None)
        if not isinstance(given.get("name"), str):
            raise refusal("IAM.0072", name="name")
        domain = self._domain(_object(given, "domain", known=("id", "name", "domain", "password")))
        return next((user for user in self.users if (user.name, user.domain) == (given["name"], domain)), None)

    def _by_token(self, content: Mapping[str, Any], now: float) -> Token:
        token = self.tokens.get(str(content.get("id")))
        if token is None:
            raise refusal("IAM.0067")
        if now >= token.expires_at:
            raise refusal("IAM.0066")
        if token.user.disabled:
            raise refusal("IAM.0082", value=token.user.name)
        return token

    def _scope(self, scope: Any, user: User) -> Project | None:
        """The project that a token is for. "If both scopes are sent, project wins" (OTC)."""
        if scope is None or scope in ("unscoped", {}, {"unscoped": {}}):
            return None
        if not isinstance(scope, dict) or set(scope) - {"project", "domain"}:
            raise refusal("IAM.0073", name="scope", value=scope)
        if "project" not in scope:
            if self._domain(_object(scope, "domain")) != user.domain:
                raise refusal("IAM.0002")
            return None
        wanted = _object(scope, "project", known=("project", "domain"))
        project = self._project(wanted, user)
        if project is None:
            raise refusal("IAM.0004", name="project", value=wanted.get("id") or wanted.get("name"))
        if project.id not in self.projects_of(user):
            raise refusal("IAM.0002")
        return project

    def _project(self, wanted: Mapping[str, Any], user: User) -> Project | None:
        if set(wanted) - {"id", "name", "domain"} or not {"id", "name"} & set(wanted):
            raise refusal("IAM.0073", name="project", value=dict(wanted))
        if "id" in wanted:
            return self.projects.get(str(wanted["id"]))
        # OTC's samples give a name without its domain: the user's own.
        domain = self._domain(_object(wanted, "domain")) if "domain" in wanted else user.domain
        named = (one for one in self.projects.values() if (one.name, one.domain) == (wanted["name"], domain))
        return next(named, None)

    def _domain(self, given: Mapping[str, Any]) -> str | None:
        if "name" in given:
            return str(given["name"])
        domains = {user.domain for user in self.users} | {project.domain for project in self.projects.values()}
        return next((name for name in domains if domain_id(name) == given.get("id")), None)

    def _token_fields(self, token: Token) -> dict[str, Any]:
        user = token.user
        domain = {"id": domain_id(user.domain), "name": user.domain}
        content: dict[str, Any] = {
            "methods": list(token.methods),
            "expires_at": _iso(token.expires_at),
            "issued_at": _iso(token.issued_at),
            "user": {"id": user.id, "name": user.name, "domain": domain, "password_expires_at": ""},
            "roles": [{"id": "0", "name": "te_admin"}],
        }
        if token.project is not None:
            content["project"] = {"id": token.project.id, "name": token.project.name, "domain": domain}
        return content

    # -- GET /v3/projects --------------------------------------------------------------------------------------------

    def list_projects(self, call: Call, caller: Caller) -> Answer:
        query = {key.decode(): value.decode("utf-8", "replace") for key, value in query_pairs(call.query)}
        shown = [
            project
            for project in self.projects.values()
            if caller.projects is None or project.id in caller.projects
            if query.get("name") in (None, project.name)
            if query.get("domain_id") in (None, domain_id(project.domain))
        ]
        links = {"self": f"{base_url(call)}/v3/projects", "next": None, "previous": None}
        return Answer(200, json.dumps({"projects": _project_fields(shown, call), "links": links}).encode())


def version_document(call: Call) -> Answer:
    version = {
        "id": "v3.6",
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "media-types": [{"type": "application/vnd.openstack.identity-v3+json", "base": "application/json"}],
        "links": [{"rel": "self", "href": f"{base_url(call)}/v3/"}],
    }
    return Answer(200, json.dumps({"version": version}).encode())


def base_url(call: Call) -> str:
    """Where the caller found this service."""
    return f"{'https' if call.secure else 'http'}://{call.header('host')}"


def domain_id(name: str) -> str:
    return _made_up_id("domain", name)


def _made_up_id(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _catalog(token: Token, call: Call, options: DrsOptions) -> list[dict[str, Any]]:
    """The entry for IAM, and for a token with a project that for DRS."""
    identity = _entry("identity", "iam", "*", f"{base_url(call)}/v3")
    if token.project is None:
        return [identity]
    url = options.catalog_url or base_url(call)
    if options.catalog != "without_project":
        url = f"{url}/v3/{token.project.id}"
    return [identity, _entry("drs", "drs", token.project.region, url)]


def _entry(kind: str, name: str, region: str, url: str) -> dict[str, Any]:
    endpoint = {
        "id": _made_up_id(kind, region),
        "interface": "public",
        "region": region,
        "region_id": region,
        "url": url,
    }
    return {"id": _made_up_id(kind), "type": kind, "name": name, "endpoints": [endpoint]}


def _project_fields(projects: Iterable[Project], call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": project.id,
            "name": project.name,
            "domain_id": domain_id(project.domain),
            "parent_id": domain_id(project.domain),
            "is_domain": False,
            "enabled": True,
            "description": "",
            "links": {"self": f"{base_url(call)}/v3/projects/{project.id}"},
        }
        for project in projects
    ]


def _json_body(call: Call) -> Any:
    if not (call.header("content-type") or "").lower().startswith("application/json"):
        raise refusal("IAM.0011")
    try:
        return json.loads(call.body.decode())
    except ValueError:
        raise refusal("IAM.0011") from None


def _object(content: Any, name: str | None, *, known: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The member of that name (or the content itself), which must be an object; `known`: no members but these."""
    if not isinstance(content, dict):
        raise refusal("IAM.0011")
    if known is not None and set(content) - set(known):
        extra = min(set(content) - set(known))
        raise refusal("IAM.0073", name=extra, value="...")
    if name is None:
        return content
    if name not in content:
        raise refusal("IAM.0072", name=name)
    if not isinstance(content[name], dict):
        raise refusal("IAM.0073", name=name, value="...")
    return dict(content[name])


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
