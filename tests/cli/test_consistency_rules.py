"""The consistency rules on the keys of the services' facts."""

from cli.consistency_rules import missing_numbers


def test_missing_numbers_are_those_before_the_last_of_each_office_form_and_year() -> None:
    given = ["D2026-PNH-000001", "D2026-PNH-000004", "D2026-SVR-000002", "D2025-PNH-000001"]

    assert missing_numbers(given) == ["D2026-PNH-000002", "D2026-PNH-000003", "D2026-SVR-000001"]
    assert missing_numbers([]) == []
