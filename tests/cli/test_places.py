"""Folders that commands need, and who may have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.cli.serving.places import alone_in
from stepwell.errors import Conflict, SetupError


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with alone_in(folder):
        with pytest.raises(Conflict, match="Another `stepwell dev`"), alone_in(folder):
            pass
        with alone_in(tmp_path / "other"):
            pass
    with alone_in(folder):
        pass


def test_a_folder_that_cannot_be_made_is_a_matter_of_setup(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SetupError, match="cannot be a data folder"), alone_in(tmp_path / "taken"):
        pass
