# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret leaves a run: not in results, not on the screen, not in a file, whatever a server echoes."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.sls import ALL, INFO, RETRY, WHERE

READ, PUT = "GetShipperStatus", "RetryShipperTask"
CANARY_ID = "LTAIcanary"
CANARY = 'cAnArY/Secret+0123456789="&<>\\x'
TOKEN = "CAISt0ken/Canary+abcdef=="
SECRETS = (CANARY, TOKEN)
OPTIONS = {"access_key_id": CANARY_ID, "access_key_secret": CANARY, "security_token": TOKEN}
NONE = dict.fromkeys(OPTIONS)
ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": CANARY_ID,
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": CANARY,
    "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN,
}
ECHO = "secret={secret}; token={token}; authorization={authorization}; all={headers}; body={body}"


def spellings(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        re.sub("%..", lambda code: code.group().lower(), quote(secret, safe="")),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        base64.b64encode(secret.encode()).decode(),
        secret.encode().hex(),
    }


def leaks(ran: Ran, home: Path | None = None) -> set[str]:
    written = [path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()] if home else []
    everything = "\n".join([ran.output, json.dumps(ran.result), *written])
    found = {spelling for secret in SECRETS for spelling in spellings(secret) if spelling in everything}
    # A signature is as good as the secret for one request, for 15 minutes.
    return found | set(re.findall(rf"LOG {CANARY_ID}:[A-Za-z0-9+/=]+|Signature=[0-9a-f]{{64}}", everything))


@pytest.fixture(autouse=True)
def tasks(cloud: LocalCloud, shipper: TaskList) -> list[str]:
    cloud.world.add_account(CANARY_ID, CANARY, security_token=TOKEN)
    return shipper.add_tasks(count=2, code="InternalServerError", message="Try again.")


