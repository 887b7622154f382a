# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Calling an API: may this be sent again, when, and how often was it."""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import Callable, TypeVar

from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Patience
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from ansible_collections.redrive.tasks.plugins.module_utils._limits import USUAL_BACKOFF, Backoff, Rate
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._skew import Skew, Timing, http_date
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response, shown

T = TypeVar("T")

Signer = Callable[[Request], Request]
"""Adds what proves who sends the request, at the time of the call."""

_LONGEST_RETRY_AFTER = 60.0
# The next call may be quicker than the quickest so far, but by no more than this (assumed), seconds.
_UNSURE_OF_WAY = 0.005
# How often is looked whether one of very many calls under way has ended, seconds.
_ROOM_INTERVAL = 0.01
# A changing call is repeated only when it surely was not carried out.
_REPEAT_CHANGE = (Kind.UNREACHED, Kind.THROTTLED)


def pause_after(attempt: int, backoff: Backoff, random: Callable[[], float], retry_after: float | None = None) -> float:
    """Seconds to wait after failed attempt number `attempt`; what the service asks for is a minimum."""
    ceiling = min(backoff.cap, backoff.base * backoff.factor ** (attempt - 1))
    return max(ceiling * (0.5 + random() / 2), min(retry_after or 0.0, _LONGEST_RETRY_AFTER))


