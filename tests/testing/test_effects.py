"""What handlers did to the world is written down once for each time it happened."""

from __future__ import annotations

from stepwell.testing.effects import Effect, Effects
from stepwell.testing.life import Moment


def test_effects_are_kept_in_order() -> None:
    effects = Effects()
    assert effects.record("mail", "ada", "hello")
    assert effects.record("mail", "ada", "hello")
    assert effects.record("charge", 10)
    assert effects() == [("mail", "ada", "hello")] * 2 + [("charge", 10)]
    assert (effects.count("mail"), effects.count("mail", "bob"), effects.count("charge")) == (
        2,
        0,
        1,
    )


def test_a_second_effect_of_a_kind_and_key_does_not_happen() -> None:
    effects = Effects()
    assert effects.record("charge", 10, key="a")
    assert not effects.record("charge", 11, key="a")
    assert effects.record("charge", 10, key="b")
    assert effects.record("mail", key="a")
    assert effects() == [("charge", 10), ("charge", 10), ("mail",)]


def test_lists_and_dicts_are_kept_as_they_were_when_it_happened() -> None:
    effects, teas = Effects(), [1, 2]
    basket = {"tea": teas, "cups": {3}}
    effects.record("order", basket, ["a", {"b": 1}])
    teas.clear()
    assert effects.count("order", {"cups": {3}, "tea": [1, 2]}) == 1
    assert effects.count("order", basket) == 0
    assert len(set(effects())) == 1


def test_beginning_anew_forgets_all_and_tells_a_witness() -> None:
    effects, told = Effects(), list[tuple[Moment, Effect]]()
    effects.record("charge", key="a")
    effects.begin(lambda moment, effect: told.append((moment, effect)))
    assert effects() == []
    assert effects.record("charge", key="a")
    assert told == [(Moment.BEFORE_EFFECT, ("charge",)), (Moment.AFTER_EFFECT, ("charge",))]
