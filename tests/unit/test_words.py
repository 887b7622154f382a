# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words that screen, Markdown and HTML share."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.plugin_utils import _words
from ansible_collections.redrive.tasks.plugins.plugin_utils._words import clean
from unit import documents

# One code point of each kind that steers terminals, reorders or hides text, or is no text.
_FORBIDDEN = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"

MANY = "285 failed or stopped tasks in 4 targets"


def row(**known: Any) -> dict[str, Any]:
    """A cause of which nothing is left, unless it says so."""
    numbers = ("left", "held", "failed_again", "refused", "unknown", "not_attempted")
    words = {
        "class": "transient",
        "rule": "some.rule",
        "code": "",
        "message": "",
        "remedy": "",
        "why": "",
        "places": [],
        "task_ids": [],
    }
    return {**words, **dict.fromkeys(numbers, 0), **known}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  two\r\n lines\t", "two  lines"),
        ("\x1b[31mred\x9b0m", "[31mred 0m"),
        ("exe\u202etxt\ufeff.\u200b", "exe txt ."),
        ("\ud800half", "half"),
        ("{{ x }} {% y %} {# z #} {{{{", "{ { x }} { % y %} { # z #} { { { {"),
        ("{\x00{ x }}", "{ { x }}"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        (None, "None"),
        (7, "7"),
    ],
)
def test_a_text_is_one_line_and_neither_a_template_nor_an_escape_sequence(text: object, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.characters(), max_size=60), st.integers(10, 40))
def test_whatever_the_text_is(text: str, length: int) -> None:
    shown = clean(text, length)
    assert len(shown) <= length
    assert not re.search(_FORBIDDEN, shown)
    assert not re.search(r"\{[{%#]", shown)


def test_a_long_text_ends_with_dots() -> None:
    assert clean("x" * 201) == "x" * 197 + "..."
    assert clean("x" * 200) == "x" * 200


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-23T02:02:03Z", "now"),
        ("2026-11-23T01:00:00Z", "now"),
        ("2026-11-23T02:03:02Z", "now"),
        ("2026-11-23T02:03:03Z", "in 1 min"),
        ("2026-11-23T03:02:02Z", "in 59 min"),
        ("2026-11-23T03:02:03Z", "in 1 h 00 min"),
        ("2026-11-25T02:02:02Z", "in 47 h 59 min"),
        ("2026-11-25T02:02:03Z", "in 2 d 0 h"),
        ("2026-11-30T01:02:03Z", "in 6 d 23 h"),
    ],
)
def test_how_long_it_is_until_then(moment: str, said: str) -> None:
    assert _words.left({"started": "2026-11-23T02:02:03Z"}, moment) == said


@pytest.mark.parametrize(
    ("known", "title"),
    [
        ({"code": "A", "message": "B c."}, "A: B c."),
        ({"code": "A"}, "A"),
        ({"message": "B c."}, "B c."),
        ({}, "failed without a code or message"),
        ({"message": "\x1b"}, ""),
    ],
)
def test_a_cause_is_called_by_its_code_and_message(known: dict[str, str], title: str) -> None:
    assert _words.title(row(**known)) == title


def test_places_and_ids_are_counted_where_there_are_many() -> None:
    many = [f"p{n}" for n in range(6)]
    assert _words.where(row(places=many)) == "p0, p1, p2, p3 and 2 more"
    assert _words.where(row(places=many[:4])) == "p0, p1, p2, p3"
    assert _words.where(row(task_ids=["a", "b"])) == "a, b"
    assert _words.ids(row(task_ids=many), most=5) == "p0, p1, p2, p3, p4 and 1 more"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, ""),
        ({"left": 40}, "40 left alone"),
        ({"held": 3}, "3 not retried"),
        (
            {"failed_again": 2, "refused": 1, "unknown": 4, "not_attempted": 5},
            "2 failed again, 1 refused, 4 of unknown outcome, 5 not attempted",
        ),
    ],
)
def test_what_is_left_for_a_person(known: dict[str, int], said: str) -> None:
    assert _words.remains(row(**known)) == said
    assert bool(_words.for_a_person({"causes": [row(**known)]})) is bool(said)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"class": "fix", "left": 2, "code": "NoBucket"}, "redrive.tasks.remediate_cause and plan_codes=NoBucket"),
        ({"class": "fix", "left": 2}, "redrive.tasks.remediate_cause and plan_message_regex=..."),
        ({"class": "fix", "failed_again": 2, "code": "NoBucket"}, "plan_codes=NoBucket"),
        ({"class": "fix", "left": 2, "code": "Not_a-real.Code2"}, "plan_codes=Not_a-real.Code2"),
        ({"class": "fix", "code": "NoBucket"}, ""),
        ({"class": "fix", "left": 2, "code": "M00307", "rule": "drs.wrong_level"}, ""),
        ({"class": "fix", "left": 2, "code": "M01501", "rule": "drs.dual_active_parent"}, ""),
        ({"class": "gone", "left": 2, "code": "TooOld"}, ""),
        ({"class": "", "left": 2}, ""),
    ],
)
def test_how_to_go_on_once_a_person_has_repaired_it(known: dict[str, Any], said: str) -> None:
    assert said in _words.afterwards(row(**known))
    assert bool(said) is bool(_words.afterwards(row(**known)))


