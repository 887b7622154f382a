# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan is drawn up, approved, and applied: what still fails of the same is retried, and nothing else."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import digest, iso
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from unit import documents

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
ROLE: dict[str, Any] = {"code": "UnAuthorized", "message": "The role may not write."}
ODD: dict[str, Any] = {"code": "Mystery", "message": "{{ 1 // 0 }} caf\u00e9 \u202e."}  # of a hostile server
DAY = 86400


def approved(playbook: Any, plan: dict[str, Any]) -> Path:
    """The plan in a file, in another folder than that of the next report."""
    file: Path = playbook.folder / "approved" / "plan.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(plan, sort_keys=True, indent=3))
    return file


def refused(playbook: Any, *targets: dict[str, Any], **variables: Any) -> str:
    """What `apply` says when it refuses, at a time when nothing was sent."""
    before = len(playbook.cloud.requests)
    played = playbook(*targets, book="apply", **variables)
    assert played.code == 2
    assert not played.result
    assert len(playbook.cloud.requests) == before
    return " ".join(played.output.split())


class Incident:
    """One shipper: what of its tasks becomes of what until the plan is applied."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._clock = cloud.clock
        self._tasks = cloud.world.add_shipper("shop", "orders", "to-oss")
        self.healed, self.changed, self.gone = (self._tasks.add_tasks(count=number, **OSS) for number in (3, 2, 1))
        self.still = [*self._tasks.add_tasks(count=4, **OSS), *self._tasks.add_tasks(count=1, **ODD)]
        self.left = self._tasks.add_tasks(count=2, **ROLE)
        self.new: list[str] = []

    def goes_on(self) -> None:
        for one in self.healed:
            self._tasks._tasks[one].succeed(self._clock.now())
        for one in self.changed:
            self._tasks._tasks[one].fail(self._clock.now(), "InvalidOssBucket", "The bucket does not exist.")
        for one in self.gone:
            del self._tasks._tasks[one]
        self.new = self._tasks.add_tasks(count=2, age="1m", **OSS)


def assert_is_a_plan(planned: Any) -> None:
    """Times in it are absolute, and nothing in it is said to be done."""
    assert planned.code == 0, planned.output
    assert (planned.changed, planned.failures) == (0, [])
    assert planned.result["kind"] == planned.document["kind"] == "plan"
    assert "13 failed tasks in 1 target: 11 will be retried, 2 left for a person." in planned.plan
    assert planned.report.startswith("# Failed tasks: plan\n")
    (target,) = planned.document["targets"]
    assert Counter(task["outcome"] for task in target["tasks"]) == {"none": 13}
    assert abs(int(target["selection"]["since"]) - (time.time() - 30 * 3600)) < 60
    assert planned.document["by"]["reason"] == "an outage"
    assert planned.document["digest"] == planned.result["digest"]


def test_what_still_fails_of_the_same_is_retried_once_and_the_drift_is_told(cloud: LocalCloud, playbook: Any) -> None:
    incident = Incident(cloud)
    target = playbook.target("shop", logstore="orders")
    planned = playbook(target, book="plan", plan_since="30h", report_reason="an outage")
    assert_is_a_plan(planned)
    assert cloud.changes() == []
    file = approved(playbook, planned.document)
    of_a_workflow = {"report_result": {**planned.result, "files": {"json": str(file)}}}
    incident.goes_on()

    check = playbook(target, book="apply", options=("--check",), **of_a_workflow)
    assert cloud.changes() == []
    real = playbook(target, book="apply", **of_a_workflow)
    assert check.code == real.code == 2
    assert real.failures == check.failures == ["sls shop orders: of 15 tasks 1 not found, or no longer shown"]
    assert check.decisions() == real.decisions()
    assert cloud.executed() == cloud.retried() == Counter(incident.still)
    told = {name: sorted(ids) for name, ids in real.document["targets"][0]["drift"].items()}
    assert told == {name: sorted(getattr(incident, name)) for name in ("healed", "gone", "changed", "new")}
    alone = {one for one, action, _reason in real.decisions() if action == "skip"}
    assert alone == {*incident.left, *incident.changed, *incident.new}
    assert real.totals["recovered"] == real.totals["retry"] == check.totals["retry"] == 5
    drift = "3 healed by itself or under way, 1 no longer shown, 2 failed of something else, or were stopped, 2 new"
    for said in (check.plan, check.summary, real.plan, real.summary, check.report, real.report):
        assert drift in said


def test_nothing_is_sent_without_a_plan_or_with_one_that_was_changed_or_is_another(
    cloud: LocalCloud, playbook: Any
) -> None:
    target, plan = playbook.target("shop"), documents.plan()
    file = approved(playbook, plan)
    assert "No plan to apply: nothing was sent." in refused(playbook, target)
    other = {"files": {"json": str(file)}, "digest": f"sha256:{'0' * 64}"}
    assert "is not the plan that was approved" in refused(playbook, target, report_result=other)
    file.write_text(file.read_text().replace('"action": "skip"', '"action": "retry"', 1))
    assert "was changed after it was written" in refused(playbook, target, plan_approved=str(file))
    assert cloud.requests == []


def a_day_passes(cloud: LocalCloud, shippers: list[TaskList], plan: dict[str, Any]) -> dict[str, Any]:
    """Make everything a day older, since the clock of this machine cannot be turned."""
    for shipper in shippers:
        for task in shipper:
            task.created -= DAY
    for name in ("started", "ended"):
        plan[name] = iso(cloud.clock.now() - DAY)
    for target in plan["targets"]:
        target["selection"]["since"] = str(int(target["selection"]["since"]) - DAY)
    return {**plan, "digest": digest(plan)}


def test_the_preview_of_yesterday_is_applied_as_a_plan_is(cloud: LocalCloud, playbook: Any) -> None:
    """The preview that approved it was of the evening before, with a window of its own; one task expired meanwhile."""
    shop, lake = (cloud.world.add_shipper(name, "orders", "to-oss") for name in ("shop", "lake"))
    expired = lake.add_tasks(count=1, age="26h", **OSS)
    both = {shop: shop.add_tasks(count=3, age="10m", **OSS), lake: lake.add_tasks(count=2, age="20m", **OSS)}
    other = lake.add_tasks(count=1, age="29h", code="Mystery", message="Hm.")
    targets = playbook.target("shop"), playbook.target("lake", since="28h", codes=["InternalServerError"])
    preview = playbook(*targets, options=("--check",), plan_since="30m")
    assert preview.document["kind"] == "preview"
    assert preview.totals["retry"] == 6
    file = approved(playbook, a_day_passes(cloud, [shop, lake], preview.document))
    new = shop.add_tasks(count=1, age="5m", **OSS)

    moved = [playbook.target("shop"), playbook.target("lake", name="sls shop")]
    played = playbook(
        *targets, *moved, playbook.target("sea"), book="apply", plan_approved=str(file), plan_codes=["Mystery"]
    )
    assert played.code == 2
    assert cloud.executed() == Counter([*both[shop], *both[lake]])
    drift = [
        target["drift"] and {name: ids for name, ids in target["drift"].items() if ids}
        for target in played.document["targets"]
    ]
    assert drift[:2] == [{"new": new}, {"gone": expired}]
    assert other[0] not in [one for one, _action, _reason in played.decisions()]
    gone, twice, elsewhere, unplanned = played.failures
    assert gone == "sls lake: of 3 tasks 1 not found, or no longer shown"
    assert twice.startswith("sls shop: 3 of its tasks belong to sls shop already")
    assert "it was service sls, project shop, and is service sls, project lake. Draw up a new plan." in elsewhere
    assert "The approved plan has no target called sls sea, only: sls shop, sls lake." in unplanned
