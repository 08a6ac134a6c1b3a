# glibc on 64-bit RISC-V, with Debian's gcc-riscv64-linux-gnu; the programs run in qemu-riscv64.
# Needs: riscv64-linux-gnu-gcc qemu-riscv64
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64 -L /usr/riscv64-linux-gnu)
set(VM_TRIPLET riscv64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.inc)
