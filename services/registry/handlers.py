"""What registry reacts to."""

from datetime import timedelta
from uuid import UUID, uuid4

from services.registry import store
from services.registry.domain import (
    COMPANY_ROLES,
    TOKEN_LASTS,
    OfficeMissing,
    Registration,
    SignInFailed,
    TaxNumberTaken,
    User,
    must_be_givable,
)
from services.registry.passwords import Passwords
from services.registry.settings import Issuer
from services.registry.store import registration_by_id
from shared.contracts.kinds import FileChunk, FileProgress
from shared.contracts.registry import (
    AddUser,
    ApplyForRegistration,
    ApproveRegistration,
    AttachRegistrationDocument,
    GetRegistration,
    GetRegistrationFile,
    OpenSession,
    PutRegistrationFile,
    RefuseRegistration,
    RegistrationApproved,
    RegistrationState,
    RevokeSession,
    Session,
    SessionEnded,
    SessionRevoked,
    UserState,
)
from shared.files import get_file, put_file, require_files
from shared.identity import Actor, public_jwk, sign_token
from shared.router import Router
from shared.work import Work

router = Router()

KEY_VALID = timedelta(days=365)


@router.answers(ApplyForRegistration)
async def apply_for_registration(command: ApplyForRegistration, work: Work) -> RegistrationState:
    """A company asks to be registered; sent twice, it is one application."""
    if known := await store.find_registration(work, command.exporter_id):
        first = await store.find_user_by_email(work, command.email)
        if first is None or first.organisation != str(command.exporter_id):
            raise TaxNumberTaken("This application id is in use.", "exporter_id")
        return state_of(known)
    password_hash = await work.outside(work.use(Passwords).hash, command.password)
    await store.must_be_free(work, email=command.email, tax_number=command.tax_number)

    registration = Registration(command.exporter_id, command.company_name, command.address, command.tax_number)
    administrator = User(
        user_id=uuid4(),
        name=command.administrator_name,
        email=command.email,
        password_hash=password_hash,
        organisation=str(command.exporter_id),
        roles=sorted(COMPANY_ROLES),  # whoever applies may do everything until colleagues are added (ours)
    )
    work.session.add_all([registration, administrator])
    return state_of(registration)


@router.answers(PutRegistrationFile)
async def put_registration_file(command: PutRegistrationFile, work: Work) -> FileProgress:
    """The applicant uploads a document, piece by piece."""
    work.actor.must_act_for(command.owner_id)
    return await put_file(command, work)


@router.answers(GetRegistrationFile)
async def get_registration_file(question: GetRegistrationFile, work: Work) -> FileChunk:
    """The applicant or an officer reads a document, piece by piece."""
    work.actor.may_read(question.owner_id, "registration_officer", "auditor")
    return await get_file(question, work)


@router.answers(AttachRegistrationDocument)
async def attach_registration_document(command: AttachRegistrationDocument, work: Work) -> RegistrationState:
    """The applicant names an uploaded file as a document of the registration."""
    registration = await registration_by_id(work, command.exporter_id)
    work.actor.must_act_for(registration.exporter_id)
    await require_files(registration.exporter_id, [command.sha256], work)

    registration.attach(command.kind, command.sha256)

    return state_of(registration)


@router.answers(ApproveRegistration)
async def approve_registration(command: ApproveRegistration, work: Work) -> RegistrationState:
    """An officer registers the company for a year."""
    work.actor.must_be("registration_officer")
    registration = await registration_by_id(work, command.exporter_id)

    registration.approve(on=work.today)

    work.announce(approved(registration, work))
    return state_of(registration)


@router.answers(RefuseRegistration)
async def refuse_registration(command: RefuseRegistration, work: Work) -> RegistrationState:
    """An officer refuses the application, with the reason."""
    work.actor.must_be("registration_officer")
    registration = await registration_by_id(work, command.exporter_id)

    registration.refuse(command.reason)

    return state_of(registration)


@router.answers(GetRegistration)
async def get_registration(question: GetRegistration, work: Work) -> RegistrationState:
    """Where does this registration stand?"""
    work.actor.may_read(question.exporter_id, "registration_officer", "administrator", "auditor")
    return state_of(await registration_by_id(work, question.exporter_id))


