# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles have noted for the hosts of a play, as one document."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Frame, iso
from ansible_collections.redrive.tasks.plugins.plugin_utils._run import author_of, document_of
from unit.documents import BUCKET, BUSY, NOBODY, STARTED, entry, result, sent

FRAME = Frame("run", STARTED + 90, STARTED + 100, NOBODY)


def found(name: str = "shop", **more: Any) -> dict[str, Any]:
    """What target_info returned: a task to retry, and one that is left alone."""
    looked = result([entry("1", BUSY, age=1), entry("2", BUCKET, age=1)])
    return {**looked, "name": name, "service": "sls", "started": STARTED + 5, "fail_on": None, **more}


def done(before: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What target_retry returned."""
    retried = result([entry("1", BUSY, age=1, **sent()), entry("2", BUCKET, age=1)])
    return {**before, **retried, "waited": True, **more}


def of(*hosts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The document of hosts a, b, c with these variables."""
    return document_of(dict(zip("abc", hosts)), FRAME, **{"held": {}, **more})


def test_what_was_done_takes_the_place_of_what_was_found() -> None:
    whole = of({"plan_found": found(), "remediate_done": done(found())}, {"plan_found": found("other")})
    assert [(one["name"], one["counts"]["accepted"]) for one in whole["targets"]] == [("shop", 1), ("other", 0)]
    assert [one["host"] for one in whole["targets"]] == ["a", "b"]
    assert (whole["totals"]["retry"], whole["totals"]["recovered"]) == (2, 1)


def test_a_run_begins_with_the_first_look() -> None:
    hosts = [{"plan_found": found(started=STARTED + seconds)} for seconds in (7, 5, 9)]
    assert of(*hosts)["started"] == iso(STARTED + 5)
    assert of()["started"] == iso(STARTED + 90)
    assert of()["ended"] == iso(STARTED + 100)


def test_a_target_whose_service_was_not_asked_for_is_left_out() -> None:
    skipped = {"skipped": True, "msg": "Not one of the services.", "name": "phones", "started": STARTED}
    whole = of({"plan_found": skipped}, {"plan_found": found()})
    assert [one["name"] for one in whole["targets"]] == ["shop"]


@pytest.mark.parametrize(
    ("known", "name", "error"),
    [
        ({}, "a", "It was not looked at: its host failed before, or its redrive_target is no mapping."),
        ({"plan_found": {}}, "a", "It was not looked at: its host failed before, or its redrive_target is no mapping."),
        ({"plan_found": {"failed": True, "msg": "Refused.", "name": "shop"}}, "shop", "Refused."),
        ({"plan_found": found(), "remediate_done": {"failed": True, "msg": "Killed."}}, "shop", "Killed."),
        ({"plan_found": found(), "remediate_done": done(found(), error="Expired.")}, "shop", "Expired."),
        (
            {"plan_found": found(), "remediate_done": {"failed": True}},
            "shop",
            "The retry failed, and no reason was given. Run again in check mode to see the states.",
        ),
    ],
)
def test_a_target_that_could_not_be_worked_on_is_named_with_its_reason(
    known: dict[str, Any], name: str, error: str
) -> None:
    whole = of(known)
    assert [(one["name"], one["error"]) for one in whole["targets"]] == [(name, error)]
    assert [(one["target"], one["host"], one["reason"]) for one in whole["failures"]] == [(name, "a", error)]
    assert whole["totals"]["not_worked_on"] == 1


def test_what_was_done_before_an_error_is_told() -> None:
    (target,) = of({"plan_found": found(), "remediate_done": done(found(), failed=True, msg="Expired.")})["targets"]
    assert (target["error"], target["counts"]["accepted"]) == ("Expired.", 1)


def test_what_an_earlier_play_has_done_does_not_count() -> None:
    before = found(started=STARTED - 500)
    for old in (done(before), done(before, failed=True, msg="Expired."), {"skipped": True}):
        whole = of({"plan_found": found(), "remediate_done": old})
        assert (whole["totals"]["accepted"], whole["failures"]) == (0, [])


def test_a_guard_rail_holds_its_host() -> None:
    whole = of({"plan_found": found()}, {"plan_found": found("other")}, held={"b": "Too many."}, fail_on=["held"])
    assert [one["held"] for one in whole["targets"]] == ["", "Too many."]
    assert whole["failures"] == [{"target": "other", "host": "b", "reason": "Too many."}]


@pytest.mark.parametrize(("own", "fails"), [(None, True), ([], False), (["refused"], False), (["left"], True)])
def test_a_target_may_say_itself_what_fails(own: Any, fails: bool) -> None:
    assert bool(of({"plan_found": found(fail_on=own)}, fail_on=["left"])["failures"]) is fails


AWX = {
    "awx_user_name": "ansible",
    "awx_schedule_name": "every night",
    "awx_job_id": 4711,
    "awx_job_template_name": "Redrive",
    "tower_user_name": "old",
}


@pytest.mark.parametrize(
    ("variables", "known"),
    [
        ({}, {"user": "me", "schedule": "", "job": "", "template": "", "reason": "why"}),
        (AWX, {"user": "ansible", "schedule": "every night", "job": "4711", "template": "Redrive", "reason": "why"}),
        ({"tower_user_name": "old", "tower_job_id": 7}, {"user": "old", "job": "7"}),
        ({"awx_user_name": "", "awx_schedule_name": None}, {"user": "me", "schedule": ""}),
        ({"awx_parent_job_schedule_name": "of the workflow"}, {"schedule": "of the workflow"}),
    ],
)
def test_the_author_is_who_the_controller_says_or_the_roles(variables: dict[str, Any], known: dict[str, str]) -> None:
    told = author_of(variables, "me", " why\n")
    assert set(told) == set(NOBODY)
    assert {name: told[name] for name in known} == known
