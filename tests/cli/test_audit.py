"""berth audit: IDs that are shared on purpose here, each in one way, and what it says of them."""

import json
import pathlib
import subprocess
import time

from support.case import DEMO, BerthCase, main

BANK = 65536
POOL = 8 * BANK
FREE = 1900000000  # host IDs that nobody has: above every bank


class Audit(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    # -- situations

    def bank_of(self, name):
        """The first host ID of a container's bank."""
        return int(json.loads(self.ok("inspect", name))[0]["HostConfig"]["IDMappings"]["UidMap"][0].split(":")[1])

    def created(self, name, *flags):
        self.ok("create", "--name", name, *flags, DEMO, "true")
        return self.bank_of(name) if "host" not in flags else None

    def running(self, name, *flags):
        process = self.start("run", "--rm", "--name", name, *flags, DEMO, "sh", "-c", "echo ready; sleep 1000",
                             stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        # Before the process's own end, so that nothing of the container is left.
        self.addCleanup(lambda: self.berth("rm", "-f", name))
        return json.loads(self.ok("inspect", name))[0]["State"]["Pid"]

    def process(self, *command):
        """A process of the host, ended with the test; it says a line when it is what it is to be."""
        process = subprocess.Popen([*command, "sh", "-c", "echo ready; exec sleep 1000"], stdout=subprocess.PIPE)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()
        self.addCleanup(end)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        # Until its name is what it will stay.
        while pathlib.Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.01)
        return process.pid

    def host_file(self, path, line):
        """Puts a line at the end of one of the host's files; in this test's mount namespace only."""
        path = pathlib.Path(path)
        text = path.read_bytes() if path.exists() else b""
        self.assertTrue(path.exists(), f"{path} is there to be covered")
        covered = self.work / path.name
        covered.write_bytes(text + line)
        covered.chmod(0o644)
        subprocess.run(["mount", "--bind", covered, path], check=True)
        self.addCleanup(subprocess.run, ["umount", path], check=True)
        return f"{path}:{len((text + line).splitlines())}"

    # -- what is said

    def audited(self, *flags):
        """The findings, each with its evidence as a dictionary; the exit status must fit."""
        done = self.berth("audit", "--format", "json", *flags)
        self.assertEqual(done.stderr, "")
        document = json.loads(done.stdout)
        self.assertEqual(done.status, 1 if document["findings"] else 0, done)
        for finding in document["findings"]:
            finding["seen"] = {piece["what"]: piece["value"] for piece in finding["evidence"]}
            self.assertTrue(finding["evidence"] and finding["remedy"], finding)
        return document["findings"]

    def only(self, kind, *flags):
        """The only finding of a whole audit, which must be of this kind."""
        findings = self.audited(*flags)
        self.assertEqual([finding["kind"] for finding in findings], [kind], json.dumps(findings, indent=1))
        return findings[0]


class Findings(Audit):
    def test_an_ordinary_host_has_none(self):
        pid = self.running("web", "-v", "data:/data", "-u", "10000")
        self.created("other", "-v", "data:/data")
        self.ok("run", "--rm", "-v", "data:/data", DEMO, "sh", "-c", "echo > /data/file; chown 33:44 /data/file")
        # A namespace that somebody in a container makes is not foreign to it.
        child = self.process("nsenter", "--user", "--target", str(pid), "unshare", "--user")
        subprocess.run(["nsenter", "--user", "--target", str(pid), "sh", "-c",
                        f"echo 0 5 10 > /proc/{child}/uid_map"], check=True)
        self.assertIn(f"{self.bank_of('web') + 5}", pathlib.Path(f"/proc/{child}/uid_map").read_text())
        done = self.berth("audit")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "Nothing found.\n", ""))

    def test_containers_that_come_and_go_meanwhile_are_no_finding(self):
        coming = [self.start("run", "--rm", DEMO, "sh", "-c", f"sleep 0.{i}") for i in range(8)]
        for _ in range(6):
            self.assertEqual(self.audited(), [])
        for process in coming:
            self.assertEqual(process.wait(30), 0)

    def test_a_user_of_the_host_in_a_bank(self):
        base = self.created("web")
        place = self.host_file("/etc/passwd", b"intruder:x:%d:100::/:/bin/sh\n" % (base + 7))
        found = self.only("account-in-bank")
        self.assertEqual(found["severity"], "high")
        self.assertEqual(found["seen"], {"line": place})
        for text in ("intruder", str(base + 7), "container web", f"{base}-{base + BANK - 1}"):
            self.assertIn(text, found["what"])
        self.ok("rm", "web")
        self.assertEqual(self.audited(), [], "a bank that nobody holds is shared with nobody")

    def test_a_group_of_the_host_in_a_bank(self):
        base = self.created("web")
        place = self.host_file("/etc/group", b"crew:x:%d:\n" % base)
        found = self.only("account-in-bank")
        self.assertEqual((found["seen"], "group crew" in found["what"]), ({"line": place}, True))

    def test_a_subordinate_range_in_a_bank(self):
        base = self.created("web")
        place = self.host_file("/etc/subuid", b"ann:%d:10\n" % (base + BANK - 1))
        found = self.only("subordinate-in-bank")
        self.assertEqual((found["severity"], found["seen"]), ("high", {"line": place}))
        for text in ("ann", f"{base + BANK - 1}-{base + BANK + 8}", "container web"):
            self.assertIn(text, found["what"])

    def test_a_range_that_is_kept_for_berth_is_no_finding(self):
        base = self.created("web")
        self.host_file("/etc/subuid", b"berth:%d:65536\nann:%d:10\n" % (base, base + 10 * BANK))
        self.assertEqual(self.audited(), [])

    def test_a_foreign_namespace_in_a_bank(self):
        base = self.created("web")
        pid = self.process("unshare", "--user")
        pathlib.Path(f"/proc/{pid}/uid_map").write_text(f"0 {base + 100} 10\n")
        found = self.only("foreign-namespace")
        self.assertEqual(found["severity"], "high")
        self.assertEqual((found["seen"]["process"], found["seen"]["ids"]), (f"{pid} (sleep)", f"{base + 100}-{base + 109}"))
        self.assertIn("container web", found["what"])

    def test_a_foreign_namespace_elsewhere_is_no_finding(self):
        base = self.created("web")
        pid = self.process("unshare", "--user")
        pathlib.Path(f"/proc/{pid}/uid_map").write_text(f"0 {base + 100 * BANK} 10\n")
        self.assertEqual(self.audited(), [])

    def test_a_process_of_the_host_in_a_bank(self):
        base = self.created("web")
        pid = self.process("setpriv", "--reuid", str(base + 3), "--clear-groups")
        found = self.only("process-in-bank")
        self.assertEqual((found["severity"], found["seen"]), ("high", {"process": f"{pid} (sleep)"}))
        self.assertIn(f"{base + 3}", found["what"])

    def test_a_process_that_is_nobodys(self):
        pid = self.process("setpriv", "--ruid", str(FREE), "--clear-groups")
        found = self.only("ownerless-process")
        self.assertEqual((found["seen"], str(FREE) in found["what"]), ({"process": f"{pid} (sleep)"}, True))

    def test_a_process_in_a_bank_that_rests(self):
        base = self.created("web")
        pid = self.process("setpriv", "--reuid", str(base), "--clear-groups")
        self.ok("rm", "web")
        found = self.only("ownerless-process")
        self.assertEqual(found["seen"]["process"], f"{pid} (sleep)")
        self.assertIn("last held by web", found["seen"]["bank"])

    def test_a_process_of_a_user_is_no_finding(self):
        self.process("setpriv", "--reuid", "65534", "--clear-groups")
        self.host_file("/etc/passwd", b"late:x:%d:100::/:/bin/sh\n" % FREE)
        self.process("setpriv", "--reuid", str(FREE), "--clear-groups")
        self.assertEqual(self.audited(), [])

    def test_maps_that_overlap(self):
        self.created("one", "--uidmap", f"0:{FREE}:1000")
        self.created("two", "--uidmap", f"0:{FREE + 500}:1000", "--allow-shared-ids")
        found = self.only("shared-map")
        self.assertEqual(found["severity"], "medium")
        self.assertEqual(found["seen"], {"ids": f"{FREE + 500}-{FREE + 999}", "flag": "--allow-shared-ids"})
        self.assertIn("one and two", found["what"])

    def test_containers_that_name_the_same_bank_are_no_finding(self):
        self.ok("bank", "create", "pair")
        self.created("one", "--bank", "pair")
        self.created("two", "--bank", "pair")
        self.assertEqual(self.audited(), [])

    def test_host_namespaces(self):
        self.created("bare", "--userns", "host")
        self.created("net", "--network", "host")
        found = self.audited()
        self.assertEqual([(one["severity"], one["kind"], one["seen"]["container"]) for one in found],
                         [("high", "host-namespace", "bare"), ("medium", "host-namespace", "net")])

    def test_a_file_of_nobody_in_a_volume(self):
        self.created("web", "--uidmap", "::1000", "-v", "data:/data")
        data = self.root / "volumes/data/_data"
        (data / "deep").mkdir()
        for name in ("deep/one", "deep/two"):
            (data / name).write_text("x")
            subprocess.run(["chown", "5000:0", data / name], check=True)
        # What a link points to is not in the volume.
        (data / "link").symlink_to("/")
        found = self.only("unmapped-file")
        self.assertIn(found["seen"]["path"], [str(data / "deep/one"), str(data / "deep/two")])
        self.assertEqual(found["seen"]["containers"], "web")
        for text in ("2 files", "volume data", "user 5000"):
            self.assertIn(text, found["what"])
        subprocess.run(["chown", "0:5000", data / "deep/one", data / "deep/two"], check=True)
        self.assertIn("group 5000", self.only("unmapped-file")["what"])
        self.created("wide", "-v", "data:/data")
        self.assertEqual(self.audited(), [], "one container that uses the volume has the ID")

    def test_a_volume_with_a_map_of_its_own(self):
        base = self.created("web", "--uidmap", "::1000", "-v", "data:/data:idmap=uids=@7000-0-10;gids=@7000-0-10")
        self.assertGreaterEqual(base, POOL)
        data = self.root / "volumes/data/_data"
        subprocess.run(["chown", "7009:7009", data], check=True)
        self.assertEqual(self.audited(), [])
        subprocess.run(["chown", "7010:7009", data], check=True)
        self.assertIn("user 7010", self.only("unmapped-file")["what"])

    def test_the_limit_of_files_is_told(self):
        self.created("web", "-v", "data:/data")
        for i in range(20):
            (self.root / "volumes/data/_data" / str(i)).write_text("x")
        done = self.berth("audit", "--files", "5")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.stdout,
                         "Volume data was not looked at to its end: --files has been reached.\nNothing found.\n")
        self.assertEqual(self.ok("audit", "--files", "20"), "Nothing found.\n")

    def test_a_tree_too_deep_is_told_and_survived(self):
        self.created("web", "-v", "data:/data")
        deep = self.root / "volumes/data/_data" / "/".join(["d"] * 300)
        deep.mkdir(parents=True)
        self.assertIn("deeper than 200 levels", self.ok("audit"))

    def test_a_store_that_can_be_entered(self):
        self.root.chmod(0o755)
        (self.root / "layers").chmod(0o711)
        self.runroot.chmod(0o750)
        self.fails(125, "ps", saying="can be entered by other users")
        found = self.audited()
        self.assertEqual([(one["severity"], one["kind"], one["seen"]["path"], one["seen"]["mode"][:4]) for one in found],
                         [("high", "open-directory", str(self.root), "0755"),
                          ("high", "open-directory", str(self.root / "layers"), "0711"),
                          ("high", "open-directory", str(self.runroot), "0750")])
        self.assertIn(f"chmod 0700 {self.root}", found[0]["remedy"])

    def test_a_directory_below_a_closed_store(self):
        self.created("web", "-v", "data:/data")
        (self.root / "volumes/data").chmod(0o755)
        found = self.only("open-directory")
        self.assertEqual((found["severity"], found["seen"]["path"]), ("low", str(self.root / "volumes/data")))

    def test_a_store_that_is_not_roots(self):
        subprocess.run(["chown", "65534", self.root], check=True)
        self.assertEqual(self.only("open-directory")["seen"]["mode"], "0700, of user 65534 and group 0")


