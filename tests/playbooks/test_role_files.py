# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two files say of the same thing is the same: roles, modules, and what the roles know of the services."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.redrive.tasks.plugins.module_utils._result import FAIL_ON as MODULES_FAIL_ON
from ansible_collections.redrive.tasks.plugins.module_utils._task import State
from ansible_collections.redrive.tasks.plugins.plugin_utils import _services, _targets
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import FAIL_ON
from modules.services import SERVICES, Service

COLLECTION = Path(__file__).parents[2]
ROLES = sorted((COLLECTION / "roles").iterdir())
# What the roles add to what makes a module fail.
OF_GUARD_RAILS = ["held"]
NEVER_BY_DEFAULT = ["left"]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@cache
def documented() -> dict[str, dict[str, Any]]:
    """The options of every module of the services, as Ansible shows them."""
    names = [f"redrive.tasks.{name}" for service in SERVICES for name in (service.info, service.act)]
    shown = subprocess.run(
        ["ansible-doc", "--json", *names], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return {name.rpartition(".")[2]: one["doc"]["options"] for name, one in json.loads(shown).items()}


def spec(role: str, entry: str = "main") -> dict[str, Any]:
    """The options of a role."""
    path = COLLECTION / "roles" / role / "meta" / "argument_specs.yml"
    options: dict[str, Any] = load(path)["argument_specs"][entry]["options"]
    return options


def of_tasks(role: str) -> Iterator[str]:
    """Every text in the tasks and variables of a role."""
    for file in sorted((COLLECTION / "roles" / role).glob("*/*.yml")):
        if file.parent.name in ("tasks", "vars"):
            yield file.read_text()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_argument_specs_name_the_defaults(role: Path) -> None:
    defaults = load(role / "defaults" / "main.yml")
    entries = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    for name, entry in entries.items():
        found = {option: content.get("default") for option, content in entry["options"].items()}
        # Ansible would fill in the target, and show it beside a mistake in another variable.
        expected = {option: None if option.endswith("_target") else defaults[option] for option in found}
        assert found == expected, name
        assert name != "main" or set(found) == set(defaults)
    assert set(entries) == {file.stem for file in (role / "tasks").glob("*.yml")}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_is_used_and_named_after_its_role(role: Path) -> None:
    used = " ".join(of_tasks(role.name))
    for name in load(role / "defaults" / "main.yml"):
        assert name.startswith(f"{role.name}_")
        assert re.search(rf"\b{name}\b", used), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_is_in_the_readme(role: Path) -> None:
    readme = (role / "README.md").read_text()
    assert [name for name in load(role / "defaults" / "main.yml") if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_choices_and_defaults_are_those_of_the_module(service: Service) -> None:
    module, plan, remediate = documented()[service.act], spec("plan"), spec("remediate")
    for name, own in (
        ("retry_classes", plan["plan_retry_classes"]),
        ("wait_timeout", remediate["remediate_wait_timeout"]),
    ):
        assert (own.get("choices"), own["default"]) == (module[name].get("choices"), module[name]["default"]), name
    rule = module["rules"]["suboptions"]
    assert set(plan["plan_rules"]["options"]) == set(rule)
    for name, option in plan["plan_rules"]["options"].items():
        assert (option["type"], option.get("choices")) == (rule[name]["type"], rule[name].get("choices")), name
    fail_on = spec("report")["report_fail_on"]
    assert fail_on["choices"] == [*module["fail_on"]["choices"], *OF_GUARD_RAILS, *NEVER_BY_DEFAULT]
    assert fail_on["default"] == [*module["fail_on"]["default"], *OF_GUARD_RAILS]


def test_what_makes_a_play_fail_is_known_to_the_report() -> None:
    assert list(FAIL_ON) == spec("report")["report_fail_on"]["choices"]
    assert list(MODULES_FAIL_ON) == [name for name in FAIL_ON if name not in (*OF_GUARD_RAILS, *NEVER_BY_DEFAULT)]


def test_the_services_are_those_that_have_modules() -> None:
    modules = {file.stem for file in (COLLECTION / "plugins" / "modules").glob("*_*.py")}
    named = {one for service in _services.SERVICES.values() for one in (service.info, service.retry)}
    assert {f"redrive.tasks.{name}" for name in modules if name.partition("_")[0] in _services.SERVICES} == named
    assert set(_services.SERVICES) == {service.name for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_what_is_known_of_a_service_is_true_of_its_modules(service: Service) -> None:
    known = _services.SERVICES[service.name]
    info, act = documented()[service.info], documented()[service.act]
    assert (known.info, known.retry) == (f"redrive.tasks.{service.info}", f"redrive.tasks.{service.act}")
    for options in (info, act):
        assert {*known.place, *known.narrow} <= set(options)
        assert options[known.ids].get("aliases", []) == [name for name in ("ids",) if name != known.ids]
    assert set(known.told) <= service.scope


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_the_options_that_the_roles_tell_apart_are_options_of_the_modules(service: Service) -> None:
    info, act = set(documented()[service.info]), set(documented()[service.act])
    assert set(_targets._RETRY_ONLY) == act - info - set(_targets._SET_BY_ROLES)
    assert set(_targets._SET_BY_ROLES) <= act | info
    assert set(_targets.POLICY) <= act & info
    stops = {service.stop[0]} if service.stop else set()
    assert {name for name in act if name.startswith("include_")} == stops
    assert {name for name in _targets._SELECTING if name not in _targets.POLICY} >= stops
    assert not {"name", "service"} & act


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_all_states_are_all_that_the_module_can_be_asked_for(service: Service) -> None:
    assert sorted(_targets.ALL_STATES) == sorted(documented()[service.info]["states"]["choices"])
    assert {*_targets.ALL_STATES, "missing"} == {state.value for state in State}


def test_the_playbooks_of_single_services_are_there_and_differ_in_the_service_alone() -> None:
    found = {}
    for file in (COLLECTION / "playbooks").glob("remediate_*.yml"):
        name = file.stem.partition("_")[2]
        if name in _services.SERVICES:
            (play,) = load(file)
            found[name] = play.pop("vars")
            assert play == {"name": "Remediate", "ansible.builtin.import_playbook": "remediate.yml"}
    assert found == {name: {"plan_services": [name]} for name in _services.SERVICES}
