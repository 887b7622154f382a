# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What replies of DRS tell of jobs: their states, a page of a list, the jobs of a batch. Pure.

Sources: as of the service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import (
    REPLIES,
    Who,
    read_object,
    request_id_of,
)
from ansible_collections.redrive.tasks.plugins.module_utils._replies import list_of, number_of, text_of
from ansible_collections.redrive.tasks.plugins.module_utils._task import ItemError, State
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Response

JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

# -- words of the service ---------------------------------------------------------------------------------------------

_STATES: Mapping[str, State] = {
    "CREATING": State.WAITING,
    "CONFIGURATION": State.WAITING,
    "STARTJOBING": State.WAITING,
    "WAITING_FOR_START": State.WAITING,
    "FULL_TRANSFER_STARTED": State.RUNNING,
    "FULL_TRANSFER_COMPLETE": State.RUNNING,
    "INCRE_TRANSFER_STARTED": State.RUNNING,
    "CHANGE_JOB_STARTED": State.RUNNING,
    "CHILD_TRANSFER_STARTING": State.RUNNING,
    "CHILD_TRANSFER_STARTED": State.RUNNING,
    "CHILD_TRANSFER_COMPLETE": State.RUNNING,
    "RELEASE_CHILD_TRANSFER_STARTED": State.RUNNING,
    "RELEASE_RESOURCE_STARTED": State.RUNNING,
    "REBUILD_NODE_STARTED": State.RUNNING,
    "NODE_UPGRADE_START": State.RUNNING,
    "NODE_UPGRADE_COMPLETE": State.RUNNING,
    "FULL_TRANSFER_FAILED": State.FAILED,
    "INCRE_TRANSFER_FAILED": State.FAILED,
    "CREATE_FAILED": State.FAILED,
    "START_JOB_FAILED": State.FAILED,
    "CHANGE_JOB_FAILED": State.FAILED,
    "RELEASE_RESOURCE_FAILED": State.FAILED,
    "CHILD_TRANSFER_FAILED": State.FAILED,
    "REBUILD_NODE_FAILED": State.FAILED,
    "NODE_UPGRADE_FAILED": State.FAILED,
    # The first is Huawei Cloud's, for a job that is paused, not pausing; the second a page of Open Telekom Cloud's.
    "PAUSING": State.PAUSED,
    "PAUSEING": State.PAUSED,
    "PAUSED": State.PAUSED,
    "RELEASE_RESOURCE_COMPLETE": State.SUCCEEDED,
    "RELEASE_CHILD_TRANSFER_COMPLETE": State.SUCCEEDED,
    # Huawei Cloud still shows it for a time, where others answer that there is no such job.
    "DELETED": State.MISSING,
}
HEALTHY = ("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED")
"""A replication that never ends by itself does its work in these."""
# A retry is for failed transfers; whether it is for other failures is not established.
_TRANSFER_FAILED = ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED")
_RETRY = "RETRY"
_FAILED = ("failed", "fail")


def state_of(status: str, task_type: str) -> State:
    """The state that the service's word means for a job of this type."""
    if status.upper() == "FULL_TRANSFER_COMPLETE" and task_type.upper() == "FULL_TRANS":
        return State.SUCCEEDED
    return _STATES.get(status.upper(), State.UNKNOWN)


def says_failed(word: str) -> bool:
    """Whether this is the outcome of looking at a job, or of retrying it: a state is another word, in capitals."""
    return word.lower() in _FAILED


def is_true(value: Any) -> bool:
    """Whether it is true, or the word for it: the types of some members differ between the vendors' pages."""
    return value is True or value == "true"


# -- a list -----------------------------------------------------------------------------------------------------------


class Listed(NamedTuple):
    """What the list tells of a job and its details do not.

    :ivar status: when it was listed, because `actions` are those of that state
    :ivar actions: what the service offers to do with it, in upper case; None where it does not say
    """

    id: str
    status: str
    task_type: str
    message: str
    actions: tuple[str, ...] | None
    children: tuple[Listed, ...]

    @property
    def state(self) -> State:
        """What it was when it was listed."""
        return state_of(self.status, self.task_type)

    @property
    def family(self) -> tuple[Listed, ...]:
        """The job and its children, which are jobs of their own."""
        return (self, *(one for child in self.children for one in child.family))

    @property
    def child_ids(self) -> tuple[str, ...]:
        """The ids of its children, as far as they are ids."""
        return tuple(child.id for child in self.children if JOB_ID.fullmatch(child.id))

    @property
    def as_item(self) -> dict[str, Any]:
        """The same as details would show it, where they show nothing."""
        return {"id": self.id, "status": self.status, "task_type": self.task_type, "error_message": self.message}


