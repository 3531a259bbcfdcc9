"""What a label may be."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

Key: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$", max_length=63)]
Value: TypeAlias = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Labels: TypeAlias = Annotated[dict[Key, Value], Field(max_length=32)]
"""At most 32 labels, by key."""
