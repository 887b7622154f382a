# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes RETURN into every module, from one text: RETURN cannot use documentation fragments before ansible-core 2.20.

`update_return_docs.py` writes, `update_return_docs.py --lint` only says which modules are out of step, and fails.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parents[1] / "plugins" / "modules"


@dataclass(frozen=True)
class Service:
    """What differs between services in the samples."""

    info: str
    retry: str
    task_id: str
    scope: str
    scope_words: str
    status: str
    code: str
    message: str
    rule: str
    remedy: str
    lifetime: str
    error_code: str
    error_message: str
    request_id: str
    retried_state: str = "running"


SERVICES = (
    Service(
        info="cls_shipper_task_info",
        retry="cls_shipper_task_retry",
        task_id="6ef60bec-0242-43af-bb20-270359fb54a7",
        scope="{shipper_id: 57f5808c-4a55-11eb-b378-0242ac130002}",
        scope_words="What the task belongs to, that is shipper_id. Empty for a missing task.",
        status="failed",
        code='""',
        message="NoSuchBucket",
        rule="cls.cos_bucket",
        remedy="Create the bucket, then retry.",
        lifetime="2026-11-26T01:02:03Z",
        error_code="OperationDenied.AccountIsolate",
        error_message=(
            "POST / (RetryShipperTask) failed: OperationDenied.AccountIsolate: The account has overdue payments."
        ),
        request_id="6ef60bec-0242-43af-bb20-270359fb54a7",
    ),
    Service(
        info="drs_job_info",
        retry="drs_job_retry",
        task_id="140b5236-88ad-43c8-811c-1268453jb101",
        scope="{project_id: 054babbbde80d4602f5cc0043a40ed8c}",
        scope_words="What the job belongs to, that is project_id. Empty for a missing job.",
        status="FULL_TRANSFER_FAILED",
        code="DRS.KE0002",
        message="Incorrect database user name or password.",
        rule="drs.database_login",
        remedy="Correct user or password in the job, then retry.",
        lifetime="",
        error_code="DRS.M00304",
        error_message="This API cannot be called in the current task status.",
        request_id="6b6ea5f0b1d2b7c7d7fa4f9f2d0b3c11",
        retried_state="waiting",
    ),
    Service(
        info="sls_shipper_task_info",
        retry="sls_shipper_task_retry",
        task_id="c1411eb7291c77560ba31fc65bc73c52",
        scope="{project: shop, logstore: access, shipper: to-oss}",
        scope_words="What the task belongs to, that is project, logstore and shipper. Empty for a missing task.",
        status="fail",
        code="InvalidOssBucket",
        message="The specified bucket does not exist.",
        rule="sls.invalid_oss_bucket",
        remedy="Create the bucket, then retry.",
        lifetime="2026-11-25T01:02:03Z",
        error_code="Unauthorized",
        error_message="PUT /logstores/access/shipper/to-oss/tasks failed: Unauthorized: The AccessKey is disabled.",
        request_id="5B0A6B60BB6EE39764D458B5",
    ),
    Service(
        info="geelark_task_info",
        retry="geelark_task_restart",
        task_id='"571222333444555666"',
        scope="{}",
        scope_words="Always empty, because the account is the scope.",
        status='"4"',
        code='"20116"',
        message="Not logged in.",
        rule="geelark.login_data",
        remedy="Log in by hand on the phone, then retry.",
        lifetime="2026-11-30T01:02:03Z",
        error_code='"48000"',
        error_message="Task retry limit reached",
        request_id="123456ABCEDF",
        retried_state="waiting",
    ),
)

