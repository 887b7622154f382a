# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX demands of the parts of a request that are small languages of their own. Each rule yields what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Errors = Iterator[str]

# ---- credential types

_INPUT = {
    "id": str,
    "label": str,
    "type": str,
    "format": str,
    "choices": list,
    "help_text": str,
    "multiline": bool,
    "secret": bool,
    "default": object,
}
_OF_STRINGS_ONLY = ("choices", "multiline", "format", "secret")
_VARIABLE = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
_EXTRA_VARIABLE = re.compile(r"[a-zA-Z_{}]+[a-zA-Z0-9_{}]*")
_FORBIDDEN_VARIABLES = {
    *("VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID"),
    *("AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE", "CALLBACK_CONNECTION"),
    *("CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST", "PROJECT_REVISION", "SUPERVISOR_CONFIG_PATH"),
}


def input_errors(inputs: Any) -> Errors:
    """What is wrong with the inputs of a credential type."""
    if not isinstance(inputs, dict) or not set(inputs) <= {"fields", "required"}:
        yield f"{inputs!r} must be an object with fields and required"
        return
    fields = inputs.get("fields", [])
    for field in fields:
        yield from _field_errors(field)
    ids = [field.get("id") for field in fields]
    yield from (f"field IDs must be unique ({one})" for one in ids if ids.count(one) > 1)
    # AWX itself does not look whether they exist.
    yield from (f"{one!r} is required, but is no field" for one in inputs.get("required", []) if one not in ids)


def _field_errors(field: Mapping[str, Any]) -> Errors:
    yield from (f"{one!r} is a required property" for one in ("id", "label") if one not in field)
    for name, value in field.items():
        if name not in _INPUT:
            yield f"{name!r} is not a property of a field"
        elif not isinstance(value, _INPUT[name]):
            yield f"{value!r} is not of type {_INPUT[name].__name__}"
    if not _VARIABLE.fullmatch(str(field.get("id"))) or field.get("id") == "tower":
        yield f"{field.get('id')!r} is an invalid variable name"
    kind = field.get("type", "string")
    if kind not in ("string", "boolean"):
        yield f"{kind!r} is not one of string, boolean"
    if kind == "boolean":
        yield from (
            f"{one} not allowed for boolean type ({field.get('id')})" for one in _OF_STRINGS_ONLY if one in field
        )
    if "format" in field and field["format"] not in ("ssh_private_key", "url"):
        yield f"{field['format']!r} is not one of ssh_private_key, url"


def with_types(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """As AWX stores inputs: a field without a type is a string."""
    return {**inputs, "fields": [{**one, "type": one.get("type", "string")} for one in inputs.get("fields", [])]}


def injector_errors(injectors: Any, inputs: Mapping[str, Any]) -> Errors:
    """What is wrong with the injectors of a credential type that has these inputs."""
    if not isinstance(injectors, dict) or not set(injectors) <= {"file", "env", "extra_vars"}:
        yield f"{injectors!r} must be an object with file, env and extra_vars"
        return
    known = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])}
    for kind, shape in (("env", _VARIABLE), ("extra_vars", _EXTRA_VARIABLE)):
        for name, template in injectors.get(kind, {}).items():
            if not shape.fullmatch(name):
                yield f"{name!r} does not match any of the regexes"
            yield from _template_errors(name, template, known)
    for name in injectors.get("env", {}):
        if name.startswith("ANSIBLE_"):
            yield f"Environment variable {name} may affect Ansible configuration so its use is not allowed."
        if name in _FORBIDDEN_VARIABLES:
            yield f"Environment variable {name} is not allowed to be used in credentials."


def _template_errors(name: str, template: Any, known: Mapping[str, str]) -> Errors:
    if not isinstance(template, str):
        yield f"{template!r} is not of type 'string'"
        return
    try:
        rendered(template, known, undefined=StrictUndefined)
    except TemplateError as error:
        yield f"{name} uses an undefined field ({error})"


def rendered(template: str, values: Mapping[str, Any], **options: Any) -> str:
    """What AWX makes of an injector for a job. A field that was left empty becomes nothing."""
    return ImmutableSandboxedEnvironment(**options).from_string(template).render(**values)


# ---- surveys

_ANSWERS: Mapping[str, Any] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice", "multiselect"), str),
    "integer": int,
    "float": (float, int),
}
_QUESTION = {
    *("question_name", "question_description", "variable", "type", "required"),
    *("default", "min", "max", "choices", "new_question"),
}


def survey_errors(survey: Any) -> Errors:
    """What is wrong with a survey."""
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(name), kind):
            yield f"Field '{name}' is missing from survey spec, or is no {kind.__name__}."
    questions = survey.get("spec") or []
    if not questions:
        yield "'spec' doesn't contain any items."
    for number, question in enumerate(questions):
        yield from (f"survey question {number}: {one}" for one in _question_errors(question))
    names = [question.get("variable") for question in questions]
    yield from (f"'variable' '{one}' duplicated in survey question" for one in names if names.count(one) > 1)


