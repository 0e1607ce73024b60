"""The side of a container's terminal that its caller has."""

import array
import fcntl
import os
import select
import socket
import struct
import termios


class Console:
    """Listens at a path for the terminal that a runtime sends there."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.settimeout(5)
        self.terminal = -1
        self.text = ""

    def accept(self):
        """Takes the descriptor; there must be exactly one."""
        connection, _ = self.listener.accept()
        with connection:
            _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * 4))
        found = array.array("i")
        for _, _, content in ancillary:
            found.frombytes(content)
        assert len(found) == 1, f"{len(found)} descriptors"
        self.terminal = found[0]
        return self

    def read_until(self, text, patience=5.0):
        while text not in self.text:
            ready, _, _ = select.select([self.terminal], [], [], patience)
            if not ready:
                raise AssertionError(f"no {text!r} on the terminal, which shows {self.text!r}")
            try:
                data = os.read(self.terminal, 65536)
            except OSError:  # the last process has closed it
                data = b""
            if not data:
                break
            self.text += data.decode(errors="backslashreplace")
        return self.text

    def type(self, text):
        os.write(self.terminal, text.encode())

    def size(self):
        return struct.unpack("HHHH", fcntl.ioctl(self.terminal, termios.TIOCGWINSZ, b"\0" * 8))[:2]

    def close(self):
        self.listener.close()
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1
