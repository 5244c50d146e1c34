"""The README's tree is the tree: every source file is in it once."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("harness", "prompts", "local_models")


def source_files() -> list[str]:
    found = []
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            inside = path.relative_to(ROOT).as_posix()
            linked = folder == "harness" and inside.split("/")[1] in ("prompts", "local_models", "data")
            if path.name != "__init__.py" and not linked:
                found.append(inside)
    return sorted(found)


def test_every_source_file_stands_in_the_tree_with_a_comment() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    folder, listed = "", []
    for line in lines:
        name, _, comment = line.strip().partition("  ")
        if name.endswith("/") and name.rstrip("/").split("/")[0] in FOLDERS:
            folder = name
        elif name.endswith(".py") and " " not in name:
            assert comment.strip(), line
            listed.append(f"{folder}{name}")
    assert sorted(listed) == source_files()
