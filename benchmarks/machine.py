"""What a measurement was made on; every benchmark writes it into its result."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"


def facts(*packages: str) -> dict[str, Any]:
    """Return processor, cores, memory, load before, and the versions of Python and some packages."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {"python": platform.python_version(), **{p: importlib.metadata.version(p) for p in packages}},
    }


def _processor() -> str:
    """Name the processor; Linux tells it in a file only."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
