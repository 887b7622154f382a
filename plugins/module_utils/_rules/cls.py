# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Built-in rules for failed shipping tasks of Tencent Cloud CLS.

A task has no failure code, and the vendor publishes no list of its messages. The words are those of COS ("Error
codes"), where the logs go, and of CLS itself (error codes of the API, "Authorize CLS to write to COS"); that they stand
in a task's message is assumed, and so are all the Chinese ones. The first rule that a task meets wins: what a person
must repair comes before the broad words for a service that was busy.
"""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.module_utils._classify import rule
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass

RULES = (
    # Before the access rule: who does not pay is refused with the word AccessDenied beside it.
    rule(
        "cls.account_isolated",
        FailureClass.FIX,
        "The account, or something it owns, is isolated for unpaid bills. Check the balance in the billing console,"
        " pay, and wait until the log topic and the COS bucket are in service again, then retry.",
        # Not the isolation level of a transaction (隔离级别).
        regex=r"arrear|overdue|isolat(?!ion level)|欠费|隔离(?!级别)",
    ),
    rule(
        "cls.cos_access",
        FailureClass.FIX,
        "CLS may not write to the COS bucket. Check in CAM that the role of CLS exists, trusts CLS and may write to"
        " this bucket, check the bucket's own policy, and authorise CLS again in the shipping rule, then retry.",
        # "Connection refused" (连接被拒绝, 拒绝连接) is no question of rights.
        regex=r"AccessDenied|InvalidAccessKeyId|ExpiredToken|not authori[sz]ed|IllegalRole"
        r"|权限|未授权|(?<!连接被)(?<!连接)拒绝(?!连接)",
    ),
    rule(
        "cls.cos_bucket",
        FailureClass.FIX,
        "The COS bucket named in the shipping rule is missing or misspelt. Check its region, and that its name ends in"
        " the app id (name-1250000000). Correct the rule or create the bucket, then retry.",
        regex=r"NoSuchBucket|InvalidBucketName|bucket\b.{0,100}\b(?:does not|doesn't) exist"
        r"|(?:bucket|存储桶).{0,100}不存在|不存在.{0,20}(?:bucket|存储桶)",
    ),
    rule(
        "cls.cos_entity_too_large",
        FailureClass.FIX,
        "The file is larger than COS takes. Lower the size or the interval of the shipping rule. A retry sends the same"
        " logs again, so retry once to see, and export those logs by other means if it is refused again.",
        contains=("EntityTooLarge",),
    ),
    rule(
        "cls.cos_busy",
        FailureClass.TRANSIENT,
        "COS or CLS was busy or failed by its own fault. If it comes back, look at the vendor's status page and at the"
        " request rate of the bucket, and spread the shipping rules over time.",
        contains=("SlowDown", "ServiceUnavailable", "InternalError", "繁忙", "内部错误"),
    ),
    rule(
        "cls.timeout",
        FailureClass.TRANSIENT,
        "The write to COS took too long. If it comes back, look at the vendor's status page, and lower the file size of"
        " the shipping rule.",
        regex=r"timeout|\btimed? out\b|超时",
    ),
)
