import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.errors import MissingExtra, SpecError, StoreFull
from harness.reporting import FORMATS, write_report
from harness.reporting.files import write_file
from harness.reporting.latex_text import escape
from harness.reporting.methods import methods
from tests.reporting.examples import NASTY, model_info, run_of
from tests.reporting.kinds import all_kinds, odd_curves

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements of a page: tags opened, ids, references, and what is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "action", "data", "srcset", "poster"):
                self.references.append(value or "")
            assert not name.startswith("on"), f"an event handler: {name}"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    write_report([all_kinds()], out, FORMATS)
    return out


@pytest.fixture(scope="module")
def page(written: Path) -> str:
    return (written / "report.html").read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    run = all_kinds()
    few = replace(run, curves=(run.curves[1], run.curves[4], run.curves[-2], run.curves[-1]))
    here = write_report([few], tmp_path / "here", FORMATS)
    script = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from harness.reporting import FORMATS, write_report\n"
        "from tests.reporting.kinds import all_kinds\n"
        "c = all_kinds().curves; few = replace(all_kinds(), curves=(c[1], c[4], c[-2], c[-1]))\n"
        "write_report([few], Path(sys.argv[1]), FORMATS)\n"
    )
    there = tmp_path / "there"
    root = Path(__file__).parents[2]
    seeded = {
        **os.environ,
        "PYTHONHASHSEED": "12",
        "TZ": "Asia/Tokyo",
    }  # sets in another order, another clock
    subprocess.run([sys.executable, "-c", script, str(there)], cwd=root, env=seeded, check=True)
    names = sorted(path.relative_to(tmp_path / "here") for path in here)
    assert names == sorted(path.relative_to(there) for path in there.rglob("*") if path.is_file())
    assert [n for n in names if (there / n).read_bytes() != (tmp_path / "here" / n).read_bytes()] == []


