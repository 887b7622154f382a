# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to say what to work on: an inventory, a list; all of it, one service, one cause; a play of one's own."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_cloud.testing import LocalCloud
from modules.services import SERVICES, Service

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
BUCKET: dict[str, Any] = {"code": "InvalidOssBucket", "message": "The bucket {n} does not exist."}
ROLE: dict[str, Any] = {"code": "UnAuthorized", "message": "The role may not write."}
ACCOUNTS = ("north", "east", "south", "west")
# As survey fields arrive that nobody has filled in.
EMPTY = dict.fromkeys(
    (
        *("plan_since", "plan_until", "plan_codes", "plan_message_regex"),
        *("plan_max_tasks", "plan_max_total", "plan_max_percent", "plan_expiry_warning"),
        *("plan_approved", "plan_approved_digest"),
        *("remediate_wait_timeout", "remediate_wait_interval"),
        *("report_markdown", "report_html", "report_user", "report_reason"),
    ),
    "",
)
OWN_PLAY = {
    "name": "A play of one's own, over hosts that have other names and a target in another variable",
    "hosts": "shops",
    "connection": "local",
    "gather_facts": False,
    "vars": {
        "plan_target": "{{ incident }}",
        "remediate_target": "{{ incident }}",
        "remediate_confirm": False,
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    },
    "tasks": [
        {"ansible.builtin.include_role": {"name": f"redrive.tasks.{role}"}} for role in ("plan", "remediate", "report")
    ],
}


def secret_of(account: str) -> str:
    return f"secret-of-{account}"


@pytest.fixture
def four(cloud: LocalCloud) -> dict[str, list[str]]:
    """Four accounts, each with a project of its own, in which two tasks can be healed and one cannot. Their ids."""
    ids = {}
    for account in ACCOUNTS:
        cloud.world.add_account(account, secret_of(account), projects=[f"{account}-shop"])
        shipper = cloud.world.add_shipper(f"{account}-shop", "orders", "to-oss")
        ids[account] = shipper.add_tasks(count=2, **OSS)
        shipper.add_tasks(count=1, **ROLE)
    return ids


def inventory(playbook: Any) -> tuple[str, str]:
    """One host for each target, in a group for each account that holds its credentials in group_vars."""
    folder = playbook.folder / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    groups = {}
    for account in ACCOUNTS:
        target = {"service": "sls", "name": account, "project": f"{account}-shop"}
        groups[account] = {"hosts": {f"{account}-host": {"redrive_target": target}}}
        known = {"access_key_id": account, "access_key_secret": secret_of(account), "endpoint": playbook.cloud.url}
        (folder / "group_vars" / f"{account}.yml").write_text(yaml.safe_dump({"redrive_account": known}))
    groups["south"]["hosts"]["broken-host"] = {"redrive_target": {"service": "sls", "project": "{{ nobody_said }}"}}
    groups["south"]["hosts"]["bare-host"] = {}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"redrive_targets": {"children": groups}}, sort_keys=False))
    return ("-i", str(folder))


def gist(document: dict[str, Any]) -> list[Any]:
    """What is the same however the targets were named."""
    kept = ("name", "service", "place", "error", "held", "msg", "counts", "drift")
    return [({name: one[name] for name in kept}, [task["id"] for task in one["tasks"]]) for one in document["targets"]]


def test_an_inventory_and_a_list_of_four_accounts_mean_the_same(
    cloud: LocalCloud, playbook: Any, four: dict[str, list[str]]
) -> None:
    where = inventory(playbook)
    listed = playbook(
        *(
            playbook.target(f"{one}-shop", name=one, access_key_id=one, access_key_secret=secret_of(one))
            for one in ACCOUNTS
        ),
        book="plan",
    )
    assert listed.code == 0, listed.output
    assert listed.totals["retry"] == 8

    all_hosts = playbook(book="plan", options=where)
    assert all_hosts.code == 2
    assert (all_hosts.totals["targets"], all_hosts.totals["not_worked_on"]) == (6, 2)
    broken = {one["host"]: one["error"] for one in all_hosts.document["targets"] if one["error"]}
    assert broken["broken-host"].endswith("its host failed before, or its redrive_target is no mapping.")
    assert "'nobody_said' is undefined" in all_hosts.output
    assert broken["bare-host"].startswith("The target of bare-host names no service.")
    assert [one for one in gist(all_hosts.document) if not one[0]["error"]] == gist(listed.document)
    for secret in map(secret_of, ACCOUNTS):
        assert secret not in all_hosts.output + str(all_hosts.document) + all_hosts.report

    limited = playbook(options=(*where, "--limit", "east"))
    assert limited.code == 0, limited.output
    assert [target["host"] for target in limited.document["targets"]] == ["east-host"]
    assert cloud.executed() == Counter(four["east"])


