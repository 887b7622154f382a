# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each built-in rule of SLS meets a realistic text, and a near miss does not meet it."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import classify
from ansible_collections.redrive.tasks.plugins.module_utils._rules.sls import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass
from unit.fakes import task

FIX, GONE, TRANSIENT = FailureClass.FIX, FailureClass.GONE, FailureClass.TRANSIENT

MEETS = [
    ("UnAuthorized", "", "sls.unauthorized", FIX),
    ("ConfigNotExist", "", "sls.config_not_exist", FIX),
    ("InvalidOssBucket", "", "sls.invalid_oss_bucket", FIX),
    ("InternalServerError", "please try again", "sls.internal_server_error", TRANSIENT),
    ("", "ErrorCode: NoSuchBucket, the specified bucket does not exist.", "sls.oss_bucket", FIX),
    ("OssError", "InvalidBucketName: The specified bucket is not valid.", "sls.oss_bucket", FIX),
    ("", "AccessDenied: the bucket you access does not belong to you.", "sls.oss_access", FIX),
    ("", "BucketDisable", "sls.oss_access", FIX),
    ("", "BucketNotBelongToUser", "sls.oss_access", FIX),
    ("", "AbnormalBucketOwnerStatus", "sls.oss_access", FIX),
    ("", "UserDisable: InDebt", "sls.oss_debt", FIX),
    ("", "Code: InDebtOverdue", "sls.oss_debt", FIX),
    ("", "AccessDenied, InvalidAccessKeyId: The key does not exist.", "sls.oss_role_key", FIX),
    ("", "InvalidSecurityToken", "sls.oss_role_key", FIX),
    ("", "sts: NoPermission, you are not authorized to do this action", "sls.oss_role_key", FIX),
    ("", "InvalidAccessKeyId.Inactive", "sls.oss_role_key", FIX),
    ("", "ODPS-0130131: Table not found - table logs.access", "sls.maxcompute_target", FIX),
    ("", "NoSuchPartition: the partition does not exist", "sls.maxcompute_target", FIX),
    ("", "NoSuchProject", "sls.maxcompute_target", FIX),
    ("", "ErrorCode=Unauthorized, no privilege on table", "sls.maxcompute_target", FIX),
    ("", "FlowExceeded: your flow quota is exceeded", "sls.maxcompute_busy", TRANSIENT),
    ("", "java.net.SocketException: Connection reset", "sls.maxcompute_busy", TRANSIENT),
    ("", "StatusConflict: upload session is busy", "sls.maxcompute_busy", TRANSIENT),
    ("", "log time is older than 14 days", "sls.maxcompute_expired", GONE),
]

NEAR_MISSES = [
    ("UnAuthorizedButOther", ""),
    ("ConfigNotExists", ""),
    ("InvalidOss", "Bucket is fine"),
    ("InternalServer", ""),
    ("", "NoSuch Bucket"),
    ("", "Invalid Bucket Name"),
    ("", "Access was granted"),
    ("", "the index is in order"),
    ("", "NoPermissionNeeded"),
    ("", "the rule is Inactively watched"),
    ("", "ODPS-0130132"),
    ("", "unauthorizedly late"),
    ("", "Flow Exceeded"),
    ("", "Connection was established"),
    ("", "older than 13 days"),
]


@pytest.mark.parametrize(("code", "message", "name", "kind"), MEETS)
def test_a_realistic_failure_meets_its_rule(code: str, message: str, name: str, kind: FailureClass) -> None:
    failure = classify(task(code=code, message=message), RULES)
    assert (failure.rule, failure.failure_class) == (name, kind)


@pytest.mark.parametrize(("code", "message"), NEAR_MISSES)
def test_a_near_miss_stays_unclassified(code: str, message: str) -> None:
    assert classify(task(code=code, message=message), RULES).failure_class is FailureClass.UNCLASSIFIED


def test_every_rule_is_met_by_one_of_these_texts() -> None:
    assert {name for _code, _message, name, _kind in MEETS} == {one.name for one in RULES}


def test_codes_come_before_messages() -> None:
    """So that a text never overrules the service's own code."""
    with_code = [bool(one.codes) for one in RULES]
    assert with_code == sorted(with_code, reverse=True)


def test_what_a_person_must_do_is_said() -> None:
    assert [one.name for one in RULES if not one.remedy] == []
