# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Judging a failed task by rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from re import Pattern
from typing import NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._task import Failure, FailureClass, Finding, Task

LONGEST_MESSAGE = 4096
"""Longer texts are cut before any pattern is run over them."""

UNCLASSIFIED_REMEDY = "No rule knows this text. Read it, decide, and add a rule of your own so that the next run knows."


class Rule(NamedTuple):
    """A failed task that meets every given condition is of this class.

    :ivar name: unique among all rules, with the service in front
    :ivar codes: lower-case failure codes, one of which must be equal; empty means any
    :ivar pattern: searched for in the message; None means any
    :ivar in_code: whether the pattern may also stand in the code
    :ivar remedy: what a person does about it
    """

    name: str
    failure_class: FailureClass
    remedy: str
    codes: tuple[str, ...] = ()
    pattern: Pattern[str] | None = None
    in_code: bool = False

    def meets(self, task: Task) -> bool:
        """Whether the task meets every condition."""
        if self.codes and task.code.lower() not in self.codes:
            return False
        if self.pattern is None:
            return True
        text = f"{task.code}: {task.message}" if self.in_code else task.message
        return bool(self.pattern.search(text[:LONGEST_MESSAGE]))


def rule(
    name: str,
    failure_class: FailureClass,
    remedy: str,
    *,
    codes: Sequence[str] = (),
    contains: Sequence[str] = (),
    regex: str = "",
) -> Rule:
    """A built-in rule: by codes, by texts of which one is contained in code or message, or by a pattern there."""
    pattern = regex or "|".join(re.escape(text) for text in contains)
    return Rule(
        name,
        failure_class,
        remedy,
        tuple(code.lower() for code in codes),
        re.compile(pattern, re.IGNORECASE) if pattern else None,
        in_code=True,
    )


def code_spellings(code: str, prefix: str) -> tuple[str, ...]:
    """A failure code in lower case, with and without the prefix that the service writes before some."""
    bare = code.lower()
    bare = bare[len(prefix) :] if prefix and bare.startswith(prefix.lower()) else bare
    return (bare, prefix.lower() + bare) if prefix else (bare,)


def user_rules(options: Iterable[dict[str, str | None]], code_prefix: str) -> tuple[Rule, ...]:
    """The user's own rules, from the option C(rules).

    :raises InputError: a rule has no condition, or a pattern that is no regular expression
    """
    return tuple(_user_rule(number, option, code_prefix) for number, option in enumerate(options))


def _user_rule(number: int, option: dict[str, str | None], code_prefix: str) -> Rule:
    name = f"rules[{number}]"
    code, match = option.get("code") or "", option.get("match") or ""
    if not (code or match):
        raise InputError(f"{name} has neither code nor match, so it would meet every failure: give one of them.")
    return Rule(
        name,
        FailureClass(option["class"]),
        option.get("remedy") or "",
        code_spellings(code, code_prefix) if code else (),
        compile_pattern(f"{name}.match", match) if match else None,
    )


def compile_pattern(option: str, pattern: str) -> Pattern[str]:
    """A regular expression of the user's, searched without regard to case.

    :raises InputError: it is none
    """
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as exc:
        raise InputError(f"{option} is not a regular expression: {exc} in {pattern!r}") from exc


def found(task: Task, finding: Finding) -> Failure:
    """The failure of a task of which the service itself tells something."""
    return Failure(finding.failure_class, finding.rule, task.code, task.message, finding.remedy)


def classify(task: Task, rules: Iterable[Rule]) -> Failure:
    """The failure of a failed task, by the first rule that it meets; unknown text is C(unclassified).

    What the service itself finds comes before all rules.
    """
    if task.barred:
        return found(task, task.barred)
    for candidate in rules:
        if candidate.meets(task):
            return Failure(candidate.failure_class, candidate.name, task.code, task.message, candidate.remedy)
    return Failure(FailureClass.UNCLASSIFIED, "", task.code, task.message, UNCLASSIFIED_REMEDY)
