/* SPDX-License-Identifier: MIT */
/*
 * Containers of the standard library in an image: the second run finds the words that the first one
 * kept, and counts on; what is not committed is gone.  Each line printed is a promise.
 */
#include <cstdio>
#include <map>
#include <string>
#include <unistd.h>
#include <vmalloc/vmalloc.hpp>

using word = std::basic_string<char, std::char_traits<char>, vm::image_allocator<char>>;
using pair_allocator = vm::image_allocator<std::pair<const word, long>>;
using counts = std::map<word, long, std::less<word>, pair_allocator>;

static void count(vm::image &state, const char *text)
{
    counts &words = state.root<counts>("words", pair_allocator{state}); /* found, or made */

    words[word(text, words.get_allocator())]++;
    words[word("a word that is too long for the string itself", words.get_allocator())] += 2;
}

static void run(const std::string &path)
{
    vm::image state{path};

    count(state, "kept");
    state.commit();
    count(state, "dropped");
    state.rollback();
    for (const auto &[text, n] : *state.find<counts>("words"))
        std::printf("%s: %ld\n", text.c_str(), n);
}

int main()
{
    const std::string path = "/tmp/vmalloc-words-" + std::to_string(getpid()) + ".img";

    run(path);
    run(path); /* as another process would */
    try {
        vm::image state{path};
        (void)state.find<int>("words");
    } catch (const vm::image_error &error) {
        std::printf("refused: %s\n", error.what());
    }
    try {
        vm::image nowhere{"/no/such/folder/words.img"};
    } catch (const vm::image_error &error) {
        std::printf("refused: %s\n", error.what());
    }
    unlink(path.c_str());
    return 0;
}
