/* SPDX-License-Identifier: MIT */
/* both: operator<<(): its number was never written */
#include "_crime.h"
#include <sstream>

void crime(int right)
{
    unsigned *p = static_cast<unsigned *>(hide(new unsigned[4]));
    std::ostringstream o;
    p[0] = 1;
    if (right)
        p[2] = 2;
    o << p[0] << 1.5 << -1 << "text" << p[2];
    delete[] p;
}
