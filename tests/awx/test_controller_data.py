# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data for a controller: the playbook with the real modules of awx.awx, against a controller that is as strict."""

from __future__ import annotations

import copy
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

import running
from awx.places import awx_collections, collections, installed, once
from local_controller import rules
from local_controller.testing import LocalController
from local_controller.world import Refused, World

# The settings that the guide shows.
GUIDE = installed() / "docs" / "docsite" / "rst" / "guide_awx.rst"
SETTINGS: dict[str, Any] = yaml.safe_load(
    textwrap.dedent(GUIDE.read_text().split("\n\n    # my_controller.yml\n")[1].split("\n\n")[0])
)
TEMPLATES = ("plan", "apply", "remediate", "nightly")


def applied(controller: LocalController, home: Path, *options: str) -> dict[str, Any]:
    """One run of redrive.tasks.controller: how many tasks changed something, what was sent, and the output."""
    before = len(controller.world.writes)
    command = ["ansible-playbook", "redrive.tasks.controller", "-e", json.dumps(SETTINGS), *options]
    paths = f"{collections()}:{awx_collections()}"
    done = running.run(command, home, {**controller.environment, "ANSIBLE_COLLECTIONS_PATH": paths})
    assert done.returncode == 0, done.stdout + done.stderr
    recap = re.search(r"^localhost .*changed=(\d+)", done.stdout, re.MULTILINE)
    assert recap, done.stdout
    sent = [tuple(one) for one in controller.world.writes[before:]]
    return {"changed": int(recap.group(1)), "sent": sent, "output": done.stdout + done.stderr}


def _run_thrice(home: Path) -> tuple[dict[str, dict[str, Any]], World]:
    with LocalController(installed()) as controller:
        runs = {"check": applied(controller, home, "--check")}
        runs.update({name: applied(controller, home) for name in ("first", "second")})
        return runs, controller.world


@pytest.fixture(scope="module")
def made(shared: Path) -> tuple[dict[str, dict[str, Any]], World]:
    return once(shared, "controller", _run_thrice)


@pytest.fixture
def runs(made: tuple[dict[str, dict[str, Any]], World]) -> dict[str, dict[str, Any]]:
    """Check mode, the run, and a second run, over one empty controller."""
    return made[0]


@pytest.fixture
def world(made: tuple[dict[str, dict[str, Any]], World]) -> World:
    """What was made of an empty controller."""
    return copy.deepcopy(made[1])


