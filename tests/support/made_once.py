"""What takes long to make and is the same for every run of the suite."""

import fcntl
import hashlib
import pathlib


def made_once(directory, recipe, make):
    """Calls make(directory) unless what is there was made by the same `recipe`, a file; one caller at a time."""
    directory.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(pathlib.Path(recipe).read_bytes()).hexdigest()
    made_by = directory / "made-by"
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made_by.exists() and made_by.read_text() == digest:
            return
        made_by.unlink(missing_ok=True)
        make(directory)
        made_by.write_text(digest)
