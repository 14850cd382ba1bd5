"""A password must be hard to guess, even for people who know its owner. Source: NIST SP 800-63B, 5.1.1.2."""

import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from shared.refusals import Refused

COMMON = frozenset(
    {
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456789abc",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "adminadminadmin",
        "administrator",
        "administrator1",
        "administrator123",
        "cambodia12345",
        "changemechangeme",
        "iloveyou1234",
        "kingdomofcambodia",
        "letmeinletmein",
        "ministryofcommerce",
        "passpasspass",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "phnompenh123",
        "qwerty123456",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopas",
        "qwertyuiopasdfgh",
        "secretsecret",
        "welcome12345",
        "welcometocambodia",
        "zaq12wsxcde3",
    }
)
"""Common passwords of twelve characters or more, also the common ones in Cambodia (ours)."""
MIN_DIFFERENT = 5
"""The fewest different characters of a password."""
MIN_PART = 4
"""The fewest characters of a part of a name that counts."""


class PasswordTooCommon(Refused):
    code = "password_too_common"


class PasswordTellsWhoYouAre(Refused):
    code = "password_tells_who_you_are"


def normalised(password: str) -> str:
    """The password in the Unicode form NFKC, so that it is the same from every keyboard."""
    return unicodedata.normalize("NFKC", password)


def must_be_hard_to_guess(password: str, *about: str) -> None:
    """Refuses common passwords, rows of keys, and the owner's own name and address."""
    plain = normalised(password).casefold()
    alphanumeric = "".join(character for character in plain if character.isalnum())
    rows = sum(abs(ord(after) - ord(before)) <= 1 for before, after in pairwise(plain))
    if alphanumeric in COMMON or len(set(plain)) < MIN_DIFFERENT or rows > len(plain) * 0.7:
        raise PasswordTooCommon("password")
    rest = plain
    for part in _parts(about):
        rest = rest.replace(part, "")
    if len(rest) < len(plain) / 2:
        raise PasswordTellsWhoYouAre("password")


def _parts(texts: Iterable[str]) -> list[str]:
    """The words of a name and of an address, the longest first."""
    words = {
        word
        for text in texts
        for word in "".join(
            c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in text.casefold()
        ).split()
    }
    return sorted((word for word in words if len(word) >= MIN_PART), key=len, reverse=True)
