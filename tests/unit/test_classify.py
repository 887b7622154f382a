# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules: conditions, order, and the user's own."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import (
    Rule,
    classify,
    compile_pattern,
    rule,
    user_rules,
)
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass
from unit.fakes import task

FIX, GONE, TRANSIENT = FailureClass.FIX, FailureClass.GONE, FailureClass.TRANSIENT


class TestConditions:
    def test_a_code_is_equal_without_regard_to_case(self) -> None:
        wanted = rule("r", FIX, "", codes=("NoSuchBucket",))
        assert wanted.meets(task(code="nosuchbucket"))
        assert not wanted.meets(task(code="NoSuchBucket2"))

    def test_a_text_is_contained_and_not_a_pattern(self) -> None:
        wanted = rule("r", FIX, "", contains=("a.b",))
        assert wanted.meets(task(message="x A.B y"))
        assert not wanted.meets(task(message="x aXb y"))

    def test_both_must_be_met(self) -> None:
        wanted = rule("r", FIX, "", codes=("C",), contains=("text",))
        assert wanted.meets(task(code="C", message="text"))
        assert not wanted.meets(task(code="C", message=""))
        assert not wanted.meets(task(code="D", message="text"))


class TestOrder:
    def test_the_first_rule_wins(self) -> None:
        rules = (rule("one", FIX, "", contains=("x",)), rule("two", GONE, "", contains=("x",)))
        assert classify(task(message="x"), rules).rule == "one"

    def test_unknown_text_is_unclassified_and_keeps_its_words(self) -> None:
        failure = classify(task(code="New", message="never seen"), ())
        assert failure.failure_class is FailureClass.UNCLASSIFIED
        assert (failure.code, failure.message, failure.rule) == ("New", "never seen", "")


class TestUserRules:
    def test_they_are_named_by_their_position(self) -> None:
        rules = user_rules([{"code": "A", "class": "fix"}, {"match": "b+", "class": "gone", "remedy": "cry"}], "")
        assert [one.name for one in rules] == ["rules[0]", "rules[1]"]
        assert rules[1] == Rule("rules[1]", GONE, "cry", (), compile_pattern("", "b+"))

    @pytest.mark.parametrize("empty", [{}, {"code": "", "match": ""}, {"code": None, "match": None}], ids=str)
    def test_one_without_a_condition_is_refused(self, empty: dict[str, str | None]) -> None:
        with pytest.raises(InputError, match=r"rules\[0\]"):
            user_rules([{"class": "fix", **empty}], "")

    @pytest.mark.parametrize("pattern", ["(", "[a", "*", "a{99999999999}"])
    def test_a_broken_pattern_is_refused_with_its_place(self, pattern: str) -> None:
        with pytest.raises(InputError, match=r"rules\[0\]\.match"):
            user_rules([{"match": pattern, "class": "fix"}], "")

    @pytest.mark.parametrize("written", ["KE0002", "DRS.ke0002"])
    @pytest.mark.parametrize("shown", ["KE0002", "drs.KE0002"])
    def test_a_prefix_that_the_service_leaves_out_at_times_makes_no_difference(self, written: str, shown: str) -> None:
        (one,) = user_rules([{"code": written, "class": "fix"}], "DRS.")
        assert one.meets(task(code=shown))
        assert not one.meets(task(code="KE0003"))
