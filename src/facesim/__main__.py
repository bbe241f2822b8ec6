"""Commands of the renderer: ``python -m facesim fetch-assets | render | pack``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facelab.files import is_full
from facesim.assets import AssetError, fetch_assets
from facesim.studio import StudioError


def main() -> int:
    """Run one command.

    Returns
    -------
    0 when it is done, 1 when the assets cannot be fetched or are not there, 2 when a file or a folder
    is not as it must be, 130 when it was stopped.
    """
    parser = argparse.ArgumentParser(
        prog="python -m facesim", description="Render the embedded faces of the course."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch-assets", help="download and check the MakeHuman assets")
    render = commands.add_parser("render", help="render both sets; goes on where a stopped run was")
    render.add_argument("folder", type=Path, help="gets the folders embedded_faces and counterfactual_faces")
    render.add_argument("--seed", type=int, default=1, help="who is in them (default: %(default)s)")
    render.add_argument(
        "--photographs", type=int, default=10_000, help="in the data set, about (default: %(default)s)"
    )
    render.add_argument(
        "--identities", type=int, default=200, help="in the counterfactual set (default: %(default)s)"
    )
    packing = commands.add_parser("pack", help="pack both rendered sets as the archives that facelab ships")
    packing.add_argument("folder", type=Path, help="the folder that was rendered into")
    packing.add_argument("data", type=Path, help="gets the archives: src/facelab/data")
    arguments = parser.parse_args()
    try:
        if arguments.command == "fetch-assets":
            fetch_assets()
        elif arguments.command == "render":
            from facesim import dataset, sweeps

            dataset.render(arguments.folder / "embedded_faces", arguments.seed, arguments.photographs)
            sweeps.render(arguments.folder / "counterfactual_faces", arguments.seed, arguments.identities)
        else:
            from facesim import archive

            archive.pack({name: arguments.folder / name for name in archive.ARCHIVES}, arguments.data)
    except AssetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (StudioError, OSError) as error:
        full = isinstance(error, OSError) and is_full(error)
        remedy = ". What is there stays: make room, and the same command goes on from it" * full
        print(f"error: {error}{remedy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
