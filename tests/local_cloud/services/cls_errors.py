# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CLS's refusals, in the two languages of API 3.0.

Codes are those of the common error codes of API 3.0 and of the three actions' own pages. Chinese texts are those of the
pages and of tencentcloud-sdk-python-cls 3.1.192 where they have one; the other texts are assumed. No source says in
which order the service checks.
"""

# ruff: noqa: RUF001 - Chinese punctuation is meant

from __future__ import annotations

from enum import Enum

from local_cloud.services import Refusal


class Language(str, Enum):
    CHINESE = "zh-CN"  # what API 3.0 speaks unless X-TC-Language says otherwise
    ENGLISH = "en-US"


# problem: (code, Chinese, English). Lines marked "assumed" have a code that no page names for this case.
_TABLE: dict[str, tuple[str, str, str]] = {
    "method": (
        "UnsupportedProtocol",
        "HTTP(S) 请求协议错误, 只支持 GET 和 POST 请求。",
        "The HTTP(S) request protocol is wrong. Only GET and POST requests are supported.",
    ),
    # assumed: API 3.0 knows no other path than `/`, and a query with GET only.
    "target": ("InvalidRequest", "请求路径 `{value}` 不正确。", "The request target `{value}` is not valid."),
    "too_large": ("RequestSizeLimitExceeded", "请求包超过限制大小。", "The request size exceeds the upper limit."),
    # assumed: no page says how a header sent twice is answered.
    "header_twice": ("InvalidRequest", "请求头 `{name}` 重复。", "The request header `{name}` is repeated."),
    "content_type": (
        "InvalidRequest",  # assumed
        "不支持的 Content-Type `{value}`。",
        "The Content-Type `{value}` is not supported.",
    ),
    "authorization": (
        "AuthFailure.InvalidAuthorization",
        "请求头部的 Authorization 不符合腾讯云标准。",
        "The Authorization in the request header does not comply with the Tencent Cloud standard.",
    ),
    "secret_id": (
        "AuthFailure.SecretIdNotFound",
        "密钥不存在，请检查密钥是否已被删除或者禁用。",
        "The SecretId is not found, please ensure that your SecretId is correct.",
    ),
    "expired": (
        "AuthFailure.SignatureExpire",
        "签名过期。Timestamp 和服务器时间相差不得超过五分钟，请检查本地时间是否和标准时间同步。",
        "The provided credentials have expired: the timestamp is {value} and the server time is {now}.",
    ),
    "signature": (
        "AuthFailure.SignatureFailure",
        "请求签名验证失败，请检查您的签名计算是否正确。",
        "The provided credentials could not be validated. Please check your signature is correct.",
    ),
    "token": ("AuthFailure.TokenFailure", "token 错误。", "The token is not valid."),
    "token_expired": ("AuthFailure.TokenFailure", "token 已过期。", "The token has expired."),
    "denied": (
        "AuthFailure.UnauthorizedOperation",
        "请求未授权。you are not authorized to perform operation ({action})\nresource ({resource}) has no permission\n",
        "You are not authorized to perform operation ({action})\nresource ({resource}) has no permission\n",
    ),
    "version": (
        "NoSuchVersion",
        "接口版本 `{value}` 不存在。",
        "The version `{value}` of the API does not exist.",
    ),
    "action": ("InvalidAction", "接口 `{value}` 不存在。", "The action `{value}` does not exist."),
    "region": ("UnsupportedRegion", "接口不支持所传地域 `{value}`。", "The region `{value}` is not supported."),
    "isolated": ("OperationDenied.AccountIsolate", "账户欠费。", "The account has overdue payments."),
    "destroyed": ("OperationDenied.AccountDestroy", "账户已销毁。", "The account has been terminated."),
    "missing": ("OperationDenied.AccountNotExists", "账户不存在。", "The account does not exist."),
    "acl_failed": ("OperationDenied.ACLFailed", "ACL校验失败。", "ACL verification failed."),
    # assumed: the code for a body that is no JSON object, or names a member twice.
    "not_json": ("InvalidParameter", "请求参数不是合法的 JSON 对象。", "The parameters are not a valid JSON object."),
    "unknown_parameter": (
        "UnknownParameter",
        "未知参数 `{name}`。",
        "The parameter `{name}` is not recognized.",
    ),
    "missing_parameter": (
        "MissingParameter",
        "缺少参数 `{name}`。",
        "The request is missing a required parameter `{name}`.",
    ),
    "type": (
        "InvalidParameter",
        "参数 `{name}` 类型错误。",
        "The value type of parameter `{name}` is not valid.",
    ),
    "value": (
        "InvalidParameterValue",
        "参数 `{name}` 取值错误: {value}。",
        "The value `{value}` of parameter `{name}` is not valid.",
    ),
    # assumed: InvalidParameterValue rather than InvalidParameter for the two rules of the time range.
    "time_order": (
        "InvalidParameterValue",
        "StartTime 必须小于 EndTime。",
        "StartTime must be earlier than EndTime.",
    ),
    "too_old": (
        "InvalidParameterValue",
        "StartTime 只支持最近三天 (毫秒)。",
        "Only the last 3 days can be queried, StartTime is in milliseconds.",
    ),
    "shipper": ("ResourceNotFound.ShipperNotExist", "投递规则不存在。", "The shipping rule does not exist."),
    "task": ("ResourceNotFound.ShipperTaskNotExist", "投递任务不存在。", "The shipping task does not exist."),
    "not_to_retry": (
        "FailedOperation.ShipperTaskNotToRetry",
        "投递任务不允许重试。",
        "Shipping task retry is not allowed.",
    ),
    "throttled": (
        "RequestLimitExceeded",
        "请求的次数超过了频率限制。",
        "The number of requests exceeds the frequency limit.",
    ),
}

# For codes that come without a problem of their own, as from a fault.
_TEXTS = {code: (chinese, english) for code, chinese, english in _TABLE.values() if "{" not in english} | {
    "AuthFailure": ("CAM签名/鉴权错误。", "CAM signature/authentication error."),
    "AuthFailure.SignatureExpire": ("签名过期。", "The signature has expired."),
    "AuthFailure.UnauthorizedOperation": ("请求未授权。", "The request is not authorized."),
    "InvalidParameter": ("参数错误。", "Incorrect parameter."),
    "InvalidParameterValue": ("参数取值错误。", "Incorrect parameter value."),
    "MissingParameter": ("缺少参数错误。", "Missing parameter."),
    "OperationDenied": ("操作被拒绝。", "Operation denied."),
    "InternalError": ("内部错误。", "Internal error."),
    "InternalError.ServerBusy": ("内部错误服务器繁忙", "The server is busy."),
    "FailedOperation": ("操作失败。", "Operation failed."),
    "FailedOperation.Timeout": ("操作超时。", "The operation timed out."),
    "RequestLimitExceeded.UinLimitExceeded": (
        "主账号超过频率限制。",
        "The number of requests of the root account exceeds the frequency limit.",
    ),
    "ResourceUnavailable": ("资源不可用。", "The resource is unavailable."),
}


def refusal(language: Language, problem: str, **values: object) -> Refusal:
    """The answer to a problem. Always with status 200: API 3.0 tells of errors in the body alone."""
    code, chinese, english = _TABLE[problem]
    return Refusal(200, code, (english if language is Language.ENGLISH else chinese).format(**values))


def text(language: Language, code: str) -> str:
    """The words for a code that comes without any, as from a fault."""
    chinese, english = _TEXTS.get(code, (code, code))
    return english if language is Language.ENGLISH else chinese
