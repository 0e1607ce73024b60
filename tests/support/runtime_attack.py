"""The frame of attacks on berth-runtime: containers with attack programs in them, and the host's programs unharmed."""

import hashlib
import shutil

from support import berth_runtime, case


class RuntimeAttackCase(berth_runtime.BerthRuntimeCase):
    def setUp(self):
        super().setUp()
        before = self.programs_on_the_host()
        self.addCleanup(lambda: self.assertEqual(self.programs_on_the_host(), before))

    @staticmethod
    def programs_on_the_host():
        return {path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
                for path in case.PROGRAMS.iterdir() if path.name.startswith("berth") and path.is_file()}

    def container_with(self, *programs):
        """A container with these attack programs in its root directory."""
        container = self.container()
        for name in programs:
            shutil.copy(case.ATTACK_PROGRAMS / name, container.rootfs / name)
        return container
