"""berth project and --project: what a tenant's containers are, on both sides, and what they may not be."""

import json
import pathlib
import re
import subprocess
import threading

from support import leftovers
from support.case import DEMO, BerthCase, main

BANK = 65536
FIRST = 1000000000  # the assigned range of project number 0


def extents(text):
    return [tuple(map(int, line.split())) for line in text.splitlines()]


class Project(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def described(self, name):
        (found,) = json.loads(self.ok("project", "describe", "--format", "json", name))
        return found

    def refused(self, *words, saying, status=125, env=None):
        done = self.berth(*words, env=env)
        self.assertEqual(done.status, status, done)
        for text in saying:
            self.assertIn(text, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def run_in(self, project, *words, flags=(), image=DEMO, **options):
        return self.ok("run", "--rm", "--project", project, *flags, image, *words, **options)

    def configured(self, text):
        path = self.work / "berth.toml"
        path.write_text(text)
        return {"BERTH_CONFIG": str(path)}

    def system_configured(self, text):
        """/etc/berth/berth.toml, in this test file's own mount namespace: only it can add capabilities."""
        etc = self.runroot.parent / "etc"
        subprocess.run(["cp", "-a", "/etc", etc], check=True)
        (etc / "berth").mkdir(exist_ok=True)
        (etc / "berth/berth.toml").write_text(text)
        subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
        self.addCleanup(subprocess.run, ["umount", "/etc"], check=True)

    def image_of(self, user, passwd="root:x:0:0:root:/root:/bin/sh\nann:x:1000:100:Ann:/home/ann:/bin/sh\n"):
        """An image whose configuration has this USER."""
        tree = self.work / "tree"
        subprocess.run(["rm", "-rf", tree], check=True)
        for directory in ("bin", "etc", "tmp", "root", "home/ann"):
            (tree / directory).mkdir(parents=True)
        subprocess.run(["cp", "/bin/busybox", tree / "bin/busybox"], check=True)
        for name in ("sh", "id", "cat", "stat", "true", "whoami"):
            (tree / "bin" / name).symlink_to("busybox")
        (tree / "etc/passwd").write_text(passwd)
        (tree / "etc/group").write_text("root:x:0:\nusers:x:100:\n")
        (tree / "tmp").chmod(0o1777)
        (tree / "root/secret").write_text("root's\n")
        (tree / "root/nobodys").write_text("")
        subprocess.run(["chown", "65534:65534", tree / "root/nobodys"], check=True)
        archive = self.work / "tree.tar"
        subprocess.run(["tar", "-C", tree, "-cf", archive, "."], check=True)
        self.ok("import", "--change", f"USER {user}", archive, "localhost/user")
        return "localhost/user"


class Commands(Project):
    def test_a_project_from_its_making_to_its_end(self):
        self.assertEqual(self.ok("project", "create", "shop", "--number", "4", "--quota", "3", "--label", "team=web",
                                 "--description", "The web shop", "--display-name", "Shop",
                                 env={"SUDO_USER": "ann"}), "shop\n")
        said = self.ok("project", "describe", "shop")
        for line in (r"Name: +shop", r"Namespace: +<none>", r"Created: +\w.* ago", r"Labels: +team=web",
                     r"Annotations: +openshift.io/description=The web shop",
                     r" +openshift.io/display-name=Shop", r" +openshift.io/requester=ann",
                     r" +openshift.io/sa.scc.supplemental-groups=1000040000/10000",
                     r" +openshift.io/sa.scc.uid-range=1000040000/10000", r"Display Name: +Shop",
                     r"Description: +The web shop", r"Status: +Active", r"Node Selector: +<none>",
                     r"Quota: +0 of 3 containers", r"Resource limits: +<none>", r"Number: +4",
                     r"Policy: +restricted", r"Assigned IDs: +1000040000-1000049999", r"Containers: +<none>"):
            self.assertRegex(said, f"(?m)^{line}$")
        found = self.described("shop")
        first, second = (int(line.split(":")[1]) for line in found["IDMap"])
        self.assertEqual(found["IDMap"], [f"0:{first}:65536", f"1000040000:{second}:10000"])
        self.assertIn(f"0-65535 inside are {first}-{first + 65535} on the host", said)
        self.assertIn(f"1000040000-1000049999 inside are {second}-{second + 9999} on the host", said)
        held = json.loads(self.ok("bank", "ls", "--format", "json"))
        self.assertEqual([(one["First"], one["Kind"], one["Owner"]) for one in held],
                         [(first, "project", "shop"), (second, "project", "shop")])
        self.assertEqual(self.ok("project", "rm", "shop"), "shop\n")
        self.assertEqual(self.ok("project", "ls", "-q"), "")
        self.assert_nothing_left()

    def test_lists(self):
        self.ok("project", "create", "shop", "--label", "team=web", "--label", "tier=1")
        self.ok("project", "create", "blog", "--policy", "anyuid", "--label", "team=text")
        table = self.ok("project", "ls")
        self.assertRegex(table, r"NAME +DISPLAY NAME +STATUS +ASSIGNED IDS +POLICY +CONTAINERS +BANKS +CREATED")
        self.assertRegex(table, r"blog +Active +1000010000-1000019999 +anyuid +0 ")
        self.assertEqual(self.ok("project", "ls", "--noheading").count("\n"), 2)
        self.assertEqual(self.ok("project", "ls", "--filter", "label=team=web", "-q"), "shop\n")
        self.assertEqual(self.ok("project", "ls", "--filter", "label=tier", "--filter", "policy=anyuid", "-q"), "")
        self.assertEqual(self.ok("project", "ls", "--format", "{{.Name}} {{.UidRange}} {{.Policy}}"),
                         "blog 1000010000/10000 anyuid\nshop 1000000000/10000 restricted\n")
        self.assertEqual([one["Number"] for one in json.loads(self.ok("project", "ls", "--format", "json"))], [1, 0])
        self.refused("project", "ls", "--filter", "colour=red", saying=["--filter colour=red"])

    def test_mistakes(self):
        self.ok("project", "create", "shop")
        for words, status, said in (
                (("create", "shop"), 125, 'there is a project "shop" already'),
                (("create", "Shop!"), 125, '"Shop!" can\'t be a project\'s name'),
                (("create", "a", "--policy", "restrcted"), 125, "Did you mean restricted?"),
                (("create", "a", "--number", "0"), 125, "the number 0 is the project shop's"),
                (("create", "a", "--number", "329496"), 125, "329495"),
                (("create", "a", "--label", "=x"), 125, "--label"),
                (("describe", "shpo"), 125, "Did you mean shop?"),
                (("rm", "shpo"), 1, "Did you mean shop?")):
            with self.subTest(words=words):
                self.refused("project", *words, saying=[said], status=status)
        self.ok("project", "rm", "--ignore", "nothing")
        for command in ("create", "ls", "describe", "rm"):
            self.assertRegex(self.ok("project", command, "--help"), r"(?s)berth project.*Usage|USAGE|EXAMPLES")
        self.refused("run", "--rm", "--project", "", DEMO, "true", saying=["--project", '""'])
        self.refused("run", "--rm", "--project", "shpo", DEMO, "true", saying=["--project shpo", "Did you mean shop?"])

    def test_removal_waits_for_containers_and_force_takes_them(self):
        self.ok("project", "create", "shop")
        self.ok("create", "--name", "web", "--project", "shop", DEMO, "true")
        said = self.refused("project", "rm", "shop", saying=["project shop has 1 container: web"], status=2)
        self.assertIn("--force", said)
        victim = self.start("run", "--project", "shop", "--name", "runs", DEMO, "sh", "-c", "echo up; sleep 60",
                            stdout=subprocess.PIPE)
        self.assertEqual(victim.stdout.readline(), b"up\n")
        self.assertEqual(self.ok("project", "rm", "--force", "shop"), "shop\n")
        victim.wait(20)
        self.assertEqual(self.ok("ps", "-aq"), "")
        self.assert_nothing_left()

    def test_a_number_rests(self):
        self.ok("project", "create", "shop")
        self.ok("project", "rm", "shop")
        self.ok("project", "create", "blog")
        self.assertEqual(self.described("blog")["Number"], 1)
        self.refused("project", "create", "new", "--number", "0",
                     saying=["rests for another 60 minutes", "the project shop had it"])

    def test_a_lost_database_gives_projects_back(self):
        self.ok("project", "create", "shop", "--number", "7", "--label", "team=web", "--description", "x")
        self.ok("create", "--name", "web", "--project", "shop", DEMO, "true")
        before = self.described("shop")
        runs = self.start("run", "--rm", "--project", "shop", DEMO, "sh", "-c", "echo up; sleep 60", stdout=subprocess.PIPE)
        self.assertEqual(runs.stdout.readline(), b"up\n")
        for path in self.root.glob("berth.db*"):
            path.unlink()
        self.ok("system", "repair", "--rebuild")
        after = self.described("shop")
        names = {one["Name"]: one["Status"] for one in after.pop("Containers")}
        self.assertEqual(names.pop("web"), "created")
        self.assertEqual(list(names.values()), ["running"], "by its IDs alone: it had no copy of its record")
        del before["Containers"]
        self.assertEqual(after, before)
        self.assertEqual(json.loads(self.ok("inspect", "web"))[0]["Project"], "shop")
        runs.kill()
        runs.wait(20)
        self.ok("project", "rm", "--force", "shop")
        self.assert_nothing_left()

    def test_a_number_rests_on_when_the_database_is_lost(self):
        for name in ("gone", "taken"):
            self.ok("project", "create", name)
            self.ok("project", "rm", name)
        for path in self.root.glob("berth.db*"):
            path.unlink()
        self.ok("system", "repair", "--rebuild")
        self.ok("project", "create", "new")
        self.assertEqual(self.described("new")["Number"], 2)
        for number, had in (("0", "gone"), ("1", "taken")):
            self.refused("project", "create", "other", "--number", number,
                         saying=["rests for another 60 minutes", f"the project {had} had it"])

    def test_a_damaged_copy_does_not_become_a_project(self):
        self.ok("project", "create", "shop")
        copy = json.loads((self.root / "ledger.json").read_text())
        for key, value, said in (("number", 329496, "projects[0]: a number that no project can have"),
                                 ("labels", "[]", "projects[0].labels"), ("annotations", "{", "lost:"),
                                 ("name", "../x", "can't be a project's name")):
            with self.subTest(key=key):
                for path in self.root.glob("berth.db*"):
                    path.unlink()
                damaged = {**copy, "projects": [{**copy["projects"][0], key: value}]}
                (self.root / "ledger.json").write_text(json.dumps(damaged))
                done = self.berth("system", "repair", "--rebuild")
                self.assertIn(said, done.stdout + done.stderr)
                if done.status == 0:
                    self.assertEqual(self.ok("project", "ls", "-q"), "")


class Restricted(Project):
    def setUp(self):
        super().setUp()
        self.ok("project", "create", "myproject", "--number", "4")

    def test_who_it_is(self):
        said = self.run_in("myproject", "sh", "-c", "id; whoami; echo $HOME; cat /proc/self/uid_map; cat /proc/self/gid_map")
        lines = said.splitlines()
        self.assertEqual(lines[0], "uid=1000040000(1000040000) gid=0(root) groups=0(root),1000040000")
        self.assertEqual(lines[1], "1000040000")
        self.assertEqual(lines[2], "/tmp")
        first, second = (int(line.split(":")[1]) for line in self.described("myproject")["IDMap"])
        self.assertEqual(extents("\n".join(lines[3:])), [(0, first, BANK), (1000040000, second, 10000)] * 2)

    def test_the_images_files_look_right(self):
        image = self.image_of("ann")
        said = self.run_in("myproject", "sh", "-c", "stat -c %u:%g /root /root/nobodys /; id -u; cat /root/secret; > /tmp/x;"
                           "stat -c %u:%g /tmp/x /proc/self/status /dev/null", image=image)
        self.assertEqual(said.split(), ["0:0", "65534:65534", "0:0", "1000040000", "root's", "1000040000:0",
                                        "1000040000:0", "0:0"])

    def test_every_start_and_every_replica_is_the_same(self):
        script = "id; cat /proc/self/uid_map"
        self.ok("create", "--name", "job", "--project", "myproject", DEMO, "sh", "-c", script)
        first = self.ok("start", "-a", "job")
        for _ in range(3):
            self.assertEqual(self.ok("start", "-a", "job"), first)
        said = []
        replicas = [threading.Thread(target=lambda: said.append(self.run_in("myproject", "sh", "-c", script)))
                    for _ in range(8)]
        for one in replicas:
            one.start()
        for one in replicas:
            one.join()
        self.assertEqual(said, [first] * 8)
        self.ok("rm", "job")

    def test_on_the_host_the_number_tells_the_project(self):
        up = self.start("run", "--rm", "--name", "web", "--project", "myproject", "-v", "data:/data", DEMO, "sh", "-c",
                        "> /tmp/mine; echo up; sleep 60", stdout=subprocess.PIPE)
        self.assertEqual(up.stdout.readline(), b"up\n")
        (web,) = json.loads(self.ok("inspect", "web"))
        self.assertEqual(web["Project"], "myproject")
        status = pathlib.Path(f"/proc/{web['State']['Pid']}/status").read_text()
        uid = re.search(r"(?m)^Uid:\s+(\d+)", status).group(1)
        second = int(self.described("myproject")["IDMap"][1].split(":")[1])
        children = subprocess.run(["ps", "-o", "uid=", "--ppid", str(web["State"]["Pid"])], stdout=subprocess.PIPE,
                                  text=True, check=True).stdout.split()
        self.assertEqual({uid, *children}, {str(second)})
        held = {one["First"]: one for one in json.loads(self.ok("bank", "ls", "--format", "json"))}
        bank = held[second & ~0xFFFF]
        self.assertEqual((bank["Kind"], bank["Owner"], bank["Users"]), ("project", "myproject", ["web"]))
        self.ok("create", "--name", "other", DEMO, "true")
        table = self.ok("ps", "-a")
        self.assertRegex(table, r"PROJECT +NAMES")
        self.assertRegex(table, r"myproject +web")
        self.assertEqual([one["Names"] for one in json.loads(
            self.ok("ps", "-a", "--filter", "project=myproject", "--format", "json"))], [["web"]])
        self.assertIn("web (running)", self.ok("project", "describe", "myproject"))
        up.terminate()
        up.wait(20)
        self.ok("rm", "other")

    def test_a_new_volume_is_the_project_s_to_write(self):
        """As with OpenShift's fsGroup, whether the image has a place for it or not."""
        script = "echo 1 > /data/x && mkdir /data/y && stat -c %u:%g:%a /data /data/x /data/y"
        image = self.image_of("0")
        for number, flags in enumerate((("-v", "named{}:/data"), ("-v", "/data"), ("-v", "bare{}:/data:nocopy"),
                                        ("-v", "other{}:/data", "-u", "1000040007:1000040008"))):
            flags = [word.format(number) for word in flags]
            group = "1000040000"
            uid = "1000040007" if "-u" in flags else "1000040000"
            said = self.run_in("myproject", "sh", "-c", script, flags=flags, image=image).split()
            self.assertEqual(said, [f"0:{group}:2775", f"{uid}:{group}:644", f"{uid}:{group}:2755"], flags)
        self.ok("volume", "create", "made")
        self.assertEqual(self.run_in("myproject", "stat", "-c", "%g:%a", "/data", flags=("-v", "made:/data")),
                         "1000040000:2775\n")

    def test_a_volume_with_the_image_s_content_is_the_project_s_too(self):
        said = self.run_in("myproject", "sh", "-c", "> /root/x && stat -c %u:%g:%a /root; stat -c %u:%g /root/secret",
                           flags=("-v", "home:/root"), image=self.image_of("0"))
        self.assertRegex(said, r"^0:1000040000:277\d\n0:0\n$")

    def test_a_volume_that_is_there_already_stays_as_it_is(self):
        self.ok("run", "--rm", "-v", "old:/data", DEMO, "true")
        for _ in range(2):
            said = self.run_in("myproject", "sh", "-c", "touch /data/x || stat -c %u:%g:%a /data", flags=("-v", "old:/data"))
            self.assertEqual(said, "0:0:755\n")

    def test_without_the_assigned_user_a_volume_has_no_group(self):
        self.ok("project", "create", "free", "--policy", "anyuid")
        self.assertEqual(self.run_in("free", "stat", "-c", "%u:%g:%a", "/data", flags=("-v", "any:/data")), "0:0:755\n")

    def test_a_volume_that_is_given_to_the_user(self):
        self.run_in("myproject", "sh", "-c", "echo 1 > /data/x", flags=("-v", "b:/data:U"))
        self.assertEqual(self.run_in("myproject", "cat", "/data/x", flags=("-v", "b:/data")), "1\n")
        st = (self.root / "volumes/b/_data/x").stat()
        self.assertEqual((st.st_uid, st.st_gid), (1000040000, 0))

    def test_volumes_from_bring_no_bank_along(self):
        self.ok("bank", "create", "db")
        self.ok("create", "--name", "exporter", "--bank", "db", "-v", "data:/tmp", DEMO, "true")
        self.ok("create", "--name", "job", "--project", "myproject", "--volumes-from", "exporter", DEMO, "sh", "-c",
                "> /tmp/x; cat /proc/self/uid_map")
        first, second = (int(line.split(":")[1]) for line in self.described("myproject")["IDMap"])
        for _ in range(2):
            self.assertEqual(extents(self.ok("start", "-a", "job")), [(0, first, BANK), (1000040000, second, 10000)])
        self.assertEqual((self.root / "volumes/data/_data/x").stat().st_uid, 1000040000)
        self.refused("run", "--rm", "--volumes-from", "job", DEMO, "true",
                     saying=["1000040000 to 1000049999, and the new container does not"])

    def test_users_within_the_range(self):
        for user, uid, gid in (("1000040005", 1000040005, 0), ("1000049999:1000040001", 1000049999, 1000040001),
                               ("1000040000:0", 1000040000, 0)):
            said = self.run_in("myproject", "sh", "-c", "id -u; id -g; id -G; whoami", flags=("-u", user)).split()
            self.assertEqual(said[:2], [str(uid), str(gid)])
            self.assertIn("1000040000", said[2:-1])
            self.assertIn(str(gid), said[2:-1])
            self.assertEqual(said[-1], str(uid))

    def test_users_outside_the_range(self):
        for user, said in (("1000", "UID 1000 is not in the range of project myproject"), ("0", "UID 0 is not"),
                           ("root", "UID 0 is not"), ("1000050000", "UID 1000050000 is not"),
                           ("1000039999", "UID 1000039999 is not"), ("4294967296", "4294967296"),
                           ("1000040000:5", "GID 5 is not")):
            with self.subTest(user=user):
                text = self.refused("run", "--rm", "--project", "myproject", "-u", user, DEMO, "true", saying=[said])
                if " is not" in said:
                    self.assertIn("min: 1000040000 max: 1000049999", text)
        self.assertEqual(self.ok("ps", "-aq"), "")

    def test_an_image_can_not_choose(self):
        hostile = self.image_of("root", "root:x:1000040000:0:root:/root:/bin/sh\n"
                                "1000040000:x:0:0::/root:/bin/sh\nme:x:1000040000:42::/root:/bin/sh\n")
        said = self.run_in("myproject", "sh", "-c", "id -u; id -g", image=hostile).split()
        self.assertEqual(said, ["1000040000", "0"])
        self.refused("run", "--rm", "--project", "myproject", "-u", "1000040000x", hostile, "true", saying=["1000040000x"])

    def test_what_a_project_settles_itself(self):
        for flags in (("--userns", "host"), ("--userns", "keep-id"), ("--userns", "auto"), ("--bank", "3"),
                      ("--uidmap", "0:1900000000:10"), ("--gidmap", "0:1900000000:10"), ("--allow-shared-ids",)):
            with self.subTest(flags=flags):
                self.refused("run", "--rm", "--project", "myproject", *flags, DEMO, "true",
                             saying=[f"{flags[0]}", "can't go with --project myproject"])
        for flags in (("--network", "host"), ("--privileged",), ("--security-opt", "seccomp=unconfined"),
                      ("--device", "/dev/null"), ("--cap-add", "NET_RAW"), ("--cap-add", "ALL"),
                      ("--cap-add", "cap_net_raw")):
            with self.subTest(flags=flags):
                self.refused("run", "--rm", "--project", "myproject", *flags, DEMO, "true", saying=["is refused by the policy"])
        self.run_in("myproject", "true", flags=("--userns", "private", "--cap-drop", "ALL"))
        self.assertEqual(self.ok("ps", "-aq"), "")
        self.ok("project", "rm", "myproject")
        self.assert_nothing_left()

    def test_nobody_else_gets_its_ids(self):
        self.ok("create", "--name", "web", "--project", "myproject", DEMO, "true")
        self.refused("run", "--rm", "--userns", "container:web", DEMO, "true",
                     saying=["it is of project myproject", "--project myproject"])
        first, second = (int(line.split(":")[1]) for line in self.described("myproject")["IDMap"])
        for base in (first, second + 9999, second + 20000):
            self.refused("run", "--rm", "--uidmap", f"0:{base}:1", DEMO, "true", saying=["project myproject"])
        self.refused("run", "--rm", "--bank", str(first // BANK - 8), DEMO, "true", saying=["project myproject"])
        self.ok("rm", "web")

    def test_a_quota_counts_to_the_last(self):
        self.ok("project", "create", "small", "--quota", "2")
        done = []
        makers = [threading.Thread(target=lambda i=i: done.append(
            self.berth("create", "--name", f"c{i}", "--project", "small", DEMO, "true"))) for i in range(6)]
        for one in makers:
            one.start()
        for one in makers:
            one.join()
        self.assertEqual(sorted(one.status for one in done), [0, 0, 125, 125, 125, 125])
        failed = next(one for one in done if one.status)
        self.assertIn("project small has a quota of 2 containers and has 2: c", failed.stderr)
        self.ok("rm", "--all")
        self.run_in("small", "true")


    def test_where_nothing_can_be_mapped(self):
        """A translated image is the same to a project."""
        for _ in range(2):
            said = self.run_in("myproject", "sh", "-c", "id; > /tmp/x; busybox stat -c %u:%g /tmp/x /bin/busybox",
                               flags=("--translate",))
            self.assertEqual(said, "uid=1000040000(1000040000) gid=0(root) groups=0(root),1000040000\n"
                             "1000040000:0\n0:0\n")

    def test_killed_commands_do_not_eat_up_the_quota(self):
        self.ok("project", "create", "one", "--quota", "1")
        for point in ("container-directory-made", "before-create-commit", "container-recorded", "process-created",
                      "started", "container-ended", "record-removed"):
            with self.subTest(point=point):
                self.berth("run", "--rm", "--project", "one", DEMO, "true", env={"BERTH_FAULT": point})
                leftovers.wait_until_gone(self._before)
                self.ok("system", "repair")
                self.run_in("one", "true")
        self.ok("project", "rm", "one", "myproject")
        self.assert_nothing_left()


class OtherPolicies(Project):
    def test_nonroot(self):
        self.ok("project", "create", "p", "--policy", "nonroot")
        self.assertEqual(self.run_in("p", "sh", "-c", "id -u; id -g; id -G", image=self.image_of("1000")).split(),
                         ["1000", "100", "100"])
        self.assertEqual(self.run_in("p", "id", "-u", flags=("-u", "7:7")).strip(), "7")
        for user, said in (("ann", "only a number shows"), ("0", "it is root"), ("00", "it is root"), ("0:5", "it is root")):
            with self.subTest(user=user):
                self.refused("run", "--rm", "--project", "p", self.image_of(user), "true",
                             saying=[f'the image\'s USER "{user}"', said])
                self.refused("run", "--rm", "--project", "p", "-u", user, DEMO, "true", saying=["--user", said])
        self.refused("run", "--rm", "--project", "p", DEMO, "true", saying=["the image's USER \"\"", "it is root"])

    def test_anyuid(self):
        self.ok("project", "create", "p", "--policy", "anyuid")
        self.assertEqual(self.run_in("p", "id", "-u").strip(), "0")
        self.assertEqual(self.run_in("p", "whoami", image=self.image_of("ann")).strip(), "ann")
        self.assertEqual(self.run_in("p", "id", "-u", flags=("-u", "1000000005")).strip(), "1000000005")
        self.refused("run", "--rm", "--project", "p", "--userns", "host", DEMO, "true", saying=["--project p"])
        self.refused("run", "--rm", "--project", "p", "-u", "1000010000", DEMO, "true",
                     saying=["1000010000", "outside the container's map"])

    def test_one_of_the_configuration(self):
        self.system_configured('[project-policy.web]\nbase = "nonroot"\ncapabilities = ["NET_BIND_SERVICE", "NET_RAW"]\n'
                               'drop-capabilities = ["ALL"]\nread-only = true\nno-new-privileges = true\n')
        self.ok("project", "create", "p", "--policy", "web")
        said = self.run_in("p", "sh", "-c", "grep -E 'CapBnd|NoNewPrivs' /proc/self/status; touch /x || echo closed",
                           flags=("-u", "7", "--cap-add", "net_raw")).split()
        self.assertEqual(said[:4], ["CapBnd:", f"{1 << 13:016x}", "NoNewPrivs:", "1"])
        self.assertEqual(said[-1], "closed")
        self.refused("run", "--rm", "--project", "p", "-u", "7", "--cap-add", "SYS_ADMIN", DEMO, "true",
                     saying=["--cap-add CAP_SYS_ADMIN is refused by the policy", "web allows"])
        env = self.configured("[project-policy.web]\ncapabilities = []\n")
        self.refused("run", "--rm", "--project", "p", "-u", "7", "--cap-add", "NET_RAW", DEMO, "true", env=env,
                     saying=["the project policy web allows none"])

    def test_a_policy_that_is_gone(self):
        env = self.configured("[project-policy.web]\n")
        self.ok("project", "create", "p", "--policy", "web", env=env)
        self.run_in("p", "true", env=env)
        self.refused("run", "--rm", "--project", "p", DEMO, "true", saying=["there is no project policy \"web\""])

    def test_a_policy_that_has_become_stricter_holds_at_the_next_start(self):
        env = self.configured('[project-policy.web]\nbase = "anyuid"\n')
        self.ok("project", "create", "p", "--policy", "web", env=env)
        self.ok("create", "--name", "job", "--project", "p", DEMO, "id", "-u", env=env)
        self.assertEqual(self.ok("start", "-a", "job", env=env).strip(), "0")
        env = self.configured('[project-policy.web]\nbase = "restricted"\n')
        self.refused("start", "-a", "job", env=env, saying=["stricter than when the container was made"])
        env = self.configured('[policy]\nallowed-project-policies = ["restricted"]\n[project-policy.web]\nbase = "anyuid"\n')
        self.refused("start", "-a", "job", env=env, saying=["allowed-project-policies"])


class Users(Project):
    def test_a_host_user_has_the_projects_that_the_policy_gives(self):
        env = self.configured('[policy]\nallowed-projects = ["blog"]\n[users.ann]\nallowed-projects = ["shop"]\n'
                              '[users.root]\nallowed-projects = ["*"]\n')
        for name in ("shop", "blog"):
            self.ok("project", "create", name, env=env)
        ann = {**env, "SUDO_USER": "ann", "SUDO_UID": "1234", "SUDO_GID": "1234"}
        bob = {**env, "SUDO_USER": "bob"}
        self.run_in("shop", "true", env=ann)
        self.run_in("blog", "true", env=bob)
        for user, env_of, project in (("ann", ann, "blog"), ("bob", bob, "shop")):
            for words in (("run", "--rm", "--project", project, DEMO, "true"),
                          ("create", "--project", project, DEMO, "true"), ("project", "rm", project),
                          ("project", "create", f"{project}-2")):
                with self.subTest(user=user, words=words):
                    self.refused(*words, env=env_of, saying=[f"for the user {user} is refused by the policy", "allowed-projects"])
        self.ok("create", "--name", "web", "--project", "shop", DEMO, "true", env=ann)
        self.refused("start", "-a", "web", env=bob, saying=['the project "shop" for the user bob'])
        self.ok("start", "-a", "web", env=ann)


if __name__ == "__main__":
    main()
