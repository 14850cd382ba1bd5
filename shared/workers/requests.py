"""Commands and questions in, answers or refusals out: one transaction each, and never silence."""

import hashlib
import logging
from collections.abc import Mapping
from time import perf_counter

from faststream.exceptions import SkipMessage
from faststream.nats import NatsMessage
from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from shared.observability import logs, metrics
from shared.bus.connection import FROM_HEADER, STEP_UP_HEADER, TOKEN_HEADER, TRACE_HEADER, asker_inboxes
from shared.contracts.messages import TRY_AGAIN, Command, Refusal, Request
from shared.database.engine import is_transient
from shared.handling.actor import NOBODY, Actor, NotSignedIn, OutsideMandate, SecondFactorMissing
from shared.security.tokens import Tokens
from shared.refusals import Refused, Unavailable
from shared.handling.router import Answering
from shared.security.step_up import use_step_up
from shared.database.tables import answers
from shared.database.upserts import insert_new
from shared.observability.tracing import OUTCOME, SUBJECT, span
from shared.audit_log.log import AuditEntry, acting
from shared.handling.work import Work, ServiceContext

log = logging.getLogger(__name__)

MAX_REQUEST = 900 * 1024
MAX_ANSWER = 1000 * 1024
MAX_FIELD = 200
"""Bytes of a request and of an answer; characters of the name of a field."""

INTERNAL_ERROR = "internal_error"


class CommandIdReused(Refused):
    """This command id was used before with another content: choose a new one."""

    code = "command_id_reused"


class TooLarge(Refused):
    """The request is too large: send files in chunks."""

    code = "request_too_large"


class Malformed(Refused):
    """The request is not of the form that its contract describes."""

    code = "malformed_request"


class ServiceRecovering(Refused):
    """This service came back from an older copy: nothing can be changed until its operators have confirmed."""

    code = "service_recovering"


class AnswerTooLarge(Refused):
    """The answer is larger than the bus carries: ask for less at a time."""

    code = "answer_too_large"


