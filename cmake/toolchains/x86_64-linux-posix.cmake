# This machine with the files of src/os/ for other Unixes, which use nothing that is Linux' own.
# Needs: cc
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER cc)
set(VMALLOC_OS posix CACHE STRING "")