class Command(Audit):
    def test_text_for_people(self):
        self.created("bare", "--userns", "host")
        done = self.berth("audit")
        self.assertEqual((done.status, done.stderr), (1, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "high: container bare has the host's own users: its root is the host's")
        self.assertEqual(lines[1:3], ["  kind:       host-namespace", "  container:  bare"])
        self.assertTrue(lines[3].startswith("  remedy:     Make it anew without --userns host"), lines)
        self.assertEqual(lines[-1], "1 finding: 1 high.")

    def test_one_kind(self):
        self.created("bare", "--userns", "host")
        (self.root / "layers").chmod(0o755)
        self.assertEqual([one["kind"] for one in self.audited("--only", "open-directory")], ["open-directory"])
        self.assertEqual(len(self.audited("--only", "open-directory", "--only", "host-namespace")), 2)
        self.assertEqual(self.audited("--only", "shared-map"), [])
        self.fails(125, "audit", "--only", "open-directories", saying=["no kind", "Did you mean open-directory?"])
        self.fails(125, "audit", "--files", "-1", saying="--files")

    def test_names_that_are_hostile(self):
        self.created("web", "--uidmap", "::1000", "-v", "data:/data")
        base = self.bank_of("web")
        name = self.root / "volumes/data/_data" / "a\x1b]0;owned\x07\n\u202eb"
        name.write_text("x")
        subprocess.run(["chown", "5000", name], check=True)
        self.host_file("/etc/passwd", b"\x1b[31m\xffroot:x:%d:100::/:/bin/sh\n" % base)
        program = self.work / "\x1b[2Jp"
        program.write_bytes(pathlib.Path("/bin/sleep").read_bytes())
        program.chmod(0o755)
        self.work.chmod(0o755)
        process = subprocess.Popen(["setpriv", "--reuid", str(FREE), "--clear-groups", program, "1000"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 10
        while b"\x1b" not in pathlib.Path(f"/proc/{process.pid}/comm").read_bytes():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        done = self.berth("audit")
        self.assertEqual(done.status, 1, done)
        self.assertIn("\\x1b[31m\\xffroot", done.stdout)
        self.assertIn("a\\x1b]0;owned\\x07\\x0a\\u{202e}b", done.stdout)
        self.assertIn("\\x1b[2Jp", done.stdout)
        self.assertTrue(all(c == "\n" or " " <= c <= "~" for c in done.stdout), done.stdout)
        self.assertEqual({one["kind"] for one in self.audited()},
                         {"account-in-bank", "unmapped-file", "ownerless-process"})

    def test_a_store_that_can_not_be_read_is_a_failure(self):
        for name in ("berth.db", "berth.db-wal", "berth.db-shm"):
            path = self.root / name
            if path.exists():
                path.write_bytes(b"no database" * 1000)
        self.fails(125, "audit")


if __name__ == "__main__":
    main()
