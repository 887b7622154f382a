# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that is wrong: what a Date tells, when that is believed, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from threading import Barrier, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._skew import Skew, http_date
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import NOW, FakeClock, FakeTransport, caller, reply

CALL = Request("PUT", "https://api.example.com", "/things")
LIMIT = 900
"""By so many seconds the service lets a signature be off."""


def parse(response: Response) -> Response:
    if response.status == 401:
        raise CallError(Kind.DENIED, "no", code=response.body.decode(), hint="Look.")
    if response.status == 400:
        raise CallError(Kind.REJECTED, "no", code="Window")
    if response.status == 503:
        raise CallError(Kind.TRANSIENT, "broken", code="Broken")
    return response


class Service:
    """Refuses signatures that are off; `says` makes its Date of its time, `allows` decides over the rest."""

    def __init__(
        self,
        clock: FakeClock,
        says: Callable[[float], str] = lambda now: formatdate(now, usegmt=True),
        *,
        takes: float = 0.0,
        allows: Callable[[Request], str] = lambda request: "",
    ) -> None:
        self._clock = clock
        self._says = says
        self._takes = takes
        self._allows = allows
        self.warnings: list[str] = []
        self.transport = FakeTransport(self._answer)

    def _answer(self, request: Request) -> Response:
        self._clock.now += self._takes
        now = self._clock.now
        self._clock.now += self._takes
        date = {"date": self._says(now)}
        if abs(float(request.headers["Date"]) - now) > LIMIT:
            return reply(401, "Expired", **date)
        code = self._allows(request)
        return reply(401, code, **date) if code else reply(200, "", **date)

    def caller(self, **more: object) -> Caller:
        made = caller(self.transport, self._clock, sign=lambda one: one.with_headers({"Date": str(self._clock.time())}))
        return replace(made, skew=Skew(self.warnings.append), clock_codes=frozenset({"expired"}), **more)  # type: ignore[arg-type]

    @property
    def times(self) -> list[float]:
        """What each request was signed with, against the service's own time when it began."""
        return [float(one.headers["Date"]) for one in self.transport.sent]


class TestCorrection:
    @pytest.mark.parametrize("off", [3600, -3600, 901, -905, 86400 * 30, -86400 * 400])
    def test_a_refused_call_is_sent_again_by_the_services_time(self, off: float) -> None:
        clock = FakeClock(off)
        service = Service(clock)
        assert service.caller(max_attempts=1).change(CALL, parse).status == 200
        assert service.times == [NOW + off, pytest.approx(NOW, abs=0.6)]
        assert clock.time() == pytest.approx(clock.now, abs=0.6)
        word = "ahead of" if off > 0 else "behind"
        assert len(service.warnings) == 1
        assert f"{word} the service's: set it" in service.warnings[0]

    def test_a_machine_that_was_set_right_meanwhile_changes_nothing_any_more(self) -> None:
        clock = FakeClock(3600)
        service = Service(clock)
        one = service.caller()
        one.change(CALL, parse)
        for off in (0.0, -7200.0, 3600.0):
            clock.off = off
            one.change(CALL, parse)
        assert len(service.times) == 5
        assert service.times[1:] == [pytest.approx(NOW, abs=0.6)] * 4
        assert len(service.warnings) == 1

    def test_a_jump_in_mid_run_is_corrected(self) -> None:
        clock = FakeClock()
        service = Service(clock)
        one = service.caller()
        one.change(CALL, parse)
        clock.off = -3600
        assert one.change(CALL, parse).status == 200
        assert len(service.times) == 3

    def test_time_goes_on_from_there(self) -> None:
        clock = FakeClock(3600)
        service = Service(clock)
        one = service.caller()
        one.change(CALL, parse)
        clock.sleep(500)
        one.change(CALL, parse)
        assert service.times[-1] == pytest.approx(NOW + 500, abs=0.6)

    def test_the_way_of_a_slow_request_is_no_skew(self) -> None:
        clock = FakeClock(3600)
        service = Service(clock, takes=20)
        service.caller().change(CALL, parse)
        assert clock.time() == pytest.approx(clock.now, abs=0.6)

    def test_a_reply_that_took_its_time_explains_no_refusal(self) -> None:
        """Its Date may be from any moment of the minute that it took."""
        clock = FakeClock(40)
        service = Service(clock, takes=30, allows=lambda request: "Expired")
        with pytest.raises(CallError):
            service.caller().change(CALL, parse)
        assert len(service.times) == 1

    @pytest.mark.parametrize("status", [200, 503])
    def test_no_other_reply_corrects_it(self, status: int) -> None:
        clock = FakeClock(3600)
        transport = FakeTransport(lambda request: reply(status, "", date=formatdate(NOW, usegmt=True)))
        one = replace(caller(transport, clock, max_attempts=2), clock_codes=frozenset({"expired", "broken"}))
        with suppress(CallError):
            one.read(lambda: CALL, parse)
        assert clock.base is None

    def test_a_code_that_is_not_of_the_clock_does_not(self) -> None:
        clock = FakeClock(600)
        service = Service(clock, allows=lambda request: "Rights")
        with pytest.raises(
            CallError, match=r"The clock here is (?:599|600) s ahead of the service's: set it, then try again"
        ):
            service.caller().change(CALL, parse)
        assert (len(service.times), clock.base) == (1, None)

    def test_nor_any_where_no_time_is_signed(self) -> None:
        clock = FakeClock(3600)
        service = Service(clock)
        with pytest.raises(CallError):
            replace(service.caller(), clock_codes=frozenset()).change(CALL, parse)
        assert len(service.times) == 1


