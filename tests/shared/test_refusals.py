import ast
import importlib
import os
import pickle
import re
import string
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from services.certificates.domain.boxes.parties import OfficeUnknown
from services.certificates.domain.certificate import CertificateChanged, FourEyesRequired
from services.registry.identity.domain.session import SignInDelayed
from shared.bus.client import AskRefused
from shared.contracts.index import SERVICES
from shared.contracts.messages import Refusal
from shared.refusals import LANGUAGES, MAX_PROBLEMS, Refused, SeveralProblems, Unavailable, refuse_together, sentences
from shared.workers.requests import _refusal_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "services", "cli", "deploy")

SHARED = {
    "agent_not_registered": "registry and certificates refuse the same agent",
    "certificate_not_found": "certificates and tracking look for the same certificate",
    "other_office": "certificates and the gateway refuse an officer of the same other office",
    "office_unknown": "registry and certificates know the same offices",
}
"""Codes that several services use for the same fact: one sentence, with the same values."""


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    """Every module that can be imported without running a program or a migration."""
    for file in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        if file.stem != "__main__" and "migrations" not in file.parts:
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield importlib.import_module(name), ast.parse(file.read_text())


MODULES = list(modules())


def refusals(kind: type[Refused] = Refused) -> Iterator[type[Refused]]:
    if kind.__module__.split(".")[0] in PACKAGES:
        yield kind
    for below in kind.__subclasses__():
        yield from refusals(below)


REFUSALS = sorted(set(refusals()), key=lambda kind: (kind.key(), kind.__module__))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def named(node: ast.expr, module: ModuleType) -> object:
    """What a name or a dotted name in a module stands for."""
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    if isinstance(node, ast.Attribute):
        return getattr(named(node.value, module), node.attr, None)
    return None


def is_refusal(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Refused)


def raise_sites() -> Iterator[tuple[str, type[Refused], ast.Call]]:
    for module, tree in MODULES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and is_refusal(kind := named(node.func, module)):
                yield f"{module.__name__}:{node.lineno}", kind, node  # type: ignore[misc]


RAISE_SITES = list(raise_sites())


