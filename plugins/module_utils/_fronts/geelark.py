# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The options of the GeeLark modules, and the service that they name."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Callable

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import Spec
from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Signer
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.geelark import find_credentials
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front, Opened, Run
from ansible_collections.redrive.tasks.plugins.module_utils._services.geelark import (
    FACTS,
    GeelarkService,
    check_task_id,
    find_endpoint,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.geelark import AppKey, Credential, sign


def _argument_spec() -> Spec:
    return {
        "task_ids": {"type": "list", "elements": "str", "aliases": ["ids"]},
        "include_cancelled": {"type": "bool", "default": False},
        "api_token": {"type": "str", "no_log": True},
        # The id of an application is no secret: masking it would blank it wherever it stands in the result.
        "app_id": {"type": "str", "no_log": False},
        "api_key": {"type": "str", "no_log": True},
    }


def _check(params: dict[str, Any]) -> None:
    for task_id in params["task_ids"] or ():
        check_task_id(task_id)


def _create(params: dict[str, Any], run: Run) -> Opened:
    credential = find_credentials(
        api_token=params["api_token"],
        app_id=params["app_id"],
        api_key=params["api_key"],
        environ=run.environ,
    )
    run.keep_secret(credential.api_key if isinstance(credential, AppKey) else credential.value)
    endpoint = find_endpoint(params["endpoint"], allow_plaintext=params["allow_plaintext"])
    sign = signer(credential, run.clock.time, _trace_id)
    caller = run.caller(endpoint, sign, signs_time=isinstance(credential, AppKey))
    service = GeelarkService(caller, endpoint, clock=run.clock, warn=run.warn)
    return Opened(service, (FACTS.name, endpoint.address, _account(credential)))


def _account(credential: Credential) -> str:
    """What stands for the account. That a token and a key are of the same account cannot be known from here."""
    if isinstance(credential, AppKey):
        return credential.app_id
    return hashlib.sha256(credential.value.encode()).hexdigest()


def signer(credential: Credential, now: Callable[[], float], trace_id: Callable[[], str]) -> Signer:
    """Signs each attempt with an id of its own, as the service asks."""
    return lambda request: sign(request, credential, now(), trace_id())


def _trace_id() -> str:
    return str(uuid.uuid4())


GEELARK = Front(facts=FACTS, argument_spec=_argument_spec, check=_check, create=_create)
