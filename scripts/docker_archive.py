"""Writes images as docker-archive files, the form of `docker save` and `podman save`, with Python's library alone.

The same input gives the same bytes: times are zero, names are in the order given, nobody's user name gets in.
"""

import hashlib
import io
import json
import tarfile

EPOCH = "1970-01-01T00:00:00Z"


def entry(name, kind=tarfile.REGTYPE, *, mode=0o644, uid=0, gid=0, link="", data=b"", xattrs=None, device=(0, 0)):
    """A tar member and its contents."""
    member = tarfile.TarInfo(name)
    member.type = kind
    member.mode = mode
    member.uid = uid
    member.gid = gid
    member.linkname = link
    member.size = len(data)
    member.devmajor, member.devminor = device
    member.pax_headers = {f"SCHILY.xattr.{key}": value for key, value in (xattrs or {}).items()}
    return member, data


def directory(name, mode=0o755, uid=0, gid=0):
    return entry(name, tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid)


def link(name, target):
    return entry(name, tarfile.SYMTYPE, mode=0o777, link=target)


def file(name, data, mode=0o644, uid=0, gid=0):
    return entry(name, mode=mode, uid=uid, gid=gid, data=data if isinstance(data, bytes) else data.encode())


def tar_bytes(entries):
    """A layer: the members in the order given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in entries:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def image_config(layers, architecture, settings):
    """The image's configuration document. `settings` is its "config" part: Cmd, Env, User, ..."""
    return {
        "architecture": architecture,
        "os": "linux",
        "created": EPOCH,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]},
        "history": [{"created": EPOCH, "created_by": f"layer {number}"} for number in range(len(layers))],
    }


def write(path, names, layers, settings, architecture="amd64"):
    """Writes the archive and returns the image's ID (the digest of its configuration)."""
    config = json.dumps(image_config(layers, architecture, settings), sort_keys=True).encode()
    config_hex = hashlib.sha256(config).hexdigest()
    members = [(f"{config_hex}.json", config)]
    paths = []
    for layer in layers:
        name = hashlib.sha256(layer).hexdigest() + ".tar"
        if name not in paths:
            members.append((name, layer))
        paths.append(name)
    manifest = [{"Config": f"{config_hex}.json", "RepoTags": list(names), "Layers": paths}]
    members.append(("manifest.json", json.dumps(manifest).encode()))
    with open(path, "wb") as out:
        out.write(tar_bytes([file(name, data) for name, data in members]))
    return "sha256:" + config_hex
