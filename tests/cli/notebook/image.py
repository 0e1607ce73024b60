#!/usr/bin/python3
"""Makes the root file system of a notebook server from Debian's packages, as a tar.

    image.py DIRECTORY

It goes to DIRECTORY/notebook.tar and stays there: made again only when this file has changed. It is packaged as most are:
an account for the server, whose home is its own, and a directory for the notebooks that its group 0 may write. Nothing in
it knows of any other user ID.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from support.made_once import made_once  # noqa: E402  (after the path is set)

PACKAGES = ("jupyter-notebook", "python3-ipykernel")
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
SOURCES = pathlib.Path("/etc/apt/sources.list.d/debian.sources")  # where the host has its packages from, if it says so here
HOOKS = (
    'chroot "$1" useradd --create-home --shell /bin/bash notebook',
    'chroot "$1" install -d -o notebook -g 0 -m 0775 /notebooks',
    'rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*',
)


def make(directory):
    options = ["--aptopt=Acquire::Languages \"none\"", "--aptopt=APT::Install-Recommends \"false\""]
    options += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += [f"--customize-hook={hook}" for hook in HOOKS]
    sources = [str(SOURCES)] if SOURCES.exists() else []
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", *options,
                    "--include=" + ",".join(PACKAGES), "bookworm", str(directory / "notebook.tar"), *sources],
                   check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    made_once(pathlib.Path(sys.argv[1]), __file__, make)


main()