TASKS = """\
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: @SENTENCE@
tasks:
  description:
    - One entry for each task that was selected or asked for. Tasks that were asked for keep the order in which
      they were, others come oldest first.
  returned: when the service showed its tasks
  type: list
  elements: dict
  contains:
    id:
      description: The task's id.
      returned: always
      type: str
      sample: @TASK_ID@
    scope:
      description: @SCOPE_WORDS@
      returned: always
      type: dict
      sample: @SCOPE@
    status:
      description: The task's status before, in the vendor's own word. Empty for a missing task.
      returned: always
      type: str
      sample: @STATUS@
    state:
      description:
        - The task's state before, in words that are the same for all services. One of V(waiting), V(running),
          V(succeeded), V(failed), V(cancelled), V(paused), V(missing), V(unknown).
      returned: always
      type: str
      sample: failed
    failure:
      description: Why the task failed, and what can heal it.
      returned: when the task failed
      type: dict
      contains:
@FAILURE@
    created:
      description: When the task was created, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-23T01:02:03Z"
    expires:
      description: When the service stops showing the task, UTC, where known.
      returned: always
      type: str
      sample: @LIFETIME@
    action:
      description:
        - The decision, V(retry), V(none) when there is nothing to do, or V(skip) when the task is left alone although
          it did not succeed. It is the same in check mode.
      returned: always
      type: str
      sample: skip
    reason:
      description: Why, in words.
      returned: always
      type: str
      sample: "failed (fix), which is not among retry_classes: @REMEDY@"
    outcome:
      description:
        - What came of the decision. V(none) where nothing was to be sent, V(planned) in check mode, V(accepted),
          V(refused), V(unknown) when a retry may or may not have been accepted and reading the state did not settle
          it, V(not_attempted) when the run ended before it.
      returned: always
      type: str
      sample: none
@AFTER@counts:
  description:
    - How many tasks. V(selected) is the sum of V(retry), V(none), V(skip) and V(missing), and outside check mode
      V(retry) is the sum of V(accepted), V(refused), V(unknown) and V(not_attempted).
  returned: when the service showed its tasks
  type: dict
  contains:
    found:
      description: Tasks that the service showed.
      returned: always
      type: int
      sample: 412
    selected:
      description: Tasks that were selected or asked for.
      returned: always
      type: int
      sample: 412
    retry:
      description: Tasks that were decided to be retried.
      returned: always
      type: int
      sample: 120
    none:
      description: Tasks with nothing to do.
      returned: always
      type: int
      sample: 0
    skip:
      description: Tasks that were left alone.
      returned: always
      type: int
      sample: 292
    missing:
      description: Tasks that were asked for and not found.
      returned: always
      type: int
      sample: 0
    accepted:
      description: Retries that the service accepted.
      returned: always
      type: int
      sample: @ACCEPTED@
    refused:
      description: Retries that the service refused.
      returned: always
      type: int
      sample: 0
    unknown:
      description: Retries that may or may not have been accepted.
      returned: always
      type: int
      sample: 0
    not_attempted:
      description: Retries before which the run ended.
      returned: always
      type: int
      sample: 0
    recovered:
      description: Retried tasks that were seen to succeed.
      returned: always
      type: int
      sample: 0
    failed_again:
      description: Retried tasks that were seen to fail once more.
      returned: always
      type: int
      sample: 0
    still_running:
      description: Retried tasks that were running when last seen.
      returned: always
      type: int
      sample: 0
causes:
  description: Failed tasks folded by what made them fail, largest first.
  returned: when the service showed its tasks
  type: list
  elements: dict
  contains:
@CAUSE@
    count:
      description: How many tasks.
      returned: always
      type: int
      sample: 292
    oldest:
      description: When the oldest of them was created, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-23T01:02:03Z"
    first_expiry:
      description: When the service stops showing the first of them, UTC, where known.
      returned: always
      type: str
      sample: @LIFETIME@
    task_ids:
      description: Their ids.
      returned: always
      type: list
      elements: str
      sample: [@TASK_ID@]
requests:
  description: What was sent to the service.
  returned: when the options were usable
  type: dict
  contains:
    sent:
      description: Requests in all.
      returned: always
      type: int
      sample: 13
    repeated:
      description: Those of them that repeated an earlier one.
      returned: always
      type: int
      sample: 1
    throttled:
      description: Those of them that were refused for coming too fast.
      returned: always
      type: int
      sample: 1
    seconds:
      description: Seconds that the requests took together, without the pauses between them.
      returned: always
      type: float
      sample: 1.042
"""

FAILURE = """\
class:
  description: V(transient), V(unclassified), V(fix), V(exhausted) or V(gone).
  returned: always
  type: str
  sample: fix
rule:
  description:
    - The rule that the failure met, a built-in one by its name, yours by their position as in V(rules[0]).
      Empty for V(unclassified).
  returned: always
  type: str
  sample: @RULE@
code:
  description: The vendor's failure code, empty where there is none.
  returned: always
  type: str
  sample: @CODE@
message:
  description: The vendor's failure message.
  returned: always
  type: str
  sample: @MESSAGE@
remedy:
  description: What a person has to do.
  returned: always
  type: str
  sample: @REMEDY@
"""

