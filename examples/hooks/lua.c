/* SPDX-License-Identifier: MIT */
/*
 * Lua in a region: each interpreter has its own, with a quota, and is dropped with it.
 *
 * lua_newstate() takes one function for all that an interpreter needs, and a pointer that is handed
 * to it: the region.  Lua counts on two things: a block that shrinks is never refused (Vmbest shrinks
 * in place), and freeing never fails.
 */
#include <stdio.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static void *region_alloc(void *region, void *block, size_t old, size_t size)
{
    (void)old;
    if (size == 0) {
        vmfree(region, block);
        return NULL;
    }
    return vmresize(region, block, size, VM_RSMOVE | VM_RSCOPY);
}

static const char build_tree[] =
    "local function tree(n) return n > 0 and {tree(n - 1), tree(n - 1)} or {} end\n"
    "kept = tree(10)\n"
    "local n = 0\n"
    "local function count(t) n = n + 1; for _, c in ipairs(t) do count(c) end end\n"
    "count(kept)\n"
    "print(n .. ' nodes')";

static void run(lua_State *L, const char *what)
{
    if (luaL_dostring(L, what) != LUA_OK) {
        printf("error: %s\n", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
}

int main(void)
{
    Vmdisc_t *quota = vmdclimit(Vmdcsystem, 0, 4 * 1024 * 1024, NULL, NULL);
    Vmalloc_t *region = quota ? vmopen(quota, Vmbest, VM_SINGLE) : NULL;
    lua_State *L = region ? lua_newstate(region_alloc, region) : NULL;

    if (L == NULL)
        return 1;
    luaL_openlibs(L);
    run(L, build_tree);
    run(L, "local s = 'x'; while true do s = s .. s end"); /* runs into the quota */
    run(L, "print('and goes on')");
    printf("the interpreter lies in its region: %s\n", vmregion(L) == region ? "yes" : "no");
    vmclose(region); /* in place of lua_close(): nothing in it holds files or the like */
    printf("held after closing: %zu\n", vmdclimited(quota));
    return vmdcfree(quota);
}
