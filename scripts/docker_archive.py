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


def _open(layer):
    """A layer as a stream: it is bytes, or the path of a tar file where it is too large for that."""
    return io.BytesIO(layer) if isinstance(layer, bytes) else open(layer, "rb")


def _digest(layer):
    total = hashlib.sha256()
    with _open(layer) as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def image_config(digests, architecture, settings):
    """The image's configuration document. `settings` is its "config" part: Cmd, Env, User, ..."""
    return {
        "architecture": architecture,
        "os": "linux",
        "created": EPOCH,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest in digests]},
        "history": [{"created": EPOCH, "created_by": f"layer {number}"} for number in range(len(digests))],
    }


def write(path, names, layers, settings, architecture="amd64"):
    """Writes the archive and returns the image's ID (the digest of its configuration)."""
    digests = [_digest(layer) for layer in layers]
    config = json.dumps(image_config(digests, architecture, settings), sort_keys=True).encode()
    config_hex = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{config_hex}.json", "RepoTags": list(names),
                 "Layers": [f"{digest}.tar" for digest in digests]}]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as out:
        for name, data in ((f"{config_hex}.json", config), ("manifest.json", json.dumps(manifest).encode())):
            out.addfile(file(name, data)[0], io.BytesIO(data))
        for digest, layer in dict(zip(digests, layers)).items():
            with _open(layer) as stream:
                member = tarfile.TarInfo(f"{digest}.tar")
                member.size = stream.seek(0, io.SEEK_END)
                stream.seek(0)
                out.addfile(member, stream)
    return "sha256:" + config_hex
