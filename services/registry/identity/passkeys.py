"""Passkeys: people register them, see them and remove them; the challenges that passkeys answer."""

from uuid import UUID, uuid4

from services.registry.identity.domain.passkey import (
    MAX_PASSKEYS,
    Challenged,
    LastSecondFactor,
    Passkey,
    PasskeyNotFound,
    PasskeyTaken,
    PasskeyWrong,
    TooManyPasskeys,
)
from services.registry.identity.proofs import must_prove
from services.registry.identity.relying_party import NewCredential, RelyingParty, read_attestation
from services.registry.identity.second_factor_rules import SecondFactorRules
from services.registry.identity.store import users
from services.registry.identity.store.passkeys import count_passkeys, is_known, passkeys_of, use_challenge
from services.registry.identity.store.second_factors import has_second_factor, replace_recovery_codes
from services.registry.identity.views import passkey_state
from shared.contracts.registry.passkeys import (
    AddPasskey,
    BeginPasskey,
    ChallengeSecondFactor,
    ChallengeSignIn,
    ChallengeStepUp,
    ListPasskeys,
    PasskeyOptions,
    PasskeyRemoved,
    Passkeys,
    PasskeyState,
    RemovePasskey,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(BeginPasskey)
async def begin_passkey(command: BeginPasskey, work: Work) -> PasskeyOptions:
    """A person asks for a passkey. The thief of a session alone, or of a password alone, gets none."""
    user = await must_prove(command, BeginPasskey.subject, work)
    known = await passkeys_of(work, user.user_id)
    if len(known) >= MAX_PASSKEYS:
        raise TooManyPasskeys(limit=MAX_PASSKEYS)
    stated = Challenged.enrolment(user.user_id)
    return PasskeyOptions(options=work.use(RelyingParty).creation_options(stated, user, known, work.now))


@router.answers(AddPasskey)
async def add_passkey(command: AddPasskey, work: Work) -> PasskeyState:
    """A person's browser has created a passkey. From now on a second factor is required."""
    user = await users.user_by_id(work, work.actor.must_have_id())
    if await count_passkeys(work, user.user_id) >= MAX_PASSKEYS:
        raise TooManyPasskeys(limit=MAX_PASSKEYS)
    credential = await new_credential(command.response, user.user_id, work)

    passkey = Passkey(
        passkey_id=uuid4(),
        user_id=user.user_id,
        credential_id=credential.credential_id,
        public_key=credential.public_key,
        sign_count=credential.sign_count,
        name=command.name,
        created_at=work.now,
        transports=credential.transports,
    )
    work.session.add(passkey)
    return passkey_state(passkey)


@router.answers(ListPasskeys)
async def list_passkeys(question: ListPasskeys, work: Work) -> Passkeys:
    """Lists a person's passkeys."""
    mine = await passkeys_of(work, work.actor.must_have_id())
    return Passkeys(passkeys=tuple(passkey_state(passkey) for passkey in mine))


@router.answers(RemovePasskey)
async def remove_passkey(command: RemovePasskey, work: Work) -> PasskeyRemoved:
    """A person removes a passkey. The last second factor stays with people who must have one."""
    user = await must_prove(command, RemovePasskey.subject, work)
    mine = {passkey.passkey_id: passkey for passkey in await passkeys_of(work, user.user_id)}
    if command.passkey_id not in mine:
        raise PasskeyNotFound("passkey_id")

    await work.session.delete(mine[command.passkey_id])
    await work.session.flush()
    if not await has_second_factor(work, user.user_id):
        if work.use(SecondFactorRules).demand_of(user, work.today):
            raise LastSecondFactor("passkey_id")
        await replace_recovery_codes(work, user.user_id, [])
    return PasskeyRemoved(passkey_id=command.passkey_id)


@router.answers(ChallengeSignIn)
async def challenge_sign_in(question: ChallengeSignIn, work: Work) -> PasskeyOptions:
    """A challenge for a sign-in. No account is looked up: a stranger learns nothing."""
    stated = Challenged.sign_in(question.email)
    return PasskeyOptions(options=work.use(RelyingParty).request_options(stated, (), work.now))


@router.answers(ChallengeStepUp)
async def challenge_step_up(question: ChallengeStepUp, work: Work) -> PasskeyOptions:
    """A challenge that states the decisions of a person."""
    decisions = [(decision.act, decision.digest) for decision in question.decisions]
    return await own_options(Challenged.step_up(work.actor.must_have_id(), decisions), work)


@router.answers(ChallengeSecondFactor)
async def challenge_second_factor(question: ChallengeSecondFactor, work: Work) -> PasskeyOptions:
    """A challenge that states the command with which a person shows a passkey."""
    return await own_options(Challenged.change(work.actor.must_have_id(), question.act), work)


async def own_options(stated: Challenged, work: Work) -> PasskeyOptions:
    """A challenge for the passkeys of the person who asks. Raises PasskeyNotFound if there are none."""
    mine = await passkeys_of(work, work.actor.must_have_id())
    if not mine:
        raise PasskeyNotFound()
    return PasskeyOptions(options=work.use(RelyingParty).request_options(stated, mine, work.now))


async def new_credential(response: str, user_id: UUID, work: Work) -> NewCredential:
    """The credential in a browser's response. Raises PasskeyWrong or PasskeyTaken."""
    relying_party, read = work.use(RelyingParty), read_attestation(response)
    until = relying_party.expiry_of(read, Challenged.enrolment(user_id), work.now) if read else None
    credential = relying_party.new_credential(read) if read and until else None
    if read is None or until is None or credential is None or not await use_challenge(work, read.challenge, until):
        raise PasskeyWrong("response")
    if await is_known(work, credential.credential_id):
        raise PasskeyTaken("response")
    return credential
