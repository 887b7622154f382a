# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tasks a run has to retry, by the words of its documentation. Shares no code with the plan."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from model.bridge import BEGINNING
from model.cases import Choice, Words
from model.playing import Running
from model.sides import Key, Tracked

_CLASSES: Mapping[Words, str] = {
    Words.PASSING: "transient",
    Words.MENDED_BY_A_PERSON: "fix",
    Words.NEVER_HEARD: "unclassified",
    Words.MARKED: "unclassified",
}


class Due(Enum):
    """Whether a task is to be retried."""

    YES = "yes"
    NO = "no"
    EITHER = "either"


def dues(run: Running) -> dict[Key, Due]:
    """Whether each task of the world is due in this run, by what it was when the run began."""
    return {one.key: due(one, run) for one in run.bridge.tracked}


def due(one: Tracked, run: Running) -> Due:
    """Whether this task is due in this run."""
    if not (_is_asked_for(one, run) and _is_in_place(one, run) and run.side.may_be_sent(one.seed)):
        return Due.NO
    found = _by_window(one, run)
    if found is Due.NO:
        return found
    if is_unsteady(one, run) or _has_a_twin_that_is_asked_for(one, run):
        return Due.EITHER
    if _by_state(one, run) is Due.NO:
        return Due.NO
    return found if run.truths[one.key] == "stopped" else _by_failure(one, run, found)


def _by_failure(one: Tracked, run: Running, found: Due) -> Due:
    if run.said[one.key] != run.side.words(one.seed.words)["message"]:
        return Due.EITHER  # somebody made it fail of something else, before the run
    retried = _passes_filters(one, run) and _class_of(one, run.choice) in _classes(run)
    return found if retried else Due.NO


def is_unsteady(one: Tracked, run: Running) -> bool:
    """Whether the task may change while the run looks for tasks, and not by the run's own doing."""
    # One that still shows why it failed after a retry that an earlier run sent: nobody can tell by looking.
    truth = run.truths[one.key]
    moving = truth == "queued" or (truth == "running" and "stay" not in one.seed.then)
    by_itself = one.seed.heals_after is not None or moving or one.home.vanished
    return by_itself or one.key in run.bridge.touched or _is_retried_by_another(one, run)


def may_end_early(run: Running) -> bool:
    """Whether a list may have ended before its end without any sign.

    GeeLark goes on behind the last task of a page; behind one that is gone meanwhile may be nothing. Where its total is
    that of a page alone, as may be, nobody can tell.
    """
    if run.side.name != "geelark" or not run.bridge.counts_pages:
        return False
    horizon = run.ended - (run.side.horizon or 0)
    return any(run.bridge.touched) or any(run.created[one.key] <= horizon for one in run.bridge.tracked)


def _is_retried_by_another(one: Tracked, run: Running) -> bool:
    return any(
        one.key in entry.executed and run.began <= (entry.arrived or 0.0) <= run.ended
        for entry in run.bridge.ledger
        if entry.run is not run
    )


def asked_ids(run: Running) -> list[str] | None:
    """The ids that are asked for, each once; None if all that failed are."""
    ids = run.options[run.side.front.facts.id_option]
    return None if ids is None else list(dict.fromkeys(ids))


def _is_asked_for(one: Tracked, run: Running) -> bool:
    asked = asked_ids(run)
    return asked is None or any(run.bridge.canonical((one.key[0], task_id)) == one.key for task_id in asked)


def _has_a_twin_that_is_asked_for(one: Tracked, run: Running) -> bool:
    """Whether the id that was asked for may be found elsewhere first, where the search for it ends."""
    twins = (two for two in run.bridge.tracked if two is not one and two.key[1] == one.key[1])
    return asked_ids(run) is not None and any(twins)


def _is_in_place(one: Tracked, run: Running) -> bool:
    if not run.choice.one_place or (run.choice.tasks is not None and not run.side.by_id_in_window):
        return True
    return one.seed.place == 0


def _by_window(one: Tracked, run: Running) -> Due:
    if run.choice.tasks is not None and not run.side.by_id_in_window:
        return Due.YES
    created, choice, side = run.created[one.key], run.choice, run.side
    until = run.began if choice.until is None else BEGINNING - choice.until
    if created > until:
        return Due.NO
    if created >= int(until) and side.name == "sls":
        return Due.EITHER  # the simulated service leaves out the end, which no source establishes
    return _by_beginning(created, run)


def _by_beginning(created: float, run: Running) -> Due:
    horizon, since = run.side.horizon, run.choice.since
    if since is not None and created < BEGINNING - since:
        return Due.NO
    if horizon is None:
        return Due.YES
    # The window keeps clear of the horizon, which comes nearer while the run goes on.
    edge = run.began - horizon
    if created < edge + run.side.margin + (run.ended - run.began):
        return Due.EITHER if created >= edge else Due.NO
    return Due.YES


def _by_state(one: Tracked, run: Running) -> Due:
    truth = run.truths[one.key]
    if truth == "failed":
        return Due.YES
    choice = run.choice
    stopped = truth == "stopped" and choice.stopped_too and run.side.stop is not None
    return Due.YES if stopped and not (choice.marked_only or choice.code_of) else Due.NO


def _passes_filters(one: Tracked, run: Running) -> bool:
    choice, words = run.choice, one.seed.words
    if choice.marked_only and words is not Words.MARKED:
        return False
    if choice.code_of is None:
        return True
    code = run.side.words(choice.code_of).get("code")
    return bool(code) and run.side.words(words).get("code") == code


def _class_of(one: Tracked, choice: Choice) -> str:
    if one.seed.words is Words.MARKED and choice.rule:
        return choice.rule
    return _CLASSES[one.seed.words]


def _classes(run: Running) -> tuple[str, ...]:
    given = run.choice.classes
    return ("transient", "unclassified") if given is None else given
