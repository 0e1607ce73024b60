"""A client of the interface by which Kubernetes' kubelet asks for pods (runtime.v1 of the CRI), as far as tests need it.

A message is a list of (number of the field, value): a number, a text, or a list, which is a message in it. The numbers
are those of the interface's api.proto.
"""

import collections

import grpc

NAMESPACES_OF_THE_POD = []  # NamespaceOption: network is POD
NETWORK_OF_THE_HOST = [(1, 2)]  # … is NODE


def varint(value):
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(encoded) + bytes([value])


def encode(message):
    encoded = b""
    for number, value in message:
        if isinstance(value, int):
            encoded += varint(number << 3) + varint(value)
            continue
        content = encode(value) if isinstance(value, list) else value.encode()
        encoded += varint(number << 3 | 2) + varint(len(content)) + content
    return encoded


def decode(data):
    """Number of the field to its values: numbers, and bytes for all else."""
    found = collections.defaultdict(list)
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3].append(number())
            continue
        if key & 7 != 2:
            raise ValueError(f"a field of type {key & 7}")
        length = number()
        found[key >> 3].append(data[at:at + length])
        at += length
    return found


class Kubelet:
    """What a kubelet asks of containerd; errors are grpc.RpcError."""

    def __init__(self, socket, cgroup_parent):
        self._cgroup_parent = cgroup_parent
        self._channel = grpc.insecure_channel(f"unix://{socket}")

    def close(self):
        self._channel.close()

    def call(self, name, message):
        return decode(self._channel.unary_unary(f"/runtime.v1.RuntimeService/{name}")(encode(message), timeout=60))

    def run_pod(self, name, handler, namespaces):
        """Gives the pod's configuration, which its containers need too, and its ID. `handler`: a RuntimeClass's."""
        config = [(1, [(1, name), (2, f"uid-of-{name}"), (3, "default")]),
                  (8, [(1, self._cgroup_parent), (2, [(1, namespaces)])]),
                  *([] if namespaces == NETWORK_OF_THE_HOST else [(2, name)])]
        return config, self.call("RunPodSandbox", [(1, config), (2, handler)])[1][0].decode()

    def create(self, pod, name, image, words, resources=(), security=(), more=()):
        config, pod_id = pod
        namespaces = dict(dict(dict(config)[8])[2])[1]
        linux = [(1, list(resources)), (2, [(3, namespaces), *security])]
        container = [(1, [(1, name)]), (2, [(1, image)]), *((3, word) for word in words), *more, (15, linux)]
        return self.call("CreateContainer", [(1, pod_id), (2, container), (3, config)])[1][0].decode()

    def start(self, container):
        self.call("StartContainer", [(1, container)])

    def status(self, container):
        """(0 created, 1 running, 2 exited; the exit status; the reason)."""
        status = decode(self.call("ContainerStatus", [(1, container)])[1][0])
        return status[3][0] if status[3] else 0, status[7][0] if status[7] else 0, b"".join(status[10]).decode()

    def exec(self, container, *words):
        """(its exit status, its output)."""
        answer = self.call("ExecSync", [(1, container), *((2, word) for word in words), (3, 20)])
        return answer[3][0] if answer[3] else 0, b"".join(answer[1] + answer[2]).decode()

    def memory(self, container):
        """Bytes that it uses, as `kubectl top` shows them."""
        stats = decode(self.call("ContainerStats", [(1, container)])[1][0])
        return decode(decode(stats[3][0])[2][0])[1][0]

    def update(self, container, resources):
        self.call("UpdateContainerResources", [(1, container), (2, list(resources))])

    def stop(self, container):
        self.call("StopContainer", [(1, container), (2, 0)])

    def remove(self, container):
        self.call("RemoveContainer", [(1, container)])

    def address(self, pod):
        """Of the pod's own network."""
        status = decode(self.call("PodSandboxStatus", [(1, pod[1])])[1][0])
        return decode(status[5][0])[1][0].decode()

    def remove_pod(self, pod):
        self.call("StopPodSandbox", [(1, pod[1])])
        self.call("RemovePodSandbox", [(1, pod[1])])
