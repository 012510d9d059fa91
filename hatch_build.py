"""Builds the front ends into the wheel, so that installing a release needs no Node."""

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = (
    "hallserver/app/static/faces",
    "hallserver/app/static/kiosk",
    "hallserver/app/static/tablet",
    "qingting/web/dist",
)


class FrontEndBuildHook(BuildHookInterface[Any]):
    """Runs ``npm ci`` and ``npm run build`` unless the install is editable or the files are there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or os.environ.get("QINGTING_SKIP_FRONTEND") == "1":
            return
        root = Path(self.root)
        if all((root / folder).is_dir() for folder in BUILT):
            return
        for command in (["npm", "ci"], ["npm", "run", "build"]):
            subprocess.run(command, cwd=root, check=True)
