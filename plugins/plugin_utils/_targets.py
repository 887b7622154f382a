# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""A target: which service, where, with whose credentials. And what its modules are asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._window import parse_moment
from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import Entry
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES, Service

Options = Mapping[str, Any]

# Options of a target that are not those of its modules.
_OWN = ("name", "service")
# Options that the roles set themselves, or that are no one's business when looking.
_SET_BY_ROLES = ("all_failed", "fail_on", "states")
_RETRY_ONLY = ("lock_timeout", "stop_at_refusals", "wait", "wait_interval", "wait_timeout")
# What says which tasks are meant and what may be done about them; it holds no secret, and a plan keeps it.
POLICY = ("since", "until", "codes", "message_regex", "retry_classes", "rules", "max_tasks")
_SELECTING = (*POLICY, "include_cancelled", "include_paused")
# What can make a play fail; a target that could not be worked on always does.
FAIL_ON = {
    **_result.FAIL_ON,
    "held": "not retried, because of a guard rail",
    "left": "left for a person",
}
ALL_STATES = ("waiting", "running", "succeeded", "failed", "cancelled", "paused", "unknown")


class TargetError(Exception):
    """What is wrong with a target, and what to do."""


class Target(NamedTuple):
    """One target. `options` are those of its modules and may hold secrets.

    :ivar name: what it is called on screen and in reports
    """

    name: str
    kind: str
    options: Options

    @property
    def service(self) -> Service:
        """How its modules are called."""
        return SERVICES[self.kind]

    @property
    def place(self) -> dict[str, str]:
        """Where it is, in the options that say so."""
        names = ("region", *(name for name in self.service.place if name != "region"))
        return {name: str(self.options[name]) for name in names if self.options.get(name)}

    @property
    def ids_option(self) -> str:
        """The option by which this target itself names tasks; empty where it does not."""
        return next((name for name in (self.service.ids, "ids") if self.options.get(name) is not None), "")


def target_of(raw: Any, host: str) -> Target:
    """The target that a host's variables describe.

    :param raw: service, name, and options of the service's modules
    :raises TargetError: it is no target
    """
    if not isinstance(raw, Mapping) or not raw:
        raise TargetError(
            f"{host} has no target. Set redrive_target for it, for example {{service: sls, project: shop}},"
            " or list it in redrive_targets."
        )
    kind = _kind(raw)
    if kind not in SERVICES:
        said = f"names the unknown service {kind}" if kind else "names no service"
        raise TargetError(f"The target of {host} {said}. Set its service to one of: {', '.join(sorted(SERVICES))}.")
    # What is empty counts as not given, as the modules have it.
    options = {name: value for name, value in raw.items() if name not in _OWN and value not in (None, "")}
    fail_on = options.get("fail_on", [])
    if not isinstance(fail_on, (list, tuple)) or not all(isinstance(one, str) and one in FAIL_ON for one in fail_on):
        raise TargetError(f"fail_on of the target of {host} must be a list of some of: {', '.join(FAIL_ON)}.")
    return Target(name_of(raw, host), kind, options)


def name_of(raw: Mapping[str, Any], host: str) -> str:
    """What a target is called, also one that is none."""
    if raw.get("name"):
        return str(raw["name"])
    kind = _kind(raw)
    if kind not in SERVICES:
        return host
    return " ".join([kind, *(str(raw[name]) for name in SERVICES[kind].place if raw.get(name))])


def _kind(raw: Mapping[str, Any]) -> str:
    return str(raw.get("service") or "")


def selection_of(target: Target, policy: Options, now: float) -> dict[str, Any]:
    """Which tasks are meant, and what may be done about them: the target's own words before those of the policy.

    What chooses causes does not widen: of codes, those that both name. Times are made absolute, so that they mean the
    same when a plan is applied a day later.

    :param policy: values of `POLICY`; empty ones count as not given
    :param now: epoch seconds
    :raises TargetError: target and policy choose different causes
    """
    own = _given(target.options, _SELECTING)
    selection = {**_given(policy, POLICY), **own}
    if policy.get("retry_classes") == [] and "retry_classes" not in own:
        selection["retry_classes"] = []  # which decides as well that none may be retried
    _narrow(target, own, _given(policy, POLICY), selection)
    for name in ("since", "until"):
        if name in selection:
            selection[name] = str(parse_moment(name, str(selection[name]), now))
    return selection