def test_check_mode_says_what_would_be_made_and_makes_nothing(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["check"]["sent"] == []
    assert runs["check"]["changed"] == runs["first"]["changed"] > 0


def test_a_second_run_changes_nothing(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["first"]["sent"]
    assert runs["second"]["changed"] == 0
    assert runs["second"]["sent"] == []
    assert "WARNING" not in runs["second"]["output"].replace("[WARNING]: No inventory was parsed", "")


def test_every_template_gets_the_project_the_inventory_and_the_environment(world: World) -> None:
    environment = world.named("execution_environments", "Redrive")
    assert environment["image"] == SETTINGS["controller_environment_image"]
    templates = list(world.items["job_templates"].values())
    assert [one["name"].split() for one in templates] == [["Redrive", name] for name in TEMPLATES]
    for one in templates:
        assert one["project"] == world.named("projects", "Redrive")["id"]
        assert one["inventory"] == world.named("inventories", "Redrive targets")["id"]
        assert one["execution_environment"] == environment["id"]
        assert one["survey_enabled"]
        assert not one["allow_simultaneous"]
        assert one["ask_job_type_on_launch"] is (one["name"] != "Redrive plan")


def test_targets_become_hosts_of_the_group_that_the_playbooks_work_on(world: World) -> None:
    hosts = {one["name"]: json.loads(one["variables"]) for one in world.items["hosts"].values()}
    assert hosts == {one["name"]: {"redrive_target": one} for one in SETTINGS["controller_targets"]}
    group = world.named("groups", "redrive_targets")
    assert {one["name"] for one in world.linked("groups", group["id"], "hosts")} == set(hosts)


def test_the_workflow_waits_for_an_approval_between_the_plan_and_what_applies_it(world: World) -> None:
    nodes = {one["identifier"]: one for one in world.items["workflow_job_template_nodes"].values()}
    following = {
        name: [one["identifier"] for one in world.linked("workflow_job_template_nodes", node["id"], "success_nodes")]
        for name, node in nodes.items()
    }
    assert following == {"plan": ["approve"], "approve": ["apply"], "apply": []}
    assert nodes["plan"]["unified_job_template"] == world.named("job_templates", "Redrive plan")["id"]
    assert nodes["apply"]["unified_job_template"] == world.named("job_templates", "Redrive apply")["id"]
    approval = world.named("workflow_approval_templates", "Redrive approve the plan")
    assert nodes["approve"]["unified_job_template"] == approval["id"]
    assert approval["timeout"] == 43200


def test_the_plan_that_the_workflow_hands_on_is_whole(world: World) -> None:
    """Slices would each hand on their own, and the last one would win."""
    for name in ("Redrive plan", "Redrive apply"):
        template = world.named("job_templates", name)
        assert (template["job_slice_count"], template["ask_job_slice_count_on_launch"]) == (1, False)


def test_no_answer_and_no_default_takes_the_place_of_the_plan_that_is_handed_on(world: World) -> None:
    """An extra variable, even an empty one, would come before what apply.yml reads of the job before."""
    survey = world.surveys[world.named("workflow_job_templates", "Redrive plan, approve, apply")["id"]]
    assert not {"plan_approved", "plan_approved_digest"} & {one["variable"] for one in survey["spec"]}
    apply = world.named("job_templates", "Redrive apply")
    assert not {"plan_approved", "plan_approved_digest"} & set(rules.variables(apply["extra_vars"]))
    for question in world.surveys[apply["id"]]["spec"]:
        if question["variable"].startswith("plan_approved"):
            assert "default" not in question
            assert not question["required"]


def test_what_a_template_requires_the_workflow_asks_for(world: World) -> None:
    survey = world.surveys[world.named("workflow_job_templates", "Redrive plan, approve, apply")["id"]]
    required = {one["variable"] for one in survey["spec"] if one["required"]}
    for name in ("Redrive plan", "Redrive apply"):
        asked = world.surveys[world.named("job_templates", name)["id"]]["spec"]
        assert {one["variable"] for one in asked if one["required"]} <= required


def test_the_nightly_run_begins_at_night_and_says_why(world: World) -> None:
    schedule = world.named("schedules", "Redrive every night")
    assert schedule["rrule"] == "DTSTART;TZID=Europe/Berlin:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1"
    assert schedule["unified_job_template"] == world.named("job_templates", "Redrive nightly")["id"]
    assert schedule["extra_data"] == {"report_reason": "Nightly run"}


def test_templates_in_extra_variables_reach_the_controller_as_they_are(world: World) -> None:
    plan = rules.variables(world.named("job_templates", "Redrive plan")["extra_vars"])
    assert plan["redrive_folder"] == "/var/lib/redrive"
    known = {"redrive_folder": "/reports", "awx_job_id": 42}
    assert rules.rendered(plan["report_json"], known) == "/reports/plan-42.json"
    assert rules.rendered(plan["report_json"], {**known, "redrive_folder": ""}) == ""


# ---- what the data means to the roles


def role_options() -> dict[str, dict[str, Any]]:
    """By name, what the roles' argument specs say of each variable."""
    specs = [
        yaml.safe_load((installed() / "roles" / role / "meta" / "argument_specs.yml").read_text())
        for role in ("plan", "remediate", "report")
    ]
    return {name: one for spec in specs for name, one in spec["argument_specs"]["main"]["options"].items()}


# By type of a question, the types of a variable that take its answers, an empty one included where it can be empty.
FITTING = {
    "text": {"str", "raw", "path", "list"},
    "integer": {"raw"},
    "float": {"raw"},
    "multiselect": {"list"},
    "multiplechoice": {"bool", "raw"},
}


def test_every_question_asks_for_a_variable_of_a_role_with_a_type_that_takes_the_answer(world: World) -> None:
    options = role_options()
    asked = [question for survey in world.surveys.values() for question in survey["spec"]]
    assert len(asked) > 20
    for question in asked:
        option = options[question["variable"]]
        assert option["type"] in FITTING[question["type"]], question
        if question["type"] == "multiplechoice":
            assert question["choices"] == ["false", "true"]
        if option["type"] == "list":
            assert option["elements"] == "str"


def test_every_extra_variable_is_one_of_a_role(world: World) -> None:
    for template in world.items["job_templates"].values():
        assert set(rules.variables(template["extra_vars"])) - {"redrive_folder"} <= set(role_options())


@pytest.mark.parametrize(
    ("service", "secrets"),
    [
        ("Alibaba Cloud SLS", {"access_key_secret", "security_token"}),
        ("Tencent Cloud CLS", {"secret_key", "token"}),
        ("Open Telekom Cloud and Huawei Cloud DRS", {"password", "secret_key", "security_token"}),
        ("GeeLark", {"api_token", "api_key"}),
    ],
)
def test_what_is_secret_is_marked_so_in_every_credential_type(service: str, secrets: set[str], world: World) -> None:
    fields = world.named("credential_types", f"Redrive {service}")["inputs"]["fields"]
    assert {one["id"] for one in fields if one.get("secret")} == secrets


# ---- that the controller of these tests refuses what AWX refuses


@pytest.fixture
def small() -> World:
    """A controller with one template and no more, made without a playbook."""
    made = World(installed())
    organization = made.create("organizations", {"name": "Default"})["id"]
    project = made.create("projects", {"name": "project", "organization": organization})["id"]
    inventory = made.create("inventories", {"name": "inventory", "organization": organization})["id"]
    content = {"name": "template", "project": project, "inventory": inventory, "playbook": "playbooks/plan.yml"}
    template = made.create("job_templates", {**content, "survey_enabled": True})["id"]
    question = {"question_name": "Why", "variable": "report_reason", "type": "text", "required": True, "min": 3}
    made.ask("job_templates", template, {"name": "x", "description": "", "spec": [question]})
    return made


def test_a_misspelt_field_is_refused(small: World) -> None:
    with pytest.raises(Refused, match="no such field"):
        small.create("organizations", {"name": "one", "discription": "x"})


@pytest.mark.parametrize(
    ("field", "injector", "complaint"),
    [
        ({"id": "a b", "label": "x"}, {}, "invalid variable name"),
        ({"id": "a"}, {}, "'label' is a required property"),
        ({"id": "a", "label": "x", "type": "boolean", "secret": True}, {}, "secret not allowed for boolean"),
        ({"id": "a", "label": "x", "hidden": True}, {}, "'hidden' is not a property"),
        ({"id": "a", "label": "x"}, {"ANSIBLE_TIMEOUT": "{{ a }}"}, "may affect Ansible configuration"),
        ({"id": "a", "label": "x"}, {"PYTHONPATH": "{{ a }}"}, "is not allowed to be used"),
        ({"id": "a", "label": "x"}, {"TOKEN": "{{ b }}"}, "undefined field"),
        ({"id": "a", "label": "x"}, {"1TOKEN": "{{ a }}"}, "does not match any of the regexes"),
    ],
)
def test_a_wrong_credential_type_is_refused(
    field: dict[str, Any], injector: dict[str, str], complaint: str, small: World
) -> None:
    content = {"name": "wrong", "kind": "cloud", "inputs": {"fields": [field]}, "injectors": {"env": injector}}
    with pytest.raises(Refused, match=complaint):
        small.create("credential_types", content)


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ({"type": "number"}, "not an allowed question type"),
        ({"required": "no"}, "'required' is missing or of a wrong type"),
        ({"type": "integer", "default": "3"}, "of a wrong type"),
        ({"min": "1"}, "The min '1' is of a wrong type"),
        ({"type": "multiplechoice"}, "must specify choices"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "answered from the choices"),
        ({"variable": "not a name"}, "no name of a variable"),
        ({"variable": "other"}, "duplicated"),
    ],
)
def test_a_wrong_survey_is_refused(question: dict[str, Any], complaint: str, small: World) -> None:
    usual = {"question_name": "x", "variable": "mine", "type": "text", "required": False}
    spec = [{**usual, "variable": "other"}, {**usual, **question}]
    template = small.named("job_templates", "template")["id"]
    with pytest.raises(Refused, match=complaint):
        small.ask("job_templates", template, {"name": "x", "description": "", "spec": spec})


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("RRULE:FREQ=DAILY;INTERVAL=1", "Valid DTSTART required"),
        ("DTSTART:20260101T020000Z", "One or more rule required"),
        ("DTSTART:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1", "A valid TZID"),
        ("DTSTART;TZID=Europe/Nowhere:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1", "A valid TZID"),
        ("DTSTART:20260101T020000Z RRULE:FREQ=DAILY", "INTERVAL required"),
        ("DTSTART:20260101T020000Z RRULE:FREQ=SECONDLY;INTERVAL=1", "failed validation"),
    ],
)
def test_a_wrong_recurrence_rule_is_refused(rule: str, complaint: str, small: World) -> None:
    template = small.named("job_templates", "template")["id"]
    content = {"name": "x", "rrule": rule, "unified_job_template": template, "extra_data": {"report_reason": "test"}}
    with pytest.raises(Refused, match=complaint):
        small.create("schedules", content)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"extra_data": {}}, "'report_reason' value missing"),
        ({"extra_data": {"report_reason": "test", "verbosity": 1}}, "Variables verbosity are not allowed"),
        ({"extra_data": {"report_reason": ""}}, "too small"),
        ({"diff_mode": True}, "not configured to prompt"),
    ],
)
def test_a_schedule_may_only_say_what_its_template_asks(more: dict[str, Any], complaint: str, small: World) -> None:
    template = small.named("job_templates", "template")["id"]
    usual = {
        "name": "x",
        "rrule": "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1",
        "unified_job_template": template,
        "extra_data": {"report_reason": "test"},
    }
    with pytest.raises(Refused, match=complaint):
        small.create("schedules", {**usual, **more})


def test_a_playbook_that_the_project_does_not_have_is_refused(small: World) -> None:
    template = small.named("job_templates", "template")["id"]
    with pytest.raises(Refused, match="Playbook not found"):
        small.change("job_templates", template, {"playbook": "redrive.tasks.plan"})
