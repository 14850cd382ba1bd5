"""People at the desk of registry: with a mailbox, a password and an authenticator of their own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyotp
from joserfc.jwk import OKPKey
from sqlalchemy import select

from cli.demo.accounts import Mailbox
from services.registry.authenticators import Authenticators
from services.registry.catalogue import Catalogue
from services.registry.domain.user import COMPANY_ROLES, Status, User
from services.registry.handlers import router
from services.registry.passwords import Passwords
from services.registry.post import Post, PostOnDisk
from services.registry.settings import Issuer
from services.registry.signing_keys import SigningKeys
from services.registry.store.tables import wrong_tries
from services.registry.store.tries import of_address
from shared.contracts.messages import Command, Request
from shared.contracts.registry.identity import Decision, GiveStepUp, OpenSession, RefreshSession, Session
from shared.contracts.registry.second_factor import ConfirmSecondFactor, EnrolSecondFactor
from shared.contracts.registry.users import AcceptInvitation, InviteOfficer
from shared.security.step_up import digest_of
from tests.support.service_under_test import ServiceUnderTest, a_service_under_test

PASSPHRASE = "correct horse battery"
FIRST_EMAIL, FIRST_PASSWORD = "administrator@ministry.example", "first password of all"
CHEAP = {"memory_kib": 64, "passes": 1}
"""What a password costs in a test that is not about its cost."""


@asynccontextmanager
async def a_registry(
    root: Path, keys: SigningKeys | None = None, passwords: Passwords | None = None, database_url: str | None = None
) -> AsyncIterator[ServiceUnderTest]:
    """Registry as it has just been started."""
    issuer = Issuer(keys or SigningKeys.of(OKPKey.generate_key("Ed25519")), "KH", "PNH", FIRST_EMAIL, FIRST_PASSWORD)
    post = Post(PostOnDisk(root / "mail", "registry@ministry.example"))
    tools = (
        passwords or Passwords(**CHEAP),
        Authenticators(os.urandom(32)),
        post,
        issuer,
        Catalogue.load(),
        Mailbox(root / "mail"),
    )
    async with a_service_under_test("registry", router, root, *tools, database_url=database_url) as service:
        await service.start()
        yield service


@dataclass
class Human:
    """Somebody with an account, an authenticator where they set one up, and the session they are in."""

    service: ServiceUnderTest
    email: str
    password: str = PASSPHRASE
    session: Session | None = None
    totp: pyotp.TOTP | None = None

    def code(self, ahead: int = 0) -> str:
        """What the authenticator shows."""
        assert self.totp
        return self.totp.generate_otp(int(self.service.clock.now().timestamp()) // 30 + ahead)

    async def sign_in(self, **changes: Any) -> Any:
        """Signs in, and keeps the session where there is one."""
        code = {"code": self.code()} if self.totp else {}
        answer = await self.service.ask(OpenSession(**{"email": self.email, "password": self.password} | code | changes))
        if isinstance(answer, Session):
            self.session = answer
        return answer

    async def ask(self, request: Request, step_up: str | None = None) -> Any:
        """Asks with the token of the present session."""
        assert self.session
        return await self.service.ask_raw(type(request), request.model_dump_json().encode(), self.session.token, step_up)

    async def refresh(self, token: str | None = None) -> Any:
        """The next tokens; keeps them where there are any."""
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

    async def step_up(self, *commands: Command, code: str | None = None) -> Any:
        """Confirms what was decided."""
        decisions = tuple(Decision(act=command.subject, digest=digest_of(command)) for command in commands)
        return await self.ask(GiveStepUp(code=code or self.code(), decisions=decisions))

    async def confirm(self, command: Command) -> Any:
        """Asks with a confirmation; afterwards the authenticator shows another code."""
        answer = await self.ask(command, (await self.step_up(command)).token)
        self.later()
        return answer

    def later(self, seconds: float = 30) -> None:
        """Time passes."""
        self.service.clock.instant += timedelta(seconds=seconds)


def mailbox(service: ServiceUnderTest) -> Mailbox:
    """Where the letters of a desk are."""
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


async def an_officer(service: ServiceUnderTest, administrator: Human, *roles: str) -> Human:
    """An officer who followed the invitation, set up the second factor, and is signed in."""
    invitation = an_invitation(roles=roles or ["approver"])
    await administrator.confirm(invitation)
    await service.do_tasks()
    token = mailbox(service).link(invitation.email, "invitation")
    await service.ask(AcceptInvitation(token=token, password=PASSPHRASE))
    officer = Human(service, invitation.email)
    await officer.sign_in()
    await officer.enrol()
    return officer


async def somebody_of_a_company(service: ServiceUnderTest, *roles: str, company: UUID | None = None) -> Human:
    """Somebody with a company's account, signed in."""
    email = f"{uuid4().hex[:12]}@company.example"
    password_hash = await service.context.use(Passwords).hash(PASSPHRASE)
    async with service.work() as work:
        organisation = str(company or uuid4())
        work.session.add(
            User(uuid4(), "ចាន់ ដារ៉ា", email, password_hash, organisation, sorted(roles or COMPANY_ROLES), Status.ACTIVE)
        )
    human = Human(service, email)
    await human.sign_in()
    return human


async def wrong_tries_from(service: ServiceUnderTest, address: str) -> int:
    """How many tries to sign in from an address count as wrong."""
    async with service.work() as work:
        mine = wrong_tries.c.whose == of_address(address)
        return await work.session.scalar(select(wrong_tries.c.failures).where(mine)) or 0
