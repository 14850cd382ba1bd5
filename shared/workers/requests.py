"""The request handler: it answers or refuses a command or question in one transaction, and always replies."""

import hashlib
import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from shared import hooks
from shared.audit_log.log import AuditEntry, audited
from shared.bus.broker import RequestMessage, SkipMessage
from shared.bus.connection import FROM_HEADER, STEP_UP_HEADER, TOKEN_HEADER, TRACE_HEADER, client_inboxes
from shared.contracts.messages import TRY_AGAIN, Answer, Command, Problem, Refusal, Request
from shared.database.tables import answers
from shared.handling.actor import NOBODY, Actor, NotSignedIn, OutsideMandate, SecondFactorMissing
from shared.handling.router import RequestFunction
from shared.handling.work import ServiceContext, Work
from shared.observability import logs, metrics
from shared.observability.tracing import OUTCOME, SUBJECT, span
from shared.refusals import InternalError, Refused, TemporarilyUnavailable
from shared.security.step_up import use_step_up
from shared.security.tokens import Tokens
from shared.workers.retries import is_temporary

log = logging.getLogger(__name__)

MAX_REQUEST = 900 * 1024
MAX_ANSWER = 1000 * 1024
MAX_FIELD = 200
"""Maximum bytes of a request and of an answer; maximum characters of the name of a field."""


_ROW = (
    answers.c.actor == bindparam("of_actor"),
    answers.c.subject == bindparam("of_subject"),
    answers.c.command_id == bindparam("of_command"),
)
_STORED = select(answers).where(*_ROW)
_STORE = update(answers).where(*_ROW).values(answer=bindparam("text"))


class CommandIdReused(Refused):
    code = "command_id_reused"


class TooLarge(Refused):
    code = "request_too_large"


class Malformed(Refused):
    code = "malformed_request"


class ServiceRecovering(Refused):
    code = "service_recovering"


class AnswerTooLarge(Refused):
    code = "answer_too_large"


class RequestHandler:
    """Answers one class of request with its handler."""

    def __init__(self, request: type[Request], function: RequestFunction, context: ServiceContext, tokens: Tokens) -> None:
        self._request = request
        self._function = function
        self._context = context
        self._tokens = tokens
        self._inboxes = client_inboxes(request)

    async def answer(self, message: RequestMessage) -> bytes:
        """The envelope for one raw message. A message whose reply subject is not a client's inbox is skipped.

        The bus does not check reply subjects: it would publish the answer to any subject.
        """
        if not message.reply_to.startswith(self._inboxes):
            name = self._request.__name__
            log.warning("a request without a client's inbox was skipped", extra={"request": name})
            metrics.requests.labels(name, "passed_over").inc()
            raise SkipMessage
        envelope = await self.envelope(message)
        await hooks.reached("command-answered-not-sent", self._request.subject)
        return envelope

    async def envelope(self, message: RequestMessage) -> bytes:
        """The answer or the refusal to one raw message. Every error becomes a refusal, so the caller gets a reply."""
        name, headers, started = self._request.__name__, message.headers, perf_counter()
        with span(
            name, under=headers.get(TRACE_HEADER), kind=SpanKind.SERVER, attributes={SUBJECT: self._request.subject}
        ) as opened:
            try:
                answer = await self._process(message.body, headers, opened)
                body = f'{{"answer":{answer}}}'
                outcome = "answered"
            except Exception as error:
                refusal = _refusal_of(error)
                outcome = refusal.code
                body = f'{{"refusal":{refusal.model_dump_json()}}}'
                if outcome in (InternalError.code, TRY_AGAIN):
                    log.warning("a request failed", extra={"request": name}, exc_info=error)
            opened.set_attribute(OUTCOME, outcome)
        metrics.requests.labels(name, outcome).inc()
        metrics.request_seconds.labels(name).observe(perf_counter() - started)
        return body.encode()

    async def _process(self, body: bytes, headers: Mapping[str, str], opened: Span) -> str:
        request = self._parse(body)
        if not isinstance(request, Command):
            return await self._answer_question(request, headers, opened)
        if self._context.recovering and not request.while_recovering:
            raise ServiceRecovering()
        async with audited(request, headers.get(FROM_HEADER), self._context, _code_of) as entry:
            try:
                return await self._do(request, entry, body, headers, opened)
            except IntegrityError:  # a concurrent transaction committed first: now a rule can refuse
                return await self._do(request, entry, body, headers, opened)

    async def _answer_question(self, question: Request, headers: Mapping[str, str], opened: Span) -> str:
        """Answers a question in one read-only transaction."""
        async with self._context.reading(opened) as work:
            self._admit(await self._authenticate(work, headers))
            work.begin(question, opened)
            return self._text_of(await self._function(question, work))

    async def _do(self, command: Command, entry: AuditEntry, body: bytes, headers: Mapping[str, str], opened: Span) -> str:
        """Does a command in one transaction, or returns the answer stored before."""
        async with self._context.work(opened) as work:
            entry.actor = await self._authenticate(work, headers)
            self._admit(entry.actor)
            if not command.secret and (stored := await _claim(command, entry.actor, body, work)):
                return stored
            if command.step_up:
                await use_step_up(headers.get(STEP_UP_HEADER), command, work, self._tokens)
            await _begin(command, work, opened)
            answer = await self._function(command, work)
            text = self._text_of(answer)
            await entry.record_done(answer, work)
            if not command.secret:
                await work.session.execute(_STORE, _key_of(command, entry.actor) | {"text": text})
            await hooks.reached("command-before-commit", command.subject)
            return text

    def _parse(self, body: bytes) -> Request:
        if len(body) > MAX_REQUEST:
            raise TooLarge(limit=MAX_REQUEST, size=len(body))
        try:
            return self._request.model_validate_json(body)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            fields = tuple(dict.fromkeys(".".join(map(str, fault["loc"]))[:MAX_FIELD] or "body" for fault in faults))[:50]
            more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
            fault = f"{fields[0]}: {faults[0]['msg']}"[:450] + more
            raise Malformed(*fields, fault=fault).listing(map(_fault, faults) if more else ()) from None

    async def _authenticate(self, work: Work, headers: Mapping[str, str]) -> Actor:
        actor = await self._tokens.actor(headers.get(TOKEN_HEADER), work.session, work.now)
        work.act_as(actor)
        logs.actor_id.set(actor.name)
        return actor

    def _admit(self, actor: Actor) -> None:
        """Checks the role; the handler checks ownership."""
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

    def _text_of(self, answer: Answer) -> str:
        if not isinstance(answer, self._request.answer):
            raise TypeError(f"{self._request.__name__} is answered with {self._request.answer.__name__}")
        text = answer.model_dump_json()
        if len(text.encode()) > MAX_ANSWER:
            raise AnswerTooLarge()
        return text


