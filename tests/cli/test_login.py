"""berth login and logout, and the credential files that they share with other programs."""

import base64
import json
import os
import pathlib
import stat
import subprocess

from support.case import BerthCase, demo_archive, main
from support.registry import Registry
from support.terminal import Terminal
from support.token_server import TokenRegistry, TokenServer

USER, PASSWORD = "ann", "s3cret:with spaces"


class LoginCase(BerthCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(self.work / "registry", user=USER, password=PASSWORD)
        self.registry.start()
        self.addCleanup(self.registry.stop)
        self.file = self.work / "auth.json"

    def log_in(self, *flags, password=PASSWORD, **options):
        return self.ok("login", "-u", USER, "--password-stdin", *flags, self.registry.address, input=password + "\n",
                       **options)

    def entry(self, path=None):
        """The user and password that a file has for the registry."""
        auths = json.loads((path or self.file).read_text())["auths"]
        if self.registry.address not in auths:
            return None
        return base64.b64decode(auths[self.registry.address]["auth"]).decode()


class Login(LoginCase):
    def test_it_is_checked_and_stored_for_root_alone(self):
        self.assertEqual(self.log_in("--authfile", self.file), "Login Succeeded!\n")
        self.assertEqual(self.entry(), f"{USER}:{PASSWORD}")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)

    def test_the_usual_file(self):
        self.log_in()
        self.assertEqual(self.entry(pathlib.Path("/run/containers/0/auth.json")), f"{USER}:{PASSWORD}")
        runtime = self.work / "runtime"
        runtime.mkdir()
        self.log_in(env={"XDG_RUNTIME_DIR": str(runtime)})
        self.assertEqual(self.entry(runtime / "containers" / "auth.json"), f"{USER}:{PASSWORD}")
        self.log_in(env={"REGISTRY_AUTH_FILE": str(self.file)})
        self.assertEqual(self.entry(), f"{USER}:{PASSWORD}")
        self.ok("logout", "--all")

    def test_a_wrong_password_is_not_stored(self):
        self.fails(125, "login", "--authfile", self.file, "-u", USER, "--password-stdin", self.registry.address,
                   input="wrong", saying=[f"cannot log in to {self.registry.address}", "refuses the login", "HTTP 401",
                                          "hint: Check the user and the password; nothing was stored."])
        self.assertFalse(self.file.exists())

    def test_a_wrong_password_does_not_replace_a_right_one(self):
        self.log_in("--authfile", self.file)
        self.fails(125, "login", "--authfile", self.file, "-u", USER, "-p", "wrong", self.registry.address)
        self.assertEqual(self.entry(), f"{USER}:{PASSWORD}")

    def test_a_pull_uses_it(self):
        self.registry.copy_in(f"docker-archive:{demo_archive()}", "app:1")
        reference = self.registry.reference("app:1")
        self.fails(125, "pull", "--authfile", self.file, reference, saying="refuses the login")
        self.log_in("--authfile", self.file)
        self.ok("pull", "--authfile", self.file, reference)
        self.ok("logout", "--authfile", self.file, self.registry.address)
        self.fails(125, "pull", "--authfile", self.file, reference, saying="refuses the login")

    def test_by_token(self):
        self.registry.stop()
        with TokenServer(self.work / "tokens", USER, PASSWORD) as tokens, \
                TokenRegistry(self.work / "registry", tokens) as self.registry:
            self.log_in("--authfile", self.file)
            self.fails(125, "login", "--authfile", self.file, "-u", USER, "-p", "wrong", self.registry.address,
                       saying=["refuses the login", "no such user"])

    def test_a_registry_that_nobody_answers_for(self):
        self.registry.stop()
        self.fails(125, "login", "-u", USER, "-p", PASSWORD, "--authfile", self.file, "--stall-timeout", "500ms",
                   self.registry.address, saying=f"cannot reach {self.registry.address}")
        self.assertFalse(self.file.exists())

    def test_mistakes(self):
        self.fails(125, "login", "--password-stdin", self.registry.address, input="x", saying="--password-stdin needs")
        self.fails(125, "login", "-u", USER, "-p", "x", "--password-stdin", "r.example", input="x", saying="together")
        self.fails(125, "login", "-u", "a:b", "-p", "x", self.registry.address, saying="has no colon")
        self.fails(125, "login", "-u", USER, "-p", "x", "not a registry", saying="is not a registry")
        self.fails(125, "login", "-u", USER, "--password-stdin", self.registry.address, input="", saying="no password")
        self.file.write_text("{ broken")
        self.fails(125, "login", "-u", USER, "-p", PASSWORD, "--authfile", self.file, self.registry.address,
                   saying=[str(self.file), "not valid JSON"])
        self.assertEqual(self.file.read_text(), "{ broken", "a file that was not understood is left alone")

    def test_many_at_once_all_last(self):
        processes = [self.start("login", "--authfile", self.file, "-u", USER, "-p", PASSWORD,
                                f"{host}:{self.registry.port}", stdout=subprocess.DEVNULL)
                     for host in ("127.0.0.1", "localhost", "127.0.0.1", "localhost")]
        self.assertEqual([process.wait(30) for process in processes], [0, 0, 0, 0])
        self.assertEqual(len(json.loads(self.file.read_text())["auths"]), 2)
        self.assertEqual([name for name in os.listdir(self.work) if name.endswith(".tmp")], [])


