# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook and its roles, as a user runs them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from local_cloud import faults
from local_cloud.testing import LocalCloud
from modules.services import SECRET

OSS: dict[str, Any] = {"code": "InternalServerError", "message": "OSS answered with an internal error."}
ROLE: dict[str, Any] = {"code": "UnAuthorized", "message": "The role may not write."}
TOKEN_ID, TOKEN_SECRET, TOKEN = "STS.testTemporary", "canary-sts-secret-77aa", "canary-token-31337/with+chars=="


def assert_preview(check: Any) -> None:
    """Every word holds for a run that sent nothing."""
    assert "PREVIEW" in check.plan
    assert "14 would be retried, 5 left for a person." in check.plan
    assert "Nothing failed." in check.plan
    assert re.search(
        r"^ +5 left for a person: UnAuthorized: .*\n +Where: audit/audit-to-oss\n +To do: .", check.plan, re.MULTILINE
    )
    assert "A real run would retry 14 of 19 failed tasks." in check.summary
    assert check.result["kind"] == check.document["kind"] == "preview"
    assert check.report.startswith("# Failed tasks: preview of a run in check mode")
    assert "**Preview: nothing was retried.**" in check.report
    said = check.report + check.summary + check.plan
    assert not re.search("recovered|failed again|were retried", said, re.IGNORECASE)


def test_check_mode_tells_what_the_real_run_then_does_and_a_third_run_is_quiet(
    cloud: LocalCloud, playbook: Any, tmp_path: Path
) -> None:
    heals = cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=12, **OSS)
    mystery = cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=2, code="Mystery", message="Hm.")
    cloud.world.add_shipper("shop", "audit", "audit-to-oss").add_tasks(count=5, **ROLE)
    targets = playbook.target("shop"), playbook.target("shop", name="nothing here", logstore="audit", since="1m")

    check = playbook(*targets, options=("--check",))
    assert check.code == 0, check.output
    assert cloud.changes() == []
    assert_preview(check)
    assert not (tmp_path / "report.md").exists()

    real = playbook(*targets)
    assert real.code == 0, real.output
    assert cloud.executed() == Counter([*heals, *mystery])
    assert "14 will be retried, 5 left for a person." in real.plan
    assert "14 of 19 failed tasks retried: 14 recovered, 0 failed again" in real.summary
    assert "14 of 19 failed tasks retried: 14 recovered" in real.report
    assert [(one["retry"], one["skip"]) for one in check.counts] == [(one["retry"], one["skip"]) for one in real.counts]
    assert check.totals["retry"] == real.totals["retry"] == 14
    assert check.changed == real.changed > 0

    third = playbook(*targets[:1])
    assert third.code == 0, third.output
    assert third.changed == 0
    assert cloud.executed() == Counter([*heals, *mystery])
    assert "5 failed tasks in 1 target: 0 will be retried, 5 left for a person." in third.plan
    assert "What a person must do" in third.report


def test_bad_targets_are_named_and_do_not_keep_the_others_from_being_worked_on(
    cloud: LocalCloud, playbook: Any
) -> None:
    ids = cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=3, **OSS)
    played = playbook(
        playbook.target("no-such-project", name="first"),
        playbook.target("shop", name="wrong secret", access_key_secret="not-the-secret"),
        playbook.target("shop", name="misspelt option", shiper="to-oss"),
        playbook.target("shop", name="unknown service", service="s3"),
        playbook.target(None, name="no project"),
        playbook.target("shop", name="last"),
    )
    assert played.code == 2
    assert cloud.executed() == Counter(ids)
    assert played.totals["not_worked_on"] == 5
    assert played.totals["recovered"] == 3
    failures = "; ".join(played.failures)
    for name, reason in (
        ("first", "ProjectNotExist"),
        ("wrong secret", "SignatureNotMatch"),
        ("misspelt option", "shiper"),
        ("unknown service", "unknown service s3. Set its service to one of: cls, drs, geelark, sls."),
        ("no project", "project"),
    ):
        for text in (failures, played.plan, played.summary, played.report.replace("\\_", "_")):
            assert re.search(rf"{name}:?\s.*{reason}", text), (name, text)
    assert "last" not in failures
    at_the_end = played.output.partition(" : Fail when something did not end well]")[2].replace('\\"', '"')
    assert [one for one in played.failures if f'"msg": "{one}"' not in at_the_end] == []


