# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GeeLark's codes: those of the envelope, those of a single task in a batch, and why a task failed.

The codes are the vendor's. Of the texts, only those marked with "page" are printed on the page of task/restart; the
others are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping

from local_cloud.services import Refusal

SUCCESS = 0
PARTIAL, ALL_FAILED = 40006, 40009

ENVELOPE: Mapping[int, str] = {
    SUCCESS: "success",  # page
    40000: "unknown error",  # page
    40001: "failed to read the request body",
    40002: "traceId is required",
    40003: "signature verification failed",
    40004: "parameter validation failed",
    40005: "the resource does not exist",
    PARTIAL: "partial success",  # page
    40007: "too many requests",
    40008: "paging parameter error",
    ALL_FAILED: "process all failure",  # page
    40010: "the resource is occupied",
    40011: "only for paid users",
    40012: "the interface has expired",
    40013: "the user does not exist",
    40014: "the request limit of the hour is exceeded, locked for two hours",
    40015: "no permission",
    40016: "the ip is not in the whitelist",
    40017: "too many requests, please try again later",
    41000: "insufficient task points",
    41001: "insufficient balance",
    47002: "too much concurrency",
    50000: "internal server error",
}

ITEM: Mapping[int, str] = {
    40005: "Environment has been deleted",  # page
    48000: "Task retry limit reached",  # page
    48001: "the current task status does not allow the operation",  # page: the example; its table words it otherwise
    48002: "Task does not exist",  # page
    48003: "The task resource has expired",  # page
}

NO_NETWORK, PHONE_BUSY, WAS_CANCELLED = "20100", "20002", "20005"
FAIL: Mapping[str, str] = {
    NO_NETWORK: "The cloud phone has no network.",
    PHONE_BUSY: "The cloud phone is executing another task.",
    WAS_CANCELLED: "The task was cancelled.",
}


def refusal(code: int, detail: str = "") -> Refusal:
    """The HTTP status says nothing about the outcome: it is always 200."""
    return Refusal(200, str(code), f"{ENVELOPE[code]}: {detail}" if detail else ENVELOPE[code])
