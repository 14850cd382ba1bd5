"""The X.509 certificates of one instance: an authority, a TLS certificate for each machine, a signer for each country."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both as PEM."""

    certificate: bytes
    key: bytes


def authority() -> Pair:
    """The certificate authority of one instance, which signs the TLS certificates of its machines."""
    return _issued("CO authority", x509.BasicConstraints(ca=True, path_length=0), _usage("key_cert_sign", "crl_sign"))


def machine(host: str, by: Pair) -> Pair:
    """A TLS certificate of a machine for its name, `localhost` and 127.0.0.1, for servers and clients."""
    names = sorted({host, "localhost"})
    return _issued(
        host,
        x509.BasicConstraints(ca=False, path_length=None),
        _usage("digital_signature"),
        x509.SubjectAlternativeName([*map(x509.DNSName, names), x509.IPAddress(IPv4Address("127.0.0.1"))]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
        by=by,
    )


def document_signer(country: str) -> Pair:
    """A self-signed certificate for the signatures of the messages of a country's gateway."""
    return _issued(
        f"CO gateway {country}",
        x509.BasicConstraints(ca=False, path_length=None),
        _usage("digital_signature", "content_commitment"),
        country=country,
    )


def document_authority(country: str, *, since: datetime | None = None) -> Pair:
    """A test authority for the seals of documents. In production a recognised authority certifies the offices' keys."""
    name = f"CO document authority {country} (test)"
    return _issued(
        name, x509.BasicConstraints(ca=True, path_length=0), _usage("key_cert_sign", "crl_sign"), country=country, since=since
    )


def document_keystore(office: str, country: str, by: Pair, password: bytes, *, since: datetime | None = None) -> bytes:
    """A new key of an office that seals documents, with its certificate and that of the authority, as PKCS#12."""
    pair = _issued(
        f"CO office {office}",
        x509.BasicConstraints(ca=False, path_length=None),
        _usage("digital_signature", "content_commitment"),
        by=by,
        country=country,
        since=since,
    )
    key = load_pem_private_key(pair.key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate, authority = map(x509.load_pem_x509_certificate, (pair.certificate, by.certificate))
    encrypted = BestAvailableEncryption(password)
    return pkcs12.serialize_key_and_certificates(office.encode(), key, certificate, [authority], encrypted)


def document_key_id(office: str, keystore: bytes, password: bytes) -> str:
    """The id of a key that seals documents. Raises ValueError."""
    _, certificate, _ = pkcs12.load_key_and_certificates(keystore, password)
    if certificate is None:
        raise ValueError(f"the key of {office} has no certificate")
    return f"{office}-{certificate.fingerprint(SHA256()).hex()[:8]}"


def _issued(
    name: str,
    *extensions: x509.ExtensionType,
    by: Pair | None = None,
    country: str | None = None,
    since: datetime | None = None,
) -> Pair:
    """A new P-256 key and its certificate, signed by `by` or self-signed. It is valid for ten years from now, or `since`."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = {NameOID.COUNTRY_NAME: country, NameOID.COMMON_NAME: name}
    subject = issuer = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items() if value])
    signer = key
    if by is not None:
        loaded = load_pem_private_key(by.key, password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        issuer, signer = x509.load_pem_x509_certificate(by.certificate).subject, loaded
    now = since or datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints | x509.KeyUsage))
    return Pair(
        builder.sign(signer, SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    purposes = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{purpose: purpose in allowed for purpose in purposes})
