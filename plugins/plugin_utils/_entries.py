# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Task entries as the modules return them: what identifies one, what made it fail, what became of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._plan import fingerprint

Entry = Mapping[str, Any]
"""One of the `tasks` that a module returns."""

UNDER_WAY = ("running", "waiting")
STOPPED = ("cancelled", "paused")


def key_of(entry: Entry) -> str:
    """What identifies a task within its service: ids are unique within their scope only."""
    return json.dumps([entry["id"], entry["scope"]], sort_keys=True)


def failure_of(entry: Entry) -> Mapping[str, str]:
    """Why it has failed, last; empty when it has not."""
    failure: Mapping[str, str] = entry.get("failure_after") or entry.get("failure") or {}
    return failure


def symptom_of(entry: Entry) -> tuple[str, str, str]:
    """State, code and message without what differs from task to task: equal when two tasks fail of the same."""
    failure = failure_of(entry)
    return (entry["state"], failure.get("code", ""), fingerprint(failure.get("message", "")))


def cause_of(entry: Entry) -> tuple[str, ...]:
    """What a task is folded by: its judgement, then its symptom."""
    failure = failure_of(entry)
    return (failure.get("class", ""), failure.get("rule", ""), *symptom_of(entry))


def has_failed(entry: Entry) -> bool:
    """Whether something is wrong with the task: it failed, or a person stopped it and it was asked for."""
    return bool(entry.get("failure")) or entry["state"] in STOPPED


def has_healed(entry: Entry) -> bool:
    """Whether it was found healed, or under way, before its retry was to be sent."""
    return entry["action"] == "none" and entry.get("state_after", entry["state"]) in ("succeeded", *UNDER_WAY)


def has_recovered(entry: Entry) -> bool:
    """Whether its retry was seen to heal it."""
    return bool(entry.get("recovered"))


def is_beyond_retries(entry: Entry) -> bool:
    """Whether its retry was refused because no retry of it will ever be accepted."""
    return entry["outcome"] == "refused" and failure_of(entry).get("class") in ("exhausted", "gone")


def left_alone(entry: Entry, reason: str) -> dict[str, Any]:
    """The entry with the decision taken back."""
    return {**entry, "action": "skip", "outcome": "none", "reason": reason}


def recount(counts: Mapping[str, int], entries: Iterable[Entry]) -> dict[str, int]:
    """The counts of a result whose entries have changed: what was decided comes from them, what was done stays."""
    listed = list(entries)
    missing = sum(entry["state"] == "missing" for entry in listed)
    actions = [entry["action"] for entry in listed]
    return {
        **counts,
        "selected": len(listed),
        "retry": actions.count("retry"),
        "none": actions.count("none") - missing,
        "skip": actions.count("skip"),
        "missing": missing,
    }
