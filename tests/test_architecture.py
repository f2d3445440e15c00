"""The architecture is a test: imports go one way, kernels import no frames, files stay short."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rtwcohort"
MODULES = sorted(PACKAGE.rglob("*.py"))

EVERYWHERE = {"errors", "core"}
ALLOWED = {
    "errors": set(),
    "core": set(),
    "register": set(),
    "instruments": set(),
    "outcomes": {"register"},
    "simulate": {"register", "outcomes", "instruments"},
    "cohort": {"register", "outcomes", "instruments"},
    "design": set(),
    "models": {"design"},
    "compare": {"design", "models"},
    "evidence": {"simulate", "outcomes", "cohort", "design", "models", "compare"},
    "report": {"cohort", "models", "compare", "evidence"},
    "study": set(),
    "cli": {"study", "report", "register", "outcomes", "simulate"},
}
ALLOWED["study"] = set(ALLOWED) - {"cli", "study"}
ALLOWED["__init__"] = set(ALLOWED) - {"cli"}
KERNEL_IMPORTS = {"numpy", "scipy", "numba"} | set(sys.stdlib_module_names)
FORBIDDEN_NAMES = {"utils", "helpers", "base", "common", "misc"}
NETWORK = {"urllib", "requests", "http", "socket", "httpx", "aiohttp", "ftplib"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.append((node.lineno, node.module or ""))
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path):
    part = part_of(path)
    allowed = ALLOWED[part] | EVERYWHERE | {part}
    if part in {"errors"}:
        allowed = {"errors"}
    for line, module in imports_of(path):
        if module == "rtwcohort":
            assert part in {"cli", "study", "__init__"}, f"{name_of(path)}:{line} imports the package itself"
        elif module.startswith("rtwcohort."):
            target = module.split(".")[1]
            assert target in allowed, f"{name_of(path)}:{line}: `{part}` may not import `{target}`"


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem.endswith("_kernel")], ids=name_of)
def test_kernels_import_only_arrays(path):
    for line, module in imports_of(path):
        own = module.startswith(f"rtwcohort.{part_of(path)}.") and module.endswith("_kernel")
        fine = own or module.split(".")[0] in KERNEL_IMPORTS or module.startswith("rtwcohort.core")
        assert fine, f"{name_of(path)}:{line}: a kernel may not import {module}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, f"{name_of(path)} is two jobs in one file"


def test_every_part_is_declared():
    parts = {part_of(path) for path in MODULES}
    assert parts <= set(ALLOWED), f"undeclared: {parts - set(ALLOWED)}"


def test_no_nameless_modules():
    assert not [name_of(path) for path in MODULES if path.stem in FORBIDDEN_NAMES]


def test_no_network_and_no_clock():
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        for line, module in imports_of(path):
            assert module.split(".")[0] not in NETWORK, f"{name_of(path)}:{line}: network"
        if part_of(path) != "cli":
            found = re.search(r"date\.today\(|datetime\.now\(|np\.random\.seed", text)
            assert not found, f"{name_of(path)}: {found and found.group()}"


def test_the_guard_sees_a_wrong_arrow(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from rtwcohort.register import load_register\n")
    (found,) = imports_of(wrong)
    assert found[1].split(".")[1] not in ALLOWED["models"] | EVERYWHERE


def test_import_is_light():
    """Heavy libraries are imported where they are used, not by `import rtwcohort` or the command line's help."""
    heavy = ["pandas", "scipy", "numba", "lifelines", "statsmodels", "matplotlib", "pandera", "formulaic", "duckdb"]
    code = f"import sys, rtwcohort, rtwcohort.cli; print([m for m in {heavy!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
