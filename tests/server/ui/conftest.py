"""A bundle as small as can be, built by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

INDEX = """<!doctype html>
<html lang="en"><head>
<meta name="csp-nonce" content="__CSP_NONCE__"><base href="__BASE__/">
<link rel="icon" href="data:,">
<script type="module" src="__BASE__/assets/index-1a2b.js"></script>
</head><body><div id="root"></div></body></html>
"""
SCRIPT = "document.title = 'Stepwell'\n" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The folder of a bundle with a script and an icon."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (folder / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    return folder
