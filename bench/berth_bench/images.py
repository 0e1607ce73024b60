"""Images that are large in one way or another."""

import io
import os
import pathlib
import random
import subprocess
import tarfile

import docker_archive as archive

NAME = "localhost/bench-"
BUSYBOX = "/bin/busybox"


def base_entries():
    yield archive.directory("bin")
    yield archive.file("bin/busybox", pathlib.Path(BUSYBOX).read_bytes(), mode=0o755)
    for applet in ("true", "sh", "chown", "sleep", "cat"):
        yield archive.link(f"bin/{applet}", "busybox")
    yield archive.file("etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
    yield archive.file("etc/group", "root:x:0:\n")


def _write(path, kind, layers):
    name = f"{NAME}{kind}:latest"
    archive.write(path, [name], layers, {"Cmd": ["/bin/true"], "Env": ["PATH=/bin"]})
    return name


def make_many_files(path, count):
    """An image with `count` small files, a hundred in a directory."""
    entries = list(base_entries())
    for number in range(count):
        if number % 100 == 0:
            entries.append(archive.directory(f"data/{number // 100}"))
        entries.append(archive.file(f"data/{number // 100}/{number % 100}", f"{number}\n"))
    return _write(path, "files", [archive.tar_bytes(entries)])


def make_with_program(path, name, program):
    """An image of busybox and one program more."""
    entries = [*base_entries(), archive.file(f"bin/{name}", pathlib.Path(program).read_bytes(), mode=0o755)]
    return _write(path, name, [archive.tar_bytes(entries)])


def make_of_layer(path, layer):
    """An image of a layer that is there already, as a file."""
    return _write(path, "real", [layer])


def make_big_files(path, count, size):
    """An image with `size` bytes in `count` files, which no compression and no sparseness makes smaller."""
    noise = random.Random(1).randbytes(size // count)
    layer = path.with_suffix(".layer")
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as out:
        for member, data in [*base_entries(), archive.directory("data")]:
            out.addfile(member, io.BytesIO(data))
        for number in range(count):
            out.addfile(archive.file(f"data/{number}", noise)[0], io.BytesIO(noise))
    name = _write(path, "data", [layer])
    layer.unlink()
    return name


def fill_directory(path, count):
    """`count` small files of different owners, a hundred in a directory."""
    for number in range(count):
        directory = path / str(number // 100)
        if number % 100 == 0:
            directory.mkdir()
        file = directory / str(number % 100)
        file.touch()
        os.chown(file, number % 65536, number % 65536)


def disk_usage(path):
    """Bytes that a tree takes on disk."""
    done = subprocess.run(["du", "-s", "--block-size=1", path], check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.split()[0])


def host_files():
    """Regular files of /usr, in a fixed order: real programs, libraries and texts, which compress as such things do."""
    for directory, names, files in os.walk("/usr"):
        names.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.path.isfile(path):
                yield path, os.path.getsize(path)


def write_real_layer(path, files, budget):
    """Takes files off the iterator until the layer has `budget` bytes; gives how many it has."""
    used = 0
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as layer:
        for name, size in files:
            member = layer.gettarinfo(name)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            if not member.isreg():
                continue  # another name of a file that is in already
            with open(name, "rb") as contents:
                layer.addfile(member, contents)
            used += size
            if used >= budget:
                break
    return used
