"""The stories of the embedded run, told again on containers."""

from tests.stories.test_journeys import (  # noqa: F401
    test_a_malformed_message_becomes_a_dead_letter_and_the_service_goes_on,
    test_an_unknown_reference_gets_a_page_that_helps,
    test_the_public_sees_codes_and_no_names_goods_or_values,
    test_whoever_signs_out_is_refused_by_every_service,
)
