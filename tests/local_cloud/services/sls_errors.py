# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SLS's refusals, in the words of two generations of its documentation.

`seed000` is the older one (pages of 2019 to 2021: "Common error codes" with RequestTimeTooSkewed, RetryShipperTask with
400 ShipperNotExist), `seed001` the newer one ("Error codes" of 2023 to 2026 with RequestTimeExpired and
MissingParameter, RetryShipperTask with 404 ShipperNotExist). No source says which one the service follows today.
"""

from __future__ import annotations

from enum import Enum

from local_cloud.services import Refusal


class Dialect(str, Enum):
    SEED000 = "seed000"
    SEED001 = "seed001"


_Text = tuple[int, str, str]


def _both(status: int, code: str, text: str) -> tuple[_Text, _Text]:
    return (status, code, text), (status, code, text)


def _missing_header(older: str, name: str) -> tuple[_Text, _Text]:
    newer = (400, "MissingParameter", f"Missing http extend header key : {name}.")
    return (400, older, f"{name} does not exist in http header."), newer


# problem: (older, newer). Lines marked "assumed" have no row in the vendor's tables.
_TABLE: dict[str, tuple[_Text, _Text]] = {
    "missing_host": _both(400, "MissingHost", "Host does not exist in http header."),
    "missing_authorization": (
        (400, "MissAccessKeyId", "x-log-accesskeyid does not exist in header."),
        (400, "MissingParameter", "Missing http extend header key : authorization."),
    ),
    "bad_authorization": (
        (400, "MissAccessKeyId", "x-log-accesskeyid does not exist in header."),
        (400, "ParameterInvalid", "Http extend authorization : {value} pair is invalid."),
    ),
    "missing_date": (
        (400, "MissingDate", "Date does not exist in http header."),
        # The newer table names x-log-date only, for v1 and V4 alike.
        (400, "MissingParameter", "Missing http extend header key : x-log-date."),
    ),
    "bad_date": (
        (400, "InvalidDateFormat", "Date {value} must follow RFC822."),
        (400, "InvalidRequestTime", "Request time {value} not follow RFC822 spec."),
    ),
    "skewed": (
        (400, "RequestTimeTooSkewed", "Request time exceeds server time more than 15 minutes."),
        (400, "RequestTimeExpired", "Request time {value} has been expired while server time is {now}."),
    ),
    "missing_api_version": _both(400, "MissingAPIVersion", "x-log-apiversion does not exist in http header."),
    "bad_api_version": _both(400, "InvalidAPIVersion", "x-log-apiversion {value} is unsupported."),
    "missing_signature_method": _missing_header("MissingSignatureMethod", "x-log-signaturemethod"),
    "bad_signature_method": (
        (400, "InvalidSignatureMethod", "signature method {value} is unsupported."),
        (400, "ParameterInvalid", "x-log-signaturemethod: {value} pair is invalid."),
    ),
    "missing_body_raw_size": (
        (400, "MissingBodyRawSize", "x-log-bodyrawsize does not exist in header when it is necessary."),
        (400, "MissingParameter", "Missing http extend header key : x-log-bodyrawsize."),
    ),
    "bad_body_raw_size": (
        (400, "InvalidBodyRawSize", "x-log-bodyrawsize is invalid."),
        (400, "ParameterInvalid", "Http extend x-log-bodyrawsize : {value} pair is invalid."),
    ),
    "missing_content_type": _both(
        400, "MissingContentType", "Content-Type does not exist in http header when body is not empty."
    ),
    "bad_content_type": (
        (415, "InvalidContentType", "Content-Type {value} is unsupported."),
        (400, "InvalidContentType", "Content-Type {value} is unsupported."),
    ),
    "missing_content_length": _both(
        411, "MissingContentLength", "Content-Length does not exist in http header when it is necessary."
    ),
    "body_too_large": _both(413, "PostBodyTooLarge", "Body size {value} must little than 10485760."),
    # assumed: no page says how a missing or wrong Content-MD5, or a header sent twice, is answered.
    "bad_header": _both(400, "ParameterInvalid", "Http extend {name} : {value} pair is invalid."),
    "signature": (
        (401, "SignatureNotMatch", "Signature {value} is not matched."),
        (401, "SignatureNotMatch", "Signature {value} not matched."),
    ),
    "unknown_key": _both(401, "Unauthorized", "AccessKeyId not found: {value}"),
    "disabled_key": _both(401, "Unauthorized", "AccessKeyId is disabled: {value}"),
    "token_invalid": _both(401, "Unauthorized", "The security token you provided is invalid."),
    "token_expired": _both(401, "Unauthorized", "The security token you provided has expired."),
    "not_yours": _both(401, "Unauthorized", "The project does not belong to you."),
    "denied": _both(401, "Unauthorized", "denied by sts or ram, action: {action}, resource: {resource}"),
    "invalid_host": _both(400, "InvalidHost", "Host header {value} is invalid."),
    "invalid_method": _both(405, "InvalidMethod", "Invalid request method : {value}"),
    "project": (
        (404, "ProjectNotExist", "Project {value} does not exist."),
        (404, "ProjectNotExist", "The Project does not exist : {value}"),
    ),
    "forbidden": _both(403, "ProjectForbidden", "Project {value} has been forbidden."),
    "logstore": _both(404, "LogStoreNotExist", "Logstore {value} does not exist."),
    "shipper_on_retry": (
        (400, "ShipperNotExist", "Shipper does not exist."),
        (404, "ShipperNotExist", "Shipper does not exist."),
    ),
    "shipper": (
        (400, "ShipperNotExist", "Shipper {value} does not exist."),
        (404, "ShipperNotExist", "Shipper {value} does not exist."),
    ),
    "missing_query": (
        (400, "ParameterInvalid", "Missing query key : {name}."),  # assumed for the older generation
        (400, "MissingParameter", "Missing query key : {name}."),
    ),
    "bad_query": _both(400, "ParameterInvalid", "Parameter {name} : {value} is invalid."),  # assumed text
    "time_order": _both(400, "ParameterInvalid", "Start time must be earlier than end time."),
    "too_old": _both(400, "ParameterInvalid", "Only support query last 48 hours task status."),
    "bad_status": _both(400, "ParameterInvalid", "Status only contains success/running/fail."),
    "too_many_ids": _both(400, "ParameterInvalid", "Each time allows 10 task retries only."),
    "bad_ids": _both(400, "ParameterInvalid", "Task ids are invalid."),  # assumed: an empty list, or not strings
    "not_retriable": _both(400, "ParameterInvalid", "Task {value} can not be retried."),  # assumed
    "bad_json": _both(400, "PostBodyInvalid", "The request body is not valid JSON object."),
}

TEXTS = {
    "MetaOperationQpsLimitExceeded": "Qps limit for the meta operation is exceeded.",
    "ReadQuotaExceed": "Read quota is exceeded.",
    "WriteQuotaExceed": "Write quota is exceeded.",
    "ServerBusy": "The server is busy, please try again later.",
    "InternalServerError": "Specified Server Error Message.",
    "RequestTimeout": "The request is timeout. Please try again later.",
    "Unauthorized": "The AccessKeyId is unauthorized.",
    "SecurityTokenExpired": "The security token you provided has expired.",
}
"""Texts for codes that only faults use."""


def refusal(dialect: Dialect, problem: str, **values: object) -> Refusal:
    status, code, text = _TABLE[problem][dialect is Dialect.SEED001]
    return Refusal(status, code, text.format(**values))
