"""The Debian package: what is in it, and that what is in it runs from where it is put."""

import shutil
import subprocess

from support.case import PROGRAMS, REPOSITORY, BerthCase, main, run

BUILD = PROGRAMS.parent
EXPECTED = {
    "usr/bin/berth": 0o755,
    "usr/bin/berth-runtime": 0o755,
    "usr/libexec/berth/berth-init": 0o755,
    "usr/libexec/berth/berth-monitor": 0o755,
    "usr/libexec/berth/berth-transfer": 0o755,
    "usr/lib/systemd/system/berth-boot.service": 0o644,
    "usr/share/bash-completion/completions/berth": 0o644,
    "usr/share/fish/vendor_completions.d/berth.fish": 0o644,
    "usr/share/zsh/vendor-completions/_berth": 0o644,
    "usr/share/doc/berth/README.md": 0o644,
    "usr/share/doc/berth/SECURITY.md": 0o644,
    "usr/share/doc/berth/CHANGELOG.md": 0o644,
    "usr/share/doc/berth/copyright": 0o644,
}


class Package(BerthCase):
    def setUp(self):
        super().setUp()
        config = self.work / "CPackConfig.cmake"
        shutil.copy(BUILD / "CPackConfig.cmake", config)
        # Not stripped here: that takes seconds and changes no file list.
        subprocess.run(["cpack", "-G", "DEB", "--config", config, "-D", "CPACK_STRIP_FILES=OFF", "-B", self.work],
                       check=True, cwd=self.work, stdout=subprocess.DEVNULL, env=self.environment)
        (self.package,) = self.work.glob("*.deb")
        self.tree = self.work / "installed"
        subprocess.run(["dpkg-deb", "-x", self.package, self.tree], check=True)

    def field(self, name):
        return run("dpkg-deb", "-f", self.package, name).stdout.strip()

    def test_the_package(self):
        with self.subTest("file list"):
            found = {str(path.relative_to(self.tree)): path.stat().st_mode & 0o7777
                     for path in self.tree.rglob("*") if path.is_file()}
            self.assertEqual(found, EXPECTED)
        with self.subTest("description"):
            self.assertEqual(self.field("Package"), "berth")
            self.assertIn("libc6", self.field("Depends"))
            self.assertIn("container engine", self.field("Description"))
        with self.subTest("nothing that belongs to a build"):
            for path in self.tree.rglob("usr/bin/*"):
                self.assertNotIn(str(REPOSITORY).encode(), self.dynamic_section(path))
        with self.subTest("it runs from where it is put"):
            self.assertRegex(run(self.tree / "usr/bin/berth", "version").stdout, r"^berth version ")
            self.assertRegex(run(self.tree / "usr/bin/berth-runtime", "--version").stdout, r"^berth-runtime version ")
            # berth finds berth-transfer, and that knows the command.
            done = run(self.tree / "usr/bin/berth", "load", "--help")
            self.assertEqual(done.status, 0, done)

    @staticmethod
    def dynamic_section(path):
        return subprocess.run(["readelf", "-d", path], check=True, stdout=subprocess.PIPE).stdout


class BerthRuntime(BerthCase):
    def test_it_says_what_it_lacks(self):
        done = run(PROGRAMS / "berth-runtime", "create", "--bundle", self.work, "x")
        self.assertEqual(done.status, 1)
        self.assertIn(f"{self.work}/config.json: ENOENT", done.stderr)


if __name__ == "__main__":
    main()
