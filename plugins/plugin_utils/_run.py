# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What the roles have noted in the variables of the hosts of a play, as one document. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Frame, Part, document

Variables = Mapping[str, Any]
"""Those of one host."""

# How the roles register what their actions return.
_FOUND = "plan_found"
_DONE = "remediate_done"
_NO_REASON = "The retry failed, and no reason was given. Run again in check mode to see the states."
_NOT_LOOKED_AT = "It was not looked at: its host failed before, or its redrive_target is no mapping."


# What holds for all hosts of a play. Where a group sets it for its own hosts only, it would hold for none or for all.
RUN_WIDE = (
    *("plan_max_total", "plan_max_percent", "plan_expiry_warning", "plan_approved", "plan_approved_digest"),
    *("remediate_dry_run", "remediate_confirm", "remediate_window", "remediate_freeze", "remediate_timezone"),
    *("report_json", "report_markdown", "report_html", "report_user", "report_reason", "report_fail_on"),
)


def differing(hosts: Mapping[str, Variables]) -> str:
    """Which of those variables differs between hosts, in words; empty when none does."""
    for name in RUN_WIDE:
        values = [known.get(name) for known in hosts.values()]
        others = [host for host, value in zip(hosts, values) if value != values[0]]
        if others:
            return f"{name} of {others[0]} is not that of {next(iter(hosts))}"
    return ""


def found_by(known: Variables) -> Mapping[str, Any]:
    """What role plan has found for a host; empty when it did not come to that."""
    found: Mapping[str, Any] = known.get(_FOUND) or {}
    return found


def document_of(
    hosts: Mapping[str, Variables],
    frame: Frame,
    *,
    held: Mapping[str, str],
    fail_on: Sequence[str] = (),
) -> dict[str, Any]:
    """The document of all hosts, less those whose service was not asked for.

    :param frame: its beginning is put back to the first look
    :param held: by host, why a guard rail kept it from being retried
    :param fail_on: for targets that say nothing themselves
    """
    asked = {host: known for host, known in hosts.items() if not found_by(known).get("skipped")}
    parts = [_part(host, known, held.get(host, ""), fail_on) for host, known in asked.items()]
    begun = [found_by(known)["started"] for known in asked.values() if "started" in found_by(known)]
    return document(frame._replace(started=min(begun, default=frame.started)), parts)


def _part(host: str, known: Variables, held: str, fail_on: Sequence[str]) -> Part:
    found = found_by(known)
    done: Mapping[str, Any] = known.get(_DONE) or {}
    if done.get("skipped") or done.get("started", found.get("started")) != found.get("started"):
        done = {}  # or of an earlier play
    result = done if "tasks" in done else found if "tasks" in found else {}
    own = found.get("fail_on")
    return Part(
        host=host,
        name=found.get("name", host),
        service=found.get("service", ""),
        result=result,
        error=_error(found, done),
        held=held,
        fail_on=fail_on if own is None else own,
        waited=done.get("waited", True),
    )


def _error(found: Mapping[str, Any], done: Mapping[str, Any]) -> str:
    if "tasks" not in found:
        return str(found.get("msg") or _NOT_LOOKED_AT)
    return str(done.get("error") or (done.get("msg") or _NO_REASON if done.get("failed") else ""))


def author_of(variables: Variables, user: str, reason: str) -> dict[str, str]:
    """Who runs it, and why: as AWX and automation controller tell, else as the roles do."""

    def told(name: str) -> str:
        values = (variables.get(f"{prefix}_{name}") for prefix in ("awx", "tower"))
        return next((str(value) for value in values if value), "")

    return {
        "user": told("user_name") or user,
        # A slice, and a job of a workflow, are told the schedule of what they belong to.
        "schedule": told("schedule_name") or told("parent_job_schedule_name"),
        "job": told("job_id"),
        "template": told("job_template_name"),
        "reason": reason.strip(),
    }
