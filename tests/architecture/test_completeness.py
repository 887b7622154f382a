# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service is whole, and the services are alike: one concept has one name and one shape in all of them.

What a service is comes from plugins/module_utils/_services. A new file there makes these tests fail until every piece
of the new service is in its place.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import update_return_docs
from ansible_collections.redrive.tasks.plugins.module_utils._argspec import how_spec, info_spec, retry_spec, what_spec
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES as ROLE_SERVICES
from local_cloud.server import Cloud
from modules import services as bench

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
SERVICES = sorted(path.stem for path in (UTILS / "_services").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# Documented halves of action plugins, which work for every service.
FOR_ALL = {"target_info", "target_retry", "remediation_plan", "remediation_gate", "remediation_report"}
# What each service documents for itself, although all of them have it: what it means differs.
OWN_MEANING = {"endpoint", "region"}


# -- reading -----------------------------------------------------------------------------------------------------------


@cache
def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def text(path: str) -> str:
    """The text of a file, empty when there is none."""
    file = ROOT / path
    return file.read_text() if file.exists() else ""


@cache
def constant(path: Path, name: str) -> Any:
    """A constant of a Python file that holds YAML, parsed; in a class or outside."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return yaml.safe_load(ast.literal_eval(node.value))
    raise LookupError(f"{path.name} has no {name}")


def modules_of(service: str) -> list[str]:
    """Its module that looks, and its module that acts."""
    return sorted((path.stem for path in (PLUGINS / "modules").glob(f"{service}_*.py")), key=looks, reverse=True)


def looks(module: str) -> bool:
    return module.endswith("_info")


def source(module: str) -> Path:
    return PLUGINS / "modules" / f"{module}.py"


def front_of(service: str) -> Front:
    module = importlib.import_module(f"ansible_collections.redrive.tasks.plugins.module_utils._fronts.{service}")
    (front,) = (one for one in vars(module).values() if isinstance(one, Front))
    return front


# -- the pieces: each says whether a service has it --------------------------------------------------------------------


def two_modules(service: str) -> bool:
    return [looks(module) for module in modules_of(service)] == [True, False]


def code(service: str) -> bool:
    folders = ("_credentials", "_fronts", "_rules", "_services", "_signing")
    return all((UTILS / folder / f"{service}.py").exists() for folder in folders)


def fragments(service: str) -> bool:
    """Both modules take their documentation from the service's fragment and from those that all share, in one order."""
    return two_modules(service) and all(
        constant(source(module), "DOCUMENTATION")["extends_documentation_fragment"]
        == [
            f"redrive.tasks._{service}",
            "redrive.tasks._what",
            f"redrive.tasks._{kind}",
            "redrive.tasks._how",
            "redrive.tasks._attributes",
            f"redrive.tasks._attributes.{kind}",
            f"redrive.tasks._attributes.actiongroup_{service}",
        ]
        for module, kind in zip(modules_of(service), ("info", "retry"))
    )


def guide(service: str) -> bool:
    label = f".. _ansible_collections.redrive.tasks.docsite.guide_{service}:"
    listed = [page for section in load("docs/docsite/extra-docs.yml")["sections"] for page in section["toctree"]]
    return label in text(f"docs/docsite/rst/guide_{service}.rst") and f"guide_{service}" in listed


def action_group(service: str) -> bool:
    groups = load("meta/runtime.yml")["action_groups"]
    own = sorted(modules_of(service))
    return bool(own) and sorted(groups.get(service, [])) == own and set(own) <= set(groups["all"])


def attribute_of_the_group(service: str) -> bool:
    try:
        fragment = constant(PLUGINS / "doc_fragments" / "_attributes.py", f"ACTIONGROUP_{service.upper()}")
    except LookupError:
        return False
    membership: list[str] = fragment["attributes"]["action_group"]["membership"]
    return membership == ["redrive.tasks.all", f"redrive.tasks.{service}"]


def examples(service: str) -> bool:
    """Each module has two at least that use it."""
    return two_modules(service) and all(
        sum(f"redrive.tasks.{module}" in task for task in constant(source(module), "EXAMPLES")) >= 2
        for module in modules_of(service)
    )


def return_values(service: str) -> bool:
    known = [(one.info, one.retry) for one in update_return_docs.SERVICES]
    return two_modules(service) and tuple(modules_of(service)) in known


def roles(service: str) -> bool:
    """They call both modules for it, tell users its options, and are found by its name."""
    known = service in ROLE_SERVICES and (ROLE_SERVICES[service].info, ROLE_SERVICES[service].retry)
    modules = tuple(f"redrive.tasks.{module}" for module in modules_of(service))
    tags = [load(f"roles/{name}/meta/main.yml")["galaxy_info"]["galaxy_tags"] for name in ROLES]
    return (
        known == modules and all(service in one for one in tags) and f"| `{service}` |" in text("roles/plan/README.md")
    )


def playbook(service: str) -> bool:
    """One for its targets alone."""
    return bool(text(f"playbooks/remediate_{service}.yml")) and (
        load(f"playbooks/remediate_{service}.yml")[0]["vars"]["plan_services"] == [service]
    )


def simulator(service: str) -> bool:
    return service in Cloud().world.services


def scenario(service: str) -> bool:
    path = f"tests/local_cloud/scenarios/{service}_small.yml"
    return bool(text(path)) and service in load(path)


def module_tests(service: str) -> bool:
    """An entry in tests/modules/services.py puts both modules under the tests that all services share."""
    return two_modules(service) and (service, *modules_of(service)) in [
        (one.name, one.info, one.act) for one in bench.SERVICES
    ]


def unit_tests(service: str) -> bool:
    kinds = ("credentials", "rules", "service", "signing")
    return all(text(f"tests/unit/test_{kind}_{service}.py") for kind in kinds)


def contract_tests(service: str) -> bool:
    """The local cloud against the vendor's words, and the client against what the vendor's own tools send."""
    of_the_cloud = all(text(f"tests/contract/test_{service}_{kind}.py") for kind in ("signatures", "tasks"))
    files = (ROOT / "tests" / "contract").glob("*.py")
    return of_the_cloud and any(f"module_utils._services.{service} import" in file.read_text() for file in files)


def documented_world(service: str) -> bool:
    return service in load("tests/documentation/world.yml")


def demo(service: str) -> bool:
    targets = load("tests/demo/targets.yml")["redrive_targets"]
    return service in load("tests/demo/incident.yml") and service in [target["service"] for target in targets]


def molecule(service: str) -> bool:
    hosts = load("extensions/molecule/config.yml")["provisioner"]["inventory"]["host_vars"]
    return service in [host["redrive_target"]["service"] for host in hosts.values()]


def front_page(service: str) -> bool:
    """README names the modules and the guide, and the package is found by the service's name."""
    readme = text("README.md")
    named = [f"`{module}`" in readme for module in modules_of(service)]
    return bool(named) and all(named) and f"guide_{service}.rst" in readme and service in load("galaxy.yml")["tags"]


PIECES: tuple[Callable[[str], bool], ...] = (
    two_modules,
    code,
    fragments,
    guide,
    action_group,
    attribute_of_the_group,
    examples,
    return_values,
    roles,
    playbook,
    simulator,
    scenario,
    module_tests,
    unit_tests,
    contract_tests,
    documented_world,
    demo,
    molecule,
    front_page,
)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.__name__)
def test_a_service_has_every_piece(piece: Callable[[str], bool], service: str) -> None:
    assert piece(service), piece.__doc__


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.__name__)
def test_a_service_that_nobody_has_written_lacks_every_piece(piece: Callable[[str], bool]) -> None:
    """Else a piece could be forgotten unnoticed."""
    assert not piece("fifth")


