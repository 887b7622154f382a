# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a run: its numbers, its causes, its failures, and its digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.plugin_utils._document import (
    DocumentError,
    Frame,
    Part,
    approved,
    digest,
    document,
    iso,
    seconds_between,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import FAIL_ON
from unit import documents
from unit.documents import BUCKET, BUSY, HOUR, NOBODY, QUOTA, STARTED, entry, result, sent

Path = tuple[Any, ...]


def made(*tasks: Any, kind: str = "run", closed: str = "", expiry_warning: float = 6, **part: Any) -> dict[str, Any]:
    """The document of one target."""
    frame = Frame(kind, STARTED, STARTED + 60, NOBODY, closed, expiry_warning)
    return document(frame, [Part("host", "shop", "sls", result(tasks), **part)])


@pytest.mark.parametrize("name", documents.ALL)
def test_the_numbers_of_a_document_agree(name: str) -> None:
    whole = documents.ALL[name]()
    totals, causes = whole["totals"], whole["causes"]
    for number in ("retry", "left", "held"):
        assert totals[number] == sum(row[number] for row in causes), number
    # Some healed since the plan was approved, and so have no cause.
    drifted = sum(len((target["drift"] or {}).get("healed", ())) for target in whole["targets"])
    assert totals["healed"] == sum(row["healed"] for row in causes) + drifted
    assert totals["failed"] + totals["stopped"] == sum(row["count"] for row in causes)
    assert totals["targets"] == len(whole["targets"])
    for row in causes:
        assert row["count"] == row["retry"] + row["left"] + row["held"] + row["healed"]
        if whole["kind"] == "run":
            assert row["retry"] == sum(row[one] for one in ("accepted", "refused", "unknown", "not_attempted"))
        assert row["recovered"] + row["failed_again"] <= row["accepted"]
        assert row["soon"] <= len(row["task_ids"]) <= row["count"]
    if whole["kind"] == "run":
        for number in ("accepted", "refused", "unknown", "not_attempted", "recovered", "failed_again"):
            assert totals[number] == sum(row[number] for row in causes), number


def test_tasks_that_fail_of_the_same_are_one_cause_and_the_most_urgent_is_first() -> None:
    scope = {"project": "shop", "logstore": "a", "shipper": "x"}
    tasks = [
        *(entry(f"b{n}", BUSY, age=1 + n) for n in range(3)),
        entry("b9", BUSY, age=2, scope=scope),
        *(entry(f"u{n}", BUCKET, age=40 + n) for n in range(2)),
        entry("s", None, age=1, state="paused", expires=None, action="skip"),
    ]
    bucket, busy, paused = made(*tasks, kind="plan")["causes"]
    assert (busy["count"], busy["places"]) == (4, ["a/x", "orders/to-oss"])
    assert (bucket["code"], bucket["soon"]) == ("InvalidOssBucket", 0)
    assert (paused["class"], paused["expiry"], paused["message"]) == ("", "", "paused by a person")
    assert seconds_between(iso(STARTED), bucket["expiry"]) == 7 * HOUR
    assert made(*tasks, kind="plan", expiry_warning=7.0)["causes"][0]["soon"] == 1
    assert made(*tasks, kind="plan", expiry_warning=1e12)["causes"][0]["soon"] == 2


def test_what_recovered_or_healed_does_not_expire() -> None:
    healed: dict[str, Any] = {"action": "none", "state_after": "succeeded"}
    tasks = [
        entry("1", BUSY, age=47, **sent()),
        entry("2", BUSY, age=46, **healed),
        entry("3", BUSY, age=44, **sent("refused")),
    ]
    (row,) = made(*tasks)["causes"]
    assert (row["task_ids"], row["soon"], row["healed"]) == (["3"], 1, 1)
    assert seconds_between(iso(STARTED), row["expiry"]) == 4 * HOUR


@pytest.mark.parametrize("how", [{"closed": "A freeze."}, {"held": "Too many."}, {"error": "Refused."}])
def test_what_was_not_sent_is_held(how: dict[str, Any]) -> None:
    whole = made(entry("1", BUSY, age=1), entry("2", BUSY, age=1), entry("3", BUCKET, age=1), kind="run", **how)
    assert (whole["totals"]["held"], whole["totals"]["retry"], whole["totals"]["left"]) == (2, 0, 1)


ABSENT = entry("4", None, age=1, state="missing", action="none", scope={}, expires=None)
HEALED = entry("5", None, age=1, state="succeeded", action="none")
WELL = "Retried 1 of {} tasks: 1 recovered, 0 failed again, 0 not settled"
DRIFT: dict[str, list[str]] = {"healed": ["5"], "gone": [], "changed": [], "new": []}


