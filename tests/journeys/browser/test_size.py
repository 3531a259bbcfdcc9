"""What a browser must load before it shows anything: little."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

BUDGET = 350 * 1000
"""Bytes of JavaScript, gzipped."""

_NAMED = re.compile(r'(?:src|href)="[^"]*?(assets/[^"]+\.js)"')
_IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*["']\./([^"']+\.js)["']""")


def first_load(folder: Path) -> dict[str, int]:
    """The scripts that index.html names and those that they import at once: name -> bytes."""
    wanted = _NAMED.findall((folder / "index.html").read_text())
    sizes: dict[str, int] = {}
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        text = (folder / name).read_bytes()
        sizes[name] = len(gzip.compress(text, 9))
        wanted += [f"assets/{one}" for one in _IMPORTED.findall(text.decode())]
    return sizes


def test_the_first_load_is_within_its_budget(bundle: Path) -> None:
    sizes = first_load(bundle)
    assert sizes
    assert sum(sizes.values()) <= BUDGET, sizes


def test_what_is_imported_at_once_counts_and_what_is_loaded_later_does_not(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script src="__BASE__/assets/a.js"></script>')
    (tmp_path / "assets/a.js").write_text('import{x as y}from"./b.js";import("./later.js")')
    (tmp_path / "assets/b.js").write_text("export const x = 1")
    assert sorted(first_load(tmp_path)) == ["assets/a.js", "assets/b.js"]


def test_no_built_file_names_another_origin_to_load_from(bundle: Path) -> None:
    """A script, style, font or picture of another place; links that people click may lead away."""
    loads = re.compile(r"""(?:src|href)=["']https?://|url\(["']?https?://|@import ["']https?://""")
    texts = [path for path in bundle.rglob("*") if path.suffix in (".html", ".css")]
    assert [path.name for path in texts if loads.search(path.read_text())] == []


def test_index_has_the_places_for_nonce_and_base_path_and_no_inline_script(bundle: Path) -> None:
    index = (bundle / "index.html").read_text()
    assert '<meta name="csp-nonce" content="__CSP_NONCE__"' in index
    assert "__BASE__/assets/" in index
    assert re.search(r"<script(?![^>]*\bsrc=)", index) is None
    assert re.search(r"<style| style=| on\w+=", index) is None
