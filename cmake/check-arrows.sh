#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-arrows.sh [SOURCE]: includes go down the arrows of cmake/rooms.txt only; tools/ and examples/ include
# public headers only. Says file, line and reason of each include that does not.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

folders=()
for folder in src tools examples; do
    [ ! -d "$folder" ] || folders+=("$folder")
done
[ ${#folders[@]} -gt 0 ] || exit 0

{
    sed 's/^/arrow /' cmake/rooms.txt
    find include src tools examples -name '*.h*' 2>/dev/null | sed 's/^/header /'
    grep -rnHE --include='*.[ch]' --include='*.[ch]pp' '^[[:space:]]*#[[:space:]]*include' "${folders[@]}" |
        sed 's/^/include /'
} | awk '
function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
function room_of(path,  part) { return split(path, part, "/") > 2 ? part[2] : "names" }

# may a file of this room include this header of src/?
function may_see(room, header,  other, deep) {
    other = room_of(header)
    if (other == room) return 1
    deep = folder_of(header) != "src/" other
    return ((room, other) in arrow) && (!deep || arrow[room, other] == "deep")
}

function bad(why) { printf "%s:%s: #include %s: %s\n", file, line, name, why; failed = 1 }

function check_user() {
    if (quoted && ((folder_of(file) "/" name) in header)) return
    if (("include/" name) in header) return
    if (quoted) bad("only public headers and those of its own folder")
    else if (split(name, part, "/") > 1 && (part[1] in rooms)) bad("only public headers")
}

function check_room(  room, here, n, i, where, known) {
    room = room_of(file)
    here = folder_of(file) "/" name
    if (!(room in rooms)) { bad("its room " room " is not in cmake/rooms.txt"); return }
    if ((quoted && (here in header)) || (("include/" name) in header)) return
    if (split(name, part, "/") > 1) {
        if (part[1] in rooms) bad("a header of a room is included by its plain name")
        return
    }
    if (!quoted) return
    n = split(places[name], where, " ")
    for (i = 1; i <= n; i++) if (may_see(room, where[i])) return
    if (n) bad("room " room " may not see room " room_of(where[1]))
}

$1 == "arrow" && $2 ~ /^[a-z]+:$/ {
    sub(/:$/, "", $2); rooms[$2] = 1
    for (i = 3; i <= NF; i++) { deep = sub(/\*$/, "", $i); arrow[$2, $i] = deep ? "deep" : "top" }
}
$1 == "header" {
    header[$2] = 1
    base = $2; sub(/.*\//, "", base)
    if ($2 ~ /^src\//) places[base] = places[base] " " $2
}
$1 == "include" {
    text = substr($0, 9)
    file = text; sub(/:.*/, "", file)
    line = substr(text, length(file) + 2); sub(/:.*/, "", line)
    if (!match(text, /include[ \t]*["<][^">]*[">]/)) next
    name = substr(text, RSTART, RLENGTH); sub(/^include[ \t]*/, "", name)
    quoted = name ~ /^"/
    name = substr(name, 2, length(name) - 2)
    if (name ~ /\.\.\//) bad("no way up with ../")
    else if (file ~ /^src\//) check_room()
    else check_user()
}
END { exit failed }
'
