/* SPDX-License-Identifier: MIT */
/* both: readdir(): use after free: .* at offset 0 of a freed block */
#include "_crime.h"

#include <dirent.h>

void crime(int right)
{
    DIR *folder = (DIR *)hide(opendir("/"));
    if (!right)
        closedir(folder);
    if ((readdir(folder) != NULL) != right)
        exit(1);
    if (right)
        closedir(folder);
}