class Logout(LoginCase):
    def test_one_registry(self):
        self.file.write_text(json.dumps({"auths": {"other.example": {"auth": "eDp5"}}, "HttpHeaders": {"X": "1"}}))
        self.log_in("--authfile", self.file)
        self.assertIn(self.registry.address, self.ok("logout", "--authfile", self.file, self.registry.address))
        self.assertEqual(json.loads(self.file.read_text()),
                         {"auths": {"other.example": {"auth": "eDp5"}}, "HttpHeaders": {"X": "1"}})
        self.fails(125, "logout", "--authfile", self.file, self.registry.address, saying="not logged in")

    def test_all(self):
        self.log_in("--authfile", self.file)
        self.ok("logout", "--authfile", self.file, "--all")
        self.assertEqual(json.loads(self.file.read_text())["auths"], {})
        self.fails(125, "logout", "--all", self.registry.address, saying="together")

    def test_what_another_file_still_has_is_told(self):
        docker = self.work / ".docker"
        docker.mkdir()
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (docker / "config.json").write_text(json.dumps({"auths": {self.registry.address: {"auth": token}}}))
        self.fails(125, "logout", self.registry.address, saying=["not logged in", "hint: Other files"])


class OtherPrograms(LoginCase):
    def setUp(self):
        super().setUp()
        self.registry.copy_in(f"docker-archive:{demo_archive()}", "app:1")
        self.reference = self.registry.reference("app:1")

    def test_skopeo_reads_what_berth_wrote(self):
        self.log_in("--authfile", self.file)
        subprocess.run(["skopeo", "inspect", "--tls-verify=false", "--authfile", self.file,
                        f"docker://{self.reference}"], check=True, stdout=subprocess.DEVNULL)

    def test_berth_reads_what_skopeo_wrote(self):
        subprocess.run(["skopeo", "login", "--tls-verify=false", "--authfile", self.file, "-u", USER, "-p", PASSWORD,
                        self.registry.address], check=True, stdout=subprocess.DEVNULL)
        self.ok("pull", "--authfile", self.file, self.reference)

    def test_berth_reads_dockers_file_and_the_users(self):
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        for path in (".docker/config.json", ".config/containers/auth.json"):
            file = self.work / path
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps({"auths": {f"http://{self.registry.address}/v2/": {"auth": token}}}))
            self.ok("pull", self.reference)
            file.unlink()
        self.fails(125, "pull", self.reference, saying="refuses the login")

    def test_an_entry_for_the_repository_goes_before_one_for_the_registry(self):
        def auth(text):
            return {"auth": base64.b64encode(text.encode()).decode()}
        self.file.write_text(json.dumps({"auths": {
            self.registry.address: auth("ann:wrong"), f"{self.registry.address}/app": auth(f"{USER}:{PASSWORD}")}}))
        self.ok("pull", "--authfile", self.file, self.reference)

    def test_a_credential_helper(self):
        programs, kept = self.work / "programs", self.work / "kept"
        programs.mkdir()
        helper = programs / "docker-credential-test"
        helper.write_text(f"""#!/bin/sh
case "$1" in
store) cat > {kept} ;;
get) cat > /dev/null; test -f {kept} && exec cat {kept}; echo "credentials not found in native keychain"; exit 1 ;;
erase) cat > /dev/null; rm {kept} ;;
esac
""")
        helper.chmod(0o755)
        self.file.write_text('{"credHelpers": {"%s": "test"}}' % self.registry.address)
        environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
        flags = ("--authfile", self.file)
        self.fails(125, "pull", *flags, self.reference, env=environment, saying="refuses the login")
        self.log_in(*flags, env=environment)
        self.assertEqual(json.loads(kept.read_text())["Secret"], PASSWORD)
        self.assertNotIn("auths", json.loads(self.file.read_text()))
        self.ok("pull", *flags, self.reference, env=environment)
        self.ok("logout", *flags, self.registry.address, env=environment)
        self.assertFalse(kept.exists())
        self.fails(125, "pull", *flags, self.reference,
                   saying=["docker-credential-test", "ENOENT"])
        self.file.write_text('{"credsStore": "../programs/x"}')
        self.fails(125, "pull", *flags, self.reference, saying="not the name of a credential helper")


class AtATerminal(LoginCase):
    def terminal(self):
        return Terminal(self.command("login", "--authfile", self.file, self.registry.address), env=self.environment,
                        cwd=self.work)

    def test_user_and_password_are_asked_for_and_the_password_is_not_shown(self):
        with self.terminal() as terminal:
            terminal.expect(f"Username for {self.registry.address}: ")
            terminal.type(f"{USER}\n")
            terminal.expect(f"Password of {USER} at {self.registry.address}: ")
            terminal.type(f"{PASSWORD}\n")
            terminal.expect("Login Succeeded!")
            self.assertNotIn("s3cret", terminal.output)
            self.assertEqual(terminal.wait(), 0)
        self.assertEqual(self.entry(), f"{USER}:{PASSWORD}")

    def test_the_interrupt_key_puts_the_echo_back(self):
        command = " ".join(self.command("login", "--authfile", self.file, "-u", USER, self.registry.address))
        script = f"trap : INT; {command}; echo status $?; stty -a | grep -o -- '-*\\becho\\b'; echo end"
        with Terminal(["/bin/sh", "-c", script], env=self.environment, cwd=self.work) as terminal:
            terminal.expect("Password of")
            terminal.type("\x03")
            shown = terminal.expect(r"(?s).*\nend").group(0)
            self.assertIn("status 130", shown)
            self.assertRegex(shown, r"\necho\r")
        self.assertFalse(self.file.exists())

    def test_without_a_terminal_the_flags_are_named(self):
        done = subprocess.run(["setsid", *self.command("login", self.registry.address)], stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, env=self.environment, check=False)
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"hint: Give --username and --password-stdin", done.stderr)


if __name__ == "__main__":
    main()