def test_nothing_belongs_to_a_service_that_there_is_not() -> None:
    folders = ("_credentials", "_fronts", "_rules", "_signing")
    files = {path.stem for folder in folders for path in (UTILS / folder).glob("*.py")}
    names = {path.stem for path in (PLUGINS / "modules").glob("*.py")}
    modules = {name.partition("_")[0] for name in names - FOR_ALL}
    groups = set(load("meta/runtime.yml")["action_groups"]) - {"all"}
    assert files | modules | groups | {one.name for one in bench.SERVICES} == set(SERVICES)
    assert names >= FOR_ALL
    assert set(ROLE_SERVICES) == set(SERVICES)


# -- the services are alike --------------------------------------------------------------------------------------------


def shared_spec() -> dict[str, dict[str, Any]]:
    return {**what_spec(), **info_spec(), **retry_spec(), **how_spec()}


def own_specs() -> dict[str, dict[str, dict[str, Any]]]:
    return {service: front_of(service).argument_spec() for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_takes_the_shared_options_as_they_are(service: str) -> None:
    assert set(own_specs()[service]) & set(shared_spec()) == set()


def test_an_option_of_two_services_is_the_same_in_both() -> None:
    first: dict[str, dict[str, Any]] = {}
    for service, spec in own_specs().items():
        for name, option in spec.items():
            assert option == first.setdefault(name, option), f"{name} of {service}"


@pytest.mark.parametrize("service", SERVICES)
def test_tasks_are_named_by_a_list_that_is_called_ids_in_every_service(service: str) -> None:
    front = front_of(service)
    option = front.argument_spec()[front.facts.id_option]
    assert option == {"type": "list", "elements": "str", "aliases": ["ids"]}


@pytest.mark.parametrize("service", SERVICES)
def test_no_other_option_has_an_alias_and_every_secret_is_one(service: str) -> None:
    front = front_of(service)
    spec = front.argument_spec()
    assert [name for name, option in spec.items() if "aliases" in option] == [front.facts.id_option]
    secrets = {name for name in spec if name.endswith(("secret", "password", "token", "secret_key", "api_key"))}
    assert {name for name, option in spec.items() if option.get("no_log")} == secrets


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_person_stopped_is_asked_for_alike(service: str) -> None:
    front = front_of(service)
    asks = [name for name in front.argument_spec() if name.startswith("include_")]
    if front.facts.stoppable is None:
        assert asks == []
        return
    option, state = front.facts.stoppable
    assert asks == [option] == [f"include_{state.value}"]
    assert front.argument_spec()[option] == {"type": "bool", "default": False}


@pytest.mark.parametrize("service", SERVICES)
def test_a_fragment_documents_what_only_its_service_has(service: str) -> None:
    documented = constant(PLUGINS / "doc_fragments" / f"_{service}.py", "DOCUMENTATION")["options"]
    assert set(documented) == set(own_specs()[service]) | OWN_MEANING
    for module in modules_of(service):
        assert "options" not in constant(source(module), "DOCUMENTATION")


@pytest.mark.parametrize("service", SERVICES)
def test_an_option_is_documented_as_it_is(service: str) -> None:
    documented = constant(PLUGINS / "doc_fragments" / f"_{service}.py", "DOCUMENTATION")["options"]
    for name, option in own_specs()[service].items():
        told = {key: documented[name].get(key) for key in ("type", "elements", "choices", "default", "required")}
        assert told == {key: option.get(key) for key in told}, name
        assert documented[name].get("aliases") == option.get("aliases"), name


def shape(returned: dict[str, Any]) -> dict[str, Any]:
    """What is returned, without the words and samples that differ by service."""
    return {
        name: {
            "type": one["type"],
            "returned": one["returned"],
            "elements": one.get("elements"),
            "contains": shape(one.get("contains", {})),
        }
        for name, one in returned.items()
    }


@pytest.mark.parametrize("kind", [0, 1], ids=["info", "retry"])
def test_modules_of_one_kind_return_the_same(kind: int) -> None:
    first, *others = (shape(constant(source(modules_of(service)[kind]), "RETURN")) for service in SERVICES)
    assert others == [first] * (len(SERVICES) - 1)


def test_what_a_retry_module_returns_holds_what_an_info_module_does() -> None:
    info, retry = (constant(source(module), "RETURN") for module in modules_of(SERVICES[0]))
    assert set(retry) - set(info) == {"problems", "diff"}
    assert set(info) <= set(retry)
    tasks = [set(one["tasks"]["contains"]) for one in (info, retry)]
    assert tasks[1] - tasks[0] == {"state_after", "recovered", "failure_after", "error"}


@pytest.mark.parametrize("tested", bench.SERVICES, ids=str)
def test_what_the_tests_take_for_facts_is_so(tested: bench.Service) -> None:
    facts = front_of(tested.name).facts
    assert tested.id_option == facts.id_option
    assert tested.batch == facts.batch_size
    assert tested.expected == facts.retried_state.value
    assert tested.horizon == (timedelta(seconds=facts.horizon) if facts.horizon else None)
    assert tested.stop == (facts.stoppable and (facts.stoppable[0], facts.stoppable[1].value))
