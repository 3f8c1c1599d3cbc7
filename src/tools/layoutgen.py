#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""layoutgen - fs-layout/*.layout to C tables, prototypes, manual and tests.

Usage: layoutgen.py OUTDIR FILE.layout...

Reads every stanza, checks it, and writes below OUTDIR:
  kmemfs/ops.h       struct args_X, ARG_X_PARAM, prototypes of handlers
  kmemfs/entries.h   enum entry_kind: the keys whose entries ops make and remove
  kmemfs/show.h      prototypes of shows, reads and key kinds
  ops_table.c        struct op_desc op_table[]
  layout_table.c     struct layout_entry layout_table[]
  reference.md       the manual's generated reference
  kmemfs-tree.5      the same as a man page
  layout-cases.tsv   what the layout test walks through
The grammar is fs-layout/README.md.
"""

import os
import re
import sys

KINDS = {
    "key": {"bits", "entries", "doc"},
    "dir": {"mkdir", "rmdir", "nests", "when", "doc"},
    "file": {"mode", "show", "read", "write", "pwrite", "stream", "unit",
             "size", "vast", "changes", "when", "law", "doc"},
    "link": {"target", "show", "changes", "when", "doc"},
    "control": {"takes", "common", "flags", "gives", "fails", "try", "before",
                "stream", "when", "doc"},
}
LISTS = {"takes", "fails", "before", "try"}
C_TYPES = {
    "uint": "uint64_t", "int": "int64_t", "size": "uint64_t",
    "time": "uint64_t", "hex": "uint64_t", "gfp": "uint64_t",
    "order": "uint64_t", "node": "int64_t", "cpu": "uint64_t",
    "bool": "uint64_t", "context": "uint64_t", "task": "const char *",
    "migratetype": "uint64_t", "policy": "uint64_t",
    "page": "const char *", "address": "const char *",
    "name": "const char *", "newname": "const char *",
    "word": "const char *", "text": "const char *",
    "bytes": "struct op_bytes ", "cache": "const char *",
    "slabflags": "uint64_t", "ctor": "const char *",
    "allocator": "const char *", "symbol": "const char *",
}
COMMON = {
    "alloc": [
        "name:newname?  its name under allocations/; made up when left out",
        "cpu:cpu=0  the CPU that asks",
        "node:node=local  the preferred node; local: the CPU's own",
        "task:task=1  the task that asks",
        "context:context=process  where the code runs: whether it may sleep",
    ],
    "caller": [
        "caller:symbol=my_function  the function that calls, as traces and "
        "reports show it",
    ],
    "free": ["cpu:cpu=0  the CPU that frees"],
}
FLAGS = {"clock": "OP_CLOCK", "always": "OP_ALWAYS",
         "transient": "OP_TRANSIENT"}
KEY_BITS = 48
ENTRIES = ["fixed", "told", "listed", "state"]  # by how much may change them


class Bad(Exception):
    pass


class Stanza:
    def __init__(self, where, kind, value):
        self.where, self.kind, self.path = where, kind, value
        self.keys = {}

    def get(self, key, default=None):
        return self.keys.get(key, default)

    def bad(self, text):
        raise Bad(f"{self.where}: {self.path}: {text}")


def read_stanzas(path):
    stanza, last = None, None
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if not line.strip():
                if stanza:
                    yield stanza
                stanza = last = None
                continue
            if line[0] in " \t":
                if last is None:
                    raise Bad(f"{where}: nothing to continue")
                held = stanza.keys[last]
                if isinstance(held, list):
                    held[-1] += " " + line.strip()
                else:
                    stanza.keys[last] = held + " " + line.strip()
                continue
            match = re.match(r"([a-z]+):\s*(.*)$", line)
            if not match:
                raise Bad(f"{where}: no 'key: value'")
            key, value = match.groups()
            value = value.strip()
            if stanza is None:
                if key not in KINDS:
                    raise Bad(f"{where}: unknown kind '{key}'")
                stanza, last = Stanza(where, key, value), None
                continue
            if key not in KINDS[stanza.kind]:
                raise Bad(f"{where}: unknown key '{key}' in a {stanza.kind}")
            if key in LISTS:
                stanza.keys.setdefault(key, []).append(value)
            elif key in stanza.keys:
                raise Bad(f"{where}: '{key}' twice")
            else:
                stanza.keys[key] = value
            last = key
    if stanza:
        yield stanza


class Param:
    def __init__(self, stanza, text):
        match = re.match(r"([a-z_]+):([a-z]+)(\?|=\S*)?(?:\s+(.*))?$", text)
        if not match:
            stanza.bad(f"takes: '{text}' is not name:type=default  doc")
        self.name, self.type, rest, self.doc = match.groups()
        self.doc = self.doc or ""
        if self.type not in C_TYPES:
            stanza.bad(f"takes: unknown type '{self.type}'")
        self.optional = rest == "?"
        self.default = rest[1:] if rest and rest[0] == "=" else None

    def signature(self):
        if self.optional:
            return f"[{self.name}:{self.type}]"
        if self.default is not None:
            return f"[{self.name}:{self.type}={self.default}]"
        return f"{self.name}:{self.type}"


def params_of(stanza):
    params = [Param(stanza, text) for text in stanza.get("takes", [])]
    own = {p.name for p in params}
    for group in stanza.get("common", "").split():
        if group not in COMMON:
            stanza.bad(f"unknown common group '{group}'")
        common = [Param(stanza, text) for text in COMMON[group]]
        params += [p for p in common if p.name not in own]
    if len({p.name for p in params}) != len(params):
        stanza.bad("a parameter's name twice")
    if len(params) > 16:
        stanza.bad("more than 16 parameters")
    return params


def c_string(text):
    if text is None:
        return "NULL"
    out = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + out + '"'


def op_name(stanza):
    return stanza.path[len("/control/"):]


def ident(text):
    return re.sub(r"[^A-Za-z0-9]", "_", text)


class Entry:
    def __init__(self, name, stanza):
        self.name, self.stanza = name, stanza
        self.children = []
        self.parent = None
        self.index = 0

    def key(self):
        match = re.match(r"<([a-z]+)>$", self.name)
        return match.group(1) if match else None


def build_tree(stanzas, keys):
    root = Entry("", Stanza("-", "dir", "/"))
    root.stanza.keys["doc"] = "The modelled machine."
    by_path = {"": root}
    for stanza in sorted(stanzas, key=lambda s: s.path):
        path = stanza.path
        if path == "/":
            root.stanza = stanza
            continue
        if not path.startswith("/") or path.endswith("/"):
            stanza.bad("a path starts with / and does not end with it")
        if path in by_path:
            stanza.bad("declared twice")
        above, name = path.rsplit("/", 1)
        if above not in by_path:
            stanza.bad(f"its directory {above} is not declared")
        parent = by_path[above]
        if parent.stanza.kind != "dir":
            stanza.bad(f"{above} is not a directory")
        entry = Entry(name, stanza)
        if "<" in name and entry.key() not in keys:
            stanza.bad(f"unknown key {name}")
        entry.parent = parent
        parent.children.append(entry)
        by_path[path] = entry
    order = [root]
    for entry in order:
        entry.children.sort(key=lambda e: (e.key() is not None, e.name))
        order += entry.children
    for index, entry in enumerate(order):
        entry.index = index
        if len(key_chain(entry)) > 4:
            entry.stanza.bad("more than 4 keys")
    return order


def nested_child(entry):
    """The child of a directory that stands in itself too, or None."""
    return next((c for c in entry.children if c.stanza.get("nests")), None)


def children_of(entry):
    if entry.stanza.get("nests"):
        if not entry.key() or entry.children:
            entry.stanza.bad("only a key nests, and has no children declared")
        return [c for c in entry.parent.children if c.key()]
    return entry.children


def entries_of(key):
    value = key.get("entries", "fixed")
    if value not in ENTRIES:
        key.bad(f"entries: '{value}' is none of "
                f"{', '.join(sorted(ENTRIES))}")
    return value


def told_keys(keys):
    return [k for k in sorted(keys) if entries_of(keys[k]) == "told"]


def check_told(entries, keys):
    """Whoever tells of an entry gives the keys above: one number of them."""
    above = {}
    for entry in entries:
        key = entry.key()
        if not key or entries_of(keys[key]) != "told":
            continue
        chain = len(key_chain(entry)) - 1
        if above.setdefault(key, chain) != chain:
            entry.stanza.bad(f"<{key}> stands below {chain} keys here and "
                             f"below {above[key]} elsewhere")
    for key in told_keys(keys):
        if key not in above:
            keys[key].bad("entries: told, but no directory has them")


def entries_header(keys):
    body = "enum entry_kind {\n"
    for key in told_keys(keys):
        body += f"\tENTRY_{key.upper()},\n"
    return guard("ENTRIES", body + "\tNR_ENTRY_KINDS\n};\n")


def key_chain(entry):
    chain = []
    while entry:
        if entry.key():
            chain.insert(0, entry.key())
        entry = entry.parent
    return chain


def guard(name, body):
    return ("/* Made by src/tools/layoutgen.py from fs-layout/. */\n"
            f"#ifndef KMEMFS_GEN_{name}_H\n#define KMEMFS_GEN_{name}_H\n\n"
            f"{body}\n#endif\n")


def ops_header(ops):
    body = '#include "kmemfs/machine/op.h"\n\n'
    for op in ops:
        name = ident(op_name(op))
        params = params_of(op)
        fields = "".join(
            f"\t{C_TYPES[p.type]}{'' if C_TYPES[p.type].endswith(('*', ' ')) else ' '}{p.name};\n"
            for p in params) or "\tuint64_t none_;\n"
        body += f"struct args_{name} {{\n{fields}}};\n"
        body += (f"_Static_assert(sizeof(struct args_{name}) <= OP_ARGS_MAX,\n"
                 f"\t       \"arguments fit\");\n")
        if params:
            body += "enum {\n" + "".join(
                f"\tARG_{name.upper()}_{p.name.upper()},\n" for p in params)
            body += "};\n"
        body += f"int op_{name}(struct op *op, struct args_{name} *a);\n\n"
    return guard("OPS", body)


def show_header(entries, keys):
    shows, reads, whens, ups = set(), set(), set(), set()
    for entry in entries:
        get = entry.stanza.get
        if get("show"):
            shows.add(get("show"))
        if get("read"):
            reads.add((get("read"), get("size") == "memory"))
        if get("when"):
            whens.add(get("when"))
        if get("nests"):
            ups.add(get("nests"))
    body = '#include "kmemfs/view/view.h"\n\n'
    for key in sorted(keys):
        body += f"extern const struct key_kind key_{key};\n"
    for name in sorted(shows):
        body += f"void show_{name}(const struct view *v, struct out *out);\n"
    for name, holes in sorted(reads):
        body += (f"ssize_t read_{name}(const struct view *v, void *to,\n"
                 f"\t\tsize_t len, uint64_t at);\n"
                 f"uint64_t size_{name}(const struct view *v);\n")
        if holes:
            body += (f"bool next_{name}(const struct view *v, uint64_t at,\n"
                     f"\t\tuint64_t *data);\n")
    for name in sorted(whens):
        body += f"bool when_{name}(const struct view *v);\n"
    for name in sorted(ups):
        body += f"uint64_t up_{name}(const struct view *v, uint64_t value);\n"
    return guard("SHOW", body)


def ops_table(ops):
    text = ("/* Made by src/tools/layoutgen.py from fs-layout/. */\n"
            '#include "kmemfs/ops.h"\n\n')
    rows = ""
    for op in ops:
        name = ident(op_name(op))
        params = params_of(op)
        text += (f"static int\nrun_{name}(struct op *op, void *args)\n{{\n"
                 f"\treturn op_{name}(op, args);\n}}\n\n")
        table = "NULL"
        if params:
            table = f"params_{name}"
            text += f"static const struct param {table}[] = {{\n"
            for p in params:
                text += (f"\t{{{c_string(p.name)}, PARAM_{p.type.upper()}, "
                         f"offsetof(struct args_{name}, {p.name}), "
                         f"{c_string(p.default)}, "
                         f"{'true' if p.optional else 'false'}, "
                         f"{c_string(p.doc)}}},\n")
            text += "};\n\n"
        flags = "|".join(FLAGS[f] for f in op.get("flags", "").split()) or "0"
        fails = "\n".join(op.get("fails", [])) or None
        task = next((i for i, p in enumerate(params) if p.type == "task"), -1)
        rows += (f"\t{{{c_string(op_name(op))}, {table}, {len(params)}, "
                 f"sizeof(struct args_{name}), {flags}, {task}, run_{name}, "
                 f"{c_string(op.get('doc'))}, {c_string(op.get('gives'))}, "
                 f"{c_string(fails)}, "
                 f"{c_string((op.get('try') or [None])[0])}, "
                 f"{c_string(chr(10).join(op.get('before', [])) or None)}}},\n")
    return (text + f"const struct op_desc op_table[] = {{\n{rows}}};\n"
            f"const unsigned int op_table_size = {len(ops)};\n")


def mode_of(stanza):
    if stanza.kind == "dir":
        return "0755"
    if stanza.kind == "link":
        return "0777"
    if stanza.kind == "control":
        return "0644"
    writes = stanza.get("write") or stanza.get("pwrite")
    return stanza.get("mode") or ("0644" if writes else "0444")


def layout_table(entries, ops, keys):
    op_index = {op_name(op): i for i, op in enumerate(ops)}
    text = ("/* Made by src/tools/layoutgen.py from fs-layout/. */\n"
            '#include "kmemfs/tree/layout.h"\n#include "kmemfs/show.h"\n\n'
            "const struct layout_entry layout_table[] = {\n")
    for e in entries:
        s, get = e.stanza, e.stanza.get
        fields = {
            "kind": f"LAYOUT_{s.kind.upper()}",
            "mode": mode_of(s),
            "parent": e.parent.index if e.parent else 0,
            "nr_keys": len(key_chain(e)),
            "doc": c_string(get("doc")),
        }
        if e.key():
            fields["key"] = f"&key_{e.key()}"
        else:
            fields["name"] = c_string(e.name)
        if sum(int(keys[k].get("bits")) for k in key_chain(e)) > KEY_BITS:
            fields["numbered"] = "true"
        children = children_of(e)
        if children:
            fields["first_child"] = children[0].index
            fields["nr_children"] = len(children)
            fields["nr_fixed"] = sum(1 for c in children if not c.key())
        if nested_child(e):
            fields["nested"] = nested_child(e).index
        if get("nests"):
            fields["up"] = f"up_{get('nests')}"
        filled = [c.key() for c in children if c.key()]
        if filled:
            fields["fills"] = "FILLS_" + max(
                (entries_of(keys[k]) for k in filled),
                key=ENTRIES.index).upper()
            told = [k for k in filled if entries_of(keys[k]) == "told"]
            if told:
                fields["told"] = "|".join(f"1ULL << ENTRY_{k.upper()}"
                                          for k in told)
        if get("vast"):
            fields["vast"] = "true"
        if e.key():
            fields["named"] = f"FILLS_{entries_of(keys[e.key()]).upper()}"
        for key in ("write", "pwrite", "mkdir", "rmdir", "stream", "target",
                    "unit"):
            if get(key):
                fields[key] = c_string(get(key))
        if get("show"):
            fields["show"] = f"show_{get('show')}"
        if get("read"):
            fields["read"] = f"read_{get('read')}"
            fields["size_fn"] = f"size_{get('read')}"
            if get("size") == "memory":
                fields["next_data"] = f"next_{get('read')}"
        if get("when"):
            fields["when"] = f"when_{get('when')}"
        if s.kind == "file":
            fields["size"] = f"SIZE_{get('size', 'exact').upper()}"
            fields["changes"] = f"CHANGES_{get('changes', 'state').upper()}"
        if s.kind == "link":
            fields["changes"] = f"CHANGES_{get('changes', 'never').upper()}"
        if s.kind == "control" and not get("stream"):
            fields["op"] = f"&op_table[{op_index[op_name(s)]}]"
        row = ", ".join(f".{k} = {v}" for k, v in fields.items())
        text += f"\t{{{row}}}, /* {e.index} {s.path} */\n"
    return (text + "};\n"
            f"const unsigned int layout_table_size = {len(entries)};\n")


def usage(stanza):
    words = [p.signature() for p in params_of(stanza)]
    return " ".join([op_name(stanza)] + words)


def describe(stanza):
    """The facts of one stanza as (label, text) pairs, for the manuals."""
    get = stanza.get
    if stanza.kind == "control":
        yield "usage", usage(stanza)
        for p in params_of(stanza):
            if p.doc:
                yield p.name, p.doc
        for label in ("gives",):
            if get(label):
                yield label, get(label)
        for fail in get("fails", []):
            yield "fails", fail
        for line in get("try", [])[:1]:
            yield "example", f"{op_name(stanza)} {line}".strip()
        return
    if stanza.kind == "file":
        yield "mode", mode_of(stanza)
    for label in ("unit", "law", "target"):
        if get(label):
            yield label, get(label)
    for label, op in (("a write is", "write"), ("a write is", "pwrite"),
                      ("mkdir is", "mkdir"), ("rmdir is", "rmdir")):
        if get(op):
            yield label, get(op)


def reference(entries):
    text = ("# Every name of the mount\n\nMade from `fs-layout/`; "
            "`kmem doc PATH` prints the same.\n")
    for e in entries_by_path(entries):
        s = e.stanza
        text += f"\n## `{s.path}`\n\n{s.get('doc', '')}\n"
        rows = list(describe(s))
        if rows:
            text += "\n" + "".join(f"- {k}: `{v}`\n" for k, v in rows)
    return text


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def man_page(entries):
    text = ('.TH KMEMFS\\-TREE 5 "" kmemfs "the files of a mount"\n'
            ".SH NAME\nkmemfs\\-tree \\- every file of a kmemfs mount\n"
            ".SH DESCRIPTION\nPaths are relative to the mount point; a part "
            "in <> stands for any value of that kind.\n.SH FILES\n")
    for e in entries_by_path(entries):
        s = e.stanza
        text += f".TP\n.B {roff(s.path)}\n{roff(s.get('doc', ''))}\n"
        for k, v in describe(s):
            text += f".br\n{roff(k)}: {roff(v)}\n"
    return text


def entries_by_path(entries):
    return sorted(entries, key=lambda e: e.stanza.path)


def cases(entries):
    """One line a case: kind, path, mode, rest (tab separated)."""
    for e in entries_by_path(entries):
        s = e.stanza
        yield "\t".join(["entry", s.kind, s.path, mode_of(s),
                         s.get("size", "exact") if s.kind == "file" else "-",
                         s.get("stream", "-"), s.get("when", "-"),
                         str(e.index)])
        if s.kind != "control" or s.get("stream"):
            continue
        before = "; ".join(s.get("before", []))
        for line in s.get("try", []):
            yield "\t".join(["try", op_name(s), line, before])
        for fail in s.get("fails", []):
            what, _, reason = fail.partition("--")
            errno_name, _, words = what.strip().partition(" ")
            if words.strip():
                yield "\t".join(["fails", op_name(s), words.strip(), before,
                                 errno_name, reason.strip()])


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as old:
            if old.read() == text:
                return
    except OSError:
        pass
    with open(path, "w", encoding="utf-8") as new:
        new.write(text)


def main():
    out, files = sys.argv[1], sys.argv[2:]
    stanzas = [s for f in sorted(files) for s in read_stanzas(f)]
    keys = {s.path: s for s in stanzas if s.kind == "key"}
    entries = build_tree([s for s in stanzas if s.kind != "key"], keys)
    for e in entries:
        if not e.stanza.get("doc"):
            e.stanza.bad("no doc")
    check_told(entries, keys)
    ops = sorted((e.stanza for e in entries
                  if e.stanza.kind == "control" and not e.stanza.get("stream")),
                 key=op_name)
    os.makedirs(os.path.join(out, "kmemfs"), exist_ok=True)
    for name, text in {
            "kmemfs/ops.h": ops_header(ops),
            "kmemfs/entries.h": entries_header(keys),
            "kmemfs/show.h": show_header(entries, keys),
            "ops_table.c": ops_table(ops),
            "layout_table.c": layout_table(entries, ops, keys),
            "reference.md": reference(entries),
            "kmemfs-tree.5": man_page(entries),
            "layout-cases.tsv": "\n".join(cases(entries)) + "\n",
    }.items():
        write_if_changed(os.path.join(out, name), text)


try:
    main()
except Bad as bad:
    sys.exit(f"layoutgen: {bad}")
