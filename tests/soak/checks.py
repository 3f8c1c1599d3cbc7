# SPDX-License-Identifier: MIT
"""checks - what must hold in the text of a file, and between files

Each function of ALONE takes one file's text and raises Torn when the text
contradicts itself: a file is one moment's state whatever goes on meanwhile.
across() compares files of one moment.
"""

import re

ORDERS = 11


class Torn(Exception):
    """A text that no single state of the machine can have."""


def need(holds, *what):
    if not holds:
        raise Torn(" ".join(str(w) for w in what))


def whole_lines(text):
    need(text.endswith("\n"), "the last line is cut:", repr(text[-60:]))
    return text.splitlines()


def buddyinfo(text):
    """{(node, zone): [free blocks by order]}"""
    zones = {}
    for line in whole_lines(text):
        m = re.fullmatch(r"Node (\d+), zone +(\S+) +([\d ]+)", line)
        need(m, "buddyinfo:", repr(line))
        counts = [int(n) for n in m[3].split()]
        need(len(counts) == ORDERS, "buddyinfo: columns in", repr(line))
        need((m[1], m[2]) not in zones, "buddyinfo: twice", line)
        zones[m[1], m[2]] = counts
    need(zones, "buddyinfo: empty")
    return zones


def pagetypeinfo(text):
    """{(node, zone): [free blocks by order, of all types]}"""
    zones = {}
    for line in whole_lines(text):
        m = re.fullmatch(r"Node +(\d+), zone +(\S+), type +(\S+) +([\d >]+)",
                         line)
        if not m:
            continue
        counts = [int(n) for n in m[4].replace(">", " ").split()]
        need(len(counts) == ORDERS, "pagetypeinfo: columns in", repr(line))
        have = zones.setdefault((m[1], m[2]), [0] * ORDERS)
        zones[m[1], m[2]] = [a + b for a, b in zip(have, counts)]
    need(zones, "pagetypeinfo: no zone")
    need("Number of blocks type" in text, "pagetypeinfo: the end is missing")
    return zones


def zoneinfo(text):
    """{(node, zone): {key: number}} of the zones that have pages"""
    zones, zone = {}, None
    for line in whole_lines(text):
        m = re.fullmatch(r"Node (\d+), zone +(\S+)", line)
        if m:
            need((m[1], m[2]) not in zones, "zoneinfo: twice", line)
            zone = zones[m[1], m[2]] = {"pcp": 0}
            continue
        need(zone is not None, "zoneinfo: begins with", repr(line))
        m = re.fullmatch(r" +(?:pages )?(\w+):? +(\d+)", line)
        if m and m[1] == "count":
            zone["pcp"] += int(m[2])
        elif m:
            # Below, the per-cpu lists have keys of the same names.
            zone.setdefault(m[1], int(m[2]))
    zones = {k: z for k, z in zones.items() if z["present"]}
    for where, z in zones.items():
        need(z["free"] == z["nr_free_pages"], "zoneinfo:", where, "free",
             z["free"], "but nr_free_pages", z["nr_free_pages"])
        need(z["free"] + z["pcp"] <= z["managed"] <= z["present"] <=
             z["spanned"], "zoneinfo: sizes of", where, z)
        need(z["min"] <= z["low"] <= z["high"], "zoneinfo: marks of", where, z)
        need("start_pfn" in z, "zoneinfo: the end of", where, "is missing")
    return zones


def counters(text):
    """{name: number} of lines with a name and a number"""
    values = {}
    for line in whole_lines(text):
        m = re.fullmatch(r"(\w+) (\d+)", line)
        need(m, "counters:", repr(line))
        need(m[1] not in values, "counters: twice", line)
        values[m[1]] = int(m[2])
    return values


def vmstat(text):
    v = counters(text)
    if "numa_hit" in v:
        need(v["numa_hit"] + v["numa_miss"] == v["numa_local"] +
             v["numa_other"], "vmstat: hit + miss is not local + other", v)
        need(v["numa_miss"] == v["numa_foreign"], "vmstat: miss", v)
    return v


def numastat(text):
    v = counters(text)
    need(v["numa_hit"] == v["local_node"] + v["other_node"] - v["numa_miss"],
         "numastat: hit is not local + other - miss", v)
    return v


def meminfo(text):
    v = {}
    for line in whole_lines(text):
        m = re.fullmatch(r"(?:Node \d+ )?([\w()]+): +(\d+)(?: kB)?", line)
        need(m, "meminfo:", repr(line))
        v[m[1]] = int(m[2])
    need(v["MemFree"] <= v["MemTotal"], "meminfo: more free than there is", v)
    if "MemUsed" in v:
        need(v["MemUsed"] == v["MemTotal"] - v["MemFree"], "meminfo: used", v)
    return v


def one_number(text):
    need(re.fullmatch(r"\d+\n", text), "not one number:", repr(text))
    return int(text)


def verify(text):
    """Rows "law findings sentence"; findings below have none of that form."""
    laws = 0
    for line in whole_lines(text)[1:]:
        m = re.match(r"(\S+\.\S+) +(\d+) ", line)
        if m:
            laws += 1
            need(m[2] == "0", "verify:", text)
    need(laws > 10, "verify: few laws:", repr(text))
    return laws


ALONE = {
    "proc/buddyinfo": buddyinfo,
    "proc/pagetypeinfo": pagetypeinfo,
    "proc/zoneinfo": zoneinfo,
    "proc/vmstat": vmstat,
    "proc/meminfo": meminfo,
    "sys/devices/system/node/node0/numastat": numastat,
    "sys/devices/system/node/node1/numastat": numastat,
    "sys/devices/system/node/node0/meminfo": meminfo,
    "nodes/1/meminfo": meminfo,
    "history/position": one_number,
}


def across(got):
    """@got: {path: what its function of ALONE returned}, all of one state."""
    zones = got["proc/zoneinfo"]
    buddy = got["proc/buddyinfo"]
    need(set(zones) == set(buddy), "zones of zoneinfo and buddyinfo:",
         set(zones) ^ set(buddy))
    for where, counts in buddy.items():
        pages = sum(n << k for k, n in enumerate(counts))
        need(pages == zones[where]["free"], where, "has", pages,
             "pages in buddyinfo,", zones[where]["free"], "in zoneinfo")
        need(counts == got["proc/pagetypeinfo"][where], where, "has", counts,
             "in buddyinfo,", got["proc/pagetypeinfo"][where],
             "in pagetypeinfo")
    free = sum(z["free"] for z in zones.values())
    need(free == got["proc/vmstat"]["nr_free_pages"], "nr_free_pages",
         got["proc/vmstat"]["nr_free_pages"], "but zones have", free)
    need(free * 4 == got["proc/meminfo"]["MemFree"], "MemFree",
         got["proc/meminfo"]["MemFree"], "but zones have pages", free)
    for node, path in (("0", "sys/devices/system/node/node0/meminfo"),
                       ("1", "nodes/1/meminfo")):
        free = sum(z["free"] for w, z in zones.items() if w[0] == node)
        need(free * 4 == got[path]["MemFree"], path, got[path]["MemFree"],
             "but zones have pages", free)
    for key in ("numa_hit", "numa_miss", "numa_foreign"):
        total = sum(got["sys/devices/system/node/node%d/numastat" % n][key]
                    for n in (0, 1))
        need(total == got["proc/vmstat"][key], key, got["proc/vmstat"][key],
             "but nodes have", total)
