"""The AsyncAPI document of the bus, generated from the contracts: `python -m shared.contracts.asyncapi`."""

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts.index import contracts, owner_of
from shared.contracts.messages import Contract, Event, Refusal, Request

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def document() -> dict[str, Any]:
    """AsyncAPI 3.0: one channel and one operation per subject, answers and refusals as replies, and all listeners."""
    every = contracts()
    models: list[type[Contract]] = [*every, Refusal, *{kind.answer for kind in every if issubclass(kind, Request)}]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template="#/components/schemas/{model}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CO Automation",
            "version": "1",
            "description": "Commands and questions are NATS requests; events are messages of the JetStream stream EVENTS.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {kind.subject: _channel(kind) for kind in every},
        "operations": {kind.__name__: _operation(kind) for kind in every},
        "components": {
            "messages": {
                model.__name__: {"title": model.__name__, "payload": {"$ref": f"#/components/schemas/{model.__name__}"}}
                for model in sorted(models, key=lambda model: model.__name__)
            },
            "schemas": schemas["$defs"],
        },
    }


def _channel(kind: type[Any]) -> dict[str, Any]:
    names = [kind.__name__]
    if issubclass(kind, Request):
        names += [kind.answer.__name__, Refusal.__name__]
    return {
        "address": kind.subject,
        "description": cleandoc(kind.__doc__ or ""),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operation(kind: type[Any]) -> dict[str, Any]:
    channel = {"$ref": f"#/channels/{kind.subject}"}
    messages = [{"$ref": f"#/channels/{kind.subject}/messages/{kind.__name__}"}]
    if issubclass(kind, Event):
        return {
            "action": "send",
            "channel": channel,
            "messages": messages,
            "x-announced-by": owner_of(kind),
            "x-heard-by": sorted(kind.listeners),
        }
    replies = [{"$ref": f"#/channels/{kind.subject}/messages/{name}"} for name in (kind.answer.__name__, Refusal.__name__)]
    return {
        "action": "receive",
        "channel": channel,
        "messages": messages,
        "reply": {"channel": channel, "messages": replies},
        "x-answered-by": owner_of(kind),
    }


def as_text() -> str:
    """The text of `docs/asyncapi.json`."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text())