async def _claim(command: Command, actor: Actor, body: bytes, work: Work) -> str | None:
    """Returns the stored answer of a repeated command, or claims the id: a duplicate then waits for this transaction."""
    work.single_transaction = True
    body_hash = hashlib.sha256(body).hexdigest()
    claim = {"actor": actor.name, "subject": command.subject, "command_id": command.command_id}
    if await work.insert_new(answers, [claim | {"body_hash": body_hash, "answered_at": work.now}]):
        return None
    stored = (await work.session.execute(_STORED, _key_of(command, actor))).one()
    if stored.body_hash != body_hash:
        raise CommandIdReused()
    return str(stored.answer)


def _key_of(command: Command, actor: Actor) -> dict[str, object]:
    return {"of_actor": actor.name, "of_subject": command.subject, "of_command": command.command_id}


async def _begin(command: Command, work: Work, opened: Span) -> None:
    """Links the trace to the previous one about the same certificate, and to that of the exporter's registration."""
    work.begin(command, opened)
    if work.about:
        await work.link_to_former(work.about)
    if command.permitted_by:
        await work.link_to_former(getattr(command, command.permitted_by))


def _code_of(error: Exception) -> str:
    return _refusal_of(error).code


def _refusal_of(error: Exception) -> Refusal:
    """The refusal for an error. An error that is not a refusal is answered without its details."""
    if not isinstance(error, Refused):
        error = TemporarilyUnavailable() if is_temporary(error) else InternalError()
    problems = tuple(Problem(code=p.code, detail=p.detail, fields=p.fields, values=p.values) for p in error.problems)
    return Refusal(code=error.code, detail=error.detail, fields=error.fields, values=error.values, problems=problems)


def _fault(fault: Mapping[str, Any]) -> Malformed:
    """One field of a request that does not have the required form."""
    return Malformed(field := ".".join(map(str, fault["loc"]))[:MAX_FIELD] or "body", fault=f"{field}: {fault['msg']}"[:450])
