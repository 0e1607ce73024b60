"""The frame of an attack: images as an attacker would make them, and programs that report what they could do."""

import os
import pathlib
import subprocess
import sys
import tarfile

from support import case

sys.path.insert(0, str(case.REPOSITORY / "scripts"))
import docker_archive as archive  # noqa: E402  (after the path is set)

ADMIN = ("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined")
APPLETS = ("sh", "cat", "ls", "id", "env", "true", "sleep", "head", "wc", "chmod", "touch", "mkdir", "cp", "test",
           "grep", "stat", "readlink", "kill", "whoami", "ln", "mv", "echo", "pwd", "umask")


def system(*more, passwd="root:x:0:0:root:/root:/bin/sh\n", group="root:x:0:\n"):
    """The members of a small system's layer; `more` comes first, so that it can take the place of a directory."""
    own = {member.name.rstrip("/") for member, _ in more}
    rest = [archive.directory("bin"), archive.file("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), 0o755),
            *(archive.link(f"bin/{name}", "busybox") for name in APPLETS),
            archive.directory("etc"), archive.directory("tmp", 0o1777), archive.directory("root", 0o700)]
    if passwd is not None:
        rest.append(archive.file("etc/passwd", passwd))
    if group is not None:
        rest.append(archive.file("etc/group", group))
    if own & {"etc"}:
        rest = [one for one in rest if not one[0].name.startswith("etc")]
    return [*more, *(one for one in rest if one[0].name not in own)]


def fifo(name):
    return archive.entry(name, tarfile.FIFOTYPE, mode=0o666)


def device(name, kind, major, minor):
    return archive.entry(name, kind, mode=0o666, device=(major, minor))


class AttackCase(case.BerthCase):
    """A test that fails when the attack succeeds."""

    def image(self, *layers, **settings):
        """Loads an image of these layers (lists of members); gives its name."""
        path = self.work / "attack.tar"
        archive.write(path, ["localhost/attack:latest"], [archive.tar_bytes(layer) for layer in layers],
                      {"Cmd": ["/bin/sh"], **settings})
        self.ok("load", "-i", path)
        return "localhost/attack:latest"

    def programs(self):
        """The flag that puts the attack programs at /attack."""
        return "--volume", f"{case.ATTACK_PROGRAMS}:/attack:ro"

    def attack(self, image, program, *words, flags=(), status=0):
        """Runs an attack program; every attempt of it must have failed, and there must have been some."""
        done = self.berth("run", "--rm", *self.programs(), *flags, image, f"/attack/{program}", *words, timeout=60)
        self.assertNotIn("BROKEN", done.stdout, done)
        self.assertIn("held", done.stdout, done)
        self.assertEqual(done.status, status, done)
        return done.stdout

    def as_user(self, uid, *command):
        """In the directory above the store, without asking for anything above that."""
        def drop():
            os.chdir(self.work)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        return subprocess.run(command, preexec_fn=drop, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=30, check=False)

    def files_of(self, directory):
        """What a directory of the host holds: names, kinds, sizes, owners."""
        found = {}
        for path in sorted(pathlib.Path(directory).rglob("*")):
            st = os.lstat(path)
            found[str(path)] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_size, st.st_ino)
        return found
