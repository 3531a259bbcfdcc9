"""The contract: images are kept as they were when they were pinned (R37)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.launchers.protocol import ImageUnusable, Launcher, LaunchSpec
from stepwell.testing.launcher_contract.base import ContractBase, needs


class KeepingContract(ContractBase):
    """What is started is what was reviewed."""

    @needs("making images")
    def test_what_is_pinned_does_not_change_with_its_source(
        self, launcher: Launcher, tmp_path: Path
    ) -> None:
        """A run starts from the kept copy; the same contents have the same digest."""
        first = launcher.pin(self.image(tmp_path, "print('old')"))
        assert launcher.pin(self.image(tmp_path, "print('old')")) == first
        image = self.image(tmp_path, "print('new')")
        assert launcher.pin(image).digest != first.digest
        location = launcher.locate(image, first.digest)
        handle = launcher.start(LaunchSpec(name="job-3", image=location, mode="run"))
        self.ended(launcher, handle)
        assert launcher.logs(handle) == "old\n"

    @needs("making images")
    def test_a_digest_is_what_pinning_would_answer(
        self, launcher: Launcher, tmp_path: Path
    ) -> None:
        """So a changed image is noticed without a launch."""
        image = self.image(tmp_path, "print('first')")
        first = launcher.digest(image)
        assert launcher.pin(image).digest == first
        image = self.image(tmp_path, "print('second')")
        assert launcher.digest(image) == launcher.digest(image) != first

    @needs("kept images")
    def test_asking_for_a_digest_keeps_nothing(self, launcher: Launcher, tmp_path: Path) -> None:
        """Nothing is copied before somebody wants it."""
        image = self.image(tmp_path, "print('first')")
        with pytest.raises(ImageUnusable):
            launcher.locate(image, launcher.digest(image))

    @needs("kept images")
    def test_a_copy_that_is_not_kept_is_an_error_in_words(self, launcher: Launcher) -> None:
        """With what to do about it."""
        with pytest.raises(ImageUnusable, match="approve the group again"):
            launcher.locate("x", "sha256:0000")
