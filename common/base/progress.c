// SPDX-License-Identifier: Apache-2.0
#include "common/base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/time.h"

void rt_progress_render(const struct rt_progress_row *row, int64_t elapsed_ms, size_t width,
                        struct rt_buf *out)
{
    uint64_t total = row->total ? row->total : 1;
    uint64_t done = row->done < total ? row->done : total;
    double rate = elapsed_ms > 0 ? (double)row->done * 1000.0 / (double)elapsed_ms : 0.0;
    // A row with a note is held by something else than its speed: no time to go.
    char left[32] = "";
    if (done < total && rate > 0 && !row->note)
        rt_duration_format((int64_t)((double)(total - done) / rate * 1000.0), left);
    char count[48], tail[160];
    snprintf(count, sizeof count, "%" PRIu64 "/%" PRIu64, row->done, row->total);
    int written =
        snprintf(tail, sizeof tail, " %3u%% %13s %6.0f/s  %s", (unsigned)(done * 100 / total),
                 count, rate, row->note ? row->note : left);
    size_t tail_size = written < (int)sizeof tail ? (size_t)written : sizeof tail - 1;
    // Bars of one width whatever their notes, and no line longer than the terminal: a wrapped line
    // would not be drawn over.
    size_t bar = width >= 120 ? 40 : width >= 96 ? 20 : width >= 60 ? 12 : 8;
    size_t room = width > bar + 16 ? width - bar - 16 : 0;
    rt_buf_printf(out, "%-12.12s [", row->name);
    size_t filled = (size_t)((unsigned __int128)bar * done / total);
    for (size_t i = 0; i < bar; i++)
        rt_buf_add_u8(out, i < filled ? '#' : '.');
    rt_buf_printf(out, "]%.*s", (int)(tail_size < room ? tail_size : room), tail);
}

void rt_progress_init(struct rt_progress *progress, int fd)
{
    *progress =
        (struct rt_progress){.fd = fd, .active = isatty(fd) == 1, .start_ms = rt_time_mono_ms()};
}

void rt_progress_draw(struct rt_progress *progress, const struct rt_progress_row *rows,
                      size_t count, bool force)
{
    int64_t now = rt_time_mono_ms();
    if (!progress->active || (!force && now - progress->last_draw_ms < 100))
        return;
    progress->last_draw_ms = now;
    struct winsize size;
    size_t width =
        ioctl(progress->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : 80;
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    if (progress->rows_drawn)
        rt_buf_printf(&out, "\033[%zuA", progress->rows_drawn);
    for (size_t i = 0; i < count; i++) {
        rt_buf_add_str(&out, "\r\033[K");
        rt_progress_render(&rows[i], now - progress->start_ms, width, &out);
        rt_buf_add_u8(&out, '\n');
    }
    progress->rows_drawn = count;
    if (write(progress->fd, out.data, out.size) < 0)
        progress->active = false;
    rt_buf_release(&out);
}

void rt_progress_finish(struct rt_progress *progress)
{
    progress->rows_drawn = 0;
}
