"""Suites as YAML: read with the line of every key, so that an error can point at it."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import SpecError, near_miss
from harness.registry import shipped_suite
from harness.spec import TAGGED, RenderSpec, SuiteSpec, TaskSpec

KeyPath = tuple[str | int, ...]
# Fields that came later: left out of a suite's digest where they say what there was no choice of before, so that
# runs from then are still found to be runs of the same suite.
_LATER_OF_TASKS = ("precision", "depth", "phase", "length")
_LATER_OF_RENDER = ("instruction", "wording", "options", "counterbalance")


def load_suite(source: str | Path) -> SuiteSpec:
    """Read a suite from a path, or by the name of a shipped one.

    Raises SpecError with file, line and what is allowed; UnknownName if there
    is neither such a file nor such a suite.
    """
    path = Path(source)
    if path.suffix in {".yaml", ".yml"} or path.is_file():  # a folder called as a shipped suite is none
        try:
            return parse_suite(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{path}: cannot read the suite: {error}") from error
    return parse_suite(shipped_suite(str(source)).read_text(encoding="utf-8"), f"suite {source}")


def parse_suite(text: str, where: str) -> SuiteSpec:
    """Read a suite from YAML text; `where` names it in errors."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    if root is None or not isinstance(data, dict):
        raise SpecError(
            f"{where}: a suite is a mapping with name, seed and tasks; found {type(data).__name__}"
        )
    lines = _lines(root, ())
    _refuse_duplicates(root, where)
    try:
        return SuiteSpec.model_validate(data)
    except ValidationError as error:
        faults = [_explain(e, lines, where) for e in error.errors()]
        raise SpecError("\n".join(dict.fromkeys(faults))) from error


def dump_suite(suite: SuiteSpec) -> str:
    """Return the suite as YAML that reads back to the same suite."""
    data = suite.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def suite_digest(suite: SuiteSpec) -> str:
    """Return the sha256 of what decides which requests are made: name, seed and tasks.

    Models, budget, thresholds, what is fitted to the predictions and what is read
    inside a model are left out: a run may gain a model or a measurement, get a
    higher cap or be judged anew without asking for anything again.
    """
    data = suite.model_dump(mode="json", by_alias=True, include={"name", "seed", "tasks"})
    for task in data["tasks"]:
        del task["cognitive"], task["phases"], task["whitebox"]
        _forget(task, TaskSpec, _LATER_OF_TASKS)
        _forget(task["render"], RenderSpec, _LATER_OF_RENDER)
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _forget(data: dict[str, object], spec: type[BaseModel], later: tuple[str, ...]) -> None:
    """Take out what suites could not say at first, where it says what they meant."""
    for name in later:
        if data[name] == spec.model_fields[name].default:
            del data[name]


def _lines(node: yaml.Node, path: KeyPath) -> dict[KeyPath, int]:
    lines = {path: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines |= _lines(value, (*path, str(key.value)))
            lines[(*path, str(key.value))] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            lines |= _lines(value, (*path, i))
    return lines


def _refuse_duplicates(node: yaml.Node, where: str) -> None:
    """YAML keeps the last of two equal keys without a word; a suite must not."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise SpecError(f"{where}, line {key.start_mark.line + 1}: key {key.value!r} is given twice")
            seen.add(key.value)
            _refuse_duplicates(value, where)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(value, where)


def _explain(error: ErrorDetails, lines: dict[KeyPath, int], where: str) -> str:
    loc = [part for part in error["loc"] if not str(part).startswith("<")]
    path = tuple(loc)
    while path not in lines:  # a missing key has no line of its own
        path = path[:-1]
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    return f"{where}, line {lines[path]}: {dotted}{_what(error)}"


def _what(error: ErrorDetails) -> str:
    value, key = error["input"], str(error["loc"][-1])
    if error["type"] == "extra_forbidden":
        allowed = _allowed(error["loc"])
        return f" is not a known key{near_miss(key, allowed)} (allowed: {', '.join(allowed)})"
    if error["type"] == "missing":
        return " is missing"
    if error["type"] == "string_type" and isinstance(value, bool):
        return (
            f"={value!r}: a label is wanted, and YAML reads an unquoted yes, no, on, off, true or false"
            ' as a truth value; quote it, e.g. "no"'
        )
    if error["type"] == "string_type" and isinstance(value, int | float):
        return f'={value!r}: a label is wanted, not a number; quote it, e.g. "{value}"'
    return f"={value!r}: {error['msg'].removeprefix('Value error, ')}"


def _allowed(loc: Sequence[str | int]) -> list[str]:
    """Return the keys allowed beside the unknown one at `loc`, by walking the models."""
    model: type[BaseModel] = SuiteSpec
    for part in loc[:-1]:
        if part in TAGGED:
            model = TAGGED[str(part)]
        elif part in model.model_fields:
            model = next(iter(_nested(model.model_fields[str(part)].annotation)), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _nested(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for a in get_args(annotation) for m in _nested(a)]
