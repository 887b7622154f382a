# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""An approved plan against what the service shows now: only what still fails of the same is acted on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import (
    UNDER_WAY,
    Entry,
    has_failed,
    key_of,
    left_alone,
    symptom_of,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import Target, TargetError

Drift = dict[str, list[str]]
"""Ids by what became of them since the plan: healed, gone, changed, new."""


class Applied(NamedTuple):
    """What is left of an approved plan."""

    tasks: list[dict[str, Any]]
    drift: Drift


def planned_for(target: Target, plan: Mapping[str, Any], host: str) -> Mapping[str, Any]:
    """The target's part of a plan.

    :param host: decides between targets that have one name and one place, and differ in something else
    :raises TargetError: the plan has none, or one for another place
    """
    parts: list[Mapping[str, Any]] = [part for part in plan["targets"] if part["name"] == target.name]
    if not parts:
        names = ", ".join(part["name"] for part in plan["targets"]) or "none"
        raise TargetError(f"The approved plan has no target called {target.name}, only: {names}. Draw up a new plan.")
    here = {"service": target.kind, **target.place}
    same = [part for part in parts if {"service": part["service"], **part["place"]} == here] or parts
    part = next((one for one in same if one["host"] == host), same[0])
    if part["error"]:
        raise TargetError(f"The approved plan could not look at {target.name}: {part['error']}. Draw up a new plan.")
    there = {"service": part["service"], **part["place"]}
    if there != here:
        raise TargetError(
            f"{target.name} is not what it was when the plan was approved: it was {_place(there)}, and is"
            f" {_place(here)}. Draw up a new plan."
        )
    return part


def _place(options: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())


def to_look_up(part: Mapping[str, Any], shown: Iterable[Entry]) -> list[Entry]:
    """The approved tasks that are not among those shown as failed, as they were."""
    entries = list(shown)
    keys = {key_of(entry) for entry in entries}
    # A target that names its tasks is told of those that are gone, without their scope.
    gone = {entry["id"] for entry in entries if entry["state"] == "missing"}
    return [entry for key, entry in _approved(part).items() if key not in keys and entry["id"] not in gone]


def apply(part: Mapping[str, Any], shown: Sequence[Entry], looked_up: Iterable[Entry]) -> Applied:
    """The tasks to go on with, each with its decision, and the drift.

    :param part: the target's part of the approved plan
    :param shown: the failed tasks of now
    :param looked_up: the approved tasks that are not among them, as they are now
    """
    approved = _approved(part)
    planned = {key_of(entry): entry for entry in part["tasks"]}
    ids = {entry["id"] for entry in approved.values()}
    drift: Drift = {"healed": [], "gone": [], "changed": [], "new": []}
    tasks: list[dict[str, Any]] = []
    for entry in (*shown, *looked_up):
        fate, reason = _fate(entry, planned.get(key_of(entry)), approved, ids)
        if fate in drift:
            drift[fate].append(entry["id"])
        tasks.append(left_alone(entry, reason) if reason and entry["action"] == "retry" else dict(entry))
    return Applied(tasks, drift)


def _approved(part: Mapping[str, Any]) -> dict[str, Entry]:
    """The tasks that the plan retries, by key."""
    if part["held"]:
        return {}
    return {key_of(entry): entry for entry in part["tasks"] if entry["action"] == "retry"}


def _fate(entry: Entry, before: Entry | None, approved: Mapping[str, Entry], ids: set[str]) -> tuple[str, str]:
    """What became of a task since the plan, and why it is therefore left alone; empty where it is not."""
    if entry["state"] == "missing":  # which has no scope
        return ("gone" if entry["id"] in ids else "", "")
    if before is None:
        return "new", "left alone: it is not in the approved plan"
    if entry["state"] in ("succeeded", *UNDER_WAY):
        return ("healed" if has_failed(before) else "", "")
    if has_failed(entry) and symptom_of(entry) == symptom_of(before):
        return "", "" if key_of(entry) in approved else "left alone: the approved plan leaves it alone"
    return "changed", "left alone: it is not as it was when the plan was approved"
