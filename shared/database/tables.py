"""The tables of the plumbing. The database of every service has them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)

from shared.database.column_types import ROW_ID, UtcDateTime

PLUMBING = MetaData()

outbox = Table(
    "outbox",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("subject", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("about", Uuid, index=True),
    Column("traceparent", String(55)),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
    Column("claimed_until", UtcDateTime),
    Column("sent_at", UtcDateTime),
)
Index("ix_outbox_unsent", outbox.c.id, postgresql_where=outbox.c.sent_at.is_(None), sqlite_where=outbox.c.sent_at.is_(None))

inbox = Table(
    "inbox",
    PLUMBING,
    Column("event_id", Uuid, primary_key=True),
    Column("subject", String(120), nullable=False),
    Column("about", Uuid, index=True),
    Column("traceparent", String(55)),
    Column("received_at", UtcDateTime, nullable=False, index=True),
)

answers = Table(
    "answers",
    PLUMBING,
    Column("actor", String(80), primary_key=True),
    Column("subject", String(120), primary_key=True),
    Column("command_id", Uuid, primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("answer", Text),
    Column("answered_at", UtcDateTime, nullable=False, index=True),
)

tasks = Table(
    "tasks",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("kind", String(80), nullable=False),
    Column("key", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("about", Uuid),
    Column("traceparent", String(55)),
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("scheduled", Boolean, nullable=False, server_default=false()),
    Column("leased_until", UtcDateTime),
    Column("leased_by", Uuid),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("asked", Integer, nullable=False, server_default="1"),
    Column("last_error", Text),
    UniqueConstraint("kind", "key"),
)

dead_letters = Table(
    "dead_letters",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(120), nullable=False),
    Column("key", String(120), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("about", Uuid),
    Column("traceparent", String(55)),
    Column("error", Text, nullable=False),
    Column("died_at", UtcDateTime, nullable=False),
    UniqueConstraint("kind", "name", "key"),
)

signing_keys = Table(
    "signing_keys",
    PLUMBING,
    Column("key_id", String(80), primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
)

revoked_sessions = Table(
    "revoked_sessions",
    PLUMBING,
    Column("session_id", Uuid, primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)

revoked_mandates = Table(
    "revoked_mandates",
    PLUMBING,
    Column("mandate_id", Uuid, primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)

used_step_ups = Table(
    "used_step_ups",
    PLUMBING,
    Column("token_id", Uuid, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)

files = Table(
    "files",
    PLUMBING,
    Column("owner_id", Uuid, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("complete", Boolean, nullable=False, server_default=false()),
)

file_chunks = Table(
    "file_chunks",
    PLUMBING,
    Column("owner_id", Uuid, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("chunk", LargeBinary, nullable=False),
)

recoveries = Table(
    "recoveries",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("because", Text, nullable=False),
    Column("copy_taken_at", UtcDateTime),
    Column("began_at", UtcDateTime, nullable=False),
    Column("read_back_at", UtcDateTime),
    Column("read_back", Integer, nullable=False, server_default="0"),
    Column("compared_at", UtcDateTime),
    Column("confirmed_at", UtcDateTime),
)

lost_keys = Table(
    "lost_keys",
    PLUMBING,
    Column("fact", String(64), primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("recovery_id", BigInteger, nullable=False),
)

runnable_revisions = Table("runnable_revisions", PLUMBING, Column("revision", String(32), primary_key=True))

audit_log = Table(
    "trail",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("session", Uuid),
    Column("organisation", String(80)),
    Column("roles", String(400)),
    Column("act", String(80), nullable=False),
    Column("on_noun", String(40)),
    Column("on_id", String(40), index=True),
    Column("command_id", Uuid, nullable=False),
    Column("from_where", String(45)),
    Column("outcome", String(64), nullable=False),
    Column("seal", BigInteger),
)
Index("ix_trail_seal", audit_log.c.seal, audit_log.c.id)
Index("ix_trail_actor", audit_log.c.actor, audit_log.c.id)

audit_seals = Table(
    "trail_seals",
    PLUMBING,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("former", String(64), nullable=False),
    Column("acts", Integer, nullable=False),
    Column("batch", String(64), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("key", String(60), nullable=False),
    Column("signature", String(128), nullable=False),
)