def test_a_throttled_target_is_retried_once_also_with_an_inventory_that_names_localhost(
    cloud: LocalCloud, playbook: Any
) -> None:
    ids = cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=11, **OSS)
    cloud.faults.add(faults.throttle("RetryShipperTask", times=2), faults.throttle("GetShipperStatus"))
    played = playbook(playbook.target("shop"), options=("-i", "localhost,"))
    assert played.code == 0, played.output
    assert cloud.summary()["throttled"] == 3
    assert cloud.executed() == Counter(ids)
    assert played.totals["recovered"] == 11


def test_bad_outcomes_fail_the_play_at_the_end_with_counts_and_the_first_error(
    cloud: LocalCloud, playbook: Any
) -> None:
    cloud.world.add_shipper("shop", "orders", "again").add_tasks(count=2, then="fail", **OSS)
    cloud.world.add_shipper("shop", "orders", "stuck").add_tasks(count=3, then="stay", **OSS)
    cloud.world.add_shipper("shop", "orders", "refused").add_tasks(count=4, **OSS)
    cloud.world.add_shipper("shop", "orders", "allowed").add_tasks(count=2, then="fail", **OSS)
    cloud.world.add_shipper("shop", "orders", "unwatched").add_tasks(count=5, then="stay", **OSS)
    cloud.faults.add(faults.throttle("RetryShipperTask", scope="refused", times=None))

    def one(shipper: str, **more: Any) -> dict[str, Any]:
        return {"name": shipper, **playbook.target("shop", logstore="orders", shipper=shipper, **more)}

    played = playbook(
        one("again"),
        one("stuck", wait_timeout=1),
        one("refused", max_attempts=1),
        one("unwatched", wait=False),
        one("again", name="missing", task_ids=["no-such-id"]),
        one("allowed", fail_on=[]),
    )
    assert played.code == 2
    again, stuck, refused, missing = played.failures
    assert again == "again: of 2 tasks 2 failed again"
    assert stuck == "stuck: of 3 tasks 3 not settled when waiting ended"
    assert refused.startswith("refused: of 4 tasks 4 refused. First error: ")
    assert "MetaOperationQpsLimitExceeded" in refused
    assert missing == "missing: of 1 task 1 not found, or no longer shown"
    assert "1 not found" in played.plan
    assert "MetaOperationQpsLimitExceeded" in played.report
    assert played.totals["failed"] == played.totals["retry"] == 16
    assert played.totals["accepted"] == 12
    assert played.totals["timed_out"] == 3
    assert "12 of 16 failed tasks retried: 0 recovered, 4 failed again, 8 not seen to end." in played.summary


def test_nothing_is_sent_for_too_many_tasks_or_for_tasks_of_an_earlier_target(cloud: LocalCloud, playbook: Any) -> None:
    ids = cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=3, then=["fail", "success"], **OSS)
    cloud.world.add_shipper("big", "orders", "to-oss").add_tasks(count=6, **OSS)
    targets = (
        playbook.target("big", name="limited", max_tasks=5),
        playbook.target("shop", name="whole"),
        playbook.target("shop", name="part", logstore="orders"),
    )
    played = playbook(*targets, report_fail_on=["held"])
    assert played.code == 2
    limited, part = played.failures
    assert limited.startswith("limited: 6 tasks would be retried, but max_tasks allows 5, so nothing was retried.")
    assert part.startswith("part: 3 of its tasks belong to whole already")
    assert "6 not retried here" in played.plan
    assert "3 not retried here" in played.plan
    assert played.totals["retry"] == 3
    assert cloud.executed() == Counter(ids)


def test_a_report_that_could_not_be_written_stops_the_play_before_anything_is_sent(
    cloud: LocalCloud, playbook: Any, tmp_path: Path
) -> None:
    cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=1, **OSS)
    played = playbook(playbook.target("shop"), report_markdown=str(tmp_path / "nowhere" / "report.md"))
    assert played.code == 2
    assert "Nothing was retried. Create the folder, or choose another file." in played.output
    assert cloud.requests == []


