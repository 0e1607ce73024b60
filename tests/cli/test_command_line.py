"""The command line before any command runs: help, version, mistakes and their exit statuses."""

import json

from support.case import PROGRAMS, BerthCase, main, run


class CommandLine(BerthCase):
    def test_help_lists_the_commands_and_exits_with_0(self):
        for words in (["--help"], ["-h"], ["help"]):
            done = self.berth(*words)
            self.assertEqual(done.status, 0, done)
            self.assertIn("Usage: berth", done.stdout)
            self.assertRegex(done.stdout, r"(?m)^  pull +Fetch an image")
            self.assertEqual(done.stderr, "")

    def test_without_a_command_the_list_is_shown_and_the_status_is_125(self):
        done = self.berth()
        self.assertEqual(done.status, 125, done)
        self.assertIn("Usage: berth", done.stdout)

    def test_version(self):
        for words in (["version"], ["--version"], ["-v"]):
            self.assertRegex(self.ok(*words), r"^berth version \d+\.\d+\.\d+\n$")

    def test_help_of_a_command_has_its_usage(self):
        self.assertIn("Usage: berth version", self.ok("version", "--help"))

    def test_a_misspelt_command_is_recognised(self):
        self.fails(125, "verison", saying=['there is no command "verison"', "hint: Did you mean `berth version`?"])

    def test_a_word_like_no_command_gets_the_way_to_the_list(self):
        self.fails(125, "xyzzyxyzzy", saying="`berth --help` lists the commands.")

    def test_a_misspelt_flag_before_the_command_is_recognised(self):
        self.fails(125, "--rot", "/x", "version", saying="Did you mean --root?")

    def test_an_unknown_flag_of_a_command(self):
        self.fails(125, "version", "--colour", saying="--colour")

    def test_a_bad_value_names_the_flag_and_the_value(self):
        self.fails(125, "--log-level", "loud", "version", saying=["--log-level", "loud", "debug"])
        done = run(PROGRAMS / "berth", "--root", "relative/path", "version")
        self.assertEqual(done.status, 125, done)
        self.assertIn("relative/path", done.stderr)
        self.assertIn("absolute", done.stderr)

    def test_a_flag_without_its_value(self):
        done = run(PROGRAMS / "berth", "--root")
        self.assertEqual(done.status, 125, done)
        self.assertIn("--root needs a value", done.stderr)

    def test_control_characters_do_not_reach_the_terminal(self):
        self.assertNotIn("\x1b", self.fails(125, "\x1b[31mrun").stderr)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            process = self.start("version", stdout=full)
            self.assertEqual(process.wait(10), 125)

    def test_info_of_a_store_whose_path_is_no_text(self):
        shown = json.loads(self.ok("info", "--format", "json"))
        self.assertEqual((shown["root"], shown["containers"], shown["banks"]["total"]), (str(self.root), 0, 28664))
        self.root = self.work / "caf\udce9"
        self.assertEqual(json.loads(self.ok("info", "--format", "json"))["root"], f"{self.work}/caf\ufffd")

    def test_these_commands_touch_no_store(self):
        self.ok("version")
        self.ok("--help")
        self.assertFalse(self.root.exists())


if __name__ == "__main__":
    main()
