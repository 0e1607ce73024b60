"""A store that has seen years of use, made by writing rows and directories instead of years of use."""

import hashlib
import itertools
import shutil
import sqlite3

FIRST_BANK, LAST_BANK = 0x0008, 0x6FFF
LAYERS = 3  # of each image


def _hex(*words):
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def _copy_row(database, table, row, changes):
    values = {**row, **changes}
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


def _only(database, table):
    return dict(database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())


def _add_images(database, root, count):
    model = _only(database, "images")
    layer = _only(database, "layers")
    for number in range(count):
        identity = "sha256:" + _hex("image", number)
        _copy_row(database, "images", model, {"id": identity})
        database.execute("INSERT INTO image_names VALUES (?, ?)", (f"localhost/full-{number}:latest", identity))
        for position in range(LAYERS):
            directory = _hex("layer", number, position)
            (root / "layers" / directory / "etc").mkdir(parents=True)
            digest = "sha256:" + directory
            _copy_row(database, "layers", layer, {"directory": directory, "diff_id": digest})
            database.execute("INSERT INTO image_layers (image_id, position, blob, diff_id, directory) VALUES (?, ?, ?, ?, ?)",
                             (identity, position, "sha256:" + _hex("blob", number, position), digest, directory))


def _add_containers(database, root, count):
    model = _only(database, "containers")
    made = [model["id"]]
    for number in range(count - 1):
        identity = _hex("container", number)[:len(model["id"])]
        _copy_row(database, "containers", model, {"id": identity, "name": f"full-{number}"})
        shutil.copytree(root / "containers" / model["id"], root / "containers" / identity, symlinks=True)
        made.append(identity)
    return made


def _hold_banks(database, owners, count):
    """The banks from the bottom of the pool up, each held by one of the containers."""
    held = {number for number, in database.execute("SELECT number FROM banks WHERE owner IS NOT NULL").fetchall()}
    free = (number for number in range(FIRST_BANK, LAST_BANK) if number not in held)
    numbers = list(itertools.islice(free, count - len(held)))
    database.executemany(
        "INSERT OR REPLACE INTO banks (number, owner_kind, owner, since) VALUES (?, 'container', ?, 0)",
        [(number, owners[number % len(owners)]) for number in numbers])
    database.execute("DELETE FROM fresh_banks")
    database.execute("INSERT INTO fresh_banks VALUES (?, ?)", (max(numbers) + 1, LAST_BANK))


def hold_banks(root, count):
    """Fills the ledger of a store that has nothing else, with a container for each bank."""
    database = sqlite3.connect(root / "berth.db")
    with database:
        _hold_banks(database, [_hex("owner", number) for number in range(count)], count)
    database.close()


def fill(root, images, containers, banks):
    """Fills a store that has one image and one stopped container, as its models."""
    database = sqlite3.connect(root / "berth.db")
    database.row_factory = sqlite3.Row
    with database:
        _add_images(database, root, images)
        owners = _add_containers(database, root, containers)
        _hold_banks(database, owners, banks)
    database.close()
