"""Messages between gateways without a framework: XML with an XML-DSig signature (lxml, cryptography), HTTP on asyncio streams.

The messages are those of `services/gateway/wire`: the same profile, signature algorithm and TLS. Nothing is validated.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
DOC = "urn:co-automation:asw:e-form-d:2"
MSG = "urn:co-automation:asw:message:2"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SIGNED_INFO = (
    f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod>'
    f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
    f'<ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)
SIGNATURE = (
    f'<ds:Signature xmlns:ds="{DS}">{{info}}<ds:SignatureValue>{{value}}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>'
    "<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
)

Answer = Callable[[bytes], Awaitable[bytes]]


def form(document: Mapping[str, Any]) -> str:
    """The XML of a document."""
    one = {name: escape(str(value)) for name, value in document.items() if not isinstance(value, dict | list)}
    return (
        f'<EFormD xmlns="{DOC}"><ID>{one["reference"]}</ID><IssueLocation><CountryCode>{one["issuing_country"]}'
        f"</CountryCode><ID>{one['office']}</ID></IssueLocation><IssueDate>{one['issued_on']}</IssueDate><ExpirationDate>"
        f"{one['valid_until']}</ExpirationDate><RetroactiveIssueIndicator>false</RetroactiveIssueIndicator>"
        f"{_party('Exporter', document['exporter'])}{_party('Consignee', document['consignee'])}<Destination><CountryCode>"
        f"{one['destination']}</CountryCode></Destination><Consignment><DepartureDate>{one['departure_date']}</DepartureDate>"
        f"<BorderTransportMeans><Name>{one['vessel']}</Name></BorderTransportMeans><UnloadingLocation><Name>"
        f"{one['port_of_discharge']}</Name></UnloadingLocation>{''.join(map(_item, document['items']))}</Consignment></EFormD>"
    )


def _party(name: str, party: Mapping[str, Any]) -> str:
    country = f"<CountryCode>{party['country']}</CountryCode>" if party["country"] else ""
    address = f"<Address><Line>{escape(party['address'])}</Line>{country}</Address>"
    return f"<{name}><Name>{escape(party['name'])}</Name>{address}</{name}>"


def _item(item: Mapping[str, Any]) -> str:
    one = {name: escape(str(value)) for name, value in item.items() if name != "fob"}
    fob = item["fob"]
    value = (
        f'<CustomsValuation><FreeOnBoardAmount currencyID="{fob["currency"]}">{fob["amount"]}</FreeOnBoardAmount>'
        "</CustomsValuation>"
    )
    return (
        f"<GovernmentAgencyGoodsItem><SequenceNumeric>{one['number']}</SequenceNumeric><Packaging><MarksNumbersID>{one['marks']}"
        f"</MarksNumbersID><QuantityQuantity>{one['packages']}</QuantityQuantity><TypeCode>{one['package_kind']}</TypeCode>"
        f"</Packaging><Commodity><Description>{one['description']}</Description><Classification><ID>{one['hs_code']}</ID>"
        f"</Classification></Commodity><Origin><CriterionCode>{one['criterion']}</CriterionCode></Origin><GoodsMeasure>"
        f'<TariffQuantity unitCode="{one["unit"]}">{one["quantity"]}</TariffQuantity><GrossMassMeasure>{one["gross_weight_kg"]}'
        f"</GrossMassMeasure></GoodsMeasure>{value if fob else ''}<Invoice><ID>{one['invoice_number']}</ID><IssueDate>"
        f"{one['invoice_date']}</IssueDate></Invoice></GovernmentAgencyGoodsItem>"
    )


def text_of(root: Any, name: str) -> str:
    """The text of an element of a message's envelope or receipt."""
    return str(root.findtext(f".//{{{MSG}}}{name}"))


class Signatures:
    """Signs with one key, and verifies with the certificate of one partner."""

    def __init__(self, certificate: Path, key: Path, partner: Path) -> None:
        loaded = load_pem_private_key(key.read_bytes(), password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key = loaded
        own = x509.load_pem_x509_certificate(certificate.read_bytes())
        self._certificate = base64.encodebytes(own.public_bytes(Encoding.DER)).decode()
        public = x509.load_pem_x509_certificate(partner.read_bytes()).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        self._partner = public

    def sign(self, kind: str, content: str, envelope: Mapping[str, object]) -> bytes:
        """A signed message. `envelope`: id, sender, receiver, at, reference."""
        message = (
            f'<Message xmlns="{MSG}"><MessageID>{envelope["id"]}</MessageID><Kind>{kind}</Kind><Sender>'
            f"<CountryCode>{envelope['sender']}</CountryCode></Sender><Receiver><CountryCode>{envelope['receiver']}"
            f"</CountryCode></Receiver><SentAt>{envelope['at']}</SentAt><Reference>{envelope['reference']}</Reference>"
            f"<TransmissionNumber>1</TransmissionNumber><{kind}>{content}</{kind}></Message>"
        )
        canonical = _canonical(etree.fromstring(message))
        info = SIGNED_INFO.format(digest=base64.b64encode(hashlib.sha256(canonical).digest()).decode())
        r, s = decode_dss_signature(self._key.sign(info.encode(), ec.ECDSA(SHA256())))
        value = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
        inside = info.replace(f' xmlns:ds="{DS}"', "", 1)  # the element around it declares the prefix
        signature = SIGNATURE.format(info=inside, value=value, certificate=self._certificate)
        return canonical.removesuffix(b"</Message>") + signature.encode() + b"</Message>"

    def verify(self, raw: bytes) -> Any:
        """The root of a genuine message. Raises ValueError, InvalidSignature."""
        root = etree.fromstring(raw)
        signature = root.find(f"{{{DS}}}Signature")
        info = signature.find(f"{{{DS}}}SignedInfo")
        value = base64.b64decode(signature.findtext(f"{{{DS}}}SignatureValue"))
        r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
        self._partner.verify(encode_dss_signature(r, s), _canonical(info), ec.ECDSA(SHA256()))
        root.remove(signature)
        digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
        if digest != info.findtext(f".//{{{DS}}}DigestValue"):
            raise ValueError("the digest is another one")
        return root


def _canonical(element: Any) -> bytes:
    text: bytes = etree.tostring(element, method="c14n", exclusive=True)
    return text


class Http:
    """Sends requests over connections that stay open."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, host: str, port: int, path: str, body: bytes) -> bytes:
        """The body of the answer."""
        self._idle = [each for each in self._idle if not each[0].at_eof()]  # customs close a connection after a while
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(host, port, ssl=self._tls)
        head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/xml\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await _read(reader)
        self._idle.append((reader, writer))
        assert answer is not None
        return answer

    async def aclose(self) -> None:
        """Closes the connections."""
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


async def serve(port: int, tls: ssl.SSLContext | None, answer: Answer) -> None:
    """Answers every POST with `answer`, and every GET with an empty body."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (body := await _read(reader)) is not None:
            answered = await answer(body) if body else b""
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(answered)}\r\n\r\n".encode() + answered)
        writer.close()

    await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls)


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """The body of a request or an answer; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    length = next((line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"0")
    return await reader.readexactly(int(length))