class Counters:
    """What was sent, counted over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent = 0
        self.repeated = 0
        self.throttled = 0
        self.seconds = 0.0

    def add(self, *, seconds: float, repeated: bool, throttled: bool) -> None:
        """Count one request that was sent."""
        with self._lock:
            self.sent += 1
            self.repeated += repeated
            self.throttled += throttled
            self.seconds += seconds


class RateLimiter:
    """Keeps each API within a rate, over all threads. A rate of None means no limit."""

    def __init__(self, rate: Rate | None, clock: Clock, patience: Patience | None = None) -> None:
        self._rate = rate
        self._counted = rate.counted if rate else None
        self._clock = clock
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._starts: dict[str, deque[float]] = defaultdict(deque)
        self._under_way: dict[str, int] = defaultdict(int)
        self._ends: dict[str, deque[float]] = defaultdict(deque)
        self._quickest: dict[str, float] = {}

    def wait(self, api: str) -> None:
        """Return when the next request of this API may be sent. Each caller gets a moment of its own, and is `done`.

        :raises CallError: that would be later than anybody waits for it; nothing has to be done
        """
        if self._rate is None:
            return
        with self._lock:
            now = start = self._clock.monotonic()
            starts = self._starts[api]
            if len(starts) == self._rate.calls:
                start = max(now, starts[0] + self._rate.seconds)
                self._bear(start - now)
                starts.popleft()
            starts.append(start)
        self._clock.sleep(start - now)
        if self._counted is not None:
            self._wait_for_room(api, self._counted)

    def done(self, api: str, took: float) -> None:
        """The request that was waited for has ended, one way or another, after so many seconds."""
        if self._counted is not None:
            with self._lock:
                self._under_way[api] -= 1
                self._ends[api].append(self._clock.monotonic())
                self._quickest[api] = min(took, self._quickest.get(api, took))

    def _wait_for_room(self, api: str, counted: Rate) -> None:
        while True:
            with self._lock:
                now, ends = self._clock.monotonic(), self._ends[api]
                span = counted.seconds - max(0.0, self._quickest.get(api, 0.0) - _UNSURE_OF_WAY)
                while ends and ends[0] + span <= now:
                    ends.popleft()
                if self._under_way[api] + len(ends) < counted.calls:
                    self._under_way[api] += 1
                    return
                pause = ends[0] + span - now if ends else _ROOM_INTERVAL
            self._bear(pause)
            self._clock.sleep(pause)

    def _bear(self, pause: float) -> None:
        if self._patience.seconds(pause) < pause:
            raise CallError(
                Kind.STOPPED,
                "the time to wait would be over before the service may be asked again",
                code="rate_limit",
                hint="Raise wait_timeout.",
            )


@dataclass(frozen=True)
class Caller:
    """Makes API calls within a rate limit, each with a bounded number of attempts, each attempt signed anew.

    :ivar random: a number from 0 to 1, for the jitter of pauses
    :ivar throttled: pauses after a refusal for coming too fast, which may take longer to pass than other trouble
    :ivar brake: what ends the run early
    :ivar before_change: called just before each sending of a call that changes something, on the thread that sends
    :ivar skew: what is done about a clock that is wrong
    :ivar clock_codes: of refusals that a wrong clock can cause, in lower case; none where no time is signed
    :ivar renew: renews the proof of who asks; False when it cannot be renewed. It raises no CallError whose kind
        says C(may_have_run), because that would be taken for one of the call itself.
    """

    transport: Transport
    sign: Signer
    max_attempts: int
    limiter: RateLimiter
    clock: Clock
    random: Callable[[], float]
    counters: Counters
    masker: Masker
    throttled: Backoff = USUAL_BACKOFF
    backoff: Backoff = USUAL_BACKOFF
    renew: Callable[[], bool] = bool
    brake: Brake = field(default_factory=Brake)
    before_change: Callable[[], None] = lambda: None
    skew: Skew = field(default_factory=Skew)
    clock_codes: frozenset[str] = frozenset()

    def read(self, make: Callable[[], Request], parse: Callable[[Response], T]) -> T:
        """Make a call that changes nothing; it is repeated after every failure that may pass.

        :param make: makes the request anew for each attempt, because what it asks for may depend on the time
        :raises CallError: from `parse` or the transport, when it will not pass or no attempt is left
        """
        return self._call(make, parse, changes=False)

    def change(self, request: Request, parse: Callable[[Response], T]) -> T:
        """Make a call that changes something; it is repeated only when it surely was not carried out.

        :raises CallError: as `read`; when its kind says C(may_have_run), the state has to be read
        """
        return self._call(lambda: request, parse, changes=True)

    def _call(self, make: Callable[[], Request], parse: Callable[[Response], T], *, changes: bool) -> T:
        attempt, sent, renewed = 1, 0, False
        timing = Timing(self.skew, self.clock, self.clock_codes, changes=changes)
        while True:
            request = make()
            sent += 1
            try:
                return self._attempt(request, parse, timing, repeated=sent > 1, changes=changes)
            except CallError as exc:
                exc.call, exc.attempts = request.call, sent
                if timing.correct(exc):
                    continue
                if exc.kind is Kind.EXPIRED and not renewed and self.renew():
                    renewed = True
                    continue
                may_repeat = exc.kind in _REPEAT_CHANGE if changes else exc.kind.passing
                if attempt >= self.max_attempts or not may_repeat:
                    raise
                backoff = self.throttled if exc.kind is Kind.THROTTLED else self.backoff
                pause = pause_after(attempt, backoff, self.random, exc.retry_after)
                if self.brake.patience.ends_within(pause):
                    raise
                self.clock.sleep(pause)
            attempt += 1

    def _attempt(
        self, request: Request, parse: Callable[[Response], T], timing: Timing, *, repeated: bool, changes: bool
    ) -> T:
        api = request.api or request.path
        self.limiter.wait(api)
        try:
            self.brake.check(changes=changes)  # now, because the wait may have been long
        except CallError:
            self.limiter.done(api, 0.0)
            raise
        started = self.clock.monotonic()
        sent = throttled = False
        masker = self.masker
        try:
            timing.begin()
            signed = self.sign(request)  # which may fail, where it takes a login
            if changes:
                self.before_change()
            sent = True
            masker = self.masker.also(signed.signature)
            return self._reply(signed, masker, lambda response: self._parsed(response, parse, timing), changes=changes)
        except CallError as exc:
            exc.text, exc.code, exc.request_id = (
                shown(text, masker.text) for text in (exc.text, exc.code, exc.request_id)
            )
            throttled = exc.kind is Kind.THROTTLED
            raise
        finally:
            took = self.clock.monotonic() - started
            self.limiter.done(api, took)
            if sent:
                self.counters.add(seconds=took, repeated=repeated, throttled=throttled)

    def _reply(self, signed: Request, masker: Masker, parse: Callable[[Response], T], *, changes: bool) -> T:
        """Send it, and make something of the reply; `masker` knows its signature, the run's own only if need be."""
        try:
            response = replace(self.transport.send(signed, fresh=changes), mask=masker.text)
            self.masker.add(_echoed(signed.signature, response))
            return parse(response)
        except CallError:
            raise
        except Exception:
            self.masker.add(signed.signature)  # nobody knows what its words hold
            raise

    def _parsed(self, response: Response, parse: Callable[[Response], T], timing: Timing) -> T:
        try:
            _refuse_redirect(response)
            content = parse(response)
        except CallError as exc:
            exc.retry_after = self._retry_after(response) or exc.retry_after
            timing.failed(response)
            raise
        timing.accepted(response)
        return content

    def _retry_after(self, response: Response) -> float | None:
        """The header's value in seconds; it may be a number or a date, which is by the clock of who sent it."""
        value = response.headers.get("retry-after", "").strip()
        if value.isdecimal():
            return float(value)
        moment, now = http_date(value), http_date(response.headers.get("date", ""))
        return None if moment is None else max(0.0, moment - (self.clock.time() if now is None else now))


def _echoed(signature: str, response: Response) -> str:
    """The signature of the request if the reply may hold it, going by the longest part of it that is never escaped."""
    part = max(re.findall("[A-Za-z0-9]+", signature), key=len, default="")
    return signature if part and part.lower().encode() in response.body.lower() else ""


def _refuse_redirect(response: Response) -> None:
    if not 300 <= response.status < 400:
        return
    target = response.headers.get("location", "").split("?")[0]
    raise CallError(
        Kind.DENIED,
        f"the service answered with a redirect to {target or 'nowhere'}",
        code="redirect_refused",
        status=response.status,
        hint="A signed request is never sent on to another address. Check the endpoint and its scheme.",
    )
