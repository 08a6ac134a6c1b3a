# SPDX-License-Identifier: MIT
"""Build, sort and serialise a million objects; print digests of what came out."""
import hashlib
import json
import pickle
import sys

count = int(sys.argv[1])


class Person:
    __slots__ = ("number", "name", "town", "tags")

    def __init__(self, number, name, town, tags):
        self.number, self.name, self.town, self.tags = number, name, town, tags


def build(count):
    state = 12345
    for i in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield Person(state, "name%d" % (state % 100003), "town %d" % (state >> 20), [i, state & 7])


def digest(text):
    return hashlib.sha256(text).hexdigest()[:16]


people = list(build(count))
people.sort(key=lambda p: (p.town, p.name, p.number))
towns = {}
for person in people:
    towns.setdefault(person.town, []).append(person)
print("sorted", people[0].name, people[-1].name, len(towns))
part = people[:: 5]
print("json", digest(json.dumps([[p.number, p.name, p.town, p.tags] for p in part]).encode()))
rows = [(p.number, p.name, p.town, p.tags) for p in part]
print("pickle", digest(pickle.dumps(rows, protocol=4)))
print("read back", sum(row[0] for row in pickle.loads(pickle.dumps(rows))))
