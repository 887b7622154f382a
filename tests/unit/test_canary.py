# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task of each cause first; and the results of several runs as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._canary import canaries, cut_short, follow, merged
from unit.documents import BUCKET, BUSY, NEW, QUOTA, entry, result, sent

Entry = dict[str, Any]


def tasks(**causes: Any) -> list[Entry]:
    """A task for each letter of each cause."""
    kinds = {"busy": BUSY, "quota": QUOTA, "new": NEW, "bucket": BUCKET}
    return [entry(one, kinds[cause], age=1) for cause, ids in causes.items() for one in ids]


def ids(entries: Any) -> str:
    return "".join(one["id"] for one in entries)


def part(entries: list[Entry], **more: Any) -> dict[str, Any]:
    """What the retry module returned for these."""
    diff = {"before": {one["id"]: "failed" for one in entries}, "after": {one["id"]: "running" for one in entries}}
    return {**result(entries), "changed": True, "diff": diff, **more}


def after(entries: Sequence[Mapping[str, Any]], *outcomes: Entry) -> list[Entry]:
    return [{**one, **outcome} for one, outcome in zip(entries, outcomes)]


def test_the_first_task_of_each_cause_goes_first_where_there_are_more() -> None:
    assert ids(canaries(tasks(busy="abc", quota="d", new="ef"))) == "ae"
    assert canaries([]) == []


@pytest.mark.parametrize(
    ("became", "why"),
    [
        (sent(), ""),
        ({"action": "none", "state_after": "succeeded"}, ""),
        ({"action": "none", "state_after": "running"}, ""),
        ({"action": "none", "state": "succeeded", "failure": None}, ""),
        (sent(after="failed"), "failed again"),
        (sent(after="running"), "had not settled when waiting ended"),
        (sent(after="missing"), "had not settled when waiting ended"),
        (sent("refused"), "was refused"),
        (sent("unknown"), "is of unknown outcome"),
        ({"outcome": "not_attempted"}, "was not attempted"),
    ],
)
def test_a_first_task_that_does_not_heal_holds_its_own_cause_only(became: Entry, why: str) -> None:
    to_retry = tasks(busy="abc", quota="de", new="f")
    first = canaries(to_retry)
    rest, held = follow(to_retry, first, after(first, became, sent()))
    assert ids(rest) == ("ef" if why else "bcef")
    assert ids(held) == ("bc" if why else "")
    told = f"left alone: the task of this cause that was tried first (a) {why}"
    assert {(one["action"], one["outcome"], one["reason"]) for one in held} <= {("skip", "none", told)}


def test_a_first_task_of_which_nothing_is_known_holds_its_cause() -> None:
    to_retry = tasks(busy="ab", quota="cd")
    first = canaries(to_retry)
    missing = {**first[0], "state": "missing", "scope": {}, "action": "none"}
    rest, held = follow(to_retry, first, [missing, {**first[1], **sent()}])
    assert (ids(rest), ids(held)) == ("d", "b")
    assert held[0]["reason"].endswith("is not known to have healed")


def test_previews_take_the_first_tasks_for_healed() -> None:
    to_retry = tasks(busy="ab", quota="cd")
    assert follow(to_retry, canaries(to_retry), None) == ([to_retry[1], to_retry[3]], [])


def test_without_first_tasks_all_are_gone_on_with() -> None:
    to_retry = tasks(busy="ab")
    assert follow(to_retry, [], None) == (to_retry, [])


def add_up(whole: dict[str, Any]) -> None:
    """Hold a result to what is true of every result."""
    counts = whole["counts"]
    assert counts["selected"] == len(whole["tasks"])
    assert counts["selected"] == counts["retry"] + counts["none"] + counts["skip"] + counts["missing"]
    assert counts["retry"] == sum(counts[name] for name in ("accepted", "refused", "unknown", "not_attempted"))
    for name in ("accepted", "refused", "unknown", "not_attempted"):
        assert counts[name] == sum(one["outcome"] == name for one in whole["tasks"]), name
    for name in ("refused", "unknown", "not_attempted", "failed_again"):
        assert whole["problems"].get(name, 0) == counts[name], name


