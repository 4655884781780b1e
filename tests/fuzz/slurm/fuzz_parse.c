// SPDX-License-Identifier: Apache-2.0
// What Slurm's commands and a job's script may say.
#include <stdlib.h>

#include "worker/slurm/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_slurm_queue_row rows[8];
    struct rt_slurm_where where;
    enum rt_slurm_state state;
    struct rt_bytes text = rt_bytes(data, size);
    size_t count = 0;
    uint64_t id = 0;
    if (!rt_slurm_queue_read(text, "rt-uni-b-b72b4503", rows, 8, &count))
        for (size_t r = 0; r < count; r++)
            if (!rows[r].row.token || rows[r].row.state > RT_SLURM_STATE_UNKNOWN)
                abort();
    if (count > 8 || (!rt_slurm_submitted_read(text, &id) && !id))
        abort();
    if (!rt_slurm_account_read(text, 12, &state) && state > RT_SLURM_STATE_UNKNOWN)
        abort();
    if (!rt_slurm_where_read(text, &where)) {
        struct rt_buf url;
        rt_buf_init(&url, 4096);
        rt_slurm_fill("http://{node}:{port}/v1", &where, &url);
        // Nothing a script says gets beyond the host and the port.
        if (rt_buf_ok(&url) || strpbrk(rt_buf_str(&url) + 7, "@?#\\ ") || !where.port)
            abort();
        rt_buf_release(&url);
    }
    if (rt_slurm_left_ms(text) < -1)
        abort();
    return 0;
}