def test_the_page_is_well_formed_and_its_ids_are_unique(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert {ref[1:] for ref in parsed.references} <= set(parsed.ids)  # every link is to a place on the page


def test_the_page_asks_for_nothing_outside_itself(page: str) -> None:
    assert all(ref.startswith("#") for ref in Page(page).references)
    assert not re.search(r"https?://|@import|url\((?!#)|<link|<img|<iframe|fetch\(|XMLHttpRequest", page)


def test_text_from_a_run_cannot_become_markup(page: str) -> None:
    parsed = Page(page)
    assert parsed.tags.count("script") == 1  # ours
    assert "alert(1)" not in "".join(re.findall(r"<script>(.*?)</script>", page, flags=re.S))
    assert NASTY in "".join(parsed.text)  # and it reads as written


def test_every_curve_has_its_section_figure_and_row(page: str) -> None:
    run = all_kinds()
    parsed = Page(page)
    for result in run.curves:
        assert result.id in parsed.ids
        assert f"#{result.id}" in parsed.references
    overviews, onsets = 2, 1  # periodic and pfa have several curves; four periods are one sweep
    assert parsed.tags.count("svg") == len(run.curves) + overviews + onsets
    assert page.count('role="img"') == parsed.tags.count("svg") == page.count("<desc")


def test_every_caption_tells_the_options_in_force(page: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.S)
    told = [c for c in captions if "10-90 % width of at most 0.1" in c and "change of p below 0.1" in c]
    assert len(told) == len(all_kinds().curves)


def test_the_example_prompt_is_shown_with_its_target_marked(page: str) -> None:
    assert "<pre>0 1 1 0 1 1 0 1<mark> 1</mark></pre>" in page
    assert "<mark> &lt;b&gt;yes&lt;/b&gt;</mark>" in page


def test_a_long_prompt_is_cut_in_the_middle_and_says_so(tmp_path: Path) -> None:
    curve = replace(all_kinds().curves[0], example_prompt="a" * 2000 + "b" * 2000)
    (path,) = write_report([run_of(curve)], tmp_path, frozenset({"html"}))
    assert "1,000 characters left out here" in path.read_text(encoding="utf-8")


def test_the_page_tells_what_was_spent_and_what_is_unknown(page: str) -> None:
    assert "$0 and the unknown price of 1 model" in page
    assert "1,680, of which 85 failed" in page


def test_methods_and_suite_are_on_the_page(page: str) -> None:
    text = "".join(Page(page).text)
    assert all(definition in text for _, definition in methods([all_kinds()]))
    assert all_kinds().suite_yaml.strip() in text


def test_two_runs_share_a_page(tmp_path: Path) -> None:
    (path,) = write_report([all_kinds(0), all_kinds(1)], tmp_path, frozenset({"html"}))
    parsed = Page(path.read_text(encoding="utf-8"))
    assert len(set(parsed.ids)) == len(parsed.ids)


@pytest.mark.parametrize("chosen", sorted(FORMATS))
def test_a_run_in_which_nothing_could_be_measured_still_reports(chosen: str, tmp_path: Path) -> None:
    run = run_of(models=(model_info(failed_requests=480),))
    assert all(path.stat().st_size for path in write_report([run], tmp_path, frozenset({chosen})))


def test_odd_curves_do_not_stop_a_report(tmp_path: Path) -> None:
    odd = odd_curves()
    curves = tuple(replace(curve, id=f"odd-{k}") for k, curve in enumerate(odd.values()))
    paths = write_report([run_of(*curves)], tmp_path, frozenset({"html", "csv"}))
    parsed = Page(next(p for p in paths if p.suffix == ".html").read_text(encoding="utf-8"))
    assert {curve.id for curve in curves} <= set(parsed.ids)
    assert not [text for text in parsed.text if re.search(r"\bnan\b|\bNone\b", text)]


def test_pdfs_hold_no_date(written: Path) -> None:
    for path in written.rglob("*.pdf"):
        assert b"CreationDate" not in path.read_bytes()
        assert b"/Type3" not in path.read_bytes()  # journals refuse Type 3 fonts


def test_every_character_that_latex_reads_as_command_is_escaped() -> None:
    assert escape(r"a_b % $x$ {y} \z & # ^ ~") == (
        r"a\_b \% \$x\$ \{y\} \textbackslash{}z \& \# \textasciicircum{} \textasciitilde{}"
    )
    assert escape("ü ≥ 中\n x") == r"ü $\geq$ {[}U+4E2D] x"


def test_the_latex_table_has_a_row_a_curve_and_a_figure_each(written: Path) -> None:
    text = (written / "latex/transitions.tex").read_text(encoding="utf-8")
    run = all_kinds()
    assert text.count(r"\includegraphics") == len(run.curves) + 1  # and one onset
    rows = re.findall(r"^.+ & .+ \\\\$", text, flags=re.M)
    assert len(rows) == len(run.curves) + len(run.models)  # a table a model, with its head
    for name in re.findall(r"\{figures/([^}]+)\}", text):
        assert (written / f"latex/figures/{name}.pdf").is_file()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_latex_report_compiles(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written / "latex", tmp_path / "latex")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=tmp_path / "latex",
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "TEXMFVAR": str(tmp_path / "texmf"),
        },
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")


def test_an_unknown_format_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no report format 'docx'; allowed: csv, html, latex, pdf"):
        write_report([all_kinds()], tmp_path, frozenset({"docx", "html"}))
    with pytest.raises(SpecError, match="no runs to report"):
        write_report([], tmp_path, frozenset({"html"}))


def test_without_jinja2_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'icl-harness\[report\]'"):
        write_report([all_kinds()], tmp_path, frozenset({"html"}))


def test_a_place_that_cannot_be_written_is_store_full_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a directory is needed")
    with pytest.raises(StoreFull, match="cannot write the report"):
        write_report([all_kinds()], tmp_path / "taken", frozenset({"csv"}))
    (tmp_path / "report.html").mkdir()  # a rename over it fails after the bytes are written
    with pytest.raises(StoreFull, match=r"report\.html"):
        write_file(tmp_path / "report.html", b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "taken"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_leaves_the_earlier_report(tmp_path: Path) -> None:
    target = write_file(tmp_path / "a.csv", b"earlier")
    script = (
        "import resource, sys; from pathlib import Path; from harness.reporting.files import write_file\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_file(Path(sys.argv[1]), b'x' * 5000)\n"
        "except Exception as e: print(type(e).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "StoreFull"
    assert target.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("pandas", "matplotlib", "jinja2")
    script = f"import harness.reporting, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
