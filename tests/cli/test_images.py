"""Images in and out of the store: load, save, import, images, tag, untag, rmi, image inspect, history, prune."""

import hashlib
import io
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import tarfile
import time

from support.case import DEMO, BerthCase, demo_archive, main, run


def tool(*args, **options):
    done = run(*args, **options)
    if done.status != 0:
        raise AssertionError(str(done))
    return done.stdout


def describe_tree(root):
    """Everything of a tree that an image can set: path to a tuple. Directory sizes are the file system's."""
    described = {}
    links = {}
    for directory, names, files in os.walk(root, followlinks=False):
        for name in [*names, *files, "."]:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, root)
            if relative in described:
                continue
            st = os.lstat(path)
            content = ""
            if stat.S_ISREG(st.st_mode):
                content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            elif stat.S_ISLNK(st.st_mode):
                content = os.readlink(path)
            xattrs = {key: os.getxattr(path, key, follow_symlinks=False)
                      for key in os.listxattr(path, follow_symlinks=False)}
            same = ""
            if not stat.S_ISDIR(st.st_mode) and st.st_nlink > 1:
                same = links.setdefault(st.st_ino, relative)
            described[relative] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, st.st_rdev,
                                   0 if stat.S_ISDIR(st.st_mode) else st.st_size, content, sorted(xattrs.items()),
                                   st.st_nlink if same else 0, same)
    return described


