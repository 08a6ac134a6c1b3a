/* SPDX-License-Identifier: MIT */
/*
 * A dictionary of Cdt (Debian: libgraphviz-dev) that outlives its program: words and how often they came.
 *
 *   cdt FILE WORD...   count these words; all of them, or none when it is killed
 *   cdt FILE           list them; without FILE: what a test wants to see
 *
 * Cdt takes two functions: one for memory, which is our image's, and one that hears events.  When a
 * dictionary is opened that function may hand out the data of an earlier one, here the root "words",
 * and when it is closed it may ask for the data to be left alone.  Links in it are plain pointers: an
 * image opens at its address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/image.h>

#include <cdt.h>

typedef struct word {
    Dtlink_t link;
    long times;
    char *text;
} word_t;

typedef struct kept {
    Dtdisc_t disc; /* first: Cdt hands out this */
    Vmalloc_t *vm;
} kept_t;

static void *memory(Dt_t *dict, void *block, size_t size, Dtdisc_t *disc)
{
    Vmalloc_t *vm = ((kept_t *)disc)->vm;

    (void)dict;
    return size != 0 ? vmresize(vm, block, size, VM_RSMOVE | VM_RSCOPY) : (vmfree(vm, block), NULL);
}

static int event(Dt_t *dict, int type, void *data, Dtdisc_t *disc)
{
    Vmalloc_t *vm = ((kept_t *)disc)->vm;

    if (type == DT_OPEN)
        return (*(void **)data = vmrootget(vm, "words", NULL)) != NULL;
    if (type == DT_ENDOPEN)
        return vmrootset(vm, "words", dict->data, CDT_VERSION, 1);
    return type == DT_CLOSE; /* nothing is freed: it is wanted again */
}

static void *make(Dt_t *dict, void *like, Dtdisc_t *disc)
{
    Vmalloc_t *vm = ((kept_t *)disc)->vm;
    word_t *word = vmalloc(vm, sizeof *word);

    (void)dict;
    if (word != NULL)
        *word = (word_t){.text = vmstrdup(vm, ((word_t *)like)->text)};
    return word;
}

static int use(const char *file, int n, char **words)
{
    kept_t kept = {{offsetof(word_t, text), -1, offsetof(word_t, link), make, NULL, NULL, NULL, memory, event},
                   vmimage(file, NULL)};
    Dt_t *dict = kept.vm != NULL ? dtopen(&kept.disc, Dtoset) : NULL;
    word_t *word;
    int i;

    if (dict == NULL)
        return fprintf(stderr, "%s does not open\n", file), 1;
    for (i = 0; i < n; i++)
        if ((word = dtinsert(dict, &(word_t){.text = words[i]})) != NULL)
            word->times++;
    if (n > 0 && vmcommit(kept.vm) != 0)
        return perror(file), 1;
    for (word = dtfirst(dict); n == 0 && word != NULL; word = dtnext(dict, word))
        printf("%s %ld\n", word->text, word->times);
    dtmatch(dict, ""); /* Cdt of Graphviz 2.42 forgets to free its handle when the last search was a find */
    i = dtclose(dict);
    return vmclose(kept.vm) | i;
}

/* As if it were started three times. */
static int demonstrate(const char *file)
{
    static char *const said[] = {"to", "be", "or", "not", "to", "be"};
    int run, state, bad = 0;

    for (run = 0; run < 3; run++) {
        pid_t child = fork();
        if (child == 0)
            exit(use(file, run < 2 ? 6 - 2 * run : 0, (char **)said));
        bad |= child < 0 || waitpid(child, &state, 0) != child || state != 0;
    }
    return remove(file) | bad;
}

int main(int argc, char **argv)
{
    return argc > 1 ? use(argv[1], argc - 2, argv + 2) : demonstrate("cdt.image");
}
