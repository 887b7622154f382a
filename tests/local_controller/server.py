# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side: the token, the paths, filters and pages."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from local_controller.kinds import KINDS
from local_controller.world import API, Item, Refused, World, Write

_PATH = re.compile(r"/api/v2/(?P<kind>[a-z_]+)/(?:(?P<id>[0-9]+)/(?:(?P<more>[a-z_]+)/)?)?")
_PAGE = 25
_LARGEST_PAGE = 200
# Of unified_job_templates, which are of several kinds.
_FILTERS = ("id", "name", "type", "organization")


class Server:
    """A world behind one loopback port."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token = secrets.token_hex(15)
        self.port = 0
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        try:
            with self.world.lock:
                status, content = self._answer(request, body)
        except Refused as refused:
            status, content = refused.status, dict(refused.content)
        headers = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}
        if status == 204:
            return web.Response(status=status, headers=headers)
        return web.json_response(content, status=status, headers=headers)

    def _answer(self, request: web.BaseRequest, body: bytes) -> tuple[int, Any]:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(401, {"detail": "Authentication credentials were not provided."})
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        content = _content(request, body)
        if request.method != "GET":
            self.world.writes.append(Write(request.method, request.path, content))
        kind, more = match["kind"], match["more"] or ""
        if match["id"] is None:
            return self._list_or_create(request, kind, content)
        return self._one(request.method, kind, int(match["id"]), more, content)

    def _list_or_create(self, request: web.BaseRequest, kind: str, content: Any) -> tuple[int, Any]:
        if kind not in KINDS and kind != "unified_job_templates":
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if request.method == "GET":
            items = [self.world.shown(one, item) for one, item in self.world.of_kind(kind)]
            return 200, _page(
                request.path, request.query, [item for item in items if _matches(kind, item, request.query)]
            )
        # Approvals are made at their node.
        if request.method != "POST" or kind in ("unified_job_templates", "workflow_approval_templates"):
            raise Refused(405, {"detail": f'Method "{request.method}" not allowed.'})
        return 201, self.world.create(kind, content)

    def _one(self, method: str, kind: str, item_id: int, more: str, content: Any) -> tuple[int, Any]:
        world = self.world
        if kind == "project_updates" and not more and method == "GET":
            world.get("projects", item_id)
            return 200, {"id": item_id, "status": "successful", "finished": "2026-01-01T00:00:00Z", "failed": False}
        if kind not in KINDS:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if more:
            return self._related(method, kind, item_id, more, content)
        if method == "PATCH":
            return 200, world.change(kind, item_id, content)
        if method != "GET":
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        return 200, world.shown(kind, world.get(kind, item_id))

    def _related(self, method: str, kind: str, item_id: int, more: str, content: Any) -> tuple[int, Any]:
        world = self.world
        if more == "survey_spec" and kind in ("job_templates", "workflow_job_templates"):
            if method == "POST":
                world.ask(kind, item_id, content)
                return 200, {}
            return 200, world.surveys.get(item_id, {})
        if more == "create_approval_template" and kind == "workflow_job_template_nodes" and method == "POST":
            return 201, world.approve(item_id, content)
        if more not in KINDS[kind].links:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if method == "POST":
            world.link(kind, item_id, more, content)
            return 204, None
        linked = [world.shown(KINDS[kind].links[more], item) for item in world.linked(kind, item_id, more)]
        return 200, _page(f"{API}{kind}/{item_id}/{more}/", {}, linked)


def _content(request: web.BaseRequest, body: bytes) -> Any:
    """What a request carries. :raises Refused: it is not JSON of an object"""
    if request.method == "GET":
        return None
    if request.headers.get("Content-Type") != "application/json":
        raise Refused(415, {"detail": "Unsupported media type in request."})
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Refused(400, {"detail": f"JSON parse error - {error}"}) from error
    if not isinstance(content, dict):
        raise Refused(400, {"detail": "JSON parse error - not a JSON object"})
    return content


def _matches(kind: str, item: Item, query: Mapping[str, str]) -> bool:
    """Whether an item is one of those that the filters ask for. :raises Refused: there is no such filter"""
    either = {name[len("or__") :]: value for name, value in query.items() if name.startswith("or__")}
    all_of = {
        name: value
        for name, value in query.items()
        if not name.startswith("or__") and name not in ("page", "page_size")
    }
    for name in (*either, *all_of):
        if name not in (_FILTERS if kind == "unified_job_templates" else item):
            raise Refused(400, {"detail": f"{KINDS[kind].type if kind in KINDS else kind} has no field named '{name}'"})
    found = [str(item.get(name)) == value for name, value in either.items()]
    return (any(found) or not found) and all(str(item.get(name)) == value for name, value in all_of.items())


def _page(path: str, query: Mapping[str, str], items: list[Item]) -> dict[str, Any]:
    number, size = int(query.get("page", 1)), min(int(query.get("page_size", _PAGE)), _LARGEST_PAGE)
    shown = items[(number - 1) * size : number * size]
    if not shown and number > 1:
        raise Refused(404, {"detail": "Invalid page."})

    def at(page: int) -> str | None:
        there = page >= 1 and (page - 1) * size < len(items)
        return f"{path}?{urlencode({**query, 'page': page})}" if there else None

    return {"count": len(items), "next": at(number + 1), "previous": at(number - 1), "results": shown}
