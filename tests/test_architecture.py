"""Imports point one way, each heavy library has one door, and `import bot` loads none of them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.settings import Settings

ROOT = Path(__file__).parents[1]
OURS = ("prompts", "db", "retrieval", "bot")
HEAVY = ("torch", "transformers", "sentence_transformers", "faiss", "gradio", "ctranslate2")


@dataclass(frozen=True)
class Import:
    """One import: the module it stands in, the module it names, and whether a function holds it."""

    where: str
    line: int
    name: str
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.where}:{self.line} imports {self.name}"

    def is_of(self, *packages: str) -> bool:
        return any(f"{self.name}.".startswith(f"{package}.") for package in packages)

    def stands_in(self, *packages: str) -> bool:
        return any(f"{self.where}.".startswith(f"{package}.") for package in packages)


def modules() -> dict[str, ast.Module]:
    found = {}
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


MODULES = modules()


def imports() -> list[Import]:
    return [found for name, tree in MODULES.items() for found in _imports(name, tree, False)]


def _imports(where: str, node: ast.AST, inside: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(where, child.lineno, alias.name, inside)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{where}:{child.lineno} is a relative import"
            for alias in child.names:
                # `from db import records` and `from db.records import Product` name the same module
                named = f"{child.module}.{alias.name}"
                yield Import(where, child.lineno, named if named in MODULES else child.module or "",
                             inside)  # fmt: skip
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(where, child, inside or function)


IMPORTS = imports()


def refused(package: str, allowed: tuple[str, ...]) -> list[str]:
    """The imports of our own modules in `package` that name something not in `allowed`."""
    return [
        str(found)
        for found in IMPORTS
        if found.stands_in(package) and found.is_of(*OURS) and not found.is_of(*allowed)
    ]


def test_that_every_room_is_read() -> None:
    assert {name.split(".")[0] for name in MODULES} >= set(OURS)
    assert all(any(found.stands_in(package) for found in IMPORTS) for package in OURS)


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("prompts", ("prompts",)),
        ("db.records", ()),
        ("db", ("db", "prompts")),
        ("retrieval", ("retrieval", "db.records")),
    ],
)
def test_that_a_room_imports_only_what_it_may(package: str, allowed: tuple[str, ...]) -> None:
    assert refused(package, allowed) == []


@pytest.mark.parametrize(
    ("library", "door"),
    [
        ("faiss", "retrieval.dense"),
        ("sentence_transformers", "retrieval.embedders"),
        ("gradio", "bot.web"),
        ("httpx", "bot.generators.remote"),
        (
            "ctranslate2",
            "bot.generators retrieval.answering bot.training.answering retrieval.embedders",
        ),
        ("sqlalchemy", "db"),
        ("alembic", "db"),
    ],
)
def test_that_a_library_has_one_door(library: str, door: str) -> None:
    users = [found for found in IMPORTS if found.is_of(library)]

    assert users, f"nothing imports {library}: drop it from this list"
    assert [str(found) for found in users if not found.stands_in(*door.split())] == []


def test_that_every_library_is_declared_by_the_project_and_not_only_installed_here() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        _plain(re.split(r"[\[<>=!~; ]", line)[0])
        for line in (*project["dependencies"], *sum(project["optional-dependencies"].values(), []))
    }
    carried_by = packages_distributions()
    roots = {found.name.split(".")[0] for found in IMPORTS} - set(OURS) - sys.stdlib_module_names

    assert roots >= {"numpy", "sqlalchemy"}
    assert {root for root in roots if not _carriers(carried_by, root) & declared} == set()


def _carriers(carried_by: Mapping[str, list[str]], root: str) -> set[str]:
    return {_plain(name) for name in carried_by.get(root, [])}


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


COMMANDS = {
    f"bot.cli{name}" for name in ("", "_training", "_evaluate", "_learning", "_finetune", "_gate")
}
OFF_DUTY = ("bot.training", "bot.evaluation")  # no part of a served shop


def test_that_training_and_evaluation_are_imported_by_commands_alone_and_only_when_asked() -> None:
    assert [
        str(found)
        for found in IMPORTS
        if any(found.is_of(room) for room in OFF_DUTY)
        and not any(found.stands_in(room) for room in OFF_DUTY)
        and not (found.where in COMMANDS and found.inside_function)
    ] == []


def test_that_the_environment_is_read_by_the_settings_alone() -> None:
    readers = set()
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "getenv"):
                    readers.add((name, _function_around(tree, node.lineno)))
                case ast.ImportFrom(module="os", names=names):
                    taken = {alias.name for alias in names} & {"environ", "getenv"}
                    assert not taken, f"{name}:{node.lineno} takes {taken} out of os"

    # `main` sets what libraries look for before they load, and reads nothing
    assert readers == {("bot.settings", "load_settings"), ("bot.cli", "main")}


def _function_around(tree: ast.Module, line: int) -> str | None:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            return node.name
    return None


def test_that_importing_the_bot_loads_no_heavy_library() -> None:
    code = (
        "import sys, bot, bot.app, bot.cli; "
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})), sep=',')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ended.stdout.strip() == ""


def test_that_the_operating_guide_names_every_setting_and_no_other() -> None:
    known = set()
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            known |= {f"{name}.{key}" for key in section.model_fields}
        else:
            known.add(name)

    guide = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", guide, re.MULTILINE)) == known


def test_that_every_link_within_the_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
    links = [
        (document, link)
        for document in documents
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
    ]

    assert links
    assert [
        f"{document.name}: {link}"
        for document, link in links
        if not (document.parent / link).is_file()
    ] == []
