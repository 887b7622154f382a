# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.testing import LocalCloud

KEY, SECRET = "testAccessKeyId", "testAccessKeySecret"
STS_KEY, STS_SECRET, STS_TOKEN = "STS.testTemporary", "testTemporarySecret", "testStsToken/with+chars==.v1"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        cloud.world.add_account(KEY, SECRET)
        cloud.world.add_account(STS_KEY, STS_SECRET, security_token=STS_TOKEN)
        yield cloud


@pytest.fixture
def loopback_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below loopback's and the vendor's resolve to loopback: the SDK puts the project before the endpoint."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        ours = isinstance(host, str) and host.endswith((".127.0.0.1", ".localhost", ".aliyuncs.com"))
        return resolve("127.0.0.1" if ours else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
