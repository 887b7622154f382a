# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judging: the vendor's texts, rules of the user's own, and what may be retried."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.tasks import TaskList
from modules.harness import Ansible, Direct
from modules.sls import ALL, INFO, RETRY, WHERE

KNOWN = [
    ("UnAuthorized", "any", "fix", "sls.unauthorized"),
    ("unauthorized", "any", "fix", "sls.unauthorized"),
    ("ConfigNotExist", "any", "fix", "sls.config_not_exist"),
    ("InvalidOssBucket", "any", "fix", "sls.invalid_oss_bucket"),
    ("InternalServerError", "any", "transient", "sls.internal_server_error"),
    ("", "ErrorCode: NoSuchBucket, ErrorMessage: x", "fix", "sls.oss_bucket"),
    ("", "InvalidBucketName", "fix", "sls.oss_bucket"),
    ("", "AccessDenied by bucket policy", "fix", "sls.oss_access"),
    ("", "BucketDisable", "fix", "sls.oss_access"),
    ("", "BucketNotBelongTo you", "fix", "sls.oss_access"),
    ("", "AbnormalBucketOwnerStatus", "fix", "sls.oss_access"),
    ("", "UserDisable InDebtOverdue", "fix", "sls.oss_debt"),
    ("", "AccessDenied: InvalidAccessKeyId", "fix", "sls.oss_role_key"),
    ("", "InvalidSecurityToken", "fix", "sls.oss_role_key"),
    ("", "NoPermission to assume", "fix", "sls.oss_role_key"),
    ("", "InvalidAccessKeyId.Inactive", "fix", "sls.oss_role_key"),
    ("", "ODPS-0130131:Table not found - x", "fix", "sls.maxcompute_target"),
    ("", "NoSuchPartition", "fix", "sls.maxcompute_target"),
    ("", "NoSuchProject", "fix", "sls.maxcompute_target"),
    ("", "FlowExceeded", "transient", "sls.maxcompute_busy"),
    ("", "Connection reset by peer", "transient", "sls.maxcompute_busy"),
    ("", "StatusConflict", "transient", "sls.maxcompute_busy"),
    ("", "logs older than 14 days", "gone", "sls.maxcompute_expired"),
    ("Odd", "never heard of it", "unclassified", ""),
    ("", "", "unclassified", ""),
]


def test_the_vendors_texts_are_known_and_only_what_can_heal_is_retried(ansible: Ansible, shipper: TaskList) -> None:
    expected = {}
    for number, (code, message, kind, rule) in enumerate(KNOWN):
        shipper.add_tasks(id=f"t{number}", code=code, message=message)
        expected[f"t{number}"] = (kind, rule, "retry" if kind in ("transient", "unclassified") else "skip")
    ran = ansible(RETRY, ALL)
    found = {
        one: (task["failure"]["class"], task["failure"]["rule"], task["action"]) for one, task in ran.by_id().items()
    }
    assert found == expected
    assert all(task["failure"]["remedy"] for task in ran["tasks"])


@pytest.mark.parametrize("code", ["NoSuchBucket", "AccessDenied", "InvalidAccessKeyId", "FlowExceeded"])
def test_a_known_word_that_comes_as_the_code_is_known_too(module: Direct, shipper: TaskList, code: str) -> None:
    shipper.add_tasks(code=code, message="in other words")
    assert module(INFO, WHERE)["tasks"][0]["failure"]["class"] != "unclassified"


BUCKET: dict[str, Any] = {"code": "InvalidOssBucket", "message": "Bucket alpha does not exist"}


@pytest.mark.parametrize(
    ("rules", "kind", "rule"),
    [
        ([], "fix", "sls.invalid_oss_bucket"),
        ([{"code": "invalidossbucket", "class": "transient"}], "transient", "rules[0]"),
        ([{"match": "BUCKET (alpha|beta)", "class": "gone"}], "gone", "rules[0]"),
        ([{"match": "zzz", "class": "gone"}, {"match": "alpha", "class": "exhausted"}], "exhausted", "rules[1]"),
        ([{"match": "a", "class": "gone"}, {"code": "InvalidOssBucket", "class": "transient"}], "gone", "rules[0]"),
        ([{"code": "InvalidOssBucket", "match": "beta", "class": "gone"}], "fix", "sls.invalid_oss_bucket"),
        ([{"code": "Other", "match": "alpha", "class": "gone"}], "fix", "sls.invalid_oss_bucket"),
        ([{"match": "^alpha", "class": "gone"}], "fix", "sls.invalid_oss_bucket"),
    ],
    ids=str,
)
def test_rules_of_the_users_own_come_first_and_the_first_match_wins(
    module: Direct, shipper: TaskList, rules: list[dict[str, str]], kind: str, rule: str
) -> None:
    shipper.add_tasks(**BUCKET)
    failure = module(INFO, {**WHERE, "rules": rules})["tasks"][0]["failure"]
    assert (failure["class"], failure["rule"]) == (kind, rule)


def test_the_remedy_of_a_rule_is_told_and_its_tasks_are_retried(ansible: Ansible, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, **BUCKET)
    shipper.add_tasks(code="UnAuthorized")
    rules = [{"code": "InvalidOssBucket", "class": "transient", "remedy": "Wait for the storage team."}]
    ran = ansible(RETRY, {**ALL, "rules": rules})
    assert ran.counts("accepted", "skip") == (2, 1)
    assert ran["causes"][0]["remedy"] == "Wait for the storage team."


@pytest.mark.parametrize(
    ("classes", "retried"),
    [
        (None, ["t", "u"]),
        ([], []),
        (["fix"], ["f"]),
        (["transient"], ["t"]),
        (["unclassified"], ["u"]),
        (["gone", "exhausted"], ["e", "g"]),
        ("transient,fix", ["f", "t"]),
    ],
    ids=str,
)
def test_the_classes_that_are_listed_are_retried(
    module: Direct, shipper: TaskList, classes: Any, retried: list[str]
) -> None:
    shipper.add_tasks(id="t", code="InternalServerError")
    shipper.add_tasks(id="u", code="Odd", message="odd")
    shipper.add_tasks(id="f", code="InvalidOssBucket")
    shipper.add_tasks(id="g", code="", message="older than 14 days")
    shipper.add_tasks(id="e", code="Enough", message="enough")
    rules = [{"code": "Enough", "class": "exhausted"}]
    ran = module(RETRY, {**ALL, "retry_classes": classes, "rules": rules})
    assert sorted(one for put in ran.changes for one in put.ids) == retried
    assert all("retry_classes" in task["reason"] for task in ran["tasks"] if task["action"] == "skip")
