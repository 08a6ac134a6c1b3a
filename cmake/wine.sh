#!/bin/sh
# SPDX-License-Identifier: MIT
# wine.sh BUILD PROGRAM [ARGUMENT]...: run a program of Windows in Wine, which keeps what it needs in BUILD/wine, and
# which finds the libraries in BUILD.  No window, no messages, no questions for what comes with other packages.
export WINEPREFIX="$1/wine" WINEPATH="$1" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe="
unset DISPLAY WAYLAND_DISPLAY
shift
exec wine "$@"
