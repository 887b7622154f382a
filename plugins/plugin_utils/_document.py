# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The one document that a plan file, a report in JSON, Markdown and HTML, and the lines on screen are made of. Pure.

Its shape is published as roles/report/files/report.schema.json.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._result import first_error, sentence
from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import (
    Entry,
    cause_of,
    failure_of,
    has_failed,
    has_healed,
    has_recovered,
    is_beyond_retries,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import FAIL_ON

Document = Mapping[str, Any]

FORMAT = "redrive.tasks.report"
VERSION = 1
# What of a target is needed to apply a plan.
_PART_OF_A_PLAN = {"name", "host", "service", "place", "error", "held", "selection", "tasks"}
OUTCOMES = ("accepted", "refused", "unknown", "not_attempted")
# What a reason says before it says why a decision to retry was taken back.
_TAKEN_BACK = "left alone: "


class DocumentError(Exception):
    """Why a plan file cannot be used, and what to do."""


class Part(NamedTuple):
    """What is known of one target.

    :ivar result: what the last of its modules returned; empty when none did
    :ivar error: why it could not be worked on, or empty
    :ivar held: why a guard rail kept it from being retried, or empty
    :ivar fail_on: which outcomes of it are failures
    :ivar waited: whether the outcome of its retries was waited for
    """

    host: str
    name: str
    service: str
    result: Mapping[str, Any]
    error: str = ""
    held: str = ""
    fail_on: Sequence[str] = ()
    waited: bool = True


class Frame(NamedTuple):
    """What is known of the run. Times are epoch seconds.

    :ivar kind: plan, preview or run
    :ivar by: who and why, see the schema
    :ivar held: why nothing at all was retried, or empty
    :ivar expiry_warning: hours
    """

    kind: str
    started: float
    ended: float
    by: Mapping[str, str]
    held: str = ""
    expiry_warning: float = 6


def document(frame: Frame, parts: Sequence[Part]) -> dict[str, Any]:
    """The document of a run."""
    causes = [row for number, part in enumerate(parts) for row in _causes(number, part, frame)]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "kind": frame.kind,
        "started": iso(frame.started),
        "ended": iso(frame.ended),
        "by": dict(frame.by),
        "held": frame.held,
        "expiry_warning": frame.expiry_warning,
        "totals": _totals(parts, causes),
        "targets": [_target(part, frame) for part in parts],
        "causes": sorted(causes, key=lambda row: (row["expiry"] or "9", -row["count"])),
        "failures": [
            {"target": part.name, "host": part.host, "reason": reason}
            for part in parts
            for reason in [_failure(part)]
            if reason
        ],
    }
    return {**content, "digest": digest(content)}


def iso(moment: float) -> str:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(content: Document) -> str:
    """Of everything but the digest itself, in the one order and spelling that JSON leaves to choose."""
    kept = {name: value for name, value in content.items() if name != "digest"}
    plain = json.loads(json.dumps(kept), parse_float=_number)
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _number(text: str) -> float | int:
    """6.0 and 6 are the same number, and some tools write one for the other."""
    read = float(text)
    return int(read) if read.is_integer() else read


def approved(text: str, file: str, expected: str = "") -> Document:
    """The plan in a file.

    :param expected: the digest that was approved, where it is known
    :raises DocumentError: the text is no plan, or it was changed
    """
    try:
        plan = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise DocumentError(f"{file} holds no plan: it is not JSON ({exc}). Draw up a new plan.") from exc
    if not isinstance(plan, dict) or plan.get("format") != FORMAT:
        raise DocumentError(f"{file} holds no plan of redrive.tasks. Draw one up with redrive.tasks.plan.")
    if plan.get("version") != VERSION:
        raise DocumentError(
            f"{file} was written by another version of redrive.tasks (format {plan.get('version')}, here {VERSION})."
            " Draw up a new plan."
        )
    actual = digest(plan)
    if plan.get("digest") != actual:
        raise DocumentError(f"{file} was changed after it was written: its digest does not fit. Draw up a new plan.")
    if expected and expected != actual:
        raise DocumentError(
            f"{file} is not the plan that was approved: its digest is {actual}, approved was {expected}."
        )
    _check_plan(plan, file)
    return plan


def _check_plan(plan: Document, file: str) -> None:
    """Return if the document is a plan that approves something.

    :raises DocumentError: it is not
    """
    parts = plan.get("targets")
    if not (isinstance(parts, list) and all(isinstance(part, dict) and set(part) >= _PART_OF_A_PLAN for part in parts)):
        raise DocumentError(f"{file} holds no plan of redrive.tasks: its targets are not whole. Draw up a new plan.")
    if plan.get("held"):
        raise DocumentError(f"{file} approves nothing: {plan['held']} Draw up a new plan.")
    if plan.get("kind") == "run":
        raise DocumentError(f"{file} is the report of a run, and no plan. Draw one up with redrive.tasks.plan.")


def _target(part: Part, frame: Frame) -> dict[str, Any]:
    result = part.result
    counts = result.get("counts", {})
    return {
        "name": part.name,
        "host": part.host,
        "service": part.service,
        "place": result.get("place", {}),
        "error": part.error,
        "held": part.held,
        "msg": _sentence(part, frame) if counts else "",
        "counts": counts,
        "problems": result.get("problems", {}),
        "requests": result.get("requests", {}),
        "warnings": result.get("warned", []),
        "selection": result.get("selection", {}),
        "drift": result.get("drift"),
        "tasks": result.get("tasks", []),
    }


