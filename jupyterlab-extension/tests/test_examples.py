"""The example notebooks in Python, run from top to bottom against the product; twice in the full tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from rig import REPO, Folders

RUN = """
    import json, sys
    names = {}
    for cell in json.load(open(sys.argv[1]))["cells"]:
        if cell["cell_type"] == "code":
            print("cell", cell["id"], flush=True)
            exec("".join(cell["source"]), names)
"""


@pytest.mark.parametrize("name", ["services-python"])
def test_an_example_runs(product: Folders, tmp_path: Path, name: str) -> None:
    notebook = REPO / "examples" / f"{name}.ipynb"
    last = json.loads(notebook.read_text())["cells"][-1]["id"]
    # As in a terminal where the environment is active: `python` is the one with the client.
    env = product.env | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for _ in range(1 if os.environ.get("PILOTHOUSE_ROUNDS") is None else 2):
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(RUN), str(notebook)],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert f"cell {last}" in ran.stdout
    rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert len(rows) == 4, "what is answered is not asked again"