class TestWindowsThatAreNotShown:
    """A read whose window was reckoned by a wrong clock is rejected as such; a change has no window."""

    def sent(self, *, changes: bool, off: float) -> int:
        clock = FakeClock(off)

        def answer(request: Request) -> Response:
            status = 400 if clock.base is None else 200
            return reply(status, "", date=formatdate(clock.now, usegmt=True))

        transport = FakeTransport(answer)
        one = caller(transport, clock)
        with suppress(CallError):
            if changes:
                one.change(CALL, parse)
            else:
                one.read(lambda: CALL, parse)
        return len(transport.sent)

    @pytest.mark.parametrize(("off", "sent"), [(100, 2), (-100, 2), (-40, 2), (10, 1), (0, 1)])
    def test_a_read_is_sent_again(self, off: float, sent: int) -> None:
        assert self.sent(changes=False, off=off) == sent

    def test_a_change_is_not(self) -> None:
        assert self.sent(changes=True, off=100) == 1


class TestInVain:
    @pytest.mark.parametrize("lie", [7200, -7200])
    def test_a_date_that_lies_is_put_back(self, lie: float) -> None:
        clock = FakeClock()
        transport = FakeTransport(lambda request: reply(401, "Expired", date=formatdate(NOW + lie, usegmt=True)))
        warnings: list[str] = []
        one = replace(caller(transport, clock), skew=Skew(warnings.append), clock_codes=frozenset({"expired"}))
        with pytest.raises(CallError) as caught:
            one.change(CALL, parse)
        assert len(transport.sent) == 2
        assert clock.base is None
        assert not warnings
        assert "With the service's time the call was refused all the same. Look." in str(caught.value)

    def test_it_is_tried_once_in_a_run(self) -> None:
        clock = FakeClock()
        transport = FakeTransport(lambda request: reply(401, "Expired", date=formatdate(NOW + 7200, usegmt=True)))
        one = replace(caller(transport, clock), clock_codes=frozenset({"expired"}))
        for _call in range(3):
            with pytest.raises(CallError):
                one.change(CALL, parse)
        assert len(transport.sent) == 4

    def test_what_once_helped_stays(self) -> None:
        """A later refusal is for another reason."""
        clock = FakeClock(3600)
        service = Service(clock)
        one = service.caller()
        one.change(CALL, parse)
        base = clock.base
        transport = FakeTransport([reply(401, "Expired", date=formatdate(NOW, usegmt=True))])
        with pytest.raises(CallError):
            replace(one, transport=transport).change(CALL, parse)  # type: ignore[arg-type]
        assert base is not None
        assert clock.base == base

    def test_both_reasons_are_told(self) -> None:
        clock = FakeClock(-3600)
        service = Service(clock, allows=lambda request: "Secret")
        with pytest.raises(CallError) as caught:
            service.caller().change(CALL, parse)
        assert str(caught.value).startswith(
            "PUT /things failed: Secret: no (2 attempts). The clock here is 3600 s behind"
        )


