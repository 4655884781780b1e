// SPDX-License-Identifier: Apache-2.0
// Archives of any content: names stay inside, members stay within their bound.
#include "interop/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_zip_reader *zip = NULL;
    struct rt_error err;
    if (rt_zip_open_memory("t", rt_bytes(data, size), &zip, &err))
        return 0;
    for (size_t i = 0; i < rt_zip_count(zip) && i < 16; i++) {
        struct rt_buf out;
        const char *name = rt_zip_name(zip, i);
        if (*name == '/' || strstr(name, "/../") || strncmp(name, "../", 3) == 0)
            __builtin_trap();
        rt_buf_init(&out, (size_t)1 << 20);
        enum rt_status status = rt_zip_read(zip, i, &out, &err);
        if (!status && out.size > ((size_t)1 << 20))
            __builtin_trap();
        rt_buf_release(&out);
    }
    rt_zip_free(zip);
    return 0;
}
