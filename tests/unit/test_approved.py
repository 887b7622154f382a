# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An approved plan against what the service shows now."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._approved import apply, planned_for, to_look_up
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import TargetError, target_of
from unit.documents import BUCKET, BUSY, entry, failure

HERE = {"project": "shop"}
NO_DRIFT: dict[str, list[str]] = {"healed": [], "gone": [], "changed": [], "new": []}


def planned(*tasks: Any, **more: Any) -> dict[str, Any]:
    """A target's part of a plan."""
    known = {"name": "sls shop", "host": "shop", "service": "sls", "place": HERE, "error": "", "held": ""}
    return {**known, "tasks": list(tasks), **more}


def now(name: str, state: str, **more: Any) -> dict[str, Any]:
    """A task that does not fail any more."""
    return entry(name, None, age=1, state=state, action="none", reason=f"nothing to do: it is {state}", **more)


def gone(name: str) -> dict[str, Any]:
    return now(name, "missing", scope={}, created=None, expires=None)


STOPPED = entry("1", None, age=1, state="paused", action="retry", reason="asked for")


@pytest.mark.parametrize(
    ("before", "after", "drift", "action"),
    [
        (entry("1", BUSY, age=1), entry("1", BUSY, age=2), "", "retry"),
        (entry("1", BUSY, age=1), entry("1", {**BUSY, "message": BUSY["message"] + " 7"}, age=2), "changed", "skip"),
        (
            entry("1", {**BUSY, "message": "Node 7."}, age=1),
            entry("1", {**BUSY, "message": "Node 8."}, age=2),
            "",
            "retry",
        ),
        (entry("1", BUSY, age=1), entry("1", failure("transient", "Other", BUSY["message"]), age=1), "changed", "skip"),
        (entry("1", BUSY, age=1), entry("1", BUCKET, age=2), "changed", "skip"),
        (entry("1", BUSY, age=1), now("1", "succeeded"), "healed", "none"),
        (entry("1", BUSY, age=1), now("1", "running"), "healed", "none"),
        (entry("1", BUSY, age=1), now("1", "waiting"), "healed", "none"),
        (entry("1", BUSY, age=1), now("1", "unknown"), "changed", "none"),
        (entry("1", BUSY, age=1), now("1", "cancelled"), "changed", "none"),
        (entry("1", BUSY, age=1), gone("1"), "gone", "none"),
        (STOPPED, STOPPED, "", "retry"),
        (STOPPED, entry("1", BUSY, age=1), "changed", "skip"),
        (None, entry("1", BUSY, age=1), "new", "skip"),
        (None, entry("1", BUCKET, age=1), "new", "skip"),
        # What the plan leaves alone stays alone, also where a rule of today would retry it.
        (entry("1", BUCKET, age=1), entry("1", BUCKET, age=1), "", "skip"),
        (entry("1", BUCKET, age=1), entry("1", BUCKET, age=1, action="retry"), "", "skip"),
    ],
)
def test_only_what_still_fails_of_the_same_is_gone_on_with(
    before: dict[str, Any] | None, after: dict[str, Any], drift: str, action: str
) -> None:
    part = planned(*([before] if before else []))
    shown, looked_up = ([after], []) if after["state"] in ("failed", "paused") else ([], [after])
    applied = apply(part, shown, looked_up)
    assert applied.drift == {**NO_DRIFT, **({drift: ["1"]} if drift else {})}
    assert [one["action"] for one in applied.tasks] == [action]
    assert not (action == "skip" and after["action"] == "retry") or "left alone: " in applied.tasks[0]["reason"]


def test_a_task_of_the_same_id_in_another_scope_is_another_task() -> None:
    there = {"project": "shop", "logstore": "other", "shipper": "to-oss"}
    applied = apply(
        planned(entry("1", BUSY, age=1)), [entry("1", BUSY, age=1), entry("1", BUSY, age=1, scope=there)], []
    )
    assert [one["action"] for one in applied.tasks] == ["retry", "skip"]
    assert applied.drift == {**NO_DRIFT, "new": ["1"]}


def test_nothing_is_gone_on_with_where_a_guard_rail_held_the_plan() -> None:
    part = planned(entry("1", BUSY, age=1), held="Too many.")
    assert to_look_up(part, []) == []
    applied = apply(part, [entry("1", BUSY, age=1)], [])
    assert (applied.tasks[0]["action"], applied.drift) == ("skip", NO_DRIFT)
    assert applied.tasks[0]["reason"] == "left alone: the approved plan leaves it alone"


def test_approved_tasks_that_are_not_shown_are_looked_up() -> None:
    tasks = [entry(name, BUSY, age=1) for name in "abc"]
    part = planned(*tasks, entry("left", BUCKET, age=1))
    assert to_look_up(part, tasks) == []
    assert [one["id"] for one in to_look_up(part, tasks[:1])] == ["b", "c"]
    # A target that names its tasks is told of those that are gone: they are not looked up once more.
    assert [one["id"] for one in to_look_up(part, [tasks[0], gone("b")])] == ["c"]


PLAN: dict[str, Any] = {
    "targets": [
        planned(entry("1", BUSY, age=1)),
        planned(entry("2", BUSY, age=1), host="twin"),
        planned(entry("3", BUSY, age=1), place={"project": "lake"}),
        planned(name="unread", error="The login was refused."),
    ]
}


@pytest.mark.parametrize(
    ("options", "host", "task"),
    [
        ({"project": "shop"}, "shop", "1"),
        ({"project": "shop"}, "twin", "2"),
        ({"project": "shop"}, "renamed", "1"),
        ({"project": "lake", "name": "sls shop"}, "shop", "3"),
        ({"project": "shop", "endpoint": "https://elsewhere", "access_key_id": "another"}, "shop", "1"),
    ],
)
def test_a_target_is_found_by_its_name_its_place_and_its_host(options: dict[str, Any], host: str, task: str) -> None:
    assert planned_for(target_of({"service": "sls", **options}, host), PLAN, host)["tasks"][0]["id"] == task


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"service": "sls", "project": "sea"}, "no target called sls sea, only: sls shop, sls shop, sls shop, unread."),
        ({"service": "sls", "project": "sea", "name": "sls shop"}, "project shop, and is service sls, project sea."),
        ({"service": "geelark", "name": "sls shop"}, "it was service sls, project shop, and is service geelark."),
        ({"service": "sls", "project": "shop", "region": "eu", "name": "sls shop"}, "region eu"),
        ({"service": "sls", "project": "shop", "name": "unread"}, "could not look at unread: The login was refused."),
    ],
)
def test_a_target_that_moved_is_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(TargetError) as raised:
        planned_for(target_of(raw, "shop"), PLAN, "shop")
    assert said in str(raised.value)
    assert str(raised.value).endswith("Draw up a new plan.")


def test_a_plan_without_targets_is_told_as_such() -> None:
    with pytest.raises(TargetError, match="only: none"):
        planned_for(target_of({"service": "sls", "project": "shop"}, "shop"), {"targets": []}, "shop")
