// SPDX-License-Identifier: MIT
// The map in a mapped file of Boost.Interprocess: an unordered map with its allocator.  What a crash leaves is
// anybody's guess, so that it is there for loading and reading only.
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/managed_mapped_file.hpp>
#include <boost/unordered_map.hpp>
#include <cstdint>
#include <functional>
#include <utility>

extern "C" {
#include "work.h"
}

namespace bip = boost::interprocess;
typedef std::pair<const uint64_t, uint64_t> pair_t;
typedef bip::allocator<pair_t, bip::managed_mapped_file::segment_manager> memory_t;
typedef boost::unordered_map<uint64_t, uint64_t, boost::hash<uint64_t>, std::equal_to<uint64_t>, memory_t> map_t;

static bip::managed_mapped_file *file;
static map_t *map;

static void open_it(const char *path, int, uint64_t)
{
    file = new bip::managed_mapped_file(bip::open_or_create, path, std::size_t(1) << 30);
    map = file->find_or_construct<map_t>("map")(0, boost::hash<uint64_t>(), std::equal_to<uint64_t>(),
                                                file->get_segment_manager());
}

static void nothing()
{
}

static void put(uint64_t key, uint64_t value)
{
    (*map)[key] = value;
}

static int get(uint64_t key, uint64_t *value)
{
    map_t::const_iterator at = map->find(key);
    if (at == map->end())
        return 0;
    *value = at->second;
    return 1;
}

static void commit()
{
    file->flush();
}

static void close_it()
{
    delete file;
}

int main(int argc, char **argv)
{
    static const peer_t peer = {open_it, nothing, put, get, commit, close_it};
    return work(&peer, argc, argv);
}
