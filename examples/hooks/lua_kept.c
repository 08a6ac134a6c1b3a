/* SPDX-License-Identifier: MIT */
/*
 * A Lua interpreter that outlives its process: variables, tables, closures and coroutines are there again the next day.
 *
 *   lua_kept FILE CODE   run this; all that it did is kept, or nothing where it fails or is killed
 *   lua_kept             what a test wants to see
 *
 * A state points to functions and static objects of the program, and to C functions, which must be where they
 * were: the root's type is made of such addresses, and a state of another program is refused. Programs that are
 * linked with -static -no-pie have them always at the same place; others where the system does not choose addresses at
 * random (setarch -R), and in children of fork(), as here.  Userdata that points out of the image (open files, so
 * io.write in the next process) is no good there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/image.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static Vmalloc_t *vm;

static void *allocate(void *unused, void *block, size_t old, size_t size)
{
    (void)unused, (void)old;
    if (size != 0)
        return vmresize(vm, block, size, VM_RSMOVE | VM_RSCOPY);
    if (block != NULL)
        vmfree(vm, block);
    return NULL;
}

/* Where the program, Lua and libc are. */
static unsigned long place(void)
{
    return (unsigned long)(size_t)allocate ^ (unsigned long)(size_t)lua_newstate * 3 ^
           (unsigned long)(size_t)stdout * 5;
}

static lua_State *state_of(void)
{
    Vmroot_t root;
    lua_State *lua = vmrootget(vm, "lua", &root);

    if (lua != NULL && (root.type != place() || root.version != LUA_VERSION_NUM))
        return fprintf(stderr, "the state was made by a program at other addresses\n"), NULL;
    if (lua == NULL && (lua = lua_newstate(allocate, NULL)) != NULL) {
        luaL_openlibs(lua);
        vmrootset(vm, "lua", lua, place(), LUA_VERSION_NUM);
    }
    return lua;
}

static int run(const char *file, const char *code)
{
    lua_State *lua;
    char why[200];
    int failed = 1;

    vm = vmimage(file, NULL);
    if (vm == NULL)
        return vmimagewhy(why, sizeof why), fprintf(stderr, "%s\n", why), 1;
    if ((lua = state_of()) != NULL) {
        failed = luaL_dostring(lua, code);
        if (failed)
            fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        lua_settop(lua, 0);
        if (!failed && (failed = vmcommit(vm)) != 0)
            perror(file);
    }
    return vmclose(vm) | failed; /* not lua_close(): it is wanted again */
}

/* As if it were started once for each. */
static int demonstrate(const char *file)
{
    static const char *const code[] = {
        "words = {'one'}; function add(w) words[#words + 1] = w; return #words end",
        "print(add('two')); next = coroutine.wrap(function() for i = 1, 9 do coroutine.yield(i * i) end end)",
        "print(next()); add('lost'); os.exit(false)", /* ends before the commit */
        "print(next(), next()); print(table.concat(words, ' '))",
    };
    int i, state, bad = 0;

    for (i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            state = run(file, code[i]);
            fflush(stdout);
            _exit(state);
        }
        bad |= child < 0 || waitpid(child, &state, 0) != child || (state != 0) != (i == 2);
    }
    return remove(file) | bad;
}

int main(int argc, char **argv)
{
    return argc > 2 ? run(argv[1], argv[2]) : demonstrate("lua.image");
}