@router.answers(AddUser)
async def add_user(command: AddUser, work: Work) -> UserState:
    """An administrator gives a colleague an account; sent twice, it is one account."""
    work.actor.must_be("administrator", "company_administrator")
    by_ministry = "administrator" in work.actor.roles
    must_be_givable(set(command.roles), by_ministry=by_ministry)
    if by_ministry and command.office is None:
        raise OfficeMissing("", "office")
    organisation = str(command.office) if by_ministry else work.actor.organisation
    known = await store.find_user(work, command.user_id)
    if known is not None and (known.email, known.organisation) == (command.email, organisation):
        return user_state_of(known)
    password_hash = await work.outside(work.use(Passwords).hash, command.password)
    await store.must_be_free(work, email=command.email)

    user = User(command.user_id, command.name, command.email, password_hash, organisation, sorted(set(command.roles)))

    work.session.add(user)
    return user_state_of(user)


@router.answers(OpenSession)
async def open_session(command: OpenSession, work: Work) -> Session:
    """A person signs in and is given a token."""
    user = await store.find_user_by_email(work, command.email)
    right = await work.outside(work.use(Passwords).matches, user.password_hash if user else None, command.password)
    user = await store.find_user_by_email(work, command.email)
    if user is None or not right:
        raise SignInFailed("", "email", "password")

    actor = Actor(user.user_id, uuid4(), user.organisation, frozenset(user.roles))
    issuer = work.use(Issuer)
    return Session(
        session_id=actor.session_id,
        user_id=user.user_id,
        organisation=actor.organisation,
        roles=user.roles,
        token=sign_token(issuer.key, actor, audience=issuer.audience, now=work.now, lasts=TOKEN_LASTS),
        expires_at=work.now + TOKEN_LASTS,
    )


@router.answers(RevokeSession)
async def revoke_session(command: RevokeSession, work: Work) -> SessionEnded:
    """A person signs out; every service hears of it and refuses the token from then on."""
    session_id = work.actor.must_have_session()
    work.announce(SessionRevoked(session_id=session_id, until=work.now + TOKEN_LASTS, version=1, occurred_at=work.now))
    return SessionEnded(session_id=session_id)


@router.at_start
async def publish_signing_key(work: Work) -> None:
    """Every service learns the key that tokens are signed with."""
    key = work.use(Issuer).key
    if await store.is_new_key(work, key.thumbprint(), public_jwk(key), work.now, work.now + KEY_VALID):
        work.announce(await store.signing_key(work, key.thumbprint()))


@router.at_start
async def appoint_first_administrator(work: Work) -> None:
    """While nobody has an account, the ministry's administrator gets one, with the password from the secrets."""
    if await store.there_are_users(work):
        return
    issuer = work.use(Issuer)
    password_hash = await work.use(Passwords).hash(issuer.administrator_password)
    work.session.add(
        User(uuid4(), "Administrator", issuer.administrator_email, password_hash, issuer.head_office, ["administrator"])
    )


router.vouches("registered", store.active_registrations)


@router.reannounces("registration", store.active_registrations)
async def announce_registration(exporter_id: UUID, work: Work) -> None:
    """A company may ask for certificates."""
    work.announce(approved(await registration_by_id(work, exporter_id), work))


@router.reannounces("signing-key", store.key_ids)
async def announce_signing_key(key_id: str, work: Work) -> None:
    """Tokens are signed with this key."""
    work.announce(await store.signing_key(work, key_id))


@router.reannounces("session", store.revoked_session_ids)
async def announce_revoked_session(session_id: UUID, work: Work) -> None:
    """A session is over, and its last token not yet expired."""
    work.announce(await store.revoked_session(work, session_id))


def approved(registration: Registration, work: Work) -> RegistrationApproved:
    """What certificates must know of a registration."""
    valid_from, valid_until = registration.validity
    return RegistrationApproved(
        exporter_id=registration.exporter_id,
        name=registration.company_name,
        address=registration.address,
        valid_from=valid_from,
        valid_until=valid_until,
        version=registration.version,
        occurred_at=work.now,
    )


def state_of(registration: Registration) -> RegistrationState:
    """A registration as it is shown."""
    return RegistrationState(
        exporter_id=registration.exporter_id,
        company_name=registration.company_name,
        tax_number=registration.tax_number,
        status=registration.status,
        documents=sorted(registration.documents),
        valid_from=registration.valid_from,
        valid_until=registration.valid_until,
        reason=registration.reason,
        version=registration.version,
    )


def user_state_of(user: User) -> UserState:
    """A person as shown to whoever gave the account."""
    return UserState(user_id=user.user_id, name=user.name, organisation=user.organisation, roles=user.roles)
