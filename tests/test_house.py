"""The rules of the house: imports go down, floor-2 modules do not know each other, each library has one door."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "aggregator"

#: Floor of each module or package; whoever imports must stand higher than what is imported.
FLOORS = {
    "agencies": 1, "candidates": 1, "entities": 1, "errors": 1, "furniture": 1, "model": 1, "passages": 1, "schema": 1,
    "urls": 1, "words": 1,
    "config": 2, "dedup": 2, "extract": 2, "fetch": 2, "identity": 2, "opml": 2, "parse": 2,
    "schedule": 2, "sites": 2, "store": 2,
    "newsroom": 3, "pipeline": 3,
    "daemon": 4, "demo": 4,
    "cli": 5,
    "__main__": 6,
}  # fmt: skip

#: Library -> the only modules that may import it.
DOORS = {
    "apscheduler": {"daemon"},
    "bs4": {"extract"},
    "click": {"cli"},
    "feedparser": {"parse"},
    "lxml": {"extract"},
    "numpy": {"dedup", "words"},
    "protego": {"fetch"},
    "publicsuffixlist": {"urls"},
    "requests": {"fetch"},
    "rich": {"cli"},
    "sqlite_utils": {"schema", "store"},
    "urllib3": {"fetch"},
    "yaml": {"config"},
}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts == ("__init__",) or (parts[0] == "newsroom" and "plugins" in parts):
            continue  # the face imports lazily; Datasette's plugins are loaded by Datasette
        yield parts[0], path


def imports(path):
    """(top name, our module or None) of every import in a file, also inside functions and TYPE_CHECKING blocks."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield parts[0], parts[1] if len(parts) > 1 else None
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                here = ["aggregator", *path.relative_to(PACKAGE).with_suffix("").parts]
                parts = here[: len(here) - node.level] + parts
            if parts == ["aggregator"]:
                for alias in node.names:
                    yield "aggregator", alias.name
            else:
                yield parts[0], parts[1] if len(parts) > 1 else None


def test_every_module_has_a_floor():
    assert {name for name, _ in modules()} == set(FLOORS)


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda value: getattr(value, "name", value))
def test_imports_only_go_down(name, path):
    ours = {
        module for top, module in imports(path) if top == "aggregator" and module in FLOORS and module != name
    }
    assert {module for module in ours if FLOORS[module] > FLOORS[name]} == set()
    if FLOORS[name] == 2:
        assert {module for module in ours if FLOORS[module] == 2} == set()


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda value: getattr(value, "name", value))
def test_each_library_has_one_door(name, path):
    assert {top for top, _ in imports(path) if name not in DOORS.get(top, {name})} == set()


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_only_cli_prints(path):
    if "cli" in path.parts:
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert [
        call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"
    ] == []