class RequestHandler:
    """Answers one class of request with its handler."""

    def __init__(self, request: type[Request], handler: Answering, context: ServiceContext, tokens: Tokens) -> None:
        self._request = request
        self._handler = handler
        self._context = context
        self._tokens = tokens
        self._inboxes = asker_inboxes(request)

    async def answer(self, message: NatsMessage) -> bytes:
        """The envelope for one raw message; a message without a reply subject below an asker's inbox is passed over.

        The bus does not check reply subjects: the answer would be published as whatever they name.
        """
        if not message.reply_to.startswith(self._inboxes):
            name = self._request.__name__
            log.warning("a request without an asker's inbox was passed over", extra={"request": name})
            metrics.requests.labels(name, "passed_over").inc()
            raise SkipMessage
        return await self.envelope(message)

    async def envelope(self, message: NatsMessage) -> bytes:
        """The answer or refusal for one raw message. Every error is mapped to a refusal, so that the caller hears of it."""
        name, headers, started = self._request.__name__, message.headers, perf_counter()
        with span(
            name, under=headers.get(TRACE_HEADER), kind=SpanKind.SERVER, attributes={SUBJECT: self._request.subject}
        ) as opened:
            try:
                answer = await self._answer(message.body, headers, opened)
                body = f'{{"answer":{answer}}}'
                outcome = "answered"
            except Exception as error:
                refusal = _refusal_of(error)
                outcome = refusal.code
                body = f'{{"refusal":{refusal.model_dump_json()}}}'
                if outcome in (INTERNAL_ERROR, TRY_AGAIN):
                    log.warning("a request failed", extra={"request": name}, exc_info=error)
            opened.set_attribute(OUTCOME, outcome)
        metrics.requests.labels(name, outcome).inc()
        metrics.request_seconds.labels(name).observe(perf_counter() - started)
        return body.encode()

    async def _answer(self, body: bytes, headers: Mapping[str, str], opened: Span) -> str:
        if len(body) > MAX_REQUEST:
            raise TooLarge(f"A request may have {MAX_REQUEST} bytes; this one has {len(body)}. Send files in chunks.")
        request, token = self._parsed(body), headers.get(TOKEN_HEADER)
        if isinstance(request, Command):
            if self._context.recovering and not request.while_recovering:
                raise ServiceRecovering()
            body_hash = hashlib.sha256(body).hexdigest()
            async with acting(request, headers.get(FROM_HEADER), self._context, _code_of) as act:
                try:
                    return await self._attempt(request, act, body_hash, headers, opened)
                except IntegrityError:  # somebody else's transaction was quicker: a rule can now say so
                    return await self._attempt(request, act, body_hash, headers, opened)
        async with self._context.reading(opened) as work:
            self._must_be_permitted(await self._sign_in(work, token))
            return await self._handle(request, work)

    async def _attempt(
        self, command: Command, act: AuditEntry, body_hash: str, headers: Mapping[str, str], opened: Span
    ) -> str:
        async with self._context.work(opened) as work:
            act.actor = await self._sign_in(work, headers.get(TOKEN_HEADER))
            self._must_be_permitted(act.actor)
            return await self._once(command, act, work, body_hash, headers.get(STEP_UP_HEADER))

    def _parsed(self, body: bytes) -> Request:
        try:
            return self._request.model_validate_json(body)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            fields = tuple(dict.fromkeys(".".join(map(str, fault["loc"]))[:MAX_FIELD] or "body" for fault in faults))[:50]
            rest = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
            raise Malformed(f"{fields[0]}: {faults[0]['msg']}{rest}."[:500], *fields) from None

    async def _sign_in(self, work: Work, token: str | None) -> Actor:
        actor = await self._tokens.actor(token, work.session, work.now)
        work.act_as(actor)
        logs.actor_id.set(actor.name)
        return actor

    def _must_be_permitted(self, actor: Actor) -> None:
        """Refuses whoever may not ask this at all; whose it is, is for the handler."""
        if self._request.anonymous:
            return
        if actor is NOBODY:
            raise NotSignedIn()
        if actor.enrolling and not self._request.while_enrolling:
            raise SecondFactorMissing()
        if actor.mandate and not self._request.under_mandate:
            raise OutsideMandate()
        if self._request.asked_by:
            actor.must_be(*sorted(self._request.asked_by))

    async def _once(self, command: Command, act: AuditEntry, work: Work, body_hash: str, step_up: str | None) -> str:
        """Does a command unless its answer is stored. The row is claimed first, so that a twin waits for it."""
        if command.secret:
            return await self._do(command, act, work, step_up)
        work.single_transaction = True
        key = {"actor": work.actor_name, "subject": command.subject, "command_id": command.command_id}
        same = [answers.c[column] == value for column, value in key.items()]
        claim = key | {"body_hash": body_hash, "answered_at": work.now}
        if not (await work.session.execute(insert_new(work.dialect, answers, [claim]))).all():
            stored = (await work.session.execute(select(answers).where(*same))).one()
            if stored.body_hash != body_hash:
                raise CommandIdReused()
            return str(stored.answer)
        answer = await self._do(command, act, work, step_up)
        await work.session.execute(update(answers).where(*same).values(answer=answer))
        return answer

    async def _do(self, command: Command, act: AuditEntry, work: Work, step_up: str | None) -> str:
        if command.step_up:
            await use_step_up(step_up, command, work, self._tokens)
        return await self._handle(command, work, act)

    async def _handle(self, request: Request, work: Work, act: AuditEntry | None = None) -> str:
        if certificate_id := getattr(request, "certificate_id", None):
            work.concerns(certificate_id)
            if isinstance(request, Command):
                await work.follows(certificate_id)
        answer = await self._handler(request, work)
        if not isinstance(answer, self._request.answer):
            raise TypeError(f"{self._request.__name__} is answered with {self._request.answer.__name__}")
        text = answer.model_dump_json()
        if len(text.encode()) > MAX_ANSWER:
            raise AnswerTooLarge()
        if act:
            await act.is_done(answer, work)
        return text


def _code_of(error: Exception) -> str:
    return _refusal_of(error).code


def _refusal_of(error: Exception) -> Refusal:
    """What the caller is told of an error: the rule, the fields, or only that it was not their fault."""
    if isinstance(error, Refused):
        return Refusal(code=error.code, detail=error.detail, fields=error.fields)
    if isinstance(error, Unavailable) or is_transient(error):
        return Refusal(code=TRY_AGAIN, detail="The service cannot do this just now. Nothing was changed: try again.")
    return Refusal(code=INTERNAL_ERROR, detail="The service failed. Nothing was changed, and its operators can see why.")
