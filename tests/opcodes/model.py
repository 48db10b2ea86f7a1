"""Move bytecode as Python data: assembler text of it, and an interpreter with a meter that charges instruction by instruction.

Written from specs/binary-format.md, specs/runtime.md and golden/GAS.md with Python's integers; it shares nothing with the machine.
"""

UNSIGNED = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "u128": 128, "u256": 256}
SIGNED = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "i128": 128, "i256": 256}
BITS = UNSIGNED | SIGNED
ADDRESS = 0xCAFE

STATUS = {
    "ARITHMETIC_ERROR": 4017,
    "VECTOR_OPERATION_ERROR": 4018,
    "MISSING_DATA": 4008,
    "RESOURCE_ALREADY_EXISTS": 4004,
    "STRUCT_VARIANT_MISMATCH": 4038,
    "ABORT_MESSAGE_LIMIT_EXCEEDED": 4043,
    "INVALID_ABORT_MESSAGE": 4042,
}

# The "2026" column of specs/gas.md.
PLAIN = {
    "nop": 360, "ret": 2200, "abort": 2200, "br_true": 4410, "br_false": 4410, "branch": 2940, "pop": 1470,
    "ld_u8": 2200, "ld_u16": 2200, "ld_u32": 2200, "ld_u64": 2200, "ld_u128": 2940, "ld_u256": 2940,
    "ld_i8": 2200, "ld_i16": 2200, "ld_i32": 2200, "ld_i64": 2200, "ld_i128": 2940, "ld_i256": 2940,
    "ld_true": 2200, "ld_false": 2200, "imm_borrow_loc": 2200, "mut_borrow_loc": 2200,
    "imm_borrow_field": 7350, "mut_borrow_field": 7350, "imm_borrow_variant_field": 8350, "mut_borrow_variant_field": 8350,
    "test_variant": 5350, "move_loc": 4410, "st_loc": 4410, "write_ref": 7350, "freeze_ref": 360, "negate": 5880,
    "add": 5880, "sub": 5880, "mul": 5880, "mod": 5880, "div": 5880, "bit_or": 5880, "bit_and": 5880, "bit_xor": 5880,
    "bit_shl": 5880, "bit_shr": 5880, "or": 5880, "and": 5880, "not": 5880, "lt": 5880, "gt": 5880, "le": 5880, "ge": 5880,
    "imm_borrow_global": 18380, "mut_borrow_global": 18380, "exists": 9190, "move_from": 12860, "move_to": 18380,
    "vec_len": 8080, "vec_imm_borrow": 12130, "vec_mut_borrow": 12130, "vec_push_back": 13960, "vec_pop_back": 9550,
    "vec_swap": 11020,
} | {f"cast_{t}": 4410 for t in BITS}
UNIT = 40

# Mnemonics whose gas parameter has another name.
STEMS = {
    "borrow_loc": "imm_borrow_loc", "borrow_field": "imm_borrow_field", "borrow_variant_field": "imm_borrow_variant_field",
    "xor": "bit_xor", "shl": "bit_shl", "shr": "bit_shr", "vec_borrow": "vec_imm_borrow", "borrow_global": "imm_borrow_global",
}


# Types: a name, or ("vec", T), ("struct", module, name, args), ("param", i), ("ref", T), ("mut", T), ("fn", args, results, abilities).

def vec(t):
    return ("vec", t)


def ref(t):
    return ("ref", t)


def mut(t):
    return ("mut", t)


def is_ref(t):
    return t[0] in ("ref", "mut")


def subst(t, args):
    if isinstance(t, str):
        return t
    kind = t[0]
    if kind == "param":
        return args[t[1]]
    if kind in ("vec", "ref", "mut"):
        return (kind, subst(t[1], args))
    if kind == "struct":
        return ("struct", t[1], t[2], tuple(subst(x, args) for x in t[3]))
    return ("fn", tuple(subst(x, args) for x in t[1]), tuple(subst(x, args) for x in t[2]), t[3])


