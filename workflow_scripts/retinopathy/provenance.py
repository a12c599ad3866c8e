"""What a script's result depends on besides its inputs: the code, by content.

Snakemake follows the script file, not the modules that it imports. A hash over both, given to the
rule as a parameter, makes a changed module rerun exactly the rules whose scripts import it.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "retinopathy"


def code_hash(script: Path) -> str:
    """Return a hash of a script and of all library modules that it imports, directly or not.

    Comments, docstrings and layout count: the hash is of bytes, so that it never has to guess
    what could matter.

    Args:
        script: A script that lies beside the package.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(script.read_bytes())
    for module in sorted(modules_of(script)):
        digest.update(module.name.encode() + module.read_bytes())
    return digest.hexdigest()[:16]


def modules_of(script: Path) -> frozenset[Path]:
    """Return the files of the library modules that `script` imports, directly or not."""
    library = script.parent / PACKAGE
    found: set[Path] = set()
    waiting = list(_imported(script, library))
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(_imported(module, library))
    return frozenset(found)


def _imported(path: Path, library: Path) -> frozenset[Path]:
    """Return the library modules that the file at `path` imports by itself."""
    files = (library / f"{name}.py" for name in _names(path.read_text(encoding="utf-8")))
    return frozenset(file for file in files if file.is_file())


@cache
def _names(source: str) -> frozenset[str]:
    """Return the names of the package's modules that `source` imports, wherever it does so."""
    return frozenset(_walk(ast.parse(source)))


def _walk(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(f"{PACKAGE}."):
                    yield alias.name.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            yield str(node.module).split(".")[1]
