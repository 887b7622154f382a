# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refusals of DRS, of the API gateway before it, and of IAM, in the words of Open Telekom Cloud's tables."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from local_cloud.services import Refusal

_BAD_IAM = "Incorrect IAM authentication information: "

# code: (status, text). The status of DRS.M01504 and the like counts only where they refuse a whole call.
_DRS: dict[str, tuple[int, str]] = {
    "DRS.M00004": (500, "Service is abnormal. Check logs."),
    "DRS.M00100": (403, "Invalid token."),
    "DRS.M00102": (403, "Insufficient user permissions."),
    "DRS.M00200": (400, "Parameter error."),
    "DRS.M00201": (400, "The parameter {name} is empty."),
    "DRS.M00202": (400, "The value of parameter {name} is invalid."),
    "DRS.M00210": (400, "The value of Page is invalid, {value}"),
    "DRS.M00211": (400, "The value of Page exceeds the upper limit."),
    "DRS.M00261": (403, "Invalid project ID."),
    "DRS.M00289": (
        400,
        "The task does not exist.",
    ),  # assumed text: only its number is known, from Terraform's provider
    "DRS.M00299": (400, "Only one jobId is allowed."),
    "DRS.M00300": (400, "Invalid request, {value}"),
    "DRS.M00301": (400, "There are duplicate {name} in request."),
    "DRS.M00304": (400, "This API cannot be called in the current task status."),
    "DRS.M00307": (400, "Only subtasks can invoke this interface."),
    "DRS.M00401": (400, "{name} is not support re-editing of synchronization tasks."),
    "DRS.M01503": (400, "Operation too frequent. Try again later."),
    "DRS.M01504": (
        202,
        "Another operation is being performed on the migration task or the migration task is abnormal.",
    ),
    "DRS.M05003": (400, "Task information not found."),
    "DRS.M05004": (400, "The task has been deleted or the resource has been released."),
}
_GATEWAY: dict[str, tuple[int, str]] = {
    "APIGW.0101": (404, "The API does not exist or has not been published in the environment."),
    "APIGW.0201": (413, "Request entity too large."),
    "APIGW.0307": (401, "The token must be updated."),
    "APIGW.0308": (
        429,
        "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute.",
    ),
}
_IAM: dict[str, tuple[int, str]] = {
    "IAM.0001": (401, "The request you have made requires authentication."),
    "IAM.0002": (403, "You are not authorized to perform the requested action."),
    "IAM.0004": (404, "Could not find {name}: {value}."),
    "IAM.0011": (400, "Request body is invalid."),
    "IAM.0012": (429, "The throttling threshold has been reached. Threshold: 10 times per 60 seconds"),
    "IAM.0061": (401, "Account locked."),
    "IAM.0062": (401, "Incorrect password."),
    "IAM.0066": (401, "The token has expired."),
    "IAM.0067": (401, "Invalid token."),
    "IAM.0072": (400, "'{name}' is a required property."),
    "IAM.0073": (400, "Invalid input for field '{name}'. The value is '{value}'."),
    "IAM.0082": (403, "The user {value} is disabled."),
}
# assumed: in the older envelope the words that Keystone's users know.
_LEGACY = dict.fromkeys(("IAM.0001", "IAM.0062"), "The username or password is wrong.")
_TABLE = {**_DRS, **_GATEWAY, **_IAM}


def refusal(code: str, **values: object) -> Refusal:
    """The refusal of a whole call."""
    status, text = _TABLE[code]
    return Refusal(status, code, text.format(**values))


def unauthenticated(what: str) -> Refusal:
    """What the gateway says to a call that it cannot attribute to anybody.

    Its words for a bad signature and a bad or missing token are the vendor's (FAQs on APIG.0301), others are assumed.
    """
    return Refusal(401, "APIGW.0301", _BAD_IAM + what)


def item_text(code: str, **values: object) -> str:
    """The text of an error that concerns one job of a batch."""
    return _TABLE[code][1].format(**values)


def envelope(refused: Refusal, request_id: str, *, legacy_iam: bool) -> dict[str, Any]:
    """The body of a refusal. `legacy_iam`: IAM says it as Keystone does, its code being the HTTP status."""
    message = refused.message if refused.message is not None else _TABLE.get(refused.code, (0, refused.code))[1]
    if refused.code.startswith("IAM.") and legacy_iam:
        message = _LEGACY.get(refused.code, message)
        return {"error": {"code": refused.status, "message": message, "title": HTTPStatus(refused.status).phrase}}
    return {"error_code": refused.code, "error_msg": message, "request_id": request_id}
