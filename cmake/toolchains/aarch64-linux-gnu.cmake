# glibc on 64-bit ARM, with Debian's gcc-aarch64-linux-gnu; the programs run in qemu-aarch64.
# Needs: aarch64-linux-gnu-gcc qemu-aarch64
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
set(VM_TRIPLET aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.inc)
