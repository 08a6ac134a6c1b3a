/* SPDX-License-Identifier: MIT */
/* fence: operator<<(): use after free: read of 16 bytes, at offset 0 of a freed block of 64 bytes */
/* guard: use after free: read.* of a freed block of 64 bytes */
#include "_crime.h"
#include <sstream>
#include <string>
#include <vector>

void crime(int right)
{
    std::vector<std::string> v(2, "a text that is too long to be in the string itself");
    const std::string *first = static_cast<const std::string *>(hide(&v[0]));
    std::ostringstream o;
    if (!right)
        v.resize(10);
    o << *first;
}
