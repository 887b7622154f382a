# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The options of the DRS modules, and the service that they name."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import Spec
from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Signer
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.drs import (
    ExistingToken,
    Identity,
    PasswordLogin,
    find_identity,
)
from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import Who
from ansible_collections.redrive.tasks.plugins.module_utils._drs.login import (
    PasswordSession,
    find_project,
    is_project_id,
)
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint, parse_endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front, Opened, Run
from ansible_collections.redrive.tasks.plugins.module_utils._services.drs import (
    DB_USE_TYPES,
    FACTS,
    DrsService,
    check_job_id,
    find_endpoint,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.drs import AccessKey, sign_hmac, with_token

_DEEPEST_YAML = 100


def _argument_spec() -> Spec:
    return {
        "project_id": {"type": "str"},
        "project_name": {"type": "str"},
        "db_use_type": {
            "type": "list",
            "elements": "str",
            "choices": list(DB_USE_TYPES),
            "default": list(DB_USE_TYPES),
        },
        "job_ids": {"type": "list", "elements": "str", "aliases": ["ids"]},
        "include_paused": {"type": "bool", "default": False},
        "is_sync_re_edit": {"type": "bool"},
        "auth_url": {"type": "str"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "user_domain_name": {"type": "str"},
        "auth_token": {"type": "str", "no_log": True},
        # The id of a key is no secret: masking it would blank it wherever it stands in the result.
        "access_key": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "security_token": {"type": "str", "no_log": True},
        "cloud": {"type": "str"},
    }


def _check(params: dict[str, Any]) -> None:
    if params["project_id"] and not is_project_id(params["project_id"]):
        raise InputError(f"project_id is no project id: {params['project_id']!r}. It has 1 to 64 letters and digits.")
    if not params["db_use_type"]:
        raise InputError("db_use_type is empty: leave it out for all kinds of jobs.")
    for job_id in params["job_ids"] or ():
        check_job_id(job_id)


class _Access(NamedTuple):
    """How DRS is called: by whom, for which project, and what of that came from the service catalog."""

    who: Who
    project_id: str
    sign: Signer
    renew: Callable[[], bool] = bool
    catalog_url: str | None = None


def _create(params: dict[str, Any], run: Run) -> Opened:
    identity = find_identity(params, environ=run.environ, load_yaml=_load_yaml)
    for secret in identity.secrets:
        run.keep_secret(secret)
    for url in (identity.auth_url, identity.endpoint):
        run.keep_address(url)
    allow_plaintext = params["allow_plaintext"]
    if identity.endpoint:  # before anything is sent, the password least of all
        parse_endpoint(identity.endpoint, allow_plaintext=allow_plaintext)
    access = _access(identity, allow_plaintext, run)
    endpoint = find_endpoint(identity.endpoint, access.catalog_url, identity.region, allow_plaintext=allow_plaintext)
    service = DrsService(
        run.caller(endpoint, access.sign, access.renew, signs_time=access.who is Who.KEY),
        endpoint,
        project_id=access.project_id,
        who=access.who,
        db_use_types=params["db_use_type"],
        is_sync_re_edit=params["is_sync_re_edit"],
        warn=run.warn,
    )
    return Opened(service, (FACTS.name, endpoint.address, access.project_id))


def _access(identity: Identity, allow_plaintext: bool, run: Run) -> _Access:
    """The proof of who calls; this logs in where a password is to be exchanged for a token."""
    credential = identity.credential
    if isinstance(credential, PasswordLogin):
        return _log_in(identity, credential, allow_plaintext, run)
    if not identity.endpoint:  # nothing of the catalog will be known, so look now, before anything is sent
        find_endpoint(None, None, identity.region, allow_plaintext=allow_plaintext)
    if isinstance(credential, ExistingToken):
        who, sign = Who.TOKEN, _token_signer(credential)
        project_id = identity.project_id or _project_id(identity, who, sign, allow_plaintext, run)
        return _Access(who, project_id, sign)
    project_id = identity.project_id or _project_id(
        identity, Who.KEY, _key_signer(credential, None, run), allow_plaintext, run
    )
    return _Access(Who.KEY, project_id, _key_signer(credential, project_id, run))


def _log_in(identity: Identity, login: PasswordLogin, allow_plaintext: bool, run: Run) -> _Access:
    endpoint = _identity_service(identity, allow_plaintext)
    caller = run.caller(endpoint, lambda request: request, signs_time=False)
    session = PasswordSession(caller, endpoint, identity, login, clock=run.clock, keep_secret=run.keep_secret)
    grant = session.grant
    return _Access(
        Who.TOKEN, grant.project_id, session.sign, session.renew, grant.url(identity.interface, identity.region)
    )


def _project_id(identity: Identity, who: Who, sign: Signer, allow_plaintext: bool, run: Run) -> str:
    """The project's id by its name."""
    endpoint = _identity_service(identity, allow_plaintext)
    caller = run.caller(endpoint, sign, signs_time=who is Who.KEY)
    return find_project(caller, endpoint, identity.project_name or "", who)


def _identity_service(identity: Identity, allow_plaintext: bool) -> Endpoint:
    return parse_endpoint(identity.auth_url or "", allow_plaintext=allow_plaintext, option="auth_url")


def _token_signer(credential: ExistingToken) -> Signer:
    return lambda request: with_token(request, credential.token)


def _key_signer(key: AccessKey, project_id: str | None, run: Run) -> Signer:
    return lambda request: sign_hmac(request, key, run.clock.time(), project_id)


def _load_yaml(text: str) -> Any:
    # Imported here, because every run pays for an import and few have a clouds.yaml.
    from ansible.module_utils.common.yaml import HAS_YAML, SafeLoader, yaml_load

    if not HAS_YAML:
        raise InputError("A file clouds.yaml is there, and reading it needs the Python library PyYAML: install it.")
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST_YAML:  # PyYAML would go down as deep, until the process has no stack left
            raise InputError("A file clouds.yaml is there, and is nested deeper than any is.")
    return yaml_load(text)


DRS = Front(facts=FACTS, argument_spec=_argument_spec, check=_check, create=_create)
