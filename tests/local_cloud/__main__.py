# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m local_cloud`: the local cloud as a process of its own. Prints one JSON line when it is ready."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from local_cloud.server import Cloud, Server

_STARTED_BY = os.getppid()


def main() -> int:
    arguments = _parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="local-cloud-"))
    try:
        return asyncio.run(_run(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local_cloud", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", choices=["127.0.0.1", "localhost", "::1"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--scenario", type=Path, metavar="FILE.yml")
    parser.add_argument("--ready-file", type=Path, metavar="FILE")
    parser.add_argument("--max-seconds", type=float, default=900, help="end by itself after that time")
    parser.add_argument(
        "--parent",
        type=int,
        default=_STARTED_BY,
        metavar="PID",
        help="end when this process has gone; 0 to outlive the one that started it (default: the one that started it)",
    )
    return parser


async def _run(arguments: argparse.Namespace, folder: Path) -> int:
    cloud = Cloud()
    if arguments.scenario is not None:
        cloud.load(yaml.safe_load(arguments.scenario.read_text()) or {})
    ca_file: Path | None = None
    context = None
    if arguments.tls:
        from local_cloud.tls import server_context

        ca_file = folder / "ca.pem"
        context = server_context(ca_file)
    server = Server(cloud, host=arguments.host, port=arguments.port, tls=context)
    done = _end_of(arguments)
    await server.start()
    try:
        _announce(server, ca_file, arguments.ready_file)
        await done.wait()
    finally:
        await server.stop()
    return 0


def _announce(server: Server, ca_file: Path | None, ready_file: Path | None) -> None:
    ready: dict[str, Any] = {
        "url": server.url,
        "port": server.port,
        "pid": os.getpid(),
        "ca_file": str(ca_file) if ca_file else None,
    }
    line = json.dumps(ready)
    if ready_file is not None:
        unfinished = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
        unfinished.write_text(line + "\n")
        unfinished.replace(ready_file)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _end_of(arguments: argparse.Namespace) -> asyncio.Event:
    """Set when it is time to end: by signal, by age, or because the parent has gone."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    loop.call_later(arguments.max_seconds, done.set)
    if arguments.parent:
        _watch(loop, arguments.parent, done)
    return done


def _watch(loop: asyncio.AbstractEventLoop, pid: int, gone: asyncio.Event) -> None:
    if _alive(pid):
        loop.call_later(0.5, _watch, loop, pid, gone)
    else:
        gone.set()


def _alive(pid: int) -> bool:
    if pid == _STARTED_BY:
        return os.getppid() == pid  # notices it even while the pid is still held by a zombie
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
