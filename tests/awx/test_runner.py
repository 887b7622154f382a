# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks under ansible-runner, as a controller runs them: at once, and by streams to its execution nodes."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import running
from awx.credentials import API_KEY, injected
from awx.places import installed
from local_cloud.testing import LocalCloud
from modules.services import SERVICES

# What a controller adds by itself.
SLICE = {"awx_parent_job_schedule_name": "Redrive every night", "awx_job_id": 44}
JOB = {"awx_user_name": "alice", "awx_job_id": 42, "awx_job_template_name": "Redrive remediate"}


def unanswered() -> dict[str, str]:
    """The questions of all surveys that may be left without an answer, but for those that name a plan."""
    text = (installed() / "playbooks" / "vars" / "controller_questions.yml").read_text()
    questions = yaml.safe_load(text)["controller_questions"]
    free = {
        name: ""
        for name, one in questions.items()
        if (not one["required"] and "default" not in one) or one.get("default") == ""
    }
    return {name: answer for name, answer in free.items() if not name.startswith("plan_approved")}


def hosts(cloud: LocalCloud, *services: str) -> dict[str, dict[str, Any]]:
    """One host for each of these services, or of all, without credentials."""
    chosen = [one for one in SERVICES if not services or one.name in services]
    wanted = {one.name: {"service": one.name, **one.where, "endpoint": cloud.url} for one in chosen}
    return {name: {"redrive_target": target} for name, target in wanted.items()}


def data_dir(
    folder: Path, cloud: LocalCloud, inventory: Mapping[str, Any], job: Mapping[str, Any], **variables: Any
) -> Path:
    """What a controller prepares for a job: project, inventory, variables, and credentials in the environment."""
    for name in ("project", "inventory", "env"):
        (folder / name).mkdir(parents=True)
    # As the project of a controller, which checks the repository out: the collection itself is elsewhere.
    (folder / "project" / "playbooks").symlink_to(installed() / "playbooks")
    content = {"all": {"children": {"redrive_targets": {"hosts": dict(inventory)}}}}
    (folder / "inventory" / "hosts.json").write_text(json.dumps(content))
    (folder / "env" / "envvars").write_text(json.dumps(injected("usual", cloud.url)))
    usual = {**unanswered(), "report_reason": "INC-4711", "remediate_wait_interval": 0.2}
    files = {"report_json": str(folder / "report.json"), "report_html": str(folder / "report.html")}
    (folder / "env" / "extravars").write_text(json.dumps({**usual, **files, **job, **variables}))
    return folder


