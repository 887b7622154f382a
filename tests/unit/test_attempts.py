# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent again, when, and what is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Counters, RateLimiter, pause_after
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline, Patience
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._limits import Backoff, Rate
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from unit.fakes import NOW, FakeClock, FakeTransport, caller, failure, reply

READ = Request("GET", "https://api.example.com", "/things")
CHANGE = Request("PUT", "https://api.example.com", "/things", body=b"[]")


def read_things() -> Request:
    return READ


def parse(response: Response) -> int:
    if response.status == 429:
        raise CallError(Kind.THROTTLED, "slow down", code="Slow")
    if response.status == 401:
        raise CallError(Kind.DENIED, "no", code="No", hint="Look.")
    return response.status


class TestReads:
    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind.passing])
    def test_a_passing_failure_is_tried_again(self, kind: Kind) -> None:
        transport = FakeTransport([failure(kind), failure(kind), reply()])
        assert caller(transport, FakeClock()).read(read_things, parse) == 200
        assert len(transport.sent) == 3

    @pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.passing])
    def test_any_other_is_not(self, kind: Kind) -> None:
        transport = FakeTransport([failure(kind)])
        with pytest.raises(CallError):
            caller(transport, FakeClock()).read(read_things, parse)
        assert len(transport.sent) == 1

    def test_the_attempts_are_bounded_and_told(self) -> None:
        transport = FakeTransport([failure(Kind.LOST)] * 9)
        with pytest.raises(CallError, match="3 attempts") as caught:
            caller(transport, FakeClock(), max_attempts=3).read(read_things, parse)
        assert len(transport.sent) == 3
        assert caught.value.call == "GET /things"


class TestChanges:
    @pytest.mark.parametrize("kind", [Kind.UNREACHED, Kind.THROTTLED])
    def test_what_surely_was_not_carried_out_is_sent_again(self, kind: Kind) -> None:
        transport = FakeTransport([failure(kind), reply()])
        caller(transport, FakeClock()).change(CHANGE, parse)
        assert len(transport.sent) == 2

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.UNREACHED, Kind.THROTTLED)])
    def test_anything_else_is_sent_once(self, kind: Kind) -> None:
        transport = FakeTransport([failure(kind), reply()])
        with pytest.raises(CallError):
            caller(transport, FakeClock()).change(CHANGE, parse)
        assert len(transport.sent) == 1

    def test_each_goes_over_a_connection_of_its_own(self) -> None:
        transport = FakeTransport([reply(), reply(), reply()])
        one = caller(transport, FakeClock())
        one.read(read_things, parse)
        one.change(CHANGE, parse)
        one.change(CHANGE, parse)
        assert transport.fresh == [False, True, True]


class TestPauses:
    def test_they_grow_up_to_a_cap(self) -> None:
        backoff = Backoff(base=1, cap=10)
        assert [pause_after(attempt, backoff, lambda: 1.0) for attempt in range(1, 7)] == [1, 2, 4, 8, 10, 10]

    def test_half_of_each_is_left_to_chance(self) -> None:
        assert pause_after(1, Backoff(base=4, cap=10), lambda: 0.0) == 2

    @pytest.mark.parametrize(
        ("header", "pause"),
        [
            ("7", 7.0),
            ("Tue, 14 Nov 2023 22:13:32 GMT", 12.0),
            ("Tue, 14 Nov 2023 22:13:00 GMT", 0.5),
            ("86400", 60.0),
            ("soon", 0.5),
            ("²", 0.5),
            ("9" * 400, 60.0),
            ("-5", 0.5),
        ],
    )
    def test_what_the_service_asks_for_is_a_bounded_minimum(self, header: str, pause: float) -> None:
        clock = FakeClock()
        transport = FakeTransport([reply(429, retry_after=header), reply()])
        caller(transport, clock).read(read_things, parse)
        assert clock.slept == [pytest.approx(pause)]

    def test_a_refusal_for_coming_too_fast_has_pauses_of_its_own(self) -> None:
        clock = FakeClock()
        transport = FakeTransport([failure(Kind.THROTTLED), failure(Kind.LOST), reply()])
        limited = replace(caller(transport, clock), throttled=Backoff(base=8, cap=60, factor=3))
        limited.read(read_things, parse)
        assert clock.slept == [8, 1]


