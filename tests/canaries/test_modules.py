# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No module shows a secret: each way to hand one over, and each way in which a run can go."""

from __future__ import annotations

import inspect
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from ansible.module_utils.basic import AnsibleModule

from canaries.conftest import Bare, Left
from canaries.echoes import PLACES, echo
from canaries.forms import CLS, DRS, FORMS, GEELARK, KINDS, SLS, Form
from canaries.values import canary
from local_cloud import faults
from local_cloud.testing import LocalCloud

EACH_KIND = pytest.mark.parametrize("form", KINDS, ids=str)
EACH_SERVICE = pytest.mark.parametrize("form", [SLS[0], CLS[0], DRS[0], GEELARK[0]], ids=str)
EACH_DRS = pytest.mark.parametrize("form", [form for form in KINDS if form.service.name == "drs"], ids=str)
# ansible-core 2.18 and older knows no such setting.
_HAS_TRACEBACKS = "exception" in inspect.signature(AnsibleModule.fail_json).parameters
TRACEBACKS = {"tracebacks_for": ["error", "warning", "deprecated"]} if _HAS_TRACEBACKS else {}
# Where nobody listens.
NOWHERE = "127.0.0.1:9"


def module_of(form: Form, *, acts: bool) -> tuple[str, dict[str, Any]]:
    """A module, and its selection."""
    return (form.service.act, {"all_failed": True}) if acts else (form.service.info, {})


def nothing_leaks(left: Left) -> None:
    found = left.leaks
    assert not found, found


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_no_way_to_hand_over_credentials_shows_them(form: Form, bare: Bare, cloud: LocalCloud) -> None:
    bare.prepare(form)
    form.service.add(cloud, count=2, **form.service.transient)
    module, options = module_of(form, acts=True)
    well = bare(form, module, **options)
    assert not well.result.get("failed"), well.texts
    nothing_leaks(well)
    cloud.faults.add(echo(form.service.lists[0], "refused", form.secrets, bare.seen))
    refused = bare(form, form.service.info)
    assert refused.result["failed"]
    assert cloud.requests[-1].fault == "echo"
    nothing_leaks(refused)


@EACH_SERVICE
@pytest.mark.parametrize("place", PLACES)
def test_a_service_that_shows_all_it_knows_gives_nothing_away(
    form: Form, place: str, bare: Bare, cloud: LocalCloud
) -> None:
    bare.prepare(form)
    form.service.add(cloud, count=2, **form.service.transient)
    module, options = module_of(form, acts=True)
    cloud.faults.add(echo(form.service.lists[-1], place, form.secrets, bare.seen))
    nothing_leaks(bare(form, module, internal={"check_mode": True, **TRACEBACKS}, **options))
    cloud.faults.clear()
    cloud.faults.add(echo(form.service.retry, place, form.secrets, bare.seen))
    nothing_leaks(bare(form, module, internal=TRACEBACKS, **options))
    assert {request.operation for request in cloud.requests if request.fault} == {
        form.service.retry,
        form.service.lists[-1],
    }


@EACH_DRS
@pytest.mark.parametrize("place", PLACES)
def test_an_identity_service_that_shows_all_it_knows_gives_nothing_away(
    form: Form, place: str, bare: Bare, cloud: LocalCloud
) -> None:
    bare.prepare(form)
    operation = "CreateToken" if "password" in form.secrets else "ListProjects"
    cloud.faults.add(echo(operation, place, form.secrets, bare.seen))
    nothing_leaks(
        bare(form, form.service.act, internal=TRACEBACKS, all_failed=True, project_id=None, project_name="eu-de")
    )
    assert "echo" in {request.fault for request in cloud.requests}


WRONG: dict[str, dict[str, Any]] = {
    "unknown option": {"bogus": 1},
    "no number": {"timeout": "soon"},
    "out of bounds": {"timeout": 0},
    "no duration": {"since": "yesterday"},
    "no class": {"retry_classes": ["hopeless"]},
    "no expression": {"message_regex": "("},
    "no certificates": {"ca_path": "/dev/null"},
    "no selection": {"all_failed": None},
    "no endpoint": {"endpoint": "https://a b"},
    "plain text": {"endpoint": "http://example.com"},
}


@EACH_SERVICE
def test_a_wrong_option_shows_no_secret_next_to_it(form: Form, bare: Bare) -> None:
    for wrong in WRONG.values():
        left = bare(form, form.service.act, internal=TRACEBACKS, **{"all_failed": True, **wrong})
        assert left.result["failed"]
        nothing_leaks(left)


@EACH_SERVICE
def test_a_misspelt_option_does_not_show_its_value(form: Form, bare: Bare) -> None:
    secret = canary("misspelt")
    for value in (secret, {"key": [secret]}, [secret]):
        left = bare(form, form.service.act, secrets={"misspelt": secret}, all_failed=True, acess_key_secret=value)
        assert "acess_key_secret" in left.result["msg"]
        nothing_leaks(left)


