# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published schema of reports and plans: it says what the code makes, and admits nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ansible_collections.redrive.tasks.plugins.module_utils._task import Action, FailureClass, Outcome, State
from ansible_collections.redrive.tasks.plugins.plugin_utils import _document
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES
from unit import documents
from unit.documents import Document

SCHEMA: dict[str, Any] = json.loads(
    Path(_document.__file__).parents[2].joinpath("roles/report/files/report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
# What the modules return, or what a user asks for: it may grow.
FREE = {"counts", "problems", "requests", "selection", "scope", "place"}


def parts(schema: dict[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within, with the name of the property or definition that it is for."""
    yield name, schema
    for kind in ("properties", "$defs"):
        for inner, part in schema.get(kind, {}).items():
            yield from parts(part, inner)
    for part in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])):
        yield from parts(part, name)


def is_valid(document: Document) -> bool:
    # As it is read from a file: what JSON has no word for is not there.
    return VALIDATOR.is_valid(json.loads(json.dumps(document)))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_admits_only_what_it_names() -> None:
    for name, part in parts(SCHEMA):
        if part.get("type") == "object" and name not in FREE:
            assert part["additionalProperties"] is False, name
            assert set(part["required"]) <= set(part["properties"]), name
    assert {name for name, _part in parts(SCHEMA)} >= FREE


def test_it_explains_everything() -> None:
    for _name, part in parts(SCHEMA):
        for name, described in part.get("properties", {}).items():
            assert described.get("description") or "/$defs/" in described.get("$ref", ""), name


@pytest.mark.parametrize("name", documents.ALL)
def test_documents_are_valid(name: str) -> None:
    errors = [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(documents.ALL[name]())]
    assert errors == []


def test_a_hostile_and_a_large_document_are_valid() -> None:
    assert is_valid(documents.hostile("<b>"))
    assert is_valid(documents.large(500))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object whose keys the schema fixes."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name not in FREE:
                yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def test_a_key_too_many_is_not_valid() -> None:
    document = documents.applied()
    for one in objects(document):
        one["surprise"] = ""
        assert not is_valid(document)
        del one["surprise"]
    assert is_valid(document)


def test_a_key_too_few_is_not_valid() -> None:
    """But for those that say that something happened to a task."""
    document = documents.applied()
    document["targets"][0]["tasks"] = document["targets"][0]["tasks"][-3:]
    for one in objects(document):
        for name in list(one):
            if name not in ("failure", "failure_after", "state_after", "recovered", "error") or "host" in one:
                kept = one.pop(name)
                assert not is_valid(document), name
                one[name] = kept
    assert is_valid(document)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("kind",), "rehearsal"),
        (("version",), 2),
        (("started",), "yesterday"),
        (("digest",), "md5:0"),
        (("totals", "retry"), -1),
        (("totals", "retry"), "3"),
        (("targets", 0, "tasks", 0, "state"), "broken"),
        (("targets", 0, "tasks", 0, "expires"), "2026-11-23"),
        (("causes", 0, "class"), "nobody knows"),
        (("causes", 0, "expiry"), None),
    ],
)
def test_a_wrong_value_is_not_valid(place: tuple[str | int, ...], value: Any) -> None:
    document: Any = documents.run()
    inner = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    assert not is_valid(document)


def test_its_words_are_those_of_the_code() -> None:
    task, cause = SCHEMA["$defs"]["task"]["properties"], SCHEMA["$defs"]["cause"]["properties"]
    classes = [one.value for one in FailureClass]
    assert sorted(SCHEMA["$defs"]["failure"]["properties"]["class"]["enum"]) == sorted(classes)
    assert sorted(cause["class"]["enum"]) == sorted(["", *classes])
    for name in ("state", "state_after"):
        assert sorted(task[name]["enum"]) == sorted(one.value for one in State)
    assert sorted(task["action"]["enum"]) == sorted(one.value for one in Action)
    assert sorted(task["outcome"]["enum"]) == sorted(one.value for one in Outcome)
    assert SCHEMA["properties"]["format"]["const"] == _document.FORMAT
    assert SCHEMA["properties"]["version"]["const"] == _document.VERSION
    described = SCHEMA["$defs"]["target"]["properties"]["service"]["description"]
    assert all(name in described for name in SERVICES)
