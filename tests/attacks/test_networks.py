"""Names that would be more than names in a file that somebody else reads."""

from support.attack import AttackCase, system
from support.case import main


class OddNames(AttackCase):
    FLAGS = ("--hostname", "--network-alias", "--dns-search")

    def setUp(self):
        super().setUp()
        self.name = self.image(system())

    def test_a_lines_end_in_a_name_is_refused(self):
        for byte in ("\n", "\r", "\t", " ", ",", "\x7f", "\x1b[2J", "ä"):
            for flag in self.FLAGS:
                with self.subTest(flag=flag, byte=byte):
                    self.fails(125, "run", "--rm", "--network", "bridge", flag, f"a{byte}1.2.3.4 b", self.name, "true",
                               saying=flag)
            self.fails(125, "run", "--rm", "--add-host", f"a{byte}b:1.2.3.4", self.name, "true", saying="--add-host")
            self.fails(125, "run", "--rm", "--dns-option", f"a{byte}b" if byte != "," else "a b", self.name, "true",
                       saying="--dns-option")
            self.fails(125, "network", "create", f"a{byte}b", saying="name")

    def test_a_name_of_a_hundred_kilobytes_is_refused(self):
        long = "a" * 100_000  # an argument has 128 KiB at most
        for flag in self.FLAGS:
            done = self.fails(125, "run", "--rm", "--network", "bridge", flag, long, self.name, "true", saying=flag)
            self.assertLess(len(done.stderr), 110_000)
        self.fails(125, "run", "--rm", "--add-host", f"{long}:1.2.3.4", self.name, "true", saying="--add-host")
        self.fails(125, "network", "create", long, saying="128 at most")
        for flag in ("--publish", "--ip", "--mac-address", "--network"):
            self.fails(125, "run", "--rm", "--network", "bridge", flag, long, self.name, "true")

    def test_the_images_ports_are_checked_as_anybodys(self):
        for text in ("0/tcp", "65536/tcp", "80/nosuch", "90-80/tcp", "1-65535/tcp", "80\n/tcp", "-1/tcp"):
            with self.subTest(port=text):
                name = self.image(system(), ExposedPorts={text: {}})
                self.fails(125, "run", "--rm", "-P", name, "true")
                self.assertEqual(self.ok("run", "--rm", name, "echo", "fine"), "fine\n")


if __name__ == "__main__":
    main()
