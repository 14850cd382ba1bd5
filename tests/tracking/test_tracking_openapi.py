"""A hostile client of the public JSON: schemathesis makes requests from the OpenAPI document, and also what it forbids."""

import shutil
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.tracking.openapi import document
from tests.support.fuzzing import examples

from .conftest import A_JOURNEY, Tracking
from .test_tracking_bulk import a_new_key

SCHEMA = schemathesis.openapi.from_dict(document())
PATHS = sorted(document()["paths"])
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
METHOD_OF = {path: "GET" if "get" in methods else "POST" for path, methods in document()["paths"].items()}
REQUESTS = {path: st.one_of(*(SCHEMA[path][METHOD_OF[path]].as_strategy(mode) for mode in MODES)) for path in PATHS}
ADDRESSES = count(1)
HEADERS = {"accept": "application/json"}


@pytest.fixture
async def public(empty_database: Path, tmp_path: Path) -> AsyncIterator[Tracking]:
    """A service with one certificate, whose streams end at once."""
    shutil.copy(empty_database, tmp_path / "tracking.sqlite")
    service = Tracking(tmp_path / "tracking.sqlite", streams_last=0.02)
    await service.receive(*A_JOURNEY)
    HEADERS["authorization"] = f"Bearer {(await a_new_key(service)).key}"
    yield service
    await service.public.aclose()
    service.context.stop()
    await service.context.close()


async def send(public: Tracking, case: schemathesis.Case) -> httpx.Response:
    """Sends a request as a program. Each comes from another address, so that none waits for the limit of requests."""
    wanted = case.as_transport_kwargs(base_url="https://track.example", headers=HEADERS)
    wanted = {name: value for name, value in wanted.items() if name in ("method", "url", "params", "headers", "json", "data")}
    number = next(ADDRESSES)
    transport = httpx.ASGITransport(public.app, client=(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1))
    async with httpx.AsyncClient(transport=transport) as http:
        return await http.request(**wanted)


@pytest.mark.fuzz
@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=examples(10, 500), suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_each_answer_to_a_hostile_client_is_as_the_openapi_document_says(
    public: Tracking, path: str, data: st.DataObject
) -> None:
    case = data.draw(REQUESTS[path])
    case.validate_response(await send(public, case), checks=CHECKS)
