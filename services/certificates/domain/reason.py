"""The reasons for which an officer can reject or cancel a certificate, as codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.refusals import Refused


class RejectionReasonUnknown(Refused):
    code = "rejection_reason_unknown"


class CancellationReasonUnknown(Refused):
    code = "cancellation_reason_unknown"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A reason with its text in each language, in force from a day on, until a day if it has ended."""

    code: str
    effective_from: date
    effective_until: date | None
    text: Mapping[str, str]

    def is_in_force(self, on: date) -> bool:
        """Whether an officer can give this reason on a day. The last day is included."""
        return self.effective_from <= on and (self.effective_until is None or on <= self.effective_until)


def must_be_reasons(codes: Iterable[str], known: Sequence[Reason]) -> None:
    """Refuses a code that is no reason in force. Raises RejectionReasonUnknown."""
    in_force = {reason.code for reason in known}
    for index, code in enumerate(codes):
        if code not in in_force:
            raise RejectionReasonUnknown(f"codes.{index}", reason=code, reasons=in_force)


def cancellation_reason(code: str, known: Sequence[Reason]) -> Reason:
    """The reason of a cancellation. Raises CancellationReasonUnknown."""
    for reason in known:
        if reason.code == code:
            return reason
    raise CancellationReasonUnknown("reason", reason=code, reasons={each.code for each in known})
