// SPDX-License-Identifier: Apache-2.0
// Progress bars on a terminal: one line a thing (a lab, a file), with rate and time to go, redrawn
// in place at most ten times a second; on anything but a terminal they print nothing. One thread.
#ifndef RT_BASE_PROGRESS_H
#define RT_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

struct rt_progress_row {
    const char *name;
    uint64_t done;
    uint64_t total;
    const char *note; // "withdrawn", "held: gpu busy"; may be NULL
};

struct rt_progress {
    int fd;
    bool active; // fd is a terminal
    size_t rows_drawn;
    int64_t last_draw_ms;
    int64_t start_ms;
};

// Pure rendering of one line (no newline), width columns wide; rate from done over elapsed_ms.
void rt_progress_render(const struct rt_progress_row *row, int64_t elapsed_ms, size_t width,
                        struct rt_buf *out);

void rt_progress_init(struct rt_progress *progress, int fd);
// Redraw all rows if it is time or `force`.
void rt_progress_draw(struct rt_progress *progress, const struct rt_progress_row *rows,
                      size_t count, bool force);
void rt_progress_finish(struct rt_progress *progress);

#endif
