/* SPDX-License-Identifier: MIT */
/*
 * A vector in an image that is opened at other addresses each time: its pointers, and its allocator,
 * are distances.  Each line printed is a promise.
 */
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>
#include <vmalloc/vmalloc.hpp>

using numbers = std::vector<long, vm::offset_allocator<long>>;

static void *run(const std::string &path, void *where)
{
    Vmimgopt_t options = Vmimgopt_t();
    options.flags = VM_IMGANYWHERE;
    options.limit = 64 << 20;
    options.addr = where;
    vm::image state{path, options};
    numbers &all = state.root<numbers>("numbers", vm::offset_allocator<long>{state}); /* found, or made */

    for (long i = 0; i < 1000; i++)
        all.push_back(i);
    state.commit();
    std::printf("%zu numbers, the last but one %ld\n", all.size(), all[all.size() - 2]);
    return all.data() == nullptr ? nullptr : &all;
}

int main()
{
    const std::string path = "/tmp/vmalloc-offsets-" + std::to_string(getpid()) + ".img";
    void *first = run(path, nullptr);
    void *second = run(path, vmmaddress(64 << 20));

    std::printf("at the same address: %s\n", first == second ? "yes" : "no");
    unlink(path.c_str());
    return 0;
}
