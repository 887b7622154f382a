# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides say of the code is so."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import how_spec, info_spec, retry_spec, what_spec
from ansible_collections.redrive.tasks.plugins.module_utils._task import FailureClass

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "docsite" / "rst"
RULES = "ansible_collections.redrive.tasks.plugins.module_utils._rules"
SERVICES = sorted(path.stem for path in (ROOT / "plugins" / "module_utils" / "_services").glob("*.py"))


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("guide_*.rst")), ids=lambda guide: guide.stem)
def test_a_table_of_built_in_rules_is_complete_and_in_order(guide: Path) -> None:
    rows = re.findall(r"\* - ``((\w+)\.\w+)``\n +- .*\n +- ``(\w+)``", guide.read_text())
    for service in {service for _ignored, service, _class in rows}:
        rules = importlib.import_module(f"{RULES}.{service}").RULES
        assert [(name, kind) for name, where, kind in rows if where == service] == [
            (rule.name, rule.failure_class.value) for rule in rules
        ]


@pytest.mark.parametrize("service", SERVICES)
def test_the_built_in_rules_of_a_service_stand_in_one_guide(service: str) -> None:
    tables = [guide.name for guide in GUIDES.glob("guide_*.rst") if f"* - ``{service}." in guide.read_text()]
    assert len(tables) == 1


def test_every_class_is_explained() -> None:
    text = (GUIDES / "guide_failure_classes.rst").read_text()
    assert re.findall(r"^   \* - ``(\w+)``\n     - .*\n     - (?:Retried|Left)", text, re.MULTILINE) == [
        member.value for member in FailureClass
    ]


def test_the_tested_versions_are_those_of_the_requirements() -> None:
    """README names each ansible-core that `make test` runs on one of the Pythons, and no other."""
    readme = (ROOT / "README.md").read_text()
    named = re.search(r"Tested with ansible-core ([0-9., and]+), on Python", readme)
    assert named
    pinned = {
        ".".join(version.split(".")[:2])
        for path in (ROOT / "requirements").glob("*.txt")
        for version in re.findall(r"^ansible-core==([0-9.]+)", path.read_text(), re.MULTILINE)
    }
    assert set(re.findall(r"2\.\d+", named.group(1))) == pinned


def test_the_oldest_ansible_core_is_the_same_everywhere() -> None:
    requires = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert requires == ">=2.16.0"
    assert "- ansible-core 2.16 or newer" in (ROOT / "README.md").read_text()
    assert re.search(r"^ansible-core==2\.16\.", (ROOT / "requirements" / "floor.txt").read_text(), re.MULTILINE)


def test_documentation_fragments_hold_what_the_argument_specs_hold() -> None:
    """What sanity cannot see: that an option stands in the fragment that its comment names."""
    for name, spec in (("_what", what_spec()), ("_info", info_spec()), ("_retry", retry_spec()), ("_how", how_spec())):
        source = (ROOT / "plugins" / "doc_fragments" / f"{name}.py").read_text()
        documented = yaml.safe_load(re.findall(r'DOCUMENTATION = r"""\n(.*?)"""', source, re.DOTALL)[0])["options"]
        # What endpoint and region mean differs by service, so each service documents them.
        assert set(documented) == set(spec) - {"endpoint", "region"}


def test_every_module_of_a_service_is_in_its_action_groups() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    modules = {name for name in modules if name.partition("_")[0] in SERVICES}
    assert set(groups["all"]) == modules
    assert {name for group, names in groups.items() if group != "all" for name in names} == modules
