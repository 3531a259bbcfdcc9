"""What annotations say, also where one names what only a type checker knows.

Without `from __future__ import annotations` Python 3.14 looks such a name up when it is asked for
the annotations, and raises NameError; here it is left as the name that it is.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

    def annotations_of(owner: Any) -> dict[str, Any]:
        """The annotations written on a function or class itself; names may be unresolved."""
        return dict(get_annotations(owner, format=Format.FORWARDREF))

    def signature_of(owner: Any) -> inspect.Signature:
        """The parameters of what can be called; names in annotations may be unresolved."""
        return inspect.signature(owner, annotation_format=Format.FORWARDREF)

else:

    def annotations_of(owner: Any) -> dict[str, Any]:
        """The annotations written on a function or class itself; names may be unresolved."""
        return dict(inspect.get_annotations(owner))

    def signature_of(owner: Any) -> inspect.Signature:
        """The parameters of what can be called; names in annotations may be unresolved."""
        return inspect.signature(owner)
