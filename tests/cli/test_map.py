"""berth map: the host's ID space as people and programs see it."""

import json
import pathlib
import re
import subprocess
import xml.dom.minidom

from support.case import DEMO, BerthCase, main
from support.terminal import Terminal

BANK = 65536
POOL = 8 * BANK
FREE = 1900000000  # host IDs that nobody has: above every bank
LAST = 4294967294


class Map(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def created(self, name, *flags):
        """The first host ID of its map."""
        self.ok("create", "--name", name, *flags, DEMO, "true")
        maps = json.loads(self.ok("inspect", name))[0]["HostConfig"]["IDMappings"]["UidMap"]
        return int(maps[0].split(":")[1]) if maps else None

    def host_file(self, path, text):
        """Gives the host another file; in this test's mount namespace only."""
        covered = self.work / pathlib.Path(path).name
        covered.write_bytes(text)
        covered.chmod(0o644)
        subprocess.run(["mount", "--bind", covered, path], check=True)
        self.addCleanup(subprocess.run, ["umount", path], check=True)

    def plain_host(self):
        self.host_file("/etc/passwd", b"root:x:0:0::/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n")
        self.host_file("/etc/group", b"root:x:0:\nann:x:1000:\nstaff:x:50:\n")
        self.host_file("/etc/subuid", b"ann:100000:65536\n")
        self.host_file("/etc/subgid", b"ann:100000:65536\n")

    def document(self, *flags):
        return json.loads(self.ok("map", "--format", "json", *flags))

    def text(self, *flags, columns=100):
        return self.ok("map", *flags, env={"COLUMNS": str(columns)})


class Text(Map):
    def test_the_host_beside_its_containers(self):
        self.plain_host()
        base = self.created("web")
        lines = self.text().splitlines()
        shape = [re.sub(r"\s+", " ", line).strip() for line in lines]
        self.assertIn("0 │ root │", shape)
        self.assertIn("50 │ staff (group) │", shape)
        self.assertIn("1000 │ ann │", shape)
        self.assertIn("│ subordinate IDs │", shape)
        self.assertIn("│ ann │", shape)
        self.assertIn("│ /etc/subuid:1, /etc/subgid:1 │", shape)
        row = next(i for i, line in enumerate(shape) if line.startswith(f"{base} "))
        self.assertRegex(shape[row], rf"^{base} ├─+┤ {base} ┌─ web ─+┐ 0$")
        self.assertRegex(shape[row + 1], r"^│ bank \d+ ├─+>│ 65536 IDs │$")
        self.assertRegex(shape[row + 2], rf"^│ container web │ {base + BANK} └─+┘ 65536$")
        self.assertNotIn("\x1b", "".join(lines), "no colours in a file")

    def test_every_width_keeps_within_itself(self):
        self.created("web")
        self.created("sparse", "--uidmap", f"0:{FREE}:10", "--uidmap", f"500:{FREE + 100000}:10")
        for columns in (40, 60, 72, 80, 100, 150, 300):
            text = self.text(columns=columns)
            self.assertLessEqual(max(map(len, text.splitlines())), columns, text)
            for name in ("web", "sparse"):
                self.assertIn(name, text, columns)

    def test_one_containers_extents(self):
        self.created("web")
        self.created("sparse", "--uidmap", f"0:{FREE}:10", "--uidmap", f"500:{FREE + 100000}:20")
        text = self.text("--container", "sparse")
        self.assertNotIn("─ web ─", text)
        for seen in ("─ sparse ─", f"{FREE} ┌", "10 IDs", "not mapped", f"{FREE + 100000} ├", "20 IDs", "┘ 520"):
            self.assertIn(seen, text)
        self.fails(125, "map", "--container", "spars", saying="sparse")

    def test_containers_with_the_hosts_ids_are_named(self):
        self.created("bare", "--userns", "host")
        self.assertTrue(self.text().endswith("\nWith the host's own IDs: bare.\n"))

    def test_a_bank_that_rests_says_whose_it_was(self):
        self.created("web")
        self.ok("rm", "web")
        self.assertRegex(self.text(), r"bank \d+ rests")
        self.assertIn("last of web", self.text())

    def test_a_foreign_namespace(self):
        process = subprocess.Popen(["unshare", "--user", "sh", "-c", "echo ready; exec sleep 1000"], stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdout.readline()
        pathlib.Path(f"/proc/{process.pid}/uid_map").write_text(f"0 {FREE} 1000\n")
        self.assertIn("user namespace", self.text())
        part = next(part for part in self.document()["parts"] if part["first"] == FREE)
        self.assertEqual((part["kind"], part["last"]), ("namespace", FREE + 999))
        self.assertIn(f"process {process.pid}", part["claims"][0]["who"])

    def test_ids_that_two_have_are_marked(self):
        base = self.created("web")
        self.host_file("/etc/passwd", b"root:x:0:0::/:/bin/sh\nann:x:%d:0::/:/bin/sh\n" % (base + 5))
        self.assertIn(f"! ann has {base + 5}", self.text())
        self.assertEqual([part["first"] for part in self.document()["parts"] if part["shared"]], [base])

    def test_many_containers_are_put_together(self):
        for i in range(20):
            self.created(f"c{i:02}")
        text = self.text()
        self.assertIn("4 more containers are not drawn; --all draws them.", text)
        self.assertIn("─ c15 ─", text)
        self.assertNotIn("c16", text.replace("container c16", ""))
        self.assertIn("─ c19 ─", self.text("--all"))

    def test_colours_only_for_a_terminal_that_wants_them(self):
        self.created("web")
        for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
            environment = {**self.environment, **extra}
            with Terminal(self.command("map"), columns=120, env=environment, cwd=self.work) as terminal:
                terminal.wait()
                self.assertEqual("\x1b[36m" in terminal.output, coloured, extra)
                width = max(len(re.sub("\x1b\\[[0-9;]*m", "", line)) for line in terminal.output.splitlines())
                self.assertTrue(100 < width <= 120, width)


class Formats(Map):
    def test_json_has_every_id_once(self):
        base = self.created("web")
        document = self.document()
        self.assertEqual(document["pool"], {"first": POOL, "last": 0x6FFFFFFF, "bank_size": BANK})
        parts = document["parts"]
        self.assertEqual((parts[0]["first"], parts[-1]["last"]), (0, LAST))
        for before, after in zip(parts, parts[1:]):
            self.assertEqual(before["last"] + 1, after["first"])
        bank = next(part for part in parts if part["first"] == base)
        self.assertEqual((bank["kind"], bank["last"], bank["claims"][0]["who"]), ("bank", base + BANK - 1, "container web"))
        self.assertEqual([container["users"] for container in document["containers"]],
                         [[{"inside": 0, "host": base, "count": BANK}]])

    def test_a_project(self):
        self.created("web")
        self.fails(125, "map", "--project", "shop", saying='there is no project "shop"')
        self.fails(125, "map", "--project", "shop", "--container", "web", saying="together")

    def test_a_file(self):
        self.created("web")
        picture = self.work / "ids.svg"
        self.assertEqual(self.ok("map", "--format", "svg", "--output", picture), "")
        self.assertEqual(picture.read_text(), self.ok("map", "--format", "svg"))
        self.assertEqual([path.name for path in self.work.glob("ids*")], ["ids.svg"], "nothing half-made beside it")
        self.ok("map", "--format", "svg", "--output", "/dev/null")
        self.fails(125, "map", "--output", self.work / "none" / "ids", saying="none")

    def test_svg_stands_alone(self):
        self.created("web")
        text = self.ok("map", "--format", "svg")
        root = xml.dom.minidom.parseString(text).documentElement
        self.assertEqual(root.tagName, "svg")
        for foreign in ("<script", "<image", "href", "@import", "http://www.w3.org/2000/svg"):
            self.assertEqual(text.count(foreign), 1 if foreign.startswith("http") else 0, foreign)
        self.assertIn("prefers-color-scheme: dark", text)
        self.assertIn("web · 65536 IDs", text)

    def test_names_that_are_hostile(self):
        self.host_file("/etc/passwd", b"root:x:0:0::/:/bin/sh\n"
                       b"</text><script>&\"'\x1b[31m:x:1000:0::/:/bin/sh\n"
                       b"\xff\xfe\xe2\x80\xaeabc\xcc\x81:x:1001:0::/:/bin/sh\n"
                       b"\x01\x7f\xc2\x9b31m:x:1002:0::/:/bin/sh\n"
                       b"J\xc3\xb6rg:x:1003:0::/:/bin/sh\n")
        text = self.text(columns=200)
        self.assertIn("</text><script>&\"'\\x1b[31m", text)
        self.assertIn("\\xff\\xfe\\u{202e}abc\\u{301}", text)
        self.assertIn("Jörg", text)
        self.assertFalse(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u0301]", text), text)
        svg = self.ok("map", "--format", "svg", "--all")
        document = xml.dom.minidom.parseString(svg)
        self.assertEqual(document.getElementsByTagName("script"), [])
        shown = [node.firstChild.data for node in document.getElementsByTagName("text") if node.firstChild]
        self.assertTrue(any(text.startswith("</text><script>&\"'\\x1b") for text in shown), shown)
        self.assertFalse(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u0301]", svg))
        json_text = self.ok("map", "--format", "json")
        self.assertTrue(json_text.isascii())
        users = [name.get("user") for part in json.loads(json_text)["parts"] for name in part["names"]]
        self.assertIn("</text><script>&\"'\x1b[31m", users)


if __name__ == "__main__":
    main()
