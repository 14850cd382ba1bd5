"""What the forms with a new password have in common."""

from services.portal.visit import Visit


def must_be_same_twice(visit: Visit) -> None:
    """Lays an error on the second field unless both passwords are the same. Raises FormInvalid."""
    _ = visit.language.gettext
    if visit.form.text("password") != visit.form.text("repeated"):
        visit.form.fail("repeated", _("The two passwords differ."))
        visit.form.must_be_valid()
