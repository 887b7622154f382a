# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks right and would retry too much, or the wrong tasks: it is refused, or does what was meant."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_cloud.testing import LocalCloud

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
BUCKET: dict[str, Any] = {"code": "InvalidOssBucket", "message": "The bucket does not exist."}


def write_inventory(folder: Path, playbook: Any, **groups: dict[str, Any]) -> str:
    """An inventory with one target in each group, whose variables are given."""
    children = {
        name: {"vars": variables, "hosts": {f"host-of-{name}": {"redrive_target": playbook.target(name)}}}
        for name, variables in groups.items()
    }
    file = folder / "inventory.yml"
    file.write_text(yaml.safe_dump({"redrive_targets": {"children": children}}))
    return str(file)


@pytest.mark.parametrize(
    "variables",
    [{"remediate_freeze": ["2000-01-01/2099-12-31"]}, {"remediate_dry_run": True}],
    ids=lambda variables: next(iter(variables)),
)
def test_what_holds_for_the_whole_run_is_refused_for_one_group(
    cloud: LocalCloud, playbook: Any, tmp_path: Path, variables: dict[str, Any]
) -> None:
    for project in ("dev", "prod"):
        cloud.world.add_shipper(project, "orders", "to-oss").add_tasks(count=1, **OSS)
    inventory = write_inventory(tmp_path, playbook, dev={}, prod=variables)
    played = playbook(options=("-i", inventory))
    assert played.code == 2
    (name,) = variables
    assert f"{name} of host-of-prod is not that of host-of-dev, but it holds for the whole run" in played.output
    assert cloud.changes() == []


def test_a_target_is_no_machine_whatever_the_inventory_says(cloud: LocalCloud, playbook: Any, tmp_path: Path) -> None:
    ids = cloud.world.add_shipper("prod", "orders", "to-oss").add_tasks(count=1, **OSS)
    machine = {"ansible_connection": "ssh", "ansible_become": True, "ansible_host": "nowhere.invalid"}
    played = playbook(options=("-i", write_inventory(tmp_path, playbook, prod=machine)))
    assert played.code == 0, played.output
    assert cloud.executed() == Counter(ids)


def test_a_play_that_works_part_by_part_is_refused(cloud: LocalCloud, playbook: Any, tmp_path: Path) -> None:
    for project in ("dev", "prod"):
        cloud.world.add_shipper(project, "orders", "to-oss").add_tasks(count=1, **OSS)
    roles = [{"ansible.builtin.include_role": {"name": f"redrive.tasks.{name}"}} for name in ("plan", "remediate")]
    own = tmp_path / "own.yml"
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "serial": 1, "tasks": roles}
    own.write_text(yaml.safe_dump([play]))
    played = playbook(book=str(own), options=("-i", write_inventory(tmp_path, playbook, dev={}, prod={})))
    assert played.code == 2
    assert "Take serial out of the play." in played.output
    assert cloud.changes() == []


@pytest.mark.parametrize(
    ("book", "variables", "said"),
    [
        ("remediate", {"remediate_dry_run": "ture"}, "remediate_dry_run must be true or false, not 'ture'."),
        ("remediate_cause", {"plan_codes": " , "}, "No cause is named: nothing was sent."),
        ("remediate_cause", {"plan_codes": [""], "plan_message_regex": " "}, "No cause is named: nothing was sent."),
        ("remediate", {"remediate_window": [{"from": 22, "to": 5}]}, "remediate_window: 22 is not a time of the day."),
        ("remediate", {"plan_services": "slls"}, "There is no service slls, only cls, drs, geelark, sls."),
    ],
)
def test_a_slip_sends_nothing(
    cloud: LocalCloud, playbook: Any, book: str, variables: dict[str, Any], said: str
) -> None:
    cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=1, **OSS)
    played = playbook(playbook.target("shop"), book=book, **variables)
    assert played.code == 2
    assert said in played.output
    assert cloud.changes() == []


def test_tasks_of_one_id_in_two_shippers_are_told_apart(cloud: LocalCloud, playbook: Any) -> None:
    """The one that needs a person comes first where the service lists them."""
    account = {"access_key_id": "keyId", "access_key_secret": "keySecret", "region": "cn-hangzhou"}
    shippers = {"a": {"one": BUCKET}, "b": {"two": OSS}}
    logstores = {
        logstore: {"shippers": {name: {"tasks": [{"id": "aaaa", **failure}]} for name, failure in inside.items()}}
        for logstore, inside in shippers.items()
    }
    cloud.load({"accounts": [account], "sls": {"projects": {"shop": {"logstores": logstores}}}})
    played = playbook(playbook.target("shop", access_key_id="keyId", access_key_secret="keySecret"))
    assert played.code == 0, played.output
    assert (played.totals["retry"], played.totals["recovered"], played.totals["left"]) == (1, 1, 1)
    (healed,) = [task for target in played.document["targets"] for task in target["tasks"] if task.get("recovered")]
    assert healed["scope"]["logstore"] == "b"
    assert sum(cloud.executed().values()) == 1
