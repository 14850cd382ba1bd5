"""Mandates and API keys as they are shown, and as events for other services."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from services.registry.companies.domain.reminders import over_at
from services.registry.mandates.domain.api_key import ApiKey
from services.registry.mandates.domain.mandate import Mandate
from shared.contracts.registry.mandates import ApiKeyState, MandateGranted, MandateRevoked, MandateState
from shared.handling.work import Work


def mandate_state(mandate: Mandate, names: Mapping[UUID, str], work: Work) -> MandateState:
    """A mandate as shown to its companies, with their names."""
    return MandateState(
        mandate_id=mandate.mandate_id,
        exporter_id=mandate.exporter_id,
        exporter_name=names.get(mandate.exporter_id, ""),
        agent_id=mandate.agent_id,
        agent_name=names.get(mandate.agent_id, ""),
        scope=mandate.scope,
        valid_until=mandate.valid_until,
        status=mandate.standing(work.today),
        waits_for=mandate.waits_for(work.today),
        granted_at=mandate.granted_at,
        revoked_at=mandate.revoked_at,
        reason=mandate.reason,
        version=mandate.version,
    )


def api_key_state(key: ApiKey) -> ApiKeyState:
    """An API key as shown to both companies."""
    return ApiKeyState(
        api_key_id=key.api_key_id,
        mandate_id=key.mandate_id,
        name=key.name,
        end=key.end,
        made_at=key.made_at,
        made_by=key.made_by,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )


def granted(mandate: Mandate, work: Work) -> MandateGranted:
    """The event of a grant."""
    return MandateGranted(
        mandate_id=mandate.mandate_id,
        exporter_id=mandate.exporter_id,
        agent_id=mandate.agent_id,
        scope=mandate.scope,
        valid_until=mandate.valid_until,
        version=mandate.granted_version,
        occurred_at=work.now,
    )


def revoked(mandate: Mandate, work: Work) -> MandateRevoked:
    """The event of a revocation. The mandate stays on the deny list until its last day, and a day more for clocks."""
    until = over_at(mandate.valid_until, work.zone) + timedelta(days=1)
    return MandateRevoked(mandate_id=mandate.mandate_id, until=until, version=mandate.version, occurred_at=work.now)
