# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neither the machine's time zone, nor the night in which its clock changes, nor its language changes what is sent."""

from __future__ import annotations

import calendar
import time
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._drs.login import _moment
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._signing import cls, drs, geelark, sls
from ansible_collections.redrive.tasks.plugins.module_utils._task import Window
from ansible_collections.redrive.tasks.plugins.module_utils._window import parse_moment, resolve_window
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request
from unit.fakes import NOW, task

HOUR = 3600
READ = Request("GET", "https://example.com", "/things", (("a", "1"),), {"Host": "example.com"})
POST = Request(
    "POST", "https://example.com", "/", (), {"Host": "example.com", "Content-Type": "application/json"}, b"{}"
)


def utc(*parts: int) -> int:
    return calendar.timegm((*parts, *(0,) * (6 - len(parts))))


# Minutes around the hour that is missing or comes twice, in Central Europe, New York and on Lord Howe Island, and the
# ends of a day, a month, a leap day and a year.
NIGHTS = [
    utc(2026, 3, 29, 0, 59),
    utc(2026, 3, 29, 1, 0),
    utc(2026, 3, 29, 1, 30),
    utc(2026, 10, 25, 0, 30),
    utc(2026, 10, 25, 1, 30),
    utc(2026, 3, 8, 7, 30),
    utc(2026, 11, 1, 5, 30),
    utc(2026, 11, 1, 6, 30),
    utc(2026, 4, 4, 15, 15),
    utc(2026, 10, 3, 15, 45),
    utc(2028, 2, 29, 23, 59),
    utc(2026, 12, 31, 23, 59),
    utc(2027, 1, 1),
]


@pytest.mark.parametrize("now", NIGHTS)
class TestWindows:
    @pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("24h", 86400), ("2d", 2 * 86400), ("1w", 604800)])
    def test_a_duration_is_so_many_seconds(self, anywhere: str, now: int, text: str, seconds: int) -> None:
        assert parse_moment("since", text, now) == now - seconds

    @pytest.mark.parametrize(
        ("zone", "ahead"), [("", 0), ("Z", 0), ("+02:00", 2 * HOUR), ("+0530", 19800), ("-03:30", -12600)]
    )
    def test_a_time_is_in_utc_or_the_zone_that_it_names(self, anywhere: str, now: int, zone: str, ahead: int) -> None:
        text = "{}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*time.gmtime(now + ahead))
        assert parse_moment("since", text + zone, now) == now

    def test_epoch_seconds_are_themselves(self, anywhere: str, now: int) -> None:
        assert parse_moment("until", str(now), now) == now

    def test_a_window_is_clamped_in_words_that_are_utc(self, anywhere: str, now: int) -> None:
        warnings: list[str] = []
        window = resolve_window("4d", None, now=now, horizon=48 * HOUR, margin=60, warn=warnings.append)
        assert window == Window(now - 48 * HOUR + 60, now)
        began = "{}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*time.gmtime(window.since))
        assert warnings == [f"since reaches past the 48 hours for which the service shows tasks: clamped to {began}."]


SLS_KEY = sls.AccessKey("id", "secret")
CLS_KEY = cls.SecretKey("id", "secret")
DRS_KEY = drs.AccessKey("id", "secret")
APP_KEY = geelark.AppKey("id", "secret")


def signed(now: float) -> list[Request]:
    return [
        sls.sign_v1(READ, SLS_KEY, now),
        sls.sign_v4(READ, SLS_KEY, now, region="cn-hangzhou"),
        cls.sign_tc3(POST, CLS_KEY, now),
        drs.sign_hmac(POST, DRS_KEY, now, "p"),
        geelark.sign(POST, APP_KEY, now, "0b4a8b0e-3f5e-4c55-9c3b-2f6c7f0d1e11"),
    ]


EXPECTED = {now: signed(now) for now in (NOW, *NIGHTS)}


class TestSignatures:
    @pytest.mark.parametrize("now", EXPECTED)
    def test_they_are_the_same_in_every_time_zone(self, anywhere: str, now: float) -> None:
        assert signed(now) == EXPECTED[now]

    def test_they_are_the_same_in_every_language(self, any_language: str) -> None:
        assert {now: signed(now) for now in EXPECTED} == EXPECTED

    def test_they_say_what_time_it_is_in_utc(self, anywhere: str) -> None:
        v1, v4, tc3, hmac, key = (one.headers for one in signed(NOW))
        assert v1["Date"] == v1["x-log-date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
        assert v4["x-log-date"] == hmac["X-Sdk-Date"] == "20231114T221320Z"
        assert (tc3["X-TC-Timestamp"], key["ts"]) == ("1700000000", "1700000000000")
        assert "/2023-11-14/cls/" in tc3["Authorization"]
        assert "/20231114/cn-hangzhou/" in v4["Authorization"]

    def test_they_say_the_same_in_every_language(self, any_language: str) -> None:
        assert signed(NOW)[0].headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"


class TestReports:
    def iso(self, seconds: float) -> Any:
        plan = build_plan([task(created=seconds)], Selection(), Policy((), frozenset()), absent="")
        return _result.tasks(plan, {})[0]["created"]

    def test_times_in_the_result_are_utc(self, anywhere: str) -> None:
        assert self.iso(NOW) == "2023-11-14T22:13:20Z"

    def test_and_the_same_in_every_language(self, any_language: str) -> None:
        assert self.iso(NOW) == "2023-11-14T22:13:20Z"

    def test_a_token_ends_in_utc(self, anywhere: str) -> None:
        assert _moment("2023-11-14T22:13:20.000000Z") == NOW
