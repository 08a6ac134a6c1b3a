# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For scripts: the library of a cross build, such as one of 32 bits, is not for this system's programs.

# pass_by_foreign LIBRARY: ends the script as one that cannot run here when the library is of another machine
pass_by_foreign() {
    if LD_PRELOAD=$1 env true 2>&1 | grep -q 'wrong ELF class'; then
        echo "$1 is not for the programs of this system"
        exit 77
    fi
}