def _sentence(part: Part, frame: Frame) -> str:
    """What became of a target that was read, in one sentence whose numbers add up."""
    counts, preview = part.result["counts"], frame.kind != "run"
    held = sum(_is_held(entry) for entry in part.result["tasks"]) if _holds(part, frame) else 0
    healed = len((part.result.get("drift") or {}).get("healed", ()))
    said = sentence({**counts, "skip": 0}, check_mode=preview, waited=part.waited).rstrip(".")
    if held and preview:
        selected = counts["selected"]
        said = f"Would retry {counts['retry'] - held} of {selected} task{'' if selected == 1 else 's'}"
    others = {
        "left alone (see causes)": counts["skip"],
        "held back": held,
        "refused": counts["refused"],
        "of unknown outcome": counts["unknown"],
        "not attempted": counts["not_attempted"],
        "healed since the plan": healed,
        "needed no retry": counts["none"] - healed,
        "not found": counts["missing"],
    }
    more = ", ".join(f"{number} {words}" for words, number in others.items() if number > 0)
    return f"{said}; {more}." if more else f"{said}."


def _holds(part: Part, frame: Frame) -> bool:
    """Whether something kept tasks of the target from being retried."""
    return bool(part.held or part.error or frame.held)


def _is_held(entry: Entry) -> bool:
    """Whether a task was kept from being retried, where something does so."""
    return entry["action"] == "retry" and entry["outcome"] in ("none", "planned")


def _causes(number: int, part: Part, frame: Frame) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in part.result.get("tasks", []):
        if has_failed(entry):
            groups.setdefault(cause_of(entry), []).append(entry)
    held = _holds(part, frame)
    soon = iso(min(frame.started + frame.expiry_warning * 3600, 253_402_300_799))
    told = SERVICES[part.service].told if part.service in SERVICES else ()
    return [_cause(number, group, held=held, soon=soon, told=told) for group in groups.values()]


def _cause(number: int, group: Sequence[Entry], *, held: bool, soon: str, told: Sequence[str]) -> dict[str, Any]:
    first = group[0]
    retried = [one for one in group if one["action"] == "retry" and not (held and _is_held(one))]
    open_ones = [one for one in group if not (has_healed(one) or has_recovered(one))]
    expiries = sorted(one["expires"] for one in open_ones if one.get("expires"))
    places = {"/".join(str(value) for name, value in one["scope"].items() if name not in told) for one in group}
    return {
        "target": number,
        **(failure_of(first) or _stopped(first["state"])),
        "why": _why(group),
        "count": len(group),
        "retry": len(retried),
        "left": sum(one["action"] != "retry" and not has_healed(one) for one in group),
        "held": sum(one["action"] == "retry" for one in group) - len(retried),
        "healed": sum(has_healed(one) for one in group),
        **{outcome: sum(one["outcome"] == outcome for one in retried) for outcome in OUTCOMES},
        "recovered": sum(has_recovered(one) for one in retried),
        "failed_again": sum(one.get("state_after") == "failed" and one["outcome"] == "accepted" for one in retried),
        "oldest": min((one["created"] for one in group if one.get("created")), default=""),
        "expiry": expiries[0] if expiries else "",
        "soon": sum(moment <= soon for moment in expiries),
        "places": sorted(place for place in places if place),
        "task_ids": [one["id"] for one in open_ones],
    }


def _why(group: Sequence[Entry]) -> str:
    """Why tasks are left alone that were to be retried; empty where there are none."""
    reasons = (one["reason"].partition(_TAKEN_BACK)[2] for one in group if one["action"] == "skip")
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def _stopped(state: str) -> dict[str, str]:
    """In the place of a failure, for tasks that did not fail."""
    return {
        "class": "",
        "rule": "",
        "code": "",
        "message": f"{state} by a person",
        "remedy": f"Ask who stopped it. If it is to go on, run again with include_{state}: true.",
    }


def _totals(parts: Sequence[Part], causes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    def rows(name: str, *, stopped: bool | None = None) -> int:
        return sum(row[name] for row in causes if stopped is None or (not row["class"]) is stopped)

    def counts(kind: str, name: str) -> int:
        return sum(part.result.get(kind, {}).get(name, 0) for part in parts)

    return {
        "targets": len(parts),
        "not_worked_on": sum(bool(part.error) for part in parts),
        "held": rows("held"),
        "failed": rows("count", stopped=False),
        "stopped": rows("count", stopped=True),
        "retry": rows("retry"),
        "left": rows("left"),
        # Also those that no longer count as failed, and so have no cause.
        "healed": sum(has_healed(entry) for part in parts for entry in part.result.get("tasks", ())),
        **{
            name: counts("counts", name)
            for name in (*OUTCOMES, "recovered", "failed_again", "still_running", "missing")
        },
        "timed_out": counts("problems", "timed_out"),
    }


def _failure(part: Part) -> str:
    """Why the play fails for this target; empty when it does not."""
    if part.error:
        return part.error
    if part.held and "held" in part.fail_on:
        return part.held
    counts, problems = part.result.get("counts", {}), part.result.get("problems", {})
    # That a task is beyond retries is learned by trying one, each time anew: then it is left for a person like others.
    beyond = sum(is_beyond_retries(one) for one in part.result.get("tasks", ()))
    refused, left = problems.get("refused", 0) - beyond, counts.get("skip", 0) + beyond
    numbers = {**counts, **problems, "refused": refused, "left": left, "held": 0}
    hits = [f"{numbers[name]} {words}" for name, words in FAIL_ON.items() if name in part.fail_on and numbers.get(name)]
    if not hits:
        return ""
    selected = counts["selected"]
    first = "".join(f". First error: {error}" for error in first_error(part.result["tasks"]))
    return f"of {selected} task{'' if selected == 1 else 's'} {', '.join(hits)}{first}"


def seconds_between(earlier: str, later: str) -> int:
    """Of two moments of a document."""
    return int((_moment(later) - _moment(earlier)) / timedelta(seconds=1))


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
