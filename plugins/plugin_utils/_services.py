# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What the roles need to know of each service. A further service is a further entry."""

from __future__ import annotations

from typing import NamedTuple


class Service(NamedTuple):
    """How a service's modules are called.

    :ivar info: the module that looks
    :ivar retry: the module that acts
    :ivar ids: the option that names tasks
    :ivar place: options that say where, from the widest to the narrowest; a target without a name is called after them
    :ivar narrow: options, besides codes, that make a target smaller
    :ivar told: what of a task's scope the target tells already, so that it need not be said for each cause
    :ivar one_by_one: rules of causes in which what holds for one task does not hold for the next, so that only a person
        can say which may be retried
    """

    info: str
    retry: str
    ids: str
    place: tuple[str, ...] = ()
    narrow: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    one_by_one: tuple[str, ...] = ()


SERVICES = {
    "cls": Service(
        info="redrive.tasks.cls_shipper_task_info",
        retry="redrive.tasks.cls_shipper_task_retry",
        ids="task_ids",
        place=("region", "shipper_id"),
        narrow=("shipper_id",),
    ),
    "drs": Service(
        info="redrive.tasks.drs_job_info",
        retry="redrive.tasks.drs_job_retry",
        ids="job_ids",
        place=("cloud", "project_name", "project_id"),
        narrow=("db_use_type",),
        told=("project_id",),
        one_by_one=("drs.wrong_level", "drs.dual_active_parent"),
    ),
    "geelark": Service(
        info="redrive.tasks.geelark_task_info",
        retry="redrive.tasks.geelark_task_restart",
        ids="task_ids",
        one_by_one=("geelark.maybe_published", "geelark.cancelled"),
    ),
    "sls": Service(
        info="redrive.tasks.sls_shipper_task_info",
        retry="redrive.tasks.sls_shipper_task_retry",
        ids="task_ids",
        place=("project", "logstore", "shipper"),
        narrow=("logstore", "shipper"),
        told=("project",),
    ),
}
