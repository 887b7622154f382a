# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What can go wrong, in words for the person who has to act.

Code below the module front raises these; the front alone turns them into a result.
"""

from __future__ import annotations

import enum


class RedriveError(Exception):
    """Base of every error that a user can meet; its text is complete and may be shown once it is masked."""


class InputError(RedriveError):
    """An option, an environment variable or a file is not usable. Nothing was sent."""


class TooManyTasksError(RedriveError):
    """More tasks would be retried than C(max_tasks) allows. No retry was sent."""


class BusyError(RedriveError):
    """Another run works on the same tasks, and did not end in time. No retry was sent."""


class Kind(enum.Enum):
    """Why a call failed, as far as it decides what may be done next."""

    UNREACHED = "unreached"
    """It never reached the service: no connection, no name, no proxy."""
    LOST = "lost"
    """It was sent, and no complete reply came back."""
    BROKEN = "broken"
    """A reply came that is not what the service documents."""
    TRANSIENT = "transient"
    """The service says that it failed by its own fault."""
    THROTTLED = "throttled"
    """The service refused it for coming too fast; it was not carried out."""
    DENIED = "denied"
    """Credentials, rights, account, clock, certificate: every further call would fail alike."""
    EXPIRED = "expired"
    """The proof of who asks is no longer valid and may be renewed; it was not carried out."""
    LOCKED = "locked"
    """The account is locked for a time, and every further call would fail alike; it was not carried out."""
    TOO_MANY = "too_many"
    """It names more tasks than the service takes at once; it was not carried out."""
    STOPPED = "stopped"
    """The run had ended before it was sent."""
    GONE = "gone"
    """What the call names does not exist."""
    REJECTED = "rejected"
    """The service refused this very request before carrying it out."""

    @property
    def may_have_run(self) -> bool:
        """Whether a changing call that failed like this may have been carried out all the same."""
        return self in (Kind.LOST, Kind.BROKEN, Kind.TRANSIENT)

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.may_have_run or self in (Kind.UNREACHED, Kind.THROTTLED)


class CallError(RedriveError):
    """One API call failed.

    :ivar call: method and path, without query and host
    :ivar kind: what may be done next
    :ivar code: the service's own error code, or ours in lower case where there is none
    :ivar text: the service's own words
    :ivar status: HTTP status, if a reply came
    :ivar request_id: by which the vendor's support finds the call
    :ivar hint: what a person can do
    :ivar retry_after: seconds for which the service asked to be left alone
    :ivar attempts: how often the call was sent
    """

    def __init__(
        self,
        kind: Kind,
        text: str,
        *,
        code: str = "",
        status: int | None = None,
        request_id: str = "",
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.code = code
        self.status = status
        self.request_id = request_id
        self.hint = hint
        self.retry_after = retry_after
        self.call = ""
        self.attempts = 1

    def __str__(self) -> str:
        facts = [f"HTTP {self.status}"] if self.status is not None else []
        if self.request_id:
            facts.append(f"request id {self.request_id}")
        if self.attempts > 1:
            facts.append(f"{self.attempts} attempts")
        sentence = f"{self.call or 'The call'} failed: "
        sentence += f"{self.code}: {self.text}" if self.code else self.text
        if facts:
            sentence += f" ({', '.join(facts)})"
        return f"{sentence}. {self.hint}".strip()
