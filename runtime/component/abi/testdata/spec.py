# Answers cases of TestSpecification with the specification's own definitions: python3 spec.py DIRECTORY-OF-DEFINITIONS < cases > answers,
# a line of JSON for each.

import json
import struct
import sys

sys.path.insert(0, sys.argv[1])
import definitions as d

d.DETERMINISTIC_PROFILE = True  # one NaN

PRIMITIVES = {
    "bool": d.BoolType, "s8": d.S8Type, "u8": d.U8Type, "s16": d.S16Type, "u16": d.U16Type, "s32": d.S32Type, "u32": d.U32Type,
    "s64": d.S64Type, "u64": d.U64Type, "f32": d.F32Type, "f64": d.F64Type, "char": d.CharType, "string": d.StringType,
}


def labels(n):
    return ["l%d" % i for i in range(n)]


def make_type(t, resources):
    def of(u):
        return None if u is None else make_type(u, resources)

    k = t["k"]
    if k in PRIMITIVES:
        return PRIMITIVES[k]()
    match k:
        case "list":
            return d.ListType(of(t["of"][0]), t.get("n") or None)
        case "record":
            return d.RecordType([d.FieldType(l, of(u)) for l, u in zip(labels(len(t["of"])), t["of"])])
        case "tuple":
            return d.TupleType([of(u) for u in t["of"]])
        case "variant":
            return d.VariantType([d.CaseType(l, of(u)) for l, u in zip(labels(len(t["of"])), t["of"])])
        case "option":
            return d.OptionType(of(t["of"][0]))
        case "result":
            return d.ResultType(of(t["of"][0]), of(t["of"][1]))
        case "enum":
            return d.EnumType(labels(t["n"]))
        case "flags":
            return d.FlagsType(labels(t["n"]))
        case "own":
            return d.OwnType(resources[t["n"]])
        case "borrow":
            return d.BorrowType(resources[t["n"]])


def bits_of(v, kind):
    if kind == "f32":
        return struct.unpack("<I", struct.pack("<f", v))[0]
    return struct.unpack("<Q", struct.pack("<d", v))[0]


def of_bits(v, kind):
    if kind == "f32":
        return struct.unpack("<f", struct.pack("<I", v))[0]
    return struct.unpack("<d", struct.pack("<Q", v))[0]


# Values are JSON: numbers, floats by their bits, a string as its text, encoding and code units, a variant as [case, payload].


def decode(v, t):
    match d.despecialize(t):
        case d.BoolType():
            return bool(v)
        case d.F32Type():
            return of_bits(v, "f32")
        case d.F64Type():
            return of_bits(v, "f64")
        case d.CharType():
            return chr(v)
        case d.StringType():
            return tuple(v)
        case d.ListType(u, _):
            return [decode(e, u) for e in v]
        case d.RecordType(fields):
            return {f.label: decode(e, f.t) for f, e in zip(fields, v)}
        case d.VariantType(cases):
            c = cases[v[0]]
            return {c.label: None if c.t is None else decode(v[1], c.t)}
        case d.FlagsType(ls):
            return d.unpack_flags_from_int(v, ls)
        case _:
            return v


def encode(v, t):
    match d.despecialize(t):
        case d.BoolType():
            return int(v)
        case d.F32Type():
            return bits_of(v, "f32")
        case d.F64Type():
            return bits_of(v, "f64")
        case d.CharType():
            return ord(v)
        case d.StringType():
            return list(v)
        case d.ListType(u, _):
            return [encode(e, u) for e in v]
        case d.RecordType(fields):
            return [encode(v[f.label], f.t) for f in fields]
        case d.VariantType(cases):
            i, e = d.match_case(v, cases)
            return [i, None if cases[i].t is None else encode(e, cases[i].t)]
        case d.FlagsType(ls):
            return d.pack_flags_into_int(v, ls)
        case _:
            return v


