# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What both kinds of modules do around a service: options in, result out. AnsibleModule is used here only."""

from __future__ import annotations

import math
import os
import random
import signal
import ssl
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, NamedTuple, NoReturn

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import Spec, how_spec, what_spec
from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller, Counters, RateLimiter, Signer
from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._classify import (
    code_spellings,
    compile_pattern,
    user_rules,
)
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError, RedriveError
from ansible_collections.redrive.tasks.plugins.module_utils._http import REQUESTS_IMPORT_ERROR, Transport
from ansible_collections.redrive.tasks.plugins.module_utils._limits import Rate
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Plan, Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker, secrets_in_address
from ansible_collections.redrive.tasks.plugins.module_utils._service import Service, ServiceFacts
from ansible_collections.redrive.tasks.plugins.module_utils._skew import Skew
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass, State, Task, TaskKey, Window
from ansible_collections.redrive.tasks.plugins.module_utils._window import resolve_window

Params = dict[str, Any]

# Options that hold an address, in which a password may stand.
_ADDRESSES = ("endpoint", "auth_url")
# As little may be a secret where a secret is only supposed; less would blank ordinary words.
_SHORTEST_SECRET = 4

# How a terminal, a supervisor and a lost session end a run.
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Opened(NamedTuple):
    """A service, and where its tasks are.

    :ivar place: what tells the account and the widest scope from all others, as far as it can be known without asking.
        Two runs with the same place never retry at the same time. It holds no secret.
    """

    service: Service
    place: tuple[str, ...]


class Front(NamedTuple):
    """One service as its modules see it.

    :ivar argument_spec: the options that only this service has
    :ivar check: raises InputError for options that are wrong in themselves
    :ivar create: the service that the options name; raises InputError for unusable credentials or endpoint
    """

    facts: ServiceFacts
    argument_spec: Callable[[], Spec]
    check: Callable[[Params], None]
    create: Callable[[Params, Run], Opened]


class Found(NamedTuple):
    """What the service showed, and how it is decided about.

    :ivar service: None when nothing was asked for
    """

    tasks: tuple[Task, ...]
    selection: Selection
    policy: Policy
    absent: str
    service: Service | None = None

    def plan(self) -> Plan:
        """The decisions."""
        return build_plan(self.tasks, self.selection, self.policy, absent=self.absent)

    def seen_again(self, seen: Mapping[TaskKey, Task | None]) -> Found:
        """The same with what a later look showed; None takes a task out."""
        later = (seen.get(task.key, task) for task in self.tasks)
        return self._replace(tasks=tuple(task for task in later if task is not None))


def _nothing(_opened: Opened) -> None:
    """Nothing has to be done before the tasks are read."""


_MOST_WARNINGS = 100

# What an option of this name may be, where it is given. Seconds, requests a second, or a count.
_BOUNDS: dict[str, tuple[float, float]] = {
    "timeout": (0.001, 3600),
    "max_attempts": (1, 100),
    "rate_limit": (0.001, 100_000),
    "concurrency": (1, 64),
    "wait_interval": (0.001, 86_400),
    "wait_timeout": (0, 31 * 86_400),
    "lock_timeout": (0, 31 * 86_400),
    "stop_at_refusals": (1, math.inf),
    "max_tasks": (0, math.inf),
}


def _check_authorities(path: str) -> None:
    """Read the certificates of the authorities to trust.

    :raises InputError: there are none
    """
    try:
        folder = Path(path).is_dir()
        ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
    except OSError as exc:
        raise InputError(f"ca_path holds no certificates of authorities: {path}: {exc.strerror or exc}.") from exc


def _find(service: Service, selection: Selection, window: Window) -> list[Task]:
    """The tasks that are asked for, as the service shows them now."""
    if selection.ids is None:
        return list(service.list_tasks(window, selection.states))
    return list(service.find_tasks(selection.ids, window))


def _texts_in(value: Any) -> Iterator[str]:
    """Every text in the value of an option that is long enough to be a secret."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(item)
    elif isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
        yield value


class _Module(AnsibleModule):
    """Takes an option that is given as an empty string as not given, since survey fields arrive so."""

    def _load_params(self) -> None:
        super()._load_params()
        own = {name: value for name, value in self.params.items() if not name.startswith("_ansible")}
        for name, value in own.items():
            if isinstance(value, str) and not value.strip():
                del self.params[name]
        # What is refused by AnsibleModule itself is shown with all options, before anybody can say what is secret.
        spelt = {name for option, spec in self.argument_spec.items() for name in (option, *spec.get("aliases", ()))}
        misspelt = (value for name, value in own.items() if name not in spelt)
        addresses = (secrets_in_address(own[name]) for name in _ADDRESSES if isinstance(own.get(name), str))
        for hidden in (*map(_texts_in, misspelt), *addresses):
            self.no_log_values.update(secret for secret in hidden if len(secret) >= _SHORTEST_SECRET)

    def log(self, msg: Any, log_args: Any = None) -> None:
        """Keep from the system's log what it cannot hold, or AnsibleModule fails before we say what is wrong."""
        super().log(msg.replace("\0", " ") if isinstance(msg, str) else msg, log_args)


