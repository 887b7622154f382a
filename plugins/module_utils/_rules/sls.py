# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Built-in rules for failed shipping tasks of Alibaba Cloud SLS.

Sources: the vendor's pages "Create an OSS shipping task (old version)" (error table, automatic retry) and
"GetShipperStatus", OSS "403 errors" and bucket errors, MaxCompute "Error codes" and "Ship logs to MaxCompute
(old version)". Exact codes come before message patterns; the first rule that a task meets wins.
"""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.module_utils._classify import rule
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass

_BUCKET = (
    "The OSS bucket named in the shipping rule is missing, misspelt or in another region than the project."
    " Correct the rule or create the bucket in the project's region, then retry."
)

RULES = (
    rule(
        "sls.unauthorized",
        FailureClass.FIX,
        "The RAM role of the shipping rule may not write to the target. Check that the role exists in the account that"
        " owns the bucket, that its trust policy names the SLS service and the right account id, that it may write,"
        " and that its ARN is typed right in the rule. Then retry.",
        codes=("UnAuthorized",),
    ),
    rule(
        "sls.config_not_exist",
        FailureClass.FIX,
        "The shipping rule was disabled or deleted. Enable or recreate it, then retry.",
        codes=("ConfigNotExist",),
    ),
    rule("sls.invalid_oss_bucket", FailureClass.FIX, _BUCKET, codes=("InvalidOssBucket",)),
    rule(
        "sls.internal_server_error",
        FailureClass.TRANSIENT,
        "The service failed by its own fault. It retries by itself after about 15, 30 and 60 minutes;"
        " a retry now only brings that forward.",
        codes=("InternalServerError",),
    ),
    rule(
        "sls.oss_bucket",
        FailureClass.FIX,
        _BUCKET,
        contains=("NoSuchBucket", "InvalidBucketName", "InvalidOssBucket"),
    ),
    # Before the access rules: a withdrawn key is reported with the word AccessDenied beside it.
    rule(
        "sls.oss_role_key",
        FailureClass.FIX,
        "The role or key behind the shipping rule is disabled, deleted or no longer trusted."
        " Repair it in RAM, then retry.",
        regex=r"InvalidAccessKeyId|InvalidSecurityToken|\bNoPermission\b|\.Inactive\b",
    ),
    rule(
        "sls.oss_debt",
        FailureClass.FIX,
        "The account that owns the bucket is in arrears. Pay first, then retry.",
        contains=("InDebt",),
    ),
    rule(
        "sls.oss_access",
        FailureClass.FIX,
        "OSS refused the write. Check the bucket's policy, its owner's state, and a retention (WORM) lock. Then retry.",
        contains=("AccessDenied", "BucketDisable", "BucketNotBelongTo", "AbnormalBucketOwnerStatus"),
    ),
    rule(
        "sls.maxcompute_expired",
        FailureClass.GONE,
        "MaxCompute no longer takes logs older than 14 days: they cannot be shipped. Export them from the logstore by"
        " other means if its retention still holds them.",
        regex=r"older than 14 days",
    ),
    rule(
        "sls.maxcompute_target",
        FailureClass.FIX,
        "The MaxCompute table, partition or project is missing, or the role may not write to it. Recreate it or grant"
        " the right, then retry. A column changed during shipping is not healed by a retry: restore the schema first.",
        regex=r"ODPS-0130131|Table not found|NoSuchPartition|NoSuchProject|\bUnauthorized\b",
    ),
    rule(
        "sls.maxcompute_busy",
        FailureClass.TRANSIENT,
        "MaxCompute was busy or the connection to it broke. If it comes back, spread the shipping rules over time.",
        regex=r"FlowExceeded|Connection reset|StatusConflict",
    ),
)
