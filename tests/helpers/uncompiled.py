"""Loads shap as plain Python: compiling takes ten seconds a process, and tests ask it for little."""

import sys
import warnings


def uncompiled_shap() -> None:
    """Import shap with numba's compiler off; others that use numba keep theirs."""
    if "shap" in sys.modules:
        return
    import numba.core.config

    before = numba.core.config.DISABLE_JIT
    numba.core.config.DISABLE_JIT = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # shap's use of Matplotlib
            import shap  # noqa: F401
    finally:
        numba.core.config.DISABLE_JIT = before
