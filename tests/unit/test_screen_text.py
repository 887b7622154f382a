# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan and the summary as lines for a terminal or a log."""

from __future__ import annotations

import re

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._screen_text import plan_lines, question, summary_lines
from unit import documents

EVIL = "a\x1b[2J\r\nfatal: [host] \u202e{{ lookup('pipe', 'x') }}\x9b1m"


def text(lines: list[str]) -> str:
    return "\n".join(lines)


def test_a_plan_says_for_each_target_what_will_be_done_and_what_is_left_to_whom() -> None:
    shown = text(plan_lines(documents.plan()))
    assert shown.startswith("285 failed or stopped tasks in 4 targets: 228 will be retried, 57 left for a person;")
    front = shown.partition("shop front\n")[2].partition("\n\n")[0].splitlines()
    assert front[0] == "    142 will be retried: InternalServerError: OSS answered with an internal error."
    assert front[1] == "     40 left for a person: InvalidOssBucket: The bucket shop-audit does not exist."
    assert front[2] == "        Where: audit/audit-to-oss"
    assert front[3].startswith("        To do: The OSS bucket named in the shipping rule is missing")
    assert "databases\n        NOT WORKED ON: The login was refused" in shown
    assert "      1 not found: the ids are unknown, or no longer shown by the service" in shown
    assert "      5 left for a person: cancelled by a person" in shown


def test_what_expires_soon_is_told_with_its_fate() -> None:
    shown = text(plan_lines(documents.plan())).partition("Within 6 h the service stops showing these")[2]
    assert re.search(
        r"\n     10 of shop front, from \S+ on \(in \d+ min\), will be retried: InternalServerError: .*\n", shown
    )


def test_a_preview_says_so_first_and_nothing_of_it_is_said_to_be_done() -> None:
    document = documents.preview()
    plan, summary = plan_lines(document), summary_lines(document)
    assert plan[0].startswith(
        "PREVIEW, nothing is sent but reads. 285 failed or stopped tasks in 4 targets: 228 would be"
    )
    assert summary[0] == "PREVIEW, nothing was retried. A real run would retry 228 of 285 failed or stopped tasks."
    assert not re.search("will be|recovered|failed again", text([*plan, *summary]))


def test_what_is_held_is_told_with_its_reason() -> None:
    document = documents.held()
    plan, summary = text(plan_lines(document)), text(summary_lines(document))
    assert "shop front\n        HELD BACK: 251 tasks of all targets would be retried, but plan_max_total" in plan
    assert "    142 not retried here: InternalServerError" in plan
    assert "\nNothing was retried, because it is outside of the window of change" in summary


@pytest.mark.parametrize("kind", ["run", "preview", "plan"])
def test_a_target_that_is_held_is_not_said_to_be_worked_on(kind: str) -> None:
    shown = text(summary_lines(documents.closed(kind)))
    assert re.search(r"(Would retry|Retried) 0 of 7 tasks.*; 3 left alone \(see causes\), 4 held back\.", shown)
    assert not re.search(r"(Would retry|Retried) [1-9]", shown)


def test_what_a_first_task_kept_from_being_retried_is_told_with_that_task() -> None:
    why = "        Why: the task of this cause that was tried first (n0) failed again"
    summary = summary_lines(documents.canary())
    before = summary.index(why) - 1
    assert summary[before].startswith("    dup (a): 4 left alone, 1 failed again: Mystery: The flux")
    assert summary[before + 2].startswith("        Where: ")
    assert plan_lines(documents.canary()).count(why) == 1


def test_targets_of_one_name_are_told_apart() -> None:
    document = documents.canary()
    shown = text([*plan_lines(document), *summary_lines(document)])
    assert "\ndup (a)\n" in shown
    assert "\ndup (b)\n" in shown
    assert "    dup (b): Retried 2 of 2 tasks" in shown
    assert "of dup (a), from " in shown


def test_what_changed_since_the_plan_is_told() -> None:
    said = "        Since the plan: 1 healed by itself or under way, 2 no longer shown, 1 failed of something else, "
    for lines in (plan_lines(documents.applied()), summary_lines(documents.applied())):
        assert [line.startswith(said) for line in lines].count(True) == 1


def test_a_summary_ends_with_the_one_thing_to_do_for_each_cause() -> None:
    lines = summary_lines(documents.run())
    assert lines[0] == "225 of 285 failed or stopped tasks retried: 215 recovered, 6 failed again, 4 not seen to end."
    person = [line for line in lines[lines.index("For a person, most urgent first:") + 1 :] if "   Then: " not in line]
    whats, wheres, todos = person[::3], person[1::3], person[2::3]
    assert all(line.startswith("        Where: ") for line in wheres)
    assert all(line.startswith("        To do: ") for line in todos)
    assert whats[0].startswith("    shop front: 40 left alone: InvalidOssBucket: ")
    assert len(whats) == len(set(whats)) == len(wheres) == len(todos)
    assert any("2 refused, 1 of unknown outcome" in line for line in whats)
    assert (
        "    databases: The login was refused (IAM.0011, request id 4f1c): check OS_PASSWORD, then run again." in lines
    )


def test_where_nothing_is_left_nobody_is_called() -> None:
    shown = text(summary_lines(documents.calm()))
    assert "For a person" not in shown
    assert text(plan_lines(documents.empty())) == "Nothing to do: there is no target."
    assert text(summary_lines(documents.empty())) == "Nothing to do: there is no target."


@pytest.mark.parametrize("kind", ["run", "preview", "plan"])
def test_no_text_of_a_server_makes_a_line_of_its_own_or_steers_the_terminal(kind: str) -> None:
    hostile, plain = documents.hostile(EVIL, kind), documents.hostile("plain", kind)
    for made in (plan_lines, summary_lines):
        lines = made(hostile)
        assert len(lines) == len(made(plain))
        for line in lines:
            assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e]|{{", line)


def test_lines_stay_short_enough_to_be_read() -> None:
    document = documents.hostile("word " * 3000)
    assert max(map(len, [*plan_lines(document), *summary_lines(document)])) < 1300


def test_the_question_names_what_would_be_done_and_what_not() -> None:
    totals = documents.plan()["totals"]
    assert question(totals) == (
        "Retry 228 of 285 failed tasks in 4 targets? 57 are left for a person, 0 held back. Type yes to go on: "
    )
    assert question({**totals, "failed": 1, "stopped": 0, "retry": 1, "targets": 1, "left": 0}).startswith(
        "Retry 1 of 1 failed task in 1 target?"
    )