class TestRenewal:
    def test_what_has_expired_is_renewed_once_and_the_call_sent_again(self) -> None:
        renewals: list[int] = []

        def renew() -> bool:
            renewals.append(1)
            return True

        transport = FakeTransport([failure(Kind.EXPIRED), reply()])
        renewing = replace(caller(transport, FakeClock(), max_attempts=1), renew=renew)
        assert renewing.change(CHANGE, parse) == 200
        assert (len(transport.sent), renewals) == (2, [1])

    def test_what_expires_again_at_once_is_not_renewed_again(self) -> None:
        transport = FakeTransport([failure(Kind.EXPIRED)] * 3)
        renewing = replace(caller(transport, FakeClock()), renew=lambda: True)
        with pytest.raises(CallError) as caught:
            renewing.read(read_things, parse)
        assert caught.value.kind is Kind.EXPIRED
        assert len(transport.sent) == 2

    def test_what_cannot_be_renewed_ends_the_call(self) -> None:
        transport = FakeTransport([failure(Kind.EXPIRED)])
        with pytest.raises(CallError):
            caller(transport, FakeClock()).read(read_things, parse)
        assert len(transport.sent) == 1


class TestPatience:
    """While a run waits for its tasks, what is left of that time bounds its calls."""

    def test_no_attempt_follows_when_the_time_would_be_over_by_then(self) -> None:
        clock = FakeClock()
        transport = FakeTransport([failure(Kind.LOST)] * 9)
        one = caller(transport, clock, max_attempts=9)
        one.brake.patience.deadline = Deadline.after(clock, 3.6)
        with pytest.raises(CallError):
            one.read(read_things, parse)
        assert clock.slept == [0.5, 1, 2]
        assert len(transport.sent) == 4

    @pytest.mark.parametrize("rate", [Rate(1, 30.0), Rate(1, 0.001, counted=Rate(1, 30.0))], ids=["paced", "counted"])
    def test_nobody_waits_for_a_turn_that_comes_too_late(self, rate: Rate) -> None:
        clock, patience = FakeClock(), Patience()
        limiter = RateLimiter(rate, clock, patience)
        limiter.wait("read")
        limiter.done("read", 0.0)
        patience.deadline = Deadline.after(clock, 10)
        with pytest.raises(CallError, match="the time to wait would be over") as caught:
            limiter.wait("read")
        assert caught.value.kind is Kind.STOPPED
        clock.sleep(31)
        patience.deadline = None
        limiter.wait("read")

    def test_a_short_wait_for_a_turn_is_borne_to_the_end(self) -> None:
        clock, patience = FakeClock(), Patience()
        limiter = RateLimiter(Rate(1, 0.05), clock, patience)
        patience.deadline = Deadline.after(clock, 0)
        for _call in range(3):
            limiter.wait("read")
        assert clock.slept[-2:] == [pytest.approx(0.05)] * 2

    @pytest.mark.parametrize(
        ("left", "usual", "seconds"), [(None, 30, 30), (100, 30, 30), (7, 30, 7), (0.5, 30, 2), (0, 30, 2), (0, 1, 1)]
    )
    def test_a_call_has_what_is_left_and_a_moment_at_least(
        self, left: float | None, usual: float, seconds: float
    ) -> None:
        clock, patience = FakeClock(), Patience()
        patience.deadline = None if left is None else Deadline.after(clock, left)
        assert patience.seconds(usual) == pytest.approx(seconds)

    def test_jumps_of_the_wall_clock_neither_shorten_nor_lengthen_anything(self) -> None:
        """Neither pauses nor turns: an hour to and fro while three calls are sent."""
        clock = FakeClock()
        jumps = iter([3600.0, -3600.0, 7200.0, -7200.0, 0.0, 1e6])

        def answer(_request: Request) -> Response:
            clock.off = next(jumps)
            return reply(429) if clock.off < 0 else reply()

        one = caller(FakeTransport(answer), clock, rate=Rate(1, 10.0))
        for _call in range(4):
            one.read(read_things, parse)
        assert clock.slept == [0.0, 10.0, 0.5, 9.5, 10.0, 0.5, 9.5, 10.0]


