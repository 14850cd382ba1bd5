"""The limits of a message, checked before a tree is built and before a signature is verified.

Expat reads the message once and stores nothing. Canonical XML takes time that grows with the square of the namespaces, and a
tree takes a hundred times the memory of its text. So both are limited. An e-Form D of 2,000 items has 40,050 elements.
"""

from typing import Any
from xml.parsers import expat

MAX_ELEMENTS = 100_000
MAX_DEPTH = 32
MAX_ATTRIBUTES = 20_000
MAX_ATTRIBUTES_OF_ONE = 8
MAX_NAMESPACES = 16
MAX_COMMENTS = 100
MAX_NAME = 100
"""Maximum characters of the name of an element or attribute, with its namespace."""
MAX_SIGNATURE = 16 * 1024
"""Maximum bytes of a signature, with its certificate."""

DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SIGNATURE_SHAPE: tuple[tuple[int, str, dict[str, str]], ...] = (
    (0, "Signature", {}),
    (1, "SignedInfo", {}),
    (2, "CanonicalizationMethod", {"Algorithm": EXCLUSIVE}),
    (2, "SignatureMethod", {"Algorithm": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"}),
    (2, "Reference", {"URI": ""}),
    (3, "Transforms", {}),
    (4, "Transform", {"Algorithm": f"{DSIG}enveloped-signature"}),
    (4, "Transform", {"Algorithm": EXCLUSIVE}),
    (3, "DigestMethod", {"Algorithm": "http://www.w3.org/2001/04/xmlenc#sha256"}),
    (3, "DigestValue", {}),
    (1, "SignatureValue", {}),
    (1, "KeyInfo", {}),
    (2, "X509Data", {}),
    (3, "X509Certificate", {}),
)
"""The elements of a signature in their order: depth, name and attributes. Every gateway writes this form."""


class OutOfBounds(Exception):
    """The text is not XML, or exceeds a limit. The message gives the reason."""


class SignatureShapeWrong(Exception):
    """The signature does not have the form that gateways write."""


def must_be_in_bounds(text: bytes) -> None:
    """Raises OutOfBounds or SignatureShapeWrong. The text must be UTF-8, whatever encoding it declares.

    So this parser and the one that builds the tree read the same characters.
    """
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise OutOfBounds("this is not UTF-8") from error
    _must(b"\x00" not in text, "this is not UTF-8")
    try:
        _Scan().parser.Parse(text, True)
    except expat.ExpatError as error:
        raise OutOfBounds("this is not well-formed XML") from error


class _Scan:
    """Counts while Expat reads. An exception in a handler stops Expat at once."""

    def __init__(self) -> None:
        self.parser = parser = expat.ParserCreate("UTF-8", " ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartNamespaceDeclHandler = self._namespace
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartDoctypeDeclHandler = self._doctype
        self._depth = self._elements = self._attributes = self._namespaces = self._comments = 0
        self._signature_depth: int | None = None
        self._signature_began = 0
        self._signature_elements = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._attributes += len(attributes)
        _must(self._elements <= MAX_ELEMENTS, f"it has more than {MAX_ELEMENTS} elements")
        _must(self._depth < MAX_DEPTH, f"elements are nested more than {MAX_DEPTH} deep")
        _must(len(attributes) <= MAX_ATTRIBUTES_OF_ONE, f"an element has more than {MAX_ATTRIBUTES_OF_ONE} attributes")
        _must(self._attributes <= MAX_ATTRIBUTES, f"it has more than {MAX_ATTRIBUTES} attributes")
        _must(all(len(each) <= MAX_NAME for each in (name, *attributes)), f"a name has more than {MAX_NAME} characters")
        if name == f"{DSIG} Signature" and self._signature_depth is None:
            self._signature_depth, self._signature_began = self._depth, self.parser.CurrentByteIndex
        if name.startswith(f"{DSIG} ") or self._is_in_signature:
            self._must_fit_in_signature(name, attributes)
        self._depth += 1

    @property
    def _is_in_signature(self) -> bool:
        return self._signature_depth is not None and self._depth > self._signature_depth

    def _must_fit_in_signature(self, name: str, attributes: dict[str, str]) -> None:
        place = self._depth - (self._signature_depth or 0), name.removeprefix(f"{DSIG} "), attributes
        expected = SIGNATURE_SHAPE[self._signature_elements : self._signature_elements + 1]
        if self._signature_depth != 1 or expected != (place,):
            raise SignatureShapeWrong("the signature does not have the agreed form")
        self._signature_elements += 1

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == self._signature_depth and name == f"{DSIG} Signature":
            size = self.parser.CurrentByteIndex - self._signature_began
            if self._signature_elements != len(SIGNATURE_SHAPE) or size > MAX_SIGNATURE:
                raise SignatureShapeWrong("the signature does not have the agreed form")

    def _namespace(self, prefix: str | None, uri: str) -> None:
        self._namespaces += 1
        _must(self._namespaces <= MAX_NAMESPACES, f"it declares more than {MAX_NAMESPACES} namespaces")
        if self._is_in_signature:
            raise SignatureShapeWrong("the signature does not have the agreed form")

    def _comment(self, text: str) -> None:
        self._comments += 1
        _must(self._comments <= MAX_COMMENTS, f"it has more than {MAX_COMMENTS} comments")

    def _instruction(self, target: str, data: str) -> None:
        raise OutOfBounds("a processing instruction is not allowed")

    def _doctype(self, *_: Any) -> None:
        raise OutOfBounds("a document type is not allowed")


def _must(holds: bool, sentence: str) -> None:
    if not holds:
        raise OutOfBounds(sentence)
