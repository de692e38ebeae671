"""The servers that are compared: each is started afresh for a run, on its own core, and ended after it."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

SERVER_CORE, CLIENT_CORE = 0, 1

# Room for every worker and task of the runs, and an end to what is kept, so that a long run measures a steady
# state.
DAEMON_OPTIONS = [
    "--port", "0", "--ws-port", "0", "--log-level", "error", "--connections-max", "40000",
    "--max-tasks-per-worker", "100000", "--heartbeat-timeout", "600000", "--keep-ended-count", "10000",
]


def on_core(core, command):
    """`command`, kept on one core, where there are two to keep apart."""
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > 1 else command


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process, and the arguments by which coordbench finds it. It ends with the `with` that starts it."""

    def __init__(self, name, command, data_folder):
        self.name = name
        self.command = command
        self.folder = tempfile.mkdtemp(prefix=f"{name}-", dir=data_folder)
        self.process = None
        self.address = []

    def __enter__(self):
        self.process = subprocess.Popen(
            on_core(SERVER_CORE, self.command), cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        try:
            self.address = self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arguments(self):
        return [*self.address, "--pid", str(self.process.pid)]

    def wait_until_ready(self):
        raise NotImplementedError


class Ours(Server):
    """The daemon, or the null server, which says the same when it is ready."""

    def wait_until_ready(self):
        line = self.process.stdout.readline()
        ports = re.search(r"http=\S+:(\d+) ws=\S+:(\d+)", line)
        if not ports:
            raise RuntimeError(f"{self.name} did not start: {' '.join(self.command)}")
        return ["--http-port", ports[1], "--ws-port", ports[2]]


class Peer(Server):
    def __init__(self, name, command, data_folder):
        self.port = free_port()
        super().__init__(name, [word.replace("PORT", str(self.port)) for word in command], data_folder)

    def wait_until_ready(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return ["--port", str(self.port)]
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.name} did not start: {' '.join(self.command)}")


MEMORY = ["--persistence", "memory-only"]
LOG_ALWAYS = ["--persistence", "write-ahead-log", "--wal-path", "wal.log", "--snapshot-path", "state.json",
              "--snapshot-interval", "3600000", "--wal-sync-interval", "0"]
LOG_INTERVAL = [*LOG_ALWAYS[:-1], "1000"]
REDIS = ["redis-server", "--port", "PORT", "--bind", "127.0.0.1", "--save", ""]

OURS = {
    "daemon": MEMORY,
    "daemon, log synced always": LOG_ALWAYS,
    "daemon, log synced each second": LOG_INTERVAL,
}
# Name, command, package.
PEERS = {
    "redis": ([*REDIS, "--appendonly", "no"], "redis-server"),
    "redis, appendfsync always": ([*REDIS, "--appendonly", "yes", "--appendfsync", "always"], "redis-server"),
    "beanstalkd": (["beanstalkd", "-l", "127.0.0.1", "-p", "PORT"], "beanstalkd"),
    "nats": (["nats-server", "-a", "127.0.0.1", "-p", "PORT"], "nats-server"),
}


def start(name, binaries, data_folder):
    if name == "null server":
        return Ours("null", [os.path.join(binaries, "null-server"), "0", "0"], data_folder)
    if name in OURS:
        daemon = os.path.join(binaries, "coordination-daemon")
        return Ours("daemon", [daemon, *DAEMON_OPTIONS, *OURS[name]], data_folder)
    return Peer(name.split(",")[0], PEERS[name][0], data_folder)


def is_missing(name):
    return name in PEERS and shutil.which(PEERS[name][0][0]) is None


def install(names):
    """Installs what is missing, without starting it as a service."""
    packages = sorted({PEERS[name][1] for name in names if is_missing(name)})
    if packages:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *packages], check=True,
                       env={**os.environ, "RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"},
                       stdout=subprocess.DEVNULL)
