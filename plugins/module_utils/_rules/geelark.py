# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Built-in rules for failed cloud phone tasks of GeeLark.

Sources: the list of failure codes on the vendor's pages "Task query" and "Batch query tasks", and the vendor's command
line client for 29992 to 29994. The vendor says what happened, not whether a retry helps: the classes are assumed. Every
rule goes by the code alone, and no code is in two rules, so their order has no meaning. A code that is not on the list
stays unclassified.
"""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.module_utils._classify import rule
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass


def _codes(*ranges: int | tuple[int, int]) -> tuple[str, ...]:
    """Codes as the text that a task carries; a pair is a range, both ends included."""
    pairs = (one if isinstance(one, tuple) else (one, one) for one in ranges)
    return tuple(str(code) for first, last in pairs for code in range(first, last + 1))


RULES = (
    # -- what may pass
    rule(
        "geelark.phone_busy",
        FailureClass.TRANSIENT,
        "The phone was working on another task; it does one at a time. If it comes back, retry fewer tasks of this"
        " phone at once.",
        codes=_codes(20002),
    ),
    rule(
        "geelark.phone_unavailable",
        FailureClass.TRANSIENT,
        "The phone was offline or could not start, or the vendor's system was at fault or in maintenance. If it comes"
        " back, start the phone by hand in the client and look at the vendor's notices.",
        codes=_codes(20129, (29992, 29995)),
    ),
    rule(
        "geelark.no_network",
        FailureClass.TRANSIENT,
        "The phone had no network. If it comes back, check the phone's proxy: whether it answers, and whether it is"
        " paid.",
        codes=_codes(20100, 20108, 20134, 20141, 20262, 20502),
    ),
    rule(
        "geelark.egress_address",
        FailureClass.TRANSIENT,
        "The IP address under which the phone reaches the internet could not be read. If it comes back, check the"
        " phone's proxy.",
        codes=_codes(20110, 20118),
    ),
    rule(
        "geelark.device_or_app_start",
        FailureClass.TRANSIENT,
        "The phone, its helper app or the app did not install or start. If it comes back, restart the phone and open"
        " the app by hand.",
        codes=_codes(20103, 20105, 20106, 20111, 20112, 20119, 20122),
    ),
    rule(
        "geelark.loading",
        FailureClass.TRANSIENT,
        "A page, a list or data of the account did not load in time. If it comes back, check the speed of the phone's"
        " proxy and open the page by hand.",
        codes=_codes(20107, 20120, 20121, 20123, 20124, 20132, 20133, 20230, 20240, 20245, (20504, 20508)),
    ),
    rule(
        "geelark.transfer",
        FailureClass.TRANSIENT,
        "A download to the phone or an upload to the platform broke or stood still. If it comes back, check the speed"
        " of the phone's proxy and that the file's address still answers.",
        codes=_codes((20200, 20203), 20208, 20257),
    ),
    # No attempts are counted over runs, so "once only" can but be said to the reader.
    rule(
        "geelark.captcha",
        FailureClass.TRANSIENT,
        "The platform's puzzle was not solved. One retry may do. If it fails again, solve it by hand on the phone"
        " before you retry again.",
        codes=_codes((20138, 20140), 20142),
    ),
    rule(
        "geelark.login_state",
        FailureClass.TRANSIENT,
        "Whether the account is logged in, or its name, could not be read or saved. One retry may do. If it fails"
        " again, open the app on the phone and look whether the account is logged in before you retry again.",
        codes=_codes(20104, 20115, 20135),
    ),
    rule(
        "geelark.screen_flow",
        FailureClass.TRANSIENT,
        "A button or page was not where the task looked for it. One retry may do. If it fails again, look at the"
        " pictures in the task's details, at the app's version and at its language (English) before you retry again.",
        codes=_codes(
            20102,
            (20205, 20207),
            (20209, 20212),
            (20216, 20219),
            (20223, 20228),
            (20231, 20233),
            (20235, 20236),
            (20242, 20243),
            (20247, 20250),
            20254,
            20256,
            20258,
            (20260, 20261),
            (20401, 20403),
            20501,
            (20601, 20606),
            (20701, 20715),
            (20801, 20802),
            20804,
            20901,
            21001,
        ),
    ),
    rule(
        "geelark.custom_template",
        FailureClass.TRANSIENT,
        "A task of a custom template failed. One retry may do. If it fails again, run the template by hand in the"
        " client and correct the step that fails before you retry again.",
        codes=_codes(20267),
    ),
    rule(
        "geelark.unknown_error",
        FailureClass.TRANSIENT,
        "The vendor does not know why. One retry may do. If it fails again, look at the log and the pictures in the"
        " task's details before you retry again.",
        codes=_codes(29999),
    ),
    rule(
        "geelark.registration",
        FailureClass.TRANSIENT,
        "A step of registering the account failed. One retry may do. If it fails again, look at the pictures in the"
        " task's details, and finish the registration by hand on the phone.",
        codes=_codes(
            (20300, 20306),
            (20308, 20314),
            20316,
            (20321, 20323),
            20325,
            (20327, 20328),
            (20331, 20333),
            (20335, 20340),
        ),
    ),
    # -- what a person must look at or repair
    # Not transient, though a retry may well succeed: these failed at or after the button "publish", so the post may be
    # out already, and a retry would then publish it twice. Only a person can tell.
    rule(
        "geelark.maybe_published",
        FailureClass.FIX,
        "The post may be public or among the drafts already, and a retry would publish it twice. Look at the account on"
        " the platform and at its drafts first. If the post is not there, restart this task alone, by its id, with"
        " retry_classes: [fix].",
        codes=_codes(20003, (20213, 20215), 20251),
    ),
    # Cancelled is a state of its own, which is not judged. Yet the vendor lists these two among the reasons of failed
    # tasks. A person wanted the task to stop, so nothing but a person's word starts it again: not transient.
    rule(
        "geelark.cancelled",
        FailureClass.FIX,
        "The task was cancelled, or another one like it was. Ask who cancelled it. If it is still wanted, restart"
        " it alone, by its id, with retry_classes: [fix].",
        codes=_codes((20005, 20006)),
    ),
    rule(
        "geelark.proxy",
        FailureClass.FIX,
        "The phone's proxy does not work or has wrong settings. Check type, address, port, user and password in the"
        " client and run its proxy check, then retry.",
        codes=_codes(20101, 20109, (20113, 20114), 29996),
    ),
    rule(
        "geelark.app_language",
        FailureClass.FIX,
        "The app's language was changed. Set it to English on the phone, then retry.",
        codes=_codes(20008),
    ),
    rule(
        "geelark.login_data",
        FailureClass.FIX,
        "The account is not logged in, or its login data is missing or wrong. Correct user and password in the task's"
        " account, or log in by hand on the phone, then retry.",
        codes=_codes((20116, 20117), (20126, 20128), 20130, 20144, 20324),
    ),
    rule(
        "geelark.mailbox",
        FailureClass.FIX,
        "The mailbox for the verification code cannot be used: wrong login, locked, or of a provider that the vendor"
        " does not support. Log in to it by hand, or give the account another mailbox, then retry.",
        codes=_codes((20318, 20320), 20329, 20334),
    ),
    rule(
        "geelark.too_many_attempts",
        FailureClass.FIX,
        "The platform counts too many attempts and restricts the account for a time: every retry prolongs it. Leave the"
        " account alone for 24 hours, look at it by hand, then retry once.",
        codes=_codes(20125, 20131, 20143, 20264, 20315, 20317),
    ),
    rule(
        "geelark.account_blocked",
        FailureClass.FIX,
        "The platform has blocked the account. Look at it by hand and appeal, or give the task another account, then"
        " retry.",
        codes=_codes((20136, 20137), 20145),
    ),
    rule(
        "geelark.content",
        FailureClass.FIX,
        "The platform or the phone cannot take the video, sound, text or date that the task was given: the same input"
        " fails again. Create a new task with other input; retry only if you changed the file behind the address.",
        codes=_codes(20204, (20220, 20222), (20238, 20239), 20244, (20252, 20253), 20263, (20265, 20266), 20307),
    ),
    rule(
        "geelark.object_missing",
        FailureClass.FIX,
        "The user, product, video or shop that the task names does not exist or is not on sale. Look for it by hand."
        " Retry if it is back, else create a new task.",
        codes=_codes(20229, 20234, 20237, 20241, 20246, 20259, 20503, 20607, 20803),
    ),
    rule(
        "geelark.balance",
        FailureClass.FIX,
        "The GeeLark account has no balance left, so every task fails. Top it up, then retry.",
        codes=_codes(29997),
    ),
    # -- never again
    rule(
        "geelark.unsupported",
        FailureClass.GONE,
        "The vendor does not support this kind of task. Create another task.",
        codes=_codes(20007, 20700),
    ),
    rule(
        "geelark.selling_banned",
        FailureClass.GONE,
        "The platform has banned the account from selling for good. Create the task for another account.",
        codes=_codes(20255),
    ),
    rule(
        "geelark.already_registered",
        FailureClass.GONE,
        "The account or the mailbox is registered already: there is nothing left to register. Log in with it, or use"
        " another mailbox in a new task.",
        codes=_codes(20326, 20330),
    ),
    rule(
        "geelark.phone_deleted",
        FailureClass.GONE,
        "The cloud phone is deleted, and its tasks with it. Create the task on another phone.",
        codes=_codes(29998),
    ),
)
