"""What is run: cases, the arms of each, which are run in turn, and the targets that they are held against."""

from dataclasses import dataclass, field


@dataclass
class Arm:
    """One server doing one piece of work."""
    server: str
    scenario: str
    options: dict = field(default_factory=dict)
    label: str = ""

    @property
    def name(self):
        return self.label or self.server


@dataclass
class Target:
    """`figure` of `arm`, divided by that of `against` (or as it is), is to be at least or at most `bound`."""
    text: str
    arm: str
    bound: float
    against: str = ""
    figure: str = "opsPerSecond"
    at_most: bool = False
    unit: str = ""


@dataclass
class Case:
    key: str
    title: str
    arms: list
    targets: list
    note: str = ""


def shape(producers, in_flight, workers, **more):
    return {"producers": producers, "in-flight": in_flight, "workers": workers, **more}


def peers(options):
    return [Arm("redis", "peer-redis-list", options, "redis list"),
            Arm("redis", "peer-redis-stream", options, "redis stream"),
            Arm("beanstalkd", "peer-beanstalkd", options),
            Arm("nats", "peer-nats", options, "nats core")]


def against_peers(in_flight):
    options = shape(8, in_flight, 32)
    arms = [Arm("daemon", "lifecycle", options), Arm("null server", "lifecycle", options), *peers(options)]
    targets = [Target(f"above {arm.name}", "daemon", 1.0, arm.name) for arm in arms[2:]]
    title = f"life cycle against the peers, 8 × {in_flight}, 32 workers"
    return Case(f"peers-{in_flight}", title, arms, targets)


def ours(options, scenario="lifecycle"):
    return [Arm("daemon", scenario, options), Arm("null server", scenario, options)]


def durable():
    options = shape(16, 16, 50)
    always, interval = "daemon, log synced always", "daemon, log synced each second"
    redis = "redis, appendfsync always"
    arms = [*(Arm(server, "lifecycle", options) for server in ("daemon", interval, always)),
            Arm(redis, "peer-redis-list", options, "redis list, appendfsync always"),
            Arm(redis, "peer-redis-stream", options, "redis stream, appendfsync always")]
    targets = [Target("log synced before each acknowledgement", always, 50_000, unit="/s"),
               Target("above redis list, appendfsync always", always, 1.0, arms[3].name),
               Target("above redis stream, appendfsync always", always, 1.0, arms[4].name),
               Target("log synced each second, of memory-only", interval, 0.85, "daemon")]
    return Case("durable", "life cycle with a log, 16 × 16, 50 workers", arms, targets)


def growth(many_workers, many_tasks):
    small = shape(4, 1, 10, automatic=True, payload=256)
    crowd = Arm("daemon", "lifecycle", {**small, "workers": many_workers}, f"{many_workers:,} workers")
    backlog = Arm("daemon", "lifecycle", {**small, "waiting": many_tasks}, f"{many_tasks:,} tasks waiting")
    base = Arm("daemon", "lifecycle", small, "10 workers, none waiting")
    targets = [Target(f"{many_workers:,} workers, of 10", crowd.name, 0.9, base.name),
               Target(f"{many_tasks:,} tasks waiting, of none", backlog.name, 0.9, base.name),
               Target("memory per waiting task of 256 bytes", backlog.name, 556, figure="bytesPerWaitingTask",
                      at_most=True, unit=" B")]
    title = "growth: life cycle 4 × 1, the daemon picks the worker"
    return Case("growth", title, [base, crowd, backlog], targets)


def held(workers):
    arm = Arm("daemon", "connect", {"workers": workers})
    return Case("connect", f"{workers:,} connected workers, each with a heartbeat every 5 s",
                [arm, Arm("null server", "connect", {"workers": workers})],
                [Target("memory per connected worker", "daemon", 6144, figure="bytesPerWorker", at_most=True,
                        unit=" B"),
                 Target("share of one core", "daemon", 0.1, figure="serverCpuShare", at_most=True)])


def slow_reader():
    options = shape(4, 1, 10, subscribers=2)
    arms = [Arm("daemon", "lifecycle", options, "all read"),
            Arm("daemon", "lifecycle", {**options, "stalled": 1}, "and one that never reads")]
    title = "one slow reader among good ones: life cycle 4 × 1, two subscribers of everything"
    return Case("slow-reader", title, arms,
                [Target("with a reader that stalls, of without", arms[1].name, 0.9, arms[0].name)])


def all_cases(quick):
    many_workers, many_tasks = (2_000, 100_000) if quick else (10_000, 1_000_000)
    return [
        Case("lifecycle-4x1", "life cycle, 4 producers × 1 in flight, 10 workers", ours(shape(4, 1, 10)),
             [Target("of the null server", "daemon", 0.6, "null server")]),
        Case("lifecycle-16x16", "life cycle, 16 × 16, 50 workers", ours(shape(16, 16, 50)),
             [Target("of the null server", "daemon", 0.4, "null server")]),
        against_peers(1),
        against_peers(16),
        Case("latency", "life cycle at 1,000 tasks/s", ours(shape(4, 16, 10, rate=1000)),
             [Target("p99, of the null server's", "daemon", 1.5, "null server", figure="p99Ms",
                     at_most=True)]),
        durable(),
        Case("heartbeats", "heartbeats, 16 workers × 16 in flight", ours(shape(1, 16, 16), "heartbeats"),
             [Target("of the null server", "daemon", 0.5, "null server")]),
        Case("http-reads", "GET of a worker, 16 × 16", ours(shape(16, 16, 1), "http-reads"), []),
        Case("fanout", "one change to 100 subscribers, 16 changes at once",
             ours({"subscribers": 100, "in-flight": 16}, "fanout"),
             [Target("notifications, five times the original's 122,000", "daemon", 610_000, unit="/s")]),
        slow_reader(),
        growth(many_workers, many_tasks),
        held(many_workers),
    ]
