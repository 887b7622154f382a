# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""since and until."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._task import Window
from ansible_collections.redrive.tasks.plugins.module_utils._window import parse_moment, resolve_window

NOW = 1_700_000_000.5  # 2023-11-14T22:13:20Z
DAY = 86400


def resolve(
    since: str | None = None, until: str | None = None, horizon: int | None = 2 * DAY
) -> tuple[Window, list[str]]:
    warnings: list[str] = []
    return resolve_window(since, until, now=NOW, horizon=horizon, margin=60, warn=warnings.append), warnings


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", 1_700_000_000 - 5400),
        ("36h", 1_700_000_000 - 36 * 3600),
        ("2d", 1_700_000_000 - 2 * DAY),
        ("1w", 1_700_000_000 - 7 * DAY),
        ("30s", 1_699_999_970),
        ("1699990000", 1_699_990_000),
        ("1699990000.7", 1_699_990_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20z", 1_700_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000),
        ("2023-11-14 22:13:20", 1_700_000_000),
        ("2023-11-14", 1_699_920_000),
        (" 90m ", 1_700_000_000 - 5400),
        ("36H", 1_700_000_000 - 36 * 3600),
        ("2023-11-14T22:13:20.12Z", 1_700_000_000),
        ("2023-11-14T22:13:20,5+0000", 1_700_000_000),
        ("20231114T221320Z", 1_700_000_000),
        ("2023-11-14T22:13Z", 1_699_999_980),
        ("2023-11-14T17:13:20-05", 1_700_000_000),
    ],
)
def test_every_form_of_a_time_is_read(text: str, moment: int) -> None:
    assert parse_moment("since", text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "-90m",
        "1.5h",
        "90 m",
        "2023-13-01",
        "2023-11-14T25:00Z",
        "2023-11-14Z",
        "2023-11-14T22:13:20+99:00",
        "1700000000000",
        "٣m",
        "m",
        "٣٣٣٣٣٣٣٣٣٣",
        "0x10",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="since is not a time"):
        parse_moment("since", text, NOW)


def test_the_default_is_all_that_the_service_shows_less_a_margin() -> None:
    assert resolve() == (Window(1_700_000_000 - 2 * DAY + 60, 1_700_000_000), [])


def test_without_a_horizon_the_default_is_everything() -> None:
    assert resolve(horizon=None) == (Window(0, 1_700_000_000), [])


def test_past_the_horizon_is_clamped_with_a_warning_that_says_to_what() -> None:
    window, warnings = resolve("3d")
    assert window.since == 1_700_000_000 - 2 * DAY + 60
    assert warnings == [
        "since reaches past the 48 hours for which the service shows tasks: clamped to 2023-11-12T22:14:20Z."
    ]


def test_exactly_the_horizon_is_no_reason_to_warn() -> None:
    assert resolve("2d") == (Window(1_700_000_000 - 2 * DAY + 60, 1_700_000_000), [])


def test_a_future_end_is_clamped_with_a_warning() -> None:
    window, warnings = resolve("1h", "2030-01-01T00:00:00Z")
    assert window.until == 1_700_000_000
    assert "until is in the future" in warnings[0]


@pytest.mark.parametrize(
    ("since", "until"), [("1h", "2h"), ("1h", "1h"), ("2030-01-01", None), (None, "3d"), ("9999999999", None)]
)
def test_an_empty_window_is_refused(since: str | None, until: str | None) -> None:
    with pytest.raises(InputError, match="The window is empty"):
        resolve(since, until)


def test_even_absurd_times_end_in_words() -> None:
    with pytest.raises(InputError, match="The window is empty"):
        resolve(None, "999999999w")
