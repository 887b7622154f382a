# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents as a run makes them, for tests of what is made of a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Frame, Part, document, iso
from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import recount

Document = dict[str, Any]
Entry = dict[str, Any]

STARTED = datetime(2026, 11, 23, 2, 2, 3, tzinfo=timezone.utc).timestamp()
HOUR = 3600.0
SHOWN = 48 * HOUR
"""How long the service of most tasks here shows them."""

NOBODY = {"user": "", "schedule": "", "job": "", "template": "", "reason": ""}
NIGHTLY = {
    "user": "ansible",
    "schedule": "every night",
    "job": "4711",
    "template": "Redrive failed tasks",
    "reason": "OSS had an outage, ticket 42",
}

Failure = dict[str, str]


def failure(kind: str, code: str, message: str, remedy: str = "") -> Failure:
    """What is known of why a task failed. `kind` is its class."""
    return {"class": kind, "rule": f"some.{kind}", "code": code, "message": message, "remedy": remedy}


BUSY = failure(
    "transient",
    "InternalServerError",
    "OSS answered with an internal error.",
    "The service failed by its own fault. A retry now only brings forward what it does by itself.",
)
QUOTA = failure("transient", "ODPSError", "ODPS-0110999: FlowExceeded, quota of write flow is used up", "Wait.")
BUCKET = failure(
    "fix",
    "InvalidOssBucket",
    "The bucket shop-audit does not exist.",
    "The OSS bucket named in the shipping rule is missing, misspelt or in another region than the project. Correct the"
    " rule or create the bucket in the project's region, then retry.",
)
GONE_BUCKET = {**BUCKET, "message": "The bucket shop-orders does not exist."}
ROLE = failure(
    "fix",
    "UnAuthorized",
    "The role does not allow the service to write.",
    "The RAM role of the shipping rule may not write to the target. Check that its trust policy names the service and"
    " that it may write. Then retry.",
)
NEW = failure("unclassified", "Mystery", "The flux capacitor of partition 7 is misaligned.")
LATE = failure(
    "gone", "ODPSError", "the data is older than 14 days", "It cannot be shipped any more. Export it by hand."
)


def entry(name: str, why: Failure | None, *, age: float, scope: Mapping[str, str] | None = None, **more: Any) -> Entry:
    """One task as a module returns it.

    :param age: hours
    :param more: what differs from a task that failed and is left alone
    """
    retried = why is not None and why["class"] in ("transient", "unclassified")
    kind = why["class"] if why else ""
    created = STARTED - age * HOUR
    return {
        "id": name,
        "scope": dict(scope or {"project": "shop", "logstore": "orders", "shipper": "to-oss"}),
        "status": "fail",
        "state": "failed",
        "created": iso(created),
        "expires": iso(created + SHOWN),
        "action": "retry" if retried else "skip",
        "reason": f"failed ({kind}): a retry may heal it" if retried else f"failed ({kind}), not among retry_classes",
        "outcome": "none",
        **({"failure": dict(why)} if why else {}),
        **more,
    }


def sent(outcome: str = "accepted", after: str = "succeeded", again: Failure | None = None) -> Entry:
    """What came of a retry; `again` is why it failed again, where it did."""
    known: Entry = {"outcome": outcome}
    if outcome == "accepted":
        known.update(state_after=after, recovered=after == "succeeded")
        if after == "failed":
            known["failure_after"] = dict(again or BUSY)
    elif outcome == "refused":
        said = "The task is being retried by someone else."
        known["error"] = {"code": "RetryConflict", "message": said, "request_id": "5D2F7A1C"}
    elif outcome == "unknown":
        known["error"] = {"code": "", "message": "No reply came within 30 seconds.", "request_id": ""}
    return known


def result(tasks: Sequence[Entry], **more: Any) -> dict[str, Any]:
    """What the modules returned for a target."""

    def number(name: str, value: str) -> int:
        return sum(one.get(name) == value for one in tasks)

    recovered = sum(bool(one.get("recovered")) for one in tasks)
    accepted = [one for one in tasks if one["outcome"] == "accepted"]
    counts = {
        "found": len(tasks) + 40,
        **{name: number("outcome", name) for name in ("accepted", "refused", "unknown", "not_attempted")},
        "recovered": recovered,
        "failed_again": sum(one.get("state_after") == "failed" for one in accepted),
        "still_running": sum(one.get("state_after") in ("running", "waiting") for one in accepted),
    }
    done: dict[str, Any] = {
        "tasks": list(tasks),
        "counts": recount(counts, tasks),
        "problems": {name: counts[name] for name in ("refused", "unknown", "not_attempted", "failed_again")},
        "requests": {"sent": 31, "repeated": 2, "throttled": 1, "seconds": 12.5},
        "msg": f"Retried {len(accepted)} of {len(tasks)} tasks: {recovered} recovered.",
        "selection": {"since": str(STARTED - SHOWN), "retry_classes": ["transient", "unclassified"]},
        "place": {"region": "cn-hangzhou", "project": "shop"},
        "warned": [],
        "drift": None,
    }
    return {**done, **more}


