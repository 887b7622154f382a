# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of the API: their fields, what they refer to, and what makes each one unique."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field of a resource.

    :ivar kind: of its value; dict is any JSON
    :ivar default: where a request says nothing
    :ivar to: the resource whose id it holds
    :ivar choices: the values that are taken, if not all
    :ivar required: a request that makes the resource must give it
    """

    kind: type = str
    default: Any = ""
    to: str = ""
    choices: tuple[Any, ...] = ()
    required: bool = False


class Kind(NamedTuple):
    """A resource.

    :ivar type: what the API calls one of them
    :ivar unique: fields that no two have alike
    :ivar links: related lists that things are added to and taken from, and of what they are
    :ivar ignored: fields that awx.awx sends and AWX does not take, because they may only be read
    """

    type: str
    fields: Mapping[str, Field]
    unique: tuple[str, ...] = ("name",)
    links: Mapping[str, str] = {}
    ignored: tuple[str, ...] = ()


def _flag(default: bool = False) -> Field:
    return Field(bool, default)


def _number(default: int = 0) -> Field:
    return Field(int, default)


def _one_of(to: str, *, required: bool = False) -> Field:
    return Field(int, None, to=to, required=required)


NAME = Field(required=True)
_NAMED = {"name": NAME, "description": Field()}
_ASKED = (
    *("scm_branch", "diff_mode", "variables", "limit", "tags", "skip_tags", "job_type", "verbosity", "inventory"),
    *("credential", "execution_environment", "labels", "forks", "job_slice_count", "timeout", "instance_groups"),
)
# What may be saved with a schedule or a node, to be answered when the job is started.
_PROMPTS = {
    "extra_data": Field(dict, {}),
    "inventory": _one_of("inventories"),
    "job_type": Field(str, None, choices=(None, "", "run", "check")),
    **{name: Field(str, None) for name in ("scm_branch", "job_tags", "skip_tags", "limit")},
    "diff_mode": Field(bool, None),
    **{name: Field(int, None) for name in ("verbosity", "forks", "job_slice_count", "timeout")},
    "execution_environment": _one_of("execution_environments"),
}
_PROMPTED = {"credentials": "credentials", "labels": "labels", "instance_groups": "instance_groups"}
_NODES = dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes")
_NOTIFIED = {f"notification_templates_{when}": "notification_templates" for when in ("started", "success", "error")}

KINDS: Mapping[str, Kind] = {
    "organizations": Kind(
        "organization",
        {**_NAMED, "max_hosts": _number(), "default_environment": _one_of("execution_environments")},
        links={"instance_groups": "instance_groups", "galaxy_credentials": "credentials", **_NOTIFIED},
    ),
    "credential_types": Kind(
        "credential_type",
        {
            **_NAMED,
            "kind": Field(choices=("cloud", "net"), required=True),
            "inputs": Field(dict, {}),
            "injectors": Field(dict, {}),
        },
        unique=("name", "kind"),
        ignored=("managed",),
    ),
    "credentials": Kind(
        "credential",
        {
            **_NAMED,
            "organization": _one_of("organizations"),
            "credential_type": _one_of("credential_types", required=True),
            "inputs": Field(dict, {}),
        },
        unique=("organization", "name", "credential_type"),
    ),
    "execution_environments": Kind(
        "execution_environment",
        {
            **_NAMED,
            "image": Field(required=True),
            "organization": _one_of("organizations"),
            "credential": _one_of("credentials"),
            "pull": Field(choices=("", "always", "missing", "never")),
        },
    ),
    "projects": Kind(
        "project",
        {
            **_NAMED,
            "organization": _one_of("organizations"),
            "scm_type": Field(choices=("", "git", "svn", "insights", "archive")),
            **{name: Field() for name in ("scm_url", "scm_branch", "scm_refspec", "local_path")},
            **{name: _flag() for name in ("scm_clean", "scm_track_submodules", "scm_delete_on_update")},
            "credential": _one_of("credentials"),
            "signature_validation_credential": _one_of("credentials"),
            "default_environment": _one_of("execution_environments"),
            "timeout": _number(),
            "scm_update_on_launch": _flag(),
            "scm_update_cache_timeout": _number(),
            "allow_override": _flag(),
        },
        unique=("name", "organization"),
        links=_NOTIFIED,
    ),
    "inventories": Kind(
        "inventory",
        {
            **_NAMED,
            "organization": _one_of("organizations", required=True),
            "kind": Field(choices=("", "smart", "constructed")),
            "host_filter": Field(str, None),
            "variables": Field(),
            "prevent_instance_group_fallback": _flag(),
        },
        unique=("name", "organization"),
        links={"instance_groups": "instance_groups"},
    ),
    "hosts": Kind(
        "host",
        {
            **_NAMED,
            "inventory": _one_of("inventories", required=True),
            "enabled": _flag(True),
            "instance_id": Field(),
            "variables": Field(),
        },
        unique=("name", "inventory"),
    ),
    "groups": Kind(
        "group",
        {**_NAMED, "inventory": _one_of("inventories", required=True), "variables": Field()},
        unique=("name", "inventory"),
        links={"hosts": "hosts", "children": "groups"},
    ),
    "job_templates": Kind(
        "job_template",
        {
            **_NAMED,
            "job_type": Field(str, "run", choices=("run", "check")),
            "inventory": _one_of("inventories"),
            "project": _one_of("projects"),
            **{name: Field() for name in ("playbook", "scm_branch", "limit", "extra_vars", "job_tags", "skip_tags")},
            **{name: Field() for name in ("start_at_task", "host_config_key")},
            **{name: _number() for name in ("forks", "timeout")},
            "verbosity": Field(int, 0, choices=(0, 1, 2, 3, 4, 5)),
            "job_slice_count": _number(1),
            **{name: _flag() for name in ("force_handlers", "use_fact_cache", "become_enabled", "diff_mode")},
            **{name: _flag() for name in ("survey_enabled", "allow_simultaneous", "prevent_instance_group_fallback")},
            **{f"ask_{name}_on_launch": _flag() for name in _ASKED},
            "execution_environment": _one_of("execution_environments"),
            "webhook_service": Field(choices=("", "github", "gitlab", "bitbucket_dc")),
            "webhook_credential": _one_of("credentials"),
        },
        unique=("name", "organization"),
        links={**_PROMPTED, **_NOTIFIED},
        ignored=("organization",),  # it is the project's
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **_NAMED,
            "organization": _one_of("organizations"),
            "extra_vars": Field(),
            "inventory": _one_of("inventories"),
            **{name: Field(str, None) for name in ("limit", "scm_branch", "job_tags", "skip_tags")},
            **{name: _flag() for name in ("survey_enabled", "allow_simultaneous")},
            **{
                f"ask_{name}_on_launch": _flag()
                for name in ("inventory", "scm_branch", "limit", "variables", "labels", "tags", "skip_tags")
            },
            "webhook_service": Field(choices=("", "github", "gitlab", "bitbucket_dc")),
            "webhook_credential": _one_of("credentials"),
        },
        unique=("name", "organization"),
        links={"labels": "labels", "notification_templates_approvals": "notification_templates", **_NOTIFIED},
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {
            **_PROMPTS,
            "identifier": Field(required=True),
            "workflow_job_template": _one_of("workflow_job_templates", required=True),
            "unified_job_template": _one_of("unified_job_templates"),
            "all_parents_must_converge": _flag(),
        },
        unique=("identifier", "workflow_job_template"),
        links={**_NODES, **_PROMPTED},
        ignored=("type",),
    ),
    "workflow_approval_templates": Kind(
        "workflow_approval_template", {**_NAMED, "timeout": _number()}, unique=(), ignored=("workflow_node",)
    ),
    "schedules": Kind(
        "schedule",
        {
            **_NAMED,
            **_PROMPTS,
            "rrule": Field(required=True),
            "enabled": _flag(True),
            "unified_job_template": _one_of("unified_job_templates", required=True),
        },
        unique=("name", "unified_job_template"),
        links=_PROMPTED,
    ),
    # What the data of this collection does not make, but a request may look for.
    "instance_groups": Kind("instance_group", {"name": NAME}),
    "labels": Kind("label", {"name": NAME, "organization": _one_of("organizations")}),
    "notification_templates": Kind("notification_template", _NAMED),
}

TEMPLATES = ("projects", "job_templates", "workflow_job_templates", "workflow_approval_templates")
"""What the endpoint unified_job_templates shows."""
