"""Lay the newsroom's files into a directory, and keep them up to date without touching what the user changed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from aggregator.errors import StoreError

#: What is copied, relative to this package.
PATTERNS = (
    "metadata.yaml",
    "settings.json",
    "datasette.yaml",
    "templates/*.html",
    "plugins/*.py",
    "static/*.*",
)
#: Remembers what was installed: path -> SHA-256 of the file as we wrote it.
MANIFEST = ".newsroom.json"


def install(directory: Path) -> list[str]:
    """Copy the newsroom into `directory`; return the paths (relative) that were written or taken away.

    A missing file is copied. A file that is as we once wrote it follows this version of the program, also when
    this version no longer has it. A file that differs from what we wrote is the user's and stays. Raises
    StoreError when the directory cannot be written.
    """
    try:
        return _install(Path(directory))
    except OSError as error:
        raise StoreError(
            str(directory),
            f"the newsroom's files cannot be written: {error.strerror or error}",
            "check who owns it",
        ) from error


def _install(directory: Path) -> list[str]:
    shipped = _shipped()
    known = _manifest(directory / MANIFEST)
    changed = []
    for name, content in shipped.items():
        target = directory / name
        ours = hashlib.sha256(content).hexdigest()
        present = _hash(target)
        if present not in (None, ours, known.get(name)):
            continue
        if present != ours:
            _write(target, content)
            changed.append(name)
        known[name] = ours
    for name in sorted(known.keys() - shipped.keys()):
        if _hash(directory / name) == known.pop(name):
            (directory / name).unlink()
            changed.append(name)
    manifest = json.dumps(known, indent=1, sort_keys=True).encode()
    if _hash(directory / MANIFEST) != hashlib.sha256(manifest).hexdigest():
        _write(directory / MANIFEST, manifest)
    return changed


def _shipped() -> dict[str, bytes]:
    here = Path(__file__).parent
    files = (path for pattern in PATTERNS for path in sorted(here.glob(pattern)))
    return {path.relative_to(here).as_posix(): path.read_bytes() for path in files}


def _manifest(path: Path) -> dict[str, str]:
    """A manifest that is missing or broken knows nothing: then every file that differs is taken for the user's."""
    try:
        known = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {str(name): str(hash_) for name, hash_ in known.items() if _inside(str(name))}


def _inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in Path(name).parts


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    """All or nothing: a Datasette that starts now sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)
