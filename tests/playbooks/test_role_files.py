# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two files of the role say of the same thing is the same."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.services import SERVICES, Service

ROLE = Path(__file__).parents[2] / "roles" / "remediate"


def load(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text())


@cache
def documented(module: str) -> dict[str, Any]:
    """The options of a module, as Ansible shows them."""
    command = ["ansible-doc", "--json", f"redrive.tasks.{module}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    options: dict[str, Any] = json.loads(shown.stdout)[f"redrive.tasks.{module}"]["doc"]["options"]
    return options


def test_argument_specs_name_the_defaults() -> None:
    options = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: option.get("default") for name, option in options.items()} == load("defaults/main.yml")


def test_every_variable_is_in_the_readme() -> None:
    readme = (ROLE / "README.md").read_text()
    assert [name for name in load("defaults/main.yml") if f"`{name}`" not in readme] == []


def test_every_service_has_its_tasks() -> None:
    services = set(load("vars/main.yml")["__remediate_services"])
    assert services == {service.name for service in SERVICES}
    for kind in ("find", "retry"):
        assert {file.stem.partition("_")[2] for file in (ROLE / "tasks").glob(f"{kind}_*.yml")} == services


def test_the_data_of_a_service_names_its_modules_options() -> None:
    for service in SERVICES:
        data = load("vars/main.yml")["__remediate_services"][service.name]
        options = documented(service.act)
        assert set(data) == {"place", "ids", "narrow", "told"}
        assert {*data["place"], data["ids"][0], *data["narrow"]} <= set(options), service
        assert data["ids"] == [service.id_option, *options[service.id_option]["aliases"]]
        assert set(data["told"]) <= service.scope


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_the_tasks_of_the_services_differ_in_the_module_and_what_it_requires(service: Service) -> None:
    for kind, module, fixed in (
        ("find", service.info, {"states": ["failed"]}),
        ("retry", service.act, {"all_failed": "{{ not __remediate_by_id }}", "fail_on": []}),
    ):
        required = [name for name, option in documented(module).items() if option.get("required")]
        (task,) = load(f"tasks/{kind}_{service.name}.yml")
        name = f"redrive.tasks.{module}"
        assert {key: value for key, value in task.items() if key != "name"} == {
            name: {**{one: f"{{{{ __remediate_target['{one}'] | default(omit) }}}}" for one in required}, **fixed},
            "module_defaults": {name: f"{{{{ __remediate_{'find_' * (kind == 'find')}options }}}}"},
            "register": "__remediate_answer",
        }


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_the_options_that_only_retry_modules_know_are_kept_from_the_others(service: Service) -> None:
    kept = set(load("vars/main.yml")["__remediate_retry_only"])
    assert set(documented(service.act)) - set(documented(service.info)) == kept


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_choices_and_defaults_are_those_of_the_module(service: Service) -> None:
    module = documented(service.act)
    options = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    for name in ("retry_classes", "fail_on", "wait_timeout"):
        own = options[f"remediate_{name}"]
        assert (own.get("choices"), own["default"]) == (module[name].get("choices"), module[name]["default"]), name
    rule = module["rules"]["suboptions"]
    assert set(options["remediate_rules"]["options"]) == set(rule)
    assert options["remediate_rules"]["options"]["class"]["choices"] == rule["class"]["choices"]
