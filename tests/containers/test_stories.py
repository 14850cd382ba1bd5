"""The stories of the embedded run, on containers."""

from tests.stories.test_journeys import (  # noqa: F401
    test_a_malformed_message_becomes_a_dead_letter_and_the_service_continues,
    test_a_signed_out_user_is_refused_by_every_service,
    test_an_unknown_reference_gets_a_page_with_help,
    test_the_public_page_shows_codes_and_no_names_goods_or_values,
)
