"""The words of CONTRIBUTING.md hold: no identifier and no sentence uses a word that has a plain one in its place."""

import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = re.compile(r"<!-- words: examples -->.*?<!-- words: end -->", re.DOTALL)
"""The part of CONTRIBUTING.md that shows sentences before and after."""

IDENTIFIERS = frozenset(
    """
    rim Rim vouching vouches router_vouches answering Answerer listening Listener Heard pulling Puller relay Relay asking Asker
    keep_going fates bury GivenUp is_hopeless UnderTrail is_refused Workshop workshop equip equipment stays_whole write_down
    left_for_later Words AsJson reads_back learns take_copy put_back Post Letter tries count_try take_back
    who_has_shown_who_they_are give_back must_be_there told desk Desk house House nation Nation crowd Crowd deny_list
    stepping_up catalogue Catalogue in_trail
    """.split()  # noqa: SIM905
)
METHODS = re.compile(r"\bwork\.(outside|keep|compute|said|follows|concerns)\(")
MOST = re.compile(r"MOST_[A-Z]")

PROSE = re.compile(
    r"\b(whoever|whomever|manieth|heed|heeds|heeded|vouch|vouches|vouched|vouching|rim|doctored|buried|workshop|fates"
    r"|anew|hopeless|come back from an older copy|(?<!dead )(?<!dead_)(?<!dead-)(?<!latin )letters(?! of\b)|papers)\b",
    re.IGNORECASE,
)
STORED = re.compile(
    r"fact_not_vouched|DeadLetters|\.letters\b|letters=|letters: tuple|\"letters\"|'letters'|\bpapers[:=]|\.papers\b"
)
"""Public names that stay: a refusal's code and the field of an answer."""
TEXTS = {".py", ".md", ".yml", ".yaml", ".conf", ".toml", ".html", ""}
HISTORY = ("tests/contracts/examples/", "requirements.lock", "LICENSE", "deploy/images/requirements.lock")
THIS = "tests/test_words.py"


def files() -> list[str]:
    """The files of the repository that hold words of ours."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        name
        for name in listed.stdout.split()
        if Path(name).suffix in TEXTS and not name.startswith(HISTORY) and name != THIS and (ROOT / name).exists()
    ]


def misused(text: str) -> list[str]:
    return [found.group() for found in PROSE.finditer(STORED.sub("", EXAMPLES.sub("", text)))]


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".py")])
def test_identifiers_are_the_words_of_the_field(name: str) -> None:
    text = (ROOT / name).read_text()
    names = {each.string for each in tokenize.generate_tokens(io.StringIO(text).readline) if each.type == tokenize.NAME}

    assert not names & IDENTIFIERS
    assert not [each for each in names if MOST.match(each)]
    assert not METHODS.findall(text)


@pytest.mark.parametrize("name", files())
def test_sentences_are_plain(name: str) -> None:
    assert misused((ROOT / name).read_text()) == []


def test_a_mannered_sentence_is_found() -> None:
    assert misused("Whoever has only applied has no letters sent to strangers.") == ["Whoever", "letters"]
    assert misused("the dead letters of a service; a name in Latin letters") == []
