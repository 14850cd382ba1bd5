"""`co certificate`: fetches the document of a certificate, and checks a document."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import httpx
from cyclopts import App, Parameter

from cli.commands.imports import Importer as Reader
from cli.demo.accounts import AccountClient
from cli.output import plain
from cli.target import CommandFailed, Where
from deploy.embedded.layout import Layout
from shared.contracts.certificates.documents import FormD
from shared.contracts.certificates.lists import Certificates, ListCertificates
from shared.contracts.certificates.sealing import (
    CertificateCredential,
    CertificateDocument,
    GetCertificateCredential,
    GetCertificateDocument,
    credential_with_proof,
)
from shared.xml.documents import write_document

PATIENCE = 20.0

app = App(name="certificate", help="The documents of certificates: fetch one, check one.")


@app.command
async def fetch(
    reference: str,
    *,
    by: Reader,
    where: Where | None = None,
    to: Path = Path(),
) -> None:
    """Fetch the sealed PDF of a certificate, its data as JSON and XML, and its verifiable credential.

    Parameters
    ----------
    reference
        The reference of the certificate.
    to
        The folder for `REFERENCE.pdf`, `REFERENCE.json`, `REFERENCE.credential.json`, and `REFERENCE.xml` if the certificate
        is exchanged.
    """
    target = (where or Where()).target("portal")
    async with target.bus_client(PATIENCE) as bus:
        client = await AccountClient.begin(bus, by.account())
        found: Certificates = await client.ask(ListCertificates(search=reference, limit=2))
        exact = [each for each in found.certificates if each.reference == reference]
        if not exact:
            raise CommandFailed(f"{by.email} sees no issued certificate {reference}.")
        certificate_id = exact[0].certificate_id
        pdf, size = b"", 1
        while len(pdf) < size:
            question = GetCertificateDocument(certificate_id=certificate_id, offset=len(pdf))
            part: CertificateDocument = await client.ask(question)
            pdf, size = pdf + part.chunk, part.size
        wanted = GetCertificateCredential(certificate_id=certificate_id)
        data: CertificateCredential = await client.ask(wanted)
        while data.next is not None:
            more: CertificateCredential = await client.ask(wanted.model_copy(update={"offset": data.next}))
            data = data.model_copy(update={"credential": data.credential + more.credential, "next": more.next})
    files = {f"{reference}.pdf": pdf, f"{reference}.json": data.model_dump_json(indent=2).encode()}
    if data.channel is not None:
        files[f"{reference}.xml"] = write_document(FormD.model_validate_json(data.document))
    if credential := credential_with_proof(data):
        files[f"{reference}.credential.json"] = json.dumps(credential, indent=2, ensure_ascii=False).encode()
    for name, content in files.items():
        await asyncio.to_thread((to / name).write_bytes, content)
        plain().print(f"wrote {to / name}")


@app.command
def check(
    document: str,
    code: str | None = None,
    *,
    at: Annotated[str | None, Parameter(env_var="CO_PUBLIC_ADDRESS")] = None,
    ca_file: Path | None = None,
    authority: Path | None = None,
    root: Path = Path("var"),
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Check a PDF or XML, the text of a QR code, or a reference with its verification code. Exits with 1 if it is not valid.

    The seal of a PDF is checked offline if the certificate of the authority is at hand.

    Parameters
    ----------
    document
        A file, the text of a QR code, or a reference.
    code
        The verification code of a reference.
    at
        The address of the public site. Default: the site that runs under `--root`.
    ca_file
        The authority of the site's TLS certificate, if it is not a public one.
    authority
        The certificate of the authority that certifies the offices' keys, as PEM.
    """
    file = Path(document)
    is_file = len(document) < 1000 and file.is_file()
    authority = authority or Layout(root).secrets.document_authority
    found: dict[str, Any] = {}
    content = file.read_bytes() if is_file else b""
    if content.startswith(b"%PDF") and authority.is_file():
        from cli.seal_of_pdf import seal_of

        seal = seal_of(content, authority.read_bytes())
        found["seal"] = {"intact": not seal.why, "why": seal.why, "by": seal.by, "time_stamped": seal.time_stamped}
    address = at or _running_site(root)
    if address:
        found["site"] = _ask(address, document, code, content if is_file else None, ca_file)
    if not found:
        raise CommandFailed("Give --at, the address of the public site, or --authority, to check a PDF offline.")
    good = found.get("seal", {}).get("intact", True) and found.get("site", {}).get("verdict", "valid") == "valid"
    if as_json:
        plain().print(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)
    return 0 if good else 1


def _running_site(root: Path) -> str | None:
    try:
        return Layout.of_running(root).public_address or None
    except FileNotFoundError:
        return None


def _ask(address: str, document: str, code: str | None, content: bytes | None, ca_file: Path | None) -> dict[str, Any]:
    """The verdict of the public site. Raises CommandFailed."""
    url, headers = f"{address.rstrip('/')}/verify", {"accept": "application/json"}
    try:
        with httpx.Client(verify=str(ca_file) if ca_file else True, timeout=30, headers=headers) as client:
            if content is not None:
                answer = client.post(url, files={"file": ("certificate", content)})
            elif code is not None:
                answer = client.get(url, params={"reference": document, "code": code})
            else:
                answer = client.get(url, params={"q": document})
            verdict: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise CommandFailed(f"{url} does not answer the check ({type(error).__name__}).") from None
    if "verdict" not in verdict:
        raise CommandFailed(f"{url} refuses the check: {verdict.get('detail', answer.status_code)}")
    return verdict


def _print(found: dict[str, Any]) -> None:
    console = plain()
    if seal := found.get("seal"):
        stamped = ", with a time stamp" if seal["time_stamped"] else ""
        console.print(f"seal: intact, by {seal['by']}{stamped}" if seal["intact"] else f"seal: refused, {seal['why']}")
    if site := found.get("site"):
        about = f" {site['reference']}" if site["reference"] else ""
        console.print(f"{site['title']['en']}{about}: {site['meaning']['en']}")
        if site["valid_until"]:
            console.print(f"issued {site['issued_on']}, valid until {site['valid_until']}, destination {site['destination']}")
        if document := site["document"]:
            console.print(f"exporter {document['exporter']}; consignee {document['consignee']}; items {document['items']}")
