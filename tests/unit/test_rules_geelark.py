# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each code on the vendor's list meets one rule of GeeLark, and no other code does."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._classify import classify
from ansible_collections.redrive.tasks.plugins.module_utils._rules.geelark import RULES
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass
from unit.fakes import task

FIX, GONE, TRANSIENT = FailureClass.FIX, FailureClass.GONE, FailureClass.TRANSIENT

# The vendor's list, in the order of its numbers, each part with what can heal it.
LISTED = {
    TRANSIENT: """
        20002, 20129, 29992-29995
        20100, 20108, 20134, 20141, 20262, 20502
        20103, 20105-20107, 20110-20112, 20118-20124, 20132, 20133, 20200-20203, 20208, 20230, 20240, 20245, 20257,
        20504-20508
        20102, 20104, 20115, 20135, 20138-20140, 20142, 20205-20207, 20209-20212, 20216-20219, 20223-20228, 20231-20233,
        20235, 20236, 20242, 20243, 20247-20250, 20254, 20256, 20258, 20260, 20261, 20267, 20401-20403, 20501,
        20601-20606, 20701-20715, 20801, 20802, 20804, 20901, 21001, 29999
        20300-20306, 20308-20314, 20316, 20321-20323, 20325, 20327, 20328, 20331-20333, 20335-20340
        """,
    FIX: """
        20003, 20213-20215, 20251
        20005, 20006
        20101, 20109, 20113, 20114, 29996
        20008
        20116, 20117, 20126-20128, 20130, 20144, 20318-20320, 20324, 20329, 20334
        20125, 20131, 20143, 20264, 20315, 20317
        20136, 20137, 20145
        20204, 20220-20222, 20238, 20239, 20244, 20252, 20253, 20263, 20265, 20266, 20307
        20229, 20234, 20237, 20241, 20246, 20259, 20503, 20607, 20803
        29997
        """,
    GONE: "20007, 20255, 20326, 20330, 20700, 29998",
}


def numbers(text: str) -> list[int]:
    """The numbers that a text of numbers and ranges stands for."""
    return [
        code
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", text)
        for code in range(int(first), int(last or first) + 1)
    ]


CLASSES = {str(code): kind for kind, text in LISTED.items() for code in numbers(text)}

# One code of each rule at least, in the vendor's words.
MEETS = [
    ("20002", "The machine is performing other tasks", "geelark.phone_busy", TRANSIENT),
    ("20129", "Device offline", "geelark.phone_unavailable", TRANSIENT),
    ("29995", "Currently unavailable; maintenance in progress", "geelark.phone_unavailable", TRANSIENT),
    ("20100", "No network connection", "geelark.no_network", TRANSIENT),
    ("20110", "Failed to obtain proxy ip", "geelark.egress_address", TRANSIENT),
    ("20105", "Installation of tiktok failed", "geelark.device_or_app_start", TRANSIENT),
    ("20124", "The waiting time to enter the homepage is too long", "geelark.loading", TRANSIENT),
    ("20507", "Fan list loading timeout", "geelark.loading", TRANSIENT),
    (
        "20203",
        "Failed to upload video, failed for 15 minutes, please check the network or try again later",
        "geelark.transfer",
        TRANSIENT,
    ),
    ("20139", "Circle slider validation failed", "geelark.captcha", TRANSIENT),
    ("20115", "Check login failure", "geelark.login_state", TRANSIENT),
    ("20258", "Element not found", "geelark.screen_flow", TRANSIENT),
    ("20712", "Access data authorization failed", "geelark.screen_flow", TRANSIENT),
    ("20267", "Custom template task publishing failed", "geelark.custom_template", TRANSIENT),
    ("29999", "Unknown error", "geelark.unknown_error", TRANSIENT),
    ("20336", "Email verification code execution failed", "geelark.registration", TRANSIENT),
    ("20003", "Execution timeout. Please view the publication on TikTok.", "geelark.maybe_published", FIX),
    ("20213", "Clicking Publish on the publish page fails", "geelark.maybe_published", FIX),
    ("20214", "Clicking Publish Now failed", "geelark.maybe_published", FIX),
    ("20215", "Preview completed and waiting for video processing failed", "geelark.maybe_published", FIX),
    ("20251", "Video publishing failed, saved to drafts", "geelark.maybe_published", FIX),
    ("20005", "Task canceled", "geelark.cancelled", FIX),
    ("20006", "The same task was canceled", "geelark.cancelled", FIX),
    ("29996", "Proxy detection failed", "geelark.proxy", FIX),
    (
        "20008",
        "Failed because the APP language was modified. You need to change the APP language to English",
        "geelark.app_language",
        FIX,
    ),
    ("20130", "Account password is wrong", "geelark.login_data", FIX),
    ("20319", "Email login failed, account locked", "geelark.mailbox", FIX),
    ("20143", "Maximum number of attempts reached", "geelark.too_many_attempts", FIX),
    ("20137", "The account has been blocked and you can appeal.", "geelark.account_blocked", FIX),
    ("20252", "Background music infringement", "geelark.content", FIX),
    ("20229", "The specified user was not found", "geelark.object_missing", FIX),
    ("29997", "Insufficient balance", "geelark.balance", FIX),
    ("20007", "Unsupported task type", "geelark.unsupported", GONE),
    ("20255", "Your account is permanently restricted from selling products", "geelark.selling_banned", GONE),
    ("20330", "Email is registered", "geelark.already_registered", GONE),
    ("29998", "The cloud phone has been deleted", "geelark.phone_deleted", GONE),
]

# The next number, one digit more or less, and the vendor's words without its code.
NEAR_MISSES = [
    *((one.name, one.codes[0] + "0", "") for one in RULES),
    *((one.name, one.codes[-1][:-1], "") for one in RULES),
    *((name, "", message) for _code, message, name, _kind in MEETS),
    *(
        ("", str(code), "")
        for code in (20001, 20004, 20009, 20099, 20146, 20199, 20268, 20299, 20341, 20716, 20805, 29991, 30000, 0)
    ),
]


def test_the_list_names_no_code_twice() -> None:
    assert sum(len(numbers(text)) for text in LISTED.values()) == len(CLASSES)


@pytest.mark.parametrize(("code", "kind"), CLASSES.items())
def test_each_listed_code_is_judged_by_one_rule(code: str, kind: FailureClass) -> None:
    meeting = [one for one in RULES if one.meets(task(code=code))]
    assert [one.failure_class for one in meeting] == [kind]


def test_no_code_is_in_two_rules_and_none_is_off_the_list() -> None:
    assert Counter(code for one in RULES for code in one.codes) == Counter(dict.fromkeys(CLASSES, 1))


def test_no_rule_goes_by_the_message() -> None:
    assert [one.name for one in RULES if one.pattern] == []


@pytest.mark.parametrize("code", ["20003", "20213", "20214", "20215", "20251"])
def test_a_post_that_may_be_out_is_not_retried_unasked(code: str) -> None:
    """Neither of the classes that are retried by default, and the remedy says how to ask for it."""
    failure = classify(task(code=code), RULES)
    assert failure.failure_class not in (TRANSIENT, FailureClass.UNCLASSIFIED)
    assert "drafts" in failure.remedy
    assert "retry_classes: [fix]" in failure.remedy
