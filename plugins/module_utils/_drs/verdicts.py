# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What the reply to a retry says of each of its jobs. Pure.

Sources: Open Telekom Cloud's page on batch-retry-task and its table of error codes, huaweicloudsdkdrs 3.1.219, and the
vendor's Terraform provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import (
    GONE,
    REPLIES,
    Who,
    bare,
    error_of,
    hint_for,
    request_id_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._drs.jobs import batch_of, item_error, rows, says_failed
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._replies import text_of
from ansible_collections.redrive.tasks.plugins.module_utils._rules.drs import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._task import ACCEPTED, Answer, Finding, ItemError, Verdict
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Response

_SUCCESS = "success"
_ONE_ONLY = "m00299"
_NOT_NOW = ("m00304", "m01504")

_RULES = {rule.name: rule for rule in RULES}
# What a refusal tells of the job itself, by the rule of the same meaning.
_FINDINGS: Mapping[str, str] = {
    **dict.fromkeys(GONE, "drs.job_gone"),
    **dict.fromkeys(("m00307", "m00308"), "drs.wrong_level"),
    "ke0002": "drs.database_login",
    **dict.fromkeys(("m05006", "m06007", "m06011"), "drs.database_instance"),
    **dict.fromkeys(("m06020", "m06021"), "drs.destination_held"),
}
# Codes that are about a job, whatever they are said of.
_OF_A_JOB = (*_FINDINGS, "m00401")
# What a call can be refused for before anything of it is carried out: it names a job that it must not name.
_OF_THE_NAMES = (*GONE, "m00307", "m00308", "m00401")


def parse_verdicts(response: Response, who: Who, ids: Sequence[str]) -> dict[str, Verdict]:
    """The verdict of each of these jobs; one that the reply does not name is silent.

    :raises CallError: the reply speaks of the call. C(TOO_MANY) if nothing of it was carried out and one job alone
        may be: because the service takes only one in a call, or refused all for the sake of one.
    """
    content = batch_of(response)
    if content is None:
        return dict.fromkeys(ids, _verdict_of_all(response, who, ids))
    verdicts: dict[str, Verdict] = {}
    for item in rows(response, content, "results", None):
        job_id = item.get("id") if isinstance(item, dict) else None
        if isinstance(job_id, str):
            verdict = _verdict(response, item)
            # Two answers that contradict each other are none.
            verdicts[job_id] = verdict if verdicts.get(job_id, verdict) == verdict else _silent(response)
    answers = {job_id: verdicts.get(job_id) or _silent(response) for job_id in ids}
    if len(ids) > 1 and all(_takes_one_only(verdict) for verdict in answers.values()):
        raise _too_many(response, answers[ids[0]].error)
    return answers


def _takes_one_only(verdict: Verdict) -> bool:
    return verdict.answer is Answer.REFUSED and verdict.error is not None and bare(verdict.error.code) == _ONE_ONLY


def _too_many(response: Response, error: ItemError | None) -> CallError:
    code, text = (error.code, error.message) if error else ("", "")
    return CallError(Kind.TOO_MANY, text, code=code, status=response.status, request_id=request_id_of(response))


def _silent(response: Response) -> Verdict:
    text = "the reply to the retry does not say what became of this job"
    return Verdict(Answer.SILENT, ItemError("no_answer", text, request_id_of(response)))


def _verdict(response: Response, item: Mapping[str, Any]) -> Verdict:
    """What the service says of one job, in any case of letters: v5 of the API writes C(Success)."""
    word, refused = text_of(item.get("status")), bool(item.get("error_code"))
    if word.lower() == _SUCCESS and not refused:
        return ACCEPTED
    if says_failed(word) or (refused and not word):
        return _refusal(item_error(response, item))
    return _silent(response)


def _refusal(error: ItemError) -> Verdict:
    code = bare(error.code)
    if code in _NOT_NOW:
        return Verdict(Answer.NOT_NOW, error)
    rule = _RULES.get(_FINDINGS.get(code, ""))
    finding = Finding(rule.failure_class, rule.name, rule.remedy) if rule else None
    hint = hint_for(code)
    words = f"{error.message.rstrip('.')}. {hint}" if hint and not finding else error.message
    return Verdict(Answer.REFUSED, error._replace(message=words), finding)


def _verdict_of_all(response: Response, who: Who, ids: Sequence[str]) -> Verdict:
    """What a reply without results says, as far as it speaks of jobs and not of the call.

    :raises CallError: it speaks of the call, or refuses several jobs for the sake of one that it does not name
    """
    error = error_of(response, who)
    if error is None:
        REPLIES.content(response)
        raise REPLIES.wrong_shape(response, "there are no results")
    code = bare(error.code)
    if error.kind is not Kind.REJECTED:
        raise error
    if len(ids) > 1 and (code == _ONE_ONLY or (code in _OF_THE_NAMES and response.status >= 400)):
        error.kind = Kind.TOO_MANY
        raise error
    # A state that is wrong may have been found after others were started, so each is looked at.
    if code in _NOT_NOW or (len(ids) == 1 and code in _OF_A_JOB):
        return _refusal(ItemError(error.code, error.text, error.request_id))
    raise error