@pytest.mark.parametrize(
    "code",
    [
        "Access Denied",
        "x remediate_confirm=false",
        'it\'s "quoted" \\ $(reboot); `reboot` && x',
        "@/etc/passwd",
        "{a: b}",
        "存储桶",
        "a,b",
        "-e",
    ],
)
def test_a_code_of_any_signs_is_one_code_to_a_shell_and_to_ansible(code: str) -> None:
    said = _words.afterwards(row(code=code, left=1, **{"class": "fix"}))
    words = shlex.split(said.partition(" and ")[2])
    if code == "-e":
        assert words == ["plan_codes=-e"]
    else:
        assert words[0] == "-e"
        (given,) = words[1:]
        assert json.loads(given) == {"plan_codes": [code]}


@pytest.mark.parametrize("code", ["{{ lookup('pipe', 'reboot') }}", "a\nb", " a", "x" * 201, "a\u202eb"])
def test_a_code_that_cannot_be_shown_as_it_is_is_not_to_be_pasted(code: str) -> None:
    said = _words.afterwards(row(code=code, left=1, **{"class": "fix"}))
    assert said.endswith("plan_message_regex=... with words of its message")


def test_targets_that_look_the_same_are_told_apart_by_their_hosts() -> None:
    def target(name: str, host: str) -> dict[str, Any]:
        return {"name": name, "host": host, "msg": name}

    targets = [target("dup", "a"), target("one", "b"), target("dup\u200b", "c")]
    failures = [{"target": "dup", "host": "a", "reason": "x"}, {"target": "one", "host": "b", "reason": "y"}]
    told = _words.told_apart({"targets": targets, "failures": failures, "kind": "run"})
    assert [one["name"] for one in told["targets"]] == ["dup (a)", "one", "dup (c)"]
    assert [one["target"] for one in told["failures"]] == ["dup (a)", "one"]
    assert [one["msg"] for one in told["targets"]] == ["dup", "one", "dup\u200b"]
    assert targets[0]["name"] == "dup"
    assert (
        len(_words.told_apart({"targets": [target("n" * 300, "h" * 300)] * 2, "failures": []})["targets"][0]["name"])
        < 200
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", "Nothing to do: there is no target."),
        (
            "calm",
            "7 of 9 failed tasks retried: 7 recovered, 0 failed again, 0 not seen to end. 2 needed no retry any more.",
        ),
        ("plan", f"{MANY}: 228 will be retried, 57 left for a person; 1 target not worked on."),
        ("preview", f"{MANY}: 228 would be retried, 57 left for a person; 1 target not worked on."),
        ("run", "225 of 285 failed or stopped tasks retried: 215 recovered, 6 failed again, 4 not seen to end."),
        ("held", "0 of 285 failed or stopped tasks retried: 0 recovered, 0 failed again, 0 not seen to end."),
    ],
)
def test_the_whole_in_a_sentence(name: str, said: str) -> None:
    assert _words.gist(documents.ALL[name]()) == said


def test_what_healed_since_the_plan_is_told_though_it_counts_as_failed_no_longer() -> None:
    said = _words.gist(documents.applied())
    assert said.startswith("12 of 14 failed tasks retried: 12 recovered")
    assert said.endswith(" 1 needed no retry any more.")


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ({}, ""),
        ({"user": "ops"}, "by ops"),
        ({"reason": "ticket 42"}, "Reason: ticket 42"),
        (
            {"user": "ops", "schedule": "nightly", "template": "Redrive", "job": "7", "reason": "it"},
            "by ops on schedule nightly from Redrive as job 7. Reason: it",
        ),
    ],
)
def test_who_ran_it_and_why(by: dict[str, str], said: str) -> None:
    assert _words.author({"by": {**documents.NOBODY, **by}}) == said


def test_what_a_service_said_is_told_once_for_each_target_and_not_without_end() -> None:
    def target(name: str, *messages: str) -> dict[str, Any]:
        return {"name": name, "tasks": [{"error": {"message": one}} for one in messages] + [{}]}

    said = list(_words.errors({"targets": [target("a", "x", "y", "x"), target("b", "x")]}))
    assert said == [("a", "x"), ("a", "y"), ("b", "x")]
    many = [str(number) for number in range(40)]
    assert len(list(_words.errors({"targets": [target("a", *many)]}))) == 10