AFTER = """\
    state_after:
      description: The task's state when it was last read after the retry.
      returned: when it was read again, because of O(wait) or after a lost reply
      type: str
      sample: succeeded
    recovered:
      description: Whether the retry was seen to heal the task.
      returned: when it was accepted, and RV(tasks[].state_after) is there
      type: bool
      sample: true
    failure_after:
      description: Why the task failed once more, and what can heal it.
      returned: when it was seen to do so
      type: dict
      contains:
@FAILURE@
    error:
      description: Why the retry was not accepted.
      returned: when it was not
      type: dict
      contains:
        code:
          description: The vendor's error code.
          returned: always
          type: str
          sample: @ERROR_CODE@
        message:
          description: What happened, in the vendor's words, and what to do.
          returned: always
          type: str
          sample: "@ERROR_MESSAGE@"
        request_id:
          description: By which the vendor's support finds the call.
          returned: always
          type: str
          sample: @REQUEST_ID@
"""

DIFF = """\
problems:
  description: How many tasks had each of the outcomes that O(fail_on) can name, whether or not it names them.
  returned: when the service showed its tasks
  type: dict
  contains:
    missing:
      description: Tasks that were not found, or no longer shown after their retry.
      returned: always
      type: int
      sample: 0
    refused:
      description: Retries that the service refused.
      returned: always
      type: int
      sample: 0
    unknown:
      description: Retries that may or may not have been accepted.
      returned: always
      type: int
      sample: 0
    not_attempted:
      description: Retries before which the run ended.
      returned: always
      type: int
      sample: 0
    failed_again:
      description: Retried tasks that were seen to fail once more.
      returned: always
      type: int
      sample: 0
    timed_out:
      description: Retried tasks that had not settled when waiting ended.
      returned: always
      type: int
      sample: 0
diff:
  description: States by task id, of the tasks that change.
  returned: when the service showed its tasks
  type: dict
  contains:
    before:
      description: The states before.
      returned: always
      type: dict
      sample: {@TASK_ID@: failed}
    after:
      description: The states after; as expected, where they were not read again.
      returned: always
      type: dict
      sample: {@TASK_ID@: @RETRIED_STATE@}
"""


def indent(text: str, spaces: int) -> str:
    """Every line moved to the right."""
    return "".join(" " * spaces + line for line in text.splitlines(keepends=True)).rstrip("\n")


def render(service: Service, *, retry: bool) -> str:
    """RETURN of one module."""
    text = TASKS + (DIFF if retry else "")
    sentence = "Retried 120 of 412 tasks; 292 left alone (see causes)."
    if not retry:
        sentence = (
            "412 tasks of 412 shown by the service: a retry with these options would send 120 and leave 292 alone."
        )
    parts = {
        "FAILURE": indent(FAILURE, 8),
        "CAUSE": indent(FAILURE, 4),
        "AFTER": AFTER if retry else "",
        "SENTENCE": f'"{sentence}"' if ": " in sentence else sentence,
        "ACCEPTED": "120" if retry else "0",
        "TASK_ID": service.task_id,
        "SCOPE": service.scope,
        "SCOPE_WORDS": service.scope_words,
        "STATUS": service.status,
        "CODE": service.code,
        "MESSAGE": service.message,
        "RULE": service.rule,
        "REMEDY": service.remedy,
        "LIFETIME": f'"{service.lifetime}"' if service.lifetime else "null",
        "ERROR_CODE": service.error_code,
        "ERROR_MESSAGE": service.error_message,
        "REQUEST_ID": service.request_id,
        "RETRIED_STATE": service.retried_state,
    }
    while "@" in text:
        text = re.sub(r"@([A-Z_]+)@", lambda match: parts[match.group(1)], text)
    return text


def with_return(source: str, text: str) -> str:
    """A module's source with this RETURN."""
    block = f'RETURN = r"""\n{text}"""\n'
    return re.sub(r'^RETURN = r""".*?^"""\n', lambda _match: block, source, flags=re.MULTILINE | re.DOTALL)


def main() -> int:
    """Write or lint; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lint", action="store_true", help="only say what is out of step")
    lint = parser.parse_args().lint
    stale = []
    for service in SERVICES:
        for name, retry in ((service.info, False), (service.retry, True)):
            path = MODULES / f"{name}.py"
            before = path.read_text()
            after = with_return(before, render(service, retry=retry))
            if after != before:
                stale.append(path.name)
                if not lint:
                    path.write_text(after)
    for name in stale:
        print(f"{name}: RETURN is out of step; run {Path(__file__).name}" if lint else f"{name}: written")
    return 1 if lint and stale else 0


if __name__ == "__main__":
    sys.exit(main())
