"""Memory: what a larger import takes on top of a smaller one, measured in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from guidedrec_core.data.importing import import_dataset
import_dataset("csv", sys.argv[1], "own")
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def peak(path: Path) -> int:
    """Return the most memory that an import had, in bytes."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_an_import_takes_a_small_multiple_of_its_file(tmp_path: Path) -> None:
    header = "user_id,item_id,datetime,weight\n"
    line = "u{:07d},{:06d},2020-{:02d}-{:02d}T09:{:02d}:{:02d},{}\n"
    rows = [
        line.format(n * 7919 % 50_000, n * 31 % 9_973, n % 12 + 1, n % 28 + 1, n % 60, n // 60 % 60, n % 5 + 1)
        for n in range(750_000)
    ]
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text(header + "".join(rows[:250_000]))
    large.write_text(header + "".join(rows))
    taken = peak(large) - peak(small)
    # About 4 times what the file is larger by, of which 2 are the finished table; buffers that do not grow come on top.
    # To parse it whole, as Python objects, took 10 times.
    assert taken < 6 * (large.stat().st_size - small.stat().st_size)
