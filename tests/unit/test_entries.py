# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What identifies a task, what made it fail, what became of it; and counts that add up."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import (
    cause_of,
    has_failed,
    has_healed,
    has_recovered,
    key_of,
    left_alone,
    recount,
    symptom_of,
)
from unit.documents import BUCKET, BUSY, entry, failure


def test_a_task_is_known_by_its_id_within_its_scope() -> None:
    here, there = {"project": "a", "shipper": "s"}, {"project": "b", "shipper": "s"}
    assert key_of(entry("1", BUSY, age=1, scope=here)) != key_of(entry("1", BUSY, age=1, scope=there))
    turned = dict(reversed(list(here.items())))
    assert key_of(entry("1", BUSY, age=1, scope=here)) == key_of(entry("1", BUCKET, age=9, scope=turned))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Odd", "Partition 7 is full."), ("Odd", "Partition 12345678 is full."), True),
        (("Odd", "0f2a7d5e-4a56-11eb-b378-0242ac130002."), ("Odd", "57f5808c-4a55-11eb-b378-0242ac130002."), True),
        (("Odd", "Partition 7 is full."), ("Odd", "Partition 7 is gone."), False),
        (("Odd", "Full."), ("Even", "Full."), False),
    ],
)
def test_two_tasks_fail_of_the_same_when_only_numbers_differ(
    one: tuple[str, str], other: tuple[str, str], same: bool
) -> None:
    entries = [entry(str(number), failure("transient", *said), age=1) for number, said in enumerate((one, other))]
    assert (symptom_of(entries[0]) == symptom_of(entries[1])) is same
    assert (cause_of(entries[0]) == cause_of(entries[1])) is same


def test_a_cause_is_a_judgement_as_well() -> None:
    judged = [entry("1", {**BUSY, "class": kind}, age=1) for kind in ("transient", "fix")]
    assert symptom_of(judged[0]) == symptom_of(judged[1])
    assert cause_of(judged[0]) != cause_of(judged[1])


@pytest.mark.parametrize(
    ("known", "failed", "healed", "recovered"),
    [
        ({}, True, False, False),
        ({"outcome": "accepted", "state_after": "succeeded", "recovered": True}, True, False, True),
        ({"outcome": "accepted", "state_after": "failed", "recovered": False}, True, False, False),
        ({"action": "none", "state_after": "succeeded"}, True, True, False),
        ({"action": "none", "state_after": "running"}, True, True, False),
        ({"action": "skip", "state_after": "failed"}, True, False, False),
        ({"action": "none", "state": "succeeded"}, True, True, False),
        ({"action": "none", "state": "missing"}, True, False, False),
    ],
)
def test_what_became_of_a_task(known: dict[str, Any], failed: bool, healed: bool, recovered: bool) -> None:
    one = entry("1", BUSY, age=1, **known)
    assert (has_failed(one), has_healed(one), has_recovered(one)) == (failed, healed, recovered)


@pytest.mark.parametrize(("state", "wrong"), [("cancelled", True), ("paused", True), ("succeeded", False)])
def test_a_task_that_a_person_stopped_counts_as_failed(state: str, wrong: bool) -> None:
    assert has_failed(entry("1", None, age=1, state=state)) is wrong


def test_a_task_that_is_left_alone_keeps_everything_but_the_decision() -> None:
    one = entry("1", BUSY, age=1, outcome="planned")
    alone = left_alone(one, "because")
    assert (alone["action"], alone["outcome"], alone["reason"]) == ("skip", "none", "because")
    assert {name for name in one if one[name] != alone[name]} == {"action", "outcome", "reason"}
    assert one["action"] == "retry"


def test_counts_of_decisions_are_those_of_the_entries() -> None:
    entries = [
        *(entry(f"r{n}", BUSY, age=1) for n in range(3)),
        *(entry(f"s{n}", BUCKET, age=1) for n in range(2)),
        entry("n", None, age=1, state="running", action="none"),
        *(entry(f"m{n}", None, age=1, state="missing", action="none") for n in range(4)),
    ]
    counts = recount({"found": 70, "accepted": 2, "selected": 0, "retry": 0, "none": 0, "skip": 0}, entries)
    decided = {"selected": 10, "retry": 3, "none": 1, "skip": 2, "missing": 4}
    assert counts == {"found": 70, "accepted": 2, **decided}
    assert counts["selected"] == counts["retry"] + counts["none"] + counts["skip"] + counts["missing"]
