# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Options that all services share, as argument specs. Their documentation is in the fragments of the same names."""

from __future__ import annotations

from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._result import FAIL_ON
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass, State

Spec = dict[str, dict[str, Any]]

_CLASSES = [member.value for member in FailureClass]
_STATES = [member.value for member in State if member is not State.MISSING]


def what_spec() -> Spec:
    """Which tasks, and how they are judged."""
    return {
        "since": {"type": "str"},
        "until": {"type": "str"},
        "codes": {"type": "list", "elements": "str"},
        "message_regex": {"type": "str"},
        "retry_classes": {
            "type": "list",
            "elements": "str",
            "choices": _CLASSES,
            "default": [FailureClass.TRANSIENT.value, FailureClass.UNCLASSIFIED.value],
        },
        "rules": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "code": {"type": "str"},
                "match": {"type": "str"},
                "class": {"type": "str", "required": True, "choices": _CLASSES},
                "remedy": {"type": "str"},
            },
        },
        "max_tasks": {"type": "int"},
    }


def info_spec() -> Spec:
    """Options of info modules only."""
    return {
        "states": {"type": "list", "elements": "str", "choices": _STATES, "default": [State.FAILED.value]},
    }


def retry_spec() -> Spec:
    """Options of retry modules only."""
    return {
        "all_failed": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 600},
        "wait_interval": {"type": "float"},
        "lock_timeout": {"type": "int", "default": 300},
        "stop_at_refusals": {"type": "int"},
        "fail_on": {"type": "list", "elements": "str", "choices": list(FAIL_ON), "default": list(FAIL_ON)},
    }


def how_spec() -> Spec:
    """How the service is reached."""
    return {
        "endpoint": {"type": "str"},
        "region": {"type": "str"},
        "timeout": {"type": "float", "default": 30},
        "max_attempts": {"type": "int", "default": 5},
        "rate_limit": {"type": "float"},
        "concurrency": {"type": "int"},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "allow_plaintext": {"type": "bool", "default": False},
    }
