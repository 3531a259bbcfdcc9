"""How passwords are checked."""

from __future__ import annotations

from argon2 import extract_parameters

from stepwell.server.access import passwords


def test_a_user_who_does_not_exist_costs_the_same_check_and_has_no_password() -> None:
    """So that the time of an answer tells nobody which names there are."""
    real = passwords.hashed("correct horse battery staple", "anna")
    nobodys = passwords._NOBODYS
    assert extract_parameters(nobodys) == extract_parameters(real)
    assert not passwords.outdated(nobodys)
    assert passwords.fits(real, "correct horse battery staple")
    assert not passwords.fits(None, "correct horse battery staple")
