# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""One task of each cause first; the others only where that one healed. And several results made into one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import (
    Entry,
    cause_of,
    has_healed,
    has_recovered,
    key_of,
    left_alone,
    recount,
)

Result = Mapping[str, Any]

# What of a result adds up over several runs of a module.
_DONE = ("accepted", "refused", "unknown", "not_attempted", "recovered", "failed_again", "still_running")
# What becomes of tasks of which no run tells.
_UNSENT = ("unknown", "not_attempted")


def canaries(to_retry: Sequence[Entry]) -> list[Entry]:
    """The first task of each cause that has more than one."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in to_retry:
        groups.setdefault(cause_of(entry), []).append(entry)
    return [group[0] for group in groups.values() if len(group) > 1]


def follow(
    to_retry: Sequence[Entry], sent: Sequence[Entry], tried: Sequence[Entry] | None
) -> tuple[list[Entry], list[Entry]]:
    """The tasks to go on with, and those that are left alone because the canary of their cause did not heal.

    :param sent: the canaries as they were before
    :param tried: what came of them; None in check mode, which takes them for healed
    """
    after = {key_of(entry): entry for entry in tried or ()}
    verdicts = {cause_of(entry): "" if tried is None else _verdict(after.get(key_of(entry))) for entry in sent}
    keys = {key_of(entry) for entry in sent}
    rest = [entry for entry in to_retry if key_of(entry) not in keys]
    held: list[Entry] = [
        left_alone(entry, verdicts[cause_of(entry)]) for entry in rest if verdicts.get(cause_of(entry))
    ]
    return [entry for entry in rest if not verdicts.get(cause_of(entry))], held


def _verdict(after: Entry | None) -> str:
    """Why the others are left alone; empty when they are not."""
    if after is None:
        return "left alone: the task of this cause that was tried first is not known to have healed"
    if has_recovered(after) or has_healed(after):
        return ""
    became = {
        "refused": "was refused",
        "unknown": "is of unknown outcome",
        "not_attempted": "was not attempted",
    }.get(after["outcome"])
    if became is None:
        became = "failed again" if after.get("state_after") == "failed" else "had not settled when waiting ended"
    return f"left alone: the task of this cause that was tried first ({after['id']}) {became}"


def cut_short(to_retry: Sequence[Entry], parts: Sequence[Result], doubtful: Sequence[Entry]) -> list[dict[str, Any]]:
    """The tasks of which no run tells, because it failed, or found another of the same id; with their outcome.

    :param doubtful: of these nobody knows whether they were sent; the others were not
    """
    told = {key_of(entry) for part in parts for entry in part["tasks"]}
    gone = {entry["id"] for part in parts for entry in part["tasks"] if entry["state"] == "missing"}
    keys = {key_of(entry) for entry in doubtful}
    return [
        {
            **entry,
            "outcome": "unknown" if key_of(entry) in keys else "not_attempted",
            "reason": f"{entry['reason']}; no run told of it",
        }
        for entry in to_retry
        if key_of(entry) not in told and entry["id"] not in gone
    ]


def merged(found: Result, parts: Sequence[Result], changes: Sequence[Entry] = (), *, waited: bool) -> dict[str, Any]:
    """One result of what was found and of the runs that acted on it.

    :param found: what target_info returned
    :param parts: what the retry module returned, run by run, each for other tasks
    :param changes: entries that take the place of those in `found` where no run has one
    :param waited: whether the outcome of the last run was waited for
    """
    later = {key_of(entry): dict(entry) for entry in changes}
    for part in parts:
        later.update((key_of(entry), dict(entry)) for entry in part["tasks"] if entry["state"] != "missing")
        later.update((entry["id"], dict(entry)) for entry in part["tasks"] if entry["state"] == "missing")
    tasks = [
        _since(entry, later.get(key_of(entry)) or later.get(entry["id"]) or dict(entry)) for entry in found["tasks"]
    ]
    said = Counter(entry["outcome"] for entry in changes)
    done = {name: said[name] + sum(part["counts"][name] for part in parts) for name in _DONE}
    counts = recount({**found["counts"], **done}, tasks)
    vanished = sum(entry["outcome"] == "accepted" and entry.get("state_after") == "missing" for entry in tasks)
    return {
        **found,
        "changed": any(part["changed"] for part in parts),
        "msg": " ".join(part["msg"] for part in parts) or found["msg"],
        "waited": waited,
        "tasks": tasks,
        "counts": counts,
        "problems": {
            **_sum([{name: said[name] for name in _UNSENT}, *(part["problems"] for part in parts)]),
            "missing": counts["missing"] + vanished,
        },
        "requests": _sum([found["requests"], *(part["requests"] for part in parts)]),
        "diff": {
            side: {name: state for part in parts for name, state in part["diff"][side].items()}
            for side in ("before", "after")
        },
        "warned": list(dict.fromkeys(text for one in (found, *parts) for text in one.get("warned", ()))),
    }


def _since(before: Entry, after: dict[str, Any]) -> dict[str, Any]:
    """What a run says of a task; of one that healed before the run looked, as of one that healed before its retry."""
    if before["action"] == "retry" and has_healed(after) and "state_after" not in after:
        return {**before, "action": "none", "outcome": "none", "reason": after["reason"], "state_after": after["state"]}
    return after


def _sum(numbers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for one in numbers for name in one)
    return {name: round(sum(one.get(name, 0) for one in numbers), 3) for name in names}
