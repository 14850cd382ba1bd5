"""A person's own account: the name of the company stands in it, and the person chooses the language."""

from uuid import UUID

from services.registry.companies.store import names_of
from services.registry.identity.domain.user import User
from services.registry.identity.second_factor_rules import SecondFactorRules
from services.registry.identity.store.passkeys import count_passkeys
from services.registry.identity.store.second_factors import has_second_factor
from services.registry.identity.store.users import user_by_id
from shared.contracts.registry.profiles import ChooseLanguage, GetProfile, ProfileState
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(GetProfile)
async def get_profile(question: GetProfile, work: Work) -> ProfileState:
    """Shows a person's own account. Its company need not be registered yet."""
    return await profile_of(await user_by_id(work, work.actor.must_have_id()), work)


@router.answers(ChooseLanguage)
async def choose_language(command: ChooseLanguage, work: Work) -> ProfileState:
    """A person chooses the language of notices, e-mails and pages."""
    user = await user_by_id(work, work.actor.must_have_id())

    user.choose_language(command.language)

    return await profile_of(user, work)


async def profile_of(user: User, work: Work) -> ProfileState:
    """A person's own account as it is shown."""
    company_id = UUID(user.organisation) if user.of_company else None
    names = await names_of(work, {company_id}) if company_id else {}
    return ProfileState(
        user_id=user.user_id,
        name=user.name,
        email=user.email,
        organisation=user.organisation,
        company_name=names.get(company_id) if company_id else None,
        roles=user.roles,
        language=user.language or "en",
        has_second_factor=await has_second_factor(work, user.user_id),
        passkeys=await count_passkeys(work, user.user_id),
        must_have_second_factor=work.use(SecondFactorRules).demand_of(user, work.today),
    )
