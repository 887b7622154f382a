# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of the built-in rules of every service."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import LONGEST_MESSAGE, Rule, classify, rule
from ansible_collections.redrive.tasks.plugins.module_utils._rules import cls, drs, geelark, sls
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass
from unit import test_rules_cls, test_rules_drs, test_rules_geelark, test_rules_sls
from unit.fakes import task

SERVICES: dict[str, tuple[tuple[Rule, ...], list[tuple[str, str, str, FailureClass]], list[tuple[str, str, str]]]] = {
    "cls": (cls.RULES, test_rules_cls.MEETS, test_rules_cls.NEAR_MISSES),
    "drs": (drs.RULES, test_rules_drs.MEETS, test_rules_drs.NEAR_MISSES),
    "geelark": (geelark.RULES, test_rules_geelark.MEETS, test_rules_geelark.NEAR_MISSES),
    "sls": (sls.RULES, test_rules_sls.MEETS, test_rules_sls.NEAR_MISSES),
}
ALL = [one for rules, _meets, _near in SERVICES.values() for one in rules]
# Where the vendor's own action takes the place of a retry.
NOTHING_TO_RETRY = {"drs.state_not_retryable"}
each_service = pytest.mark.parametrize("service", SERVICES)
each_rule = pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)


MEETS = [(service, *row) for service, (_rules, meets, _near) in SERVICES.items() for row in meets]
NEAR_MISSES = [(service, *row) for service, (_rules, _meets, near) in SERVICES.items() for row in near]


@pytest.mark.parametrize(("service", "code", "message", "name", "kind"), MEETS)
def test_a_realistic_failure_meets_its_rule(
    service: str, code: str, message: str, name: str, kind: FailureClass
) -> None:
    failure = classify(task(code=code, message=message), SERVICES[service][0])
    assert (failure.rule, failure.failure_class) == (name, kind)


@pytest.mark.parametrize(("service", "name", "code", "message"), NEAR_MISSES)
def test_a_near_miss_stays_unclassified(service: str, name: str, code: str, message: str) -> None:
    assert classify(task(code=code, message=message), SERVICES[service][0]).failure_class is FailureClass.UNCLASSIFIED


def test_no_service_is_left_out() -> None:
    assert {path.stem for path in Path(sls.__file__).parent.glob("*.py")} == set(SERVICES)


def test_names_are_unique_over_all_services() -> None:
    assert [name for name, count in Counter(one.name for one in ALL).items() if count > 1] == []


@each_service
def test_a_name_tells_the_service(service: str) -> None:
    rules, _meets, _near = SERVICES[service]
    assert [one.name for one in rules if not one.name.startswith(f"{service}.")] == []


@each_service
def test_codes_come_before_messages(service: str) -> None:
    """So that a text never overrules the service's own code."""
    with_code = [bool(one.codes) for one in SERVICES[service][0]]
    assert with_code == sorted(with_code, reverse=True)


@each_service
def test_every_rule_is_met_by_one_of_the_texts(service: str) -> None:
    rules, meets, _near = SERVICES[service]
    assert {name for _code, _message, name, _kind in meets} == {one.name for one in rules}


@each_service
def test_every_rule_is_nearly_met_by_one_of_the_texts(service: str) -> None:
    rules, _meets, near = SERVICES[service]
    assert {name for name, _code, _message in near if name} == {one.name for one in rules}


@each_rule
def test_a_rule_has_a_condition(one: Rule) -> None:
    """Otherwise it would meet everything."""
    assert bool(one.codes) != bool(one.pattern)
    assert not one.meets(task())


@each_rule
def test_what_a_person_must_do_is_said_in_whole_sentences(one: Rule) -> None:
    assert one.remedy[:1].isupper()
    assert one.remedy.endswith(".")
    assert "  " not in one.remedy


@each_rule
def test_what_can_be_repaired_can_be_retried(one: Rule) -> None:
    """The remedy of a failure that a person can repair says what comes after the repair."""
    if one.failure_class is FailureClass.FIX and one.name not in NOTHING_TO_RETRY:
        assert "etry" in one.remedy


# -- each alternative of a pattern is met by a text of its own ---------------------------------------------------------


def alternatives(pattern: str) -> Iterator[str]:
    """What stands between the outermost bars of a pattern."""
    depth, start, position = 0, 0, 0
    while position < len(pattern):
        sign = pattern[position]
        if sign == "\\":
            position += 1
        elif sign == "[":
            position = pattern.index("]", position)
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and not depth:
            yield pattern[start:position]
            start = position + 1
        position += 1
    yield pattern[start:]


def test_alternatives_are_taken_apart() -> None:
    assert list(alternatives(r"a|b(?:c|d)|\||[|]e|f\(|g")) == ["a", r"b(?:c|d)", r"\|", "[|]e", r"f\(", "g"]


@each_rule
def test_every_alternative_is_met_by_one_of_the_texts(one: Rule) -> None:
    _rules, meets, _near = SERVICES[one.name.split(".")[0]]
    texts = [task(code=code, message=message) for code, message, name, _kind in meets if name == one.name]
    parts = alternatives(one.pattern.pattern) if one.pattern else ()
    left = [
        part for part in parts if not any(rule("x", FailureClass.FIX, "", regex=part).meets(text) for text in texts)
    ]
    assert left == []


# -- no text takes long -----------------------------------------------------------------------------------------------

MOST_WAYS = 2000
"""How often the matcher may start over at one place of a text, at most: a text has LONGEST_MESSAGE places."""

parser: Any = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def ways(pattern: Iterable[tuple[Any, Any]]) -> float:
    """In how many ways at most a parsed pattern can be laid over a text that starts at a given place."""
    return math.prod(_ways(str(kind), what) for kind, what in pattern)


def _ways(kind: str, what: Any) -> float:
    if kind in {"LITERAL", "NOT_LITERAL", "ANY", "IN", "AT"}:
        return 1
    if kind == "BRANCH":
        return sum(ways(one) for one in what[1])
    if kind in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return ways(what[-1])
    if kind in {"MAX_REPEAT", "MIN_REPEAT"}:
        least, most, repeated = what
        once = ways(repeated)
        if most is parser.MAXREPEAT:
            return math.inf
        return sum(once**count for count in range(least, most + 1))
    raise ValueError(f"{kind} is not weighed: keep to simpler patterns")


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("abc", 1),
        ("a|b", 1),  # a set of characters
        ("ab|cd|ef", 3),
        ("a.{0,9}b", 10),
        ("a.{0,9}b.{0,9}c", 100),
        ("(?:ab?){3}", 8),
        (r"(?<!x)a\bb", 1),
        ("a.*b", math.inf),
        ("(a+)+", math.inf),
    ],
)
def test_ways_are_counted(pattern: str, count: float) -> None:
    assert ways(parser.parse(pattern)) == count


@each_rule
def test_no_text_takes_long(one: Rule) -> None:
    """Bounded repeats only, and few of them: work grows no faster than the text, which is cut before."""
    if one.pattern:
        assert ways(parser.parse(one.pattern.pattern)) <= MOST_WAYS


def test_hostile_texts_meet_no_rule_and_come_to_an_end() -> None:
    """The first part of each pattern over and over, never followed by the second."""
    for start in ("Table ", "relation function ", "binlog ", "read table ", "write table ", "job ", "bucket", "不存在"):
        text = task(message=start * LONGEST_MESSAGE)
        assert [one.name for one in ALL if one.meets(text)] == []
