"""berth volume, VOLUME of an image, --volumes-from, and whose files those of a mount are."""

import json
import os
import subprocess

from support import images
from support.case import DEMO, BerthCase, main
from support.images import archive


class Volumes(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def sh(self, script, *flags, image=DEMO):
        return self.ok("run", "--rm", *flags, image, "sh", "-c", script)

    def data(self, name):
        """The directory of a volume on the host."""
        return self.root / "volumes" / name / "_data"

    def names(self):
        return self.ok("volume", "ls", "-q").split()

    def mounts(self, container):
        return {mount["Destination"]: mount for mount in json.loads(self.ok("inspect", container))[0]["Mounts"]}


class Commands(Volumes):
    def test_create(self):
        self.assertEqual(self.ok("volume", "create", "data"), "data\n")
        self.assertRegex(self.ok("volume", "create"), "^[0-9a-f]{64}\n$")
        self.fails(125, "volume", "create", "data", saying="there is a volume data already")
        self.assertEqual(self.ok("volume", "create", "--ignore", "data"), "data\n")
        self.fails(125, "volume", "create", "../up", saying="../up")
        self.fails(125, "volume", "create", "--driver", "nfs", "x", saying="local")
        self.fails(125, "volume", "create", "--label", "=x", "x", saying="KEY=VALUE")
        st = self.data("data").stat()
        self.assertEqual((oct(st.st_mode), st.st_uid, st.st_gid), (oct(0o40755), 0, 0))

    def test_ls(self):
        self.assertEqual(self.ok("volume", "ls"), "", "as podman has it: no volumes, no heading")
        self.ok("volume", "create", "--label", "team=web", "--label", "old", "one")
        self.ok("volume", "create", "two")
        self.ok("create", "--name", "user", "-v", "two:/two", DEMO, "true")
        self.assertEqual(self.ok("volume", "ls"), "DRIVER  VOLUME NAME\nlocal   one\nlocal   two\n")
        self.assertEqual(self.ok("volume", "list", "-n"), "local  one\nlocal  two\n")
        self.assertEqual(self.ok("volume", "ls", "--format", "{{.Name}} {{.Labels.team}}", "--filter", "label=team"),
                         "one web\n")
        self.assertEqual([one["Name"] for one in json.loads(self.ok("volume", "ls", "--format", "json"))], ["one", "two"])
        table = [(["one"], ["name=on"]), (["two"], ["dangling=false"]), (["one"], ["dangling=true"]),
                 ([], ["label=team=db"]), (["one"], ["label=team=web", "label=old"]), (["one", "two"], ["driver=local"]),
                 (["one", "two"], ["name=one", "name=two"]), (["two"], ["label!=old"])]
        for names, filters in table:
            flags = [word for text in filters for word in ("--filter", text)]
            self.assertEqual(self.ok("volume", "ls", "-q", *flags).split(), names, filters)
        for wrong in ("colour=red", "dangling=maybe", "name"):
            self.fails(125, "volume", "ls", "--filter", wrong, saying=f"--filter {wrong}")

    def test_inspect(self):
        self.ok("volume", "create", "--label", "team=web", "data")
        (found,) = json.loads(self.ok("volume", "inspect", "data"))
        for key, value in {"Name": "data", "Driver": "local", "Mountpoint": str(self.data("data")), "Scope": "local",
                           "Labels": {"team": "web"}, "Options": {}, "MountCount": 0, "NeedsCopyUp": True,
                           "Anonymous": False, "Containers": []}.items():
            self.assertEqual(found[key], value, key)
        self.sh("true", "-v", "data:/x")
        self.assertEqual(self.ok("volume", "inspect", "-f", "{{.NeedsCopyUp}} {{.Driver}}", "--all"), "false local\n")
        done = self.fails(125, "volume", "inspect", "dota", "data", saying=['there is no volume "dota"', "Did you mean data?"])
        self.assertEqual([one["Name"] for one in json.loads(done.stdout)], ["data"], "the others are shown all the same")
        self.fails(125, "volume", "inspect", saying="--all")

    def test_rm(self):
        for name in ("one", "two", "three"):
            self.ok("volume", "create", name)
        self.ok("run", "--name", "user", "-v", "one:/one", DEMO, "touch", "/one/file")
        self.fails(2, "volume", "rm", "one", saying=["the volume one is used by", "--force"])
        self.assertTrue((self.data("one") / "file").exists())
        done = self.fails(1, "volume", "rm", "nope", "two", saying="nope")
        self.assertEqual(done.stdout, "two\n")
        self.assertEqual(self.fails(2, "volume", "rm", "one", "nope", saying="nope").status, 2)
        self.assertEqual(self.ok("volume", "rm", "--force", "one"), "one\n")
        self.assertEqual(self.ok("ps", "-aq"), "", "its container went with it")
        self.assertEqual(self.names(), ["three"])
        self.assertEqual(self.ok("volume", "rm", "--all"), "three\n")
        self.fails(125, "volume", "rm", saying="--all")
        self.assertEqual(list((self.root / "volumes").iterdir()), [])
        self.assertEqual(list((self.root / "tmp").iterdir()), [])

    def test_rm_force_ends_the_container(self):
        process = self.start("run", "--rm", "-v", "busy:/b", DEMO, "sh", "-c", "echo up; exec sleep 1000",
                             stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        self.assertEqual(self.ok("volume", "rm", "-f", "busy"), "busy\n")
        self.assertEqual(process.wait(20), 137)
        self.assert_nothing_left()


class Content(Volumes):
    def load(self, name, *layers, **settings):
        path = self.work / f"{name}.tar"
        archive.write(path, [f"localhost/{name}:latest"], [archive.tar_bytes(layer) for layer in layers],
                      {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], **settings})
        self.ok("load", "-i", path)
        return f"localhost/{name}:latest"

    def test_a_new_volume_has_what_the_image_has_there(self):
        def owned(entry, uid, gid):
            entry[0].uid, entry[0].gid = uid, gid
            return entry
        image = self.load("content", [
            *images.busybox_entries(), owned(archive.directory("data", 0o2750), 33, 1000),
            owned(archive.file("data/file", "text", 0o4755), 5, 6), archive.link("data/link", "/elsewhere"),
            archive.directory("data/sub", 0o1777), archive.file("data/sub/deep", "deep\n", 0o600),
            archive.file("data/gone", "x"), archive.directory("data/opaque"), archive.file("data/opaque/old", "x")],
            [archive.file("data/.wh.gone", ""), archive.file("data/opaque/.wh..wh..opq", ""),
             archive.file("data/opaque/new", "new\n"), archive.file("data/sub/added", "added\n")])
        look = ("cd /data; stat -c '%n %a %u:%g %s' . file link sub sub/deep sub/added opaque/*; readlink link; "
                "cat sub/deep; ls")
        expected = self.sh(look, image=image)
        self.assertIn(". 2750 33:1000", expected)
        self.assertEqual(self.sh(look, "-v", "new:/data", image=image).replace(" 4096", ""), expected.replace(" 4096", ""))
        st = (self.data("new") / "file").stat()
        self.assertEqual((st.st_uid, st.st_gid, oct(st.st_mode), st.st_mtime), (5, 6, oct(0o104755), 0))
        # Once only: what the container removes stays away, and another image does not bring its own.
        self.sh("rm -r /data/sub", "-v", "new:/data", image=image)
        self.assertNotIn("sub", self.sh("ls /data", "-v", "new:/data", image=image))
        self.assertNotIn("passwd", self.sh("ls /etc", "-v", "new:/etc"))

    def test_a_volume_that_was_created_before_is_filled_by_its_first_container(self):
        self.ok("volume", "create", "data")
        self.assertIn("passwd", self.sh("ls /etc", "-v", "data:/etc"))
        self.assertEqual(self.ok("volume", "inspect", "-f", "{{.NeedsCopyUp}}", "data"), "false\n")

    def test_nocopy(self):
        self.assertEqual(self.sh("ls /etc/passwd || true", "-v", "data:/etc:nocopy"), "")
        self.assertEqual(self.sh("ls -A /e", "--mount", "type=volume,src=other,dst=/e,volume-nocopy=true"), "")

    def test_a_volume_with_something_in_it_is_left_as_it_is(self):
        self.ok("volume", "create", "data")
        (self.data("data") / "mine").write_text("x")
        self.assertEqual(self.sh("cat /etc/mine; ls /etc/passwd || true", "-v", "data:/etc"), "x")

    def test_through_links_and_hard_links(self):
        hard = archive.file("real/two", "")
        hard[0].type, hard[0].linkname = b"1", "real/one"
        image = self.load("links", [*images.busybox_entries(), archive.directory("real"), archive.file("real/one", "1"),
                                    hard, archive.link("way", "/real"), archive.link("loop", "loop")])
        self.assertEqual(self.sh("ls /way; stat -c %h /real/one", "-v", "data:/way", image=image), "one\ntwo\n2\n")
        self.fails(125, "run", "--rm", "-v", "x:/loop", image, "true", saying="links")
        self.assertEqual(self.names(), ["data"])

    def test_a_sparse_file_takes_no_room(self):
        image = self.load("sparse", [*images.busybox_entries(), archive.directory("data"),
                                     archive.file("data/small", "x")])
        (layer,) = [path for path in (self.root / "layers").glob("*/data/small")]
        with open(layer, "r+b") as file:
            file.truncate(64 << 30)
        self.sh("true", "-v", "data:/data", image=image)
        st = (self.data("data") / "small").stat()
        self.assertEqual(st.st_size, 64 << 30)
        self.assertLess(st.st_blocks * 512, 1 << 20)

    def test_devices_are_left_out(self):
        image = self.load("devices", [*images.busybox_entries(), archive.directory("data"),
                                      archive.file("data/file", "x"),
                                      archive.entry("data/node", b"3", mode=0o666, device=(1, 3)),
                                      archive.entry("data/pipe", b"6", mode=0o640)])
        self.assertEqual(self.sh("ls /data; stat -c %F%a /data/pipe", "-v", "data:/data", image=image),
                         "file\npipe\nfifo640\n")

    def test_two_containers_at_once(self):
        processes = [self.start("run", "--rm", "-v", "data:/etc", DEMO, "cat", "/etc/passwd", stdout=subprocess.PIPE)
                     for _ in range(6)]
        for process in processes:
            self.assertIn(b"root:x:0:0", process.communicate(timeout=60)[0])

    def test_killed_while_it_is_filled(self):
        for point in ("volume-copied", "volumes-made", "container-recorded"):
            with self.subTest(point=point):
                self.ok("volume", "create", "data")
                self.berth("run", "--name", "job", "-v", "data:/etc", DEMO, "true", env={"BERTH_FAULT": point})
                if point == "container-recorded":
                    self.ok("start", "-a", "job")
                    self.assertLessEqual({"group", "passwd"}, {path.name for path in self.data("data").iterdir()})
                    self.ok("rm", "job")
                self.ok("system", "repair")
                self.assertIn("passwd", self.sh("ls /etc", "-v", "data:/etc"))
                self.assertEqual([path.name for path in self.data("data").parent.iterdir()], ["_data"])
                self.ok("volume", "rm", "data")

    def test_killed_while_it_is_made_or_removed(self):
        self.berth("volume", "create", "data", env={"BERTH_FAULT": "volume-directory-made"})
        self.assertEqual(self.names(), [])
        self.ok("system", "repair")
        self.assertEqual(list((self.root / "volumes").iterdir()), [])
        self.sh("true", "-v", "data:/etc")
        self.berth("volume", "rm", "data", env={"BERTH_FAULT": "volume-moved"})
        self.assertEqual(self.names(), ["data"], "it was not removed")
        self.assertIn("passwd", self.sh("ls /etc", "-v", "data:/etc"), "and is filled again")
        self.ok("volume", "rm", "data")
        self.ok("image", "prune", "-f")
        self.assertEqual(list((self.root / "tmp").iterdir()), [])


class OfTheImage(Volumes):
    def load(self, *paths):
        return images.load(self, "vol", [*images.busybox_entries(), archive.directory("data", 0o700),
                                         archive.file("data/file", "x")], {"Volumes": {path: {} for path in paths}})

    def test_volume_makes_volumes_without_a_name(self):
        image = self.load("/data", "other/")
        self.ok("run", "--name", "job", image, "sh", "-c", "touch /data/new; stat -c %a /data; ls /data /other")
        mounts = self.mounts("job")
        self.assertEqual(set(mounts), {"/data", "/other"})
        self.assertRegex(mounts["/data"]["Name"], "^[0-9a-f]{64}$")
        self.assertEqual(sorted(path.name for path in self.data(mounts["/data"]["Name"]).iterdir()), ["file", "new"])
        self.assertIn("new", self.ok("start", "-a", "job"), "it is the same volume at the next start")
        self.sh("true", image=image)
        self.assertEqual(sorted(self.names()), sorted(mount["Name"] for mount in mounts.values()),
                         "those of a container with --rm go with it")

    def test_rm_with_volumes(self):
        image = self.load("/data")
        for name in ("one", "two"):
            self.ok("create", "--name", name, "-v", "named:/named", image)
        self.ok("create", "--name", "importer", "--volumes-from", "two", DEMO, "true")
        self.ok("rm", "one")
        self.assertEqual(len(self.names()), 3, "without --volumes they stay")
        self.ok("rm", "--volumes", "two")
        self.assertEqual(len(self.names()), 3, "another container uses it")
        self.ok("rm", "-v", "importer")
        self.assertEqual(len(self.names()), 2)
        self.assertIn("named", self.names())

    def test_what_is_asked_for_comes_first(self):
        image = self.load("/data")
        self.ok("create", "--name", "job", "-v", "mine:/data", image)
        self.assertEqual(self.mounts("job")["/data"]["Name"], "mine")
        self.assertIn("tmpfs /data ", self.sh("grep ' /data ' /proc/mounts", "--tmpfs", "/data", image=image))

    def test_image_volume(self):
        image = self.load("/data")
        self.assertEqual(self.sh("ls /data; grep -c ' /data ' /proc/mounts; true", "--image-volume", "ignore", image=image),
                         "file\n0\n")
        self.assertIn("tmpfs", self.sh("grep ' /data ' /proc/mounts", "--image-volume=tmpfs", image=image))
        self.fails(125, "run", "--image-volume", "odd", image, saying="odd")

    def test_hostile_paths(self):
        for path in ("/", "/proc", "/data/../../etc", "/" + "x" * 5000):
            with self.subTest(path=path[:20]):
                self.fails(125, "run", "--rm", self.load(path), "true", saying=path[:20])
                self.assertEqual(list((self.root / "volumes").iterdir()), [])
        many = self.load(*(f"/v{number}" for number in range(1000)))
        self.fails(125, "run", "--rm", many, "true", saying="1000 volumes")


class From(Volumes):
    def setUp(self):
        super().setUp()
        self.host = self.work / "host"
        self.host.mkdir(mode=0o755)
        (self.host / "there").write_text("x")
        self.ok("run", "--name", "exporter", "-v", "data:/data", "-v", "/anon", "-v", f"{self.host}:/host:ro", DEMO,
                "sh", "-c", "echo kept > /data/f; chown 33:1000 /data/f; echo kept > /anon/f")

    def test_the_same_files_with_the_same_owners(self):
        self.assertEqual(self.sh("cat /data/f /anon/f; stat -c %u:%g /data/f; ls /host; touch /data/new",
                                 "--volumes-from", "exporter"), "kept\nkept\n33:1000\nthere\n")
        self.assertTrue((self.data("data") / "new").exists())
        self.assertEqual(len(self.names()), 2, "the exporter's volume without a name is still there")

    def test_read_only(self):
        done = self.berth("run", "--rm", "--volumes-from", "exporter:ro", DEMO, "touch", "/data/new")
        self.assertIn("Read-only file system", done.stderr)
        done = self.berth("run", "--rm", "--volumes-from", "exporter:rw", DEMO, "touch", "/host/new")
        self.assertIn("Read-only file system", done.stderr, "what the exporter may only read stays so")

    def test_own_mounts_come_first(self):
        self.assertEqual(self.sh("ls /data; cat /anon/f", "--volumes-from", "exporter", "-v", "other:/data"), "kept\n")

    def test_the_importer_must_have_the_exporter_s_ids(self):
        self.ok("run", "--name", "whole", "--userns", "host", "-v", "host-ids:/w", DEMO, "true")
        self.fails(125, "run", "--rm", "--volumes-from", "whole", DEMO, "true",
                   saying=["container whole has UIDs 65536 to 4294967294", "--userns host"])
        self.sh("true", "--volumes-from", "whole", "--userns", "host")
        self.sh("true", "--volumes-from", "exporter", "--userns", "host")

    def test_mistakes(self):
        self.fails(125, "run", "--rm", "--volumes-from", "nobody", DEMO, saying=["--volumes-from nobody", "no container"])
        self.fails(125, "run", "--rm", "--volumes-from", "exporter:wo", DEMO, saying=["wo", "ro nor rw"])
        self.fails(125, "run", "--rm", "--volumes-from", ":ro", DEMO, saying="CONTAINER[:ro]")


class Owners(Volumes):
    """Whose files those of a host directory are: what the container sees, and what is on the disk."""

    def setUp(self):
        super().setUp()
        self.host = self.work / "host"
        self.host.mkdir(mode=0o755)
        self.work.chmod(0o755)
        for name, owner in {"zero": 0, "one": 1, "www": 33}.items():
            (self.host / name).write_text("x")
            os.chown(self.host / name, owner, owner)

    def seen(self, option, *flags, script="true"):
        text = self.sh(f"{script}; cd /h; stat -c '%n %u:%g' *", *flags, "-v", f"{self.host}:/h{option}")
        return dict(line.split() for line in text.splitlines())

    def on_disk(self):
        return {path.name: f"{path.stat().st_uid}:{path.stat().st_gid}" for path in self.host.iterdir()}

    def test_plain(self):
        nobody = "65534:65534"
        self.assertEqual(self.seen(""), {"zero": nobody, "one": nobody, "www": nobody})
        self.assertEqual(self.seen("", "--userns", "host"), {"zero": "0:0", "one": "1:1", "www": "33:33"})

    def test_idmap(self):
        found = self.seen(":idmap", script="touch /h/new; chown 5:6 /h/new")
        self.assertEqual(found, {"zero": "0:0", "one": "1:1", "www": "33:33", "new": "5:6"})
        self.assertEqual(self.on_disk(), found)
        self.assertEqual(self.seen(":idmap", "--userns", "host"), found)

    def test_idmap_with_a_map(self):
        # What belongs to nobody who is mapped can't be written, whatever its mode.
        os.chown(self.host, 33, 33)
        nobody = "65534:65534"
        for option in (":idmap=uids=@33-0-1#@1-7-2;gids=@33-0-1#@1-7-2", ":idmap=uids=@33-0-1#@1-7-2"):
            found = self.seen(option, script="touch /h/new")
            self.assertEqual(found, {"zero": nobody, "one": "7:7", "www": "0:0", "new": "0:0"})
            self.assertEqual(self.on_disk()["new"], "33:33")
            (self.host / "new").unlink()
        mount = f"type=bind,src={self.host},dst=/h,idmap=uids=@33-0-1;gids=@33-5-1"
        self.assertEqual(self.sh("stat -c %u:%g /h/www", "--mount", mount), "0:5\n")
        # Without "@" it is the host's IDs, of which the container has none below its bank.
        self.assertEqual(self.seen(":idmap=uids=33-0-1")["www"], nobody)

    def test_an_idmap_that_can_not_be(self):
        for option, saying in {"idmap=": "DISK-HOST-COUNT", "idmap=uids=1-2": "DISK-HOST-COUNT",
                               "idmap=uids=1-2-0": "DISK-HOST-COUNT", "idmap=pids=1-2-3": "DISK-HOST-COUNT",
                               "idmap=uids=1-2-4294967296": "DISK-HOST-COUNT",
                               "idmap=uids=0-1-5#2-9-1": "maps an ID twice", "idmap=uids=@0-65536-1": "no ID 65536",
                               "idmap=uids=4294967290-0-100": "past the last ID", "idmap,idmap": "already",
                               "idmap,confine=root": "already", "confine=": "confine=USER", "uid=5": "confine=USER",
                               "confine=root,uid=x": "number", "confine=no-such-user": 'no user "no-such-user"',
                               "confine=root:no-such-group": 'no group "no-such-group"',
                               "confine=4000000": "has to be given", "confine=0:0,uid=70000": "no UID 70000",
                               "U=maybe": "true or false"}.items():
            with self.subTest(option=option):
                self.fails(125, "run", "--rm", "-v", f"{self.host}:/h:{option}", DEMO, "true", saying=saying)
        self.fails(125, "run", "--rm", "-v", "vol:/h:confine=root", DEMO, "true", saying="host directory")
        self.fails(125, "run", "--rm", "--tmpfs", "/h:idmap", DEMO, "true", saying="tmpfs")
        self.assertEqual(self.names(), [])

    def test_confine(self):
        os.chown(self.host, 1, 1)
        done = self.berth("run", "--rm", "-u", "33", "-v", f"{self.host}:/h:confine=daemon", DEMO, "sh", "-c",
                          "touch /h/new; cd /h; stat -c '%n %u:%g' . *")
        self.assertEqual(done.stdout, ". 33:33\nnew 33:33\none 33:33\nwww 65534:65534\nzero 65534:65534\n")
        self.assertIn("EOVERFLOW", done.stderr)
        self.assertEqual(self.on_disk()["new"], "1:1")

    def test_a_confined_directory_of_somebody_else(self):
        """Another owner's, though its mode lets everybody write: the kernel does not change what it can't name."""
        self.host.chmod(0o777)
        done = self.berth("run", "--rm", "-v", f"{self.host}:/h:confine=daemon", DEMO, "touch", "/h/new")
        self.assertIn("Permission denied", done.stderr)
        self.assertIn(f"{self.host} belongs to 0:0 and not to 1:1", done.stderr)

    def test_in_a_confined_directory_nobody_else_creates(self):
        self.host.chmod(0o777)
        done = self.berth("run", "--rm", "-v", f"{self.host}:/h:confine=1:1,uid=33,gid=5", DEMO, "sh", "-c",
                          "touch /h/new; chown 5 /h/one; stat -c %u:%g /h/one; cat /h/www; echo")
        self.assertEqual(done.stderr.count("Value too large for defined data type"), 3, done)
        self.assertEqual(done.stdout, "33:5\nx\n")
        self.assertEqual(self.on_disk(), {"zero": "0:0", "one": "1:1", "www": "33:33"})

    def test_chown_tells_its_price_first(self):
        (self.host / "sub").mkdir()
        (self.host / "sub" / "link").symlink_to("/etc/shadow")
        shadow = os.stat("/etc/shadow").st_uid
        done = self.berth("run", "--rm", "-u", "33", "-v", f"{self.host}:/h:U", DEMO, "sh", "-c",
                          "touch /h/new && stat -c %u:%g /h /h/one && grep /proc/self/uid_map -e .")
        self.assertEqual(done.status, 0, done)
        base = int(done.stdout.split()[3])
        self.assertIn(f"U changes the owner of 6 files in {self.host} to {base + 33}:{base + 33}", done.stderr)
        self.assertTrue(done.stdout.startswith("33:33\n33:33\n"), done)
        self.assertEqual(self.on_disk()["zero"], f"{base + 33}:{base + 33}")
        self.assertEqual(os.lstat(self.host / "sub" / "link").st_uid, base + 33)
        self.assertEqual(os.stat("/etc/shadow").st_uid, shadow, "links are not followed")

    def test_chown_of_a_mapped_directory(self):
        self.sh("true", "-u", "33", "-v", f"{self.host}:/h:idmap,U")
        self.assertEqual(set(self.on_disk().values()), {"33:33"})
        done = self.berth("run", "--rm", "-u", "33", "-v", f"{self.host}:/h:idmap,U", DEMO, "true")
        self.assertNotIn("U changes", done.stderr, "there is nothing left to do")
        self.sh("true", "-u", "33", "-v", "vol:/v:U")
        self.assertEqual(self.data("vol").stat().st_uid, 33)

    def test_chown_of_the_system_is_refused(self):
        for path in ("/", "/etc", "/usr/lib", "/var"):
            self.fails(125, "run", "--rm", "-v", f"{path}:/h:U", DEMO, "true", saying=f"U would give {path}")

    def test_the_hint(self):
        def warned(option, *flags):
            return "can't write there" in self.berth("run", "--rm", *flags, "-v", f"{self.host}:/h{option}", DEMO, "true").stderr
        self.assertTrue(warned(""))
        for option in (":ro", ":idmap", ":confine=daemon", ":idmap,ro"):
            self.assertFalse(warned(option), option)
        self.assertFalse(warned("", "--userns", "host"))
        self.host.chmod(0o777)
        self.assertFalse(warned(""))

    def test_inspect_says_how_and_why(self):
        self.ok("create", "--name", "job", "-v", "v:/v", "-v", f"{self.host}:/h", "-v", f"{self.host}:/i:idmap", "-v",
                f"{self.host}:/c:confine=daemon", DEMO, "true")
        self.assertEqual(self.mounts("job")["/v"]["Strategy"], "undecided")
        self.ok("start", "-a", "job")
        mounts = self.mounts("job")
        self.assertEqual({target: mount["Strategy"] for target, mount in mounts.items()},
                         {"/v": "idmap", "/h": "none", "/i": "idmap", "/c": "confine"})
        self.assertIn("UID 0 and GID 0 are 1:1", mounts["/c"]["Reason"])
        self.assertIn("unless idmap", mounts["/h"]["Reason"])


class MountTable(Volumes):
    """What is mounted below a host directory."""

    def setUp(self):
        super().setUp()
        self.host = self.work / "host"
        (self.host / "inner dir").mkdir(parents=True)
        (self.host / "proc").mkdir()

    def mount(self, kind, place):
        subprocess.run(["mount", "-t", kind, kind, place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)

    def test_a_tree_is_mapped_wholly(self):
        self.mount("tmpfs", self.host / "inner dir")
        (self.host / "inner dir" / "file").write_text("x")
        self.assertEqual(self.sh("stat -c %u:%g /h '/h/inner dir/file'", "-v", f"{self.host}:/h:idmap"), "0:0\n0:0\n")

    def test_or_refused_naming_the_submount(self):
        self.mount("tmpfs", self.host / "inner dir")
        self.mount("proc", self.host / "proc")
        for option in ("idmap", "confine=daemon"):
            self.fails(125, "run", "--rm", "-v", f"{self.host}:/h:{option}", DEMO, "true",
                       saying=[f"the file system of {self.host}/proc (proc) can't map IDs", "hint:"])
        self.assertEqual(self.sh("stat -c %u /h; ls /h/proc", "-v", f"{self.host}:/h:idmap,bind"), "0\n")

    def test_file_systems_that_can_not(self):
        for path, kind in (("/proc", "proc"), ("/sys", "sysfs")):
            self.fails(125, "run", "--rm", "-v", f"{path}:/h:idmap,bind", DEMO, "true",
                       saying=f"the file system of {path} ({kind}) can't map IDs")

    def test_nosuid_is_the_default(self):
        for source in ("vol", self.host):
            options = self.sh("grep ' /h ' /proc/mounts", "-v", f"{source}:/h")
            self.assertIn("nosuid", options)
            self.assertIn("nodev", options)

    def test_propagation(self):
        subprocess.run(["mount", "--bind", self.host, self.host], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.host], check=True)
        subprocess.run(["mount", "--make-shared", self.host], check=True)
        script = "echo up; read x; ls '/h/inner dir'"
        for option, expected in (("rslave", b"later\n"), ("rprivate", b""), ("rshared", b"later\n")):
            with self.subTest(option=option):
                process = self.start("run", "--rm", "-i", "-v", f"{self.host}:/h:{option}", DEMO, "sh", "-c", script,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                self.assertEqual(process.stdout.readline(), b"up\n")
                subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.host / "inner dir"], check=True)
                (self.host / "inner dir" / "later").touch()
                out, _ = process.communicate(b"go\n", timeout=20)
                subprocess.run(["umount", "-l", self.host / "inner dir"], check=True)
                self.assertEqual(out, expected)

    def test_what_is_mounted_in_a_shared_directory_would_be_on_the_host(self):
        self.fails(125, "run", "--rm", "-v", f"{self.host}:/h:rshared", "-v", "vol:/h/proc", DEMO, "true",
                   saying=["/h/proc lies in /h", "shared with the host"])


if __name__ == "__main__":
    main()