@pytest.mark.parametrize(
    ("tasks", "more", "said"),
    [
        ([], {}, "Nothing to do: no task was selected."),
        ([entry("1", BUCKET, age=1)], {}, "Nothing to retry among 1 task; 1 left alone (see causes)."),
        (
            [entry("1", BUSY, age=1), entry("2", BUSY, age=1), entry("3", BUCKET, age=1)],
            {"kind": "preview", "closed": "A freeze."},
            "Would retry 0 of 3 tasks; 1 left alone (see causes), 2 held back.",
        ),
        ([entry("1", BUSY, age=1)], {"kind": "plan", "held": "Too many."}, "Would retry 0 of 1 task; 1 held back."),
        ([entry("1", BUSY, age=1)], {"kind": "plan"}, "Would retry 1 of 1 task."),
        (
            [entry("1", BUSY, age=1), entry("3", BUCKET, age=1)],
            {"closed": "It was not confirmed."},
            "Retried 0 of 2 tasks: 0 recovered, 0 failed again, 0 not settled; 1 left alone (see causes), 1 held back.",
        ),
        (
            [entry("1", BUSY, age=1, **sent()), entry("2", BUSY, age=1, **sent("refused")), ABSENT, HEALED],
            {},
            f"{WELL.format(4)}; 1 refused, 1 needed no retry, 1 not found.",
        ),
        (
            [entry("1", BUSY, age=1, **sent("unknown")), entry("2", BUSY, age=1, **sent("not_attempted"))],
            {"error": "The token expired.", "waited": False},
            "Retried 0 of 2 tasks; 1 of unknown outcome, 1 not attempted.",
        ),
    ],
)
def test_the_numbers_in_the_sentence_of_a_target_add_up(tasks: list[Any], more: dict[str, Any], said: str) -> None:
    (target,) = made(*tasks, **more)["targets"]
    assert target["msg"] == said


def test_what_healed_since_the_plan_is_counted_as_such() -> None:
    sure = entry("6", None, age=1, state="succeeded", action="none")  # it had succeeded when the plan was drawn up
    found = result([entry("1", BUSY, age=1, **sent()), HEALED, sure], drift=DRIFT)
    whole = document(Frame("run", STARTED, STARTED, NOBODY), [Part("host", "shop", "sls", found)])
    said = (
        "Retried 1 of 3 tasks: 1 recovered, 0 failed again, 0 not settled; 1 healed since the plan, 1 needed no retry."
    )
    assert whole["targets"][0]["msg"] == said
    assert whole["totals"]["healed"] == 2


def test_a_cause_says_why_tasks_were_left_alone_that_were_to_be_retried() -> None:
    tasks = [
        entry("1", BUSY, age=1, action="skip", reason="left alone: it is not in the approved plan"),
        entry("2", BUSY, age=1, action="skip", reason="left alone: it is not in the approved plan"),
        entry("3", BUSY, age=1, action="skip", reason="failed (transient): a retry may heal it; left alone: it is new"),
        entry("4", BUSY, age=1, **sent()),
    ]
    assert made(*tasks)["causes"][0]["why"] == "it is not in the approved plan; it is new"
    assert made(entry("1", BUCKET, age=1))["causes"][0]["why"] == ""


def test_a_target_that_is_held_holds_its_own_tasks() -> None:
    frame = Frame("run", STARTED, STARTED, NOBODY)
    parts = [
        Part("a", "a", "sls", result([entry("1", BUSY, age=1)]), held="too many"),
        Part("b", "b", "sls", result([entry("2", BUSY, age=1, **sent())])),
    ]
    totals = document(frame, parts)["totals"]
    assert (totals["held"], totals["retry"], totals["recovered"]) == (1, 1, 1)


def test_what_was_sent_before_an_error_is_told() -> None:
    tasks = entry("1", BUSY, age=1, **sent()), entry("2", BUSY, age=1, outcome="not_attempted")
    whole = made(*tasks, error="The token expired.")
    totals = whole["totals"]
    assert (totals["not_worked_on"], totals["retry"], totals["held"]) == (1, 2, 0)
    assert (totals["recovered"], totals["not_attempted"]) == (1, 1)


REFUSED = entry("1", BUSY, age=1, **sent("refused"))
SPENT = entry("5", {**BUSY, "class": "exhausted"}, age=1, action="retry", **sent("refused"))
ALL_BAD = [REFUSED, entry("2", BUSY, age=1, **sent("unknown")), entry("3", BUSY, age=1, **sent(after="failed"))]
FIRST = "First error: RetryConflict: The task is being retried by someone else (request id 5D2F7A1C)."