def text(t, local=False):
    """Canonical text, or assembler text inside the module of the type."""
    if isinstance(t, str):
        return t
    kind = t[0]
    if kind == "param":
        return f"T{t[1]}"
    if kind == "vec":
        return f"vector<{text(t[1], local)}>"
    if kind == "ref":
        return f"&{text(t[1], local)}"
    if kind == "mut":
        return f"&mut {text(t[1], local)}"
    if kind == "struct":
        name = t[2] if local else f"0xcafe::{t[1]}::{t[2]}"
        return name + angle(t[3], local)
    args, results = (", ".join(text(x, local) for x in part) for part in t[1:3])
    return f"|{args}|({results})" + (f" has {t[3]}" if t[3] else "")


def angle(types, local=False):
    return "<" + ", ".join(text(t, local) for t in types) + ">" if types else ""


class Cell:
    __slots__ = ("v",)

    def __init__(self, v=None):
        self.v = v


class V:
    """A value: `x` is a number, a list of cells (vector, struct), (variant, cells), (function, type args, mask, values) or a cell."""

    __slots__ = ("ty", "x")

    def __init__(self, ty, x):
        self.ty, self.x = ty, x


def copy(v):
    if is_ref(v.ty) or isinstance(v.x, int):
        return V(v.ty, v.x)
    if v.ty[0] == "fn":
        return V(v.ty, v.x[:3] + ([copy(c) for c in v.x[3]],))
    if isinstance(v.x, tuple):
        return V(v.ty, (v.x[0], [Cell(copy(c.v)) for c in v.x[1]]))
    return V(v.ty, [Cell(copy(c.v)) for c in v.x])


def equal(a, b):
    if is_ref(a.ty):
        return equal(a.x.v, b.x.v)
    if isinstance(a.x, int):
        return a.x == b.x
    if a.ty[0] == "fn":
        return a.x[:3] == b.x[:3] and all(map(equal, a.x[3], b.x[3]))
    if isinstance(a.x, tuple):
        return a.x[0] == b.x[0] and all(equal(c.v, d.v) for c, d in zip(a.x[1], b.x[1]))
    return len(a.x) == len(b.x) and all(equal(c.v, d.v) for c, d in zip(a.x, b.x))


def uleb(n):
    out = bytearray()
    while True:
        out.append(n & 0x7F | (0x80 if n > 0x7F else 0))
        n >>= 7
        if not n:
            return bytes(out)