_AUDIT = {"project": "shop", "logstore": "audit", "shipper": "audit-to-oss"}
_LOGINS = {"project": "shop", "logstore": "logins", "shipper": "logins-to-oss"}
_INVOICES = {"project": "shop", "logstore": "invoices", "shipper": "to-maxcompute"}
_PHONE = {"phone": "Pixel 7, Lisbon"}


def _front(*, done: bool) -> list[Entry]:
    """The tasks of the target with most of them, before and after a run."""
    well, badly = (sent(), sent(after="failed", again=GONE_BUCKET)) if done else ({}, {})
    return [
        *(entry(f"9c1f-{n:04d}", BUSY, age=1 + n / 9, **well) for n in range(126)),
        *(entry(f"9c2f-{n:04d}", BUSY, age=46.2 + n / 9, **well) for n in range(10)),
        *(entry(f"9c3f-{n:04d}", BUSY, age=3, **badly) for n in range(6)),
        *(entry(f"a7d0-{n:04d}", BUCKET, age=12 + n * 0.85, scope=_AUDIT) for n in range(40)),
        *(entry(f"b8e1-{n:04d}", ROLE, age=20 + n, scope=_LOGINS) for n in range(9)),
    ]


def _ledger(*, done: bool) -> list[Entry]:
    well = sent() if done else {}
    slow = sent(after="running") if done else {}
    refused, unsaid = (sent("refused"), sent("unknown")) if done else ({}, {})
    return [
        *(entry(f"c0{n:03d}", QUOTA, age=n / 11, scope=_INVOICES, **well) for n in range(68)),
        *(entry(f"c1{n:03d}", QUOTA, age=6, scope=_INVOICES, **slow) for n in range(4)),
        *(entry(f"c2{n:03d}", QUOTA, age=7, scope=_INVOICES, **refused) for n in range(2)),
        entry("c3000", QUOTA, age=7.5, scope=_INVOICES, **unsaid),
        *(entry(f"c4{n:03d}", NEW, age=1 + n / 3, scope=_INVOICES, **well) for n in range(11)),
        *(entry(f"c5{n:03d}", LATE, age=30 + n, scope=_INVOICES) for n in range(3)),
    ]


def _phones() -> list[Entry]:
    """Tasks that a person stopped, and one that nobody knows."""
    stopped: Entry = {"state": "cancelled", "status": "7", "expires": None, "scope": _PHONE}
    asked = "cancelled by a person: left alone unless you ask for it"
    absent: Entry = {"state": "missing", "status": "", "scope": {}, "created": None, "expires": None, "action": "none"}
    return [
        *(entry(f"5302{n:02d}", None, age=9 + n, **{**stopped, "action": "skip", "reason": asked}) for n in range(5)),
        entry("999999", None, age=0, **{**absent, "reason": "the id is unknown, or no longer shown"}),
    ]


def _parts(*, done: bool) -> list[Part]:
    where = {"region": "cn-hangzhou", "project": "ledger"}
    warned = ["Clock of the service and of this machine differ by 40 s."]
    return [
        Part("shop", "shop front", "sls", result(_front(done=done))),
        Part("ledger", "ledger", "sls", result(_ledger(done=done), place=where, warned=warned)),
        Part("phones", "cloud phones", "geelark", result(_phones(), place={})),
        Part(
            "databases",
            "databases",
            "drs",
            {},
            error="The login was refused (IAM.0011, request id 4f1c): check OS_PASSWORD, then run again.",
        ),
    ]


def _frame(kind: str, **more: Any) -> Frame:
    return Frame(kind, STARTED, STARTED + 754, NIGHTLY)._replace(**more)


def run() -> Document:
    """A real run over four targets, of which one could not be worked on."""
    return document(_frame("run"), [part._replace(fail_on=("refused", "failed_again")) for part in _parts(done=True)])


def preview() -> Document:
    """The same in check mode."""
    return document(_frame("preview"), _parts(done=False))


def plan() -> Document:
    """The same as a plan."""
    return document(_frame("plan", by={**NOBODY, "user": "ops"}), _parts(done=False))


