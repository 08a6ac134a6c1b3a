/* SPDX-License-Identifier: MIT */
/* What the programs share: with an argument they do right, without one they commit their crime. */
#ifndef CRIME_H
#define CRIME_H 1

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

/* Kept from the compiler, which would see the crime, or leave it out. */
static inline void *hide(void *p)
{
    void *volatile v = p;
    return v;
}

static inline size_t number(size_t n)
{
    volatile size_t v = n;
    return v;
}

static inline char *block(size_t size)
{
    return (char *)hide(malloc(number(size)));
}

static inline void put(void *p, long offset)
{
    *(volatile char *)((char *)hide(p) + offset) = 1;
}

static inline int get(void *p, long offset)
{
    return *(volatile char *)((char *)hide(p) + offset);
}

/* Run f(arg) in a thread, and wait for its end. */
static inline void inthread(void *(*f)(void *), void *arg)
{
    pthread_t t;
    pthread_create(&t, NULL, f, arg);
    pthread_join(t, NULL);
}

void crime(int right);

int main(int argc, char **argv)
{
    (void)argv;
    crime(argc > 1);
    return 0;
}

#endif
