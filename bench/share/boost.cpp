// SPDX-License-Identifier: MIT
// bench/share/work.h on a managed_shared_memory of Boost.Interprocess.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <cstddef>
#include <cstring>

using namespace boost::interprocess;

static managed_shared_memory *memory;

static void attach()
{
}

static char *take(std::size_t n)
{
    return static_cast<char *>(memory->allocate(n));
}

static void drop(char *p)
{
    memory->deallocate(p);
}

#include "work.h"

int main(int argc, char **argv)
{
    shared_memory_object::remove("boost.bench");
    managed_shared_memory made(create_only, "boost.bench", 256 << 20);
    memory = &made;
    void *slots = std::memset(made.allocate(SLOTS * sizeof(long)), 0, SLOTS * sizeof(long));
    int r = measure(argc, argv, static_cast<long *>(slots));
    shared_memory_object::remove("boost.bench");
    return r;
}
