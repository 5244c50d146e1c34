"""The house is one-way: who may import whom, and what a bare import may load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE_FREE = ("harness.types", "harness.errors")  # what everything may import
ALLOWED = {
    "harness.prompts": ("harness.prompts",),
    "harness.adapters": ("harness.adapters",),
    "harness.local_models": ("harness.local_models",),
    "harness.analysis": ("harness.analysis",),
    "harness.cognitive": ("harness.cognitive",),
    "harness.reporting": ("harness.reporting", "harness.analysis"),
    "harness.types": ("harness.types",),
    "harness.errors": (),
}
# Three adapters stand for other parts of the house: a checkpoint, a family's observers, a stored run.
BESIDES = {
    "harness.adapters.local": ("harness.local_models",),
    "harness.adapters._mock_observers": ("harness.registry", "harness.prompts.observers"),
    "harness.adapters.replay": (
        "harness.model_records",
        "harness.registry",
        "harness.requests",
        "harness.store",
        "harness.store_files",
    ),
}
HEAVY = {"torch", "transformers", "openai", "pandas", "matplotlib", "jinja2", "scipy"}
FOLDERS = {"prompts": "harness.prompts", "local_models": "harness.local_models", "harness": "harness"}


def modules() -> Iterator[tuple[str, Path]]:
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            inside = path.relative_to(ROOT / folder)
            if folder == "harness" and inside.parts[0] in ("prompts", "local_models", "data"):
                continue  # links: read under their real path
            parts = [*inside.parts[:-1], inside.stem] if inside.stem != "__init__" else inside.parts[:-1]
            yield ".".join([package, *parts]), path


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from a import b` may name a module: keep both readings.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def starts(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


@pytest.mark.parametrize("package", ALLOWED)
def test_arrows_point_one_way(package: str) -> None:
    for module, path in modules():
        if starts(module, (package,)):
            for name in imports(path):
                inner = starts(name, ("harness",))
                allowed = starts(name, (*CORE_FREE, *ALLOWED[package], *BESIDES.get(module, ())))
                assert not inner or allowed, f"{module} imports {name}"


def test_the_core_names_no_family_and_no_provider() -> None:
    for module, path in modules():
        if not starts(module, tuple(ALLOWED)):
            for name in imports(path):
                assert not starts(name, ("harness.prompts.families",)), f"{module} imports {name}"
                assert not starts(name, ("harness.adapters",)), f"{module} imports {name}"


def test_torch_is_imported_by_local_models_alone() -> None:
    for module, path in modules():
        if not starts(module, ("harness.local_models",)):
            assert not any(starts(n, ("torch", "transformers")) for n in imports(path)), module


def test_the_analyzer_needs_numpy_and_scipy_only() -> None:
    for module, path in modules():
        if starts(module, ("harness.analysis",)):
            for name in imports(path):
                top = name.partition(".")[0]
                assert top in {"harness", "numpy", "scipy"} | sys.stdlib_module_names, (
                    f"{module} imports {name}"
                )


def test_there_are_no_cycles() -> None:
    known = dict(modules())
    edges = {
        m: {e for n in imports(p, top_level_only=True) for e in _targets(n, known)} - {m}
        for m, p in known.items()
    }
    state: dict[str, str] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if state.get(module) == "done":
            return
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        for target in edges[module]:
            visit(target, (*trail, module))
        state[module] = "done"

    for module in edges:
        visit(module, ())


def _targets(name: str, known: dict[str, Path]) -> set[str]:
    """Return the module an import reads. A package's __init__ counts only when it is what is named."""
    if name in known:
        return {name}
    parent = name.rpartition(".")[0]
    return {parent} & set(known)


@pytest.mark.parametrize(
    "statement", ["import harness", "import harness.cli", "from harness.cli import cli; cli.commands"]
)
def test_a_bare_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint(*sorted(m.partition('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & (HEAVY | {"numpy", "pydantic", "rich"})


@pytest.mark.parametrize("name", ["prompts", "local_models", "data"])
def test_the_links_lead_to_the_folders(name: str) -> None:
    link = ROOT / "harness" / name
    assert link.is_symlink()
    assert link.resolve() == (ROOT / name).resolve()


def test_every_package_is_listed_in_pyproject() -> None:
    import tomllib

    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {m for m, path in modules() if path.stem == "__init__"} | {"harness.data"}
    assert found == listed
