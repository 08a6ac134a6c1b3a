/* SPDX-License-Identifier: MIT */
/* A library that is loaded and unloaded; it calls back. */
void loaded_call(void (*f)(void));

void loaded_call(void (*f)(void))
{
    f();
    __asm__ volatile("" ::: "memory");
}
