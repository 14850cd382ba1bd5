"""A simulator of a national customs system: it decides on e-Forms D and export declarations (ACDD) by rules in a file.

`python -m deploy.embedded.customs --port 9500 --rules rules.json` answers `POST /{country}/documents`. The rules are a JSON
list of `{"country": "VN", "hs_prefix": "2402", "code": "restricted_goods", "detail": "..."}`; a rule without `country`
applies to all. A document with an item under the prefix is rejected with that reason; every other document is accepted.
`POST /{country}/documents/cancelled` with a JSON object is accepted: that certificate is not valid any more.
A rule with `"away": true` instead of a reason gets no decision: customs answer 503, and the gateway asks again later.
The file is read for each document, so that rules can change while the simulator runs.
"""

import argparse
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

DOCUMENTS = ("{urn:co-automation:asw:e-form-d:2}EFormD", "{urn:co-automation:asw:acdd:2}ExportDeclaration")
"""The elements of the documents that it takes."""
HS_CODES = ".//{0}GovernmentAgencyGoodsItem/{0}Commodity/{0}Classification/{0}ID"
PATH = re.compile(r"/([A-Z]{2})/documents(/cancelled)?")
MAX_BYTES = 8 * 1024 * 1024


class CustomsAway(Exception):
    """A rule says that customs do not decide on this document at the moment."""


class NotADocument(Exception):
    """The body is not a document of a known kind. The message gives the reason."""


def decide(document: bytes, country: str, rules: list[dict[str, Any]]) -> dict[str, object]:
    """The decision of the customs of a country on a document, as a JSON object. Raises NotADocument, CustomsAway."""
    if b"<!DOCTYPE" in document:
        raise NotADocument("a document type is not allowed")
    try:
        form = ElementTree.fromstring(document)  # noqa: S314 - no entity can be declared without a document type
    except ElementTree.ParseError as error:
        raise NotADocument(f"this is not XML: {error}") from error
    if form.tag not in DOCUMENTS:
        raise NotADocument(f"this is not an e-Form D or an export declaration: {form.tag}")
    namespace = form.tag[: form.tag.index("}") + 1]
    hs_codes = [element.text or "" for element in form.iterfind(HS_CODES.format(namespace))]
    found = [
        rule
        for rule in rules
        if rule.get("country", country) == country and any(code.startswith(rule["hs_prefix"]) for code in hs_codes)
    ]
    if any(rule.get("away") for rule in found):
        raise CustomsAway
    reasons = [{"code": rule["code"], "detail": rule["detail"]} for rule in found]
    return {"decision": "rejected", "reasons": reasons} if reasons else {"decision": "accepted"}


class CustomsHandler(BaseHTTPRequestHandler):
    """Receives documents over HTTP and answers with decisions."""

    rules_file: Path
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        path = PATH.fullmatch(self.path)
        length = int(self.headers.get("content-length") or 0)
        if path is None or not 0 < length <= MAX_BYTES:
            self.close_connection = True  # the body is not read
            self._answer(404 if path is None else 413, {"error": "POST a document to /{country}/documents"})
            return
        try:
            document = self.rfile.read(length)
            if path[2]:
                json.loads(document)
                self._answer(200, {"status": "cancelled"})
                return
            self._answer(200, decide(document, path[1], json.loads(self.rules_file.read_text())))
        except CustomsAway:
            self._answer(503, {"error": "no decision at the moment"})
        except NotADocument as error:
            self._answer(400, {"error": str(error)})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing, because documents are confidential."""


def customs_server(port: int, rules_file: Path, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """The simulator as a server, by default on this machine only. Port 0 selects a free port."""
    json.loads(rules_file.read_text())
    return ThreadingHTTPServer((host, port), type("Customs", (CustomsHandler,), {"rules_file": rules_file}))


def main() -> None:
    """Runs until SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rules", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        customs_server(arguments.port, arguments.rules, arguments.host).serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