def test_every_refusal_is_found() -> None:
    assert len(REFUSALS) > 120
    assert len(RAISE_SITES) > len(REFUSALS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal(language: str) -> None:
    assert {kind.key() for kind in REFUSALS} == set(sentences(language))
    assert all(sentences(language).values())


def test_the_sentences_stand_in_order() -> None:
    for language in LANGUAGES:
        assert list(sentences(language)) == sorted(sentences(language))


def test_a_code_stands_for_one_class_and_its_variants() -> None:
    by_key = defaultdict(list)
    for kind in REFUSALS:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", kind.code), kind
        by_key[kind.key()].append(kind)
    assert {key for key, kinds in by_key.items() if len(kinds) > 1} == set(SHARED)
    assert {key.split(".")[0] for key in by_key} <= set(by_key), "a variant without its code"


def test_the_languages_have_the_same_placeholders() -> None:
    for key, sentence in sentences("en").items():
        for language in LANGUAGES:
            assert placeholders(sentences(language)[key]) == placeholders(sentence), (language, key)
        assert all(name.isidentifier() for name in placeholders(sentence)), key


def test_english_sentences_are_plain_and_khmer_ones_in_khmer() -> None:
    for key, sentence in sentences("en").items():
        assert re.search(r"[.}]$", sentence), key
        assert all(len(part.split()) <= 20 for part in re.split(r"(?<=[.?])\s", sentence)), key
        assert sentence.isascii(), key
    for key, sentence in sentences("km").items():
        assert re.search(r"[\u1780-\u17ff]", sentence), key
        assert re.search(r"[។}]$", sentence), key


@pytest.mark.parametrize(("where", "kind", "call"), RAISE_SITES, ids=[where for where, _, _ in RAISE_SITES])
def test_a_raise_site_gives_fields_and_the_values_of_the_sentence(where: str, kind: type[Refused], call: ast.Call) -> None:
    assert {keyword.arg for keyword in call.keywords} == placeholders(sentences("en")[kind.key()])
    for field in call.args:
        if isinstance(field, ast.Constant):
            assert re.fullmatch(r"[a-z][a-z0-9_.]*", field.value), field.value


def test_no_refusal_with_values_is_raised_without_them() -> None:
    for module, tree in MODULES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and node.exc and is_refusal(kind := named(node.exc, module)):
                assert not placeholders(sentences("en")[kind.key()]), (module.__name__, node.lineno)  # type: ignore[attr-defined]


def test_a_refusal_says_its_sentence_in_each_language() -> None:
    refused = OfficeUnknown("consignment.office", office="XXX", offices={"SHV", "PNH"})
    assert refused.detail == refused.sentence("en") == "There is no office XXX. The offices are: PNH, SHV."
    assert refused.sentence("km") == "គ្មានការិយាល័យ XXX ទេ។ ការិយាល័យមាន៖ PNH, SHV។"
    assert refused.fields == ("consignment.office",)
    assert refused.values == {"office": "XXX", "offices": "PNH, SHV"}
    assert str(refused) == f"office_unknown: {refused.detail}"


def test_an_instant_is_said_in_utc() -> None:
    delayed = SignInDelayed("email", until=datetime(2026, 11, 26, 9, 30, tzinfo=UTC))
    assert delayed.values == {"until": "2026-11-26T09:30:00Z"}


@pytest.mark.parametrize("language", ["fr", "", "../en", "km"])
def test_without_a_sentence_a_refusal_says_its_code(language: str) -> None:
    class Unheard(Refused):
        code = "unheard"

    assert Unheard("name", other="1").sentence(language) == "unheard"
    assert Unheard().detail == "unheard"
    assert FourEyesRequired().sentence(language) in (sentences("km")["four_eyes_required"], FourEyesRequired().detail)


def test_without_a_value_a_refusal_says_a_question_mark() -> None:
    assert OfficeUnknown(office="{offices}").detail == "There is no office {offices}. The offices are: ?."


def test_a_refusal_comes_back_from_another_process() -> None:
    refused = OfficeUnknown("office", office="XXX", offices=["PNH"])
    again = pickle.loads(pickle.dumps(refused))
    assert type(again) is OfficeUnknown
    assert (again.fields, again.values, again.detail) == (refused.fields, refused.values, refused.detail)


def test_the_answer_carries_code_sentence_fields_and_values() -> None:
    refusal = _refusal_of(OfficeUnknown("office", office="XXX", offices=["PNH"]))
    assert refusal == Refusal(
        code="office_unknown",
        detail="There is no office XXX. The offices are: PNH.",
        fields=("office",),
        values={"office": "XXX", "offices": "PNH"},
    )


def test_several_problems_are_one_refusal_with_all_their_fields_and_each_sentence() -> None:
    problems = [OfficeUnknown("office", office=each, offices=["PNH"]) for each in ("XXX", "YYY")]
    with pytest.raises(SeveralProblems) as refused:
        refuse_together([*problems, CertificateChanged("version")])

    refusal = _refusal_of(pickle.loads(pickle.dumps(refused.value)))

    assert (refusal.code, refusal.fields, refusal.values) == ("several_problems", ("office", "version"), {"count": "3"})
    assert [each.code for each in refusal.each] == ["office_unknown", "office_unknown", "certificate_changed"]
    assert refusal.each[1].values["office"] == "YYY"
    assert str(AskRefused(refusal)).splitlines()[1] == "- office: There is no office XXX. The offices are: PNH."
    assert len(refused.value.listing(problems * 200).problems) == MAX_PROBLEMS


def test_one_problem_is_refused_as_itself_and_none_is_not_refused() -> None:
    refuse_together([])
    with pytest.raises(CertificateChanged) as refused:
        refuse_together([CertificateChanged("version")])
    refusal = _refusal_of(refused.value)
    assert refusal.problems == ()
    assert refusal.each == (refusal,)


@pytest.mark.parametrize(
    ("error", "code"), [(Unavailable("away"), "temporarily_unavailable"), (ValueError("secret"), "internal_error")]
)
def test_a_failure_is_answered_without_its_details(error: Exception, code: str) -> None:
    refusal = _refusal_of(error)
    assert (refusal.code, refusal.detail, refusal.fields) == (code, sentences("en")[code], ())


def test_a_refusal_of_an_older_release_is_read() -> None:
    old = '{"code": "office_unknown", "detail": "There is no such office.", "fields": ["office"]}'
    assert Refusal.model_validate_json(old).values == {}


def python_without_docstrings(*arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CO_")}
    clean["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-OO", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False)


def test_a_sentence_needs_no_docstring() -> None:
    made = f"from {CertificateChanged.__module__} import CertificateChanged as C\ntry: raise C('version')\n"
    run = python_without_docstrings("-c", made + "except C as refused: print(refused.detail)")
    assert run.stdout == sentences("en")["certificate_changed"] + "\n", run.stderr


@pytest.mark.parametrize(
    "service", ["fees", *(pytest.param(name, marks=pytest.mark.slow) for name in sorted({*SERVICES} - {"fees"}))]
)
def test_a_service_starts_without_docstrings_as_far_as_its_settings(service: str) -> None:
    run = python_without_docstrings("-m", f"services.{service}")
    assert run.returncode == 1
    assert re.search(r": .+ CO_DATABASE_URL \(Field required\), .+\.$", run.stderr.strip()), run.stderr
    assert "Traceback" not in run.stderr
