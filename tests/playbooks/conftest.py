# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the installed playbook by its FQCN under a real `ansible-playbook` against the local cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import running
from local_cloud.testing import LocalCloud
from modules.services import KEY_ID, SECRET


@dataclass(frozen=True)
class Played:
    """What came of one run of the playbook."""

    code: int
    output: str
    result: dict[str, Any]
    report: str

    def shown(self, task: str) -> str:
        """The lines that the debug task of this name showed."""
        after = self.output.partition(f" : {task}]")[2]
        content, _end = json.JSONDecoder().raw_decode(after, after.index("{"))
        return "\n".join(content["msg"])

    @property
    def plan(self) -> str:
        return self.shown("Show the plan")

    @property
    def summary(self) -> str:
        return self.shown("Show what was done")

    @property
    def changed(self) -> int:
        match = re.search(r"^localhost .*changed=(\d+)", self.output, re.MULTILINE)
        assert match, self.output
        return int(match.group(1))

    @property
    def totals(self) -> dict[str, int]:
        totals: dict[str, int] = self.result["totals"]
        return totals

    @property
    def counts(self) -> list[dict[str, int]]:
        return [target["counts"] for target in self.result["targets"]]


@dataclass(frozen=True)
class Playbook:
    """Runs the playbook for targets in the local cloud, with a report in a folder of its own."""

    cloud: LocalCloud
    folder: Path

    def target(self, project: str | None, **more: Any) -> dict[str, Any]:
        """One entry of remediate_targets with the local cloud's endpoint and credentials; None takes an option away."""
        options = {
            "service": "sls",
            "project": project,
            "endpoint": self.cloud.url,
            "access_key_id": KEY_ID,
            "access_key_secret": SECRET,
            **more,
        }
        return {name: value for name, value in options.items() if value is not None}

    def __call__(self, *targets: dict[str, Any], options: tuple[str, ...] = (), **variables: Any) -> Played:
        content = {
            "remediate_targets": targets,
            "remediate_wait_interval": 0.2,
            "remediate_report": str(self.folder / "report.md"),
            **variables,
        }
        file = self.folder / "targets.json"
        file.write_text(json.dumps(content))
        command = ["ansible-playbook", "redrive.tasks.remediate", "-e", f"@{file}", *options]
        done = running.run(command, self.folder, {"ANSIBLE_SHOW_CUSTOM_STATS": "1"})
        match = re.search(r"^\tRUN: ", done.stdout, re.MULTILINE)
        stats = json.JSONDecoder().raw_decode(done.stdout, match.end())[0] if match else {}
        result = stats.get("remediate_result", {})
        report = Path(result.get("report") or self.folder / "none")
        text = report.read_text() if report.exists() else ""
        return Played(done.returncode, done.stdout + done.stderr, result, text)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        running.world.add_account(KEY_ID, SECRET)
        yield running


@pytest.fixture
def playbook(cloud: LocalCloud, tmp_path: Path) -> Playbook:
    return Playbook(cloud, tmp_path)
