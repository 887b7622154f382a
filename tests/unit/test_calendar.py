# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance windows and freeze dates, also where clocks are put forward and back."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from ansible_collections.redrive.tasks.plugins.plugin_utils._calendar import CalendarError, calendar_of

BERLIN = "Europe/Berlin"
NIGHT = {"from": "22:00", "to": "05:00"}
NOON = {"from": "12:00", "to": "13:00"}
WEEKEND = {"days": ["sat", "sun"], "from": "22:00", "to": "05:00"}


def is_open(windows: list[Any], moment: str, *, zone: str = BERLIN, freeze: Any = ()) -> bool:
    """Whether retries may be sent at a moment, in ISO 8601 with its zone, or local."""
    when = datetime.fromisoformat(moment)
    aware = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))
    return not calendar_of(zone, windows, freeze).closed(aware)


def closed(windows: list[Any], moment: str, freeze: Any = (), zone: str = BERLIN) -> str:
    """What is said at a local moment."""
    return calendar_of(zone, windows, freeze).closed(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)))


def test_without_a_window_it_is_always_open() -> None:
    assert is_open([], "2026-11-23T03:00")


@pytest.mark.parametrize(
    ("windows", "moment", "opened"),
    [
        ([NOON], "2026-11-23T11:59:59", False),
        ([NOON], "2026-11-23T12:00:00", True),
        ([NOON], "2026-11-23T12:59:59", True),
        ([NOON], "2026-11-23T13:00:00", False),
        # Over midnight.
        ([NIGHT], "2026-11-23T21:59:59", False),
        ([NIGHT], "2026-11-23T22:00:00", True),
        ([NIGHT], "2026-11-24T00:00:00", True),
        ([NIGHT], "2026-11-24T04:59:59", True),
        ([NIGHT], "2026-11-24T05:00:00", False),
        # 2026-11-21 is a Saturday; the day is that on which the window begins.
        ([WEEKEND], "2026-11-21T04:00:00", False),
        ([WEEKEND], "2026-11-21T23:00:00", True),
        ([WEEKEND], "2026-11-22T23:00:00", True),
        ([WEEKEND], "2026-11-23T04:00:00", True),
        ([WEEKEND], "2026-11-23T23:00:00", False),
        # One of several is enough; the same time twice is a whole day.
        ([NIGHT, NOON], "2026-11-23T12:30:00", True),
        ([{"from": "08:00", "to": "08:00", "days": "mon"}], "2026-11-24T07:59:59", True),
        ([{"from": "08:00", "to": "08:00", "days": "mon"}], "2026-11-24T08:00:00", False),
    ],
)
def test_a_window_is_open_from_its_beginning_until_just_before_its_end(
    windows: list[Any], moment: str, opened: bool
) -> None:
    assert is_open(windows, moment) is opened


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        # Summer time begins: 02:00 CET is 03:00 CEST.
        ("2026-03-29T00:59:59+00:00", False),  # 01:59:59
        ("2026-03-29T01:00:00+00:00", False),  # 03:00:00, so the hour of the window does not take place
        ("2026-03-30T00:30:00+00:00", True),  # 02:30:00 CEST
        # It ends: 03:00 CEST is 02:00 CET, and the hour of the window takes place twice.
        ("2026-10-24T23:59:59+00:00", False),  # 01:59:59 CEST
        ("2026-10-25T00:00:00+00:00", True),  # 02:00:00 CEST
        ("2026-10-25T00:59:59+00:00", True),  # 02:59:59 CEST
        ("2026-10-25T01:00:00+00:00", True),  # 02:00:00 CET
        ("2026-10-25T01:59:59+00:00", True),  # 02:59:59 CET
        ("2026-10-25T02:00:00+00:00", False),  # 03:00:00 CET
    ],
)
def test_the_clock_on_the_wall_counts_when_it_is_put_forward_and_back(moment: str, opened: bool) -> None:
    assert is_open([{"from": "02:00", "to": "03:00"}], moment) is opened


def test_a_window_over_the_change_is_open_throughout() -> None:
    for hour in range(21, 27):  # 22:00 to 04:59, in UTC
        moment = f"2026-10-{24 + hour // 24}T{hour % 24:02d}:30:00+00:00"
        assert is_open([NIGHT], moment), moment


@pytest.mark.parametrize(
    ("freeze", "moment", "opened"),
    [
        (["2026-12-24"], "2026-12-23T23:59:59", True),
        (["2026-12-24"], "2026-12-24T00:00:00", False),
        (["2026-12-24"], "2026-12-24T23:59:59", False),
        (["2026-12-24"], "2026-12-25T00:00:00", True),
        (["2026-12-20/2027-01-03"], "2026-12-31T12:00:00", False),
        (["2026-12-20/2027-01-03"], "2027-01-03T23:59:59", False),
        (["2026-12-20 / 2027-01-03"], "2027-01-04T00:00:00", True),
        ([date(2026, 12, 24)], "2026-12-24T12:00:00", False),  # as YAML reads one without quotes
        (["2026-10-25"], "2026-10-25T00:30:00+00:00", False),
    ],
)
def test_nothing_is_done_on_a_frozen_day(freeze: list[Any], moment: str, opened: bool) -> None:
    assert is_open([], moment, freeze=freeze) is opened