def bcs(v):
    t = v.ty
    if t in BITS:
        return v.x.to_bytes(BITS[t] // 8, "little", signed=t in SIGNED)
    if t == "bool":
        return bytes([v.x])
    if t in ("address", "signer"):
        return v.x.to_bytes(32, "big")
    if is_ref(t):
        return bcs(v.x.v)
    if isinstance(v.x, tuple):
        return uleb(v.x[0]) + b"".join(bcs(c.v) for c in v.x[1])
    head = uleb(len(v.x)) if t[0] == "vec" else b""
    return head + b"".join(bcs(c.v) for c in v.x)


def size(v, equality):
    """Abstract size; in eq and neq fewer vectors count packed."""
    t = v.ty
    if t == "signer":
        return 3 * UNIT
    if isinstance(t, str) or is_ref(t):
        return UNIT
    if t[0] == "fn":
        return UNIT + sum(size(c, equality) for c in v.x[3])
    if isinstance(v.x, tuple):
        return 2 * UNIT + sum(size(c.v, equality) for c in v.x[1])
    if t[0] == "vec":
        e = t[1]
        packed = {"bool": 1, "address": 32}.get(e) or BITS.get(e, 0) // 8
        if equality and e in ("u16", "u32", "u256"):
            packed = 0
        if packed:
            return UNIT + packed * len(v.x)
    return UNIT + sum(size(c.v, equality) for c in v.x)


class Fun:
    def __init__(self, module, name, params, results, locals_, code, tparams, acquires):
        self.module, self.name, self.params, self.results = module, name, params, results
        self.locals, self.tparams, self.acquires = locals_, tparams, acquires
        self.labels, self.code = {}, []
        for ins in code:
            ins = ins if isinstance(ins, tuple) else (ins,)
            if ins[0] == "label":
                self.labels[ins[1]] = len(self.code)
            else:
                self.code.append(ins)
        self.index = {n: i for i, (n, _) in enumerate(params + locals_)}


class Module:
    def __init__(self, name, version):
        self.name, self.version = name, version
        self.structs, self.enums, self.funs = {}, {}, {}

    def struct(self, name, abilities, fields, tparams=()):
        self.structs[name] = (abilities, fields, tparams)

    def enum(self, name, abilities, variants, tparams=()):
        self.enums[name] = (abilities, variants, tparams)

    def ty(self, name, args=()):
        return ("struct", self.name, name, tuple(args))

    def fun(self, name, params, results, code, locals=(), tparams=(), acquires=()):
        assert name not in self.funs, (self.name, name)
        self.funs[name] = Fun(self, name, list(params), list(results), list(locals), code, tparams, acquires)

    def masm(self):
        lines = [f"// Written by generate.py.", f"module 0xcafe::{self.name}"]
        generic = lambda ts: "<" + ", ".join(f"T{i}: {a}" for i, a in enumerate(ts)) + ">" if ts else ""
        for name, (abilities, fields, ts) in self.structs.items():
            lines.append(f"struct {name}{generic(ts)} has {abilities}")
            lines += [f"  {f}: {text(t, True)}" for f, t in fields]
        for name, (abilities, variants, ts) in self.enums.items():
            lines.append(f"enum {name}{generic(ts)} has {abilities}")
            for variant, fields in variants:
                lines.append(f"  {variant}")
                lines += [f"    {f}: {text(t, True)}" for f, t in fields]
        for f in self.funs.values():
            params = ", ".join(f"{n}: {text(t, True)}" for n, t in f.params)
            results = [text(t, True) for t in f.results]
            ret = f": {results[0]}" if len(results) == 1 else f": ({', '.join(results)})" if results else ""
            # A result that is a function type would swallow what follows.
            acquires = " acquires " + ", ".join(f.acquires) if f.acquires else ""
            lines.append("")
            lines.append(f"public fun {f.name}{generic(f.tparams)}({params}){ret}{acquires}")
            lines += [f"    local {n}: {text(t, True)}" for n, t in f.locals]
            at = {}
            for label, offset in f.labels.items():
                at.setdefault(offset, []).append(label)
            for offset, ins in enumerate(f.code):
                labels = at.get(offset, [])
                lines += [f"{label}:" for label in labels[:-1]]
                head = f"{labels[-1]}: " if labels else "    "
                lines.append(head + instruction(ins))
        return "\n".join(lines) + "\n"


def literal(value):
    return "[" + ", ".join(map(literal, value)) + "]" if isinstance(value, list) else str(value)


def instruction(ins):
    op, args = ins[0], ins[1:]
    if op == "ld_const":
        return f"ld_const<{text(args[0])}> {literal(args[1])}"
    if op.startswith("vec_"):
        return f"{op} <{text(args[0], True)}>" + (f", {args[1]}" if len(args) > 1 else "")
    if op == "call_closure":
        return f"call_closure <{text(args[0], True)}>"
    if op in ("pack", "unpack", "exists", "move_from", "move_to", "borrow_global", "mut_borrow_global", "call"):
        return f"{op} {args[0]}{angle(args[1], True)}"
    if op in ("pack_variant", "unpack_variant", "test_variant", "borrow_field", "mut_borrow_field"):
        return f"{op} {args[0]}{angle(args[1], True)}, {args[2]}"
    if op in ("borrow_variant_field", "mut_borrow_variant_field"):
        return f"{op} {args[0]}{angle(args[1], True)}, " + ", ".join(f"{v}::{f}" for v, f in args[2])
    if op == "pack_closure":
        return f"{op} {args[0]}{angle(args[1], True)}, {args[2]}"
    return op + "".join(f" {a}" for a in args)


class Failure(Exception):
    def __init__(self, status, sub=None, message=None):
        self.status, self.sub, self.message = status, sub, message


def check(t, x):
    low, high = limits(t)
    if not low <= x <= high:
        raise Failure("ARITHMETIC_ERROR")
    return V(t, x)


def limits(t):
    bits = BITS[t]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if t in SIGNED else (0, (1 << bits) - 1)


def divide(a, b):
    if b == 0:
        raise Failure("ARITHMETIC_ERROR")
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


class Machine:
    """Runs functions; `gas`, `count` and `opcodes` are those of the last call."""

    def __init__(self, modules):
        self.modules, self.globals = modules, {}
        self.start()

    def start(self):
        self.gas, self.count, self.opcodes = 0, 0, {}

    def charge(self, stem, cost):
        self.gas += cost
        self.count += 1
        self.opcodes[stem] = self.opcodes.get(stem, 0) + 1

    def call(self, module, name, targs, args):
        """Results; a reference parameter is given as a reference."""
        self.start()
        stack = list(args)
        self.frame(self.modules[module].funs[name], targs, stack)
        return stack

    def frame(self, f, targs, stack):
        n = len(f.params)
        values = stack[len(stack) - n:] if n else []
        del stack[len(stack) - n:]
        slots = [Cell(v) for v in values] + [Cell() for _ in f.locals]
        pc = 0
        while True:
            ins = f.code[pc]
            pc += 1
            jump = self.step(f, targs, slots, stack, ins)
            if jump is True:
                return
            if jump is not None:
                pc = f.labels[jump]

    def fields(self, module, name, targs, variant=None):
        if variant is None:
            return [subst(t, targs) for _, t in module.structs[name][1]]
        return [subst(t, targs) for _, t in module.enums[name][1][variant][1]]

    def step(self, f, targs, slots, stack, ins):
        op, a = ins[0], ins[1:]
        m = f.module
        stem = STEMS.get(op, op)
        types = lambda: tuple(subst(t, targs) for t in a[1])
        generic = "_generic" if len(a) > 1 and isinstance(a[1], tuple) and a[1] else ""
        pop = stack.pop
        push = stack.append

        def plain():
            self.charge(stem + generic, PLAIN[stem])

        def popn(n):
            values = stack[len(stack) - n:]
            del stack[len(stack) - n:]
            return values

        if op in ("add", "sub", "mul", "div", "mod", "bit_or", "bit_and", "xor"):
            plain()
            y, x = pop(), pop()
            assert x.ty == y.ty, (f.name, ins, x.ty, y.ty)
            i, j = x.x, y.x
            if op in ("bit_or", "bit_and", "xor"):
                assert x.ty in UNSIGNED
                push(V(x.ty, {"bit_or": i | j, "bit_and": i & j, "xor": i ^ j}[op]))
            elif op == "mod":
                # MIN % -1 fails as MIN / -1 does.
                q = divide(i, j)
                check(x.ty, q)
                push(V(x.ty, i - q * j))
            else:
                push(check(x.ty, divide(i, j) if op == "div" else {"add": i + j, "sub": i - j, "mul": i * j}[op]))
        elif op in ("shl", "shr"):
            plain()
            y, x = pop(), pop()
            assert y.ty == "u8"
            if y.x >= BITS[x.ty]:
                raise Failure("ARITHMETIC_ERROR")
            push(V(x.ty, x.x >> y.x if op == "shr" else x.x << y.x & limits(x.ty)[1]))
        elif op in ("lt", "gt", "le", "ge"):
            plain()
            y, x = pop(), pop()
            assert x.ty == y.ty
            push(V("bool", int({"lt": x.x < y.x, "gt": x.x > y.x, "le": x.x <= y.x, "ge": x.x >= y.x}[op])))
        elif op in ("eq", "neq"):
            y, x = pop(), pop()
            through = lambda v: v.x.v if is_ref(v.ty) else v
            self.charge(op, 3670 + 140 * (size(through(x), True) + size(through(y), True)))
            push(V("bool", int(equal(x, y) == (op == "eq"))))
        elif op in ("and", "or"):
            plain()
            y, x = pop(), pop()
            push(V("bool", x.x & y.x if op == "and" else x.x | y.x))
        elif op == "not":
            plain()
            push(V("bool", 1 - pop().x))
        elif op == "negate":
            plain()
            x = pop()
            assert x.ty in SIGNED
            push(check(x.ty, -x.x))
        elif op.startswith("cast_"):
            plain()
            push(check(op[5:], pop().x))
        elif op in ("ld_true", "ld_false"):
            plain()
            push(V("bool", int(op == "ld_true")))
        elif op == "ld_const":
            v = make(a[0], a[1])
            self.charge(op, 23890 + 1280 * len(bcs(v)))
            push(v)
        elif op.startswith("ld_"):
            plain()
            push(check(op[3:], a[0]))
        elif op == "nop":
            plain()
        elif op == "pop":
            plain()
            pop()
        elif op == "ret":
            plain()
            return True
        elif op == "branch":
            plain()
            return a[0]
        elif op in ("br_true", "br_false"):
            plain()
            if pop().x == (op == "br_true"):
                return a[0]
        elif op == "abort":
            plain()
            raise Failure("ABORTED", pop().x)
        elif op == "abort_msg":
            message, code = pop(), pop()
            data = bytes(c.v.x for c in message.x)
            self.charge(op, 4400 + 450 * len(data))
            if len(data) > 1024:
                raise Failure("ABORT_MESSAGE_LIMIT_EXCEEDED")
            try:
                raise Failure("ABORTED", code.x, data.decode())
            except UnicodeDecodeError:
                raise Failure("INVALID_ABORT_MESSAGE")
        elif op == "copy_loc":
            v = slots[f.index[a[0]]].v
            self.charge(op, 2940 + 140 * size(v, False))
            push(copy(v))
        elif op == "move_loc":
            plain()
            cell = slots[f.index[a[0]]]
            push(cell.v)
            cell.v = None
        elif op == "st_loc":
            plain()
            slots[f.index[a[0]]].v = pop()
        elif op in ("borrow_loc", "mut_borrow_loc"):
            plain()
            cell = slots[f.index[a[0]]]
            push(V(("ref" if op == "borrow_loc" else "mut", cell.v.ty), cell))
        elif op == "read_ref":
            v = pop().x.v
            self.charge(op, 7350 + 140 * size(v, False))
            push(copy(v))
        elif op == "write_ref":
            plain()
            r, v = pop(), pop()
            assert r.ty[0] == "mut" and r.ty[1] == v.ty, (f.name, r.ty, v.ty)
            r.x.v = v
        elif op == "freeze_ref":
            plain()
            r = pop()
            push(V(("ref", r.ty[1]), r.x))
        elif op in ("borrow_field", "mut_borrow_field"):
            plain()
            r = pop()
            i = [n for n, _ in m.structs[a[0]][1]].index(a[2])
            cell = r.x.v.x[i]
            push(V(("ref" if op == "borrow_field" else "mut", cell.v.ty), cell))
        elif op in ("borrow_variant_field", "mut_borrow_variant_field"):
            plain()
            v = pop().x.v
            for variant, field in a[2]:
                names = [n for n, _ in m.enums[a[0]][1]]
                if names.index(variant) == v.x[0]:
                    i = [n for n, _ in m.enums[a[0]][1][v.x[0]][1]].index(field)
                    cell = v.x[1][i]
                    push(V(("ref" if op == "borrow_variant_field" else "mut", cell.v.ty), cell))
                    break
            else:
                raise Failure("STRUCT_VARIANT_MISMATCH")
        elif op == "pack":
            ts = self.fields(m, a[0], types())
            self.charge(op + generic, 8080 + 1470 * len(ts))
            values = popn(len(ts))
            assert [v.ty for v in values] == ts, (f.name, [v.ty for v in values], ts)
            push(V(m.ty(a[0], types()), [Cell(v) for v in values]))
        elif op == "unpack":
            v = pop()
            self.charge(op + generic, 8080 + 1470 * len(v.x))
            stack.extend(c.v for c in v.x)
        elif op in ("pack_variant", "unpack_variant", "test_variant"):
            at = [n for n, _ in m.enums[a[0]][1]].index(a[2])
            ts = self.fields(m, a[0], types(), at)
            if op == "pack_variant":
                self.charge(op + generic, 8080 + 1470 * len(ts))
                values = popn(len(ts))
                assert [v.ty for v in values] == ts
                push(V(m.ty(a[0], types()), (at, [Cell(v) for v in values])))
            elif op == "unpack_variant":
                self.charge(op + generic, 8080 + 1470 * (len(ts) + 1))
                v = pop()
                if v.x[0] != at:
                    raise Failure("STRUCT_VARIANT_MISMATCH")
                stack.extend(c.v for c in v.x[1])
            else:
                plain()
                push(V("bool", int(pop().x.v.x[0] == at)))
        elif op in ("exists", "move_from", "move_to", "borrow_global", "mut_borrow_global"):
            plain()
            t = m.ty(a[0], types())
            if op == "move_to":
                v, signer = pop(), pop().x.v.x
                if (signer, t) in self.globals:
                    raise Failure("RESOURCE_ALREADY_EXISTS")
                assert v.ty == t
                self.globals[signer, t] = Cell(v)
                return None
            key = (pop().x, t)
            if op == "exists":
                push(V("bool", int(key in self.globals)))
            elif key not in self.globals:
                raise Failure("MISSING_DATA")
            elif op == "move_from":
                push(self.globals.pop(key).v)
            else:
                push(V(("ref" if op == "borrow_global" else "mut", t), self.globals[key]))
        elif op == "vec_pack":
            self.charge(op, 22050 + 1470 * a[1])
            t = subst(a[0], targs)
            values = popn(a[1])
            assert all(v.ty == t for v in values)
            push(V(vec(t), [Cell(v) for v in values]))
        elif op == "vec_unpack":
            self.charge(op, 18380 + 1470 * a[1])
            v = pop()
            if len(v.x) != a[1]:
                raise Failure("VECTOR_OPERATION_ERROR", 3)
            stack.extend(c.v for c in v.x)
        elif op == "vec_len":
            plain()
            push(V("u64", len(pop().x.v.x)))
        elif op in ("vec_borrow", "vec_mut_borrow"):
            plain()
            i, r = pop(), pop()
            items = r.x.v.x
            if i.x >= len(items):
                raise Failure("VECTOR_OPERATION_ERROR", 1)
            push(V(("ref" if op == "vec_borrow" else "mut", r.x.v.ty[1]), items[i.x]))
        elif op == "vec_push_back":
            plain()
            v, r = pop(), pop()
            r.x.v.x.append(Cell(v))
        elif op == "vec_pop_back":
            plain()
            items = pop().x.v.x
            if not items:
                raise Failure("VECTOR_OPERATION_ERROR", 2)
            push(items.pop().v)
        elif op == "vec_swap":
            plain()
            j, i, r = pop().x, pop().x, pop()
            items = r.x.v.x
            if i >= len(items) or j >= len(items):
                raise Failure("VECTOR_OPERATION_ERROR", 1)
            items[i].v, items[j].v = items[j].v, items[i].v
        elif op == "call":
            g, ts = m.funs[a[0]], types()
            n = len(g.params)
            self.charge(op + generic, 36760 + 3670 * (len(ts) + n + n + len(g.locals)))
            self.frame(g, ts, stack)
        elif op == "pack_closure":
            captured = popn(a[2].bit_count())
            self.charge(op + generic, 9080 + 1470 * len(captured))
            g, ts = m.funs[a[0]], types()
            left = tuple(subst(t, ts) for i, (_, t) in enumerate(g.params) if not a[2] >> i & 1)
            results = tuple(subst(t, ts) for t in g.results)
            push(V(("fn", left, results, "copy + drop"), (g, ts, a[2], captured)))
        elif op == "call_closure":
            g, ts, mask, captured = pop().x
            n = len(g.params)
            supplied, captured = popn(n - len(captured)), list(captured)
            self.charge(op, 36760 + 3670 * (n + n + len(g.locals)))
            for i in range(n):
                push(captured.pop(0) if mask >> i & 1 else supplied.pop(0))
            self.frame(g, ts, stack)
        else:
            raise AssertionError(ins)
        return None


def make(t, x):
    """A value of a type from numbers and lists."""
    if isinstance(x, V):
        return x
    if isinstance(x, tuple):
        return V(t, (x[0], [Cell(v) for v in x[1]]))
    if isinstance(x, list):
        items = [make(t[1], e) for e in x] if t[0] == "vec" else x
        return V(t, [Cell(v) for v in items])
    return V(t, int(x))
