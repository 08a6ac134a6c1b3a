# SPDX-License-Identifier: MIT
"""The workloads: programs of ours after published patterns, and real programs of the system."""
import os
import shutil
import subprocess

# name, arguments of build/bench/<program>, what it is
PATTERNS = [
    ("factor", ["factor"], "big-integer factoring: short-lived small blocks"),
    ("minimise", ["minimise"], "logic minimisation: lists of small cubes"),
    ("nbody", ["nbody"], "N-body tree, built at each step"),
    ("larson", ["larson"], "a server's churn, blocks handed between threads"),
    ("pairs", ["pairs"], "producers and consumers: frees by another thread"),
    ("passive", ["sharing", "passive"], "false sharing, passive"),
    ("active", ["sharing", "active"], "false sharing, active"),
    ("batch-own", ["batches", "own"], "batches freed in other order, in the thread"),
    ("batch-other", ["batches", "other"], "batches freed in other order, by other threads"),
    ("lifetimes", ["lifetimes"], "random sizes with random lifetimes, threads"),
    ("large", ["large"], "blocks of 5 to 25 MiB cycled"),
    ("growth", ["growth"], "growth by realloc"),
    ("brief", ["brief"], "threads that live for milliseconds"),
    ("peak", ["peak"], "memory that peaks and then falls"),
    ("startup", ["startup"], "500 starts of a trivial program"),
]


class Workload:
    def __init__(self, name, about, arguments, real=False, stdin=None, environment=None,
                 same=True, wrapper=()):
        self.name, self.about, self.arguments, self.real = name, about, arguments, real
        self.stdin, self.environment = stdin or os.devnull, environment or {}
        self.same = same        # the output does not depend on the allocator
        self.wrapper = wrapper  # a command that starts the measured one itself

    def command(self, prefix):
        return [*self.wrapper, *prefix, *self.arguments]


def pigeons(holes):
    """More pigeons than holes: no."""
    pigeon = range(holes + 1)
    text = ["(set-logic QF_UF)"]
    text += [f"(declare-const x{p}_{h} Bool)" for p in pigeon for h in range(holes)]
    text += ["(assert (or %s))" % " ".join(f"x{p}_{h}" for h in range(holes)) for p in pigeon]
    text += [f"(assert (not (and x{p}_{h} x{r}_{h})))"
             for h in range(holes) for p in pigeon for r in range(p)]
    return text + ["(check-sat)", "(reset)"]


def queens(n):
    """Queens on a board, in integer arithmetic: yes."""
    text = ["(set-logic QF_LIA)"]
    for i in range(n):
        text += [f"(declare-const q{i} Int)", f"(assert (and (<= 0 q{i}) (< q{i} {n})))"]
    for i in range(n):
        for j in range(i):
            text.append(f"(assert (and (distinct q{i} q{j}) (distinct (- q{i} q{j}) {i - j})"
                        f" (distinct (- q{i} q{j}) {j - i})))")
    return text + ["(check-sat)", "(reset)"]


def cxx_unit(count):
    """C++ that makes the compiler instantiate templates of the standard library."""
    text = ["#include <algorithm>", "#include <functional>", "#include <map>", "#include <memory>",
            "#include <string>", "#include <unordered_map>", "#include <vector>"]
    for i in range(count):
        text.append(f"""
struct Key{i} {{ int a; std::string b; bool operator<(const Key{i} &o) const {{ return b < o.b; }} }};
template <int N> struct Table{i} {{
    std::map<Key{i}, std::vector<std::unique_ptr<Key{i}>>> all;
    std::unordered_map<std::string, std::function<int(int)>> calls;
    int add(const std::string &s) {{
        auto &v = all[Key{i}{{N, s}}];
        v.push_back(std::make_unique<Key{i}>(Key{i}{{N + {i}, s + "x"}}));
        std::sort(v.begin(), v.end(), [](auto &p, auto &q) {{ return p->a + {i} < q->a; }});
        calls.emplace(s, [n = N](int k) {{ return n * k; }});
        return calls.at(s)(v.size());
    }}
}};
int use{i}(const std::string &s) {{ static Table{i}<1> t; static Table{i}<2> u; return t.add(s) + u.add(s); }}
""")
    return text


def write_inputs(source, folder):
    os.makedirs(folder, exist_ok=True)

    def write(name, lines):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")

    unit = subprocess.run(["sh", f"{source}/demo/unit.sh", "80"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    write("unit.c", [unit])
    write("unit.cc", cxx_unit(6))
    write("queens.smt2", pigeons(8) + queens(20) + queens(24) + queens(16))


def compiler_part(compiler, part):
    """Path of cc1 and its like, or None."""
    if not shutil.which(compiler):
        return None
    path = subprocess.run([compiler, f"-print-prog-name={part}"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
    return path if os.path.isabs(path) else None


def cxx_includes():
    """cc1plus is run by itself and knows its own include folders; nothing is added."""
    return ["-quiet", "-std=c++17", "-D_GNU_SOURCE", "-imultiarch",
            subprocess.run(["g++", "-print-multiarch"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.strip()]


def real_programs(source, folder):
    """Yields workloads, or (name, what is missing)."""
    demo = f"{source}/demo"

    def program(name, needs, about, arguments, **more):
        path = needs if needs and os.path.isabs(needs) else shutil.which(needs or "")
        if path is None:
            return name, needs
        return Workload(name, about, [path, *arguments], real=True, **more)

    yield program("python", "python3", "objects built, sorted, serialised",
                  [f"{demo}/objects.py", "150000"], environment={"PYTHONMALLOC": "malloc"})
    yield program("sqlite", "sqlite3", "a million rows in memory, joined", ["-batch", ":memory:"],
                  stdin=f"{demo}/rows.sql")
    yield program("perl", "perl", "words counted and rewritten", [f"{demo}/words.pl", "50000"])
    yield program("lua", "lua5.4", "trees and records", [f"{demo}/trees.lua", "40"])
    redis = program("redis", "redis-server", "keys by script, then redis-benchmark", [],
                    wrapper=[f"{demo}/redis.sh", "40000"])
    if isinstance(redis, Workload):
        redis.arguments = []  # redis.sh knows what to start
    yield redis
    yield program("cc1", compiler_part("gcc", "cc1") or "gcc", "the C compiler at -O2",
                  ["-quiet", "-O2", f"{folder}/unit.c", "-o", "-"])
    cc1plus = compiler_part("g++", "cc1plus")
    yield program("cc1plus", cc1plus or "g++", "the C++ compiler at -O1",
                  [*(cxx_includes() if cc1plus else []), "-O1", f"{folder}/unit.cc", "-o", "-"])
    yield program("clang", "clang", "clang at -O1",
                  ["-O1", "-S", f"{folder}/unit.c", "-o", "-"])
    yield program("z3", "z3", "a solver: pigeons and queens", [f"{folder}/queens.smt2"])
    yield program("gs", "gs", "ghostscript: a document rendered",
                  ["-q", "-sDEVICE=ppmraw", "-r60", "-sOutputFile=%stdout", "-dpages=12",
                   "-dBATCH", "-dNOPAUSE", f"{demo}/pages.ps"])


def all_workloads(source, build):
    """The list, and what is missing as (name, program)."""
    folder = f"{build}/bench/input"
    write_inputs(source, folder)
    found = [Workload(name, about, [f"{build}/bench/{command[0]}", *command[1:]],
                      same=name != "peak") for name, command, about in PATTERNS]
    missing = []
    for entry in real_programs(source, folder):
        (missing if isinstance(entry, tuple) else found).append(entry)
    return found, missing
