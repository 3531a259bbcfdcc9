"""How a page is looked at: by axe, and in pictures of every width and theme."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest
from PIL import Image
from playwright.sync_api import Page

ROOT = Path(__file__).parents[3]
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"

Theme: TypeAlias = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = {1440: 900, 1024: 768, 390: 844}
"""Pixels: a screen, a small one, a phone; and how high each is."""

PATIENCE = 90.0
"""Seconds that a page may take to become what it will be."""

_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"region": {"enabled": False}},  # an open menu is in no landmark, nor has it to be
}
_VIOLATIONS = """rules => axe.run(document, {resultTypes: ['violations'], ...rules})
  .then(found => found.violations)"""
"""Without all that is well, which is much more."""
_BAD = ("moderate", "serious", "critical")
_FOLLOWED = """async theme => {
  const shown = document.documentElement.dataset.mantineColorScheme
  await Promise.all(document.getAnimations().map(one => one.finished.catch(() => 0)))
  await new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))
  return shown === undefined || shown === theme
}"""
"""Colours have changed, and none of them is on its way: what axe would see is there to stay."""

# A colour on its way from one theme to the other is none that anybody reads.
_SETTLED = """() => Promise.all(document.getAnimations()
  .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime))
  .map(one => one.finished.catch(() => 0))).then(() => true)"""

_STILL = """async () => {
  const boxes = () => [...document.querySelectorAll('main *')].map(one => {
    const {x, width} = one.getBoundingClientRect()
    return `${Math.round(x)} ${Math.round(width)}`
  }).join()
  const before = boxes()
  for (let frame = 0; frame < 12; frame++) await new Promise(requestAnimationFrame)
  return boxes() === before
}"""
"""What is drawn by its width has measured it: a page that was resized does so some frames later."""


def without(what: str) -> None:
    """Skip the test, or fail it in CI, because of something that is not here."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def axe(page: Page) -> None:
    """Fail if axe finds anything but trifles on the page as it is now."""
    if not AXE.exists():
        without("axe-core is not installed: make web")
    # Evaluated, not added as a script: the page's policy lets in no foreign one.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    for _ in range(3):  # what is only there while the page settles, nobody meets
        page.evaluate(_SETTLED)
        violations: list[dict[str, Any]] = page.evaluate(_VIOLATIONS, _RULES)
        bad = [_told(one) for one in violations if one["impact"] in _BAD]
        if not bad:
            return
        page.wait_for_timeout(700)
    assert bad == [], "\n".join(bad)


def axe_in_both_themes(page: Page) -> None:
    """The same in the light and in the dark theme."""
    for theme in THEMES:
        with theme_of(page, theme):
            axe(page)


def fits(page: Page) -> None:
    """Fail if the page stays wider than its window: nobody scrolls sideways."""
    _until(page, "document.documentElement.scrollWidth <= window.innerWidth")


def pictures(page: Page, name: str, folder: Path, *, kept: bool = True) -> list[Path]:
    """`runs-1440-light.png` and so on: the page in every width and theme.

    With few colours if they are kept. The widest and the narrowest are shown to axe too.
    """
    made = []
    for theme in THEMES:
        with theme_of(page, theme):
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                path = folder / f"{name}-{width}-{theme}.png"
                fits(page)
                _until(page, _STILL)
                if width in (min(WIDTHS), max(WIDTHS)):
                    axe(page)
                picture(page, path)
                if kept:
                    reduce(path)
                made.append(path)
    return made


def picture(page: Page, path: Path) -> None:
    """The window as it is now."""
    page.screenshot(path=path, animations="disabled", caret="hide", scale="css")


def reduce(path: Path) -> None:
    """The same with few colours: a page is text and lines."""
    image = Image.open(path).convert("RGB")
    # By coverage and not by frequency, that the few red dots stay red; then moved to the means
    # of what they stand for, that the large areas keep their colour.
    coverage, none = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    few = image.quantize(128, method=coverage, kmeans=2, dither=none)
    few.save(path, optimize=True)


@contextmanager
def theme_of(page: Page, theme: Theme) -> Iterator[None]:
    """The page as for somebody whose system has this theme."""
    _emulate(page, theme)
    try:
        yield
    finally:
        if theme != "light":
            _emulate(page, "light")


def _emulate(page: Page, theme: Theme) -> None:
    """Change the system's theme, and wait until the page has followed."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    _until(page, _FOLLOWED, theme)


def _until(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until it is true.

    Playwright's `wait_for_function` evaluates text within the page from its second look on,
    which the policy of our pages forbids.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{page.url} at {page.viewport_size}: never true: {expression}")


def _told(violation: dict[str, Any]) -> str:
    places = ", ".join(str(node["target"]) for node in violation["nodes"][:5])
    return f"{violation['impact']} {violation['id']}: {violation['help']} at {places}"
