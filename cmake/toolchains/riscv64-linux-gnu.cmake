# glibc on 64-bit RISC-V, with Debian's gcc-riscv64-linux-gnu; the programs run in qemu-riscv64.
# Needs: riscv64-linux-gnu-gcc qemu-riscv64
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64 -L /usr/riscv64-linux-gnu)
set(VM_TRIPLET riscv64-linux-gnu)
# Tables for who walks stacks, which gcc leaves out for C there before version 13.
string(APPEND CMAKE_C_FLAGS_INIT " -fasynchronous-unwind-tables")
include(${CMAKE_CURRENT_LIST_DIR}/debian.inc)
