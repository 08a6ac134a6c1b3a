/* SPDX-License-Identifier: MIT */
/*
 * A program in the manner of those that were written for pma: a list of words, one more for each run, that hangs on the
 * one root.  Four processes, of which the third is killed: its word is not there, and the list is whole.
 */
#include "pma.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct word {
    struct word *next; /* a plain pointer: an image opens at its address */
    char *text;
} word_t;

static void add(const char *text)
{
    word_t *word = pma_malloc(sizeof *word);
    char *copy = pma_realloc(pma_calloc(1, 1), strlen(text) + 1);

    if (word == NULL || copy == NULL)
        abort();
    strcpy(copy, text);
    *word = (word_t){pma_get_root(), copy};
    pma_set_root(word);
}

/* What a process does, which begins with pma_init() and ends as programs do. */
static void use(const char *file, const char *text, int killed)
{
    const word_t *word;

    if (pma_init(1, file) != 0)
        exit(1);
    add(text);
    for (word = pma_get_root(); word != NULL; word = word->next)
        printf("%s%s", word->text, word->next != NULL ? " " : "\n");
    pma_check_and_dump();
    fflush(stdout);
    if (killed)
        raise(SIGKILL);
    exit(0);
}

int main(void)
{
    static const char *const texts[] = {"one", "two", "killed", "three"};
    const char *file = "pma.image"; /* made as pma's users do: truncate -s 16M pma.image */
    int i, state, bad = 0, fd = open(file, O_CREAT | O_RDWR | O_TRUNC, 0600);

    bad = fd < 0 || ftruncate(fd, 16 << 20) != 0 || close(fd) != 0;
    for (i = 0; i < 4; i++) {
        pid_t child = fork();

        if (child == 0)
            use(file, texts[i], i == 2);
        bad |= child < 0 || waitpid(child, &state, 0) != child || WIFSIGNALED(state) != (i == 2) ||
               (i != 2 && state != 0);
    }
    return remove(file) | bad;
}
