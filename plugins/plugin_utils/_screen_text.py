# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The plan and the summary as lines for a terminal or a log. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Document
from ansible_collections.redrive.tasks.plugins.plugin_utils._words import (
    Row,
    afterwards,
    clean,
    drift,
    failed,
    for_a_person,
    gist,
    left,
    many,
    remains,
    remedy,
    title,
    told_apart,
    where,
    why,
)


def plan_lines(document: Document) -> list[str]:
    """What will be done, target by target, and what cannot wait."""
    document = told_apart(document)
    preview = document["kind"] == "preview"
    verb = "would be retried" if preview else "will be retried"
    lines = [f"{'PREVIEW, nothing is sent but reads. ' if preview else ''}{gist(document)}"]
    for number, target in enumerate(document["targets"]):
        rows = [row for row in document["causes"] if row["target"] == number]
        lines += ["", clean(target["name"]), *_target(target, rows, verb)]
    soon = [row for row in document["causes"] if row["soon"]]
    if soon:
        lines += [
            "",
            f"Within {document['expiry_warning']:g} h the service stops showing these, and then they can no longer",
        ]
        lines += ["be retried:", *(_expiring(document, row, verb) for row in soon)]
    return lines


def _target(target: Mapping[str, Any], rows: list[Row], verb: str) -> Iterator[str]:
    if target["error"]:
        yield f"        NOT WORKED ON: {clean(target['error'], 1000)}"
        return
    if target["held"]:
        yield f"        HELD BACK: {clean(target['held'], 1000)}"
    if drift(target):
        yield f"        Since the plan: {drift(target)}."
    if not rows and not target["counts"].get("missing"):
        yield "        Nothing failed."
    for row in sorted(rows, key=lambda one: -one["count"]):
        yield from _planned(row, verb)
    if target["counts"].get("missing"):
        yield f"{target['counts']['missing']:7d} not found: the ids are unknown, or no longer shown by the service"


def _planned(row: Row, verb: str) -> Iterator[str]:
    if row["retry"]:
        yield f"{row['retry']:7d} {verb}: {title(row)}"
    if row["held"]:
        yield f"{row['held']:7d} not retried here: {title(row)}"
    if row["left"]:
        yield f"{row['left']:7d} left for a person: {title(row)}"
        yield from _why(row)
        yield f"        Where: {where(row)}"
        yield f"        To do: {remedy(row, 400)}"


def _why(row: Row) -> Iterator[str]:
    if why(row):
        yield f"        Why: {why(row)}"


def _expiring(document: Document, row: Row, verb: str) -> str:
    fate = verb if row["retry"] else "NOT RETRIED" if row["held"] else "LEFT FOR A PERSON"
    name = clean(document["targets"][row["target"]]["name"])
    when = f"from {row['expiry']} on ({left(document, row['expiry'])})"
    return f"{row['soon']:7d} of {name}, {when}, {fate}: {title(row, 70)}"


def summary_lines(document: Document) -> list[str]:
    """What was done, and the one thing to do for each cause that is left, most urgent first."""
    document, totals = told_apart(document), document["totals"]
    if document["kind"] == "preview":
        lines = [f"PREVIEW, nothing was retried. A real run would retry {totals['retry']} of {failed(document)}."]
    else:
        lines = [gist(document)]
    if document["held"]:
        lines.append(clean(document["held"], 1000))
    for target in document["targets"]:
        said = target["error"] or target["held"] or target["msg"]
        lines.append(f"    {clean(target['name'])}: {clean(said, 1000)}")
        if drift(target):
            lines.append(f"        Since the plan: {drift(target)}.")
    rows = for_a_person(document)
    if rows:
        lines += ["", "For a person, most urgent first:", *(line for row in rows for line in _to_do(document, row))]
    return lines


def _to_do(document: Document, row: Row) -> Iterator[str]:
    yield f"    {clean(document['targets'][row['target']]['name'])}: {remains(row)}: {title(row)}"
    yield from _why(row)
    until = f"; shown until {row['expiry']} ({left(document, row['expiry'])})" if row["expiry"] else ""
    yield f"        Where: {where(row)}{until}"
    yield f"        To do: {remedy(row, 400)}"
    if afterwards(row):
        yield f"        Then: {afterwards(row)}"


def question(totals: Mapping[str, int]) -> str:
    """What a person is asked before anything is sent."""
    failed_ones = totals["failed"] + totals["stopped"]
    return (
        f"Retry {totals['retry']} of {many(failed_ones, 'failed task')} in {many(totals['targets'], 'target')}?"
        f" {totals['left']} are left for a person, {totals['held']} held back. Type yes to go on: "
    )
