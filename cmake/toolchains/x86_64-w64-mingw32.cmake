# Windows on x86-64, with Debian's gcc-mingw-w64-x86-64; the programs run in Wine, which cmake/wine.sh starts.
# Needs: x86_64-w64-mingw32-gcc wine
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../wine.sh ${CMAKE_BINARY_DIR})
set(VM_TRIPLET x86_64-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/debian.inc)
set(CMAKE_RC_COMPILER ${VM_TRIPLET}-windres)
# Tests take the compiler's libraries into themselves, and need none at a path.
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -static")