def test_the_results_of_all_runs_add_up() -> None:
    to_retry = tasks(busy="abc", quota="def", new="gh")
    found = result([*to_retry, *tasks(bucket="xy")])
    first = canaries(to_retry)
    tried = after(first, sent(), sent(after="failed"), sent("refused"))
    rest, held = follow(to_retry, first, tried)
    done = after(rest, sent(), sent("unknown"))
    whole = merged(found, [part(tried), part(done)], held, waited=True)
    add_up(whole)
    counts = whole["counts"]
    assert (counts["retry"], counts["skip"], counts["accepted"]) == (5, 5, 3)
    assert (counts["recovered"], counts["failed_again"]) == (2, 1)
    assert ids(whole["tasks"]) == ids(found["tasks"])
    assert counts["found"] == found["counts"]["found"]
    assert whole["requests"]["sent"] == 3 * 31
    assert whole["changed"] is True
    assert sorted(whole["diff"]["before"]) == list("abcdg")


def test_what_heals_or_vanishes_meanwhile_is_counted_as_such() -> None:
    to_retry = tasks(busy="abcd")
    healed = {**to_retry[0], "state": "succeeded", "action": "none", "reason": "nothing to do: it is succeeded"}
    healed = {name: value for name, value in healed.items() if name != "failure"}
    gone = {**to_retry[1], "state": "missing", "scope": {}, "action": "none", "expires": None}
    vanished = {**to_retry[2], **sent(after="missing")}
    whole = merged(result(to_retry), [part([healed, gone, vanished, {**to_retry[3], **sent()}])], waited=True)
    add_up(whole)
    assert (whole["counts"]["none"], whole["counts"]["missing"], whole["problems"]["missing"]) == (1, 1, 2)
    first = whole["tasks"][0]
    assert (first["state"], first["state_after"], first["failure"]) == ("failed", "succeeded", BUSY)


@pytest.mark.parametrize(("crashed", "outcomes"), [(False, "not_attempted"), (True, "unknown")])
def test_after_a_run_that_failed_every_task_has_an_outcome(crashed: bool, outcomes: str) -> None:
    to_retry = tasks(busy="abc", quota="d")
    first = canaries(to_retry)
    tried = after(first, sent())
    rest, held = follow(to_retry, first, tried)
    ended = cut_short(rest, [part(tried)], rest[:1] if crashed else ())
    whole = merged(result(to_retry), [part(tried)], [*held, *ended], waited=True)
    add_up(whole)
    assert [one["outcome"] for one in whole["tasks"]] == ["accepted", outcomes, "not_attempted", "not_attempted"]


def test_a_run_that_failed_speaks_for_the_tasks_that_it_names() -> None:
    to_retry = tasks(busy="ab")
    said = [{**to_retry[0], **sent("refused")}, {**to_retry[1], "state": "missing", "scope": {}, "action": "none"}]
    assert cut_short(to_retry, [part(said)], to_retry) == []


def test_without_a_run_it_is_what_was_found() -> None:
    found = result(tasks(busy="ab", bucket="c"), msg="Found.")
    whole = merged(found, [], waited=True)
    assert (whole["tasks"], whole["changed"], whole["msg"]) == (found["tasks"], False, "Found.")
    assert whole["counts"]["retry"] == 2


def test_warnings_are_said_once() -> None:
    to_retry = tasks(busy="ab")
    parts = [part(after([one], sent()), warned=["The clock is off.", one["id"]]) for one in to_retry]
    whole = merged(result(to_retry, warned=["The clock is off."]), parts, waited=True)
    assert whole["warned"] == ["The clock is off.", "a", "b"]
