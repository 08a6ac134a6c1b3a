/* SPDX-License-Identifier: MIT */
/*
 * Objects in a file, made and found by name, with the words of Boost.Interprocess and Metall: the second process finds what
 * the first one made, the third is killed and takes nothing along but what it had not committed.
 */
#include <cstdio>
#include <csignal>
#include <map>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>
#include <vmalloc/managed.hpp>

using vm::managed_image;
using word = std::basic_string<char, std::char_traits<char>, managed_image::allocator_type<char>>;
using pages = std::vector<int, managed_image::allocator_type<int>>;
using index_t = std::map<word, pages, std::less<word>,
                         managed_image::scoped_allocator_type<std::pair<const word, pages>>>;

static word text(managed_image &in, const char *s)
{
    return word(s, in.get_allocator<char>());
}

static void first(const std::string &path)
{
    managed_image book(vm::create_only, path, 64 << 20); /* at most 64 MiB */
    index_t *index = book.construct<index_t>("index")(book.get_allocator());

    (*index)[text(book, "region")].push_back(1); /* the vectors have the map's allocator */
    (*index)[text(book, "image")].push_back(7);
    book.construct<int>("chapters")[3](10); /* an array: each of them is 10 */
} /* closing commits */

static void second(const std::string &path)
{
    managed_image book(vm::open_only, path);
    index_t *index = book.find<index_t>("index").first;
    auto [chapters, n] = book.find<int>("chapters");

    for (const auto &[what, where] : *index)
        std::printf("%s: page %d\n", what.c_str(), where.front());
    std::printf("%zu chapters, the last of %d pages\n", n, chapters[n - 1]);
    book.destroy<int>("chapters");
    std::printf("chapters: %s\n", book.find<int>("chapters").first ? "there" : "gone");
    try {
        (void)book.find<double>("index");
    } catch (const vm::image_error &error) {
        std::printf("refused: %s\n", error.what());
    }
}

static void third(const std::string &path)
{
    managed_image book(vm::open_or_create, path);
    index_t *index = book.find_or_construct<index_t>("index")(book.get_allocator());

    (*index)[text(book, "committed")];
    book.commit();
    index->clear();
    std::raise(SIGKILL);
}

static void run(void (*part)(const std::string &), const std::string &path)
{
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        part(path);
        std::fflush(stdout);
        _exit(0);
    }
    (void)waitpid(child, nullptr, 0);
}

int main()
{
    const std::string path = "/tmp/vmalloc-book-" + std::to_string(getpid()) + ".img";

    run(first, path);
    run(second, path);
    run(third, path);
    {
        managed_image book(vm::open_read_only, path);
        std::printf("after the crash: %zu words\n", book.find<index_t>("index").first->size());
    }
    return unlink(path.c_str());
}
