# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets, and what the modules are asked for them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import (
    ALL_STATES,
    POLICY,
    TargetError,
    find_options,
    look_up_options,
    name_of,
    naming,
    retry_options,
    selection_of,
    target_of,
)
from unit.documents import BUSY, entry

NOW = 1_795_400_000
EMPTY = dict.fromkeys(POLICY, "")
SLS = {"service": "sls", "project": "shop", "access_key_secret": "s"}


def target(**options: Any) -> Any:
    return target_of({**SLS, **options}, "host")


@pytest.mark.parametrize(
    ("raw", "name", "place"),
    [
        (SLS, "sls shop", {"project": "shop"}),
        ({**SLS, "logstore": "orders", "shipper": "s"}, "sls shop orders s", None),
        ({**SLS, "name": "the shop", "region": "eu"}, "the shop", {"region": "eu", "project": "shop"}),
        ({**SLS, "name": ""}, "sls shop", {"project": "shop"}),
        ({**SLS, "name": 7}, "7", {"project": "shop"}),
        ({"service": "cls", "region": "ap-guangzhou"}, "cls ap-guangzhou", {"region": "ap-guangzhou"}),
        ({"service": "cls", "region": "r", "shipper_id": "s"}, "cls r s", {"region": "r", "shipper_id": "s"}),
        ({"service": "drs", "project_name": "eu-de", "cloud": "otc"}, "drs otc eu-de", None),
        ({"service": "geelark"}, "geelark", {}),
    ],
)
def test_a_target_is_called_as_it_says_or_after_its_place(raw: Any, name: str, place: dict[str, str] | None) -> None:
    made = target_of(raw, "host")
    assert made.name == name_of(raw, "host") == name
    assert place is None or made.place == place


@pytest.mark.parametrize(
    ("raw", "called", "said"),
    [
        ({}, "host", "host has no target. Set redrive_target for it,"),
        ("sls", None, "host has no target."),
        (None, None, "host has no target."),
        ({"project": "shop"}, "host", "The target of host names no service."),
        ({"service": "", "name": "shop"}, "shop", "names no service."),
        (
            {"service": "s3", "name": "shop"},
            "shop",
            "names the unknown service s3. Set its service to one of: cls, drs, g",
        ),
        ({"service": "SLS"}, "host", "names the unknown service SLS."),
    ],
)
def test_what_is_no_target_is_told_and_keeps_its_name(raw: Any, called: str | None, said: str) -> None:
    with pytest.raises(TargetError) as raised:
        target_of(raw, "host")
    assert said in str(raised.value)
    assert called is None or name_of(raw, "host") == called


def test_the_targets_own_words_come_before_those_of_the_policy() -> None:
    policy = {"since": "1h", "codes": ["A"], "max_tasks": "5", "retry_classes": ["transient"]}
    own = target(since="2h", max_tasks=7, include_paused=True)
    assert selection_of(own, policy, NOW) == {
        "since": str(NOW - 7200),
        "codes": ["A"],
        "max_tasks": 7,
        "retry_classes": ["transient"],
        "include_paused": True,
    }


@pytest.mark.parametrize(
    ("own", "asked", "codes"),
    [
        (["A", "B"], ["b", "C"], ["B"]),
        ("A, B", " b ", ["B"]),
        (["A"], [], ["A"]),
        (["A"], " , ", ["A"]),
        ([""], ["b"], ["b"]),
        ([], "", None),
    ],
)
def test_who_asks_for_a_cause_does_not_widen_a_target(own: Any, asked: Any, codes: list[str] | None) -> None:
    assert selection_of(target(codes=own), {"codes": asked}, NOW).get("codes") == codes


@pytest.mark.parametrize(
    ("own", "asked", "said"),
    [
        ({"codes": ["A"]}, {"codes": ["B"]}, "shop has codes of its own, A, and none of them is asked for."),
        ({"message_regex": "x"}, {"message_regex": "y"}, "shop has a message_regex of its own."),
    ],
)
def test_causes_that_exclude_each_other_are_said(own: dict[str, Any], asked: dict[str, Any], said: str) -> None:
    with pytest.raises(TargetError, match=said):
        selection_of(target(name="shop", **own), asked, NOW)


@pytest.mark.parametrize("fail_on", [False, "missing", ["mising"], [["missing"]], {"missing": True}])
def test_a_misspelt_fail_on_is_refused(fail_on: Any) -> None:
    with pytest.raises(TargetError, match="fail_on of the target of web must be a list of some of: missing, refused"):
        target_of({**SLS, "fail_on": fail_on}, "web")


@pytest.mark.parametrize("empty", ["", None])
def test_what_is_empty_in_a_target_counts_as_not_given(empty: Any) -> None:
    assert target(fail_on=empty, region=empty, wait_timeout=empty).options == target().options


