# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was made, and what requests do to it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local_controller import rules
from local_controller.kinds import KINDS, TEMPLATES, Field, Kind

API = "/api/v2/"
Item = dict[str, Any]

# Fields of a template, by the field of a schedule or a node that is taken only if the template asks for it.
_ASKED_BY = {"job_tags": "tags", "extra_data": "variables"}


class Refused(Exception):  # noqa: N818 - it is what happened
    """An answer that is no success."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {content}")
        self.status = status
        self.content = content


class Write(NamedTuple):
    """A request that changes something, as it came."""

    method: str
    path: str
    content: Any


class World:
    """All resources. Ids are unique over all of them, as those of templates are in AWX.

    :param checkout: the folder that every project holds
    """

    def __init__(self, checkout: Path) -> None:
        self.lock = threading.RLock()
        self.items: dict[str, dict[int, Item]] = {kind: {} for kind in KINDS}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, dict[str, Any]] = {}
        self.writes: list[Write] = []
        self._last_id = 0
        self._checkout = checkout

    def __getstate__(self) -> dict[str, Any]:
        """For other processes: all but the lock."""
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state, lock=threading.RLock())

    # -- looking

    def named(self, kind: str, name: str) -> Item:
        """The one of this name. :raises LookupError: there is none"""
        return next(one for one in self.items[kind].values() if one.get("name", one.get("identifier")) == name)

    def linked(self, kind: str, item_id: int, link: str) -> list[Item]:
        target = KINDS[kind].links[link]
        return [self.items[target][one] for one in self.links.get((kind, item_id, link), [])]

    def of_kind(self, kind: str) -> list[tuple[str, Item]]:
        kinds = TEMPLATES if kind == "unified_job_templates" else (kind,)
        return [(one, item) for one in kinds for item in self.items[one].values()]

    def get(self, kind: str, item_id: int) -> Item:
        """:raises Refused: there is none"""
        found = next((item for _kind, item in self.of_kind(kind) if item["id"] == item_id), None)
        if found is None:
            raise Refused(404, {"detail": "Not found."})
        return found

    def shown(self, kind: str, item: Item) -> Item:
        """An item as the API shows it."""
        url = f"{API}{kind}/{item['id']}/"
        related = {link: f"{url}{link}/" for link in KINDS[kind].links}
        summary: dict[str, Any] = {}
        if kind in ("job_templates", "workflow_job_templates"):
            related["survey_spec"] = f"{url}survey_spec/"
        if kind == "workflow_job_template_nodes":
            related["create_approval_template"] = f"{url}create_approval_template/"
        if kind == "projects":
            related["update"] = f"{url}update/"
            summary["current_update"] = {"id": item["id"], "status": "running"}
            item = {**item, "status": "running", "scm_revision": ""}
        if kind in ("credential_types", "execution_environments"):
            item = {**item, "managed": False}
        for name, field in KINDS[kind].fields.items():
            if field.to and item[name] is not None:
                place = self._kind_of_template(item[name]) if field.to == "unified_job_templates" else field.to
                related[name] = f"{API}{place}/{item[name]}/"
        return {
            **copy.deepcopy(item),
            "type": KINDS[kind].type,
            "url": url,
            "related": related,
            "summary_fields": summary,
        }

    def _kind_of_template(self, item_id: int) -> str:
        return next(kind for kind in TEMPLATES if item_id in self.items[kind])

    # -- changing

    def create(self, kind: str, content: Mapping[str, Any]) -> Item:
        """:raises Refused: AWX would not take it"""
        fields = KINDS[kind].fields
        missing = [name for name, field in fields.items() if field.required and content.get(name) in (None, "")]
        if missing:
            raise Refused(400, {name: ["This field is required."] for name in missing})
        self._last_id += 1
        item = {"id": self._last_id, **{name: copy.deepcopy(field.default) for name, field in fields.items()}}
        return self._take(kind, item, content)

    def change(self, kind: str, item_id: int, content: Mapping[str, Any]) -> Item:
        """:raises Refused: AWX would not take it"""
        item = dict(self.get(kind, item_id))
        if kind == "workflow_job_template_nodes":  # which belongs to its workflow for good
            content = {name: value for name, value in content.items() if name != "workflow_job_template"}
        return self._take(kind, item, content)

    def _take(self, kind: str, item: Item, content: Mapping[str, Any]) -> Item:
        known = KINDS[kind]
        errors = {name: list(self._errors(known, name, value)) for name, value in content.items()}
        errors = {name: found for name, found in errors.items() if found}
        if errors:
            raise Refused(400, errors)
        item.update(
            {name: _stored(known.fields[name], value) for name, value in content.items() if name in known.fields}
        )
        if kind == "job_templates" and item["project"]:
            item["organization"] = self.items["projects"][item["project"]]["organization"]
        if kind == "credential_types":
            item["inputs"] = rules.with_types(item["inputs"])
        wrong = list(self._whole_errors(kind, item, content))
        if wrong:
            raise Refused(400, {"__all__": wrong})
        self.items[kind][item["id"]] = item
        return self.shown(kind, item)

    def _errors(self, kind: Kind, name: str, value: Any) -> Iterator[str]:
        field = kind.fields.get(name)
        if field is None:
            if name not in kind.ignored:
                yield "There is no such field."
        elif value is None or (field.to and value == ""):
            pass  # nothing, or the default
        elif not isinstance(value, field.kind) or (field.kind is int and isinstance(value, bool)):
            yield f"Not a valid {field.kind.__name__}: {value!r}."
        elif field.choices and value not in field.choices:
            yield f"{value!r} is not a valid choice."
        elif field.to and not any(item["id"] == value for _kind, item in self.of_kind(field.to)):
            yield f"Invalid pk {value!r} - object does not exist."
        elif isinstance(value, str) and len(value) > 512 and name == "name":
            yield "Ensure this field has no more than 512 characters."

    def _whole_errors(self, kind: str, item: Item, content: Mapping[str, Any]) -> Iterator[str]:
        unique = KINDS[kind].unique
        for other in self.items[kind].values():
            if unique and other["id"] != item["id"] and all(other.get(name) == item.get(name) for name in unique):
                yield f"{KINDS[kind].type} with this ({', '.join(unique)}) combination already exists."
        for name in ("extra_vars", "variables"):
            yield from _variable_errors(item.get(name) or "")
        if kind == "credential_types":
            yield from rules.input_errors(item["inputs"])
            yield from rules.injector_errors(item["injectors"], item["inputs"])
        if kind == "job_templates":
            yield from self._job_template_errors(item)
        if kind == "schedules":
            yield from rules.recurrence_errors(item["rrule"])
        if kind in ("schedules", "workflow_job_template_nodes") and item["unified_job_template"]:
            yield from self._prompt_errors(kind, item, content)

    def _job_template_errors(self, item: Item) -> Iterator[str]:
        project = self.items["projects"].get(item["project"] or 0)
        if project is None:
            yield "Job Templates must have a project assigned."
        elif item["playbook"] not in rules.playbooks(self._checkout) and not project["allow_override"]:
            yield f"Playbook not found for project: {item['playbook']}"
        if not item["inventory"] and not item["ask_inventory_on_launch"]:
            yield "You must either set a default value or ask to prompt on launch."
        if item["job_slice_count"] < 1:
            yield "job_slice_count is too small."

    def _prompt_errors(self, kind: str, item: Item, content: Mapping[str, Any]) -> Iterator[str]:
        """What is saved to be answered at the start must be what the template asks for."""
        template = self.get("unified_job_templates", item["unified_job_template"])
        survey = self.surveys.get(template["id"], {}) if template.get("survey_enabled") else {}
        if not template.get("ask_variables_on_launch"):
            for error in rules.answer_errors(survey, item["extra_data"]):
                # What a node does not answer may come from its workflow.
                if kind == "schedules" or not error.endswith("value missing"):
                    yield error
        for name in content:
            asked = f"ask_{_ASKED_BY.get(name, name)}_on_launch"
            if name != "extra_data" and content[name] is not None and asked in template and not template[asked]:
                yield f"{name}: Field is not configured to prompt on launch."

    def link(self, kind: str, item_id: int, link: str, content: Mapping[str, Any]) -> None:
        """:raises Refused: there is nothing of this id"""
        self.get(kind, item_id)
        self.get(KINDS[kind].links[link], content["id"])
        ids = self.links.setdefault((kind, item_id, link), [])
        if content.get("disassociate"):
            ids.remove(content["id"])
        elif content["id"] not in ids:
            ids.append(content["id"])

    def approve(self, node_id: int, content: Mapping[str, Any]) -> Item:
        """Make a node one that waits for an approval. :raises Refused: AWX would not take it"""
        node = self.get("workflow_job_template_nodes", node_id)
        made = self.create("workflow_approval_templates", content)
        node["unified_job_template"] = made["id"]
        return made

    def ask(self, kind: str, item_id: int, survey: Any) -> None:
        """Give a template a survey. :raises Refused: AWX would not take it"""
        self.get(kind, item_id)
        wrong = list(rules.survey_errors(survey))
        if wrong:
            raise Refused(400, {"error": "; ".join(wrong)})
        self.surveys[item_id] = survey


def _stored(field: Field, value: Any) -> Any:
    """What a null, or an empty reference, becomes."""
    if field.to and value == "":
        return None
    return copy.deepcopy(field.default) if value is None else value


def _variable_errors(text: str) -> Iterator[str]:
    try:
        rules.variables(text)
    except ValueError as error:
        yield str(error)