def calm() -> Document:
    """A run after which nothing is left to do."""
    tasks = [entry(f"{n}", BUSY, age=n + 1, **sent()) for n in range(7)]
    healed: Entry = {"action": "none", "state_after": "succeeded", "reason": "healed by itself"}
    tasks += [entry(f"1{n}", BUSY, age=n + 1, **healed) for n in range(2)]
    return document(_frame("run"), [Part("shop", "shop front", "sls", result(tasks))])


def held() -> Document:
    """A run that sent nothing: one target was held back by a guard rail, all by the calendar."""
    parts = _parts(done=False)
    reason = "251 tasks of all targets would be retried, but plan_max_total allows 100, so nothing was retried."
    parts[0] = parts[0]._replace(held=reason, fail_on=("held",))
    closed = "Nothing was retried, because it is outside of the window of change (22:00 to 05:00, UTC)."
    return document(_frame("run", held=closed), parts)


def applied() -> Document:
    """A run of an approved plan, with all kinds of drift."""
    tasks = [
        *(entry(f"{n}", BUSY, age=4, **sent()) for n in range(12)),
        entry(
            "12",
            None,
            age=5,
            state="succeeded",
            status="success",
            action="none",
            reason="nothing to do: it is succeeded",
        ),
        entry("13", BUCKET, age=5, reason="left alone: it is not as it was when the plan was approved"),
        entry("14", NEW, age=0.1, action="skip", reason="left alone: it is not in the approved plan"),
    ]
    drift = {"healed": ["12"], "gone": ["15", "16"], "changed": ["13"], "new": ["14"]}
    return document(_frame("run"), [Part("shop", "shop front", "sls", result(tasks, drift=drift))])


def closed(kind: str) -> Document:
    """All is held back, by the calendar."""
    tasks = [entry(f"{n}", BUSY if n < 4 else BUCKET, age=1 + n) for n in range(7)]
    return document(_frame(kind, held="It is a freeze."), [Part("shop", "shop front", "sls", result(tasks))])


def canary() -> Document:
    """A run over two targets of one name. In one, the task that was tried first failed again."""
    alone: Entry = {
        "action": "skip",
        "reason": "left alone: the task of this cause that was tried first (n0) failed again",
    }
    first = entry("n0", NEW, age=45, **sent(after="failed", again=NEW))
    held = [first, *(entry(f"n{n}", NEW, age=46, **alone) for n in range(1, 5))]
    well = [entry(f"{n}", BUSY, age=1, **sent()) for n in range(2)]
    return document(_frame("run"), [Part("a", "dup", "sls", result(held)), Part("b", "dup", "sls", result(well))])


def empty() -> Document:
    """No target at all."""
    return document(Frame("run", STARTED, STARTED, NOBODY), [])


def hostile(text: str, kind: str = "run") -> Document:
    """Every text that is not our own, and some that are, is `text`."""
    why = failure("fix", text, text, text)
    scope = {text: text}
    error = {"code": text, "message": text, "request_id": text}
    common: Entry = {"scope": scope, "status": text, "reason": text}
    tasks = [
        entry(text, why, age=1, **{**common, "reason": f"left alone: {text}"}),
        entry(f"{text}2", why, age=2, **{**common, "action": "retry", "outcome": "refused", "error": error}),
        entry(f"{text}3", why, age=3, **{**common, "action": "retry", **sent(after="failed", again=why)}),
    ]
    more = {
        "place": scope,
        "msg": text,
        "warned": [text],
        "selection": {text: text, "codes": [text]},
        "drift": {"healed": [text], "gone": [text], "changed": [text], "new": [text]},
    }
    by = dict.fromkeys(NOBODY, text)
    parts = [
        Part(text, text, text, result(tasks, **more), held=text, fail_on=("held",)),
        Part(text, text, "sls", {}, error=text),
    ]
    return document(_frame(kind, by=by, held=text), parts)


def large(tasks: int = 20_000, causes: int = 60) -> Document:
    """So many tasks, failed of so many things, in ten targets. A quarter is left for a person."""
    reasons = [
        failure(
            "fix" if n % 4 == 0 else "transient", f"Code{chr(65 + n // 26)}{chr(65 + n % 26)}", "It broke.", "Mend it."
        )
        for n in range(causes)
    ]
    each = tasks // 10

    def one(number: int) -> Entry:
        why = reasons[number % causes]
        return entry(f"{number:07d}", why, age=number % 470 / 10, **(sent() if why["class"] == "transient" else {}))

    parts = [
        Part(f"host{n}", f"target {n}", "sls", result([one(number) for number in range(n * each, (n + 1) * each)]))
        for n in range(10)
    ]
    return document(_frame("run"), parts)


ALL = {
    "run": run,
    "preview": preview,
    "plan": plan,
    "calm": calm,
    "held": held,
    "applied": applied,
    "empty": empty,
}
"""By name, those that are neither hostile nor large."""
