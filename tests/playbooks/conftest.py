# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the installed playbooks by their FQCN under a real `ansible-playbook` against the local cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import running
from local_cloud.testing import LocalCloud
from modules.services import KEY_ID, SECRET


@dataclass(frozen=True)
class Played:
    """What came of one run of a playbook.

    :ivar result: what it handed on as `report_result`
    :ivar report: in Markdown
    :ivar document: in JSON
    """

    code: int
    output: str
    result: dict[str, Any]
    report: str
    document: dict[str, Any]

    def said(self, task: str) -> str:
        """What was said on the screen while the task of this name ran."""
        after = self.output.partition(f" : {task}]")[2].partition("\n")[2]
        return re.split(r"^(?:ok|changed|fatal): ", after, maxsplit=1, flags=re.MULTILINE)[0]

    @property
    def plan(self) -> str:
        return self.said("Draw up the plan")

    @property
    def summary(self) -> str:
        return self.said("Write the reports, and say what is left for a person")

    @property
    def changed(self) -> int:
        """Targets for which something was changed."""
        recap = self.output.rpartition("PLAY RECAP")[2]
        return sum(map(int, re.findall(r" changed=(\d+)", recap)))

    @property
    def totals(self) -> dict[str, int]:
        totals: dict[str, int] = self.result["totals"]
        return totals

    @property
    def counts(self) -> list[dict[str, int]]:
        return [target["counts"] for target in self.result["targets"]]

    @property
    def failures(self) -> list[str]:
        failures: list[str] = self.result["failures"]
        return failures

    def decisions(self) -> list[tuple[str, str, str]]:
        """For every task: its id, what is done about it, and why."""
        return [
            (task["id"], task["action"], task["reason"])
            for target in self.document["targets"]
            for task in target["tasks"]
        ]


@dataclass(frozen=True)
class Playbook:
    """Runs playbooks for targets in the local cloud, with reports in a folder of its own."""

    cloud: LocalCloud
    folder: Path

    def target(self, project: str | None, **more: Any) -> dict[str, Any]:
        """One entry of redrive_targets with the local cloud's endpoint and credentials; None takes an option away."""
        options = {
            "service": "sls",
            "project": project,
            "endpoint": self.cloud.url,
            "access_key_id": KEY_ID,
            "access_key_secret": SECRET,
            **more,
        }
        return {name: value for name, value in options.items() if value is not None}

    def variables(self, *targets: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """The variables of a run."""
        return {
            **({"redrive_targets": targets} if targets else {}),
            "remediate_wait_interval": 0.2,
            "report_json": str(self.folder / "report.json"),
            "report_markdown": str(self.folder / "report.md"),
            **more,
        }

    def command(self, book: str, variables: Mapping[str, Any], *options: str) -> list[str]:
        """The command line of a run, with the variables in a file."""
        file = self.folder / "variables.json"
        file.write_text(json.dumps(variables))
        name = book if book.endswith(".yml") else f"redrive.tasks.{book}"
        return ["ansible-playbook", name, "-e", f"@{file}", *options]

    def __call__(
        self,
        *targets: Mapping[str, Any],
        book: str = "remediate",
        options: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Played:
        """Run a playbook of the collection, or one in a file, to its end."""
        for file in self.folder.glob("report*"):  # what is read afterwards is of this run
            file.unlink()
        command = self.command(book, self.variables(*targets, **variables), *options)
        done = running.run(command, self.folder, {"ANSIBLE_SHOW_CUSTOM_STATS": "1", **(environ or {})})
        match = re.search(r"^\tRUN: ", done.stdout, re.MULTILINE)
        stats = json.JSONDecoder().raw_decode(done.stdout, match.end())[0] if match else {}
        result = stats.get("report_result", {})
        files = {form: Path(path).read_text() for form, path in result.get("files", {}).items()}
        document = json.loads(files.get("json", "{}"))
        return Played(done.returncode, done.stdout + done.stderr, result, files.get("markdown", ""), document)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        running.world.add_account(KEY_ID, SECRET)
        yield running


@pytest.fixture
def playbook(cloud: LocalCloud, tmp_path: Path) -> Playbook:
    return Playbook(cloud, tmp_path)
