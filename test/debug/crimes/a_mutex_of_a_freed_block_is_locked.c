/* SPDX-License-Identifier: MIT */
/* both: pthread_mutex_lock(): use after free: .* of a freed block */
#include "_crime.h"

void crime(int right)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)(void *)block(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    if (!right)
        free(mutex);
    pthread_mutex_lock((pthread_mutex_t *)hide(mutex));
    if (right) {
        pthread_mutex_unlock(mutex);
        free(mutex);
    }
}