def test_a_first_task_is_waited_for_whatever_the_target_says() -> None:
    own = target(wait=False)
    assert retry_options(own, {}, {"task_ids": ["a"]}, {"wait": True})["wait"] is False
    assert retry_options(own, {}, {"task_ids": ["a"]}, {"wait": True}, must_wait=True)["wait"] is True


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("36h", NOW - 36 * 3600),
        ("90m", NOW - 5400),
        (" 2d ", NOW - 172_800),
        ("2026-11-23T01:02:03Z", 1_795_395_723),
        ("2026-11-23T02:02:03+01:00", 1_795_395_723),
        (1_795_395_723, 1_795_395_723),
        ("1795395723", 1_795_395_723),
    ],
)
def test_times_become_absolute(given: Any, moment: int) -> None:
    """So that they mean the same when a plan is applied a day later."""
    for made in (selection_of(target(), {"since": given}, NOW), selection_of(target(since=given), {}, NOW)):
        assert made == {"since": str(moment)}
        assert selection_of(target(), made, NOW + 86_400) == made


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="until is not a time: 'yesterday'"):
        selection_of(target(until="yesterday"), {}, NOW)


@pytest.mark.parametrize("empty", ["", None, [], [""]])
def test_what_a_survey_left_empty_is_not_given(empty: Any) -> None:
    known = {name: empty for name in POLICY if name != "retry_classes"}
    assert selection_of(target(), {**known, "retry_classes": None}, NOW) == {}
    assert selection_of(target(**known), {"codes": ["A"], "max_tasks": 0}, NOW) == {"codes": ["A"], "max_tasks": 0}


def test_that_nothing_may_be_retried_can_be_said() -> None:
    assert selection_of(target(), {"retry_classes": []}, NOW) == {"retry_classes": []}
    assert selection_of(target(), EMPTY, NOW) == {}


def test_codes_in_one_text_are_several() -> None:
    assert selection_of(target(), {"codes": "A, B,C"}, NOW) == {"codes": ["A", "B", "C"]}


def test_looking_asks_for_nothing_that_only_retrying_knows() -> None:
    own = target(wait=False, wait_timeout=5, lock_timeout=5, fail_on=[], all_failed=True, states=["paused"], since="1h")
    selection = selection_of(own, {}, NOW)
    asked = find_options(own, selection)
    where = {"project": "shop", "access_key_secret": "s"}
    assert asked == {**where, "since": str(NOW - 3600), "states": ["failed"]}
    assert find_options(own, selection, ALL_STATES)["states"] == list(ALL_STATES)


def test_approved_tasks_are_looked_up_whenever_they_began() -> None:
    own = target(ids=["other"], since="1h", until="1m", codes=["A"])
    (named,) = naming(own, [entry(one, BUSY, age=1) for one in "ab"], [])
    asked = look_up_options(own, selection_of(own, {}, NOW), named)
    assert asked["task_ids"] == ["a", "b"]
    assert not {"since", "until", "ids"} & set(asked)


def test_exactly_the_planned_tasks_are_retried_and_the_roles_say_what_fails() -> None:
    own = target(task_ids=["other"], fail_on=["missing"], all_failed=True, wait_timeout=5, max_tasks=9)
    wait = {"wait": True, "wait_timeout": 600, "wait_interval": None}
    asked = retry_options(own, selection_of(own, {}, NOW), {"task_ids": ["a"]}, wait)
    where = {"project": "shop", "access_key_secret": "s"}
    assert asked == {**where, "task_ids": ["a"], "fail_on": [], "max_tasks": 9, "wait": True, "wait_timeout": 5}


def test_the_selection_of_a_plan_replaces_all_that_a_target_says() -> None:
    """Also what the target has not said when it was planned."""
    own = target(codes=["A"], include_paused=True, max_tasks=3)
    assert find_options(own, {"since": "1"}) == {
        **{name: SLS[name] for name in ("project", "access_key_secret")},
        "since": "1",
        "states": ["failed"],
    }


def test_tasks_of_one_id_in_two_scopes_are_named_scope_by_scope() -> None:
    here, there = {"shipper": "a"}, {"shipper": "b"}
    tasks = [
        entry("1", BUSY, age=1, scope=here),
        entry("1", BUSY, age=1, scope=there),
        entry("2", BUSY, age=1, scope=here),
    ]
    apart = [{"shipper": "b", "task_ids": ["1"]}, {"shipper": "a", "task_ids": ["2"]}]
    assert naming(target(), tasks[1:], tasks[1:]) == [{"task_ids": ["1", "2"]}]
    assert naming(target(), tasks[1:], tasks) == apart  # another task of the same id is known, though not meant
    assert naming(target(), tasks, tasks) == [
        {"shipper": "a", "task_ids": ["1", "2"]},
        {"shipper": "b", "task_ids": ["1"]},
    ]
    assert naming(target(), [], tasks) == []


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, ""),
        ({"task_ids": ["a"]}, "task_ids"),
        ({"ids": ["a"]}, "ids"),
        ({"task_ids": None}, ""),
        ({"ids": []}, "ids"),
    ],
)
def test_a_target_may_name_its_tasks_itself(options: dict[str, Any], name: str) -> None:
    assert target(**options).ids_option == name
