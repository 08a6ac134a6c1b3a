/* SPDX-License-Identifier: MIT */
/*
 * C++: containers in a region.  All that a request builds lies in one region on Vmlast, and is dropped
 * with it at the end of the scope: no destructor has to free anything.
 *
 *     c++ -std=c++17 11-containers.cpp -lvmalloc
 */
#include <vmalloc/vmalloc.hpp>

#include <cstdio>
#include <map>
#include <memory_resource>
#include <string>

/* How often each word comes, in memory of the region alone. */
static void count_words(const char *text)
{
    vm::region request{Vmdcheap, Vmlast, VM_SINGLE};
    vm::memory_resource from{request};
    std::pmr::map<std::pmr::string, int> count{&from};

    std::pmr::string word{&from};
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            word += *text;
            continue;
        }
        count[word]++;
        word.clear();
    }
    count[word]++;
    for (const auto &[w, n] : count)
        std::printf("%s %d\n", w.c_str(), n);
    std::printf("in the region: %s\n", vmregion(&count.begin()->second) == request.get() ? "yes" : "no");
}

int main()
{
    count_words("the region takes the words and the region drops the words");
    try {
        vm::region small{Vmdcheap, Vmpool}; /* blocks of one size: that of the first */
        (void)small.allocate(32);
        (void)small.allocate(64);
    } catch (const std::bad_alloc &) {
        std::puts("a pool has one size");
    }
}