class TestSigning:
    def test_each_attempt_is_signed_at_its_own_time(self) -> None:
        clock = FakeClock()
        transport = FakeTransport([failure(Kind.THROTTLED), reply()])
        caller(transport, clock, sign=lambda one: one.with_headers({"Date": str(clock.now)})).read(read_things, parse)
        assert [one.headers["Date"] for one in transport.sent] == [str(NOW), str(NOW + 0.5)]


class TestCounters:
    def test_repeated_and_throttled_requests_are_counted(self) -> None:
        counters = Counters()
        transport = FakeTransport([reply(429), failure(Kind.LOST), reply()])
        caller(transport, FakeClock(), counters=counters).read(read_things, parse)
        assert (counters.sent, counters.repeated, counters.throttled) == (3, 2, 1)

    def test_what_could_not_be_signed_was_not_sent(self) -> None:
        """A signature may take a login, which may fail."""

        def sign(request: Request) -> Request:
            raise failure(Kind.DENIED)

        counters = Counters()
        with pytest.raises(CallError):
            caller(FakeTransport([]), FakeClock(), counters=counters, sign=sign).read(read_things, parse)
        assert (counters.sent, counters.repeated) == (0, 0)


class TestRate:
    def test_requests_are_spaced_evenly(self) -> None:
        clock = FakeClock()
        limited = caller(FakeTransport([reply()] * 4), clock, rate=Rate(1, 0.25))
        for _number in range(4):
            limited.read(read_things, parse)
        assert clock.now - NOW == pytest.approx(0.75)

    def test_time_that_went_by_anyway_is_not_waited_again(self) -> None:
        clock = FakeClock()
        limiter = RateLimiter(Rate(1, 1.0), clock)
        limiter.wait("things")
        clock.now += 5
        limiter.wait("things")
        assert clock.slept[-1] == 0

    def test_without_a_rate_nothing_waits(self) -> None:
        clock = FakeClock()
        RateLimiter(None, clock).wait("things")
        assert clock.slept == []

    def test_each_api_has_a_limit_of_its_own(self) -> None:
        clock = FakeClock()
        limiter = RateLimiter(Rate(1, 1.0), clock)
        for api in ("list", "retry", "list", "retry"):
            limiter.wait(api)
        assert clock.now - NOW == pytest.approx(1.0)

    def test_a_budget_is_spent_as_it_comes_and_then_paced(self) -> None:
        clock = FakeClock()
        limiter = RateLimiter(Rate(3, 60.0), clock)
        starts = []
        for _number in range(7):
            limiter.wait("things")
            starts.append(clock.now - NOW)
            clock.now += 1
        assert starts == [0, 1, 2, 60, 61, 62, 120]

    def test_a_call_counts_until_its_span_is_over_after_its_end(self) -> None:
        """A call may arrive as late as it ends: here the first does, and the third must keep clear of it."""
        clock = FakeClock()
        limiter = RateLimiter(Rate(1, 0.1, counted=Rate(2, 1.0)), clock)
        starts = []
        for number in range(6):
            limiter.wait("things")
            starts.append(clock.now - NOW)
            took = 0.3 if number == 0 else 0.0
            clock.now += took
            limiter.done("things", took)
        assert starts == pytest.approx([0.0, 0.3, 1.3, 1.3, 2.3, 2.3])

    def test_a_way_that_is_long_for_all_calls_costs_nothing(self) -> None:
        clock = FakeClock()
        limiter = RateLimiter(Rate(1, 0.55, counted=Rate(2, 1.0)), clock)
        starts = []
        for _number in range(6):
            limiter.wait("things")
            starts.append(clock.now - NOW)
            clock.now += 0.4
            limiter.done("things", 0.4)
        assert starts == pytest.approx([0.0, 0.55, 1.1, 1.65, 2.2, 2.75])

    def test_calls_under_way_count(self) -> None:
        clock = FakeClock()
        limiter = RateLimiter(Rate(1, 0.1, counted=Rate(2, 1.0)), clock)
        limiter.wait("things")
        limiter.wait("things")
        limiter.wait("others")
        sleep = clock.sleep

        def end_one(seconds: float) -> None:
            sleep(seconds)
            if clock.now - NOW > 5:
                limiter.done("things", 0.0)

        clock.sleep = end_one  # type: ignore[method-assign]
        limiter.wait("things")
        assert clock.now - NOW > 6

    def test_calls_of_any_lateness_never_arrive_too_fast(self) -> None:
        """By many threads on a real clock: each call arrives at some moment between its start and its end."""
        limiter, clock, arrived = RateLimiter(Rate(1, 0.001, counted=Rate(10, 0.2)), Clock()), Clock(), []

        def call(number: int) -> None:
            limiter.wait("things")
            started = clock.monotonic()
            clock.sleep(0.05 if number % 7 == 0 else 0.0)
            arrived.append(clock.monotonic())
            clock.sleep(0.05 if number % 5 == 0 else 0.0)
            limiter.done("things", clock.monotonic() - started)

        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(call, range(60)))
        arrived.sort()
        assert all(later - earlier >= 0.2 for earlier, later in zip(arrived, arrived[10:], strict=False))

    @pytest.mark.parametrize(
        "answer", [reply(), reply(500, "trouble"), failure(Kind.LOST)], ids=["well", "ill", "lost"]
    )
    def test_a_call_is_done_however_it_ends(self, answer: Response | CallError) -> None:
        clock = FakeClock()
        transport = FakeTransport([answer, reply()])
        one = caller(transport, clock, max_attempts=1, rate=Rate(1, 0.1, counted=Rate(1, 5.0)))
        with suppress(CallError):
            one.read(read_things, parse)
        one.read(read_things, parse)
        assert clock.now - NOW == pytest.approx(5.0)


