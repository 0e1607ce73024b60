"""berth commit: the image has what the container had, byte by byte, wherever it is run or unpacked."""

import json
import pathlib
import signal
import subprocess

from support import images, registry, tree_listing
from support.case import BerthCase, main, run
from support.images import archive

# The host's tools, over the image's own directory; its loader is found by the image's links.
TOOLS = ("-v", "/usr:/usr:ro")
LISTING = ("/usr/bin/python3", "-c", pathlib.Path(tree_listing.__file__).read_text(), "/")
# What is mounted anew for every container, and the directory that it is in.
MOUNTED = ("./etc/hosts", "./etc/hostname", "./etc/resolv.conf")
CAPABILITY = "0100000200040000000000000000000000000000"  # cap_net_bind_service=ep, VFS_CAP_REVISION_2

CHANGES = r"""
import os, socket, stat
from os import path
def write(name, data, mode=0o644):
    with open(name, "wb") as file:
        file.write(data)
    os.chmod(name, mode)
os.umask(0)
os.chmod("/data/mode", 0o4711)
os.chown("/data/owner", 5, 6)
os.chown("/data", 7, 8)
os.setxattr("/data/attribute", "user.mine", b"a\0b\n=c")
os.unlink("/data/gone")
os.rename("/data/moved", "/data/new name")
os.link("/data/keep", "/data/hard")
os.rename("/old", "/young")
os.unlink("/young/sub/deep")
os.rename("/young/sub", "/young/other")
os.mkdir("/fresh"); write("/fresh/x", b"x"); os.rename("/fresh", "/ripe")
for name in ("/again/before", "/again/both"): os.unlink(name)
os.rmdir("/again"); os.mkdir("/again"); write("/again/both", b"new"); write("/again/after", b"after")
for name in ("/over/one", "/over/both"): os.unlink(name)
os.rmdir("/over"); os.rename("/under", "/over")
os.unlink("/turns"); os.mkdir("/turns", 0o750); write("/turns/in", b"in")
os.unlink("/turned/inside"); os.rmdir("/turned"); write("/turned", b"a file now")
os.mkdir("/sticky", 0o1777)
write("/capable", b"program", 0o755)
os.setxattr("/capable", "security.capability", bytes.fromhex("CAPABILITY"))
write("/first", b"linked"); os.link("/first", "/second")
os.symlink("/etc/passwd", "/link"); os.symlink("x" * 200, "/long link")
os.mkfifo("/fifo", 0o620)
socket.socket(socket.AF_UNIX).bind("/socket")
deep = "/" + "/".join(["directory with a long name " * 5] * 3)
os.makedirs(deep); write(deep + "/file", b"deep")
write(b"/not text \xff\n\x1b", b"x")
with open("/holes", "wb") as file:
    file.seek(1 << 24); file.write(b"middle"); file.truncate(3 << 24)
write("/old time", b""); os.utime("/old time", ns=(0, -1_500_000_000))
write("/new time", b""); os.utime("/new time", ns=(0, 1_700_000_000_123_456_789))
os.utime("/data/keep", ns=(0, 1_600_000_000_000_000_001))
os.chown("/link", 9, 10, follow_symlinks=False)
os.chmod("/", 0o751)
""".replace("CAPABILITY", CAPABILITY)


def tree():
    yield from images.busybox_entries(passwd="root:x:0:0:root:/root:/bin/sh\n", group="root:x:0:\n")
    for name in ("usr", "data", "old", "old/sub", "again", "over", "under", "turned", "other"):
        yield archive.directory(name)
    for library in ("lib", "lib64"):
        yield archive.link(library, "usr/" + library)
    for name in ("keep", "gone", "mode", "owner", "moved", "attribute"):
        yield archive.file(f"data/{name}", name * 10000)
    for name in ("old/file", "old/sub/deep", "old/sub/kept", "again/before", "again/both", "over/one", "over/both",
                 "under/both", "under/two", "turns", "turned/inside", "other/untouched"):
        yield archive.file(name, "the image's " + name, uid=1, gid=2)