@EACH_SERVICE
@pytest.mark.parametrize("more", [{}, {"bogus": 1}], ids=["alone", "next to an unknown option"])
def test_a_password_in_an_address_is_not_shown(form: Form, more: dict[str, Any], bare: Bare) -> None:
    password, user = canary("endpoint"), canary("user")
    options = ["endpoint", "auth_url"] if form.service.name == "drs" else ["endpoint"]
    for option, shown in product(options, (password, password.replace("/", ":"), "p:" + password)):
        address: dict[str, Any] = {option: f"https://user:{shown}@127.0.0.1:9/"}
        left = bare(form, form.service.act, secrets={"endpoint": password}, all_failed=True, **address, **more)
        assert left.result["failed"]
        nothing_leaks(left)
    address = {options[0]: f"https://{user}@127.0.0.1"}
    token = bare(form, form.service.act, secrets={"user": user}, **address, **more)
    assert token.result["failed"]
    nothing_leaks(token)


@EACH_DRS
def test_a_password_in_the_address_of_a_variable_is_not_shown(form: Form, bare: Bare) -> None:
    secret = canary("variable")
    environ = {"OS_AUTH_URL": f"https://user:{secret}@127.0.0.1:9/v3"}
    left = bare(form, form.service.info, secrets={"variable": secret}, environ=environ, auth_url=None, project_id=None)
    assert left.result["failed"]
    nothing_leaks(left)


@pytest.mark.parametrize("form", [SLS[0], DRS[0]], ids=str)
@pytest.mark.parametrize(
    "proxy",
    ["http://u:{}@127.0.0.1:9", "socks5://u:{}@127.0.0.1:9", "u:{}@127.0.0.1:9", "http://u:{}@:x", "bogus://u:{}@h"],
)
def test_a_password_of_a_proxy_is_not_shown(form: Form, proxy: str, bare: Bare) -> None:
    secret = canary("proxy")
    elsewhere: dict[str, Any] = {"endpoint": "https://log.example.com", "auth_url": "https://iam.example.com"}
    if form.service.name != "drs":
        del elsewhere["auth_url"]
    for name, spelt in (("HTTPS_PROXY", quote(secret, safe="")), ("all_proxy", secret)):
        left = bare(
            form,
            form.service.info,
            internal=TRACEBACKS,
            secrets={"proxy": secret},
            environ={name: proxy.format(spelt)},
            **elsewhere,
        )
        assert left.result["failed"]
        nothing_leaks(left)


@EACH_SERVICE
def test_a_proxy_that_shows_its_password_gives_it_not_away(form: Form, bare: Bare, cloud: LocalCloud) -> None:
    """It is sent in base64, with the user's name before it."""
    secret = canary("proxy")
    bare.prepare(form)
    cloud.faults.add(echo("*", "page", form.secrets, bare.seen))
    environ = {"HTTP_PROXY": f"http://user:{quote(secret, safe='')}@127.0.0.1:{cloud.port}"}
    more: dict[str, Any] = {"endpoint": "http://cn-hangzhou.log.aliyuncs.com", "allow_plaintext": True}
    left = bare(form, form.service.info, secrets={"proxy": secret}, environ=environ, **more)
    assert left.result["failed"]
    nothing_leaks(left)


@EACH_KIND
@pytest.mark.parametrize("trip", ["raise", "SIGTERM"])
def test_what_nobody_foresaw_shows_no_secret(form: Form, trip: str, bare: Bare, cloud: LocalCloud) -> None:
    module, options = module_of(form, acts=trip == "raise")
    left = bare(form, module, internal=TRACEBACKS, environ={"STAND_TRIP": trip}, **options)
    assert ("This is a bug" in left.result.get("msg", "")) == (trip == "raise")
    nothing_leaks(left)


@EACH_SERVICE
def test_a_reply_that_does_not_come_shows_no_secret(form: Form, bare: Bare, cloud: LocalCloud) -> None:
    bare.prepare(form)
    module, options = module_of(form, acts=True)
    form.service.add(cloud, count=2, **form.service.transient)
    for operation in (form.service.retry, form.service.lists[0]):
        for fault in (
            faults.reset(operation, effect="after"),
            faults.late(operation, delay=0.3),
            faults.cut(operation),
        ):
            cloud.faults.add(fault)
            nothing_leaks(bare(form, module, internal=TRACEBACKS, timeout=0.2, **options))
            cloud.faults.clear()
    nothing_leaks(bare(form, module, internal=TRACEBACKS, endpoint=NOWHERE, **options))


@EACH_KIND
def test_a_secret_that_cannot_be_sent_is_not_shown(form: Form, bare: Bare) -> None:
    """Such as one that was read from a file with all its lines, or in two halves of a character."""
    names = [name for name, value in form.options.items() if value in form.secrets.values()]
    for name, more in product(names, ("\n", "\ud800", "\0")):
        left = bare(form, form.service.act, internal=TRACEBACKS, all_failed=True, **{name: form.options[name] + more})
        nothing_leaks(left)


@EACH_KIND
def test_half_of_the_credentials_is_not_shown(form: Form, bare: Bare) -> None:
    for name in form.options:
        left = bare(form, form.service.act, internal=TRACEBACKS, all_failed=True, **{name: None})
        nothing_leaks(left)