class Page(NamedTuple):
    """One page of a list; `total` is None where it is not told."""

    jobs: list[Listed]
    total: int | None


def parse_page(response: Response, who: Who) -> Page:
    """A page of the list.

    :raises CallError: the reply is an error, or of another shape
    """
    content = read_object(response, who)
    total = content.get("total_record")
    if total is not None and number_of(total) is None:
        raise REPLIES.wrong_shape(response, "total_record is not a number")
    jobs = rows(response, content, "jobs", number_of(total))
    return Page([_parse_listed(response, job, depth=0) for job in jobs], number_of(total))


def rows(response: Response, content: Mapping[str, Any], name: str, number: int | None) -> list[Any]:
    """The list of that name. No list at all is an empty one where the reply itself counts none.

    :param number: of rows, as the reply counts them
    :raises CallError: there is no such list
    """
    value = content.get(name)
    found = [value] if isinstance(value, dict) and "id" in value else list_of(value)
    if found is None or (value is None and number != 0):
        raise REPLIES.wrong_shape(response, f"{name} is not a list")
    return found


def _parse_listed(response: Response, job: Any, depth: int) -> Listed:
    if not isinstance(job, dict) or not isinstance(job.get("id"), str) or not job["id"]:
        raise REPLIES.wrong_shape(response, "a job has no id")
    children = list_of(job.get("children")) if depth == 0 else []
    if children is None:
        raise REPLIES.wrong_shape(response, "the children of a job are not a list")
    return Listed(
        id=job["id"],
        status=text_of(job.get("status")),
        task_type=text_of(job.get("task_type")),
        message=text_of(job.get("error_msg")),
        actions=_actions(job.get("job_action")),
        children=tuple(_parse_listed(response, child, depth + 1) for child in children),
    )


def _actions(job_action: Any) -> tuple[str, ...] | None:
    """What is offered; None where the service does not say, as Open Telekom Cloud does not."""
    offered = job_action.get("available_actions") if isinstance(job_action, dict) else None
    if not isinstance(offered, list) or not all(isinstance(action, str) for action in offered):
        return None
    return tuple(action.upper() for action in offered)


# -- a batch ----------------------------------------------------------------------------------------------------------


class Item(NamedTuple):
    """One job of a batch; `error` is why it is not shown."""

    id: str
    content: Mapping[str, Any]
    error: ItemError | None


def parse_items(response: Response, who: Who) -> list[Item]:
    """The jobs of a batch; a 400 that carries them is no error of the call.

    :raises CallError: the reply is an error of the call, or of another shape
    """
    content = batch_of(response)
    if content is None:
        content = read_object(response, who)
    found = rows(response, content, "results", number_of(content.get("count")))
    return [_parse_item(response, item) for item in found]


def batch_of(response: Response) -> dict[str, Any] | None:
    """The body, if it is one that answers for each job; the vendor's Terraform provider reads it from a 400 too."""
    if not (200 <= response.status < 300 or response.status == 400):
        return None
    try:
        content = response.json()
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("results"), (list, dict)):
        return None
    return content if content["results"] or not content.get("error_code") else None


def _parse_item(response: Response, item: Any) -> Item:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
        raise REPLIES.wrong_shape(response, "a result has no id")
    failed = says_failed(text_of(item.get("status")))
    return Item(item["id"], item, item_error(response, item) if failed else None)


def item_error(response: Response, item: Mapping[str, Any]) -> ItemError:
    """Why the service did not do with this job what it was asked for."""
    text = text_of(item.get("error_msg")) or text_of(item.get("error_message"))
    return ItemError(text_of(item.get("error_code")), text or "no reason given", request_id_of(response))


# -- judging ----------------------------------------------------------------------------------------------------------


def failure_of(
    item: Mapping[str, Any], status: str, actions: tuple[str, ...] | None, listed: Listed | None
) -> tuple[str, str]:
    """Code and text of a failure.

    Where it is no failed transfer, and the service does not offer a retry, the state says more than the code does.
    """
    code = text_of(item.get("error_code"))
    text = text_of(item.get("error_message")) or text_of(item.get("failed_reason"))
    text = text or (listed.message if listed else "")
    if status.upper() in _TRANSFER_FAILED or _RETRY in (actions or ()):
        return code, text
    return status, ": ".join(filter(None, (code, text)))


def offers_no_retry(status: str, actions: tuple[str, ...] | None) -> bool:
    """Whether the service says of a failed transfer that it cannot be retried now."""
    return actions is not None and status.upper() in _TRANSFER_FAILED and _RETRY not in actions


def is_parent(item: Mapping[str, Any]) -> bool:
    """Whether it is a dual-active job that may have children; no job's details name them."""
    return is_true(item.get("multi_write")) and not item.get("parent_id")
