"""The forms that an exporter can choose, and those that are not available yet."""

from services.certificates.domain.form import Form
from services.certificates.form_files import FormFile
from services.certificates.reference_data import ReferenceData
from shared.contracts.certificates.forms import ListedForm, ListedForms, ListForms
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListForms)
async def list_forms(question: ListForms, work: Work) -> ListedForms:
    """Which forms are there, and which can be chosen today?"""
    data = work.use(ReferenceData)
    listed = [_listed(file, data.find_form(file.form, work.today), work.country) for file in data.form_files]
    return ListedForms(forms=sorted(listed, key=lambda each: (not each.available, not each.preferential, each.form)))


def _listed(file: FormFile, form: Form | None, origin: str) -> ListedForm:
    head = {
        "form": file.form,
        "title": file.title.model_dump(),
        "agreement": file.agreement,
        "preferential": file.preferential,
        "available": form is not None,
    }
    if form is None:
        return ListedForm.model_validate(head)
    return ListedForm(
        **head,
        destinations=sorted(form.members - {origin}),
        criteria=sorted(form.criteria),
        back_to_back=form.back_to_back,
        required_boxes=sorted(form.required_boxes),
        channel=form.channel,
        effective_from=form.effective_from,
    )