class TestReplies:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_refused_and_its_query_is_not_shown(self, status: int) -> None:
        transport = FakeTransport([reply(status, location="https://evil.example.com/x?token=abc")])
        with pytest.raises(CallError, match=r"redirect to https://evil\.example\.com/x \(") as caught:
            caller(transport, FakeClock()).change(CHANGE, parse)
        assert caught.value.kind is Kind.DENIED
        assert "token" not in str(caught.value)

    @pytest.mark.parametrize(
        ("date", "words"),
        [
            ("Tue, 14 Nov 2023 21:43:20 GMT", "1800 s ahead of"),
            ("Tue, 14 Nov 2023 22:43:20 GMT", "1800 s behind"),
        ],
    )
    def test_a_denial_tells_that_the_clocks_differ(self, date: str, words: str) -> None:
        with pytest.raises(CallError, match=words):
            caller(FakeTransport([reply(401, date=date)]), FakeClock()).read(read_things, parse)

    @pytest.mark.parametrize("date", ["", "Tue, 14 Nov 2023 22:13:40 GMT", "nonsense"])
    def test_a_clock_that_is_right_or_unknown_is_not_blamed(self, date: str) -> None:
        with pytest.raises(CallError) as caught:
            caller(FakeTransport([reply(401, date=date)]), FakeClock()).read(read_things, parse)
        assert "clock" not in str(caught.value)


class TestMasking:
    SIGNATURE = "c2lnbmF0dXJlLW9mLXRoaXM="

    def failed(self, body: str) -> str:
        def refuse(response: Response) -> None:
            raise CallError(Kind.DENIED, response.excerpt())

        def sign(request: Request) -> Request:
            return replace(request, signature=self.SIGNATURE)

        with pytest.raises(CallError) as caught:
            caller(FakeTransport([reply(401, body)]), FakeClock(), sign=sign).read(read_things, refuse)
        return str(caught.value)

    def test_a_signature_that_the_server_echoes_is_blanked(self) -> None:
        assert self.SIGNATURE not in self.failed(f"signature {self.SIGNATURE} not matched")

    def test_it_is_blanked_before_the_text_is_cut(self) -> None:
        for length in range(150, 205):
            assert self.SIGNATURE[:6] not in self.failed("x" * length + self.SIGNATURE + "y" * 99)
