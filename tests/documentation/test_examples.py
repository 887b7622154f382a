# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation runs as it is written, against the local cloud in the vendors' place.

The vendors' host names lead to the local cloud, which shows a certificate for each of them; nothing in an example is
changed. The interval of waiting alone is set from outside, as module_defaults and as an extra variable. What the
examples name is in world.yml.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import running
from local_cloud.testing import LocalCloud
from modules.services import SERVICES

ROOT = Path(__file__).parents[2]
KEY_ID, SECRET = "exampleKeyId", "exampleKeySecret"

# Imported by every Python that the test starts: the vendors' names lead to the local cloud.
SITECUSTOMIZE = """
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

# Where the examples leave the credentials to.
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
FILES = {
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


@dataclass(frozen=True)
class Example:
    """Tasks, plays or variables, as they stand in a document."""

    source: str
    content: Any

    def __str__(self) -> str:
        return self.source

    @property
    def kind(self) -> str:
        if isinstance(self.content, dict):
            return "variables" if any(name.startswith("remediate_") for name in self.content) else "other"
        return "plays" if all("hosts" in entry for entry in self.content) else "tasks"


def module_examples() -> Iterator[Example]:
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        texts = [
            node.value.value
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "EXAMPLES"
            and isinstance(node.value, ast.Constant)
        ]
        yield Example(path.stem, yaml.safe_load(str(texts[0])))


def blocks(path: Path) -> Iterator[str]:
    """The YAML blocks of a page."""
    text = path.read_text()
    if path.suffix == ".md":
        yield from re.findall(r"^```ya?ml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        return
    for match in re.finditer(r"^( *)\.\. code-block:: yaml\S*\n\n((?:\1 +.*\n|\n)+)", text, re.MULTILINE):
        yield match.group(2)


def page_examples() -> Iterator[Example]:
    pages = [ROOT / "README.md", *ROOT.glob("roles/*/README.md"), *sorted(ROOT.glob("docs/docsite/rst/*.rst"))]
    for path in pages:
        for number, block in enumerate(blocks(path), 1):
            yield Example(f"{path.relative_to(ROOT)}[{number}]", yaml.safe_load(block))


EXAMPLES = [*module_examples(), *page_examples()]


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    """The cloud that the examples speak of."""
    with LocalCloud(Path(__file__).with_name("world.yml"), tls=True) as running:
        yield running


def plays_of(example: Example) -> list[dict[str, Any]]:
    """The example as a playbook."""
    defaults = {f"redrive.tasks.{service.act}": {"wait_interval": 0.1} for service in SERVICES}
    plays = example.content
    if example.kind == "tasks":
        plays = [{"hosts": "localhost", "gather_facts": False, "tasks": example.content}]
    return [{**play, "module_defaults": {**play.get("module_defaults", {}), **defaults}} for play in plays]


def command_for(example: Example, folder: Path) -> list[str]:
    """How it is run: variables with the collection's playbook, plays with the variables of the same page."""
    page = example.source.partition("[")[0]
    variables: dict[str, Any] = next(
        (one.content for one in EXAMPLES if one.source.startswith(page) and one.kind == "variables"), {}
    )
    (folder / "targets.yml").write_text(yaml.safe_dump({**variables, "remediate_wait_interval": 0.1}))
    playbook = "redrive.tasks.remediate"
    if example.kind != "variables":
        playbook = "play.yml"
        (folder / playbook).write_text(yaml.safe_dump(plays_of(example), sort_keys=False))
    return ["ansible-playbook", playbook, "-e", "@targets.yml"]


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.kind != "other"], ids=str)
def test_an_example_runs_as_it_is_written(example: Example, cloud: LocalCloud, tmp_path: Path) -> None:
    extra = {
        "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
        "REQUESTS_CA_BUNDLE": str(cloud.ca_file),
        **ENVIRON,
    }
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE.format(port=cloud.port))
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))  # which is YAML as well
    done = running.run(command_for(example, tmp_path), tmp_path, extra, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cloud.requests, "it asked the service for nothing"
    assert not cloud.violations
    assert set(cloud.retried().values()) <= {1}


def test_the_documents_hold_the_examples_that_are_run() -> None:
    """So that a changed mark-up does not silently leave examples out."""
    sources = {re.sub(r"\[\d+\]$", "", one.source) for one in EXAMPLES}
    expected = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    expected |= {"README.md", "roles/remediate/README.md", "docs/docsite/rst/guide_failure_classes.rst"}
    expected |= {f"docs/docsite/rst/guide_{service.name}.rst" for service in SERVICES}
    assert expected <= sources
