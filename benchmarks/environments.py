"""Virtual environments for libraries we compare with, so that none of them ever enters the project's own."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def environment(folder: Path, packages: Sequence[str], constraints: Sequence[str] = ()) -> tuple[Path, str]:
    """Return an environment's Python, made at first use, and what went wrong, empty if nothing did.

    Parameters
    ----------
    folder : Path
        Where it is made.
    packages : sequence of str
        Requirements.
    constraints : sequence of str
        Requirements installed first, by themselves: as a dependency of others PyTorch could come in another build.
    """
    python = folder.absolute() / "bin" / "python"
    made, requirements = folder / "installed.txt", "\n".join([*constraints, *packages])
    if made.is_file() and made.read_text() == requirements:
        return python, ""
    print(f"making the environment {folder}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "constraints.txt").write_text("\n".join(constraints))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", folder / "constraints.txt"]
    commands = [[sys.executable, "-m", "venv", folder], *([*pip, *group] for group in (constraints, packages) if group)]
    for command in commands:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            output = done.stdout.splitlines() or ["no reason given"]
            return python, f"cannot be installed ({next((x for x in output if 'error' in x.lower()), output[-1])})"
    made.write_text(requirements)
    return python, ""