class TestWarnings:
    @pytest.mark.parametrize(("off", "words"), [(61, "ahead of"), (-62, "behind"), (500, "ahead of")])
    def test_a_clock_that_is_off_without_harm_is_told_once(self, off: float, words: str) -> None:
        clock = FakeClock(off)
        service = Service(clock)
        one = service.caller()
        for _call in range(3):
            one.change(CALL, parse)
        assert (len(service.times), len(service.warnings), clock.base) == (3, 1, None)
        assert words in service.warnings[0]

    def test_one_that_was_told_before_it_did_harm_stays_corrected_too(self) -> None:
        clock = FakeClock(500)
        service = Service(clock)
        one = service.caller()
        one.change(CALL, parse)
        clock.off = 3600
        one.change(CALL, parse)
        service._allows = lambda request: "Expired"
        with pytest.raises(CallError):
            one.change(CALL, parse)
        assert clock.base is not None
        assert ["goes by the service's time" in warning for warning in service.warnings] == [False, True]

    @pytest.mark.parametrize("off", [0, 55, -55])
    def test_a_minute_is_no_matter(self, off: float) -> None:
        service = Service(FakeClock(off))
        service.caller().change(CALL, parse)
        assert not service.warnings


JUNK = [
    "",
    " ",
    "soon",
    "0",
    "²",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Tue, 14 Nov 2023 99:99:99 GMT",
    "Tue, 14 Nov 2023 22:13:20 +9999",
    "Tue, 14 Brumaire 2023 22:13:20 GMT",
    "9" * 5000,
]


class TestDates:
    @pytest.mark.parametrize("date", JUNK, ids=range(len(JUNK)))
    def test_what_is_no_time_that_a_service_has_is_ignored(self, date: str) -> None:
        clock = FakeClock(3600)
        service = Service(clock, says=lambda now: date)
        with pytest.raises(CallError) as caught:
            service.caller().change(CALL, parse)
        assert (len(service.times), clock.base) == (1, None)
        assert "clock" not in str(caught.value)

    @pytest.mark.parametrize(
        "text",
        [
            "Tue, 14 Nov 2023 22:13:20 GMT",
            "Tuesday, 14-Nov-23 22:13:20 GMT",
            "Tue Nov 14 22:13:20 2023",
            "Tue, 14 Nov 2023 22:13:20",
            "Tue, 14 Nov 2023 22:13:20 -0000",
            "Tue, 14 Nov 2023 23:13:20 +0100",
        ],
    )
    def test_every_form_of_a_date_is_the_same_anywhere(self, text: str, anywhere: str) -> None:
        assert http_date(text) == NOW

    @given(st.text())
    def test_any_text_is_survived(self, text: str) -> None:
        http_date(text)

    def test_a_time_to_come_back_is_reckoned_by_the_clock_that_names_it(self) -> None:
        clock = FakeClock(3600)
        date, later = (formatdate(NOW + seconds, usegmt=True) for seconds in (0, 30))
        transport = FakeTransport([reply(429, "", date=date, retry_after=later), reply()])

        def slow(response: Response) -> int:
            if response.status == 429:
                raise CallError(Kind.THROTTLED, "slow down")
            return response.status

        caller(transport, clock).read(lambda: CALL, slow)
        assert clock.slept == [30]


class _Threads(Clock):
    """The machine's clock, off by an hour."""

    def machine_time(self) -> float:
        return super().machine_time() + 3600


def test_threads_that_are_refused_at_the_same_time_correct_it_once() -> None:
    clock, warnings = _Threads(), []  # type: ignore[var-annotated]
    barrier, lock, refused = Barrier(8), Lock(), []

    def answer(request: Request) -> Response:
        import time

        now = time.time()
        date = formatdate(now, usegmt=True)
        if abs(float(request.headers["Date"]) - now) < LIMIT:
            return reply(200, "", date=date)
        with lock:
            refused.append(request)
        barrier.wait(10)
        return reply(401, "Expired", date=date)

    made = caller(
        FakeTransport(answer),
        clock,  # type: ignore[arg-type]
        sign=lambda one: one.with_headers({"Date": str(clock.time())}),
    )
    one = replace(made, skew=Skew(warnings.append), clock_codes=frozenset({"expired"}))
    with ThreadPoolExecutor(8) as pool:
        assert {done.status for done in pool.map(lambda number: one.change(CALL, parse), range(8))} == {200}
    assert len(refused) == 8
    assert len(warnings) == 1