class Commit(BerthCase):
    def setUp(self):
        super().setUp()
        self.image = images.load(self, "tree", tree(), {"Labels": {"of": "the image"}, "User": "0", "ExposedPorts": {"1/tcp": {}}})

    def listing(self, image, *flags, before=""):
        """What a container of the image sees, after it has done something."""
        script = LISTING[:2] + (before + "\n" + LISTING[2], LISTING[3])
        found = json.loads(self.ok("run", *flags, *TOOLS, image, *script))
        for name in MOUNTED:
            found.pop(name, None)
        for name in (".", "./etc"):
            found[name].pop("time")
        return found

    def changed(self, *flags, name="job"):
        before = self.listing(self.image, "--rm")
        after = self.listing(self.image, "--name", name, *flags, before=CHANGES)
        self.assertGreater(len(after), len(before))
        return after

    def assert_same(self, found, expected):
        for path in sorted(set(found) | set(expected)):
            self.assertEqual(found.get(path), expected.get(path), path)

    def test_a_container_of_it_has_the_same_files(self):
        expected = self.changed()
        self.assertEqual(expected["./capable"]["attributes"], {"security.capability": CAPABILITY})
        del expected["./socket"]  # as of any archive
        identity = self.ok("commit", "job", "made").strip()
        self.assertRegex(identity, "^sha256:[0-9a-f]{64}$")
        self.assert_same(self.listing("made", "--rm"), expected)
        self.assertEqual(len(json.loads(self.ok("image", "inspect", "made"))[0]["RootFS"]["Layers"]), 2)
        # Once more from there, with nothing changed, and with one thing.
        self.ok("run", "--name", "second", "made", "chmod", "600", "/data/new name")
        self.ok("commit", "second", "again")
        expected["./data/new name"]["mode"] = "0o600"
        self.assert_same(self.listing("again", "--rm"), expected)

    def test_squashed(self):
        expected = self.changed()
        del expected["./socket"]
        self.ok("commit", "--squash", "job", "made")
        self.assert_same(self.listing("made", "--rm"), expected)
        self.assertEqual(len(json.loads(self.ok("image", "inspect", "made"))[0]["RootFS"]["Layers"]), 1)

    def test_of_a_translated_container(self):
        expected = self.changed("--translate")
        del expected["./socket"]
        self.ok("commit", "job", "made")
        self.assert_same(self.listing("made", "--rm"), expected)

    def test_of_a_running_container(self):
        process = self.start("run", "--name", "job", self.image, "sh", "-c", "echo x > /made; echo up; exec sleep 1000",
                             stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        self.ok("commit", "job", "made")
        self.assertEqual(self.ok("run", "--rm", "made", "cat", "/made"), "x\n")
        self.ok("commit", "--pause", "job", "made")
        self.assertEqual(self.ok("ps", "--format", "{{.State}}"), "running\n", "it goes on")
        self.ok("pause", "job")
        self.ok("commit", "--pause", "job", "made")
        self.assertEqual(self.ok("ps", "-a", "--format", "{{.State}}"), "paused\n", "as somebody else has it")
        self.ok("unpause", "job")
        self.ok("rm", "-f", "job")
        process.wait(20)

    def test_the_commit_is_killed_that_holds_it_still(self):
        process = self.start("run", "--name", "job", self.image, "sh", "-c", "echo up; exec sleep 1000",
                             stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        done = self.berth("commit", "--pause", "job", "made", env={"BERTH_FAULT": "held-still"})
        self.assertEqual(done.status, 128 + signal.SIGKILL, done)
        self.assertTrue((self.runroot / "still").is_dir())
        self.assertEqual(self.ok("ps", "--format", "{{.State}}"), "running\n", "the next command lets it go on")
        self.assertEqual(self.ok("exec", "job", "sh", "-c", "echo it does"), "it does\n")
        self.assertEqual(list((self.runroot / "still").iterdir()), [])
        # What a person has paused stays so.
        self.ok("pause", "job")
        self.assertEqual(self.ok("ps", "--format", "{{.State}}"), "paused\n")
        self.ok("rm", "-f", "job")
        process.wait(20)

    def test_other_tools_unpack_the_same(self):
        self.changed()
        self.ok("commit", "job", "localhost/made:1")
        layout = self.work / "layout"
        self.ok("save", "--format", "oci-dir", "-o", layout, "localhost/made:1")
        run("skopeo", "copy", "--insecure-policy", f"oci:{layout}:localhost/made:1", f"oci:{self.work}/copy:made")
        done = run("umoci", "unpack", "--image", f"{self.work}/copy:made", self.work / "bundle")
        self.assertEqual(done.status, 0, done)
        found = tree_listing.listing(self.work / "bundle" / "rootfs")
        exported = self.work / "exported"
        exported.mkdir()
        self.ok("export", "-o", self.work / "job.tar", "job")
        subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "-xpf", self.work / "job.tar", "-C", exported], check=True)
        expected = tree_listing.listing(exported)
        for listing in (found, expected):
            for name in (".", "./etc"):
                listing[name].pop("time")
        self.assert_same(found, expected)
        self.assertNotIn("./etc/hosts", found)
        self.assertEqual(found["./capable"]["attributes"], {"security.capability": CAPABILITY})

    def test_through_a_registry(self):
        expected = self.changed()
        del expected["./socket"]
        self.ok("commit", "job", "localhost/made:1")
        self.ok("save", "--format", "oci-archive", "-o", self.work / "made.tar", "localhost/made:1")
        with registry.Registry(self.work / "registry") as place:
            done = run("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false",
                       f"oci-archive:{self.work}/made.tar", f"docker://{place.address}/made:1")
            self.assertEqual(done.status, 0, done)
            self.ok("rm", "job")
            self.ok("rmi", "localhost/made:1")
            self.ok("pull", "--tls-verify=false", f"{place.address}/made:1")
            self.assert_same(self.listing(f"{place.address}/made:1", "--rm"), expected)

    def test_the_lines_for_the_user_are_taken_out(self):
        shown = "cat /etc/passwd /etc/group"
        self.ok("run", "--name", "as-it-is", "-u", "1234", self.image, "true")
        before = self.ok("run", "--rm", self.image, "sh", "-c", shown)
        self.assertNotIn("1234", before)
        self.ok("commit", "as-it-is", "as-it-is")
        self.assertEqual(self.ok("run", "--rm", "-u", "0", "as-it-is", "sh", "-c", shown), before)
        # One whose own root writes to the files, as a package's script does.
        image = images.load(self, "open", self.open_accounts())
        done = self.ok("run", "--name", "writer", "-u", "1234", image, "sh", "-c",
                       "echo own:x:55:55::/:/bin/sh >> /etc/passwd; cat /etc/passwd")
        self.assertIn("1234:x:1234:", done)
        self.ok("commit", "writer", "writer")
        self.assertEqual(self.ok("run", "--rm", "-u", "0", "writer", "cat", "/etc/passwd"),
                         "root:x:0:0:root:/root:/bin/sh\nown:x:55:55::/:/bin/sh\n")
        # Only another mode: then the container's layer has the file without its content.
        self.ok("run", "--name", "mode", "-u", "1234", image, "chmod", "640", "/etc/group")
        self.ok("commit", "mode", "mode")
        self.assertEqual(self.ok("run", "--rm", "-u", "0", "mode", "sh", "-c", "stat -c %a /etc/group; cat /etc/group"),
                         "640\nroot:x:0:\n")

    @staticmethod
    def open_accounts():
        yield from images.busybox_entries()
        yield archive.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", mode=0o666)
        yield archive.file("etc/group", "root:x:0:\n", uid=1234)

    def test_settings_and_history(self):
        self.ok("run", "--name", "job", "-e", "A=1", "-l", "mine=yes", "-w", "/data", self.image, "touch", "/x")
        identity = self.ok("commit", "-a", "Somebody", "-m", "a remark", "-c", "ENV B=2 C=3", "-c", 'CMD ["cat"]',
                           "--change", "USER 5:6", "--change=WORKDIR sub", "-c", "EXPOSE 80 53/udp", "-c", "VOLUME /v",
                           "-c", "STOPSIGNAL INT", "-c", "LABEL x=y", "-c", 'ENTRYPOINT ["/bin/sh"]',
                           "-c", "HEALTHCHECK --interval=30s --retries=2 CMD true || false",
                           "--iidfile", self.work / "id", "job", "made:1").strip()
        self.assertEqual((self.work / "id").read_text(), identity)
        (found,) = json.loads(self.ok("image", "inspect", "made:1"))
        config = found["Config"]
        self.assertEqual(found["Author"], "Somebody")
        self.assertEqual(config["Env"], ["PATH=/usr/bin:/bin", "A=1", "B=2", "C=3"])
        self.assertEqual((config["Cmd"], config["Entrypoint"], config["User"], config["WorkingDir"], config["StopSignal"]),
                         (["cat"], ["/bin/sh"], "5:6", "/data/sub", "INT"))
        self.assertEqual(config["Labels"], {"of": "the image", "mine": "yes", "x": "y"})
        self.assertEqual(sorted(config["ExposedPorts"]), ["1/tcp", "53/udp", "80/tcp"])
        self.assertEqual(list(config["Volumes"]), ["/v"])
        layout = self.work / "made.tar"
        self.ok("save", "-o", layout, "made:1")
        config = json.loads(run("skopeo", "inspect", "--config", "--raw", f"docker-archive:{layout}").stdout)
        self.assertEqual(config["config"]["Healthcheck"],
                         {"Test": ["CMD-SHELL", "true || false"], "Interval": 30_000_000_000, "Retries": 2})
        step = config["history"][-1]
        self.assertEqual((step["author"], step["comment"], step["created_by"]), ("Somebody", "a remark", "touch /x"))
        self.assertEqual(len(config["history"]), 2)

    def test_a_health_check_comes_along(self):
        self.ok("create", "--name", "job", "--health-cmd", "check me", "--health-retries", "7", self.image)
        self.ok("commit", "job", "made")
        self.ok("save", "-o", self.work / "made.tar", "made")
        config = json.loads(run("skopeo", "inspect", "--config", "--raw", f"docker-archive:{self.work}/made.tar").stdout)
        self.assertEqual(config["config"]["Healthcheck"], {"Test": ["CMD-SHELL", "check me"], "Retries": 7})

    def test_without_a_name_and_wrong_words(self):
        self.ok("create", "--name", "job", self.image)
        self.assertEqual(self.ok("run", "--rm", self.ok("commit", "-q", "job").strip(), "cat", "/turns"), "the image's turns")
        before = sorted(path.name for path in (self.root / "layers").iterdir())
        self.fails(125, "commit", "nosuch", saying="nosuch")
        self.fails(125, "commit", "job", "UPPER CASE", saying="UPPER CASE")
        self.fails(125, "commit", "-c", "RUN rm -rf /", "job", saying="RUN")
        self.assertEqual(sorted(path.name for path in (self.root / "layers").iterdir()), before)

    def test_a_name_that_would_remove_another_file(self):
        self.ok("run", "--name", "job", self.image, "touch", "/data/.wh.keep")
        self.fails(125, "commit", "job", "made", saying="/data/.wh.keep")
        self.assertEqual(list((self.root / "tmp").iterdir()), [])


if __name__ == "__main__":
    main()
