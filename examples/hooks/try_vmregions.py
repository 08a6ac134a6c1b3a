# SPDX-License-Identifier: MIT
# Python in a region, see vmregions.c: what is built after install() lies there and leaves it again; what was
# built before is grown and freed by its first owner; threads, and an end of the program as any other.
import gc
import threading
import vmregions

early = [str(i) * 20 for i in range(1000)]
vmregions.install()
start, _ = vmregions.busy()


def build(to, name):
    to[name] = {i: [str(i) * 10] for i in range(20000)}


late = {}
threads = [threading.Thread(target=build, args=(late, n)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("in the region:", "yes" if vmregions.busy()[0] - start > 4 * 20000 else "no")
early.extend(range(100000))
early.clear()
assert late[3][19999] == ["19999" * 10]
late.clear()
gc.collect()
print("left again:", "yes" if vmregions.busy()[0] - start < 20000 else "no")