@pytest.mark.parametrize("check", [False, True])
def test_secrets_stay_out_of_everything_at_full_verbosity(ansible: Ansible, tmp_path: Path, check: bool) -> None:
    log = {"ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
    ran = ansible(RETRY, {**ALL, **OPTIONS}, check=check, diff=True, verbosity=4, environ=log)
    assert not ran.failed
    assert (tmp_path / "ansible.log").stat().st_size
    assert not leaks(ran, tmp_path)


def test_an_echoed_secret_stays_out_of_everything_at_full_verbosity(
    ansible: Ansible, cloud: LocalCloud, tmp_path: Path
) -> None:
    cloud.faults.add(faults.error(PUT, status=400, code="ParameterInvalid", echo="secret={secret}; token={token}"))
    log = {"ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
    ran = ansible(RETRY, {**ALL, **OPTIONS}, diff=True, verbosity=4, environ=log)
    assert ran.failed
    assert not leaks(ran, tmp_path)


@pytest.mark.parametrize("verbosity", [0, 4])
def test_an_echoed_secret_of_the_environment_stays_out(ansible: Ansible, cloud: LocalCloud, verbosity: int) -> None:
    cloud.faults.add(faults.error(READ, status=400, code="ParameterInvalid", echo="secret={secret}; token={token}"))
    ran = ansible(INFO, {**WHERE, **NONE}, environ=ENVIRONMENT, verbosity=verbosity)
    assert ran.failed
    assert not leaks(ran)


def test_an_echoed_secret_of_a_profile_stays_out(module: Direct, cloud: LocalCloud, tmp_path: Path) -> None:
    profile = {"name": "x", "mode": "StsToken", "access_key_id": CANARY_ID, "access_key_secret": CANARY}
    (tmp_path / ".aliyun").mkdir()
    content = {"profiles": [{**profile, "sts_token": TOKEN}]}
    (tmp_path / ".aliyun" / "config.json").write_text(json.dumps(content))
    cloud.faults.add(faults.error(READ, status=400, code="ParameterInvalid", echo="secret={secret}; token={token}"))
    ran = module(INFO, {**WHERE, **NONE, "profile": "x"})
    assert ran.failed
    assert not leaks(ran)


@pytest.mark.parametrize("version", ["v1", "v4"])
@pytest.mark.parametrize("operation", [READ, PUT])
def test_an_echoed_request_gives_neither_token_nor_signature_away(
    module: Direct, cloud: LocalCloud, operation: str, version: str
) -> None:
    cloud.faults.add(faults.error(operation, status=400, code="ParameterInvalid", echo=ECHO))
    ran = module(RETRY, {**ALL, **OPTIONS, "signature_version": version, "region": "cn-hangzhou"})
    assert ran.failed
    assert not leaks(ran)


@pytest.mark.parametrize("where", ["code", "message", "html", "id", "task", "location", "settled", "throttled"])
def test_a_secret_stays_out_wherever_a_server_puts_it(module: Direct, cloud: LocalCloud, where: str) -> None:
    both = f"{CANARY} {TOKEN}"
    created = int(cloud.clock.now()) - 60
    task = {"id": "a", "taskStatus": "fail", "taskCode": TOKEN, "taskMessage": both, "taskCreateTime": created}
    listing = json.dumps({"total": 1, "tasks": [task]})
    kinds = {
        "code": faults.error(READ, status=400, code=both),
        "message": faults.error(PUT, status=401, code="Unauthorized", message=both),
        "html": faults.raw(READ, status=403, body=f"<html>{both}</html>"),
        "id": faults.raw(READ, status=400, body="{}", headers={"x-log-requestid": TOKEN}),
        "task": faults.raw(READ, body=listing, effect="after"),
        "location": faults.redirect(READ, location=f"http://127.0.0.1/{quote(TOKEN)}"),
        "settled": faults.error(PUT, status=500, message=both, effect="after"),
        "throttled": faults.throttle(READ, message=both, times=FOREVER),
    }
    cloud.faults.add(kinds[where])
    assert not leaks(module(RETRY, {**ALL, **OPTIONS, "max_attempts": 1, "fail_on": []}, diff=True))


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_stays_out_in_every_spelling(module: Direct, cloud: LocalCloud, secret: str) -> None:
    every = " ".join(f"<{spelling}>" for spelling in sorted(spellings(secret)))
    cloud.faults.add(faults.error(READ, status=400, code="ParameterInvalid", message=every))
    ran = module(RETRY, {**ALL, **OPTIONS})
    assert ran.failed
    assert not leaks(ran)


@pytest.mark.parametrize("spelling", sorted(spellings(TOKEN)))
def test_a_secret_stays_out_in_every_spelling_of_a_page(module: Direct, cloud: LocalCloud, spelling: str) -> None:
    cloud.faults.add(faults.raw(READ, status=400, body=f"<{spelling}>"))
    ran = module(RETRY, {**ALL, **OPTIONS})
    assert ran.failed
    assert not leaks(ran)


@pytest.mark.parametrize("shown", [8, 20])
def test_a_secret_that_an_excerpt_cuts_in_two_stays_out(module: Direct, cloud: LocalCloud, shown: int) -> None:
    cloud.faults.add(faults.raw(READ, status=400, body="x" * (200 - shown) + CANARY + "x" * 50))
    assert CANARY[:shown] not in module(RETRY, {**ALL, **OPTIONS}).output


def test_a_secret_in_an_endpoint_is_not_repeated(module: Direct) -> None:
    ran = module(RETRY, {**ALL, **OPTIONS, "endpoint": "https://user:Canary-Pass@127.0.0.1"})
    assert ran.failed
    assert "Canary-Pass" not in ran.msg


@pytest.mark.parametrize("options", [{"access_key_id": None}, {"access_key_secret": f"{CANARY}\n"}], ids=str)
def test_unusable_credentials_are_refused_without_showing_them(module: Direct, options: dict[str, Any]) -> None:
    ran = module(RETRY, {**ALL, **OPTIONS, **options})
    assert ran.failed
    assert not leaks(ran)


def test_a_secret_that_is_an_ordinary_word_leaves_the_result_readable(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.add_account("short", "abc")
    ran = module(RETRY, {**ALL, "access_key_id": "short", "access_key_secret": "abc"})
    assert ran.counts("accepted") == (2,)
