"""`icl ls`: what there is to run, on what, and what was run."""

from pathlib import Path

from harness.commands.display import table_of, wide_console
from harness.registry import family_names, load_family, provider_names, provider_summary, suite_names
from harness.store_files import open_store
from harness.suite_files import load_suite
from harness.types import ParamValue

_LONGEST = 24  # characters of a default that are shown


def list_things(what: str) -> None:
    """Print a table of suites, tasks, models or runs."""
    rows = {"suites": _suites, "tasks": _tasks, "models": _models, "runs": _runs}[what]()
    wide_console().print(table_of(rows[0], rows[1:]))


def _suites() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("suite", "models", "families", "seed")]
    for name in suite_names():
        suite = load_suite(name)
        families = dict.fromkeys(task.family for task in suite.tasks)
        rows.append((name, ", ".join(suite.models), ", ".join(families), str(suite.seed)))
    return rows


def _tasks() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("task", "what it is; its parameters with their defaults")]
    for name in family_names():
        family = load_family(name)
        rows.append((name, family.summary))
        rows.append(("", ", ".join(f"{key}={_short(value)}" for key, value in family.defaults.items())))
    return rows


def _short(value: ParamValue) -> str:
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _models() -> list[tuple[str, ...]]:
    from harness.local_models.checkpoints import bundled_names

    local = [(f"local/{name}", "Ships with the package") for name in bundled_names()]
    other = [(f"{name}/...", provider_summary(name).replace("`", "")) for name in provider_names()]
    return [("model", "what it is, and the environment variables it reads"), *local, *other]


def _runs() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("run directory", "suite", "created", "models")]
    for path in sorted(Path().glob("**/run.sqlite")):
        store = open_store(path.parent)
        names = ", ".join(store.models())
        rows.append((str(path.parent), store.get_meta("suite") or "", store.get_meta("created") or "", names))
        store.close()
    return rows
