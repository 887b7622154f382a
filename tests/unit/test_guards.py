# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guard rails over all targets: what keeps the tasks of a target, or all, from being retried."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._guards import Limits, Seen, holds
from unit.documents import BUCKET, BUSY, entry


def seen(host: str, ids: str = "", *, found: int = 100, max_tasks: Any = None, service: str = "sls") -> Seen:
    """A target with a task to retry for each letter, and one that is left alone."""
    tasks = [*(entry(one, BUSY, age=1) for one in ids), entry("left", BUCKET, age=1)]
    selection = {} if max_tasks is None else {"max_tasks": max_tasks}
    known = {"name": f"the {host}", "service": service, "tasks": tasks, "selection": selection}
    return Seen(host, {**known, "counts": {"found": found}})


@pytest.mark.parametrize(
    ("limits", "targets", "held"),
    [
        (Limits(), [seen("a", "123"), seen("b", "45")], []),
        (Limits(total=5), [seen("a", "123"), seen("b", "45")], []),
        (Limits(total=4), [seen("a", "123"), seen("b", "45")], ["a", "b"]),
        (Limits(total=4), [seen("a", "123"), seen("b", "45"), seen("c")], ["a", "b"]),  # c has nothing to retry
        (Limits(total=0), [seen("a"), seen("b")], []),
        (Limits(total=0), [seen("a", "1")], ["a"]),
        # What is held for itself does not count against the total.
        (Limits(total=2), [seen("a", "123", max_tasks=2), seen("b", "45")], ["a"]),
        (Limits(), [seen("a", "123", max_tasks=3)], []),
        (Limits(), [seen("a", "123", max_tasks="2")], ["a"]),
        (Limits(), [seen("a", "1", max_tasks=0)], ["a"]),
        (Limits(percent=50), [seen("a", "12", found=4)], []),
        (Limits(percent=50), [seen("a", "123", found=5)], ["a"]),
        (Limits(percent=0), [seen("a", "1"), seen("b")], ["a"]),
        (Limits(percent=0.5), [seen("a", "1", found=200), seen("b", "2", found=199)], ["b"]),
        # Tasks of an earlier target.
        (Limits(), [seen("a", "12"), seen("b", "23")], ["b"]),
        (Limits(), [seen("a", "12"), seen("b", "34"), seen("c", "4")], ["c"]),
        (Limits(), [seen("a", "12", max_tasks=1), seen("b", "23")], ["a", "b"]),  # nor may b retry what a must not
        (Limits(), [seen("a", "12"), seen("b", "12", service="cls")], []),
    ],
)
def test_what_is_held(limits: Limits, targets: list[Seen], held: list[str]) -> None:
    assert sorted(holds(targets, limits)) == held


def test_a_person_is_told_why_and_what_to_do() -> None:
    total = holds([seen("a", "123")], Limits(total=2))["a"]
    assert total.startswith(
        "3 tasks of all targets would be retried, but plan_max_total allows 2, so nothing was retried."
    )
    share = holds([seen("a", "123", found=4)], Limits(percent=12.5))["a"]
    assert share.startswith("3 of 4 tasks would be retried, which is more than the 12.5 percent that plan_max_percent")
    many = holds([seen("a", "123", max_tasks=2)], Limits())["a"]
    assert many.startswith("3 tasks would be retried, but max_tasks allows 2, so nothing was retried.")
    shared = holds([seen("a", "12"), seen("b", "123")], Limits())["b"]
    assert shared.startswith("2 of its tasks belong to the a already, so nothing was retried for this one.")
    assert shared.endswith("Narrow one of the two, for example with logstore or shipper or codes.")
