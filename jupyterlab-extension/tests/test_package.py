"""The wheel holds everything, and the client alone loads without a Jupyter server."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
FILES = ["pyproject.toml", "hatch_build.py", "install.json", "pypi.md", "LICENSE", "jupyter-config"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what the wheel is made from, with a built JupyterLab extension of two files."""
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "labextension")
    shutil.copytree(PACKAGE / "pilothouse", source / "pilothouse", ignore=ignored)
    for name in FILES:
        (shutil.copytree if (PACKAGE / name).is_dir() else shutil.copy)(PACKAGE / name, source / name)
    built = source / "pilothouse" / "labextension"
    (built / "static").mkdir(parents=True)
    (built / "package.json").write_text("{}")
    (built / "static" / "remoteEntry.js").write_text("")
    return source


def wheel(source: Path) -> subprocess.CompletedProcess[str]:
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    return subprocess.run([*pip, "-w", str(source.parent), str(source)], capture_output=True, text=True, timeout=300)


def test_the_wheel_holds_everything(source: Path) -> None:
    done = wheel(source)
    assert done.returncode == 0, done.stderr
    [file] = source.parent.glob("pilothouse-*.whl")
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    data = next(name.split("/")[0] for name in names if ".data/" in name)
    share = f"{data}/data/share/jupyter/labextensions/@pilothouse/jupyterlab"
    expected = {
        "pilothouse/__init__.py",
        "pilothouse/py.typed",
        "pilothouse/_server/relay.py",
        "pilothouse/_view/live.py",
        f"{share}/package.json",
        f"{share}/install.json",
        f"{share}/static/remoteEntry.js",
        f"{data}/data/etc/jupyter/jupyter_server_config.d/pilothouse.json",
    }
    assert expected <= set(names)
    assert not [name for name in names if name.startswith("pilothouse/labextension") or "test" in name]


def test_a_wheel_without_panels_is_refused(source: Path) -> None:
    shutil.rmtree(source / "pilothouse" / "labextension")
    done = wheel(source)
    assert done.returncode != 0
    assert "run `npm run build` at the root first" in done.stdout + done.stderr


def test_the_client_needs_no_jupyter() -> None:
    code = "import pilothouse, sys; print([m for m in sys.modules if m.startswith(('jupyter', 'tornado', 'IPython'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
