# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a script where every name below 127.0.0.1 leads to 127.0.0.1: SLS has the project as the first part of the host.

Not by a proxy, which could do the same without this: to one, urllib3 sends with Nagle's algorithm, and each call would
take 40 ms longer.
"""

from __future__ import annotations

import runpy
import socket
import sys
from typing import Any

_resolve = socket.getaddrinfo


def _resolve_here(host: Any, *arguments: Any, **more: Any) -> Any:
    below = isinstance(host, str) and host.endswith(".127.0.0.1")
    return _resolve("127.0.0.1" if below else host, *arguments, **more)


socket.getaddrinfo = _resolve_here
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
