# glibc on s390x, which is big-endian, with Debian's gcc-s390x-linux-gnu; the programs run in qemu-s390x.
# Needs: s390x-linux-gnu-gcc qemu-s390x
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-s390x -L /usr/s390x-linux-gnu)
set(VM_TRIPLET s390x-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.inc)
