# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Guard rails over all targets: what keeps the tasks of a target, or all, from being retried. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import key_of
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES


class Limits(NamedTuple):
    """Caps; None for none.

    :ivar total: tasks to retry, of all targets together
    :ivar percent: tasks to retry of one target, of a hundred tasks that its service showed in any state
    """

    total: int | None = None
    percent: float | None = None


class Seen(NamedTuple):
    """What was found for one target. `result` is that of target_info."""

    host: str
    result: Mapping[str, Any]

    @property
    def to_retry(self) -> list[str]:
        """The keys of the tasks that are to be retried."""
        kind = self.result["service"]
        return [f"{kind} {key_of(entry)}" for entry in self.result["tasks"] if entry["action"] == "retry"]


def holds(targets: Sequence[Seen], limits: Limits) -> dict[str, str]:
    """By host, why nothing is retried for it; a host that is not in it goes on."""
    held: dict[str, str] = {}
    taken: dict[str, str] = {}
    for seen in targets:
        keys = seen.to_retry
        reason = _shared(seen, keys, taken) or _too_many(seen, len(keys)) or _too_large_a_share(seen, len(keys), limits)
        if keys and reason:
            held[seen.host] = reason
        # Also what is held back: another target must not retry it all the same.
        taken.update((key, seen.result["name"]) for key in keys if key not in taken)
    total = len({key for seen in targets if seen.host not in held for key in seen.to_retry})
    if limits.total is not None and total > limits.total:
        reason = (
            f"{total} tasks of all targets would be retried, but plan_max_total allows {limits.total}, so nothing was"
            " retried. Look at the causes, then raise it, or work on fewer targets at a time."
        )
        held.update({seen.host: reason for seen in targets if seen.to_retry and seen.host not in held})
    return held


def _shared(seen: Seen, keys: Sequence[str], taken: Mapping[str, str]) -> str:
    others = [taken[key] for key in keys if key in taken]
    if not others:
        return ""
    narrow = " or ".join([*SERVICES[seen.result["service"]].narrow, "codes"])
    return (
        f"{len(others)} of its tasks belong to {others[0]} already, so nothing was retried for this one."
        f" Narrow one of the two, for example with {narrow}."
    )


def _too_many(seen: Seen, number: int) -> str:
    most = seen.result["selection"].get("max_tasks")
    if most is None or number <= int(most):
        return ""
    return (
        f"{number} tasks would be retried, but max_tasks allows {most}, so nothing was retried. Look at the causes,"
        " then raise max_tasks or narrow the target, for example with codes or since."
    )


def _too_large_a_share(seen: Seen, number: int, limits: Limits) -> str:
    found = seen.result["counts"]["found"]
    if limits.percent is None or number * 100 <= found * limits.percent:
        return ""
    return (
        f"{number} of {found} tasks would be retried, which is more than the {limits.percent:g} percent that"
        " plan_max_percent allows, so nothing was retried. So many at once often have one cause that no retry removes:"
        " look at the causes, then raise it."
    )