def _question_errors(question: Mapping[str, Any]) -> Errors:
    for name in ("type", "question_name", "variable", "required"):
        if not isinstance(question.get(name), bool if name == "required" else str):
            yield f"{name!r} is missing or of a wrong type."
    if question.get("type") not in _ANSWERS:
        yield f"{question.get('type')!r} is not an allowed question type."
        return
    values = {"default": _ANSWERS[question["type"]], "min": int, "max": int}
    for name, kind in values.items():
        if question.get(name, "") != "" and not isinstance(question[name], kind):
            yield f"The {name} {question[name]!r} is of a wrong type."
    if question["type"] in ("multiselect", "multiplechoice"):
        yield from _choice_errors(question)
    # AWX keeps what it does not know, without any effect, and accepts names that no playbook could use.
    yield from (f"{name!r} is not a property of a question." for name in question if name not in _QUESTION)
    if not _VARIABLE.fullmatch(question["variable"]):
        yield f"{question['variable']!r} is no name of a variable."


def _choice_errors(question: Mapping[str, Any]) -> Errors:
    choices = question.get("choices")
    if not choices:
        yield "must specify choices."
        return
    defaults = str(question.get("default", "")).splitlines()
    if question["type"] == "multiplechoice" and len(defaults) > 1:
        yield "Multiple Choice (Single Select) can only have one default value."
    if any(one not in choices for one in defaults):
        yield "Default choice must be answered from the choices listed."


def answer_errors(survey: Mapping[str, Any], answers: Mapping[str, Any]) -> Errors:
    """What is wrong with the answers to a survey that a schedule or a launch gives."""
    questions = survey.get("spec", [])
    for question in questions:
        name = question["variable"]
        if name in answers:
            yield from _answer_errors(question, answers[name])
        elif question["required"]:  # whether it has a default or not
            yield f"'{name}' value missing"
    known = {question["variable"] for question in questions}
    if not set(answers) <= known:
        yield f"Variables {', '.join(sorted(set(answers) - known))} are not allowed on launch."


def _answer_errors(question: Mapping[str, Any], answer: Any) -> Errors:
    kind, name = question["type"], question["variable"]
    wanted = list if kind == "multiselect" else _ANSWERS[kind]
    if not isinstance(answer, wanted) or isinstance(answer, bool):
        yield f"Value {answer} for '{name}' is of a wrong type."
        return
    if kind in ("multiselect", "multiplechoice"):
        chosen = answer if kind == "multiselect" else [answer]
        yield from (f"Value {one} for '{name}' must be a choice." for one in chosen if one not in question["choices"])
        return
    size = len(answer) if isinstance(answer, str) else answer
    if size < question.get("min", size):
        yield f"'{name}' value {answer} is too small (must be at least {question['min']})."
    if size > question.get("max", size):
        yield f"'{name}' value {answer} is too large (must be no more than {question['max']})."


# ---- recurrence rules

_START = re.compile(r"DTSTART(?:;TZID=(?P<zone>[^:]+))?:\d{8}T\d{6}(?P<utc>Z?)")
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
_PARTS = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"),
    *("BYDAY", "BYHOUR", "BYMINUTE", "BYEASTER"),
}


def recurrence_errors(rule: str) -> Errors:
    """What is wrong with the recurrence rule of a schedule."""
    start, *rules = rule.split()
    match = _START.fullmatch(start)
    if match is None:
        yield "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"
    elif not match["utc"]:
        yield from _zone_errors(match["zone"])
    if not any(one.startswith("RRULE:") for one in rules):
        yield "One or more rule required in rrule."
    for one in rules:
        yield from _rule_errors(one)


def _zone_errors(zone: str | None) -> Errors:
    try:
        ZoneInfo(zone or "")
    except (ValueError, LookupError, OSError):
        yield "A valid TZID must be provided (e.g., America/New_York)"


def _rule_errors(rule: str) -> Errors:
    kind, _colon, content = rule.partition(":")
    parts = dict(one.partition("=")[::2] for one in content.split(";"))
    if kind not in ("RRULE", "EXRULE"):
        yield f"{kind} not allowed in rrule."
    if "INTERVAL" not in parts:
        yield f"INTERVAL required in rrule: {rule}"
    if parts.get("FREQ") not in _FREQUENCIES or not set(parts) <= _PARTS:
        yield f"rrule parsing failed validation: {rule}"
    if "COUNT" in parts and ("UNTIL" in parts or int(parts["COUNT"]) > 999):
        yield f"RRULE may not contain both COUNT and UNTIL, nor a COUNT over 999: {rule}"
    if re.match(r"[0-9]", parts.get("BYDAY", "")):
        yield f"BYDAY with numeric prefix not supported: {rule}"


# ---- variables and playbooks


def variables(text: str) -> dict[str, Any]:
    """Variables as a text field holds them.

    :raises ValueError: it is neither JSON nor YAML of an object
    """
    try:
        content = json.loads(text) if text.strip() else {}
    except ValueError:
        content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise ValueError(f"Cannot parse as JSON or YAML of an object: {text}")
    return content


_PLAYBOOK = re.compile(
    r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):", re.MULTILINE
)
_NO_PLAYBOOKS_IN = {"roles", "tasks", "group_vars", "host_vars"}


def playbooks(folder: Path) -> Iterable[str]:
    """The files of a project that AWX offers as playbooks."""
    for file in sorted(folder.rglob("*.y*ml")):
        place = file.relative_to(folder)
        within = set(place.parts[:-1])
        hidden = any(part.startswith(".") for part in within)
        if not hidden and not _NO_PLAYBOOKS_IN & within and _PLAYBOOK.search(file.read_text(errors="replace")):
            yield str(place)
