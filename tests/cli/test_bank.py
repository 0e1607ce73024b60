"""Banks as a person sees them: who holds what, names and numbers, and what stays the same over time."""

import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time

from support import leftovers
from support.case import DEMO, BerthCase, main

FIRST_NUMBERED, FIRST_OTHER = 524288, 67633152  # the host IDs at which bank 0 and bank 1024 begin
MAP = "cat /proc/self/uid_map"


class Banks(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def banks(self, *flags):
        return json.loads(self.ok("bank", "ls", "--format", "json", *flags))

    def sql(self, text, *values):
        with sqlite3.connect(self.root / "berth.db") as database:
            rows = database.execute(text, values).fetchall()
        database.close()
        return rows


class Commands(Banks):
    def test_ls_says_who_holds_what_since_when_and_who_before(self):
        self.assertEqual(self.ok("bank", "ls"), "BANK  HOST IDS  KIND  HELD BY  SINCE  USED BY  BEFORE\n")
        self.ok("bank", "create", "db", "--number", "5")
        self.ok("create", "--name", "job", DEMO, "true")
        self.ok("create", "--name", "shared", "--bank", "db", DEMO, "true")
        lines = self.ok("bank", "ls").splitlines()
        self.assertRegex(lines[1], r"^5 +851968-917503 +name +db +\S.* ago +shared +-$")
        self.assertRegex(lines[2], r"^1024 +67633152-67698687 +container +job +\S.* ago +- +-$")
        self.ok("rm", "job")
        self.assertEqual(len(self.ok("bank", "ls").splitlines()), 2)
        lines = self.ok("bank", "ls", "--all").splitlines()
        self.assertRegex(lines[2], r"^1024 +67633152-67698687 +resting +- +freed .* ago +- +job$")
        _, bank = self.banks("--all")
        self.assertEqual((bank["Number"], bank["First"], bank["Last"], bank["State"], bank["Users"]),
                         (1024, FIRST_OTHER, FIRST_OTHER + 65535, "resting", []))
        self.assertEqual((bank["Before"]["Kind"], bank["Before"]["Name"]), ("container", "job"))

    def test_ls_in_other_forms(self):
        self.ok("bank", "create", "db")
        self.ok("bank", "create", "--number", "2-3")
        self.assertEqual(self.ok("bank", "ls", "--quiet"), "2\n3\n1024\n")
        self.assertEqual(self.ok("bank", "ls", "--format", "{{.Owner}} {{.First}}"),
                         "2 655360\n3 720896\ndb 67633152\n")
        self.assertEqual(self.ok("bank", "ls", "--format", "table {{.Owner}}\t{{.Kind}}"),
                         "OWNER  KIND\n2      name\n3      name\ndb     name\n")
        self.fails(125, "bank", "ls", "--format", "{{.Ower}}", saying="Owner")
        self.fails(125, "bank", "sl", saying="Did you mean `berth bank ls`?")
        self.fails(125, "bank", "ls", "--qiet", saying="--quiet")

    def test_create_gives_names_to_banks(self):
        self.assertEqual(self.ok("bank", "create", "farm", "--count", "3"), "farm\n")
        self.assertEqual(self.ok("bank", "create", "--number", "7"), "7\n")
        self.assertRegex(self.ok("bank", "create"), r"^[a-z]+_[a-z]+[0-9]+\n$")
        farm, seven = json.loads(self.ok("bank", "inspect", "farm", "7"))
        self.assertEqual((farm["Name"], farm["Size"], [bank["Number"] for bank in farm["Banks"]]),
                         ("farm", 3 * 65536, [1024, 1025, 1026]))
        self.assertEqual([bank["InsideFirst"] for bank in farm["Banks"]], [0, 65536, 131072])
        self.assertEqual(seven["Banks"][0]["First"], FIRST_NUMBERED + 7 * 65536)

    def test_what_is_refused_says_why(self):
        self.ok("bank", "create", "web")
        self.ok("bank", "create", "--number", "3")
        for words, status, saying in (
                (("create", "web"), 125, 'create bank web: there is a bank "web" already'),
                (("create", "--number", "3"), 125, 'there is a bank "3" already'),
                (("create", "new", "--number", "3"), 125, "bank 3 is held by the number 3"),
                (("create", "new", "--number", "28664"), 125, "the numbers of banks are 0 to 28663"),
                (("create", "new", "--number", "3", "--count", "2"), 125, "can't be given together"),
                (("create", "7"), 125, "\"7\" can't be a bank's name"),
                (("create", "a/b"), 125, '"a/b" is neither a bank\'s number nor its name'),
                (("inspect", "wep"), 125, "Did you mean web?"),
                (("inspect", "9"), 125, "nobody has asked for bank 9 yet"),
                (("rm", "wep"), 1, "Did you mean web?")):
            with self.subTest(words=words):
                self.fails(status, "bank", *words, saying=saying)
        self.assertEqual(self.ok("bank", "ls", "-q"), "3\n1024\n", "nothing came of any of them")

    def test_a_name_in_use_can_not_be_removed(self):
        self.ok("bank", "create", "web")
        self.ok("bank", "create", "db")
        self.ok("create", "--name", "shop", "--bank", "web", DEMO, "true")
        done = self.fails(2, "bank", "rm", "web", "db", saying="bank web is used by container shop")
        self.assertEqual(done.stdout, "db\n")
        self.ok("rm", "shop")
        self.ok("bank", "rm", "web")
        self.assertEqual(self.banks(), [])

    def test_help_has_examples(self):
        for command in ("ls", "create", "inspect", "rm"):
            text = self.ok("bank", command, "--help")
            self.assertIn("EXAMPLES", text.upper())
            self.assertIn(f"berth bank {command}", text)


class Kept(Banks):
    def test_a_container_keeps_its_bank_over_starts_and_a_reboot(self):
        self.ok("create", "--name", "first", DEMO, "true")
        self.ok("create", "--name", "job", DEMO, "sh", "-c", MAP)
        first = self.ok("start", "-a", "job").split()
        self.ok("rm", "first")
        self.assertEqual(first, ["0", str(FIRST_OTHER + 65536), "65536"])
        self.assertEqual(self.ok("start", "-a", "job").split(), first)
        shutil.rmtree(self.runroot)  # as a boot leaves it
        self.assertEqual(self.ok("start", "-a", "job").split(), first)
        self.assertEqual([bank["Owner"] for bank in self.banks()], ["job"])

    def test_a_bank_outlives_its_owner_where_another_container_is_in_it(self):
        self.ok("create", "--name", "web", DEMO, "true")
        self.ok("create", "--name", "side", "--userns", "container:web", DEMO, "sh", "-c", MAP)
        self.ok("rm", "web")
        (bank,) = self.banks()
        self.assertEqual((bank["First"], bank["Owner"], bank["Before"]["Name"]), (FIRST_OTHER, "side", "web"))
        self.assertEqual(self.ok("start", "-a", "side").split()[1], str(FIRST_OTHER))
        self.ok("rm", "side")
        self.assertEqual(self.banks(), [])

    def test_a_bank_that_is_free_again_rests(self):
        seen = [self.ok("run", "--rm", DEMO, "sh", "-c", MAP).split()[1] for _ in range(4)]
        self.assertEqual(seen, [str(FIRST_OTHER + i * 65536) for i in range(4)])

    def test_a_full_pool_says_who_holds_it_and_what_to_do(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.sql("DELETE FROM fresh_banks")
        self.sql("INSERT OR IGNORE INTO banks (number, owner_kind, owner, since) "
                 "WITH RECURSIVE n(i) AS (SELECT 8 UNION ALL SELECT i + 1 FROM n WHERE i < 28671) "
                 "SELECT i, 'name', 'farm', 1 FROM n")
        self.fails(125, "run", "--rm", DEMO, "true", saying=(
            "no bank of user IDs is free: 28664 of 28664 are held, 28663 by names, 1 by containers "
            "(1 of them by stopped ones) (most: 28663 by the name farm)", "berth bank ls"))


class AtOnce(Banks):
    RUNS = 64

    def one(self, number):
        return self.berth("run", "--rm", DEMO, "sh", "-c", f"{MAP}; sleep 0.2; echo {number}")

    def test_64_runs_never_share_a_bank_and_lose_none(self):
        with concurrent.futures.ThreadPoolExecutor(self.RUNS) as pool:
            done = list(pool.map(self.one, range(self.RUNS)))
        for number, finished in enumerate(done):
            self.assertEqual((finished.status, finished.stderr), (0, ""), finished)
            self.assertEqual(finished.stdout.split()[3], str(number))
        self.assertEqual(len({finished.stdout.split()[1] for finished in done}), self.RUNS)
        self.assert_nothing_left()

    def test_nor_where_some_are_killed_at_random(self):
        chance = random.Random(64)
        processes = []
        for number in range(self.RUNS):
            processes.append(self.start("run", "--rm", DEMO, "sh", "-c", f"{MAP}; sleep 0.2; echo {number}",
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE))
            if chance.random() < 0.5:
                time.sleep(chance.random() * 0.05)
                chance.choice(processes).kill()
        seen = []
        for process in processes:
            out, _ = process.communicate(timeout=120)
            self.assertIn(process.returncode, (0, -9), out)
            seen += [line.split()[1] for line in out.decode().splitlines() if len(line.split()) == 3]
        self.assertGreater(len(seen), self.RUNS // 4)
        self.assertEqual(len(seen), len(set(seen)), "two containers had one bank")
        leftovers.wait_until_gone(self._before)
        self.ok("ps", "-a")
        self.ok("system", "repair")
        self.assert_nothing_left()
        held = self.sql("SELECT count(*) FROM banks")[0][0]
        fresh = self.sql("SELECT sum(last - first + 1) FROM fresh_banks")[0][0]
        self.assertEqual(held + fresh, 28664, "a bank got lost")


class Lost(Banks):
    """A store whose database is damaged or gone."""

    def damage(self, how):
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database = self.root / "berth.db"
        for suffix in ("-wal", "-shm"):
            pathlib.Path(str(database) + suffix).unlink(missing_ok=True)
        if how == "deleted":
            database.unlink()
        elif how == "empty":
            database.write_bytes(b"")
        elif how == "truncated":
            content = database.read_bytes()
            database.write_bytes(content[:len(content) // 3])
        else:
            database.write_bytes(bytes(database.stat().st_size))

    def fill(self):
        """A stopped container with files, one that was never started, one that runs, and names."""
        self.ok("bank", "create", "db", "--count", "2")
        self.ok("run", "--name", "job", "-v", "data:/data", DEMO, "sh", "-c",
                f"echo kept > /kept; echo kept > /data/file; {MAP}")
        self.ok("create", "--name", "new", "--bank", "3", "-e", "A=b", DEMO, "sh", "-c", f"echo $A; {MAP}")
        self.running = self.start("run", "--name", "web", DEMO, "sh", "-c", "echo ready; exec sleep 1000",
                                  stdout=subprocess.PIPE)
        self.running.stdout.readline()
        return self.banks(), self.containers()

    def containers(self):
        return {row["Names"][0]: (row["Id"], row["Image"], row["ImageID"], row["State"], row["Created"], row["Banks"])
                for row in json.loads(self.ok("ps", "-a", "--format", "json"))}

    def directories(self):
        return sorted(path.name for folder in ("containers", "volumes", "layers")
                      for path in (self.root / folder).iterdir())

    def test_it_is_not_begun_anew_in_silence_and_can_be_rebuilt(self):
        banks, containers = self.fill()
        directories = self.directories()
        for how in ("deleted", "empty", "truncated", "zeroes"):
            with self.subTest(how=how):
                self.damage(how)
                for words in (("ps", "-a"), ("run", "--rm", DEMO, "true"), ("system", "repair"), ("bank", "ls")):
                    self.fails(125, *words, saying="`berth system repair --rebuild` makes a new one")
                self.assertEqual(self.directories(), directories, "nothing was removed")
                said = self.ok("system", "repair", "--rebuild")
                self.assertIn("containers taken in: 3 (1 of them run)\nbanks held again: 5\nvolumes taken in: 1\n", said)
                self.assertIn(f"image to be pulled again: {DEMO} (for 3 containers)\n", said)
                self.assertEqual("the damaged database is now:" in said, how != "deleted")
                self.assertEqual(self.containers(), containers)
                self.assertEqual([{**bank, "Since": ""} for bank in self.banks()],
                                 [{**bank, "Since": ""} for bank in banks])
                self.assertEqual(self.directories(), directories)
        self.ok("rm", "-f", "web")
        self.running.wait(20)
        self.load_demo()
        self.assertEqual(self.ok("start", "-a", "job").split()[1], str(containers["job"][5][0]))
        self.assertEqual(self.ok("start", "-a", "new").split(), ["b", "0", str(FIRST_NUMBERED + 3 * 65536), "65536"])
        self.assertEqual((self.root / "containers" / containers["job"][0] / "upper" / "kept").read_text(), "kept\n")
        self.assertEqual((self.root / "volumes" / "data" / "_data" / "file").read_text(), "kept\n")
        self.fails(2, "bank", "rm", "3", saying="bank 3 is used by container new")
        self.ok("rm", "new")
        self.ok("bank", "rm", "3", "db")
        self.ok("rm", "job")
        self.assertEqual(leftovers.held_banks(self.root), [])

    def test_a_running_container_with_rm_keeps_its_bank(self):
        process = self.start("run", "--rm", "--name", "web", DEMO, "sh", "-c", f"{MAP}; exec sleep 1000",
                             stdout=subprocess.PIPE)
        base = int(process.stdout.readline().split()[1])
        self.damage("deleted")
        said = self.ok("system", "repair", "--rebuild")
        self.assertIn("runs, and only its IDs are known", said)
        (bank,) = self.banks()
        self.assertEqual((bank["First"], bank["Kind"]), (base, "container"))
        self.assertRegex(bank["Owner"], "^recovered-[0-9a-f]{12}$")
        self.load_demo()
        other = self.ok("run", "--rm", DEMO, "sh", "-c", MAP).split()[1]
        self.assertNotEqual(int(other), base)
        self.ok("rm", "-f", bank["Owner"])
        process.wait(20)
        # The attached command, which knows only the old database, may have removed the files first.
        self.ok("ps", "-a")
        self.assertEqual(leftovers.held_banks(self.root), [])

    def test_numbers_of_containers_with_rm_are_kept(self):
        copy = self.root / "ledger.json"
        self.ok("run", "--rm", DEMO, "true")
        self.assertFalse(copy.exists(), "an own bank changes nothing that is shared")
        self.ok("run", "--rm", "--bank", "3", DEMO, "true")
        written = copy.stat()
        process = self.start("run", "--rm", "--bank", "3", DEMO, "sh", "-c", f"{MAP}; exec sleep 1000",
                             stdout=subprocess.PIPE)
        self.assertEqual(int(process.stdout.readline().split()[1]), FIRST_NUMBERED + 3 * 65536)
        self.assertEqual(copy.stat(), written, "a bank that is there already costs no writing")
        self.ok("create", "--name", "job", "--bank", "5-6", DEMO, "true")
        self.ok("rm", "job")
        before = self.banks()
        self.damage("deleted")
        self.ok("system", "repair", "--rebuild")
        self.assertEqual([bank["Owner"] for bank in self.banks()], ["3", "5", "6"])
        self.assertEqual([bank["Since"] for bank in self.banks()], [bank["Since"] for bank in before])
        self.fails(2, "bank", "rm", "3", saying="bank 3 is used by container recovered-")
        (name,) = self.containers()
        self.ok("rm", "-f", name)
        process.wait(20)
        self.ok("bank", "rm", "3", "5-6")
        self.assertEqual(leftovers.held_banks(self.root), [])

    def test_the_state_files_may_be_lost_as_well(self):
        process = self.start("run", "--name", "web", DEMO, "sh", "-c", f"{MAP}; exec sleep 1000",
                             stdout=subprocess.PIPE)
        base = int(process.stdout.readline().split()[1])
        (record,) = self.root.glob("containers/*/record.json")
        record.write_text("{")
        self.damage("deleted")
        shutil.rmtree(self.runroot)
        said = self.ok("system", "repair", "--rebuild")
        self.assertIn("can't be read", said)
        self.assertIn("containers taken in: 1 (1 of them run)", said)
        self.assertEqual([bank["First"] for bank in self.banks()], [base])
        (monitor,) = [pid for pid, text in leftovers.processes().items() if " berth-monitor " in text]
        os.kill(monitor, signal.SIGKILL)
        process.wait(20)
        self.ok("system", "repair")

    def test_a_stopped_container_without_a_copy_keeps_its_files(self):
        self.ok("run", "--name", "job", DEMO, "sh", "-c", "echo kept > /kept")
        (record,) = self.root.glob("containers/*/record.json")
        record.unlink()
        self.damage("zeroes")
        said = self.ok("system", "repair", "--rebuild")
        name = re.search("recovered-[0-9a-f]{12}", said).group()
        self.assertEqual((record.parent / "upper" / "kept").read_text(), "kept\n")
        self.assertEqual(self.containers()[name][1], "unknown")
        self.fails(125, "start", "-a", name, saying="unknown")
        self.ok("rm", name)
        self.assertEqual(leftovers.held_banks(self.root), [])

    def test_banks_that_are_inherited_or_claimed_twice(self):
        self.ok("create", "--name", "web", DEMO, "true")
        for name in ("left", "right"):
            self.ok("create", "--name", name, "--userns", "container:web", DEMO, "sh", "-c", MAP)
        self.ok("rm", "web")
        self.ok("create", "--name", "job", DEMO, "sh", "-c", MAP)
        (job,) = [path for path in self.root.glob("containers/*/record.json") if '"name":"job"' in path.read_text()]
        twin = job.parent.parent / ("0" * 64)
        shutil.copytree(job.parent, twin)
        text = (twin / "record.json").read_text()
        (twin / "record.json").write_text(text.replace(job.parent.name, "0" * 64).replace(
            f'"owner":"{job.parent.name}"', '"owner":"' + "0" * 64 + '"').replace('"name":"job"', '"name":"twin"'))
        self.damage("deleted")
        self.assertIn("The bank of job is another's by now", self.ok("system", "repair", "--rebuild"))
        self.load_demo()
        first = {name: int(self.ok("start", "-a", name).split()[1]) for name in ("left", "right", "job", "twin")}
        self.assertEqual(first["left"], first["right"])
        self.assertEqual(len(set(first.values())), 3)
        self.ok("rm", "left")
        self.assertIn(first["right"], [bank["First"] for bank in self.banks()], "the other one still has it")
        self.ok("rm", "right", "job", "twin")
        self.assertEqual(self.banks(), [])

    def test_projects_and_their_banks_come_back_and_a_damaged_copy_of_them_is_told(self):
        self.ok("project", "create", "shop", "--number", "4", "--quota", "7", "--label", "a=b")
        self.ok("bank", "create", "db")  # writes the copy
        self.ok("create", "--name", "job", DEMO, "true")
        projects, banks = self.sql("SELECT * FROM projects"), self.banks()
        self.damage("truncated")
        self.ok("system", "repair", "--rebuild")
        self.assertEqual(self.sql("SELECT * FROM projects"), projects)
        self.assertEqual(self.banks(), banks)
        (self.root / "ledger.json").write_text('{"version":1,"banks":[{"bank":1}]}')
        self.damage("truncated")
        self.assertIn("names of banks that no container uses, are lost: ledger.json: banks[0]: a bank outside the pool",
                      self.ok("system", "repair", "--rebuild"))
        self.assertEqual([bank["Owner"] for bank in self.banks()], ["job"])

    def test_a_rebuild_that_is_killed_can_be_done_again(self):
        self.ok("create", "--name", "job", DEMO, "true")
        for point in ("rebuilt", "damaged-set-aside"):
            self.damage("zeroes")
            self.assertEqual(self.berth("system", "repair", "--rebuild", env={"BERTH_FAULT": point}).status, 137)
            self.fails(125, "ps", "-a", saying="--rebuild")
            self.ok("system", "repair", "--rebuild")
            self.assertEqual(list(self.containers()), ["job"])

    def test_a_whole_database_is_left_alone(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.fails(125, "system", "repair", "--rebuild", saying="is whole: there is nothing to rebuild")
        self.assertEqual(list(self.containers()), ["job"])

    def test_a_database_from_a_backup_removes_no_container_that_came_later(self):
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        backup = (self.root / "berth.db").read_bytes()
        self.ok("run", "--name", "job", DEMO, "sh", "-c", "echo kept > /kept")
        (record,) = self.root.glob("containers/*/record.json")
        self.damage("deleted")
        (self.root / "berth.db").write_bytes(backup)
        self.assertEqual(self.containers(), {})
        self.assertIn(f"left alone, not known to this database: {record.parent}\n", self.ok("system", "repair"))
        self.assertEqual((record.parent / "upper" / "kept").read_text(), "kept\n")

    def test_an_empty_store_needs_no_rebuilding(self):
        shutil.rmtree(self.root)
        self.assertEqual(self.ok("bank", "ls", "-q"), "")
        (self.root / "berth.db").unlink()
        self.assertEqual(self.ok("bank", "ls", "-q"), "")


if __name__ == "__main__":
    main()
