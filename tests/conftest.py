"""What tests of every part share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from facesim.camera import Camera

# A busy machine is no reason to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("FACELAB_SHARED", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Measuring data that cannot be in the repository; tests that need it are skipped without it."""
    if not SHARED.is_dir():
        pytest.skip(f"no measuring data: {SHARED} does not exist (FACELAB_SHARED names another place)")
    return SHARED


@pytest.fixture(scope="session")
def real_faces() -> Path | None:
    """Real photographs in the benchmark's layout, for tests that take other faces where there are none."""
    folder = SHARED / "real-faces"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def camera() -> Camera:
    """The camera of this process; only what the machine lacks is a reason to skip."""
    if "tensorflow" in sys.modules:
        pytest.skip(
            "TensorFlow is loaded: it and Mesa's renderer crash in one process (make unit keeps them apart)"
        )
    moderngl = pytest.importorskip("moderngl", reason="the renderer's dependencies are not installed")
    from facesim.assets import AssetError, require_assets

    try:
        require_assets()
    except AssetError as error:
        pytest.skip(str(error))
    try:
        moderngl.create_context(standalone=True, backend="egl").release()
    except Exception as error:  # moderngl raises nothing narrower
        pytest.skip(f"no OpenGL without a screen on this machine ({error}): install Mesa's EGL (libegl1)")
    from facesim.camera import shared_camera

    return shared_camera()
