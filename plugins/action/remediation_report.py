# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what was planned or done as JSON, Markdown and HTML, and says what is left for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._action import (
    Result,
    RoleAction,
    hosts_of_the_play,
    now,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Document, Frame
from ansible_collections.redrive.tasks.plugins.plugin_utils._files import FileError, check_places, preview_of, write
from ansible_collections.redrive.tasks.plugins.plugin_utils._html import html
from ansible_collections.redrive.tasks.plugins.plugin_utils._markdown import markdown
from ansible_collections.redrive.tasks.plugins.plugin_utils._run import author_of, document_of
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen import say
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen_text import summary_lines
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import FAIL_ON
from ansible_collections.redrive.tasks.plugins.plugin_utils._words import clean, gist


def _json(document: Document) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


_FORMS: dict[str, Callable[[Document], str]] = {"json": _json, "markdown": markdown, "html": html}


_OPTIONS: Mapping[str, Any] = {
    **{form: {"type": "path", "default": ""} for form in _FORMS},
    "user": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
    "fail_on": {"type": "list", "elements": "str", "choices": list(FAIL_ON), "default": []},
    "plan": {"type": "dict", "default": {}},
    "gate": {"type": "dict", "default": {}},
    "only_check": {"type": "bool", "default": False},
}


class ActionModule(RoleAction):
    options = _OPTIONS

    def act(self, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        wanted = {form: args[form] for form in _FORMS if args[form]}
        check_places({f"report_{form}": path for form, path in wanted.items()})
        if args["only_check"]:
            return {"msg": "The reports can be written."}
        kind = self._kind(args)
        frame = Frame(
            kind,
            started=now(),
            ended=now(),
            by=author_of(task_vars, args["user"], args["reason"]),
            held="" if kind == "plan" else args["gate"]["held"],
            expiry_warning=args["plan"]["expiry_warning"],
        )
        hosts = hosts_of_the_play(task_vars)
        content = document_of(hosts, frame, held=args["plan"]["held"], fail_on=args["fail_on"])
        if kind != "plan":
            say(["", *summary_lines(content)])
        files = {form: preview_of(path) if kind == "preview" else path for form, path in wanted.items()}
        trouble = _write(content, files)
        written = [f"{'Plan' if kind == 'plan' else 'Report'}: {path}" for path in files.values()]
        if kind == "plan" and "json" in files:
            written.append(f"Digest: {content['digest']}")
        if written or trouble:
            say(["", *written, *trouble, ""])
        failures = {one["host"]: f"{one['target']}: {clean(one['reason'], 1000)}" for one in content["failures"]}
        if trouble:
            failures[task_vars["inventory_hostname"]] = " ".join(trouble)
        return {"msg": gist(content), "files": files, "summary": _summary(content, files), "failures": failures}

    def _kind(self, args: Mapping[str, Any]) -> str:
        # A gate of an earlier play is none.
        if args["gate"].get("drawn_up") != args["plan"]["drawn_up"]:
            return "plan"
        return "preview" if self._task.check_mode else "run"


def _write(content: Document, files: dict[str, str]) -> list[str]:
    """Write all that can be written, and take the others out of `files`; what went wrong."""
    trouble = []
    for form, path in list(files.items()):
        try:
            write(path, _FORMS[form](content))
        except FileError as exc:
            trouble.append(str(exc))
            del files[form]
    return trouble


def _summary(content: Document, files: Mapping[str, str]) -> dict[str, Any]:
    """Small enough to be handed from job to job."""
    return {
        **{name: content[name] for name in ("kind", "started", "ended", "by", "held", "totals", "digest")},
        # Not as they are: what is handed on becomes a variable, and a text of a server must not be a template there.
        "targets": [
            {
                **{name: clean(target[name], 1000) for name in ("name", "service", "error", "held", "msg")},
                "counts": target["counts"],
            }
            for target in content["targets"]
        ],
        "failures": [f"{one['target']}: {clean(one['reason'], 1000)}" for one in content["failures"]],
        "files": dict(files),
    }
