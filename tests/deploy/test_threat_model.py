"""SECURITY.md says what is so."""

import re

from deploy_files import ROOT

from guidedrec_core import files
from guidedrec_core.data.files import plain


def test_what_the_threat_model_refers_to_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_threat_model_says_the_limits_of_the_code() -> None:
    text = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    assert f"past {plain.MOST_RATIO} times their size (from {plain.RATIO_FROM >> 20} MiB on)" in text
    assert f"or {plain.MOST_UNPACKED >> 30} GiB" in text
    assert f"at most {files._DEEPEST} levels deep" in text