class Run:
    """One run of a module: its options, its clock, what it counts, warns of and keeps secret."""

    def __init__(self, front: Front, own_spec: Spec) -> None:
        spec = {**front.argument_spec(), **what_spec(), **own_spec, **how_spec()}
        self._module = _Module(argument_spec=spec, supports_check_mode=True)
        if REQUESTS_IMPORT_ERROR:
            self._module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
        self.params: Params = self._module.params
        self.check_mode: bool = self._module.check_mode
        self.environ: Mapping[str, str] = os.environ
        self.brake = Brake()
        self.before_change: Callable[[], None] = lambda: None
        """Called on the thread that sends, just before each sending of a call that changes something."""
        self.clock = Clock(self.brake.interrupted)
        for number in _ENDINGS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._interrupt)
        self._front = front
        self._masker = Masker()
        self._warnings: set[str] = set()
        self._counters = Counters()
        self._skew = Skew(self.warn)
        for name, option in spec.items():
            if option.get("no_log"):
                self.keep_secret(self.params[name])
        # Those in options are refused, but Ansible shows the options of a failed task.
        proxies = (value for name, value in self.environ.items() if name.lower().endswith("_proxy"))
        for address in (*map(self.params.get, _ADDRESSES), *proxies):
            self.keep_address(address)
        id_option = front.facts.id_option
        if self.params[id_option] is not None:
            self.params[id_option] = [task_id.strip() for task_id in self.params[id_option]]

    def _interrupt(self, number: int, frame: object) -> None:  # noqa: ARG002 - as Python calls it
        """Send nothing more, and report what was done; the same signal once more ends the module at once."""
        self.brake.interrupt(f"The run was interrupted by {signal.Signals(number).name}")
        signal.signal(number, signal.SIG_DFL)

    def _before_change(self) -> None:
        self.before_change()  # which is set after the caller was made

    def keep_secret(self, secret: str | None) -> None:
        """Blank this value in everything that leaves."""
        if secret:
            self._masker.add(secret)
            self._module.no_log_values.add(secret)

    def keep_address(self, address: str | None) -> None:
        """Blank the password in an address from now on."""
        for secret in secrets_in_address(address):
            if len(secret) >= _SHORTEST_SECRET:
                self.keep_secret(secret)

    def warn(self, text: str) -> None:
        """Show a warning, once, and no more of them than somebody will read."""
        line = self._masker.line(text)
        if line in self._warnings or len(self._warnings) > _MOST_WARNINGS:
            return
        self._warnings.add(line)
        self._module.warn(line if len(self._warnings) <= _MOST_WARNINGS else "There are more warnings than are shown.")

    @property
    def module(self) -> str:
        """The module's name, as it was called."""
        return str(self._module._name)

    @property
    def ids(self) -> tuple[str, ...] | None:
        """The tasks that are asked for; None when the option is not given."""
        ids = self.params[self._front.facts.id_option]
        return None if ids is None else tuple(dict.fromkeys(ids))

    def caller(
        self, endpoint: Endpoint, sign: Signer, renew: Callable[[], bool] = bool, *, signs_time: bool = True
    ) -> Caller:
        """What makes the service's calls, as the options say; `renew` as `Caller` has it.

        :param signs_time: whether `sign` tells the service what time it is here
        """
        params, facts = self.params, self._front.facts
        rate = Rate(1, 1 / params["rate_limit"]) if params["rate_limit"] else facts.rate
        transport = Transport(
            timeout=params["timeout"],
            verify=params["ca_path"] or True if params["validate_certs"] else False,
            clock=self.clock,
            use_proxies=not endpoint.is_loopback,
            patience=self.brake.patience,
        )
        return Caller(
            transport=transport,
            sign=sign,
            max_attempts=params["max_attempts"],
            limiter=RateLimiter(rate, self.clock, self.brake.patience),
            clock=self.clock,
            random=random.random,
            counters=self._counters,
            masker=self._masker,
            throttled=facts.throttled,
            renew=renew,
            brake=self.brake,
            before_change=self._before_change,
            skew=self._skew,
            clock_codes=facts.clock_codes if signs_time else frozenset(),
        )

    def check(self) -> None:
        """Everything about the options that can be known before anything is sent.

        :raises InputError: an option is wrong
        """
        for name, (least, most) in _BOUNDS.items():
            value = self.params.get(name)
            if value is not None and not least <= value <= most:
                raise InputError(f"{name} must be between {least:g} and {most:g}, not {value}.")
        if self.params["ca_path"]:
            _check_authorities(self.params["ca_path"])
        self._front.check(self.params)

    def policy(self) -> Policy:
        """What may be retried."""
        return Policy(
            rules=user_rules(self.params["rules"], self._front.facts.code_prefix) + self._front.facts.rules,
            retry_classes=frozenset(FailureClass(name) for name in self.params["retry_classes"]),
            retry_states=self._stopped_states(),
        )

    def _stopped_states(self) -> frozenset[State]:
        """The states of tasks that a person stopped, if they are to be retried as well."""
        option, state = self._front.facts.stoppable or ("", State.UNKNOWN)
        return frozenset({state} if self.params.get(option) else ())

    def selection(self, states: frozenset[State]) -> Selection:
        """Which tasks are looked at."""
        message = self.params["message_regex"]
        return Selection(
            ids=self.ids,
            states=states | self._stopped_states(),
            codes=frozenset(
                spelling
                for code in self.params["codes"] or ()
                if code
                for spelling in code_spellings(code, self._front.facts.code_prefix)
            ),
            message=compile_pattern("message_regex", message) if message else None,
        )

    def window(self, warn: Callable[[str], None]) -> Window:
        """The creation times that are looked at, reckoned now; `warn` is told where they are not what was asked for."""
        facts = self._front.facts
        return resolve_window(
            self.params["since"],
            self.params["until"],
            now=self.clock.time(),
            horizon=facts.horizon,
            margin=facts.horizon_margin,
            warn=warn,
        )

    def find(self, states: frozenset[State], before: Callable[[Opened], None] = _nothing) -> Found:
        """What the options ask for, as the service shows it.

        :param before: done before the first task is read
        :raises InputError: an option, a credential or the endpoint is not usable; nothing was sent
        :raises CallError: the service did not show its tasks
        """
        self.check()
        selection, policy, absent = self.selection(states), self.policy(), self._front.facts.absent
        warnings: list[str] = []
        self.window(warnings.append)
        try:
            if selection.ids == ():
                return Found((), selection, policy, absent)
            opened = self._front.create(self.params, self)
            before(opened)
            # That may have taken its time, and what the service no longer shows may not be asked for.
            warnings.clear()
            base, window = self.clock.base, self.window(warnings.append)
            while True:
                tasks = _find(opened.service, selection, window)
                if self.clock.base == base:
                    return Found(tuple(tasks), selection, policy, absent, opened.service)
                # The clock was corrected meanwhile, which happens once in a run: the window was that of a wrong time.
                warnings.clear()
                base, window = self.clock.base, self.window(warnings.append)
        finally:
            for warning in warnings:
                self.warn(warning)

    @property
    def throttled(self) -> int:
        """Requests that were refused for coming too fast."""
        return self._counters.throttled

    def requests(self) -> dict[str, Any]:
        """What was sent, for the result."""
        counters = self._counters
        return {
            "sent": counters.sent,
            "repeated": counters.repeated,
            "throttled": counters.throttled,
            "seconds": round(counters.seconds, 3),
        }

    def exit(self, result: dict[str, Any]) -> NoReturn:
        """End well."""
        self._module.exit_json(**self._masker.value(result))
        raise SystemExit  # exit_json does not return

    def fail(self, message: str, result: dict[str, Any] | None = None) -> NoReturn:
        """End with an error that keeps everything known so far."""
        # The terminal shows the message of a failure as it is, and it may hold a server's words.
        content = {"changed": False, "requests": self.requests(), **(result or {}), "msg": self._masker.line(message)}
        self._module.fail_json(**self._masker.value(content), **self._no_traceback())
        raise SystemExit  # fail_json does not return

    def _no_traceback(self) -> dict[str, None]:
        """Where ansible-core makes a traceback by itself, a server's words would be unmasked; None leaves it out."""
        # Imported here, because every run pays for an import and few need this one.
        from inspect import signature

        return {"exception": None} if "exception" in signature(self._module.fail_json).parameters else {}

    @contextmanager
    def reporting(self, result: Callable[[], dict[str, Any]] = dict) -> Iterator[None]:
        """The one place where errors become results; `result` tells what is known when one is raised."""
        try:
            yield
        except RedriveError as exc:
            self.fail(str(exc), result())
        except Exception as exc:
            trace = self._masker.text(traceback.format_exc())
            message = f"An unexpected {type(exc).__name__}: {exc}. This is a bug of redrive.tasks: please report it."
            self.fail(message, {**result(), "traceback": trace})
