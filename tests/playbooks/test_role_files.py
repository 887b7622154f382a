# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two files of the role say of the same thing is the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROLE = Path(__file__).parents[2] / "roles" / "remediate"


def load(name: str) -> Any:
    return yaml.safe_load((ROLE / name).read_text())


def test_argument_specs_name_the_defaults() -> None:
    options = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: option.get("default") for name, option in options.items()} == load("defaults/main.yml")


def test_every_variable_is_in_the_readme() -> None:
    readme = (ROLE / "README.md").read_text()
    assert [name for name in load("defaults/main.yml") if f"`{name}`" not in readme] == []


def test_every_service_has_its_tasks() -> None:
    services = set(load("vars/main.yml")["__remediate_services"])
    for kind in ("find", "retry"):
        assert {file.stem.partition("_")[2] for file in (ROLE / "tasks").glob(f"{kind}_*.yml")} == services


def test_choices_and_defaults_are_those_of_the_module() -> None:
    shown = subprocess.run(
        ["ansible-doc", "--json", "redrive.tasks.sls_shipper_task_retry"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    module = json.loads(shown.stdout)["redrive.tasks.sls_shipper_task_retry"]["doc"]["options"]
    options = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    for name in ("retry_classes", "fail_on", "wait_timeout"):
        own = options[f"remediate_{name}"]
        assert (own.get("choices"), own["default"]) == (module[name].get("choices"), module[name]["default"]), name
    rule = module["rules"]["suboptions"]
    assert set(options["remediate_rules"]["options"]) == set(rule)
    assert options["remediate_rules"]["options"]["class"]["choices"] == rule["class"]["choices"]
