"""JSON Schemas of cost statements, assessments and files of rules: `python -m services.certificates.origin_schemas`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.contracts.certificates.origin import CostStatement, OriginAssessment
from shared.contracts.certificates.origin_rules import OriginRulesFile
from shared.contracts.messages import Contract

FOLDER = Path(__file__).parent / "schemas"
SCHEMAS: Mapping[str, type[Contract]] = {
    "cost-statement": CostStatement,
    "origin-assessment": OriginAssessment,
    "origin-rules": OriginRulesFile,
}


def schema_text(model: type[Contract]) -> str:
    """The JSON Schema (draft 2020-12) of a file: of one that is read, or of the assessment that is written."""
    schema = model.model_json_schema(mode="serialization" if model is OriginAssessment else "validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def all_schemas() -> Iterator[tuple[Path, str]]:
    """The file and the text of every schema."""
    for name, model in SCHEMAS.items():
        yield FOLDER / f"{name}.schema.json", schema_text(model)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in all_schemas():
        file.write_text(text, encoding="utf-8")