def test_a_frozen_day_closes_the_window_that_is_open() -> None:
    assert not is_open([NIGHT], "2026-12-24T01:00", freeze=["2026-12-24"])
    assert "a day on which nothing is changed" in closed([NIGHT], "2026-12-24T12:00", ["2026-12-24"])


@pytest.mark.parametrize(
    ("windows", "freeze", "following"),
    [
        ([NIGHT], [], "Thu 2026-12-24 22:00"),
        ([WEEKEND], [], "Sat 2026-12-26 22:00"),
        ([NIGHT, NOON], ["2026-12-24"], "Fri 2026-12-25 00:00"),  # what began on the frozen day
        ([NOON], ["2026-12-24/2026-12-26"], "Sun 2026-12-27 12:00"),
        ([], ["2026-12-24/2027-01-03"], "Mon 2027-01-04 00:00"),
    ],
)
def test_a_person_is_told_when_it_opens_again(windows: list[Any], freeze: list[str], following: str) -> None:
    said = closed(windows, "2026-12-24T14:00", freeze)
    assert said.startswith("Nothing was retried, because it is ")
    assert f"it is Thu 2026-12-24 14:00, Europe/Berlin. Retries may be sent again from {following} on." in said
    assert is_open(windows, following[4:].replace(" ", "T"), freeze=freeze)


def test_a_freeze_without_an_end_in_sight_is_told_as_such() -> None:
    said = closed([NOON], "2026-12-24T14:00", ["2026-01-01/2036-01-01"])
    assert said.endswith("Retries may not be sent again within a year.")


def test_unquoted_times_of_yaml_are_times() -> None:
    """YAML 1.1 reads 22:00 as 1320, in base sixty, and 05:00 as a text."""
    window = yaml.safe_load("{from: 22:00, to: 05:00, days: [Friday, SAT]}")
    assert window["from"] == 1320
    assert is_open([window], "2026-11-20T22:00")
    assert is_open([window], "2026-11-22T04:59")
    assert not is_open([window], "2026-11-22T22:00")


@pytest.mark.parametrize("days", ["sat,sun", "sat, Sunday", ["sat", "sunday"], ["SAT", "Sun"], ["satur", "sun"]])
def test_days_are_read_as_people_write_them(days: Any) -> None:
    assert is_open([{**NOON, "days": days}], "2026-11-22T12:30")
    assert is_open([{**NOON, "days": days}], "2026-11-21T12:30")
    assert not is_open([{**NOON, "days": days}], "2026-11-23T12:30")


@pytest.mark.parametrize("days", [None, "", []])
def test_without_days_it_is_every_day(days: Any) -> None:
    assert all(is_open([{**NOON, "days": days}], f"2026-11-{day}T12:30") for day in range(16, 23))


@pytest.mark.parametrize(
    ("windows", "freeze", "zone", "said"),
    [
        ([], [], "Europe/Atlantis", "remediate_timezone: 'Europe/Atlantis' is not known here."),
        ([], [], "../../etc/passwd", "remediate_timezone: "),
        ([{"from": "22:00"}], [], BERLIN, "is not a window. Write it as"),
        (["22:00-05:00"], [], BERLIN, "is not a window. Write it as"),
        ([{**NOON, "day": "mon"}], [], BERLIN, "is not a window. Write it as"),
        ([{**NOON, "to": "24:00"}], [], BERLIN, "'24:00' is not a time of the day. Write it as '22:00'."),
        ([{**NOON, "to": 1440}], [], BERLIN, "1440 is not a time of the day"),
        ([{**NOON, "to": True}], [], BERLIN, "True is not a time of the day"),
        ([{**NOON, "to": "5 pm"}], [], BERLIN, "'5 pm' is not a time of the day"),
        ([{**NOON, "days": ["mon-fri"]}], [], BERLIN, "must be some of mon, tue, wed, thu, fri, sat, sun."),
        ([{**NOON, "days": ["monkey"]}], [], BERLIN, "must be some of"),
        ([{**NOON, "days": ["m"]}], [], BERLIN, "must be some of"),
        ([], ["24.12.2026"], BERLIN, "remediate_freeze: '24.12.2026' is not a date. Write 2026-12-24,"),
        ([], ["2026-02-30"], BERLIN, "is not a date"),
        ([], ["2027-01-03/2026-12-20"], BERLIN, "ends before it begins"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_to_write_it(
    windows: list[Any], freeze: list[Any], zone: str, said: str
) -> None:
    with pytest.raises(CalendarError) as raised:
        calendar_of(zone, windows, freeze)
    assert said in str(raised.value)


def test_the_zone_of_the_machine_is_no_matter(anywhere: str) -> None:
    moment = datetime(2026, 11, 23, 21, 30, tzinfo=timezone.utc)
    assert not calendar_of(BERLIN, [NIGHT], []).closed(moment)
    assert calendar_of("UTC", [NIGHT], []).closed(moment)