@pytest.mark.parametrize("book", ["remediate", "apply", "plan"])
def test_without_targets_there_is_nothing_to_do(book: str, cloud: LocalCloud, playbook: Any) -> None:
    """An empty group, an empty list, an empty text; `apply` needs a plan all the same."""
    empty = playbook.folder / "empty.ini"
    empty.write_text("[redrive_targets]\n")
    forms: dict[str, dict[str, Any]] = {
        "plan": {"options": ("-i", str(empty))},
        "remediate": {"redrive_targets": []},
        "apply": {"redrive_targets": "", "plan_approved": "any.json"},
    }
    played = playbook(book=book, **forms[book])
    assert played.code == 0, played.output
    assert played.changed == 0
    assert "Nothing to do: there is no target, neither in the list redrive_targets nor as a host" in played.output
    assert cloud.requests == []


def test_a_list_that_is_none_is_refused(playbook: Any) -> None:
    played = playbook(redrive_targets={"service": "sls", "project": "shop"})
    assert played.code == 2
    assert "redrive_targets must be a list of targets, each with its service." in played.output


def test_one_service_and_one_cause_at_a_time(cloud: LocalCloud, playbook: Any) -> None:
    """Variables that a survey has left empty mean the same as none."""
    added = {}
    for service in SERVICES:
        service.prepare(cloud)
        added[service.name] = service.add(cloud, count=1, **service.transient)
    shipper = cloud.world.add_shipper("shop", "access", "to-oss")
    repaired = shipper.add_tasks(count=3, **BUCKET)
    shipper.add_tasks(count=2, **ROLE)
    targets = [_target(service, cloud) for service in SERVICES]

    refused = playbook(*targets, book="remediate_cause")
    assert refused.code == 2
    assert "No cause is named: nothing was sent." in refused.output
    assert cloud.requests == []

    cause = playbook(*targets[:1], book="remediate_cause", plan_codes="invalidossbucket,Other")
    assert cause.code == 0, cause.output
    assert cloud.executed() == Counter(repaired)
    assert cause.counts[0]["selected"] == 3

    one = playbook(*targets, book="remediate_drs", **{**EMPTY, "remediate_wait_interval": 0.2})
    assert one.code == 0, one.output
    assert cloud.executed() == Counter([*repaired, *added["drs"]])
    assert [target["name"] for target in one.result["targets"]] == ["drs"]
    assert {request.service for request in cloud.requests if request.service != "iam"} == {"sls", "drs"}


def _target(service: Service, cloud: LocalCloud) -> dict[str, Any]:
    return {"service": service.name, "name": service.name, **service.defaults(cloud), **service.where}


def test_a_play_of_ones_own_uses_the_roles_as_they_are(
    cloud: LocalCloud, playbook: Any, four: dict[str, list[str]]
) -> None:
    hosts = {f"{one}.example": {"incident": _incident(playbook, one)} for one in ACCOUNTS[:1]}
    where = playbook.folder / "shops.yml"
    where.write_text(yaml.safe_dump({"shops": {"hosts": hosts}}))
    book = playbook.folder / "own.yml"
    book.write_text(yaml.safe_dump([OWN_PLAY, OWN_PLAY]))
    played = playbook(book=str(book), options=("-i", str(where)))
    assert played.code == 0, played.output
    assert cloud.executed() == Counter(four["north"])
    first, second = re.findall(r"^(\d+ of \d+ failed tasks? retried: .*)$", played.output, re.MULTILINE)
    assert first == "2 of 3 failed tasks retried: 2 recovered, 0 failed again, 0 not seen to end."
    assert second == "0 of 1 failed task retried: 0 recovered, 0 failed again, 0 not seen to end."
    assert Path(played.result["files"]["json"]).exists()


def _incident(playbook: Any, account: str) -> dict[str, Any]:
    target: dict[str, Any] = playbook.target(
        f"{account}-shop", access_key_id=account, access_key_secret=secret_of(account)
    )
    return target
