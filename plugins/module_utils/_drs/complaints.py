# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What DRS, the API gateway before it and IAM beside it complain of, and what that means for what may be done next.

Sources: Open Telekom Cloud's tables of error codes of all three, Huawei Cloud's of the gateway, and the vendor's
Terraform provider.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._replies import JsonReplies, id_of_request, text_of
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Response

GONE = ("m00289", "m05003", "m05004")
"""There is no such job, or not any more; bare codes, as `bare` makes them."""


def bare(code: str) -> str:
    """A code in lower case, without the prefix that some replies leave out, and with one name of the gateway."""
    return re.sub(r"^apig\.", "apigw.", re.sub(r"^drs\.", "", code.strip().lower()))


class Who(enum.Enum):
    """How a call says who makes it, because that decides what a refusal means."""

    PASSWORD = enum.auto()
    TOKEN = enum.auto()
    KEY = enum.auto()


def request_id_of(response: Response) -> str:
    """By which the vendor's support finds the call."""
    found = response.headers.get("x-request-id") or response.headers.get("x-iam-trace-id")
    if found:
        return id_of_request(found)
    try:
        content = response.json()
    except ValueError:
        return ""
    return id_of_request(content.get("request_id")) if isinstance(content, dict) else ""


REPLIES = JsonReplies("DRS", request_id_of)


def read_object(response: Response, who: Who) -> dict[str, Any]:
    """The body of a good reply.

    :raises CallError: the reply is an error, or no JSON object
    """
    error = error_of(response, who)
    if error is not None:
        raise error
    return REPLIES.content(response)


def error_of(response: Response, who: Who) -> CallError | None:
    """What the service complains of; a reply is an error by its status or by its envelope."""
    code, text = _envelope(response)
    if 200 <= response.status < 300 and not code:
        return None
    kind, hint = _judge(code, response.status, who)
    return REPLIES.failed(response, kind, hint, code=code, text=text)


def _envelope(response: Response) -> tuple[str, str]:
    """Error code and text; empty where the reply has none. The gateway, IAM and DRS each have their own."""
    try:
        content = response.json()
    except ValueError:
        return "", ""
    if not isinstance(content, dict):
        return "", ""
    for code, text in (("error_code", "error_msg"), ("errorCode", "errorMsg")):
        if content.get(code):
            return text_of(content[code]), text_of(content.get(text))
    inner = content.get("error")
    good = 200 <= response.status < 300
    for one in (content if not good else None, inner):  # a good reply may have a member called code
        if isinstance(one, dict) and one.get("code"):
            return text_of(one["code"]), text_of(one.get("message")) or text_of(one.get("title"))
    return "", ""


_WHO_HINTS = {
    Who.PASSWORD: "Check user name, password and domain, and try the password once by hand before you run again: an"
    " account is locked after a few wrong ones. This run does not send it again.",
    Who.TOKEN: "The token is not valid, not valid any more, or of another region: get a new one, and check that"
    " endpoint and identity service are of the same region.",
    Who.KEY: "Check access_key, secret_key and security_token, that the key is enabled, and that the clock here is"
    " right: the service allows 15 minutes.",
}
_RIGHTS_HINT = (
    "Check that the user may do drs:migrationJob:get, drs:migrationJob:list and, to retry, drs:migrationJob:action in"
    " this project (on Open Telekom Cloud also VPC FullAccess)."
)
_RIGHTS = (Kind.DENIED, _RIGHTS_HINT)
_PROJECT = (Kind.DENIED, "Check project_id, and that endpoint or region is the project's own.")
_TROUBLE = (Kind.TRANSIENT, "The service failed by its own fault: try again later.")
_THROTTLED = (Kind.THROTTLED, "The service limits how often it is asked: lower rate_limit, or try again later.")
_PARAMETER = (Kind.REJECTED, "")
_NOT_DRS = (
    Kind.REJECTED,
    "Check that the endpoint is DRS itself, that auth_url is the identity service, and that neither is a proxy.",
)
_NO_JOB = (Kind.REJECTED, "Check job_ids and the project.")

# Codes of the vendors' tables without prefix, in lower case.
_CODES: Mapping[str, tuple[Kind, str]] = {
    "m00002": _PARAMETER,
    "m00004": _TROUBLE,
    **dict.fromkeys(("m00007", "m00200", "m00201", "m00202", "m00273", "m00300", "m00301", "m00305"), _PARAMETER),
    **dict.fromkeys(("m00101", "m00102", "m00103", "m00105"), _RIGHTS),
    **dict.fromkeys(("m00210", "m00211"), _PARAMETER),
    "m00261": _PROJECT,
    **dict.fromkeys(GONE, _NO_JOB),
    "m00299": _PARAMETER,
    "m00304": (Kind.REJECTED, "The job's state does not allow it."),
    **dict.fromkeys(("m00307", "m00308"), (Kind.REJECTED, "The job is of the wrong level: parent, or child.")),
    "m00401": (Kind.REJECTED, "The job is no synchronisation that was re-edited: leave is_sync_re_edit out."),
    "m01501": _TROUBLE,
    "m01503": _THROTTLED,
    "m01504": (Kind.REJECTED, "Another operation on the job is under way, or it is abnormal: run again later."),
    "ke0002": _PARAMETER,
    "apigw.0101": (Kind.DENIED, "There is no such API at this address: check endpoint and region."),
    **dict.fromkeys(("apigw.0302", "apigw.0306", "apigw.0802"), _RIGHTS),
    "apigw.0308": _THROTTLED,
    "iam.0002": (Kind.DENIED, "Check that the user has rights in this project."),
    "iam.0004": (Kind.GONE, "Check project_id or project_name, and that they are of this identity service."),
    "iam.0012": _THROTTLED,
    "iam.0061": (
        Kind.LOCKED,
        "The account is locked after wrong passwords, mostly for 15 minutes. Wait, then check it.",
    ),
    "iam.0080": (Kind.DENIED, "The access key is disabled."),
    "iam.0082": (Kind.DENIED, "The user is disabled."),
}
# What no code explains.
_BY_STATUS: Mapping[int, tuple[Kind, str]] = {403: _RIGHTS, 429: _THROTTLED}
_UNKNOWN_CALLER = ("apigw.0301", "iam.0001", "iam.0062")
_EXPIRED = ("apigw.0307", "m00100", "iam.0066", "iam.0067")


def hint_for(code: str) -> str:
    """What a person can do about this code; empty where there is nothing to say."""
    return _CODES.get(bare(code), (Kind.REJECTED, ""))[1]


def _judge(code: str, status: int, who: Who) -> tuple[Kind, str]:
    """What an error means for what may be done next, and what a person can do."""
    known_as = bare(code)
    if status >= 500:
        return _TROUBLE
    known = _CODES.get(known_as)
    if known:
        return known
    if known_as in _EXPIRED or (status == 401 and known_as not in _UNKNOWN_CALLER):
        return (Kind.EXPIRED if who is Who.TOKEN else Kind.DENIED), _WHO_HINTS[who]
    if known_as in _UNKNOWN_CALLER:
        return Kind.DENIED, _WHO_HINTS[who]
    # Whoever answers without a code, or that there is no such address, is hardly the service.
    usual = _NOT_DRS if code in ("", "404") else _PARAMETER
    return _BY_STATUS.get(status, usual)
