# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in Markdown, as a reader of Markdown takes it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ansible_collections.redrive.tasks.plugins.plugin_utils._markdown import markdown
from unit import documents

# CommonMark with tables and strikethrough, as on the pages where people put reports.
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What a report is made of. Emphasis is in ours alone; links, pictures, code and HTML are in none.
OURS = {"text", "softbreak", "strong_open", "strong_close"}
EVIL = (
    "a|b `c` ``` ~~~ <script>alert(1)</script> &lt; &#60; [link](javascript:x) ![p](http://x) *bold* __b__ ~~s~~ \\| \\"
    " <http://x> <!-- --> $x$ #x @y\n\n## A heading\n| x | y |\n|---|---|\n---\n- item\n> quote\n    code\n[x]: http://x"
)


def tokens(text: str) -> list[Token]:
    """All of them, those within lines included."""
    return [one for block in READER.parse(text) for one in (block, *(block.children or ()))]


def headings(text: str) -> list[str]:
    """The contents of headings of the first two levels."""
    blocks = READER.parse(text)
    return [after.content for one, after in zip(blocks, blocks[1:]) if one.type == "heading_open" and one.tag != "h3"]


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("empty", ["Failed tasks: what was done"]),
        ("calm", ["Failed tasks: what was done", "Retried"]),
        (
            "run",
            [
                "Failed tasks: what was done",
                *("Not worked on", "What a person must do", "Retried", "Expiring within 6 hours", "Errors", "Warnings"),
            ],
        ),
        (
            "preview",
            [
                "Failed tasks: preview of a run in check mode",
                *("Not worked on", "What a person must do", "To be retried", "Expiring within 6 hours", "Warnings"),
            ],
        ),
        (
            "plan",
            [
                "Failed tasks: plan",
                *("Not worked on", "What a person must do", "To be retried", "Expiring within 6 hours", "Warnings"),
            ],
        ),
    ],
)
def test_a_report_has_the_sections_that_it_has_something_for(name: str, sections: list[str]) -> None:
    text = markdown(documents.ALL[name]())
    assert headings(text) == sections
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    assert {one.type for one in tokens(text) if not one.block} <= OURS


def test_what_changed_since_the_plan_is_told() -> None:
    said = "shop front: 1 healed by itself or under way, 2 no longer shown, 1 failed of something else"
    assert said in markdown(documents.applied()).partition("## Since the plan was approved")[2]


def test_what_a_first_task_kept_from_being_retried_is_told_with_that_task() -> None:
    shown = markdown(documents.canary()).partition("## What a person must do")[2]
    assert "- Why: the task of this cause that was tried first (n0) failed again\n- Where: dup (a), in " in shown
    assert "- Why:" not in markdown(documents.run())


@pytest.mark.parametrize("name", ["preview", "plan"])
def test_what_was_not_done_is_not_said_to_be_done(name: str) -> None:
    assert not re.search("recovered|failed again|were retried|accepted", markdown(documents.ALL[name]()), re.IGNORECASE)


def test_why_nothing_was_sent_is_said_at_the_top() -> None:
    head = markdown(documents.held()).partition("##")[0]
    assert "**Nothing was retried, because it is outside of the window of change (22:00 to 05:00, UTC).**" in head
    assert "0 of 285 failed or stopped tasks retried" in head


def cells(text: str) -> set[tuple[int, int]]:
    """For every table, how many cells its shortest and its longest line have."""
    found, table = set(), list[int]()
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)))
        elif table:
            found.add((min(table), max(table)))
            table = []
    return found


def assert_plain(text: str, kind: str) -> None:
    """Nothing in the report is markup but what is ours."""
    found = tokens(text)
    assert {one.type for one in found if one.type.endswith(("inline", "image", "block", "fence"))} <= {"inline"}
    assert {one.type for one in found if not one.block} <= OURS
    assert {one.type for one in found if one.block} <= {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
        *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
    }
    known = markdown(documents.hostile("plain", kind))
    assert headings(text) == headings(known)
    assert cells(text) == cells(known)
    assert text.count("\n") == known.count("\n")


@pytest.mark.parametrize("kind", ["run", "preview", "plan"])
def test_hostile_texts_are_shown_as_they_are(kind: str) -> None:
    text = markdown(documents.hostile(EVIL, kind))
    assert_plain(text, kind)
    shown = "".join(one.content for one in tokens(text) if one.type in ("text", "text_special"))
    assert "<script>alert(1)</script> &lt; &#60; [link](javascript:x) ![p](http://x) *bold*" in shown


_SIGNS = st.sampled_from(
    [*"\\`*_[]|~#!@$<>&-+=.:()/\"' \n\t1aé", "{{", "{%", "&lt;", "&#124;", "http://x", "\x1b[", "\u202e"]
)


@settings(max_examples=max(25, settings().max_examples // 4))
@given(st.lists(_SIGNS, min_size=1, max_size=30).map("".join))
def test_whatever_the_texts_are(text: str) -> None:
    assert_plain(markdown(documents.hostile(f"x{text}")), "run")


def test_a_report_of_many_causes_stays_one_that_can_be_read() -> None:
    text = markdown(documents.large(2000, 60))
    assert max(map(len, text.splitlines())) < 4000
    assert all(shortest == longest for shortest, longest in cells(text))


def test_a_report_is_the_same_for_the_same_document() -> None:
    one: Any = documents.run()
    assert markdown(one) == markdown(documents.run())
