/* SPDX-License-Identifier: MIT */
/*
 * The names of Metall (LLNL) over managed images: programs that include <metall/metall.hpp> are built with the folder
 * above this one in front of Metall's own.  A datastore is one file here, where theirs is a directory.
 *
 * What is not here: descriptions and iterators of objects, and what looks into Metall's own structures.  What is better:
 * a process that is killed leaves the last flush(), snapshot() or closing, where Metall refuses to open.
 */
#ifndef METALL_METALL_HPP
#define METALL_METALL_HPP 1

#include <cstdio>
#include <string>
#include <vmalloc/managed.hpp>

#if __has_include(<boost/container/scoped_allocator.hpp>) /* Metall needs Boost, and uses its containers */
#include <boost/container/scoped_allocator.hpp>
#endif

namespace metall {

using vm::anonymous_instance;
using vm::create_only;
using vm::offset_ptr;
using vm::open_only;
using vm::open_read_only;
using vm::unique_instance;

template <class T> T *to_raw_pointer(const offset_ptr<T> &p) { return p.get(); }

class manager : public vm::managed_image {
  public:
#if __has_include(<boost/container/scoped_allocator.hpp>)
    template <class T> using scoped_allocator_type = boost::container::scoped_allocator_adaptor<allocator_type<T>>;
#endif
    using vm::managed_image::managed_image;

    /* Metall's takes the place of what is there. */
    manager(vm::create_only_t mode, const std::string &path, std::size_t capacity = 0)
        : vm::managed_image(mode, (remove(path), path), capacity)
    {
    }

    static bool remove(const std::string &path) { return std::remove(path.c_str()) == 0; }

    /* Whether there is an image at path that this process could open, with its last commit. */
    static bool consistent(const std::string &path)
    {
        try {
            return vm::managed_image(open_read_only, path).read_only();
        } catch (const vm::image_error &) {
            return false;
        }
    }
    static bool copy(const std::string &from, const std::string &to)
    {
        return vm::managed_image(open_read_only, from).snapshot(to);
    }

    bool all_memory_deallocated() const { return stat().n_busy == 0; }
};

} // namespace metall

#endif
