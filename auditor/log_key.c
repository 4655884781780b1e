// SPDX-License-Identifier: Apache-2.0
#include "auditor/log_key.h"

#include "common/base/file.h"

enum rt_status rt_log_key_read(const char *text, struct rt_vkey *ret_key, struct rt_error *err)
{
    struct rt_buf file;
    if (!rt_vkey_parse(rt_bytes_str(text), ret_key))
        return RT_OK;
    rt_buf_init(&file, 4096);
    enum rt_status status = rt_file_read(text, &file, err);
    if (!status) {
        struct rt_bytes line = rt_buf_bytes(&file);
        while (line.size && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
            line.size--;
        if (rt_vkey_parse(line, ret_key))
            status =
                rt_error_set(err, RT_MALFORMED, "%s: neither a log's key nor a file of one", text);
    }
    rt_buf_release(&file);
    return status;
}
