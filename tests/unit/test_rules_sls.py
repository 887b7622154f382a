# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Realistic texts for each built-in rule of SLS, and near misses. `test_rules` holds the rules to them."""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass

FIX, GONE, TRANSIENT = FailureClass.FIX, FailureClass.GONE, FailureClass.TRANSIENT

MEETS = [
    ("UnAuthorized", "", "sls.unauthorized", FIX),
    ("ConfigNotExist", "", "sls.config_not_exist", FIX),
    ("InvalidOssBucket", "", "sls.invalid_oss_bucket", FIX),
    ("InternalServerError", "please try again", "sls.internal_server_error", TRANSIENT),
    ("", "ErrorCode: NoSuchBucket, the specified bucket does not exist.", "sls.oss_bucket", FIX),
    ("OssError", "InvalidBucketName: The specified bucket is not valid.", "sls.oss_bucket", FIX),
    ("OssError", "InvalidOssBucket: check the shipping rule", "sls.oss_bucket", FIX),
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
    ("sls.unauthorized", "UnAuthorizedButOther", ""),
    ("sls.config_not_exist", "ConfigNotExists", ""),
    ("sls.invalid_oss_bucket", "InvalidOss", "Bucket is fine"),
    ("sls.internal_server_error", "InternalServer", ""),
    ("sls.oss_bucket", "", "NoSuch Bucket"),
    ("sls.oss_bucket", "", "Invalid Bucket Name"),
    ("sls.oss_access", "", "Access was granted"),
    ("sls.oss_debt", "", "the index is in order"),
    ("sls.oss_role_key", "", "NoPermissionNeeded"),
    ("sls.oss_role_key", "", "the rule is Inactively watched"),
    ("sls.maxcompute_target", "", "ODPS-0130132"),
    ("sls.maxcompute_target", "", "unauthorizedly late"),
    ("sls.maxcompute_busy", "", "Flow Exceeded"),
    ("sls.maxcompute_busy", "", "Connection was established"),
    ("sls.maxcompute_expired", "", "older than 13 days"),
]
