# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The report as one page of HTML that loads nothing.

The page is made of report.html.j2, report.css and report.js beside this file. Every text goes through `_words.clean`
and is escaped, wherever the template shows it. No text of the document is part of the script or of the style; a policy
in the page admits these two alone, by their hash.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from ansible_collections.redrive.tasks.plugins.plugin_utils import _words
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Document, iso
from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import (
    Entry,
    cause_of,
    failure_of,
    has_failed,
    has_healed,
    has_recovered,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES
from ansible_collections.redrive.tasks.plugins.plugin_utils._timeline import Timeline, timeline

# How much is shown; the page says how much more there is. What is counted is always all.
MOST_TASKS = 2000
_MOST_CAUSES = 50
_MOST_BARS = 12
_MOST_TARGETS = 500
_MOST_LINES = 100
# Nothing that is shown is longer, whatever it is.
_LONGEST = 5000

_HERE = Path(__file__)
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
_KINDS = {
    "run": ("Report", "Report of a run"),
    "preview": ("Preview", "Preview: nothing was retried"),
    "plan": ("Plan", "Plan: nothing has been retried yet"),
}


class Fate(NamedTuple):
    """What became of a task, or will.

    :ivar family: well, way, bad, person or none: its colour and the shape of its sign
    :ivar hatched: what tells it from the other one of its family, in charts
    """

    words: str
    family: str
    hatched: bool = False

    @property
    def look(self) -> str:
        """The classes of its sign."""
        return f"{self.family} hatched" if self.hatched else self.family


# In the order of charts: what is well first, what a person must do last.
FATES = {
    "recovered": Fate("recovered", "well"),
    "healed": Fate("needed no retry", "well", hatched=True),
    "planned": Fate("to be retried", "way"),
    "unseen": Fate("retried, not seen to end", "way", hatched=True),
    "failed_again": Fate("failed again", "bad"),
    "refused": Fate("refused", "bad", hatched=True),
    "unknown": Fate("of unknown outcome", "bad", hatched=True),
    "not_attempted": Fate("not attempted", "bad", hatched=True),
    "held": Fate("held back", "person", hatched=True),
    "left": Fate("left for a person", "person"),
    "missing": Fate("not found", "none"),
    "other": Fate("left alone", "none", hatched=True),
}
_RANKS = {"bad": 0, "person": 0, "way": 1, "none": 1, "well": 2}


class _Row(NamedTuple):
    """A task of the table. `target` and `cause` are indices; a task that has not failed has no cause."""

    entry: Entry
    fate: str
    target: int
    cause: int | None


def html(document: Mapping[str, Any]) -> str:
    """The whole page.

    :param document: as `_document.document` makes it
    """
    return _template().render(_view(_words.told_apart(document)))


@functools.lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, finalize=_shown, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    style, script = (_HERE.with_name(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment.globals.update(
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        policy=f"{_POLICY}; style-src {_hash(style)}; script-src {_hash(script)}",
        fates=FATES,
        many=_words.many,
        moment=_moment,
    )
    return environment.from_string(_HERE.with_name("report.html.j2").read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shown(value: Any) -> Any:
    """What the template shows goes through here, all of it."""
    return value if isinstance(value, (int, float, Markup)) else _words.clean(value, _LONGEST)


def _moment(stamp: str | None) -> str:
    """2026-11-23 02:02 UTC, or nothing."""
    return f"{stamp[:10]} {stamp[11:16]} UTC" if stamp else ""


def _view(document: Document) -> dict[str, Any]:
    """What the template needs, with names of its own."""
    rows = _rows(document)
    short, heading = _KINDS[document["kind"]]
    return {
        "document": document,
        "hours": f"{document['expiry_warning']:g}",
        "short": short,
        "heading": heading,
        "gist": _words.gist(document),
        "author": _words.author(document),
        "verdict": _verdict(document),
        "tiles": _tiles(document),
        "stopped": [one for one in document["targets"] if one["error"] or one["held"]][:_MOST_TARGETS],
        "cards": _cards(document),
        "bars": _bars(document),
        "timeline": _timeline(document, rows),
        "targets": _targets(document),
        "drifted": _lines((one["name"], _words.drift(one)) for one in document["targets"]),
        "failures": _lines((one["target"], one["reason"]) for one in document["failures"]),
        "errors": _lines(_words.errors(document)),
        "warnings": _lines((one["name"], text) for one in document["targets"] for text in one["warnings"]),
        **_table(document, rows),
    }


def _lines(pairs: Iterator[tuple[str, str]] | Any) -> dict[str, Any]:
    """What was said about targets, and how much of it is not shown."""
    said = [(name, text) for name, text in pairs if text]
    return {"shown": said[:_MOST_LINES], "more": max(len(said) - _MOST_LINES, 0)}


# -- What became of tasks --


def _is_held(document: Document, target: Mapping[str, Any]) -> bool:
    return bool(document["held"] or target["held"] or target["error"])


def fate_of(entry: Entry, *, held: bool) -> str:
    """The name of its fate, counted as the causes of a document count.

    :param held: whether something kept the tasks of its target from being retried
    """
    if not has_failed(entry):
        return "missing" if entry["state"] == "missing" else "healed" if entry["action"] == "none" else "other"
    if entry["action"] != "retry":
        return "healed" if has_healed(entry) else "left"
    if entry["outcome"] in ("none", "planned"):
        return "held" if held else "planned"
    if entry["outcome"] != "accepted":
        return str(entry["outcome"])
    return "recovered" if has_recovered(entry) else "failed_again" if entry.get("state_after") == "failed" else "unseen"


def fates_of(cause: Mapping[str, Any]) -> dict[str, int]:
    """How many tasks of a cause had which fate, those that none had left out."""
    settled = cause["accepted"] + cause["refused"] + cause["unknown"] + cause["not_attempted"]
    numbers = {
        **cause,
        "planned": cause["retry"] - settled,
        "unseen": cause["accepted"] - cause["recovered"] - cause["failed_again"],
    }
    return {name: numbers[name] for name in FATES if numbers.get(name)}


def _rows(document: Document) -> list[_Row]:
    """All tasks, most urgent first."""
    rows = [row for number, target in enumerate(document["targets"]) for row in _rows_of(document, number, target)]
    return sorted(rows, key=_urgency)


def _rows_of(document: Document, number: int, target: Mapping[str, Any]) -> Iterator[_Row]:
    held = _is_held(document, target)
    known = {_name(row): index for index, row in enumerate(document["causes"]) if row["target"] == number}
    first: dict[tuple[str, ...], int | None] = {}
    for entry in target["tasks"]:
        cause = None
        if has_failed(entry):
            key = cause_of(entry)
            if key not in first:  # a cause bears the words of its first task
                first[key] = known.get(_name(failure_of(entry) or {"class": "", "state": entry["state"]}))
            cause = first[key]
        yield _Row(entry, fate_of(entry, held=held), number, cause)


def _name(named: Mapping[str, Any]) -> tuple[str, ...]:
    """What a cause of a document, and the failure of its first task, are told by."""
    if not named["class"]:
        return ("", str(named.get("state") or named["message"].partition(" ")[0]))
    return (named["class"], named["rule"], named["code"], named["message"])


def _urgency(row: _Row) -> tuple[int, str, int, str]:
    return (_RANKS[FATES[row.fate].family], row.entry["expires"] or "9", row.target, row.entry["created"] or "9")


# -- Parts of the page --


def _verdict(document: Document) -> dict[str, Any]:
    """What it means for the one who reads it: a tone and some words, and until when there is time."""
    causes = _words.for_a_person(document)
    open_ones = sum(number for row in causes for name, number in fates_of(row).items() if _needs_a_person(name))
    unseen = sum(fates_of(row).get("unseen", 0) for row in document["causes"])
    first = min((row["expiry"] for row in causes if row["expiry"]), default="")
    if open_ones:
        need = "needs a person" if open_ones == 1 else "need a person"
        words = f"{_words.many(open_ones, 'task')} of {_words.many(len(causes), 'cause')} {need}"
        return {"tone": "person", "words": words, "first": first, "left": first and _words.left(document, first)}
    if document["totals"]["not_worked_on"] or document["held"]:
        return {"tone": "bad", "words": "Not all targets could be worked on", "first": ""}
    if unseen:
        words = f"{_words.many(unseen, 'task')} not seen to end: run it again to see what became of them"
        return {"tone": "way", "words": words, "first": ""}
    return {"tone": "well", "words": "Nothing is left for a person", "first": ""}


def _needs_a_person(fate: str) -> bool:
    return FATES[fate].family in ("bad", "person")


def _tiles(document: Document) -> list[tuple[str, str, int]]:
    """The totals as words, look and number: the usual ones always, the others where there are any."""
    totals = document["totals"]
    done = document["kind"] == "run"
    unseen = totals["accepted"] - totals["recovered"] - totals["failed_again"]
    everything = [
        ("failed", "none", totals["failed"], True),
        ("stopped by a person", "none", totals["stopped"], False),
        ("retried", "way", totals["accepted"], done),
        (FATES["planned"].words, "way", 0 if done else totals["retry"], not done),
        ("recovered", FATES["recovered"].look, totals["recovered"], done),
        ("needed no retry", FATES["healed"].look, totals["healed"], False),
        ("not seen to end", FATES["unseen"].look, unseen, False),
        *((FATES[name].words, FATES[name].look, totals[name], False) for name in ("failed_again", "refused")),
        *((FATES[name].words, FATES[name].look, totals[name], False) for name in ("unknown", "not_attempted", "held")),
        (FATES["left"].words, FATES["left"].look, totals["left"], True),
        (FATES["missing"].words, FATES["missing"].look, totals["missing"], False),
        ("targets not worked on", "bad", totals["not_worked_on"], False),
    ]
    return [(words, look, number) for words, look, number, always in everything if number or always]


def _cards(document: Document) -> dict[str, Any]:
    """One for each cause that leaves something to do, most urgent first."""
    causes = [(number, row) for number, row in enumerate(document["causes"]) if _words.remains(row)]
    return {
        "shown": [_card(document, *one) for one in causes[:_MOST_CAUSES]],
        "more": max(len(causes) - _MOST_CAUSES, 0),
    }


def _card(document: Document, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    target = document["targets"][row["target"]]
    afterwards = _words.afterwards(row)
    return {
        "number": number,
        "title": _words.title(row, 200),
        "remains": _words.remains(row),
        "soon": row["soon"],
        "why": _words.why(row),
        "target": target["name"],
        "service": target["service"],
        "where": _words.where(row, 6, 600),
        "remedy": _words.remedy(row),
        "afterwards": afterwards and f"{afterwards[0].upper()}{afterwards[1:]}.",
        "held": row["held"] and (target["held"] or target["error"] or document["held"]),
        "expiry": row["expiry"],
        "left": row["expiry"] and _words.left(document, row["expiry"]),
        "ids": _words.ids(row),
    }


def _bars(document: Document) -> dict[str, Any]:
    """The largest causes as bars, and one for the others together."""
    causes = sorted(document["causes"], key=lambda row: -row["count"])
    shown = [
        (_words.title(row, 90), document["targets"][row["target"]]["name"], fates_of(row))
        for row in causes[:_MOST_BARS]
    ]
    others = causes[_MOST_BARS:]
    if others:
        parts = [fates_of(row) for row in others]
        together = {name: sum(part.get(name, 0) for part in parts) for name in FATES}
        shown.append(
            (f"{_words.many(len(others), 'other cause')} together", "", {k: v for k, v in together.items() if v})
        )
    longest = max((sum(numbers.values()) for _title, _target, numbers in shown), default=1)
    return {"bars": [_bar(*one, longest) for one in shown], "causes": len(causes)}


def _bar(title: str, target: str, numbers: Mapping[str, int], longest: int) -> dict[str, Any]:
    """Its parts with where they begin and how wide they are, in percent of the longest bar."""
    parts, begin = [], 0.0
    for name, number in numbers.items():
        width = number / longest * 100
        parts.append({"fate": FATES[name], "number": number, "x": round(begin, 3), "width": round(width, 3)})
        begin += width
    return {"title": title, "target": target, "total": sum(numbers.values()), "parts": parts}


def _timeline(document: Document, rows: Sequence[_Row]) -> Timeline | None:
    groups = {"well": "well", "way": "way", "bad": "person", "person": "person", "none": ""}
    dated = [(row.entry["expires"], groups[FATES[row.fate].family]) for row in rows if has_failed(row.entry)]
    return timeline(document["started"], document["expiry_warning"], dated)


def _targets(document: Document) -> dict[str, Any]:
    totals: list[dict[str, int]] = [{} for _target in document["targets"]]
    for row in document["causes"]:
        known = totals[row["target"]]
        for name, number in {**fates_of(row), "count": row["count"]}.items():
            known[name] = known.get(name, 0) + number
    shown = [_target(*one) for one in zip(document["targets"][:_MOST_TARGETS], totals)]
    return {"shown": shown, "more": max(len(totals) - _MOST_TARGETS, 0)}


def _target(target: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    known = {"asked for": _readable(target["selection"]), "requests": target["requests"]}
    return {
        "name": target["name"],
        "about": ", ".join([target["service"] or "service unknown", *_pairs(target["place"])]),
        "read": bool(target["counts"]),
        "count": numbers.get("count", 0),
        "fates": [(FATES[name], numbers[name]) for name in FATES if numbers.get(name)],
        "msg": target["msg"],
        "more": [(name, ", ".join(_pairs(values))) for name, values in known.items() if values],
    }


def _readable(selection: Mapping[str, Any]) -> dict[str, Any]:
    """With its epoch seconds as moments."""
    times = {name: selection[name] for name in ("since", "until") if name in selection}
    return {**selection, **{name: _moment(iso(float(value))) for name, value in times.items() if _is_number(value)}}


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"[0-9]{1,11}(?:\.[0-9]+)?", str(value)) is not None


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} {_plain(value)}" for name, value in values.items()]


def _plain(value: Any) -> str:
    return " or ".join(map(str, value)) or "none" if isinstance(value, (list, tuple)) else str(value)


def _table(document: Document, rows: Sequence[_Row]) -> dict[str, Any]:
    shown = rows[:MOST_TASKS]
    fates, targets = {row.fate for row in shown}, {row.target for row in shown}
    causes = {row.cause for row in shown if row.cause is not None}
    return {
        "tasks": [_task(document, row) for row in shown],
        "tasks_more": len(rows) - len(shown),
        "tasks_all": len(rows),
        "choices": {
            "fate": [(name, fate.words) for name, fate in FATES.items() if name in fates],
            "target": [(number, document["targets"][number]["name"]) for number in sorted(targets)],
            "cause": [(number, _words.title(document["causes"][number], 80)) for number in sorted(causes)],
        },
    }


def _task(document: Document, row: _Row) -> dict[str, Any]:
    entry = row.entry
    target = document["targets"][row.target]
    told = SERVICES[target["service"]].told if target["service"] in SERVICES else ()
    error = entry.get("error") or {}
    said = [error.get("code", ""), error.get("message", "")]
    request = f"(request id {error['request_id']})" if error.get("request_id") else ""
    return {
        "id": entry["id"],
        "place": "/".join(str(value) for name, value in entry["scope"].items() if name not in told),
        "fate": row.fate,
        "reason": _words.clean(entry["reason"], 300),
        "title": _words.title(failure_of(entry), 300) if failure_of(entry) else "",
        "error": " ".join([": ".join(text for text in said if text), request]).strip(),
        "target": row.target,
        "target_name": target["name"],
        "cause": row.cause,
        "expires": entry["expires"],
        "left": entry["expires"] and _words.left(document, entry["expires"]),
    }