def test_what_expires_first_is_shown_first(cloud: LocalCloud, playbook: Any) -> None:
    shipper = cloud.world.add_shipper("shop", "orders", "to-oss")
    shipper.add_tasks(count=4, age="45h", **ROLE)
    shipper.add_tasks(count=2, age={"from": "2840m", "to": "1h"}, **OSS)
    shipper.add_tasks(count=1, age="40h", code="InvalidOssBucket", message="The bucket does not exist.")
    played = playbook(playbook.target("shop"), options=("--check",), plan_expiry_warning=3.5)
    expiring = played.plan.partition("Within 3.5 h the service stops showing these")[2]
    soon = re.findall(r"^ +[0-9]+ of .*", expiring, re.MULTILINE)
    assert len(soon) == 2
    assert re.match(r" +1 of sls shop, from \S+Z on \(in (39|40) min\), would be retried: InternalServerError", soon[0])
    assert re.match(
        r" +4 of sls shop, from \S+Z on \(in (2 h 59|3 h 00) min\), LEFT FOR A PERSON: UnAuthorized", soon[1]
    )
    person = re.findall(r"^### (\w+)", played.report, re.MULTILINE)
    assert person == ["UnAuthorized", "InvalidOssBucket"]


def test_a_services_words_are_neither_markup_nor_a_template_nor_an_escape_sequence(
    cloud: LocalCloud, playbook: Any, tmp_path: Path
) -> None:
    made = tmp_path / "made-by-a-template"
    hostile = (
        f"a|b `c` <script>alert(1)</script> \x1b[31mred\x9b1m \u202etxt.exe\n## A heading\n| x | y |\n"
        f"{{{{ lookup('ansible.builtin.pipe', 'touch {made}') }}}} {{% for %}} [link](javascript:x) \\| *bold* &lt; "
    ) + "long " * 400
    shipper = cloud.world.add_shipper("shop", "orders", "to-oss")
    shipper.add_tasks(count=1, code="Weird|`<b>", message=hostile)
    shipper.add_tasks(count=1, code="UnAuthorized", message=hostile)
    cloud.faults.add(faults.error("ListLogstores", status=400, code="Odd", message=hostile, skip=1))
    played = playbook(playbook.target("shop"), playbook.target("shop", name="unreadable | `x`"))
    assert played.code == 2
    assert played.totals["failed"] == 2
    assert not made.exists()
    # It becomes a variable of the next job.
    assert "{{" not in str(played.result) + str(played.failures)
    for text in (played.report, played.plan, played.summary, *played.failures):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", text)
    assert "<script>" not in played.report
    assert not re.search(r"(?<!\\)`", played.report)
    assert not re.search(r"(?<!\\)\]\(", played.report)
    assert set(re.findall(r"^#+ (?!Weird|UnAuthorized)(.*)$", played.report, re.MULTILINE)) <= {
        "Failed tasks: what was done",
        "Not worked on",
        "What a person must do",
        "Would be retried",
        "Retried",
        "Errors of sls shop",
        "Expiring within 6 hours",
    }
    assert max(map(len, played.report.splitlines())) < 4000
    table: list[int] = []
    for line in [*played.report.splitlines(), ""]:
        if line.startswith("|"):
            table.append(len(re.findall(r"(?<!\\)\|", line)))
        else:
            assert len(set(table)) <= 1, played.report
            table = []


def test_no_secret_is_in_any_output_or_report(cloud: LocalCloud, playbook: Any, tmp_path: Path) -> None:
    cloud.world.add_account(TOKEN_ID, TOKEN_SECRET, security_token=TOKEN)
    cloud.world.add_shipper("shop", "orders", "to-oss").add_tasks(count=2, then="fail", **OSS)
    echo = "you sent {headers} {authorization} {token} {secret}"
    cloud.faults.add(faults.error("ListLogstores", status=400, code="Echo", echo=echo, skip=1, times=1))
    temporary = {"access_key_id": TOKEN_ID, "access_key_secret": TOKEN_SECRET, "security_token": TOKEN}
    played = playbook(
        playbook.target("shop", **temporary, logstore="orders"),
        playbook.target("shop"),
        playbook.target("shop", name="echoing", **temporary),
        playbook.target("shop", name="misspelt", **temporary, shiper="x"),
        options=("-vvv",),
    )
    assert played.code == 2
    assert "you sent" in played.output
    assert "failed again" in played.report
    stats = str(played.result)
    for secret in (TOKEN_SECRET, TOKEN, SECRET):
        for text in (played.output, played.report, stats):
            assert secret not in text