def runner(*arguments: str, home: Path, **streams: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(["ansible-runner", *arguments], env=running.environ(home), text=True, **streams)


def run(folder: Path, playbook: str, *options: str, home: Path, succeeds: bool = True) -> str:
    """Run a job at once, and return its output."""
    home.mkdir(exist_ok=True)
    command = ("run", str(folder), "--ident", "1", "-p", playbook, *options)
    with runner(*command, home=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        output, _nothing = process.communicate(timeout=180)
    assert (process.returncode == 0) is succeeds, output
    return output


def handed_on(folder: Path) -> dict[str, Any]:
    """What a job hands on to the next one of a workflow: the artifacts, as a controller finds them among the events."""
    events = [json.loads(file.read_text()) for file in folder.glob("artifacts/**/job_events/*.json")]
    found = [event["event_data"]["artifact_data"] for event in events if event["event"] == "playbook_on_stats"]
    assert len(found) == 1
    result: dict[str, Any] = found[0]
    return result


def files_with_secrets(folder: Path) -> set[str]:
    """Files below a folder that hold a secret of any service."""
    secrets = [secret for one in SERVICES for secret in one.secrets] + [API_KEY]
    assert len(secrets) > 4
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    texts = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    return {name for name, text in texts.items() if any(secret.encode() in text for secret in secrets)}


@pytest.fixture
def tasks(cloud: LocalCloud) -> Counter[str]:
    """Two tasks of every service that a retry heals, beside one that a person must repair."""
    heals: Counter[str] = Counter()
    for service in SERVICES:
        heals.update(service.add(cloud, count=2, **service.transient))
        service.add(cloud, count=1, **service.fix)
    return heals


def test_a_job_retries_each_task_once_without_asking_and_hands_a_small_result_on(
    cloud: LocalCloud, tasks: Counter[str], tmp_path: Path
) -> None:
    folder = data_dir(tmp_path / "job", cloud, hosts(cloud), JOB)
    output = run(folder, "redrive.tasks.remediate", home=tmp_path / "home")
    assert cloud.executed() == cloud.retried() == tasks
    assert "8 of 12 failed tasks retried" in output
    result = handed_on(folder)["report_result"]
    assert len(json.dumps(result)) < 10_000
    assert result["totals"]["recovered"] == 8
    assert (result["by"]["user"], result["by"]["job"], result["by"]["reason"]) == ("alice", "42", "INC-4711")
    document = json.loads(Path(result["files"]["json"]).read_text())
    assert document["digest"] == result["digest"]
    assert "INC-4711" in Path(result["files"]["html"]).read_text()
    # ansible-runner itself keeps the environment that it was given, and writes it down beside the command.
    assert files_with_secrets(tmp_path) == {"job/env/envvars", "job/artifacts/1/command"}


def test_two_execution_nodes_with_a_slice_each_retry_each_task_once(
    cloud: LocalCloud, tasks: Counter[str], tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    inventory = sorted(hosts(cloud).items())
    slices = [data_dir(tmp_path / f"slice{one}", cloud, dict(inventory[one::2]), SLICE) for one in range(2)]
    for folder in slices:
        with (folder / "sent").open("w") as sent:
            transmit = runner("transmit", str(folder), "-p", "playbooks/remediate.yml", home=tmp_path, stdout=sent)
            assert transmit.wait(60) == 0
    workers = []
    for folder in slices:
        with (folder / "sent").open() as sent, (folder / "returned").open("w") as returned:
            (folder / "node").mkdir()
            workers.append(runner("worker", home=folder / "node", stdin=sent, stdout=returned))
    assert [worker.wait(180) for worker in workers] == [0, 0]
    done = [tmp_path / "done" / folder.name for folder in slices]
    for folder, place in zip(slices, done):
        with (folder / "returned").open() as returned:
            process = runner("process", str(place), home=tmp_path, stdin=returned, stdout=subprocess.DEVNULL)
            assert process.wait(60) == 0
        assert [file.read_text() for file in place.rglob("status")] == ["successful"]

    assert cloud.executed() == cloud.retried() == tasks
    results = [handed_on(place)["report_result"] for place in done]
    worked_on = [[target["service"] for target in result["targets"]] for result in results]
    assert worked_on == [[name for name, _target in inventory[one::2]] for one in range(2)]
    for result in results:
        assert (result["totals"]["recovered"], result["failures"]) == (4, [])
        assert result["by"]["schedule"] == "Redrive every night"
        assert json.loads(Path(result["files"]["json"]).read_text())["digest"] == result["digest"]
    # The stream to a node carries the environment. What comes back carries it with the command alone.
    kept = {f"slice{one}/{name}" for one in range(2) for name in ("env/envvars", "sent", "returned")}
    commands = {str(file.relative_to(tmp_path)) for file in (tmp_path / "done").rglob("command")}
    assert files_with_secrets(tmp_path) <= kept | commands


def test_the_job_type_check_and_a_limit_are_kept_to(cloud: LocalCloud, tasks: Counter[str], tmp_path: Path) -> None:
    folder = data_dir(tmp_path / "job", cloud, hosts(cloud), JOB)
    options = ("--cmdline=--check", "--limit", "sls:drs")
    run(folder, "playbooks/remediate.yml", *options, home=tmp_path / "home")
    assert cloud.changes() == []
    result = handed_on(folder)["report_result"]
    assert [target["service"] for target in result["targets"]] == ["sls", "drs"]
    assert (result["kind"], result["totals"]["retry"]) == ("preview", 4)
    assert result["files"]["json"] == str(folder / "report.preview.json")


def test_the_job_of_a_schedule_that_fails_says_so_and_hands_on_all_the_same(
    cloud: LocalCloud, tasks: Counter[str], tmp_path: Path
) -> None:
    inventory = hosts(cloud, "sls")
    inventory["other"] = {"redrive_target": {**inventory["sls"]["redrive_target"], "project": "nowhere"}}
    folder = data_dir(tmp_path / "job", cloud, inventory, {"awx_schedule_name": "Redrive every night"})
    run(folder, "playbooks/nightly.yml", home=tmp_path / "home", succeeds=False)
    result = handed_on(folder)["report_result"]
    assert (result["by"]["user"], result["by"]["schedule"]) == ("", "Redrive every night")
    assert (result["totals"]["recovered"], result["totals"]["not_worked_on"]) == (2, 1)
    assert json.loads(Path(result["files"]["json"]).read_text())["digest"] == result["digest"]


def test_what_a_plan_job_hands_on_is_all_that_the_job_after_the_approval_needs(
    cloud: LocalCloud, tasks: Counter[str], tmp_path: Path
) -> None:
    """In a workflow, the artifacts of a job are extra variables of those after it."""
    chosen = hosts(cloud, "sls", "geelark")
    plan = data_dir(tmp_path / "plan", cloud, chosen, JOB)
    run(plan, "playbooks/plan.yml", home=tmp_path / "home")
    assert cloud.changes() == []
    later = SERVICES[0].add(cloud, count=1, **SERVICES[0].transient)
    apply = data_dir(tmp_path / "apply", cloud, chosen, JOB, **handed_on(plan))
    run(apply, "playbooks/apply.yml", home=tmp_path / "home")
    assert cloud.executed() == cloud.retried()
    assert len(cloud.executed()) == 4
    assert not set(later) & set(cloud.executed())
    assert cloud.executed() <= tasks


def test_the_job_that_applies_a_plan_sends_nothing_without_one(
    cloud: LocalCloud, tasks: Counter[str], tmp_path: Path
) -> None:
    """A survey may hand the plan over as an empty text."""
    folder = data_dir(tmp_path / "job", cloud, hosts(cloud), JOB, plan_approved="", plan_approved_digest="")
    output = run(folder, "playbooks/apply.yml", home=tmp_path / "home", succeeds=False)
    assert "No plan to apply: nothing was sent" in output
    assert cloud.requests == []
