# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder in which what a page shows runs as it is written: the local cloud is in the vendors' place.

The vendors' host names lead to the local cloud, which shows a certificate for each of them, and credentials are where
the pages leave them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from local_cloud.testing import LocalCloud

KEY_ID, SECRET = "exampleKeyId", "exampleKeySecret"

# Imported by every Python that is started: the vendors' names lead to the local cloud.
_SITECUSTOMIZE = """
import socket
_resolve = socket.getaddrinfo
_VENDORS = (".aliyuncs.com", ".tencentcloudapi.com", ".otc.t-systems.com", ".myhuaweicloud.com")
_VENDORS += (".geelark.com", ".geelark.cn")
def _redirect(host, port, *rest, **more):
    if str(host).endswith(_VENDORS):
        host, port = "127.0.0.1", {port}
    return _resolve(host, port, *rest, **more)
socket.getaddrinfo = _redirect
"""

# Where the pages leave credentials to.
ENVIRON = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
    "TENCENTCLOUD_SECRET_ID": "exampleSecretId",
    "TENCENTCLOUD_SECRET_KEY": "exampleSecretKey",
    "OS_USERNAME": "exampleUser",
    "OS_PASSWORD": "examplePassword",
    "OS_USER_DOMAIN_NAME": "OTC-EU-DE-000000000010000",
    "HUAWEICLOUD_SDK_AK": "exampleAk00000000000",
    "HUAWEICLOUD_SDK_SK": "exampleSk0000000000000000000000000000000",
    "GEELARK_TOKEN": "exampleBearerToken0000000001",
}
_FILES = {
    ".aliyun/config.json": {
        "profiles": [{"name": "billing", "mode": "AK", "access_key_id": KEY_ID, "access_key_secret": SECRET}]
    },
    ".config/openstack/clouds.yaml": {
        "clouds": {
            "otc": {
                "auth": {
                    "auth_url": "https://iam.eu-de.otc.t-systems.com/v3",
                    "username": "exampleUser",
                    "password": "examplePassword",
                    "user_domain_name": "OTC-EU-DE-000000000010000",
                    "project_name": "eu-de_shop",
                },
                "region_name": "eu-de",
            }
        }
    },
}


def furnish(folder: Path, cloud: LocalCloud) -> dict[str, str]:
    """Make the folder such a place, which is to be the home too. Returns what the environment needs beside it."""
    given = {name: json.dumps(content) for name, content in _FILES.items()}  # which is YAML as well
    given["sitecustomize.py"] = _SITECUSTOMIZE.format(port=cloud.port)
    for name, text in given.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {
        "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}",
        "REQUESTS_CA_BUNDLE": str(cloud.ca_file),
        **ENVIRON,
    }
