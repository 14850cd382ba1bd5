"""The floor of a page: the same server software answers with the same bytes, without a database, a template or a limit."""

import json
import logging
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route


class Server(uvicorn.Server):
    """A server that says when it is ready."""

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        print("ready", flush=True)


def main() -> None:
    """Serves the body of a file. `given`: JSON with `port`, `file` and `headers`."""
    given = json.loads(sys.argv[1])
    body = Path(given["file"]).read_bytes()

    async def show(request: Request) -> Response:
        return HTMLResponse(body, headers=given["headers"])

    app = Starlette(routes=[Route("/certificates/{reference}", show)])
    config = uvicorn.Config(
        app,
        port=given["port"],
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="off",
        server_header=False,
        forwarded_allow_ips="127.0.0.1",
        limit_concurrency=700,
        h11_max_incomplete_event_size=64 * 1024,
    )
    Server(config).run()


if __name__ == "__main__":
    main()
