#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/web/template.html is what its sources and the locked versions of libraries make.
set -uo pipefail

web=${VMALLOC_SOURCE:?}/tools/web
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "there is no npm"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$web/src" "$web/package.json" "$web/package-lock.json" "$web/build.mjs" "$work"
cd "$work" || exit 1
if ! timeout 100 npm ci --ignore-scripts --no-audit --no-fund --prefer-offline >log 2>&1; then
    if [ ! -s log ] || grep -qE 'ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ENOTCACHED|E50[0-9]' log; then
        echo "the registry of npm cannot be reached"
        exit 77
    fi
    cat log
    exit 1
fi
node build.mjs template.html || exit 1
cmp template.html "$web/template.html" || {
    echo "tools/web/template.html is not what its sources make: run npm ci && npm run build there"
    exit 1
}
