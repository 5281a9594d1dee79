"""What goes into the wheel beside Python: the JupyterLab extension, which npm has built before.

An editable installation leaves it out: `jupyter-builder develop` links the folder instead, so that a rebuild is seen.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARE = "share/jupyter/labextensions/@pilothouse/jupyterlab"


class LabextensionHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or self.target_name != "wheel":
            return
        built = Path(self.root) / "pilothouse" / "labextension"
        if not (built / "package.json").exists():
            raise FileNotFoundError(f"{built} is not built yet; run `npm run build` at the root first")
        build_data["shared_data"][str(built)] = SHARE
        build_data["shared_data"][str(Path(self.root) / "install.json")] = f"{SHARE}/install.json"
