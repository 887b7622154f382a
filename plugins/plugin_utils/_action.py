# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What the action plugins of the roles share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.plugin_utils._calendar import CalendarError
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import DocumentError
from ansible_collections.redrive.tasks.plugins.plugin_utils._files import FileError
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import TargetError, is_given

Result = dict[str, Any]


# What a person has set, by the option that takes it.
_VARIABLES = {
    **{name: f"plan_{name}" for name in ("max_total", "max_percent", "expiry_warning")},
    **{name: f"remediate_{name}" for name in ("confirm", "canary", "wait", "wait_timeout", "wait_interval")},
    **dict.fromkeys(("dry_run", "preview"), "remediate_dry_run"),
}


class OptionError(Exception):
    """What is wrong with an option of an action."""


class ModuleFailed(Exception):  # noqa: N818 - it is what happened
    """A module failed; `result` is what it returned."""

    def __init__(self, result: Result) -> None:
        super().__init__(str(result.get("msg", "")))
        self.result = result


_EXPECTED = (CalendarError, DocumentError, FileError, InputError, OptionError, TargetError)


class RoleAction(ActionBase):  # type: ignore[misc]
    """An action of the roles: its options checked, its errors made into a failed result."""

    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = False

    options: Mapping[str, Any] = {}
    """The argument spec."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> Result:
        """As Ansible calls it."""
        result: Result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=dict(self.options))
        try:
            return {**result, "changed": False, **self.act(args, task_vars or {})}
        except ModuleFailed as exc:
            return {**result, **exc.result, "failed": True}
        except _EXPECTED as exc:
            return {**result, "changed": False, "failed": True, "msg": str(exc)}

    def act(self, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        """What the action does. May raise any of the errors that `run` catches."""
        raise NotImplementedError

    def module(self, name: str, options: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        """Run a module.

        :raises ModuleFailed: it failed
        """
        return succeeded(self._execute_module(module_name=name, module_args=dict(options), task_vars=task_vars))


def succeeded(result: Result) -> Result:
    """The result of a module, with its warnings as texts of our own.

    :raises ModuleFailed: it failed
    """
    result = {**result, "warned": [_text(one) for one in result.get("warnings", ())]}
    if result.get("failed"):
        raise ModuleFailed(result)
    return result


def _text(warning: Any) -> str:
    """A warning is a text, or since ansible-core 2.19 may be an object that holds one."""
    return (
        warning
        if isinstance(warning, str)
        else str(getattr(warning, "msg", None) or getattr(warning, "event", warning))
    )


@contextmanager
def also_known(**more: Any) -> Iterator[None]:
    """Add this to the result when what is done meanwhile fails."""
    try:
        yield
    except ModuleFailed as exc:
        raise ModuleFailed({**more, **exc.result}) from exc
    except _EXPECTED as exc:
        raise ModuleFailed({**more, "changed": False, "msg": str(exc)}) from exc


def flag(args: Mapping[str, Any], name: str, default: bool) -> bool:
    """A yes or no that may be given as text, as surveys do, or be left empty.

    :raises OptionError: it is neither
    """
    value = args[name]
    try:
        return boolean(value) if is_given(value) else default
    except TypeError as exc:
        raise OptionError(f"{_VARIABLES.get(name, name)} must be true or false, not {value!r}.") from exc


def number(args: Mapping[str, Any], name: str, *, most: float = 1e12) -> float | None:
    """A number that may be given as text, as surveys do, or be left empty.

    :raises OptionError: it is no number, or not from 0 to `most`
    """
    value = args[name]
    if not is_given(value):
        return None
    try:
        read = float(value)
    except (TypeError, ValueError) as exc:
        raise OptionError(f"{_VARIABLES.get(name, name)} must be a number, not {value!r}.") from exc
    if isinstance(value, bool) or not 0 <= read <= most:
        raise OptionError(f"{_VARIABLES.get(name, name)} must be a number from 0 to {most:g}, not {value!r}.")
    return read


def whole_number(args: Mapping[str, Any], name: str) -> int | None:
    """The same for a number of things.

    :raises OptionError: it is no whole number
    """
    read = number(args, name)
    if read is not None and read != int(read):
        raise OptionError(f"{_VARIABLES.get(name, name)} must be a whole number, not {args[name]!r}.")
    return None if read is None else int(read)


def hosts_of_the_play(task_vars: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The variables of all hosts of the play as they are, in its order: nothing in them is taken for a template."""
    return {host: task_vars["hostvars"].raw_get(host) for host in task_vars["ansible_play_hosts_all"]}


def now() -> float:
    """Epoch seconds."""
    return Clock().time()
