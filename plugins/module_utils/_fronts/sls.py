# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The options of the SLS modules, and the service that they name."""

from __future__ import annotations

from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import Spec
from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Signer
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.sls import find_credentials, find_region
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front, Opened, Run
from ansible_collections.redrive.tasks.plugins.module_utils._services.sls import (
    FACTS,
    SlsService,
    check_name,
    check_task_id,
    find_endpoint,
    region_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.sls import AccessKey, sign_v1, sign_v4


def _argument_spec() -> Spec:
    return {
        "project": {"type": "str", "required": True},
        "logstore": {"type": "str"},
        "shipper": {"type": "str"},
        "task_ids": {"type": "list", "elements": "str", "aliases": ["ids"]},
        # An AccessKey id is no secret: masking it would blank it wherever it stands in the result.
        "access_key_id": {"type": "str", "no_log": False},
        "access_key_secret": {"type": "str", "no_log": True},
        "security_token": {"type": "str", "no_log": True},
        "profile": {"type": "str"},
        "signature_version": {"type": "str", "choices": ["v1", "v4"], "default": "v1"},
    }


def _check(params: dict[str, Any]) -> None:
    for option in ("project", "logstore", "shipper"):
        if params[option] is not None:
            check_name(option, params[option])
    if params["shipper"] and not params["logstore"]:
        raise InputError("shipper is given without logstore: name the logstore that it belongs to.")
    for task_id in params["task_ids"] or ():
        check_task_id(task_id)


def _create(params: dict[str, Any], run: Run) -> Opened:
    credentials = find_credentials(
        access_key_id=params["access_key_id"],
        access_key_secret=params["access_key_secret"],
        security_token=params["security_token"],
        profile=params["profile"],
        environ=run.environ,
    )
    key = credentials.key
    run.keep_secret(key.secret)
    run.keep_secret(key.security_token)
    region = find_region(params["region"], credentials, run.environ)
    endpoint = find_endpoint(
        params["endpoint"], region, project=params["project"], allow_plaintext=params["allow_plaintext"]
    )
    # What the user's own endpoint tells comes before what the environment happens to hold.
    signed_region = params["region"] or region_of(endpoint) or region
    service = SlsService(
        run.caller(endpoint, _signer(params["signature_version"], key, signed_region, run)),
        endpoint,
        project=params["project"],
        logstore=params["logstore"],
        shipper=params["shipper"],
        clock=run.clock,
        warn=run.warn,
    )
    # A project is known by its region and name, through whichever of the region's endpoints it is reached.
    return Opened(service, (FACTS.name, region_of(endpoint) or endpoint.address, params["project"]))


def _signer(version: str, key: AccessKey, region: str | None, run: Run) -> Signer:
    if version == "v1":
        return lambda request: sign_v1(request, key, run.clock.time())
    if not region:
        raise InputError(
            "signature_version v4 signs the region, and the endpoint does not tell it: set the option region."
        )
    return lambda request: sign_v4(request, key, run.clock.time(), region=region)


SLS = Front(facts=FACTS, argument_spec=_argument_spec, check=_check, create=_create)
