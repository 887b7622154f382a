# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts commands one after another and tells what each took. Run as a script; imports little on purpose.

Linux counts the memory of the process that starts a command as the command's own, up to the moment when it becomes that
command. So the one that starts them has to be small: smaller than anything that is measured.

A line on stdin is a command: `argv`, `env`, `cwd`, `output` (a file for its stdout), `limit` (seconds until it is
ended). The line on stdout that answers it: `status`, `wall` and `cpu` in seconds, and `peak` in bytes, the memory of
the largest process that it was or that it started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(launch(**json.loads(line))) + "\n")
        sys.stdout.flush()


def launch(argv: list[str], env: dict[str, str], cwd: str, output: str, limit: float) -> dict[str, float]:
    started = time.perf_counter()
    child = os.fork()
    if not child:
        become(argv, env, cwd, output)
    signal.signal(signal.SIGALRM, lambda *_ignored: os.killpg(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, limit)
    _child, status, used = os.wait4(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "wall": time.perf_counter() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * 1024,
    }


def become(argv: list[str], env: dict[str, str], cwd: str, output: str) -> None:
    try:
        os.setpgid(0, 0)
        os.chdir(cwd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(os.open(f"{output}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.execve(argv[0], argv, env)  # noqa: S606 - no shell is wanted
    finally:
        os._exit(127)


if __name__ == "__main__":
    main()
