#!/usr/bin/env python3
"""Writes this corpus: sources/*.masm, cases.jsonl, stateful.jsonl, gas.jsonl; with --assemble TOOL also bytecode/v*/*.mv.

    python3 generate.py --assemble ../../target/release/monomove

Expectations come from the interpreter in model.py, never from the machine under test.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess

from model import *

HERE = pathlib.Path(__file__).parent
# The directories of bytecode: u16, u32, u256 came with 6, enums 7, closures 8, signed integers 9, abort messages 10.
VERSIONS = [5, 7, 9, 10]
MODULES = {}
CASES, SEQUENCES, GAS = [], [], []
COMPARISONS = ["lt", "gt", "le", "ge", "eq", "neq"]
CDS = "copy + drop + store"


def version_of(t):
    if isinstance(t, str):
        return 9 if t in SIGNED else 7 if t in ("u16", "u32", "u256") else 5
    if t[0] in ("vec", "ref", "mut"):
        return version_of(t[1])
    if t[0] == "struct":
        return MODULES[t[1]].version
    return 9


def module(name, version):
    MODULES[name] = Module(name, version)
    return MODULES[name]


# --- cases ---

def argument(v):
    if v.ty in BITS:
        return f"{v.ty}:{v.x}"
    if v.ty == "bool":
        return f"bool:{'true' if v.x else 'false'}"
    if v.ty == "address":
        return f"address:{v.x:#x}"
    return f"bcs:0x{bcs(v).hex()}"


def shown(v):
    v = v.x.v if is_ref(v.ty) else v
    return {"type": text(v.ty), "bcs": bcs(v).hex()}


def execute(machine, name, function, targs, args, signers):
    """The step as it stands in a file, and its gas."""
    f = MODULES[name].funs[function]
    params = [subst(t, targs) for _, t in f.params]
    given = [V("signer", s) for s in signers] + [copy(a) for a in args]
    homes = [Cell(v) for v in given]
    assert len(params) == len(given), (name, function)
    placed = []
    for t, home in zip(params, homes):
        assert home.v.ty == (t[1] if is_ref(t) else t), (name, function, t, home.v.ty)
        placed.append(V(t, home) if is_ref(t) else home.v)
    before = {key: bcs(cell.v) for key, cell in machine.globals.items()}
    saved = {key: Cell(copy(cell.v)) for key, cell in machine.globals.items()}
    expect = {}
    try:
        results = machine.call(name, function, targs, placed)
        expect["returns"] = [shown(v) for v in results]
        changed = [{"index": i} | shown(V(t, home)) for i, (t, home) in enumerate(zip(params, homes)) if t[0] == "mut"]
        if changed:
            expect["mut_args"] = changed
    except Failure as failure:
        machine.globals = saved
        where = f"0xcafe::{name}"
        if failure.status == "ABORTED":
            expect["abort"] = {"code": failure.sub, "module": where}
            if failure.message is not None:
                expect["abort"]["message"] = failure.message
        else:
            expect["error"] = {"status": failure.status, "code": STATUS[failure.status]}
            if failure.sub is not None:
                expect["error"]["sub_status"] = failure.sub
            expect["error"]["module"] = where
    changes = []
    after = {key: bcs(cell.v) for key, cell in machine.globals.items()}
    for key in sorted(before.keys() | after.keys(), key=str):
        if before.get(key) != after.get(key):
            op = "new" if key not in before else "delete" if key not in after else "modify"
            change = {"op": op, "address": f"{key[0]:#x}", "type": text(key[1])}
            if key in after:
                change["bcs"] = after[key].hex()
            changes.append(change)
    call = {
        "function": f"0xcafe::{name}::{function}",
        "type_args": [text(t) for t in targs],
        "args": [argument(a) for a in args],
        "signers": [f"{s:#x}" for s in signers],
    }
    gas = {"instructions": machine.count, "gas": machine.gas, "type_nodes": 0, "opcodes": machine.opcodes}
    return call, expect, changes, gas


def record(id, version, gas):
    GAS.append({"id": id, "bytecode": [v for v in VERSIONS if v >= version], "deps": "own", "steps": gas})


def case(area, name, function, args, targs=(), version=None):
    version = max([version or 5, MODULES[name].version] + [version_of(t) for t in targs])
    call, expect, _, gas = execute(Machine(MODULES), name, function, tuple(targs), args, [])
    id = f"op-{area}-{sum(c['area'] == area for c in CASES) + 1:04}"
    CASES.append({"id": id, "area": area, "min_version": version} | call | {"expect": expect})
    record(id, version, [gas])


def sequence(area, id, name, steps, targs=()):
    version = max([MODULES[name].version] + [version_of(t) for t in targs])
    machine, out, gases = Machine(MODULES), [], []
    for function, args, signers in steps:
        call, expect, changes, gas = execute(machine, name, function, tuple(targs), args, signers)
        if "returns" in expect:
            expect |= {"changes": changes, "events": []}
        out.append(call | {"expect": expect})
        gases.append(gas)
    SEQUENCES.append({"id": f"op-{id}", "area": area, "min_version": version, "steps": out})
    record(f"op-{id}", version, gases)


# --- integers ---

def edges(t):
    low, high = limits(t)
    if t in SIGNED:
        return [low, low + 1, -7, -1, 0, 1, 3, high]
    return [0, 1, 2, 7, high - 1, high, high // 2 + 1]


def integers(t):
    m = module(f"int_{t}", version_of(t))
    area, (low, high), signed = f"int_{t}", limits(t), t in SIGNED
    rng = random.Random(t)
    n = lambda x: V(t, x)
    ops = ["add", "sub", "mul", "div", "mod"] + ([] if signed else ["bit_or", "bit_and", "xor"]) + COMPARISONS
    random_value = lambda: rng.randint(low, high) >> rng.choice([0, 0, BITS[t] // 2])
    for op in ops:
        result = "bool" if op in COMPARISONS else t
        m.fun(op, [("a", t), ("b", t)], [result], [("move_loc", "a"), ("move_loc", "b"), op, "ret"])
        pairs = {"add": [(high, 1), (low, -1 if signed else 0)], "sub": [(low, 1), (high, 1)], "mul": [(high, 2), (low, 0)],
                 "div": [(high, 0), (low, high)], "mod": [(high, 0), (low, high)]}.get(op, [(low, high), (high, high)])
        pairs.append((9, 4))
        if signed:
            pairs += [(low, -1), (-7, 2), (7, -2), (-1, 1)]
        pairs += [(random_value(), random_value()) for _ in range(2)]
        for a, b in pairs:
            case(area, f"int_{t}", op, [n(a), n(b)])
    # Small, large and largest constants: an operand may become a part of its instruction.
    for op in ops:
        result = "bool" if op in COMPARISONS else t
        for i, k in enumerate([3, high, -2 if signed else high // 2 + 1]):
            m.fun(f"{op}_k{i}", [("a", t)], [result], [("move_loc", "a"), (f"ld_{t}", k), op, "ret"])
            m.fun(f"k{i}_{op}", [("a", t)], [result], [(f"ld_{t}", k), ("move_loc", "a"), op, "ret"])
            for function in (f"{op}_k{i}", f"k{i}_{op}"):
                case(area, f"int_{t}", function, [n(rng.choice(edges(t)))])
    for op in ("div", "mod"):
        m.fun(f"{op}_zero", [("a", t)], [t], [("move_loc", "a"), (f"ld_{t}", 0), op, "ret"])
        case(area, f"int_{t}", f"{op}_zero", [n(high)])
        if signed:
            m.fun(f"{op}_minus_one", [("a", t)], [t], [("move_loc", "a"), (f"ld_{t}", -1), op, "ret"])
            case(area, f"int_{t}", f"{op}_minus_one", [n(low)])
            case(area, f"int_{t}", f"{op}_minus_one", [n(low + 1)])
    if not signed:
        bits = BITS[t]
        for op in ("shl", "shr"):
            m.fun(op, [("a", t), ("n", "u8")], [t], [("move_loc", "a"), ("move_loc", "n"), op, "ret"])
            for a, k in [(high, 0), (high, 1), (high, bits - 1), (high - 2, bits // 2), (high, min(bits, 255)), (0, 255), (1, bits - 1)]:
                case(area, f"int_{t}", op, [n(a), V("u8", k)])
            for k in sorted({1, bits - 1, min(bits, 255)}):
                m.fun(f"{op}_{k}", [("a", t)], [t], [("move_loc", "a"), ("ld_u8", k), op, "ret"])
                case(area, f"int_{t}", f"{op}_{k}", [n(high)])
    else:
        m.fun("negate", [("a", t)], [t], [("move_loc", "a"), "negate", "ret"])
        for a in edges(t):
            case(area, f"int_{t}", "negate", [n(a)])
    # A comparison and the branch on it.
    for op in COMPARISONS:
        for jump in ("br_true", "br_false"):
            for kind, second in (("", ("copy_loc", "b")), ("_k", (f"ld_{t}", 9))):
                name = f"{op}_{jump}{kind}"
                m.fun(name, [("a", t), ("b", t)], ["u64"],
                      [("copy_loc", "a"), second, op, (jump, "yes"), ("ld_u64", 0), "ret", ("label", "yes"), ("ld_u64", 1), "ret"])
                pairs = [(low, 9), (9, 9), (high, 9)] if kind else [(low, high), (high, high), (high, low)]
                for a, b in rng.sample(pairs, 2):
                    case(area, f"int_{t}", name, [n(a), n(b)])
    for i, k in enumerate(edges(t)):
        m.fun(f"ld{i}", [], [t], [(f"ld_{t}", k), "ret"])
        m.fun(f"ld_const{i}", [], [t], [("ld_const", t, k), "ret"])
        case(area, f"int_{t}", f"ld{i}", [])
        case(area, f"int_{t}", f"ld_const{i}", [])
    m.fun("ld_vector", [], [vec(t)], [("ld_const", vec(t), edges(t)), "ret"])
    m.fun("ld_nested", [], [vec(vec(t))], [("ld_const", vec(vec(t)), [edges(t), [], [high]]), "ret"])
    case(area, f"int_{t}", "ld_vector", [])
    case(area, f"int_{t}", "ld_nested", [])


def casts():
    for version, types in ((5, ["u8", "u64", "u128"]), (7, list(UNSIGNED)), (9, list(BITS))):
        name = f"casts_v{version}"
        m = module(name, version)
        for a in types:
            for b in types:
                if max(version_of(a), version_of(b)) != version:
                    continue
                function = f"{a}_{b}"
                m.fun(function, [("x", a)], [b], [("move_loc", "x"), f"cast_{b}", "ret"])
                # Both ends of what the target holds, and one further.
                low, high = limits(a)
                points = {low, high, 0} | {p for q in limits(b) for p in (q - 1, q, q + 1)} | ({-1} if a in SIGNED else set())
                for x in sorted(p for p in points if low <= p <= high):
                    case("casts", name, function, [V(a, x)])
                if (a, b) in (("u64", "u8"), ("i64", "u256"), ("u8", "i8"), ("u256", "i256")):
                    m.fun(f"{function}_k", [], [b], [(f"ld_{a}", low if low < 0 else 200), f"cast_{b}", "ret"])
                    case("casts", name, f"{function}_k", [])


# --- what works on values of any type ---

def shapes():
    m = module("shapes", 5)
    m.struct("Odd3", CDS, [("a", "u8"), ("b", "bool"), ("c", "u8")])
    m.struct("Odd24", CDS, [("a", "u64"), ("b", "u64"), ("c", "u64")])
    m.struct("Odd33", CDS, [("a", "address"), ("b", "u8")])
    m.struct("Big", CDS, [("a", "address"), ("b", "u128"), ("c", m.ty("Odd3")), ("d", m.ty("Odd33")), ("e", "u64")])
    m.struct("Heap", CDS, [("a", "u8"), ("b", vec("u8")), ("c", vec(m.ty("Odd3")))])
    m.fun("nothing", [], [], ["ret"])
    m = module("shapes7", 7)
    m.struct("Odd12", CDS, [("a", "u32"), ("b", "u32"), ("c", "u32")])
    m.struct("Odd6", CDS, [("a", "u16"), ("b", "u16"), ("c", "u8")])
    m.enum("Color", CDS, [("Red", []), ("Gray", [("level", "u16")]), ("Mixed", [("parts", vec("u32")), ("alpha", "u8")])])
    m.fun("nothing", [], [], ["ret"])


def sample(t, rng):
    """Some value of a type."""
    if t in BITS:
        low, high = limits(t)
        return V(t, rng.randint(low, high))
    if t == "bool":
        return V(t, rng.randint(0, 1))
    if t == "address":
        return V(t, rng.getrandbits(256))
    if t[0] == "vec":
        return make(t, [sample(t[1], rng) for _ in range(rng.randint(1, 3))])
    m = MODULES[t[1]]
    if t[2] in m.enums:
        at = rng.randrange(len(m.enums[t[2]][1]))
        return make(t, (at, [sample(f, rng) for f in Machine(MODULES).fields(m, t[2], t[3], at)]))
    return make(t, [sample(f, rng) for f in Machine(MODULES).fields(m, t[2], t[3])])


def samples(t, rng, count):
    """Different values of a type, the extreme ones of integers first."""
    if t == "bool":
        return [V(t, i % 2) for i in range(count)]
    out = [V(t, x) for x in limits(t)] if t in BITS else []
    while len(out) < count:
        v = sample(t, rng)
        if not any(equal(v, w) for w in out):
            out.append(v)
    return out[:count]


def memory(m, t, tparams, args):
    """Locals, references, fields, vectors: functions over `t`."""
    m.struct("S", CDS, [("before", "u8"), ("it", t), ("after", "u8")], tparams)
    m.struct("Outer", CDS, [("n", "u64"), ("s", m.ty("S", args))], tparams)
    s, v = m.ty("S", args), vec(t)
    a, b, i, j, items = ("a", t), ("b", t), ("i", "u64"), ("j", "u64"), ("v", v)

    def fun(name, params, results, code, **more):
        m.fun(name, params, results, code + ["ret"], tparams=tparams, **more)

    fun("locals", [a, b], [t, t, t], [
        ("copy_loc", "a"), ("st_loc", "x"), ("move_loc", "b"), ("st_loc", "y"), ("move_loc", "a"), ("move_loc", "y"),
        ("move_loc", "x")], locals=[("x", t), ("y", t)])
    fun("rotate", [a, b], [t, t], [
        ("copy_loc", "a"), ("copy_loc", "b"), ("st_loc", "a"), ("st_loc", "b"), ("move_loc", "a"), ("move_loc", "b")])
    fun("pop", [a, b], [t], [("copy_loc", "a"), "pop", ("move_loc", "b"), ("copy_loc", "a"), "pop"])
    fun("read", [a], [t, t], [("borrow_loc", "a"), "read_ref", ("mut_borrow_loc", "a"), "read_ref"])
    fun("write", [a, b], [t], [("move_loc", "b"), ("mut_borrow_loc", "a"), "write_ref", ("move_loc", "a")])
    fun("read_arg", [("r", ref(t))], [t], [("move_loc", "r"), "read_ref"])
    fun("write_arg", [("r", mut(t)), a], [], [("move_loc", "a"), ("move_loc", "r"), "write_ref"])
    fun("swap_args", [("r", mut(t)), ("q", mut(t))], [], [
        ("copy_loc", "r"), "read_ref", ("copy_loc", "q"), "read_ref", ("move_loc", "r"), "write_ref", ("move_loc", "q"), "write_ref"])
    fun("freeze", [a], [t], [("mut_borrow_loc", "a"), "freeze_ref", "read_ref"])
    fun("equal", [a, b], ["bool", "bool"], [("copy_loc", "a"), ("copy_loc", "b"), "eq", ("move_loc", "a"), ("move_loc", "b"), "neq"])
    fun("equal_refs", [a, b], ["bool", "bool"], [
        ("borrow_loc", "a"), ("borrow_loc", "b"), "eq", ("borrow_loc", "a"), ("borrow_loc", "b"), "neq"])
    fun("equal_muts", [("r", mut(t)), ("q", mut(t))], ["bool", "bool"], [
        ("copy_loc", "r"), "freeze_ref", ("copy_loc", "q"), "freeze_ref", "eq",
        ("move_loc", "r"), "freeze_ref", ("move_loc", "q"), "freeze_ref", "neq"])
    fun("equal_fields", [("r", ref(s)), ("q", ref(s))], ["bool", "bool"], [
        ("copy_loc", "r"), ("borrow_field", "S", args, "it"), ("copy_loc", "q"), ("borrow_field", "S", args, "it"), "eq",
        ("move_loc", "r"), ("move_loc", "q"), "neq"])
    fun("equal_structs", [("p", s), ("q", s)], ["bool", "bool"], [
        ("copy_loc", "p"), ("copy_loc", "q"), "eq", ("move_loc", "p"), ("move_loc", "q"), "neq"])
    for op in ("eq", "neq"):
        for jump in ("br_true", "br_false"):
            fun(f"{op}_{jump}", [a, b], ["bool"], [
                ("copy_loc", "a"), ("copy_loc", "b"), op, (jump, "yes"), "ld_false", "ret", ("label", "yes"), "ld_true"])
    fun("pack", [a], [s], [("ld_u8", 7), ("move_loc", "a"), ("ld_u8", 9), ("pack", "S", args)])
    fun("unpack", [("s", s)], ["u8", t, "u8"], [("move_loc", "s"), ("unpack", "S", args)])
    fun("field", [("s", s)], [t], [("borrow_loc", "s"), ("borrow_field", "S", args, "it"), "read_ref"])
    fun("set_field", [("s", s), a], [s], [
        ("move_loc", "a"), ("mut_borrow_loc", "s"), ("mut_borrow_field", "S", args, "it"), "write_ref", ("move_loc", "s")])
    fun("field_ref", [("r", ref(s))], [ref(t)], [("move_loc", "r"), ("borrow_field", "S", args, "it")])
    fun("field_arg", [("r", mut(s)), a], [t], [
        ("copy_loc", "r"), ("mut_borrow_field", "S", args, "it"), "read_ref",
        ("move_loc", "a"), ("move_loc", "r"), ("mut_borrow_field", "S", args, "it"), "write_ref"])
    fun("inner", [("r", mut(m.ty("Outer", args))), a], [t, "u8"], [
        ("copy_loc", "r"), ("borrow_field", "Outer", args, "s"), ("borrow_field", "S", args, "it"), "read_ref",
        ("move_loc", "a"), ("copy_loc", "r"), ("mut_borrow_field", "Outer", args, "s"), ("mut_borrow_field", "S", args, "it"), "write_ref",
        ("move_loc", "r"), ("borrow_field", "Outer", args, "s"), ("borrow_field", "S", args, "after"), "read_ref"])
    fun("echo", [a], [t], [("move_loc", "a")])
    fun("twice", [a], [t, t], [("copy_loc", "a"), ("move_loc", "a")])
    fun("calls", [a, b], [t, t, t], [("move_loc", "a"), ("call", "echo", args), ("move_loc", "b"), ("call", "twice", args)])
    fun("vpack", [a, b], [v], [("copy_loc", "a"), ("move_loc", "b"), ("move_loc", "a"), ("vec_pack", t, 3)])
    fun("vempty", [], [v], [("vec_pack", t, 0)])
    fun("vunpack", [items], [t, t], [("move_loc", "v"), ("vec_unpack", t, 2)])
    fun("vlen", [("r", ref(v))], ["u64"], [("move_loc", "r"), ("vec_len", t)])
    fun("vget", [items, i], [t], [("borrow_loc", "v"), ("move_loc", "i"), ("vec_borrow", t), "read_ref"])
    fun("vget_first", [items], [t], [("borrow_loc", "v"), ("ld_u64", 0), ("vec_borrow", t), "read_ref"])
    fun("vset", [items, i, a], [v], [
        ("move_loc", "a"), ("mut_borrow_loc", "v"), ("move_loc", "i"), ("vec_mut_borrow", t), "write_ref", ("move_loc", "v")])
    fun("vset_arg", [("r", mut(v)), i, a], [], [
        ("move_loc", "a"), ("move_loc", "r"), ("move_loc", "i"), ("vec_mut_borrow", t), "write_ref"])
    fun("vpush", [items, a], [v], [("mut_borrow_loc", "v"), ("move_loc", "a"), ("vec_push_back", t), ("move_loc", "v")])
    fun("vgrow", [a, i], [v], [
        ("vec_pack", t, 0), ("st_loc", "v"), ("label", "loop"), ("copy_loc", "i"), ("ld_u64", 0), "gt", ("br_false", "done"),
        ("mut_borrow_loc", "v"), ("copy_loc", "a"), ("vec_push_back", t), ("move_loc", "i"), ("ld_u64", 1), "sub", ("st_loc", "i"),
        ("branch", "loop"), ("label", "done"), ("move_loc", "v")], locals=[items])
    fun("vpop", [items], [t, v], [("mut_borrow_loc", "v"), ("vec_pop_back", t), ("move_loc", "v")])
    fun("vswap", [items, i, j], [v], [
        ("mut_borrow_loc", "v"), ("move_loc", "i"), ("move_loc", "j"), ("vec_swap", t), ("move_loc", "v")])
    fun("vequal", [("p", v), ("q", v)], ["bool", "bool"], [
        ("copy_loc", "p"), ("copy_loc", "q"), "eq", ("borrow_loc", "p"), ("borrow_loc", "q"), "neq"])
    fun("vstructs", [a, b], [vec(s)], [
        ("ld_u8", 1), ("move_loc", "a"), ("ld_u8", 2), ("pack", "S", args),
        ("ld_u8", 3), ("move_loc", "b"), ("ld_u8", 4), ("pack", "S", args), ("vec_pack", s, 2)])
    # A field of an element.
    fun("vfield", [("r", mut(vec(s))), i, a], [t], [
        ("copy_loc", "r"), ("copy_loc", "i"), ("vec_borrow", s), ("borrow_field", "S", args, "it"), "read_ref",
        ("move_loc", "a"), ("move_loc", "r"), ("move_loc", "i"), ("vec_mut_borrow", s), ("mut_borrow_field", "S", args, "it"),
        "write_ref"])


def memory_cases(area, name, t, targs=()):
    rng = random.Random(f"{name} {text(t)}")
    a, b, c = samples(t, rng, 3)
    m, v = MODULES[name], vec(t)
    s = lambda x, n=1: make(m.ty("S", targs), [V("u8", n), copy(x), V("u8", n + 1)])
    outer = lambda x: make(m.ty("Outer", targs), [V("u64", 5), s(x)])
    items = lambda *xs: make(v, [copy(x) for x in xs])
    n = lambda x: V("u64", x)
    for function, *args in [
        ("locals", a, b), ("rotate", a, b), ("pop", a, b), ("read", a), ("write", a, b), ("read_arg", c), ("write_arg", a, c),
        ("swap_args", a, b), ("freeze", b), ("equal", a, a), ("equal", a, b), ("equal_refs", b, b), ("equal_refs", a, b),
        ("equal_muts", a, a), ("equal_muts", a, b), ("equal_fields", s(a), s(a, 3)), ("equal_fields", s(a), s(b)),
        ("equal_structs", s(a), s(a)), ("equal_structs", s(a), s(b)), ("eq_br_true", a, a), ("eq_br_true", a, b),
        ("eq_br_false", a, a), ("eq_br_false", a, b), ("neq_br_true", a, a), ("neq_br_true", a, b), ("neq_br_false", a, a),
        ("neq_br_false", a, b), ("pack", a), ("unpack", s(b)), ("field", s(a)), ("set_field", s(a), b), ("field_ref", s(c)),
        ("field_arg", s(a), b), ("inner", outer(a), b), ("echo", c), ("calls", a, b), ("vpack", a, b), ("vempty",),
        ("vunpack", items(a, b)), ("vunpack", items(a)), ("vlen", items(a, b, c)), ("vlen", items()), ("vget", items(a, b, c), n(2)),
        ("vget", items(a, b), n(2)), ("vget_first", items(b)), ("vget_first", items()), ("vset", items(a, b, a), n(1), c),
        ("vset", items(a), n(1), c), ("vset_arg", items(a, b), n(0), c), ("vpush", items(), a), ("vpush", items(a, b, c), b),
        ("vgrow", a, n(9)), ("vgrow", b, n(0)), ("vpop", items(a, b)), ("vpop", items()), ("vswap", items(a, b, c), n(0), n(2)),
        ("vswap", items(a, b), n(1), n(1)), ("vswap", items(a, b), n(0), n(2)), ("vswap", items(a, b), n(2), n(0)),
        ("vequal", items(a, b), items(a, b)), ("vequal", items(a, b), items(a, c)), ("vequal", items(a), items(a, a)),
        ("vequal", items(), items()), ("vstructs", a, b), ("vfield", make(vec(m.ty("S", targs)), [s(a), s(b)]), n(1), c),
    ]:
        case(area, name, function, list(args), targs)


def globals_(m, t, tparams, args):
    m.struct("R", "key", [("tag", "u8"), ("it", t)], tparams)
    signer, at, a = ("who", ref("signer")), ("at", "address"), ("a", t)

    def fun(name, params, results, code, acquires=("R",)):
        m.fun(name, params, results, code + ["ret"], tparams=tparams, acquires=acquires)

    fun("put", [signer, a], [], [
        ("move_loc", "who"), ("ld_u8", 6), ("move_loc", "a"), ("pack", "R", args), ("move_to", "R", args)], ())
    fun("has", [at], ["bool"], [("move_loc", "at"), ("exists", "R", args)], ())
    fun("get", [at], [t], [("move_loc", "at"), ("borrow_global", "R", args), ("borrow_field", "R", args, "it"), "read_ref"])
    fun("set", [at, a], [], [
        ("move_loc", "a"), ("move_loc", "at"), ("mut_borrow_global", "R", args), ("mut_borrow_field", "R", args, "it"), "write_ref"])
    fun("take", [at], ["u8", t], [("move_loc", "at"), ("move_from", "R", args), ("unpack", "R", args)])


def globals_cases(area, name, t, targs=()):
    a, b, _ = samples(t, random.Random(f"global {text(t)}"), 3)
    at, other = V("address", 0x11), V("address", 0x12)
    id = f"{name}-{text(t).replace('0xcafe::', '').replace('::', '_')}"
    sequence(area, id, name, [
        ("has", [at], []), ("get", [at], []), ("set", [at, a], []), ("take", [at], []), ("put", [a], [0x11]), ("has", [at], []),
        ("has", [other], []), ("get", [at], []), ("put", [b], [0x11]), ("set", [at, b], []), ("get", [at], []), ("take", [at], []),
        ("has", [at], []), ("put", [b], [0x11]), ("get", [other], []),
    ], targs)


def enums(m, t, tparams, args):
    m.enum("E", CDS, [("None", []), ("One", [("it", t)]), ("Two", [("it", t), ("n", "u8")]), ("Far", [("n", "u64"), ("it", t)])], tparams)
    e, a = m.ty("E", args), ("a", t)

    def fun(name, params, results, code):
        m.fun(name, params, results, code + ["ret"], tparams=tparams)

    fun("none", [], [e], [("pack_variant", "E", args, "None")])
    fun("one", [a], [e], [("move_loc", "a"), ("pack_variant", "E", args, "One")])
    fun("two", [a], [e], [("move_loc", "a"), ("ld_u8", 5), ("pack_variant", "E", args, "Two")])
    fun("far", [a], [e], [("ld_u64", 1 << 40), ("move_loc", "a"), ("pack_variant", "E", args, "Far")])
    fun("unpack_none", [("e", e)], [], [("move_loc", "e"), ("unpack_variant", "E", args, "None")])
    fun("unpack_one", [("e", e)], [t], [("move_loc", "e"), ("unpack_variant", "E", args, "One")])
    fun("unpack_two", [("e", e)], [t, "u8"], [("move_loc", "e"), ("unpack_variant", "E", args, "Two")])
    fun("unpack_far", [("e", e)], ["u64", t], [("move_loc", "e"), ("unpack_variant", "E", args, "Far")])
    for variant in ("None", "Two"):
        fun(f"is_{variant.lower()}", [("e", e)], ["bool"], [("borrow_loc", "e"), ("test_variant", "E", args, variant)])
    fun("match_two", [("r", ref(e))], ["u64"], [
        ("move_loc", "r"), ("test_variant", "E", args, "Two"), ("br_true", "yes"), ("ld_u64", 0), "ret", ("label", "yes"), ("ld_u64", 1)])
    both, far = [("One", "it"), ("Two", "it")], [("Far", "it")]
    fun("get", [("e", e)], [t], [("borrow_loc", "e"), ("borrow_variant_field", "E", args, both), "read_ref"])
    fun("get_far", [("r", ref(e))], [ref(t)], [("move_loc", "r"), ("borrow_variant_field", "E", args, far)])
    fun("set", [("r", mut(e)), a], [], [("move_loc", "a"), ("move_loc", "r"), ("mut_borrow_variant_field", "E", args, both), "write_ref"])
    fun("set_far", [("e", e), a], [e], [
        ("move_loc", "a"), ("mut_borrow_loc", "e"), ("mut_borrow_variant_field", "E", args, far), "write_ref", ("move_loc", "e")])
    fun("become", [("r", mut(e)), a], [], [("move_loc", "a"), ("pack_variant", "E", args, "One"), ("move_loc", "r"), "write_ref"])
    fun("equal", [("e", e), ("f", e)], ["bool", "bool"], [
        ("copy_loc", "e"), ("copy_loc", "f"), "eq", ("borrow_loc", "e"), ("borrow_loc", "f"), "neq"])
    fun("store", [("v", vec(e)), ("e", e)], [vec(e), e], [
        ("mut_borrow_loc", "v"), ("copy_loc", "e"), ("vec_push_back", e), ("mut_borrow_loc", "v"), ("ld_u64", 0), ("ld_u64", 1),
        ("vec_swap", e), ("copy_loc", "v"), ("mut_borrow_loc", "v"), ("vec_pop_back", e)])


def enum_cases(area, name, t, targs=()):
    a, b, _ = samples(t, random.Random(f"enum {text(t)}"), 3)
    e = MODULES[name].ty("E", targs)
    none, one, two = make(e, (0, [])), make(e, (1, [a])), make(e, (2, [b, V("u8", 200)]))
    far = make(e, (3, [V("u64", 77), a]))
    for function, *args in [
        ("none",), ("one", a), ("two", b), ("far", a), ("unpack_none", none), ("unpack_none", one), ("unpack_one", one),
        ("unpack_one", two), ("unpack_two", two), ("unpack_two", none), ("unpack_far", far), ("unpack_far", one), ("is_none", none),
        ("is_none", far), ("is_two", two), ("is_two", one), ("match_two", two), ("match_two", far), ("get", one), ("get", two),
        ("get", none), ("get", far), ("get_far", far), ("get_far", two), ("set", one, b), ("set", two, a), ("set", far, b),
        ("set_far", far, b), ("set_far", none, b), ("become", far, b), ("become", none, a), ("equal", two, two), ("equal", one, two),
        ("equal", one, make(e, (1, [b]))), ("equal", none, none), ("store", make(e_vec(e), [none]), far),
        ("store", make(e_vec(e), []), one),
    ]:
        case(area, name, function, list(args), targs)


def e_vec(e):
    return vec(e)


def closures(m, t, tparams, args):
    a, b = ("a", t), ("b", t)
    fn = lambda params, results: ("fn", tuple(params), tuple(results), "copy + drop")

    def fun(name, params, results, code, **more):
        m.fun(name, params, results, code + ["ret"], tparams=tparams, **more)

    fun("pick", [a, ("n", "u8"), b], [t, "u8"], [
        ("copy_loc", "n"), ("ld_u8", 1), "eq", ("br_true", "second"), ("move_loc", "a"), ("move_loc", "n"), "ret",
        ("label", "second"), ("move_loc", "b"), ("move_loc", "n")])
    parts = [("a", t), ("n", "u8"), ("b", t)]
    for mask in range(8):
        captured = [p for i, p in enumerate(parts) if mask >> i & 1]
        left = [p for i, p in enumerate(parts) if not mask >> i & 1]
        code = [("move_loc", p[0]) for p in captured] + [("pack_closure", "pick", args, mask), ("st_loc", "f")]
        code += [("move_loc", p[0]) for p in left] + [("move_loc", "f"), ("call_closure", fn([p[1] for p in left], [t, "u8"]))]
        fun(f"mask{mask}", parts, [t, "u8"], code, locals=[("f", fn([p[1] for p in left], [t, "u8"]))])
    f = fn(["u8", t], [t, "u8"])
    fun("copied", [a, b], [t, "u8", t, "u8"], [
        ("move_loc", "a"), ("pack_closure", "pick", args, 1), ("st_loc", "f"),
        ("ld_u8", 0), ("copy_loc", "b"), ("copy_loc", "f"), ("call_closure", f),
        ("ld_u8", 1), ("move_loc", "b"), ("move_loc", "f"), ("call_closure", f)], locals=[("f", f)])
    fun("equal", [a, b], ["bool", "bool", "bool"], [
        ("copy_loc", "a"), ("pack_closure", "pick", args, 1), ("st_loc", "f"), ("move_loc", "b"), ("pack_closure", "pick", args, 1),
        ("st_loc", "g"), ("copy_loc", "f"), ("copy_loc", "g"), "eq", ("copy_loc", "f"), ("move_loc", "g"), "neq",
        ("borrow_loc", "f"), ("borrow_loc", "f"), "eq"], locals=[("f", f), ("g", f)])
    fun("in_vector", [a, b], [t, "u8"], [
        ("move_loc", "a"), ("pack_closure", "pick", args, 1), ("vec_pack", f, 1), ("st_loc", "v"),
        ("ld_u8", 0), ("move_loc", "b"), ("mut_borrow_loc", "v"), ("vec_pop_back", f), ("call_closure", f)], locals=[("v", vec(f))])


def closure_cases(area, name, t, targs=()):
    a, b, _ = samples(t, random.Random(f"closure {text(t)}"), 3)
    for mask in range(8):
        case(area, name, f"mask{mask}", [a, V("u8", mask & 1), b], targs)
    case(area, name, "copied", [a, b], targs)
    case(area, name, "equal", [a, a], targs)
    case(area, name, "equal", [a, b], targs)
    case(area, name, "in_vector", [a, b], targs)


def values():
    shapes_ = lambda n, m="shapes": ("struct", m, n, ())
    scalars = ["bool", "address"] + list(BITS)
    compound = [vec("u8"), vec("u16"), vec("bool"), vec(vec("u64")), shapes_("Odd3"), shapes_("Odd24"), shapes_("Odd33"), shapes_("Big"),
                shapes_("Heap"), shapes_("Odd12", "shapes7"), shapes_("Odd6", "shapes7"), shapes_("Color", "shapes7")]
    # Without type parameters: the plain forms of the instructions.
    for t in scalars + [vec("u8"), vec("i32")]:
        word = text(t).replace("vector<", "vec_").replace(">", "")
        m = module(f"mem_{word}", version_of(t))
        memory(m, t, (), ())
        globals_(m, t, (), ())
        memory_cases("memory", m.name, t)
        globals_cases("globals", m.name, t)
        m = module(f"enum_{word}", max(7, version_of(t)))
        enums(m, t, (), ())
        enum_cases("variants", m.name, t)
        m = module(f"fun_{word}", max(9, version_of(t)))
        closures(m, t, (), ())
        closure_cases("functions", m.name, t)
    # With one: the generic forms, at every width.
    parameter, tparams = ("param", 0), (CDS,)
    gmem, genum, gfun = module("gmem", 5), module("genum", 7), module("gfun", 9)
    memory(gmem, parameter, tparams, (parameter,))
    globals_(gmem, parameter, tparams, (parameter,))
    enums(genum, parameter, tparams, (parameter,))
    closures(gfun, parameter, tparams, (parameter,))
    for t in scalars + compound:
        memory_cases("gmemory", "gmem", t, (t,))
        globals_cases("gglobals", "gmem", t, (t,))
        enum_cases("gvariants", "genum", t, (t,))
        closure_cases("gfunctions", "gfun", t, (t,))


# --- the rest ---

def control():
    m = module("control", 5)
    b, u = ("a", "bool"), "u64"
    m.fun("and", [("a", "bool"), ("b", "bool")], ["bool"], [("move_loc", "a"), ("move_loc", "b"), "and", "ret"])
    m.fun("or", [("a", "bool"), ("b", "bool")], ["bool"], [("move_loc", "a"), ("move_loc", "b"), "or", "ret"])
    m.fun("not", [b], ["bool"], [("move_loc", "a"), "not", "ret"])
    m.fun("not_br", [b], [u], [("move_loc", "a"), "not", ("br_true", "l"), ("ld_u64", 1), "ret", ("label", "l"), ("ld_u64", 2), "ret"])
    m.fun("bools", [], ["bool", "bool"], ["ld_true", "ld_false", "ret"])
    m.fun("ld_bool", [], ["bool", "bool"], [("ld_const", "bool", 1), ("ld_const", "bool", 0), "ret"])
    m.fun("ld_address", [], ["address"], [("ld_const", "address", 0xCAFE), "ret"])
    m.fun("ld_addresses", [], [vec("address")], [("ld_const", vec("address"), [1, (1 << 256) - 1]), "ret"])
    m.fun("ld_bools", [], [vec("bool")], [("ld_const", vec("bool"), [1, 0, 1]), "ret"])
    m.fun("nops", [("a", u)], [u], ["nop", ("move_loc", "a"), "nop", "nop", ("ld_u64", 1), "nop", "add", "nop", "ret"])
    m.fun("abort", [("a", u)], [], [("move_loc", "a"), "abort"])
    m.fun("abort_k", [], [u], [("ld_u64", 42), "abort"])
    m.fun("abort_if", [("a", u)], [u], [
        ("copy_loc", "a"), ("ld_u64", 10), "lt", ("br_true", "fine"), ("move_loc", "a"), "abort", ("label", "fine"), ("move_loc", "a"), "ret"])
    # Before version 6 a jump back is a loop, which nothing may enter but at its head.
    module("jumps", 7).fun("branch", [], [u], [("branch", "b"), ("label", "a"), ("ld_u64", 2), "ret", ("label", "b"), "nop", ("branch", "a")])
    m.fun("sum", [("n", u)], [u], [
        ("ld_u64", 0), ("st_loc", "s"), ("label", "l"), ("copy_loc", "n"), ("ld_u64", 0), "eq", ("br_true", "end"),
        ("copy_loc", "s"), ("copy_loc", "n"), "add", ("st_loc", "s"), ("move_loc", "n"), ("ld_u64", 1), "sub", ("st_loc", "n"),
        ("branch", "l"), ("label", "end"), ("move_loc", "s"), "ret"], locals=[("s", u)])
    m.fun("fib", [("n", u)], [u], [
        ("copy_loc", "n"), ("ld_u64", 2), "ge", ("br_true", "more"), ("move_loc", "n"), "ret", ("label", "more"),
        ("copy_loc", "n"), ("ld_u64", 1), "sub", ("call", "fib", ()), ("move_loc", "n"), ("ld_u64", 2), "sub", ("call", "fib", ()), "add", "ret"])
    m.fun("deep_failure", [("n", u)], [u], [
        ("copy_loc", "n"), ("ld_u64", 0), "eq", ("br_true", "fail"), ("move_loc", "n"), ("ld_u64", 1), "sub", ("call", "deep_failure", ()),
        ("ld_u64", 1), "add", "ret", ("label", "fail"), ("ld_u64", 1), ("ld_u64", 0), "div", ("ld_u64", 1), "add", "ret"])
    for x in (0, 1):
        for y in (0, 1):
            case("control", "control", "and", [V("bool", x), V("bool", y)])
            case("control", "control", "or", [V("bool", x), V("bool", y)])
        case("control", "control", "not", [V("bool", x)])
        case("control", "control", "not_br", [V("bool", x)])
    for f in ("bools", "ld_bool", "ld_address", "ld_addresses", "ld_bools", "abort_k"):
        case("control", "control", f, [])
    case("control", "jumps", "branch", [])
    for f, xs in (("nops", [0, 2**64 - 1]), ("abort", [0, 2**64 - 1]), ("abort_if", [9, 10]), ("sum", [0, 100]), ("fib", [0, 12]),
                  ("deep_failure", [0, 30])):
        for x in xs:
            case("control", "control", f, [V(u, x)])


def messages():
    m = module("messages", 10)
    u = "u64"
    m.fun("fail", [("code", u), ("text", vec("u8"))], [], [("move_loc", "code"), ("move_loc", "text"), "abort_msg"])
    m.fun("fail_if", [("code", u)], [u], [
        ("copy_loc", "code"), ("ld_u64", 5), "lt", ("br_true", "fine"), ("move_loc", "code"),
        ("ld_const", vec("u8"), list("größer als 4".encode())), "abort_msg", ("label", "fine"), ("move_loc", "code"), "ret"])
    # What comes after in the same block is not charged.
    m.fun("inner", [("code", u)], [u], [("move_loc", "code"), ("call", "fail_if", ()), ("ld_u64", 1), "add", "ret"])
    for data in (b"", b"text", "ä漢🦀".encode(), b"a" * 1024, b"a" * 1025, b"\xff", b"ok\xc3", b"\xed\xa0\x80", b"\xff" * 1025,
                 b"a" * 1023 + b"\xc3", b"nul\0 and\nlines"):
        case("messages", "messages", "fail", [V(u, len(data)), make(vec("u8"), list(data))])
    case("messages", "messages", "fail", [V(u, 2**64 - 1), make(vec("u8"), list(b"max"))])
    for x in (4, 5):
        case("messages", "messages", "fail_if", [V(u, x)])
        case("messages", "messages", "inner", [V(u, x)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assemble", metavar="TOOL")
    options = parser.parse_args()
    shapes()
    for t in BITS:
        integers(t)
    casts()
    values()
    control()
    messages()
    sources = HERE / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    sources.mkdir()
    for m in MODULES.values():
        (sources / f"{m.name}.masm").write_text(m.masm())
    for name, lines in (("cases", CASES), ("stateful", SEQUENCES), ("gas", GAS)):
        rows = (json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines)
        (HERE / f"{name}.jsonl").write_text("".join(row + "\n" for row in rows))
    print(f"{len(MODULES)} modules, {len(CASES)} cases, {len(SEQUENCES)} sequences")
    if options.assemble:
        shutil.rmtree(HERE / "bytecode", ignore_errors=True)
        for version in VERSIONS:
            out = HERE / "bytecode" / f"v{version}"
            out.mkdir(parents=True)
            for m in MODULES.values():
                if m.version <= version:
                    command = [options.assemble, "asm", sources / f"{m.name}.masm", "-o", out / f"{m.name}.mv", "--bytecode", str(version)]
                    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
