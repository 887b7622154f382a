# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scenario chooses where the sources on DRS disagree or are silent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from local_cloud.tasks import ScenarioError

_CHOICES: dict[str, tuple[object, ...]] = {
    "dialect": ("otc", "hw"),
    "expired_token_code": ("APIGW.0307", "DRS.M00100"),
    "iam_envelope": ("flat", "legacy"),
    "wrong_password_code": ("IAM.0001", "IAM.0062"),
    "catalog": (True, False, "without_project"),
    "retry_status": (200, 202),
    "result_case": ("lower", "title"),
    "all_failed_status": (400, 200, 202),
    "unknown_id_code": ("DRS.M05003", "DRS.M00289"),
    "unknown_reads": ("omit", "failed"),
    "paused_word": ("PAUSING", "PAUSEING", "PAUSED"),
    "paused_filter": ("accept", "refuse"),
    "beyond_end": ("empty", "refuse"),
    "throttle_code": ("APIGW.0308", "DRS.M01503"),
}
_TUPLES = ("leave_out", "also_retryable")


@dataclass(frozen=True)
class DrsOptions:
    """Defaults: what Open Telekom Cloud's pages say, else the mildest that a careful client must live with."""

    dialect: str = "otc"  # or hw (Huawei Cloud): jobs of a list carry job_action, DRS.M00004 comes with 422
    # -- IAM
    token_seconds: int = 24 * 3600
    expired_token_code: str = "APIGW.0307"  # or DRS.M00100 with 403: what DRS says to an expired token
    lock_after: int = 3  # wrong passwords
    lock_seconds: int = 15 * 60
    iam_envelope: str = "flat"  # or legacy: {"error": {"code": 401, "message", "title"}}
    wrong_password_code: str = "IAM.0001"  # or IAM.0062
    catalog: bool | str = True  # of a token: with an entry for drs, without one, or one whose URL names no project
    catalog_url: str = ""  # where the catalog says DRS is; empty: where the token was asked for
    # -- retrying
    retry_status: int = 200  # or 202, as the sibling calls document
    result_case: str = "lower"  # success and failed; or title: Success and Failed, as v5 writes
    all_failed_status: int = 400  # when no job of the call is known; 200 and 202 are imaginable
    unknown_id_code: str = "DRS.M05003"  # or DRS.M00289
    leave_out: tuple[str, ...] = ()  # ids that are missing from the results of a retry
    max_jobs: int | None = None  # no page states a limit; 1 is refused with DRS.M00299, any other with DRS.M00300
    also_retryable: tuple[str, ...] = ()  # states, for instance START_JOB_FAILED: which ones is not established
    throttle_code: str = "APIGW.0308"  # or DRS.M01503, which comes with 400: what rate limits and `throttle` say
    # -- reading
    unknown_reads: str = "omit"  # or failed: unknown ids among known ones, in batch-status and its like
    paused_word: str = "PAUSING"  # or PAUSEING, PAUSED
    paused_filter: str = "accept"  # or refuse: OTC's page on the list does not name PAUSING among its filters
    beyond_end: str = "empty"  # or refuse: DRS.M00211 for a page of the list beyond its end

    def __post_init__(self) -> None:
        for name, values in _CHOICES.items():
            if getattr(self, name) not in values:
                raise ScenarioError(f"drs.{name} is one of {values}")


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options as `DrsOptions` takes them; raises ScenarioError for one that does not exist."""
    unknown = set(options) - {one.name for one in fields(DrsOptions)}
    if unknown:
        raise ScenarioError(f"unknown drs options: {sorted(unknown)}")
    return {name: tuple(value) if name in _TUPLES else value for name, value in options.items()}
