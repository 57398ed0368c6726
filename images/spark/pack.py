"""Packs the Python files beside a job's main file, for the executors: prints the archives, comma-separated.

Usage: pack.py JOB_DIRECTORY MAIN_FILE

Modules are importable relative to the main file's directory (as Python itself does it) and relative to the top of what
was submitted; where these differ there are two archives. Package data goes along, a lone main file needs no archive.
"""

import sys
import tempfile
import zipfile
from pathlib import Path


def wanted(root: Path, main: Path) -> list[Path]:
    """Python files, and everything inside packages, below `root`."""
    files = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path == main or "__pycache__" in path.parts:
            continue
        if path.suffix == ".py" or (path.parent / "__init__.py").exists():
            files.append(path)
    return files


def pack(root: Path, files: list[Path], target: Path) -> None:
    """Writes `files` to the archive `target`, with names relative to `root`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in files:
            archive.write(path, path.relative_to(root))


def main() -> None:
    """Packs each root that has something to pack."""
    top, main_file = Path(sys.argv[1]), Path(sys.argv[2])
    folder = Path(tempfile.mkdtemp(prefix="zoe-job-"))
    archives = []
    for name, root in {"beside": main_file.parent, "top": top}.items():
        if name == "top" and root == main_file.parent:
            continue
        files = wanted(root, main_file)
        if files:
            target = folder / f"zoe_job_{name}.zip"
            pack(root, files, target)
            archives.append(str(target))
    print(",".join(archives))


main()
