# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The report in Markdown. Pure. Every text that is not our own goes through `_md`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Document
from ansible_collections.redrive.tasks.plugins.plugin_utils._words import (
    Row,
    afterwards,
    author,
    clean,
    drift,
    errors,
    failed,
    for_a_person,
    gist,
    ids,
    left,
    remains,
    remedy,
    title,
    told_apart,
    where,
    why,
)

_MARKUP = re.compile(r"([\\`*_\[\]|~#!@$])")
_TITLES = {"plan": "plan", "preview": "preview of a run in check mode", "run": "what was done"}


def _md(text: object, length: int = 200) -> str:
    """Nothing in it is markup."""
    plain = clean(text, length).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", plain)


def markdown(document: Document) -> str:
    """The whole report, ending with a line feed."""
    document = told_apart(document)
    sections = (_head, _targets, _not_worked_on, _drift, _person, _retried, _expiring, _errors, _warnings)
    blocks = ["\n".join(section(document)) for section in sections]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(document: Document) -> Iterator[str]:
    totals = document["totals"]
    yield f"# Failed tasks: {_TITLES[document['kind']]}"
    yield ""
    if document["kind"] == "preview":
        yield "**Preview: nothing was retried.** "
        yield f"A real run would have retried {totals['retry']} of {failed(document)} at that moment."
    else:
        alone = totals["left"] + totals["held"]
        yield gist(document) + (f" {alone} left alone." if document["kind"] == "run" and document["targets"] else "")
    if document["held"]:
        yield ""
        yield f"**{_md(document['held'], 1000)}**"
    yield ""
    yield f"The run began at {document['started']} (all times are UTC)."
    if author(document):
        yield f"It was started {_md(author(document), 1000)}."


def _targets(document: Document) -> Iterator[str]:
    if not document["targets"]:
        return
    done = document["kind"] == "run"
    names = ["retry" if not done else "accepted", *(["recovered", "failed_again"] if done else [])]
    titles = ["Retried", "Recovered", "Failed again"] if done else ["To be retried"]
    yield from _table_head(["Target", "Failed", *titles, "Left alone"], numbers=len(titles) + 2)
    for number, target in enumerate(document["targets"]):
        rows = [row for row in document["causes"] if row["target"] == number]
        seen = sum(row["count"] for row in rows) if target["counts"] else "not read"
        numbers = [sum(row[name] for row in rows) for name in names]
        alone = sum(row["left"] + row["held"] for row in rows)
        yield _line([_md(target["name"]), seen, *numbers, alone])


def _not_worked_on(document: Document) -> Iterator[str]:
    stopped = [target for target in document["targets"] if target["error"] or target["held"]]
    if stopped:
        yield "## Not worked on\n"
    for target in stopped:
        yield f"- {_md(target['name'])}: {_md(target['error'] or target['held'], 2000)}"


def _drift(document: Document) -> Iterator[str]:
    drifted = [target for target in document["targets"] if drift(target)]
    if drifted:
        yield "## Since the plan was approved\n"
    for target in drifted:
        yield f"- {_md(target['name'])}: {drift(target)}"


def _person(document: Document) -> Iterator[str]:
    rows = for_a_person(document)
    if rows:
        yield "## What a person must do\n"
        yield "Most urgent first. A task that the service no longer shows can no longer be retried."
    for row in rows:
        yield f"\n### {_title(row)}\n"
        yield f"- Tasks: {remains(row)}"
        if why(row):
            yield f"- Why: {_md(why(row), 450)}"
        yield f"- Where: {_name(document, row)}, in {_md(where(row, 20, 2000), 2100)}"
        yield f"- To do: {_md(remedy(row), 1100)}"
        if row["held"]:
            yield f"- {row['held']} of them could be retried, but nothing was sent for this target, see above."
        if afterwards(row):
            yield f"- Then: {_md(afterwards(row), 400)}"
        if row["expiry"]:
            shown = f"{row['expiry']} ({left(document, row['expiry'])})"
            yield f"- Until: {shown}, when the service stops showing the first of them"
        yield f"- Ids: {_md(ids(row), 3100)}"


def _retried(document: Document) -> Iterator[str]:
    rows = [row for row in document["causes"] if row["retry"]]
    if not rows:
        return
    outcomes = ["recovered", "failed_again", "refused", "unknown", "not_attempted"] if document["kind"] == "run" else []
    yield f"## {'Retried' if outcomes else 'To be retried'}\n"
    titles = [name.replace("_", " ").capitalize() for name in outcomes]
    yield from _table_head(["Target", "Cause", "Tasks", *titles], numbers=1 + len(titles))
    for row in rows:
        yield _line([_name(document, row), _title(row), row["retry"], *(row[name] for name in outcomes)])


def _expiring(document: Document) -> Iterator[str]:
    rows = [row for row in document["causes"] if row["soon"]]
    if not rows:
        return
    yield f"## Expiring within {document['expiry_warning']:g} hours\n"
    yield from _table_head(["When", "Target", "Cause", "Fate", "Tasks"], numbers=1)
    for row in rows:
        done = document["kind"] == "run"
        fate = "left alone" if row["left"] or row["held"] else "retried, not recovered" if done else "to be retried"
        when = f"{row['expiry']} ({left(document, row['expiry'])})"
        yield _line([when, _name(document, row), _title(row, 80), fate, row["soon"]])


def _errors(document: Document) -> Iterator[str]:
    said = list(errors(document))
    if said:
        yield "## Errors\n"
    for name, message in said:
        yield f"- {_md(name)}: {_md(message, 1000)}"


def _warnings(document: Document) -> Iterator[str]:
    said = [(target["name"], text) for target in document["targets"] for text in target["warnings"]]
    if said:
        yield "## Warnings\n"
    for name, text in said:
        yield f"- {_md(name)}: {_md(text, 1000)}"


def _table_head(titles: Sequence[str], *, numbers: int) -> Iterator[str]:
    """Numbers are in the last columns, to the right."""
    yield _line(titles)
    yield _line(["---"] * (len(titles) - numbers) + ["---:"] * numbers)


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _name(document: Document, row: Mapping[str, Any]) -> str:
    return _md(document["targets"][row["target"]]["name"])


def _title(row: Row, length: int = 110) -> str:
    return _md(title(row, length), length)