def _given(options: Options, names: Sequence[str]) -> dict[str, Any]:
    """Those of the options that are given, with codes as a list."""
    known = {name: options[name] for name in names if is_given(options.get(name))}
    codes = known.pop("codes", [])
    listed = [str(code).strip() for code in (codes.split(",") if isinstance(codes, str) else codes)]
    return {**known, **({"codes": [code for code in listed if code]} if any(listed) else {})}


def _narrow(target: Target, own: Options, given: Options, selection: dict[str, Any]) -> None:
    """Let the selection hold what both the target and the policy choose."""
    if "codes" in own and "codes" in given:
        wanted = {code.lower() for code in given["codes"]}
        selection["codes"] = [code for code in own["codes"] if code.lower() in wanted]
        if not selection["codes"]:
            raise TargetError(
                f"{target.name} has codes of its own, {', '.join(own['codes'])}, and none of them is asked for."
            )
    if "message_regex" in own and "message_regex" in given:
        raise TargetError(f"{target.name} has a message_regex of its own. Take it out, or choose causes by codes.")


def is_given(value: Any) -> bool:
    """Whether an option is given: survey fields arrive empty, and a list of them as one blank text."""
    if isinstance(value, (list, tuple)):
        return any(is_given(one) for one in value)
    return bool(value.strip()) if isinstance(value, str) else value is not None


def find_options(target: Target, selection: Options, states: Sequence[str] = ("failed",)) -> dict[str, Any]:
    """What the module that looks is asked."""
    return {**_options(target, selection, _RETRY_ONLY), "states": list(states)}


def look_up_options(target: Target, selection: Options, named: Options) -> dict[str, Any]:
    """What the module that looks is asked for tasks, whatever became of them.

    :param named: one of `naming`
    """
    options = find_options(target, {name: value for name, value in selection.items() if name not in ("since", "until")})
    return _by_id(target, options, named)


def retry_options(
    target: Target, selection: Options, named: Options, wait: Options, *, must_wait: bool = False
) -> dict[str, Any]:
    """What the module that acts is asked: exactly these tasks.

    :param named: one of `naming`
    :param wait: values of wait, wait_timeout and wait_interval, for where the target says nothing itself
    :param must_wait: whatever the target says
    """
    waiting = {name: value for name, value in wait.items() if is_given(value)}
    forced = {"fail_on": [], **({"wait": True} if must_wait else {})}
    return _by_id(target, {**waiting, **_options(target, selection, ()), **forced}, named)


def naming(target: Target, entries: Sequence[Entry], among: Iterable[Entry]) -> list[dict[str, Any]]:
    """The options that name these tasks, in one call; in one for each scope where two known tasks have the same id.

    :param among: all tasks that are known of the target
    """
    ids = [entry["id"] for entry in entries]
    scopes_of: dict[str, set[str]] = {}
    for entry in (*among, *entries):
        scopes_of.setdefault(entry["id"], set()).add(repr(entry["scope"]))
    if all(len(scopes_of[task_id]) == 1 for task_id in ids):
        return [{target.service.ids: ids}] if ids else []
    scopes: dict[str, list[Entry]] = {}
    for entry in entries:
        scopes.setdefault(repr(entry["scope"]), []).append(entry)
    return [{**group[0]["scope"], target.service.ids: [entry["id"] for entry in group]} for group in scopes.values()]


def _options(target: Target, selection: Options, without: Sequence[str]) -> dict[str, Any]:
    dropped = (*_SET_BY_ROLES, *_SELECTING, *without)
    return {**{name: value for name, value in target.options.items() if name not in dropped}, **selection}


def _by_id(target: Target, options: Options, named: Options) -> dict[str, Any]:
    return {**{name: value for name, value in options.items() if name not in (target.service.ids, "ids")}, **named}