class ImagesCase(BerthCase):
    def image_id(self, name=DEMO):
        return json.loads(self.ok("image", "inspect", name))[0]["Id"]

    def layer_of(self, name):
        """The directory of the highest layer."""
        return pathlib.Path(json.loads(self.ok("image", "inspect", name))[0]["GraphDriver"]["Data"]["LowerDirs"][0])

    def make_rootfs(self):
        """One of each kind of file that a layer can hold."""
        rootfs = self.work / "rootfs"
        for name in ("etc", "bin", "deep/er", "sticky"):
            (rootfs / name).mkdir(parents=True)
        (rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (rootfs / "etc/group").write_text("root:x:0:\n")
        (rootfs / "bin/tool").write_bytes(os.urandom(100_000))
        os.chmod(rootfs / "bin/tool", 0o4755)
        os.link(rootfs / "bin/tool", rootfs / "bin/same")
        os.symlink("../etc/passwd", rootfs / "bin/link")
        os.symlink("/nowhere", rootfs / "dangling")
        os.mkfifo(rootfs / "fifo", 0o640)
        os.mknod(rootfs / "char", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(rootfs / "block", stat.S_IFBLK | 0o660, os.makedev(7, 200))
        os.chown(rootfs / "fifo", 70000, 3_000_000_000)
        os.lchown(rootfs / "dangling", 12, 34)
        long_name = "n" * 200
        (rootfs / "deep" / long_name).mkdir()
        (rootfs / "deep" / long_name / ("m" * 200)).write_text("long")
        (rootfs / "deep" / "n\u0303 caf\u00e9").write_text("decomposed")
        with open(rootfs / "sparse", "wb") as file:
            file.truncate(50_000_000)
            file.seek(10_000_000)
            file.write(b"island" * 1000)
        os.setxattr(rootfs / "bin/tool", "user.note", b"raw\0\xff=\n")
        capability = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
        (rootfs / "bin/capable").write_text("x")
        os.setxattr(rootfs / "bin/capable", "security.capability", capability)
        os.setxattr(rootfs / "deep", "user.dir", b"d")
        os.chmod(rootfs / "sticky", 0o3777)
        os.chown(rootfs / "sticky", 5, 6)
        os.chmod(rootfs, 0o751)
        for path in ("bin/tool", "deep/er", "sticky", "etc", "."):
            os.utime(rootfs / path, ns=(0, 1_234_567_890_123_456_789))
        os.utime(rootfs / "dangling", ns=(0, 987_654_321_000_000_001), follow_symlinks=False)
        return rootfs

    def tar_of(self, rootfs, *flags):
        archive = self.work / "rootfs.tar"
        tool("tar", "-C", rootfs, "--format=posix", "--xattrs", "--xattrs-include=*", *flags, "-cf", archive, ".")
        return archive

    def umoci_layout(self, layers, tag="latest"):
        """An OCI layout out of layer tars, made by umoci."""
        layout = self.work / "layout"
        tool("umoci", "init", "--layout", layout)
        tool("umoci", "new", "--image", f"{layout}:{tag}")
        for layer in layers:
            tool("umoci", "raw", "add-layer", "--image", f"{layout}:{tag}", layer)
        return layout


class Load(ImagesCase):
    def test_docker_archive_from_a_file_and_from_standard_input(self):
        self.assertEqual(self.ok("load", "-i", demo_archive()), f"Loaded image: {DEMO}\n")
        first = self.image_id()
        self.ok("rmi", DEMO)
        self.assertEqual(self.ok("load", input=demo_archive().read_bytes()), f"Loaded image: {DEMO}\n")
        self.assertEqual(self.image_id(), first)

    def test_compressed_archives(self):
        for program in ("gzip", "xz", "zstd", "bzip2"):
            with self.subTest(program):
                packed = subprocess.run([program, "-c", demo_archive()], stdout=subprocess.PIPE, check=True).stdout
                self.assertEqual(self.ok("load", input=packed), f"Loaded image: {DEMO}\n")
                self.ok("rmi", DEMO)

    def test_what_skopeo_makes(self):
        source = f"docker-archive:{demo_archive()}"
        for target in ("oci:{}/oci:localhost/demo:oci", "oci-archive:{}/oci.tar:localhost/demo:archive",
                       "docker-archive:{}/docker.tar:localhost/demo:docker"):
            with self.subTest(target):
                target = target.format(self.work)
                tool("skopeo", "copy", "-q", "--insecure-policy", source, target)
                path, tag = target.split(":")[1], target.split(":")[-1]
                self.assertEqual(self.ok("load", "-i", path), f"Loaded image: localhost/demo:{tag}\n")
        identities = {self.image_id(f"localhost/demo:{tag}") for tag in ("oci", "archive")}
        self.assertEqual(len(identities), 1, "one configuration, one image")

    def test_a_lone_tag_is_named_after_the_archive(self):
        layout = self.umoci_layout([self.tar_of(self.make_rootfs())], tag="1.2")
        self.assertEqual(self.ok("load", "-i", layout), "Loaded image: localhost/layout:1.2\n")

    def test_everything_in_a_layer_is_as_umoci_unpacks_it(self):
        layer = self.tar_of(self.make_rootfs(), "--sparse")
        layout = self.umoci_layout([layer])
        tool("umoci", "raw", "unpack", "--image", f"{layout}:latest", self.work / "theirs")
        self.ok("load", "-i", layout)
        ours = self.layer_of("layout")
        self.assertEqual(describe_tree(ours), describe_tree(self.work / "theirs"))
        self.assertLess(os.lstat(ours / "sparse").st_blocks * 512, 1_000_000, "sparse files stay sparse")

    def test_a_stack_of_layers_is_as_umoci_unpacks_it(self):
        rootfs = self.make_rootfs()
        base = self.tar_of(rootfs).rename(self.work / "base.tar")
        change = self.work / "change.tar"
        with tarfile.open(change, "w", format=tarfile.PAX_FORMAT) as tar:
            def add(name, kind=tarfile.REGTYPE, data=b"", **fields):
                info = tarfile.TarInfo(name)
                info.type, info.size, info.mtime, info.mode = kind, len(data), 1_600_000_000, 0o644
                for key, value in fields.items():
                    setattr(info, key, value)
                tar.addfile(info, io.BytesIO(data))
            add("etc/.wh.group")
            add("bin", tarfile.DIRTYPE, mode=0o700)
            add("bin/.wh.tool")
            add("deep/er/new", data=b"in a directory that this layer does not list")
            add("sticky", data=b"a file where a directory was")
            add("fifo", tarfile.DIRTYPE, mode=0o755)
            add("char", tarfile.SYMTYPE, linkname="bin")
            add("etc/.wh..wh..opq")
            add("etc/only", data=b"x")
        layout = self.umoci_layout([base, change])
        tool("umoci", "raw", "unpack", "--image", f"{layout}:latest", self.work / "theirs")
        self.ok("load", "-i", layout)
        lower = ":".join(json.loads(self.ok("image", "inspect", "layout"))[0]["GraphDriver"]["Data"]["LowerDirs"])
        merged = self.work / "merged"
        merged.mkdir()
        tool("mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={lower}", merged)
        try:
            ours = describe_tree(merged)
        finally:
            tool("umount", merged)
        theirs = describe_tree(self.work / "theirs")
        # The root's attributes are the container's upper's matter, and hard links to a removed name have fewer.
        for tree in (ours, theirs):
            tree.pop(".")
        self.assertEqual(sorted(ours), sorted(theirs))
        for path, mine in ours.items():
            self.assertEqual(mine[:3] + mine[4:8], theirs[path][:3] + theirs[path][4:8], path)
        for path in ("deep/er", "bin", "deep", "etc/only", "bin/link"):
            self.assertEqual(ours[path][3], theirs[path][3], f"time of {path}")

    def test_two_loads_at_once(self):
        loads = [self.start("load", "-i", demo_archive(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                 for _ in range(4)]
        for process in loads:
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out, err), (0, f"Loaded image: {DEMO}\n".encode(), b""))
        self.assertEqual(len(os.listdir(self.root / "layers")), 1)
        self.assertEqual(len(os.listdir(self.root / "blobs/sha256")), 1)

    def test_killed_at_every_step_and_loaded_again(self):
        for point in ("layer-unpacked", "layer-synced", "layer-placed", "layer-recorded", "image-unrecorded",
                      "image-recorded"):
            with self.subTest(point):
                done = self.berth("load", "-i", demo_archive(), env={"BERTH_FAULT": point})
                self.assertEqual(done.status, 128 + signal.SIGKILL, done)
                self.ok("load", "-i", demo_archive())
                self.assertEqual(os.listdir(self.root / "tmp"), [])
                self.assertEqual(len(os.listdir(self.root / "layers")), 1)
                self.ok("rmi", DEMO)
                self.assertEqual(os.listdir(self.root / "layers"), [])
                self.assertEqual(os.listdir(self.root / "blobs/sha256"), [])

    def test_killed_at_any_time(self):
        for delay in (0.005, 0.01, 0.02, 0.04, 0.08):
            process = self.start("load", "-i", demo_archive(), stdout=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        # Any later command that changes images cleans up.
        self.ok("image", "prune", "--all", "--force")
        self.assertEqual(os.listdir(self.root / "tmp"), [])
        self.assertEqual(os.listdir(self.root / "layers"), [])

    def test_a_full_disk(self):
        small = self.work / "small"
        small.mkdir()
        tool("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", small)
        try:
            self.root = small / "root"
            done = self.fails(125, "load", "-i", demo_archive(), saying=["ENOSPC", "No space left on device"])
            self.assertIn("hint: ", done.stderr)
            for name in ("tmp", "layers", "blobs/sha256"):
                self.assertEqual(os.listdir(self.root / name), [], name)
        finally:
            tool("umount", small)
            self.root = self.work / "root"

    def test_a_damaged_blob(self):
        layout = self.umoci_layout([self.tar_of(self.make_rootfs())])
        largest = max((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
        data = bytearray(largest.read_bytes())
        data[len(data) // 2] ^= 0x10
        largest.write_bytes(data)
        self.fails(125, "load", "-i", layout, saying=["cannot load", "layer 1 of 1", "digest should be"])
        self.assertEqual(os.listdir(self.root / "layers"), [])

    def test_a_cut_off_archive(self):
        cut = self.work / "cut.tar"
        cut.write_bytes(demo_archive().read_bytes()[:100_000])
        self.fails(125, "load", "-i", cut, saying="cannot load")

    def test_things_that_are_no_archive(self):
        rubbish = self.work / "rubbish"
        rubbish.write_text("no archive at all\n" * 100)
        self.fails(125, "load", "-i", rubbish, saying="cannot load")
        self.fails(125, "load", "-i", self.work / "missing", saying="No such file")
        self.fails(125, "load", "-i", self.work, saying="neither a docker-archive")
        self.fails(125, "load", input=b"", saying="cannot load")

    def test_an_archive_whose_index_leads_out(self):
        outside = self.work / "outside"
        outside.write_text("secret")
        evil = self.work / "evil"
        evil.mkdir()
        manifest = [{"Config": "../outside", "RepoTags": ["a:b"], "Layers": ["../outside"]}]
        (evil / "manifest.json").write_text(json.dumps(manifest))
        tool("tar", "-C", evil, "-cf", self.work / "evil.tar", "manifest.json")
        for source in (evil, self.work / "evil.tar"):
            done = self.fails(125, "load", "-i", source, saying="has no file")
            self.assertNotIn("secret", done.stderr)


class Save(ImagesCase):
    def test_what_is_saved_is_what_was_loaded(self):
        layout = self.umoci_layout([self.tar_of(self.make_rootfs())])
        self.ok("load", "-i", layout)
        self.ok("save", "--format", "oci-dir", "-o", self.work / "saved", "layout")
        for blob in (self.work / "saved/blobs/sha256").iterdir():
            self.assertEqual(blob.read_bytes(), (layout / "blobs/sha256" / blob.name).read_bytes())
            self.assertEqual(hashlib.sha256(blob.read_bytes()).hexdigest(), blob.name)

    def test_every_format_can_be_loaded_again_and_read_by_skopeo(self):
        self.load_demo()
        identity = self.image_id()
        for form, transport in (("docker-archive", "docker-archive"), ("oci-archive", "oci-archive"), ("oci-dir", "oci")):
            with self.subTest(form):
                output = self.work / form
                self.assertEqual(self.ok("save", "--format", form, "-o", output, DEMO), "")
                config = json.loads(tool("skopeo", "inspect", "--config", f"{transport}:{output}"))
                self.assertEqual(config["config"]["Cmd"], ["/bin/sh"])
                self.ok("rmi", DEMO)
                self.assertEqual(self.ok("load", "-i", output), f"Loaded image: {DEMO}\n")
                self.assertEqual(self.image_id(), identity)

    def test_several_images_to_standard_output(self):
        self.load_demo()
        self.ok("import", "-c", "CMD x", self.tar_of(self.make_rootfs()), "other:1")
        with open(self.work / "both.tar", "wb") as file:
            subprocess.run(self.command("save", DEMO, "other:1"), stdout=file, check=True)
        self.ok("rmi", "--all")
        loaded = self.ok("load", "-i", self.work / "both.tar")
        self.assertEqual(sorted(loaded.splitlines()), [f"Loaded image: {DEMO}", "Loaded image: localhost/other:1"])

    def test_an_archive_is_not_for_a_terminal(self):
        self.load_demo()
        done = run("script", "-qec", " ".join(self.command("save", DEMO)), "/dev/null", env=self.environment)
        self.assertEqual(done.status, 125)
        self.assertIn("not for a terminal", done.stdout)

    def test_a_killed_save_leaves_no_file(self):
        self.load_demo()
        (self.work / "old.tar").write_text("as it was")
        self.ok("create", "--name", "job", DEMO, "true")
        for words in (("save", DEMO), ("export", "job")):
            for name in ("new.tar", "old.tar"):
                done = self.berth(words[0], "-o", self.work / name, *words[1:], env={"BERTH_FAULT": "output-written"})
                self.assertEqual(done.status, 128 + signal.SIGKILL, done)
        self.assertEqual([path.name for path in self.work.glob("*.tar*")], ["old.tar"])
        self.assertEqual((self.work / "old.tar").read_text(), "as it was")
        # And one that is not killed takes the other's place.
        self.ok("save", "-o", self.work / "old.tar", DEMO)
        self.assertTrue(tarfile.is_tarfile(self.work / "old.tar"))
        self.ok("export", "-o", self.work / "old.tar", "job")
        self.assertEqual(stat.S_IMODE((self.work / "old.tar").stat().st_mode), 0o600)
        self.assertEqual([path.name for path in self.work.glob("*.tar*")], ["old.tar"])
        self.ok("rm", "job")

    def test_a_failed_save_leaves_no_file(self):
        self.load_demo()
        self.fails(125, "save", "-o", self.work / "x.tar", "nothing", saying="there is no image")
        self.fails(125, "save", "--format", "zip", "-o", self.work / "x.tar", DEMO, saying="oci-archive")
        self.fails(125, "save", "-o", self.work / "missing/x.tar", DEMO, saying="No such file")
        self.assertEqual(list(self.work.glob("x.tar*")), [])


class Import(ImagesCase):
    def test_a_root_file_system(self):
        rootfs = self.make_rootfs()
        archive = self.tar_of(rootfs)
        printed = self.ok("import", "-m", "by hand", "-c", 'CMD ["/bin/tool"]', "-c", "ENV A=1 B='two words'",
                          "-c", "EXPOSE 80 53/udp", "-c", "USER 5:6", "-c", "WORKDIR /deep", "-c", "VOLUME /data",
                          "-c", "LABEL k=v", "-c", "STOPSIGNAL SIGINT", "-c", "ENTRYPOINT run me", archive, "mine:1")
        self.assertRegex(printed, r"^sha256:[0-9a-f]{64}\n$")
        image = json.loads(self.ok("image", "inspect", "mine:1"))[0]
        self.assertEqual(image["Config"], {
            "Cmd": ["/bin/tool"], "Env": ["A=1", "B=two words"], "ExposedPorts": {"53/udp": {}, "80/tcp": {}},
            "User": "5:6", "WorkingDir": "/deep", "Volumes": {"/data": {}}, "Labels": {"k": "v"},
            "StopSignal": "SIGINT", "Entrypoint": ["/bin/sh", "-c", "run me"]})
        self.assertEqual(image["History"][0]["comment"], "by hand")
        self.assertEqual(image["RepoTags"], ["localhost/mine:1"])
        self.assertEqual(describe_tree(self.layer_of("mine:1")), describe_tree(rootfs))

    def test_compressed_and_from_standard_input(self):
        archive = self.tar_of(self.make_rootfs())
        for program in ("gzip", "xz", "zstd"):
            packed = subprocess.run([program, "-c", archive], stdout=subprocess.PIPE, check=True).stdout
            self.ok("import", "-", f"from-{program}", input=packed)
        layers = {str(self.layer_of(f"from-{program}")) for program in ("gzip", "xz", "zstd")}
        self.assertEqual(len(layers), 1, "the same content is one layer")

    def test_errors(self):
        archive = self.tar_of(self.make_rootfs())
        self.fails(125, "import", "-c", "RUN make", archive, saying=["RUN", "hint: "])
        self.fails(125, "import", "-c", "EXPOSE 70000", archive, saying="no port")
        self.fails(125, "import", "https://example.org/x.tar", saying="curl")
        self.fails(125, "import", archive, "Bad_Name::", saying="cannot import")
        self.assertEqual(self.ok("images", "-q"), "")


class Names(ImagesCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def test_the_table(self):
        lines = self.ok("images").splitlines()
        self.assertEqual(re.split(r"  +", lines[0]), ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"])
        self.assertEqual(re.split(r"  +", lines[1])[:3], ["localhost/demo", "latest", self.image_id()[:12]])
        self.assertEqual(self.ok("image", "ls"), self.ok("images"))
        self.assertEqual(self.ok("images", "-q"), self.image_id()[:12] + "\n")
        self.assertEqual(self.ok("images", "-q", "--no-trunc"), "sha256:" + self.image_id() + "\n")
        self.assertIn("DIGEST", self.ok("images", "--digests"))

    def test_formats(self):
        self.assertEqual(self.ok("images", "--format", "{{.Repository}}:{{.Tag}}"), DEMO + "\n")
        self.assertEqual(self.ok("images", "--format", "table {{.Repository}}\\t{{.Tag}}").splitlines()[0],
                         "REPOSITORY      TAG")
        listed = json.loads(self.ok("images", "--format", "json"))
        self.assertEqual([(image["Id"], image["Names"]) for image in listed], [(self.image_id(), [DEMO])])
        self.fails(125, "images", "--format", "{{.Repositry}}", saying="Did you mean .Repository?")

    def test_filters(self):
        self.ok("tag", DEMO, "registry.example.org/team/app:2")
        self.assertEqual(self.ok("images", "-f", "reference=team/*", "--format", "{{.Tag}}"), "2\n")
        self.assertEqual(self.ok("images", "demo", "--format", "{{.Tag}}"), "latest\n")
        self.assertEqual(self.ok("images", "-q", "--filter", "dangling=true"), "")
        self.ok("untag", DEMO)
        self.assertEqual(self.ok("images", "-q", "--filter", "dangling=true"), self.image_id_of_the_only()[:12] + "\n")
        self.fails(125, "images", "--filter", "colour=red", saying="reference=NAME")
        # A filter takes one word; the next is the name.
        self.assertEqual(self.ok("images", "-q", "--filter", "dangling=true", "no-such-name"), "")

    def image_id_of_the_only(self):
        return self.ok("images", "-q", "--no-trunc").strip().removeprefix("sha256:")

    def test_tag_and_untag(self):
        self.ok("tag", "demo", "second", "registry.example.org:5000/third:x")
        names = json.loads(self.ok("image", "inspect", "second"))[0]["RepoTags"]
        self.assertEqual(names, ["localhost/demo:latest", "localhost/second:latest", "registry.example.org:5000/third:x"])
        self.ok("untag", "demo", "second")
        self.assertEqual(len(json.loads(self.ok("image", "inspect", "demo"))[0]["RepoTags"]), 2)
        self.fails(125, "tag", "nothing", "x", saying="there is no image")
        self.fails(125, "tag", "demo", "UPPER", saying="cannot tag")

    def test_every_way_to_name_an_image(self):
        identity = self.image_id()
        for word in ("demo", "demo:latest", "localhost/demo", DEMO, identity, identity[:12], "sha256:" + identity):
            self.assertEqual(self.image_id(word), identity, word)
        self.fails(125, "image", "inspect", "demoo", saying="Did you mean demo?")

    def test_rmi(self):
        identity = self.image_id()
        self.ok("tag", DEMO, "second")
        self.fails(125, "rmi", identity[:12], saying=["has 2 names", "--force"])
        self.assertEqual(self.ok("rmi", "second"), "Untagged: localhost/second:latest\n")
        self.assertEqual(self.ok("rmi", "demo"), f"Untagged: {DEMO}\nDeleted: {identity}\n")
        for name in ("layers", "blobs/sha256", "tmp"):
            self.assertEqual(os.listdir(self.root / name), [], name)
        self.fails(125, "rmi", "demo", saying="there is no image")
        self.assertEqual(self.ok("rmi", "--ignore", "demo"), "")

    def test_rmi_goes_on_after_an_error(self):
        done = self.fails(125, "rmi", "nothing", DEMO, saying="nothing")
        self.assertIn("Deleted: ", done.stdout)

    def test_prune(self):
        self.ok("import", self.tar_of(self.make_rootfs()))
        nameless = self.ok("images", "-q", "--no-trunc", "-f", "dangling=true").strip().removeprefix("sha256:")
        self.assertEqual(self.ok("image", "prune", input="n\n"), "")
        self.assertEqual(self.ok("image", "prune", input="y\n"), nameless + "\n")
        self.assertEqual(self.ok("images", "-q"), self.image_id()[:12] + "\n")
        self.ok("image", "prune", "-a", "-f")
        self.assertEqual(self.ok("images", "-q"), "")

    def test_inspect_and_history(self):
        self.assertEqual(self.ok("image", "inspect", "-f", "{{.Config.Cmd}} {{.Os}}", DEMO), "[/bin/sh] linux\n")
        lines = self.ok("history", DEMO).splitlines()
        self.assertEqual(re.split(r"  +", lines[0]), ["ID", "CREATED", "CREATED BY", "SIZE", "COMMENT"])
        self.assertTrue(lines[1].startswith(self.image_id()[:12]))
        self.assertEqual(self.ok("image", "history", "-q", DEMO), self.image_id()[:12] + "\n")


if __name__ == "__main__":
    main()