@pytest.mark.parametrize(
    ("tasks", "fail_on", "more", "reason"),
    [
        ([entry("1", BUSY, age=1, **sent())], list(FAIL_ON), {}, ""),
        ([], list(FAIL_ON), {}, ""),
        (ALL_BAD, [], {}, ""),
        ([REFUSED], ["refused"], {}, f"of 1 task 1 refused. {FIRST}"),
        (ALL_BAD, ["unknown", "failed_again"], {}, f"of 3 tasks 1 of unknown outcome, 1 failed again. {FIRST}"),
        # That a task is beyond retries is learned by trying one, by each run anew.
        ([SPENT], ["refused"], {}, ""),
        ([SPENT, REFUSED], ["refused"], {}, f"of 2 tasks 1 refused. {FIRST}"),
        ([SPENT], ["left"], {}, f"of 1 task 1 left for a person. {FIRST}"),
        ([ABSENT], ["missing"], {}, "of 1 task 1 not found, or no longer shown"),
        ([entry("1", BUCKET, age=1)], ["left"], {}, "of 1 task 1 left for a person"),
        ([entry("1", BUCKET, age=1)], ["held"], {}, ""),
        ([entry("1", BUSY, age=1)], ["held"], {"held": "Too many."}, "Too many."),
        ([entry("1", BUSY, age=1)], ["left"], {"held": "Too many."}, ""),
        ([entry("1", BUSY, age=1)], [], {"error": "The login was refused."}, "The login was refused."),
    ],
)
def test_what_makes_a_target_fail(tasks: list[Any], fail_on: list[str], more: dict[str, Any], reason: str) -> None:
    failures = made(*tasks, fail_on=fail_on, **more)["failures"]
    assert failures == ([{"target": "shop", "host": "host", "reason": reason}] if reason else [])


def leaves(content: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every value in a document, and to every key."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from leaves(value, (*path, name))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from leaves(value, (*path, number))
    else:
        yield path


def changed(plan: dict[str, Any], path: Path) -> str:
    """The plan with another value there."""
    copy = json.loads(json.dumps(plan))
    place = copy
    for step in path[:-1]:
        place = place[step]
    value = place[path[-1]]
    place[path[-1]] = value + 1 if isinstance(value, (int, float)) else f"{value or ''} "
    return json.dumps(copy)


def test_a_change_of_any_value_is_refused() -> None:
    tasks = [entry("1", BUSY, age=1), entry("2", BUCKET, age=30), entry("3", QUOTA, age=2)]
    plan = made(*tasks, kind="plan")
    assert approved(json.dumps(plan), "plan.json") == plan
    for path in leaves(plan):
        with pytest.raises(DocumentError):
            approved(changed(plan, path), "plan.json")


def test_something_more_or_less_is_refused() -> None:
    plan = documents.plan()
    more = {**plan, "note": ""}
    less = {name: value for name, value in plan.items() if name != "by"}
    fewer = {**plan, "targets": plan["targets"][1:]}
    turned = {**plan, "targets": plan["targets"][::-1]}
    for one in (more, less, fewer, turned):
        with pytest.raises(DocumentError, match="was changed after it was written"):
            approved(json.dumps(one), "plan.json")


def test_the_order_of_keys_white_space_and_spelling_do_not_matter() -> None:
    plan = documents.plan()
    turned = dict(sorted(plan.items(), reverse=True))
    for text in (
        json.dumps(plan, indent=7),
        json.dumps(turned, separators=(",", ":")),
        json.dumps(plan, ensure_ascii=False),
        f"\n {json.dumps(plan, ensure_ascii=True)}\n\n",
    ):
        assert approved(text, "plan.json", plan["digest"]) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no plan: it is not JSON"),
        ("{", "holds no plan: it is not JSON"),
        ("[" * 100_000, "holds no plan"),
        ("[]", "holds no plan of redrive.tasks. Draw one up with redrive.tasks.plan."),
        ('"redrive.tasks.report"', "holds no plan of redrive.tasks"),
        ('{"format": "other"}', "holds no plan of redrive.tasks"),
        ('{"format": "redrive.tasks.report", "version": 2}', "by another version of redrive.tasks (format 2, here 1)"),
        ('{"format": "redrive.tasks.report", "version": 1}', "was changed after it was written"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as raised:
        approved(text, "plan.json")
    assert str(raised.value).startswith("plan.json ")
    assert said in str(raised.value)


@pytest.mark.parametrize("more", [{}, {"targets": None}, {"targets": [7]}, {"targets": [{"name": "shop"}]}])
def test_a_plan_that_somebody_made_up_is_refused(more: dict[str, Any]) -> None:
    content = {"format": "redrive.tasks.report", "version": 1, "kind": "plan", **more}
    with pytest.raises(DocumentError, match="its targets are not whole"):
        approved(json.dumps({**content, "digest": digest(content)}), "plan.json")


def test_a_plan_is_refused_where_another_one_was_approved() -> None:
    plan, other = documents.plan(), documents.preview()
    assert approved(json.dumps(other), "plan.json", other["digest"])["kind"] == "preview"
    with pytest.raises(DocumentError, match="is not the plan that was approved: its digest is sha256:"):
        approved(json.dumps(plan), "plan.json", other["digest"])


def test_the_report_of_a_run_is_no_plan() -> None:
    with pytest.raises(DocumentError, match="is the report of a run, and no plan"):
        approved(json.dumps(documents.run()), "report.json")
