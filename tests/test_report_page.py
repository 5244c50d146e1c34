"""The report opens in a real browser, from a file, with nothing fetched and nothing on the error console."""

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.reporting import write_report
from tests.reporting.kinds import all_kinds

CHROMIUM = shutil.which("chromium")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_page_renders_in_chromium_without_errors(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    (page,) = write_report([all_kinds()], tmp_path / "report", frozenset({"html"}))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run(
        [CHROMIUM, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.count("<svg") >= 3
    assert "CONSOLE" not in done.stderr
