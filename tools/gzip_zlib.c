/* SPDX-License-Identifier: MIT */
/* gzip_zlib: compressed by zlib. */
#include "gzip.h"

#include <string.h>
#include <zlib.h>

#define GZIP (15 + 16) /* the largest window, and gzip's head and end */
#define PIECE (1u << 20)

static int deflate_all(FILE *out, z_stream *z, const unsigned char *bytes, size_t n)
{
    unsigned char buffer[1 << 14];
    int status = Z_OK;

    while (status == Z_OK) {
        if (z->avail_in == 0 && n > 0) {
            z->next_in = (unsigned char *)(size_t)bytes;
            z->avail_in = (uInt)(n < PIECE ? n : PIECE);
            bytes += z->avail_in;
            n -= z->avail_in;
        }
        z->next_out = buffer;
        z->avail_out = sizeof(buffer);
        status = deflate(z, n == 0 ? Z_FINISH : Z_NO_FLUSH);
        fwrite(buffer, 1, sizeof(buffer) - z->avail_out, out);
    }
    return status == Z_STREAM_END ? 0 : -1;
}

int gzip_put(FILE *out, const unsigned char *bytes, size_t n)
{
    z_stream z;
    int status;

    memset(&z, 0, sizeof(z));
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -1;
    status = deflate_all(out, &z, bytes, n);
    deflateEnd(&z);
    return status;
}
