"""--uidmap, --gidmap, --userns and --allow-shared-ids: what the kernel shows, and what is refused."""

import json
import os
import pathlib
import subprocess

from support.case import DEMO, BerthCase, main

BANK = 65536
FREE = 1900000000  # host IDs that nobody has: above every bank and below what projects get inside


def extents(text):
    return [tuple(map(int, line.split())) for line in text.splitlines()]


class Maps(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def maps(self, *flags, env=None):
        """The two maps that a container's process sees."""
        text = self.ok("run", "--rm", *flags, DEMO, "sh", "-c", "cat /proc/self/uid_map; echo; cat /proc/self/gid_map",
                       env=env)
        users, groups = text.split("\n\n")
        return extents(users), extents(groups)

    def own_base(self, extent):
        """The base of the bank that an extent lies in."""
        self.assertGreaterEqual(extent[1], 8 * BANK)
        return extent[1] - extent[1] % BANK

    def refused(self, *flags, saying, status=125, env=None):
        done = self.berth("run", "--rm", *flags, DEMO, "true", env=env)
        self.assertEqual(done.status, status, done)
        for text in saying:
            self.assertIn(text, done.stderr)
        self.assertEqual(self.ok("ps", "-aq"), "", "a refused container leaves nothing")
        return done.stderr


class Flags(Maps):
    def test_a_whole_bank_is_the_default_for_users_and_groups(self):
        users, groups = self.maps()
        self.assertEqual(users, groups)
        self.assertEqual(users, [(0, self.own_base(users[0]), BANK)])

    def test_one_flag_serves_for_both(self):
        for flag in ("--uidmap", "--gidmap"):
            self.assertEqual(self.maps(flag, f"0:{FREE}:1000"), ([(0, FREE, 1000)],) * 2, flag)

    def test_users_and_groups_apart(self):
        self.assertEqual(self.maps("--uidmap", f"0:{FREE}:1000", "--gidmap", f"0:{FREE + 5000}:2000"),
                         ([(0, FREE, 1000)], [(0, FREE + 5000, 2000)]))

    def test_fields_can_be_left_out(self):
        users, _ = self.maps("--uidmap", "::3000")
        self.assertEqual(users, [(0, self.own_base(users[0]), 3000)])
        users, _ = self.maps("--uidmap", "::1", "--uidmap", "1000::10")
        base = self.own_base(users[0])
        self.assertEqual(users, [(0, base, 1), (1000, base + 1000, 10)], "where the bank has them anyway")
        self.assertEqual(self.maps("--uidmap", f"0:{FREE}"), ([(0, FREE, BANK)],) * 2)

    def test_a_sparse_map(self):
        flags = [word for i in range(340) for word in ("--uidmap", f"{i * 10}:{FREE + i * 100}:1")]
        done = self.berth("run", "--rm", *flags, DEMO, "sh", "-c", "cat /proc/self/uid_map | busybox wc -l")
        # 340 extents of large numbers do not fit into the page that the kernel takes; then that is said.
        self.assertIn(done.status, (0, 125), done)
        short = [word for i in range(200) for word in ("--uidmap", f"{i * 2}:{FREE + i * 3}:1")]
        self.assertEqual(self.ok("run", "--rm", *short, DEMO, "sh", "-c", "busybox wc -l < /proc/self/uid_map").strip(), "200")

    def test_plus_adds_to_the_own_bank(self):
        users, groups = self.maps("--uidmap", f"+u1000:{FREE}:1", "--gidmap", "::")
        base = self.own_base(users[0])
        self.assertEqual(users, [(0, base, 1000), (1000, FREE, 1), (1001, base + 1001, BANK - 1001)])
        self.assertEqual(groups, [(0, base, BANK)])

    def test_files_show_the_maps_ids_on_both_sides(self):
        shared = self.work / "shared"
        shared.mkdir()
        (shared / "file").write_text("x")
        subprocess.run(["chown", str(FREE + 7), shared / "file"], check=True)
        shared.chmod(0o777)
        said = self.ok("run", "--rm", "--uidmap", f"0:{FREE}:1000", "-v", f"{shared}:/s", DEMO, "sh", "-c",
                       "busybox stat -c %u /s/file; echo > /s/new; busybox stat -c %u /s")
        self.assertEqual(said.split(), ["7", "65534"])
        self.assertEqual((shared / "new").stat().st_uid, FREE)

    def test_a_container_keeps_its_map(self):
        self.ok("run", "--name", "job", "--uidmap", f"0:{FREE}:1000", DEMO, "true")
        self.ok("create", "--name", "show", "--uidmap", f"0:{FREE + 1000}:1000", DEMO, "cat", "/proc/self/uid_map")
        for _ in range(2):
            self.assertEqual(extents(self.ok("start", "-a", "show")), [(0, FREE + 1000, 1000)])
        said = json.loads(self.ok("inspect", "show"))[0]["HostConfig"]["IDMappings"]
        self.assertEqual(said["UidMap"], [f"0:{FREE + 1000}:1000"])
        self.ok("rm", "job", "show")


class Refusals(Maps):
    def test_each_mistake_has_its_message(self):
        for flags, said in (
                (("0:1000:10", "5:2000:10"), "both map the container's IDs 5-9"),
                ((f"0:{FREE}:10", f"100:{FREE + 5}:10"), f"both map the host's IDs {FREE + 5}-{FREE + 9}"),
                (("0:4294967290:10",), "past the last ID of the host"),
                (("4294967290:1000:10",), "past the last ID"),
                ((f"0:{FREE}:0",), "a size of 0 maps nothing"),
                (("0:-1:1",), "is not a number"),
                (("200000",), "--uidmap 200000"),
                (("65530::10",), "is not within the container's own IDs"),
                (tuple(f"{i * 2}:{FREE + i * 3}:1" for i in range(341)), "at most 340")):
            with self.subTest(flags=flags[:2]):
                self.refused(*[word for value in flags for word in ("--uidmap", value)], saying=[said])

    def test_the_users_id_must_be_mapped(self):
        self.refused("--uidmap", f"0:{FREE}:1000", "-u", "1000", saying=["1000", "0-999"])
        self.refused("--uidmap", f"5:{FREE}:10", saying=["UID 0 is not in the map", "5-14", "hint: "])
        self.refused("--uidmap", f"0:{FREE}:10", "--gidmap", f"5:{FREE}:10", saying=["GID 0 is not in the map"])

    def test_ids_of_the_hosts_users(self):
        said = self.refused("--uidmap", "0:0:1000", saying=["--uidmap 0:0:1000", "host IDs 0-999", "root"])
        self.assertIn("--allow-shared-ids", said)
        users, _ = self.maps("--uidmap", "0:0:1000", "--allow-shared-ids")
        self.assertEqual(users, [(0, 0, 1000)])

    def test_ids_of_another_container(self):
        self.ok("create", "--name", "first", DEMO, "true")
        (bank,) = json.loads(self.ok("inspect", "first"))[0]["HostConfig"]["IDMappings"]["UidMap"]
        base = int(bank.split(":")[1])
        done = self.berth("run", "--rm", "--uidmap", f"0:{base + 100}:10", DEMO, "true")
        self.assertEqual(done.status, 125)
        self.assertIn("first", done.stderr)
        self.ok("create", "--name", "second", "--uidmap", f"0:{FREE}:100", DEMO, "true")
        done = self.berth("run", "--rm", "--uidmap", f"0:{FREE + 50}:10", DEMO, "true")
        self.assertEqual(done.status, 125)
        self.assertIn("second", done.stderr)
        self.ok("rm", "first", "second")
        self.assertEqual(self.maps("--uidmap", f"0:{FREE + 50}:10")[0], [(0, FREE + 50, 10)], "freed with its container")

    def test_users_of_another_container_are_no_groups(self):
        self.ok("create", "--name", "job", "--uidmap", f"0:{FREE}:100", "--gidmap", "::", DEMO, "true")
        done = self.berth("run", "--rm", "--uidmap", f"0:{FREE}:10", "--gidmap", "::", DEMO, "true")
        self.assertEqual((done.status, "container job maps" in done.stderr), (125, True), done)
        _, groups = self.maps("--uidmap", "::", "--gidmap", f"0:{FREE}:10")
        self.assertEqual(groups, [(0, FREE, 10)])

    def test_flags_that_contradict_each_other(self):
        self.refused("--userns", "host", "--uidmap", f"0:{FREE}:10", saying=["--uidmap", "--userns host"])
        self.refused("--userns", "upside-down", saying=["upside-down"])


class Userns(Maps):
    def test_auto_with_a_size(self):
        users, groups = self.maps("--userns", "auto:size=1000")
        self.assertEqual(users, [(0, self.own_base(users[0]), 1000)])
        users, _ = self.maps("--userns", "auto:size=70000")
        self.assertEqual(sum(extent[2] for extent in users), 70000)
        self.assertEqual(groups, [(0, groups[0][1], 1000)])

    def test_keep_id(self):
        env = {"SUDO_UID": "1234", "SUDO_GID": "1235"}
        users, groups = self.maps("--userns", "keep-id", env=env)
        self.assertIn((1234, 1234, 1), users)
        self.assertIn((1235, 1235, 1), groups)
        self.assertEqual(self.ok("run", "--rm", "--userns", "keep-id", DEMO, "sh", "-c", "id -u; id -g", env=env).split(),
                         ["1234", "1235"])
        users, _ = self.maps("--userns", "keep-id:uid=5,gid=6", env=env)
        self.assertIn((5, 1234, 1), users)
        self.refused("--userns", "keep-id", saying=["the caller is root", "hint: "])

    def test_another_containers(self):
        self.ok("create", "--name", "first", DEMO, "cat", "/proc/self/uid_map")
        users, _ = self.maps("--userns", "container:first")
        self.assertEqual(users, extents(self.ok("start", "-a", "first")))
        self.ok("create", "--name", "second", "--userns", "container:first", DEMO, "cat", "/proc/self/uid_map")
        self.ok("rm", "first")
        self.assertEqual(extents(self.ok("start", "-a", "second")), users, "still its own")
        self.assertNotEqual(self.maps()[0], users, "nobody else gets them meanwhile")
        self.ok("rm", "second")
        self.refused("--userns", "container:nobody", saying=["nobody"])

    def test_the_namespace_of_a_container_that_runs_is_joined(self):
        look = "readlink /proc/self/ns/user; cat /proc/self/uid_map; id -u"
        first = self.start("run", "-i", "--rm", "--name", "first", DEMO, "sh", "-c", f"{look}; exec cat", stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
        theirs = [first.stdout.readline() for _ in range(3)]
        run = ["run", "--rm", "--userns", "container:first", DEMO, "sh", "-c"]
        self.assertEqual(self.ok(*run, look), "".join(theirs))
        self.assertNotEqual(self.ok("run", "--rm", DEMO, "sh", "-c", look).splitlines()[0], theirs[0].strip())
        self.assertEqual(len(self.ok(*run, "echo /proc/[0-9]*").split()), 2, "it sees its own processes only")
        self.assertEqual(self.ok(*run, "touch /in && stat -c %u /in && cat /etc/hostname && chown 1000 /in"
                                 " && stat -c %u /in").split()[::2], ["0", "1000"])
        self.ok("create", "--name", "second", "--userns", "container:first", DEMO, "readlink", "/proc/self/ns/user")
        self.assertEqual(self.ok("start", "-a", "second"), theirs[0])
        first.stdin.close()
        self.assertEqual(first.wait(timeout=20), 0)
        alone = self.ok("start", "-a", "second")
        self.assertNotEqual(alone, theirs[0], "nobody is there to be joined")
        self.ok("rm", "second")

    def test_a_namespace_that_is_there(self):
        holder = subprocess.Popen(["unshare", "--user", "sh", "-c", "echo; exec sleep 100"], stdout=subprocess.PIPE)
        try:
            holder.stdout.readline()
            for name in ("uid_map", "gid_map"):
                pathlib.Path(f"/proc/{holder.pid}/{name}").write_text(f"0 {FREE} 500")
            users, groups = self.maps("--userns", f"ns:/proc/{holder.pid}/ns/user")
            self.assertEqual((users, groups), ([(0, FREE, 500)],) * 2)
            own = os.readlink(f"/proc/{holder.pid}/ns/user")
            self.ok("create", "--name", "in", "--userns", f"ns:/proc/{holder.pid}/ns/user", DEMO, "readlink",
                    "/proc/self/ns/user")
            self.assertEqual(self.ok("start", "-a", "in").strip(), own)
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()
        self.fails(125, "start", "-a", "in", saying=["cannot start \"in\"", f"/proc/{holder.pid}/ns/user"])
        self.ok("rm", "in")
        self.refused("--userns", "ns:/proc/self/ns/net", saying=["no user namespace"])
        self.refused("--userns", "ns:/proc/self/ns/user", saying=["the host's own", "hint: "])
        self.refused("--userns", "ns:/no/such", saying=["/no/such"])


class Banks(Maps):
    def test_containers_that_name_the_same_bank_share_ids(self):
        self.ok("bank", "create", "web")
        first, _ = self.maps("--bank", "web")
        self.assertEqual(self.maps("--bank", "web")[0], first)
        self.assertEqual(self.maps("--private-uids", "web")[0], first)
        self.assertNotEqual(self.maps()[0], first)
        self.assertEqual(self.maps("--bank", "web", "--uidmap", "::100")[0], [(0, first[0][1], 100)])

    def test_numbered_banks_one_after_another(self):
        one, _ = self.maps("--bank", "1")
        self.assertEqual(self.maps("--bank", "1-3")[0], [(0, one[0][1], 3 * BANK)])
        users, groups = self.maps("--bank", "3", "--bank", "1")
        self.assertEqual(users, [(0, one[0][1] + 2 * BANK, BANK), (BANK, one[0][1], BANK)])
        self.assertEqual(users, groups)

    def test_a_bank_is_held_as_long_as_a_container_uses_it(self):
        self.ok("bank", "create", "web")
        self.ok("create", "--name", "job", "--bank", "web", DEMO, "cat", "/proc/self/uid_map")
        said = self.fails(2, "bank", "rm", "web", saying=["job"])
        self.assertIsNotNone(said)
        first = self.ok("start", "-a", "job")
        self.assertEqual(self.ok("start", "-a", "job"), first)
        self.ok("rm", "job")
        self.ok("bank", "rm", "web")

    def test_volumes_from_brings_the_bank_along(self):
        self.ok("bank", "create", "web")
        self.ok("create", "--name", "exporter", "--bank", "web", "-v", "/data", DEMO, "true")
        web, _ = self.maps("--bank", "web")
        self.assertEqual(self.maps("--volumes-from", "exporter")[0], web)
        self.assertEqual(self.maps("--volumes-from", "exporter", "--bank", "2")[0][0][2], BANK)
        self.assertNotEqual(self.maps("--volumes-from", "exporter", "--bank", "2")[0], web)
        self.refused_beside("exporter", "--volumes-from", "exporter", "--uidmap", "::1000", saying="exporter")
        self.ok("rm", "-v", "exporter")

    def refused_beside(self, other, *flags, saying):
        done = self.berth("run", "--rm", *flags, DEMO, "true")
        self.assertEqual(done.status, 125, done)
        self.assertIn(saying, done.stderr)
        self.assertEqual(self.ok("ps", "-a", "--format", "json").count('"Names"'), 1, other)

    def test_a_bank_that_is_not_there(self):
        self.ok("bank", "create", "web")
        self.refused("--bank", "wbe", saying=["wbe", "web"])
        self.refused("--bank", "0-100000", saying=["--bank 0-100000"])
        self.refused("--userns", "host", "--bank", "web", saying=["--bank", "--userns host"])


class Policy(Maps):
    def configured(self, text):
        path = self.work / "berth.toml"
        path.write_text(text)
        return {"BERTH_CONFIG": str(path)}

    def test_require_private(self):
        env = self.configured("[policy]\nrequire-private = true\n")
        for flags in (("--userns", "host"), ("--network", "host"), ("--userns", "ns:/proc/1/ns/user")):
            self.refused(*flags, saying=["require-private", "berth.toml:2"], env=env)
        self.ok("create", "--name", "open", "--userns", "host", DEMO, "true")
        done = self.berth("start", "-a", "open", env=env)
        self.assertEqual(done.status, 125)
        self.assertIn("require-private", done.stderr)
        done = self.berth("run", "--rm", "--userns", "container:open", DEMO, "true", env=env)
        self.assertEqual(done.status, 125)
        self.assertIn("require-private", done.stderr)
        self.ok("rm", "open")

    def test_allowed_ranges(self):
        env = self.configured('[policy]\nallowed-ranges = ["524288-1000000000"]\n')
        self.refused("--uidmap", f"0:{FREE}:10", saying=["allowed-ranges", str(FREE)], env=env)
        self.maps(env=env)

    def test_banks_are_chosen_within_the_allowed_ranges(self):
        first = 20000 * BANK
        env = self.configured(f'[policy]\nallowed-ranges = ["{first + 1}-{first + 4 * BANK - 1}"]\n')
        users, groups = self.maps(env=env)
        self.assertEqual((users, groups), ([(0, first + BANK, BANK)],) * 2)
        self.ok("bank", "create", "web", "--count", "2", env=env)
        self.assertEqual(self.maps("--bank", "web", env=env)[0], [(0, first + 2 * BANK, 2 * BANK)])
        done = self.berth("project", "create", "shop", env=env)
        self.assertEqual(done.status, 125, done)
        for text in ("a project needs 2 banks", "3 of 3 are held, 2 by names", "allowed-ranges", "berth.toml:2"):
            self.assertIn(text, done.stderr)
        self.ok("bank", "rm", "web")
        self.ok("create", "--name", "one", DEMO, "true", env=env)
        self.ok("create", "--name", "two", DEMO, "true", env=env)
        self.ok("create", "--name", "four", DEMO, "true", env=env)
        done = self.berth("create", "--name", "three", DEMO, "true", env=env)
        self.assertEqual(done.status, 125, done)
        self.assertIn("3 of 3 are held, 3 by containers (3 of them by stopped ones)", done.stderr)
        self.ok("create", "--name", "three", DEMO, "true")
        self.ok("rm", "one", "two", "three", "four")

    def test_a_project_within_the_allowed_ranges(self):
        first = 20000 * BANK
        env = self.configured(f'[policy]\nallowed-ranges = ["{first}-{first + 2 * BANK - 1}"]\n')
        self.ok("project", "create", "shop", "--number", "4", env=env)
        self.assertEqual(self.maps("--project", "shop", env=env)[0],
                         [(0, first, BANK), (1000040000, first + BANK, 10000)])
        self.refused(saying=["2 of 2 are held, 2 by projects", "allowed-ranges"], env=env)

    def test_a_policy_that_allows_no_bank(self):
        env = self.configured('[policy]\nallowed-ranges = ["1000-2000"]\n')
        self.refused(saying=["no bank of user IDs is allowed by the policy", "1000-2000", "berth.toml:2", "hint: "],
                     env=env)

    def test_a_numbered_bank_that_is_not_allowed(self):
        env = self.configured('[policy]\nallowed-ranges = ["1000000000-1879048191"]\n')
        for what in (("3",), ("--number", "3"), ("web", "--number", "3")):
            done = self.berth("bank", "create", *what, env=env)
            self.assertEqual(done.status, 125, done)
        self.assertIn("bank 3 with the host's IDs 720896-786431 is refused by the policy: allowed-ranges", done.stderr)
        self.assertEqual(self.ok("bank", "ls", "-q"), "")

    def test_shared_ids_can_be_forbidden(self):
        env = self.configured("[policy]\nallow-shared-ids = false\n")
        self.refused("--uidmap", "0:0:10", "--allow-shared-ids", saying=["allow-shared-ids"], env=env)

    def test_config_says_where_each_value_comes_from(self):
        env = self.configured("[policy]\nrequire-private = true\n")
        said = self.ok("config", env=env)
        self.assertRegex(said, r"(?m)^require-private = true +# .*berth.toml:2$")
        self.assertIn("# built in", said)
        document = json.loads(self.ok("config", "--format", "json", env=env))
        self.assertEqual(document["policy"]["require-private"]["value"], True)
        done = self.berth("config", env=self.configured("[policy]\nrequire-privat = true\n"))
        self.assertEqual(done.status, 125)
        self.assertIn("require-private", done.stderr)

    def test_a_default_for_userns(self):
        env = self.configured('[defaults]\nuserns = "auto:size=2000"\n')
        self.assertEqual(self.maps(env=env)[0][0][2], 2000)
        self.assertEqual(self.maps("--userns", "private", env=env)[0][0][2], BANK)


if __name__ == "__main__":
    main()
