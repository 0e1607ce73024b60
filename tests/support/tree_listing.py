"""Prints all that there is to know of the files below a directory, one JSON document: what two trees are compared by.

    python3 tree_listing.py DIRECTORY

Mounts below it are only shown as the directories that they are on.
"""

import hashlib
import json
import os
import stat
import sys


def content(path):
    total = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def describe(path, st, names):
    kind = stat.S_IFMT(st.st_mode)
    found = {"type": oct(kind), "mode": oct(st.st_mode & 0o7777), "owner": [st.st_uid, st.st_gid],
             "time": st.st_mtime_ns}
    if kind == stat.S_IFREG:
        found["size"], found["sha256"] = st.st_size, content(path)
    if kind == stat.S_IFLNK:
        found["target"] = os.fsdecode(os.readlink(path))
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        found["device"] = st.st_rdev
    if kind != stat.S_IFDIR and st.st_nlink > 1:
        found["same as"] = names.setdefault((st.st_dev, st.st_ino), os.fsdecode(path))
    if kind != stat.S_IFLNK:
        found["attributes"] = {name: os.getxattr(path, name).hex() for name in sorted(os.listxattr(path))
                               if not name.startswith(("trusted.", "security.selinux"))}
    return found


def listing(root):
    top = os.fsencode(root)
    device = os.lstat(top).st_dev
    names, found = {}, {}

    def visit(path, shown):
        st = os.lstat(path)
        if st.st_dev != device and stat.S_ISDIR(st.st_mode):
            found[os.fsdecode(shown)] = "mount"
            return
        found[os.fsdecode(shown)] = describe(path, st, names)
        if stat.S_ISDIR(st.st_mode):
            for name in sorted(os.listdir(path)):
                visit(os.path.join(path, name), os.path.join(shown, name))

    os.chdir(top)
    visit(b".", b".")
    return found


if __name__ == "__main__":
    print(json.dumps(listing(sys.argv[1])))
