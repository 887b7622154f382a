# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials as a controller hands them to a job: the fields of this collection's types, as environment variables."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from awx.places import installed
from local_controller import rules
from modules.services import API_TOKEN, DOMAIN, KEY_ID, PASSWORD, SECRET, USER

API_KEY = "testApiKey0123456789"

CREDENTIALS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "usual": {
        "Alibaba Cloud SLS": {"access_key_id": KEY_ID, "access_key_secret": SECRET},
        "Tencent Cloud CLS": {"secret_id": KEY_ID, "secret_key": SECRET, "region": "ap-guangzhou"},
        "Open Telekom Cloud and Huawei Cloud DRS": {
            "username": USER,
            "password": PASSWORD,
            "user_domain_name": DOMAIN,
            "auth_url": "{url}/v3",
        },
        "GeeLark": {"api_token": API_TOKEN},
    },
    "keys": {
        "Open Telekom Cloud and Huawei Cloud DRS": {"access_key": KEY_ID, "secret_key": SECRET, "auth_url": "{url}/v3"},
        "GeeLark": {"app_id": "testTeam", "api_key": API_KEY},
    },
}


def injected(way: str, url: str) -> dict[str, str]:
    """The variables that a controller sets for credentials of this collection's types; empty where a field is."""
    text = (installed() / "playbooks" / "vars" / "controller_credential_types.yml").read_text()
    types = yaml.safe_load(text.replace("!unsafe ", ""))["controller_credential_types"]
    variables: dict[str, str] = {}
    for one in types:
        name = one["name"].partition("}} ")[2]
        values = {field: value.format(url=url) for field, value in CREDENTIALS[way].get(name, {}).items()}
        if values:
            env = one["injectors"]["env"]
            variables.update({variable: rules.rendered(template, values) for variable, template in env.items()})
    return variables
