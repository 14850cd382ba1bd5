"""The last step: everything in one view, what is missing, the fee, and the two buttons: save as draft, and submit."""

from datetime import date
from hashlib import sha256
from uuid import UUID

from starlette.responses import Response

from services.portal.draft_checks import linked, must_be_corrected, problems_of
from services.portal.drafts import FIELDS_OF_AN_ITEM, ITEM, PARTIES, TRANSPORT, Draft
from services.portal.filing_places import address_of, label, where
from services.portal.forms import FormInvalid
from services.portal.pages.filing import THEN, filing_page, listed_forms, load, sent_already, show_step, store
from services.portal.settings import PREFIX
from services.portal.visit import Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.certificates.checking import CheckLevel
from shared.contracts.certificates.issuing import (
    CertificateState,
    Consignment,
    DraftCertificate,
    GetCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.contracts.fees import FeeQuote, QuotedGoods, QuoteFee
from shared.contracts.roles import Role

TAKEN = "certificate_id_taken"
ITEMS_SHOWN = 50


async def show_review(visit: Visit) -> Response:
    """All boxes, what is missing or to correct, what to check, and the fee."""
    draft = await load(visit)
    if elsewhere := await sent_already(visit, draft):
        return elsewhere
    consignment, problems = draft.checked(visit.language)
    found = await problems_of(visit, draft)
    wrong = must_be_corrected(found)
    names = {field for field, _ in problems} | {field for each in wrong for field in each.fields}
    known = [(field, sentence) for field, sentence in visit.form.errors if field and field not in names]
    quote = await quote_of(visit, draft, consignment) if consignment else None
    missing = [(where(draft.form_id, field), label(visit.language, field), text) for field, text in problems + known]
    forms = await listed_forms(visit)
    return await show_step(
        visit,
        "filing_review.html",
        draft,
        "review",
        found,
        missing=missing + linked(visit, draft.form_id, wrong),
        to_check=linked(visit, draft.form_id, [each for each in found if each not in wrong]),
        may_save=consignment is not None and all(each.level != CheckLevel.DRAFT for each in wrong),
        quote=quote,
        chosen_form=next((each for each in forms if each.form == draft.form), None),
        changed=await _changed_since(visit, draft),
        day=lambda text: _day(visit, text),
        shown=draft.numbers[:ITEMS_SHOWN],
        may_submit=visit.someone.has(Role.SIGNATORY),
    )


def _day(visit: Visit, text: str) -> str:
    """A typed date as people read it, or as it was typed."""
    try:
        return visit.language.date(date.fromisoformat(text))
    except ValueError:
        return text or "–"


async def quote_of(visit: Visit, draft: Draft, consignment: Consignment) -> FeeQuote | None:
    """What the certificate would cost today; None if the fees do not answer."""
    goods = [
        QuotedGoods(
            hs_code=item.hs_code,
            handicraft=draft.about(number, "handicraft") == "yes",
            quantity=item.quantity,
            unit=item.unit,
        )
        for number, item in enumerate(consignment.items)
    ]
    try:
        found: FeeQuote = await visit.ask(QuoteFee(form=draft.form, goods=tuple(goods)))
    except (AskRefused, NobodyAnswers, TimeoutError):
        return None
    return found


async def _changed_since(visit: Visit, draft: Draft) -> bool:
    """Whether the revised certificate was changed by another person since this form was begun."""
    if not draft.revises:
        return False
    state: CertificateState = await visit.ask(GetCertificate(certificate_id=draft.certificate_id))
    return str(state.version) != draft.value("certificate_version")


async def send(visit: Visit) -> Response:
    """Drafts or revises the certificate, and submits it if that was chosen. Sent twice, it happens once."""
    draft, submits = await load(visit), visit.form.text(THEN) == "submit"
    if elsewhere := await sent_already(visit, draft):
        return elsewhere
    consignment, _ = draft.checked(visit.language)
    if consignment is None:
        raise FormInvalid
    visit.form.defaults(dict.fromkeys((*PARTIES, *TRANSPORT), ""))
    known = ((number, name) for number in draft.numbers for name in FIELDS_OF_AN_ITEM)
    visit.form.defaults({f"{ITEM}.{number}.{name}": draft.of(number, name) for number, name in known})
    visit.form.defaults(draft.fields)
    state = await _kept(visit, draft, consignment)
    if draft.revises:  # the form knows its own change from that of another person
        await store(visit, draft.changed({"certificate_version": str(state.version)}))
    if submits:
        state = await visit.ask(
            SubmitCertificate(certificate_id=state.certificate_id, command_id=visit.form.command_id(f"submit {state.version}"))
        )
    await visit.saved.forget(visit.someone.user_id, address_of(draft.form_id))
    return visit.go(f"{PREFIX}/certificates/{state.certificate_id}", done="submitted" if submits else "saved")


async def _kept(visit: Visit, draft: Draft, consignment: Consignment) -> CertificateState:
    """The certificate with this content: drafted, or revised if it is there already."""
    content = sha256(consignment.model_dump_json().encode()).hexdigest()
    if not draft.revises:
        exporter_id = UUID(draft.value("exporter") or str(visit.company))
        try:
            drafted: CertificateState = await visit.ask(
                DraftCertificate(
                    command_id=visit.form.command_id(f"draft {content}"),
                    certificate_id=draft.certificate_id,
                    exporter_id=exporter_id,
                    form=draft.form,
                    consignment=consignment,
                    replaces=draft.replaces,
                )
            )
        except AskRefused as refused:
            if refused.refusal.code != TAKEN:
                raise
        else:
            return drafted
    revised: CertificateState = await visit.ask(
        ReviseCertificate(
            command_id=visit.form.command_id(f"revise {content}"),
            certificate_id=draft.certificate_id,
            consignment=consignment,
        )
    )
    return revised


routes = [filing_page("/review", show_review, send)]
