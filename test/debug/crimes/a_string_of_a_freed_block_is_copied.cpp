/* SPDX-License-Identifier: MIT */
/* fence: std::string::operator=(): use after free: read of 16 bytes, at offset 32 of a freed block of 64 bytes */
/* guard: use after free: read.* of a freed block of 64 bytes */
#include "_crime.h"
#include <stdexcept>
#include <string>
#include <vector>

void crime(int right)
{
    std::vector<std::string> v(2, "a text that is too long to be in the string itself");
    const std::string *second = static_cast<const std::string *>(hide(&v[1]));
    std::string copy;
    if (!right)
        v.resize(10);
    try {
        copy = *second;
    } catch (const std::length_error &) {
    }
}
