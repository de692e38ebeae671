"""Figures to Markdown: the targets first, then everything that was measured."""

import os
import platform
import statistics
from datetime import date


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} cores ({model}), Linux {platform.release()}"


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    """Median and range."""
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))}–{number(max(values))})"


def verdict(target, results):
    """The row of a target; None where an arm was left out. Ratios are taken within a round. Beside that of what was
    done stands that of the processor time that each operation took, which a busy machine disturbs less."""
    mine, other = results.get(target.arm), results.get(target.against)
    if not mine or (target.against and not other):
        return None
    values = [line[target.figure] for line in mine]
    if target.against:
        values = [value / max(line[target.figure], 1e-9) for value, line in zip(values, other)]
    by_cpu = ""
    if target.against and target.figure == "opsPerSecond":
        by_cpu = spread([theirs["serverCpuUsPerOp"] / max(line["serverCpuUsPerOp"], 1e-9)
                         for line, theirs in zip(mine, other)])
    middle = statistics.median(values)
    met = middle <= target.bound if target.at_most else middle >= target.bound
    bound = f"{'≤' if target.at_most else '≥'} {number(target.bound)}{target.unit}"
    return f"{target.text} | {spread(values)}{target.unit} | {by_cpu} | {bound} | {'met' if met else '**missed**'}"


def heading(rounds, seconds, load_before):
    load_after = os.getloadavg()[0]
    times = "1 round" if rounds == 1 else f"{rounds} interleaved rounds"
    return (f"{date.today()}, {machine()}; {times} of {seconds:g} s a run, "
            "medians (and ranges); the server on one core, the generator on the other; "
            f"load of the machine {load_before:.1f} before, {load_after:.1f} after.")


def targets_table(cases, results, extra_rows):
    rows = ["| work | target | measured | by CPU time | wanted | |", "|---|---|---|---|---|---|"]
    for case in cases:
        for target in case.targets:
            row = verdict(target, results.get(case.key, {}))
            rows.append(f"| {case.title} | {row} |" if row
                        else f"| {case.title} | {target.text} | left out | | | |")
    return "\n".join(rows + extra_rows)


def figures_table(cases, results):
    rows = ["| work | server | operations/s | p50 ms | p99 ms | server CPU µs each | RSS MB |",
            "|---|---|---|---|---|---|---|"]
    for case in cases:
        for arm in case.arms:
            lines = results.get(case.key, {}).get(arm.name)
            if not lines:
                rows.append(f"| {case.title} | {arm.name} | left out | | | | |")
                continue
            column = {key: [line[key] for line in lines]
                      for key in ("opsPerSecond", "p50Ms", "p99Ms", "serverCpuUsPerOp", "serverRssMb")}
            rows.append(f"| {case.title} | {arm.name} | {spread(column['opsPerSecond'])} | "
                        f"{spread(column['p50Ms'])} | {spread(column['p99Ms'])} | "
                        f"{spread(column['serverCpuUsPerOp'])} | "
                        f"{number(statistics.median(column['serverRssMb']))} |")
    return "\n".join(rows)
