"""What is installed works from any directory: the wheel holds suites, prices, templates and the bundled model."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COPIED = ("harness", "prompts", "local_models", "data", "pyproject.toml", "README.md", "LICENSE")


@pytest.mark.slow
def test_a_wheel_runs_a_shipped_suite_in_an_empty_directory(tmp_path: Path) -> None:
    source, wheels, site, work = (tmp_path / name for name in ("source", "wheels", "site", "work"))
    source.mkdir()
    work.mkdir()
    subprocess.run(["cp", "-a", *(str(ROOT / name) for name in COPIED), str(source)], check=True)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(wheels),
    ]
    subprocess.run([*build, str(source)], check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        archive.extractall(site)
    assert tops == {
        "harness",
        wheel.name.split("-py3")[0] + ".dist-info",
    }  # a user's own prompts/ never collides
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-m", "harness", "run", "quickstart", "--limit", "2"]
    done = subprocess.run(
        command, cwd=work, env=environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "periodic, period 8, symbols letters" in done.stdout
    where = [sys.executable, "-P", "-c", "import harness.prompts.family as f; print(f.__file__)"]
    found = subprocess.run(where, cwd=work, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(site))
    (run_dir,) = (work / "runs").iterdir()
    report = [sys.executable, "-P", "-m", "harness", "report", str(run_dir)]
    subprocess.run(report, cwd=work, env=environment, check=True, capture_output=True)
    assert (work / "reports" / run_dir.name / "report.html").stat().st_size > 10_000
