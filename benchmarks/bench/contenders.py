# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Those who retry the tasks: how each is prepared, and started.

Each is told where the cloud is and who asks, and retries all failed tasks of the one shipper. Preparations are not
measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import presigned
from bench.cloud import CLS_SHIPPER, KEY_ID, LOGSTORE, PROJECT, REGION, SECRET, SHIPPER, Cloud
from bench.launching import Launcher, Took, tool

HERE = Path(__file__).parents[1]
PLAYBOOKS = HERE / "playbooks"
SCRIPTS = HERE / "scripts"


@dataclass(frozen=True)
class Stage:
    """Where contenders perform: a cloud, a launcher with a folder of its own."""

    cloud: Cloud
    launcher: Launcher

    @property
    def folder(self) -> Path:
        return self.launcher.home


Perform = Callable[[Stage], Took]
Prepare = Callable[[Stage, str], Perform]


@dataclass(frozen=True)
class Contender:
    """One way to retry failed tasks.

    :ivar words: what it is called in tables
    :ivar prepare: everything that is not measured, in a cloud that holds the tasks; what it returns does the work, in a
        cloud that was filled anew: the ids are the same
    """

    name: str
    words: str
    prepare: Prepare


MODULES = {"sls": "sls_shipper_task_retry", "cls": "cls_shipper_task_retry"}
INFO_MODULES = {"sls": "sls_shipper_task_info", "cls": "cls_shipper_task_info"}


def options(service: str, cloud: Cloud) -> dict[str, Any]:
    """What both modules of the service need to know; everything else as they are by themselves."""
    if service == "sls":
        where = {"project": PROJECT, "logstore": LOGSTORE, "shipper": SHIPPER}
        return {**where, "endpoint": cloud.url, "access_key_id": KEY_ID, "access_key_secret": SECRET}
    where = {"shipper_id": CLS_SHIPPER, "region": REGION}
    return {**where, "endpoint": cloud.url, "secret_id": KEY_ID, "secret_key": SECRET}


def play(stage: Stage, playbook: str, variables: Mapping[str, Any], **environ: str) -> Took:
    """Run one of the playbooks here."""
    file = stage.folder / "variables.json"
    file.write_text(json.dumps(variables))
    return stage.launcher.run([tool("ansible-playbook"), PLAYBOOKS / playbook, "-e", f"@{file}"], environ)


def payloads(stage: Stage, arguments: Mapping[str, Mapping[str, Any]]) -> dict[str, Path]:
    """The files that Ansible makes of modules and their arguments, and runs on the host; by module."""
    files = {name: stage.folder / f"{name}.py" for name in arguments}
    jobs = [{"module": name, "arguments": arguments[name], "file": str(file)} for name, file in files.items()]
    stage.launcher.run([sys.executable, HERE / "bench" / "payload.py", json.dumps(jobs)])
    return files


def _playbook(stage: Stage, service: str) -> Perform:
    variables = {"module_options": options(service, stage.cloud)}
    return lambda here: play(here, f"{service}_module.yml", variables)


def _module(stage: Stage, service: str) -> Perform:
    """The file that Ansible would run, run without Ansible."""
    name, arguments = f"redrive.tasks.{MODULES[service]}", {**options(service, stage.cloud), "all_failed": True}
    file = payloads(stage, {name: arguments})[name]
    return lambda here: here.launcher.run([sys.executable, file])


def _sdk(stage: Stage, service: str, pause: float = 0.0) -> Perform:
    keys = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
        "TENCENTCLOUD_SECRET_ID": KEY_ID,
        "TENCENTCLOUD_SECRET_KEY": SECRET,
    }
    host = stage.cloud.url.partition("//")[2]
    arguments = {"sls": (stage.cloud.url, PROJECT, LOGSTORE, SHIPPER), "cls": (host, CLS_SHIPPER, str(pause))}
    script = [SCRIPTS / "with_names.py", SCRIPTS / f"{service}_sdk.py"]
    return lambda here: here.launcher.run([sys.executable, *script, *arguments[service]], keys)


def _polite_sdk(stage: Stage, service: str) -> Perform:
    return _sdk(stage, service, pause=1 / 20)


def _uri(stage: Stage, service: str) -> Perform:
    """It is even told which tasks have failed."""
    variables = {"signed_requests": presigned.retries(service, stage.cloud.url, stage.cloud.task_ids())}
    return lambda here: play(here, "uri.yml", variables)


PLAYBOOK = Contender("playbook", "our module, ansible-playbook", _playbook)
MODULE = Contender("module", "our module, the process alone", _module)
SDK = Contender("sdk", "SDK script", _sdk)
POLITE_SDK = Contender("polite_sdk", "SDK script that sleeps", _polite_sdk)
URI = Contender("uri", "uri in a loop, ansible-playbook", _uri)

CONTENDERS = {one.name: one for one in (PLAYBOOK, MODULE, SDK, POLITE_SDK, URI)}
