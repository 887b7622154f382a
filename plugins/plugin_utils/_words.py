# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Words and shapes that screen, Markdown and HTML share. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Document, seconds_between
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES

# Control characters, and those that reorder or hide text: a service's words are shown on terminals and in reports.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
# Without these, a text of a server could be taken for a template by whatever shows it next.
_TEMPLATE = re.compile(r"\{(?=[{%#])")
# What a shell, and Ansible after it, take as it is.
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_ONE_BY_ONE = {rule for service in SERVICES.values() for rule in service.one_by_one}

Row = Mapping[str, Any]


def clean(text: object, length: int = 200) -> str:
    """A text of a service or a user on one line, not longer than `length`, and never a template."""
    line = _TEMPLATE.sub("{ ", _UNPRINTABLE.sub(" ", str(text))).strip()
    return line if len(line) <= length else f"{line[: length - 3]}..."


def many(number: int, noun: str) -> str:
    """The number with its noun: 1 task, 2 tasks."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def told_apart(document: Document) -> Document:
    """The same with the host behind the name of each target where several look the same."""
    names = Counter(clean(target["name"]) for target in document["targets"])

    def named(target: Row, key: str) -> dict[str, Any]:
        name = clean(target[key])
        return {**target, key: f"{clean(name, 90)} ({clean(target['host'], 90)})" if names[name] > 1 else target[key]}

    return {
        **document,
        "targets": [named(target, "name") for target in document["targets"]],
        "failures": [named(failure, "target") for failure in document["failures"]],
    }


def left(document: Document, moment: str) -> str:
    """How long it is until then, seen from the beginning of the run: in 1 h 05 min."""
    seconds = seconds_between(document["started"], moment)
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"in {seconds // 60} min"
    if seconds < 2 * 86400:
        return f"in {seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"in {seconds // 86400} d {seconds % 86400 // 3600} h"


def title(row: Row, length: int = 110) -> str:
    """What a cause is called: its code, and the words of its first task."""
    said = ": ".join(text for text in (row["code"], row["message"]) if text)
    return clean(said or "failed without a code or message", length)


def where(row: Row, most: int = 4, length: int = 300) -> str:
    """Where the tasks of a cause are; where all of the place is the target, their ids."""
    places: Sequence[str] = row["places"] or row["task_ids"]
    more = f" and {len(places) - most} more" if len(places) > most else ""
    return clean(", ".join(places[:most]), length) + more


def ids(row: Row, most: int = 10, length: int = 3000) -> str:
    """The first ids of a cause."""
    known: Sequence[str] = row["task_ids"]
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return clean(", ".join(known[:most]), length) + more


def failed(document: Document) -> str:
    """What the tasks are called: those that a person stopped have not failed."""
    totals = document["totals"]
    return many(totals["failed"] + totals["stopped"], "failed or stopped task" if totals["stopped"] else "failed task")


def remains(row: Row) -> str:
    """What is left of a cause for a person: 40 left alone, 2 failed again; empty when nothing is."""
    names = {
        "left": "left alone",
        "held": "not retried",
        "failed_again": "failed again",
        "refused": "refused",
        "unknown": "of unknown outcome",
        "not_attempted": "not attempted",
    }
    return ", ".join(f"{row[name]} {words}" for name, words in names.items() if row[name])


def for_a_person(document: Document) -> list[Row]:
    """The causes that leave something to do, most urgent first."""
    return [row for row in document["causes"] if remains(row)]


def why(row: Row, length: int = 400) -> str:
    """Why tasks are left alone that were to be retried; empty where there are none."""
    return clean(row["why"], length)


def remedy(row: Row, length: int = 1000) -> str:
    """The one thing to do."""
    return clean(row["remedy"] or "Find out what the service means, and add a rule of your own for it.", length)


def afterwards(row: Row) -> str:
    """What is done once a person has repaired the cause; empty where that is nothing, or differs by task."""
    if row["class"] != "fix" or row["rule"] in _ONE_BY_ONE or not (row["left"] or row["failed_again"]):
        return ""
    return f"retry just this cause with redrive.tasks.remediate_cause and {_named(row['code'])}"


def _named(code: str) -> str:
    """What names a cause. A server says what its code is, and a person pastes this into a shell."""
    if not code or clean(code) != code:
        return "plan_message_regex=... with words of its message"
    if _PLAIN.fullmatch(code):
        return f"plan_codes={code}"
    # Ansible splits other variables at blanks, and takes what follows for further ones.
    return "-e " + shlex.quote(json.dumps({"plan_codes": [code]}, ensure_ascii=False))


def gist(document: Document) -> str:
    """The whole in one sentence or two."""
    totals = document["totals"]
    if not document["targets"]:
        return "Nothing to do: there is no target."
    if document["kind"] != "run":
        verb = "would be retried" if document["kind"] == "preview" else "will be retried"
        said = f"{failed(document)} in {many(totals['targets'], 'target')}: {totals['retry']} {verb}"
        said += f", {totals['left']} left for a person"
        said += f", {totals['held']} held back" if totals["held"] else ""
        said += f"; {many(totals['not_worked_on'], 'target')} not worked on" if totals["not_worked_on"] else ""
        return f"{said}."
    unseen = totals["accepted"] - totals["recovered"] - totals["failed_again"]
    said = f"{totals['accepted']} of {failed(document)} retried: {totals['recovered']} recovered"
    said += f", {totals['failed_again']} failed again, {unseen} not seen to end."
    said += f" {totals['healed']} needed no retry any more." if totals["healed"] else ""
    return said


def drift(target: Mapping[str, Any]) -> str:
    """What became of a target since the plan was approved; empty where nothing did, or there is no plan."""
    words = {
        "healed": "healed by itself or under way",
        "gone": "no longer shown",
        "changed": "failed of something else, or were stopped",
        "new": "new, and not in the plan",
    }
    since: Mapping[str, Sequence[str]] = target["drift"] or {}
    return ", ".join(f"{len(since[name])} {said}" for name, said in words.items() if since.get(name))


def author(document: Document) -> str:
    """Who ran it, and why; empty where nobody knows."""
    by = document["by"]
    parts = [by["user"] and f"by {by['user']}", by["schedule"] and f"on schedule {by['schedule']}"]
    parts += [by["template"] and f"from {by['template']}", by["job"] and f"as job {by['job']}"]
    said = " ".join(clean(part) for part in parts if part)
    reason = clean(by["reason"], 500)
    return ". ".join(part for part in (said, f"Reason: {reason}" if reason else "") if part)


def errors(document: Document, most: int = 10) -> Iterable[tuple[str, str]]:
    """What the services said to refused retries, as target and message, each once."""
    for target in document["targets"]:
        said = dict.fromkeys(task["error"]["message"] for task in target["tasks"] if task.get("error"))
        yield from ((target["name"], message) for message in list(said)[:most])
