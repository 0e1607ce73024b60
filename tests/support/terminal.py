"""A terminal with somebody at it: runs a command on a pty, types, reads, changes the window's size."""

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time


class Terminal:
    """A command on a terminal of its own. Ends the command when it is closed."""

    def __init__(self, command, rows=24, columns=80, env=None, cwd=None):
        self.output = ""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                if cwd:
                    os.chdir(cwd)
                self._set_size(0, rows, columns)
                os.execvpe(command[0], command, env or os.environ)
            finally:
                os._exit(127)
        self._set_size(self.fd, rows, columns)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def _set_size(fd, rows, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        """As a window that is dragged: the kernel sends SIGWINCH to the foreground group."""
        self._set_size(self.fd, rows, columns)

    def type(self, text):
        os.write(self.fd, text.encode())

    def _read_some(self, timeout):
        """False at the end."""
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # what a master gives when the last slave is closed
                raise
            data = b""
        self.output += data.decode(errors="backslashreplace")
        return bool(data)

    def expect(self, pattern, timeout=20.0):
        """Reads until the regular expression matches what came since the last match; gives the match."""
        deadline = time.monotonic() + timeout
        going = True
        while True:
            match = re.search(pattern, self.output)
            if match:
                self.output = self.output[match.end():]
                return match
            if not going or time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} on the terminal, which shows:\n{self.output}")
            going = self._read_some(0.1)

    def wait(self, timeout=20.0):
        """Reads to the end; gives the exit status, 128 + signal for a killed one."""
        deadline = time.monotonic() + timeout
        while self._read_some(0.1):
            if time.monotonic() > deadline:
                raise AssertionError(f"the command goes on; the terminal shows:\n{self.output}")
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self.status = code if code >= 0 else 128 - code
        return self.status

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            self.status = 137
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
