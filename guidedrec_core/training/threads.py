"""How the threads of a training wait for each other: asleep, not spinning. Decided before PyTorch is loaded.

By default an OpenMP thread that waits for the others spins: it keeps a core busy to go on a little sooner. Where other
programs, such as a browser, want the cores too, it takes them from the very thread it waits for, and a training of
seconds can take minutes. Sleeping changes no result: sums depend on the number of threads, not on how these wait.
"""

import os

_POLICY = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Read by GNU's, LLVM's and Intel's OpenMP when the library is loaded."""


def wait_passively() -> None:
    """Let the threads of this process sleep while they wait, unless the environment has a policy already.

    For programs, as the first thing they do: it has no effect once PyTorch is loaded, and a library must not change the
    environment of the program that uses it.
    """
    for name, value in _POLICY.items():
        os.environ.setdefault(name, value)