class Guest:
    """A core instance: memory, a realloc that only ever moves on, and a component instance around it."""

    def __init__(self, side, resources):
        self.memory = d.MemInst(bytearray.fromhex(side["memory"]), "i32")
        self.end = side["end"]
        self.calls = []
        self.inst = d.ComponentInstance(d.Store())
        resources[0].impl = self.inst
        for rt, rep, own in side.get("handles") or []:
            self.inst.handles.add(d.ResourceHandle(resources[rt], rep, own))
        self.opts = d.CanonicalOptions(string_encoding=side["encoding"], memory=self.memory)

    def realloc(self, old, old_size, align, size):
        self.calls.append([old, old_size, align, size])
        ptr = d.align_to(self.end, align)
        if ptr + size > len(self.memory):
            raise d.Trap()
        self.memory[ptr : ptr + min(old_size, size)] = self.memory[old : old + min(old_size, size)]
        self.end = ptr + size
        return ptr

    def context(self, scope):
        cx = d.LiftLowerContext(self.opts, self.inst, scope)
        cx.reallocate = self.realloc
        return cx

    def table(self, resources):
        out = []
        for i, h in enumerate(self.inst.handles.array):
            if h is not None:
                out.append([i, resources.index(h.rt), h.rep, int(h.own), h.num_lends])
        return out


def flat_to_values(flat, types):
    return [of_bits(v & 0xFFFFFFFF, "f32") if t == "f32" else of_bits(v, "f64") if t == "f64" else v & 0xFFFFFFFF if t == "i32" else v
            for v, t in zip(flat, types)]


def answer(case):
    resources = [d.ResourceType(None), d.ResourceType(object())]
    ts = [make_type(t, resources) for t in case["types"]]
    out = {}
    ft = d.FuncType(ts, ts[:1] if case["result"] else [])
    plain = d.CanonicalOptions(memory=d.MemInst(bytearray(), "i32"))
    for context in ("lift", "lower"):
        flattened = d.flatten_functype(plain, ft, context)
        out[context] = [flattened.params, flattened.results]
    out["layout"] = [[d.elem_size(t, "i32"), d.alignment(t, "i32")] for t in ts]

    if case["source"] is not None:
        source = Guest(case["source"], resources)
        types = d.flatten_types(ts, plain)
        if len(types) > d.MAX_FLAT_PARAMS:
            types = ["i32"]
        subtask = d.Subtask()
        flat = d.CoreValueIter(flat_to_values(case["source"]["flat"], types))
        try:
            values = d.lift_flat_values(source.context(subtask), d.MAX_FLAT_PARAMS, flat, ts)
        except d.Trap:
            out["trap"] = "lift"
            return out
        out["values"] = [encode(v, t) for v, t in zip(values, ts)]
        out["source"] = source.table(resources)
    else:
        values = [decode(v, t) for v, t in zip(case["values"], ts)]

    target = Guest(case["target"], resources)
    task = d.Task(ft, target.opts, target.inst, None, None)
    try:
        flat = d.lower_flat_values(target.context(task), d.MAX_FLAT_PARAMS, values, ts)
    except d.Trap:
        out["trap"] = "lower"
        out["calls"] = target.calls
        return out
    types = d.flatten_types(ts, plain)
    if len(types) > d.MAX_FLAT_PARAMS:
        types = ["i32"]
    out["flat"] = [bits_of(v, t) if t in ("f32", "f64") else v for v, t in zip(flat, types)]
    out["memory"] = target.memory.bytes.hex()
    out["calls"] = target.calls
    out["target"] = target.table(resources)
    out["borrows"] = task.num_borrows
    if case["result"]:
        out["result"] = answer_result(case, values[0], ts[0], resources)
    return out


def answer_result(case, value, t, resources):
    """The value as a result: lowered for the caller that gave an address for it, and lifted again as if a callee had returned it."""
    side = case["target"]
    caller = Guest(side, resources)
    out = {}
    address = d.CoreValueIter([case["address"]])
    try:
        flat = d.lower_flat_values(caller.context(d.Subtask()), d.MAX_FLAT_RESULTS, [value], [t], address)
    except d.Trap:
        return {"trap": "lower"}
    types = d.flatten_types([t], caller.opts)
    out["memory"] = caller.memory.bytes.hex()
    if len(types) > d.MAX_FLAT_RESULTS:
        out["flat"] = flat = [case["address"]]
    else:
        out["flat"] = [bits_of(v, u) if u in ("f32", "f64") else v for v, u in zip(flat, types)]
    cx = caller.context(d.Task(None, caller.opts, caller.inst, None, None))
    try:
        [v] = d.lift_flat_values(cx, d.MAX_FLAT_RESULTS, d.CoreValueIter(flat), [t])
    except d.Trap:
        out["trap"] = "lift"
        return out
    out["value"] = encode(v, t)
    out["table"] = caller.table(resources)
    return out


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
