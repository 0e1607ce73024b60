"""A seccomp agent that lets every system call go on, and remembers which there were (seccomp_unotify(2))."""

import array
import fcntl
import json
import os
import select
import socket
import struct
import threading

NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
RESPONSE = struct.Struct("=QqiI")  # struct seccomp_notif_resp
NOTIFY_RECEIVE = 0xC0502100
NOTIFY_SEND = 0xC0182101
CONTINUE = 1


class Agent:
    """Listens at a socket for one container, from another thread, until end()."""

    def __init__(self, path):
        self.path = path
        self.state = None
        self.calls = set()  # numbers of system calls
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        if not self._wait_for(self._listener):
            return
        connection, _ = self._listener.accept()
        descriptors = array.array("i")
        with connection:
            data, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(64))
            for _, _, content in ancillary:
                descriptors.frombytes(content)
            while more := connection.recv(1 << 16):
                data += more
        self.state = json.loads(data)
        try:
            self._answer(descriptors[0])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _wait_for(self, file):
        """True when there is something to read, False at the end."""
        while not self._done.is_set():
            if select.select([file], [], [], 0.02)[0]:
                return True
        return False

    def _answer(self, listener):
        while self._wait_for(listener):
            notification = bytearray(NOTIFICATION.size)
            try:
                fcntl.ioctl(listener, NOTIFY_RECEIVE, notification)
                number, _, _, call, *_ = NOTIFICATION.unpack(notification)
                self.calls.add(call)
                fcntl.ioctl(listener, NOTIFY_SEND, RESPONSE.pack(number, 0, 0, CONTINUE))
            except FileNotFoundError:
                continue  # who asked has gone
            except OSError:
                return  # nobody can ask any more

    def end(self):
        self._done.set()
        self._thread.join(5)
        self._listener.close()
