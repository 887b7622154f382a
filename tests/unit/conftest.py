# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Places where the machine may stand, as far as its time zone and its language make a difference."""

from __future__ import annotations

import locale
import time
from collections.abc import Iterator

import pytest

# As POSIX writes them, so that no database of time zones is needed.
_ZONES = (
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "IST-5:30",
    "NPT-5:45",
    "LHST-10:30LHDT-11,M10.1.0,M4.1.0",  # half an hour of daylight saving
    "<+14>-14",
    "<-12>12",
)
_LOCALES = ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ar_SA.UTF-8", "fa_IR.UTF-8", "ja_JP.UTF-8")


@pytest.fixture(params=_ZONES)
def anywhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's time zone."""
    with monkeypatch.context() as here:
        here.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.fixture(params=_LOCALES)
def any_language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's locale. One that this machine does not have is played: its names of days and months are strange."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, request.param)
    except locale.Error:
        _speak_foreign(monkeypatch)
    yield request.param
    locale.setlocale(locale.LC_ALL, before)


def _speak_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = time.strftime

    def strftime(form: str, *moment: time.struct_time) -> str:
        for directive in "aAbBpcxX":
            form = form.replace(f"%{directive}", "\u0131l\u0131")
        return genuine(form, *moment)

    monkeypatch.setattr(time, "strftime", strftime)
