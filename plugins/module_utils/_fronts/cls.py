# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The options of the CLS modules, and the service that they name."""

from __future__ import annotations

from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import Spec
from ansible_collections.redrive.tasks.plugins.module_utils._credentials.cls import find_credentials, find_region
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front, Opened, Run
from ansible_collections.redrive.tasks.plugins.module_utils._services.cls import (
    FACTS,
    ClsService,
    check_id,
    check_region,
    find_endpoint,
    is_global,
    region_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._signing.cls import sign_tc3


def _argument_spec() -> Spec:
    return {
        "shipper_id": {"type": "str"},
        "task_ids": {"type": "list", "elements": "str", "aliases": ["ids"]},
        # A SecretId is no secret, whatever its name: masking it would blank it wherever it stands in the result.
        "secret_id": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "token": {"type": "str", "no_log": True},
        "profile": {"type": "str"},
    }


def _check(params: dict[str, Any]) -> None:
    if params["shipper_id"] is not None:
        params["shipper_id"] = check_id("shipper_id", params["shipper_id"].strip())
    for task_id in params["task_ids"] or ():
        check_id("task_ids", task_id)
    if params["region"] is not None:
        check_region(params["region"])


def _create(params: dict[str, Any], run: Run) -> Opened:
    credentials = find_credentials(
        secret_id=params["secret_id"],
        secret_key=params["secret_key"],
        token=params["token"],
        profile=params["profile"],
        environ=run.environ,
    )
    key = credentials.key
    run.keep_secret(key.secret)
    run.keep_secret(key.token)
    endpoint = find_endpoint(params["endpoint"], allow_plaintext=params["allow_plaintext"])
    # What the user's own endpoint tells comes before what the environment happens to hold.
    region = params["region"] or region_of(endpoint) or find_region(None, credentials, run.environ)
    if not region and is_global(endpoint):
        raise InputError(
            "The region is not known, and shipping rules belong to one. Set the option region, the variable"
            " TENCENTCLOUD_REGION, the region of the profile, or an endpoint that names it, as"
            " cls.ap-guangzhou.tencentcloudapi.com does."
        )
    service = ClsService(
        run.caller(endpoint, lambda request: sign_tc3(request, key, run.clock.time())),
        endpoint,
        region=check_region(region) if region else None,
        shipper_id=params["shipper_id"],
        clock=run.clock,
        warn=run.warn,
    )
    # That two keys are of one account cannot be known from here.
    vendor = region and (is_global(endpoint) or region_of(endpoint))
    return Opened(service, (FACTS.name, "" if vendor else endpoint.address, region or "", key.id))


CLS = Front(facts=FACTS, argument_spec=_argument_spec, check=_check, create=_create)
