"""People with a mailbox, a password and an authenticator."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyotp
from joserfc.jwk import OKPKey
from sqlalchemy import select

from cli.demo.accounts import Mailbox
from services.registry.handlers import router
from services.registry.identity.authenticators import Authenticators
from services.registry.identity.domain.user import COMPANY_ROLES, Status, User
from services.registry.identity.link_emails import Portal
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.relying_party import RelyingParty
from services.registry.identity.signing_keys import SigningKeys
from services.registry.identity.store.attempts import of_address
from services.registry.identity.tables import failed_attempts
from services.registry.identity.users import FirstAdministrator
from services.registry.mail.transport import Mailer, MailFolder
from services.registry.settings import reference_data
from shared.contracts.messages import Command, Request
from shared.contracts.registry.identity import Decision, GiveStepUp, OpenSession, RefreshSession, Session
from shared.contracts.registry.passkeys import AddPasskey, BeginPasskey, ChallengeSignIn, ChallengeStepUp
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor
from shared.contracts.registry.users import AcceptInvitation, InviteOfficer
from shared.security.step_up import digest_of
from tests.support.service_under_test import ServiceUnderTest, a_service_under_test
from tests.support.software_passkey import ORIGIN, SoftwarePasskey

PASSPHRASE = "correct horse battery"
FIRST_EMAIL, FIRST_PASSWORD = "administrator@ministry.example", "first password of all"
CHEAP = {"memory_kib": 64, "passes": 1}
"""The cost of a hash in a test that is not about it."""


@asynccontextmanager
async def a_registry(
    root: Path,
    keys: SigningKeys | None = None,
    passwords: Passwords | None = None,
    database_url: str | None = None,
    origin: str = ORIGIN,
) -> AsyncIterator[ServiceUnderTest]:
    """Registry after its start. `origin`: where passkeys are used."""
    tools = (
        passwords or Passwords(**CHEAP),
        Authenticators(os.urandom(32)),
        keys or SigningKeys.of(OKPKey.generate_key("Ed25519")),
        Mailer(MailFolder(root / "mail", "registry@ministry.example")),
        Portal(),
        RelyingParty(rp_id="localhost", name="CO Automation", origins=[origin], key=os.urandom(32)),
        FirstAdministrator(FIRST_EMAIL, FIRST_PASSWORD, office="PNH"),
        Mailbox(root / "mail"),
        *reference_data(),
    )
    async with a_service_under_test("registry", router, root, *tools, database_url=database_url) as service:
        await service.start()
        yield service


@dataclass
class Human:
    """A person with an account, perhaps an authenticator, and the present session."""

    service: ServiceUnderTest
    email: str
    password: str = PASSPHRASE
    session: Session | None = None
    totp: pyotp.TOTP | None = None
    passkey: SoftwarePasskey = field(default_factory=SoftwarePasskey)
    added: Any = None

    def code(self, ahead: int = 0) -> str:
        """The code of the authenticator."""
        assert self.totp
        return self.totp.generate_otp(int(self.service.clock.now().timestamp()) // 30 + ahead)

    async def sign_in(self, **changes: Any) -> Any:
        """Signs in, and keeps the session where there is one."""
        code = {"code": self.code()} if self.totp and "passkey" not in changes else {}
        answer = await self.service.ask(OpenSession(**{"email": self.email, "password": self.password} | code | changes))
        if isinstance(answer, Session):
            self.session = answer
        return answer

    async def ask(self, request: Request, step_up: str | None = None) -> Any:
        """Asks with the token of the present session."""
        assert self.session
        return await self.service.ask_raw(type(request), request.model_dump_json().encode(), self.session.token, step_up)

    async def refresh(self, token: str | None = None) -> Any:
        """Refreshes the session, and keeps the new tokens."""
        assert self.session
        answer = await self.service.ask(RefreshSession(refresh_token=token or self.session.refresh_token))
        if getattr(answer, "session", None):
            self.session = answer.session
        return answer

    async def enrol(self) -> tuple[str, ...]:
        """Sets up the authenticator; returns the recovery codes."""
        offer = await self.ask(EnrolSecondFactor(password=self.password))
        self.totp = pyotp.parse_uri(offer.otpauth)
        confirmed = await self.ask(ConfirmSecondFactor(code=self.code()))
        await self.refresh()
        self.later()
        return confirmed.recovery_codes

    async def add_passkey(self, device: SoftwarePasskey | None = None, **proof: Any) -> SoftwarePasskey:
        """Registers a passkey, and refreshes the session."""
        device = device or SoftwarePasskey()
        begun = await self.ask(BeginPasskey(password=self.password, **proof))
        self.added = await self.ask(AddPasskey(name="ទូរសព្ទ", response=device.created(begun.options)))
        await self.refresh()
        return device

    async def sign_in_with(self, passkey: SoftwarePasskey, **changes: Any) -> Any:
        """Signs in with a passkey."""
        challenge = await self.service.ask(ChallengeSignIn(email=self.email))
        return await self.sign_in(code=None, passkey=passkey.answered(challenge.options), **changes)

    async def step_up_with(self, passkey: SoftwarePasskey, *commands: Command) -> Any:
        """Gets a confirmation of these commands by a passkey."""
        decisions = tuple(Decision(act=command.subject, digest=digest_of(command)) for command in commands)
        challenge = await self.ask(ChallengeStepUp(decisions=decisions))
        return await self.ask(GiveStepUp(passkey=passkey.answered(challenge.options), decisions=decisions))

    async def step_up(self, *commands: Command, code: str | None = None) -> Any:
        """Gets a confirmation of these commands."""
        decisions = tuple(Decision(act=command.subject, digest=digest_of(command)) for command in commands)
        return await self.ask(GiveStepUp(code=code or self.code(), decisions=decisions))

    async def confirm(self, command: Command) -> Any:
        """Asks with a confirmation, and waits for the next code."""
        answer = await self.ask(command, (await self.step_up(command)).token)
        self.later()
        return answer

    def later(self, seconds: float = 30) -> None:
        """Moves the clock."""
        self.service.clock.instant += timedelta(seconds=seconds)


def mailbox(service: ServiceUnderTest) -> Mailbox:
    """The folder of e-mails."""
    return service.context.use(Mailbox)


async def the_administrator(service: ServiceUnderTest) -> Human:
    """The first administrator, signed in, with a second factor."""
    administrator = Human(service, FIRST_EMAIL, FIRST_PASSWORD)
    await administrator.sign_in()
    await administrator.enrol()
    return administrator


def an_invitation(**changes: Any) -> InviteOfficer:
    defaults = {"user_id": uuid4(), "name": "សុខ វណ្ណា", "email": f"{uuid4().hex[:12]}@ministry.example"}
    return InviteOfficer(**defaults | {"roles": ["approver"], "office": "PNH"} | changes)


async def an_officer(service: ServiceUnderTest, administrator: Human, *roles: str, office: str = "PNH") -> Human:
    """An officer who followed the invitation, set up the second factor, and is signed in."""
    invitation = an_invitation(roles=roles or ["approver"], office=office)
    await administrator.confirm(invitation)
    await service.do_tasks()
    token = mailbox(service).link(invitation.email, "invitation")
    await service.ask(AcceptInvitation(token=token, password=PASSPHRASE))
    officer = Human(service, invitation.email)
    await officer.sign_in()
    await officer.enrol()
    return officer


async def somebody_of_a_company(service: ServiceUnderTest, *roles: str, company: UUID | None = None) -> Human:
    """A person of a company, signed in."""
    email = f"{uuid4().hex[:12]}@company.example"
    password_hash = await service.context.use(Passwords).hash(PASSPHRASE)
    async with service.work() as work:
        organisation = str(company or uuid4())
        work.session.add(
            User(
                user_id=uuid4(),
                name="ចាន់ ដារ៉ា",
                email=email,
                password_hash=password_hash,
                organisation=organisation,
                roles=sorted(roles or COMPANY_ROLES),
                status=Status.ACTIVE,
            )
        )
    human = Human(service, email)
    await human.sign_in()
    return human


async def failed_attempts_from(service: ServiceUnderTest, address: str) -> int:
    """The number of failed attempts from an address."""
    async with service.work() as work:
        mine = failed_attempts.c.whose == of_address(address)
        return await work.session.scalar(select(failed_attempts.c.failures).where(mine)) or 0
