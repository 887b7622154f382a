# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each built-in rule of CLS meets realistic texts, and a near miss does not meet it."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import classify
from ansible_collections.redrive.tasks.plugins.module_utils._rules.cls import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass
from unit.fakes import task

FIX, TRANSIENT = FailureClass.FIX, FailureClass.TRANSIENT

MEETS = [
    ("", "The account is in arrears, please recharge and try again.", "cls.account_isolated", FIX),
    ("", "put object failed: UnavailableForLegalReasons, account overdue", "cls.account_isolated", FIX),
    ("", "FailedOperation.TopicIsolated: the log topic has been isolated", "cls.account_isolated", FIX),
    ("", "OperationDenied.AccountIsolate", "cls.account_isolated", FIX),
    ("", "投递失败 账号欠费 请充值后重试", "cls.account_isolated", FIX),
    ("", "日志主题已被隔离", "cls.account_isolated", FIX),
    (
        "",
        "cos: service returned error: StatusCode=403, ErrorCode=AccessDenied, ErrorMessage=Access Denied.",
        "cls.cos_access",
        FIX,
    ),
    (
        "",
        "ErrorCode=InvalidAccessKeyId, ErrorMessage=The access key Id you provided does not exist in our records.",
        "cls.cos_access",
        FIX,
    ),
    ("", "ErrorCode=ExpiredToken, The provided token has expired.", "cls.cos_access", FIX),
    ("", "the role is not authorized to perform cos:PutObject", "cls.cos_access", FIX),
    ("", "The role is not authorised to write", "cls.cos_access", FIX),
    ("", "InternalError.IllegalRole: the role is illegal", "cls.cos_access", FIX),
    ("", "没有写入存储桶的权限", "cls.cos_access", FIX),
    ("", "角色CLS_QcsRole未授权", "cls.cos_access", FIX),
    ("", "访问被拒绝 请检查角色策略", "cls.cos_access", FIX),
    ("", "ErrorCode=NoSuchBucket, The specified bucket does not exist.", "cls.cos_bucket", FIX),
    ("", "InvalidBucketName: The specified bucket is not valid.", "cls.cos_bucket", FIX),
    ("", "bucket logs-1250000000 does not exist", "cls.cos_bucket", FIX),
    ("", "the bucket doesn't exist in region ap-guangzhou", "cls.cos_bucket", FIX),
    ("", "存储桶logs-1250000000不存在", "cls.cos_bucket", FIX),
    ("", "Bucket 不存在", "cls.cos_bucket", FIX),
    ("", "投递到不存在的存储桶", "cls.cos_bucket", FIX),
    (
        "",
        "EntityTooLarge: Your proposed upload exceeds the maximum allowed object size.",
        "cls.cos_entity_too_large",
        FIX,
    ),
    ("", "SlowDown: Please reduce your request rate.", "cls.cos_busy", TRANSIENT),
    ("", "StatusCode=503, ErrorCode=ServiceUnavailable, Please try again.", "cls.cos_busy", TRANSIENT),
    ("", "InternalError: We encountered an internal error. Please try again.", "cls.cos_busy", TRANSIENT),
    ("", "系统繁忙 请稍后再试", "cls.cos_busy", TRANSIENT),
    ("", "服务内部错误", "cls.cos_busy", TRANSIENT),
    (
        "",
        "RequestTimeout: Your socket connection to the server was not read from or written to.",
        "cls.timeout",
        TRANSIENT,
    ),
    (
        "",
        "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        "cls.timeout",
        TRANSIENT,
    ),
    ("", "dial tcp 169.254.0.47:80: connection timed out", "cls.timeout", TRANSIENT),
    ("", "写入COS超时", "cls.timeout", TRANSIENT),
]

NEAR_MISSES = [
    ("cls.account_isolated", "", "the isolation level of the read is wrong"),
    ("cls.account_isolated", "", "事务隔离级别不支持"),
    ("cls.account_isolated", "", "the account is over its due limit"),
    ("cls.cos_access", "", "Access was granted, yet the key is unknown"),
    ("cls.cos_access", "", "连接被拒绝"),
    ("cls.cos_access", "", "对端拒绝连接"),
    ("cls.cos_access", "", "an authorized role"),
    ("cls.cos_bucket", "", "日志主题不存在"),
    ("cls.cos_bucket", "", "No Such Bucket List"),
    ("cls.cos_bucket", "", "the buckets differ; the topic does not exist"),
    ("cls.cos_entity_too_large", "", "Entity too small"),
    ("cls.cos_busy", "", "the upload slowed down"),
    ("cls.cos_busy", "", "内部网络"),
    ("cls.timeout", "", "the file was sometime outside the range"),
    ("cls.timeout", "", "at the time outgoing traffic stopped"),
    ("cls.timeout", "", "超过时间范围"),
]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("AccessDenied after RequestTimeout: the second try was refused", "cls.cos_access"),
        ("AccessDenied: the account is in arrears", "cls.account_isolated"),
        ("InternalError: NoSuchBucket", "cls.cos_bucket"),
        ("没有权限 请求超时", "cls.cos_access"),
        ("请求超时 账号欠费", "cls.account_isolated"),
    ],
)
def test_what_a_person_must_repair_comes_before_the_broad_words(message: str, name: str) -> None:
    assert classify(task(message=message), RULES).rule == name
