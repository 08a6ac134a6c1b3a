#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# When memory runs out and there is a new-handler, operator new(nothrow) gives no block of another allocator that was
# loaded behind this one: our delete would not know it.
set -uo pipefail

# shellcheck source=test/support/_linked.sh
. "${VMALLOC_SOURCE:?}/test/support/_linked.sh"

cat >other.cpp <<'END'
#include <cstddef>
#include <new>
alignas(64) static char one[64];
void *operator new(std::size_t, const std::nothrow_t &) noexcept { return one; }
void *operator new[](std::size_t, const std::nothrow_t &) noexcept { return one; }
END
cat >program.cpp <<'END'
#include <cstddef>
#include <new>
static int calls;
static void handler()
{
    if (++calls == 2)
        std::set_new_handler(nullptr);
}
int main()
{
    volatile std::size_t toomuch = static_cast<std::size_t>(-1) / 2;
    std::set_new_handler(handler);
    void *volatile p = ::operator new(toomuch, std::nothrow);
    if (p != nullptr)
        return 1;
    return calls == 2 ? 0 : 2;
}
END
if ! c++ -shared -fPIC -o other.so other.cpp || ! c++ -o program program.cpp || ! ./program; then
    echo "no compiler of C++"
    exit 77
fi
for preload in "$work/library.so" "$work/library.so $work/other.so"; do
    LD_PRELOAD=$preload timeout 60 ./program
    status=$?
    if [ $status != 0 ]; then
        echo "FAILED: status $status with $preload"
        failed=1
    fi
done
exit $failed
