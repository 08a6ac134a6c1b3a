/* SPDX-License-Identifier: MIT */
/* The same in C++17, with operator new. */
#include <memory>
#include <vmalloc/vmalloc.hpp>

int main()
{
    vm::region region{Vmdcsystem, Vmbest};
    auto p = std::make_unique<int>(1);
    auto q = vm::make_unique<int>(region, 1);
    bool ours = vmregion(p.get()) == Vmheap;

    return vmregion(q.get()) != region.get() || ours != MALLOC_IS_OURS;
}
