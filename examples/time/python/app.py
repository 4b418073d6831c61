"""A sidecar that tells the time, as a component for wasi:http/proxy: the host
calls handle for each request, in an instance of its own. What is imported from
wit_world is componentize-py's, made from ../../wit."""

import json
import secrets
from datetime import datetime, timezone

from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if (request.path_with_query() or "").endswith("?format=text"):
            answer(response_out, "text/plain", time)
            return

        # Drawn anew in each instance, so a caller can tell them apart.
        instance = secrets.token_hex(8)
        body = {"time": time, "unix": int(now.timestamp()), "instance": instance, "language": "python"}
        answer(response_out, "application/json", json.dumps(body))


def answer(response_out: ResponseOutparam, content_type: str, text: str) -> None:
    response = OutgoingResponse(Fields.from_list([("content-type", content_type.encode())]))
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        stream.blocking_write_and_flush(f"{text}\n".encode())
    OutgoingBody.finish(body, None)
