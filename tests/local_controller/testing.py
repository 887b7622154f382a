# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local controller inside a test process."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from local_controller.server import Server
from local_controller.world import World


class LocalController:
    """A controller on its own thread and event loop; a context manager.

    :param checkout: the folder that every project holds
    """

    def __init__(self, checkout: Path) -> None:
        self.world = World(checkout)
        self.world.create("organizations", {"name": "Default"})
        self._server = Server(self.world)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-controller", daemon=True)

    def __enter__(self) -> LocalController:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def environment(self) -> dict[str, str]:
        """What awx.awx needs to come here."""
        return {"CONTROLLER_HOST": self._server.url, "CONTROLLER_OAUTH_TOKEN": self._server.token}
