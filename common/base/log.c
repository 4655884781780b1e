// SPDX-License-Identifier: Apache-2.0
#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/time.h"

static struct {
    const char *program;
    enum rt_log_level level;
    bool json;
} settings = {"ringtrial", RT_LOG_INFO, false};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void rt_log_setup(const char *program, enum rt_log_level level, bool json)
{
    settings.program = program;
    settings.level = level;
    settings.json = json;
}

bool rt_log_enabled(enum rt_log_level level)
{
    return level <= settings.level;
}

const char *rt_log_quote(const char *text)
{
    static _Thread_local char ring[8][256];
    static _Thread_local unsigned next;
    char *out = ring[next++ % 8];
    size_t at = 0;
    out[at++] = '"';
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++) {
        if (at > 200) {
            memcpy(out + at, "...", 3);
            at += 3;
            break;
        }
        if (*p == '"' || *p == '\\')
            out[at++] = '\\';
        if (*p < 0x20 || *p >= 0x7f)
            at += (size_t)snprintf(out + at, 5, "\\x%02x", *p);
        else
            out[at++] = (char)*p;
    }
    out[at++] = '"';
    out[at] = 0;
    return out;
}

static void add_json(struct rt_buf *line, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            rt_buf_printf(line, "\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f)
            rt_buf_printf(line, "\\u%04x", *p);
        else
            rt_buf_add_u8(line, *p);
    }
}

void rt_log(enum rt_log_level level, const char *message, const char *format, ...)
{
    if (!rt_log_enabled(level))
        return;
    char detail[2048] = "";
    if (format) {
        va_list args;
        va_start(args, format);
        vsnprintf(detail, sizeof detail, format, args);
        va_end(args);
    }
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(rt_time_wall_ms(), stamp);
    double mono = (double)rt_time_mono_us() / 1e6;
    struct rt_buf line;
    rt_buf_init(&line, 16384);
    if (settings.json) {
        rt_buf_printf(
            &line,
            "{\"time\":\"%s\",\"mono\":%.6f,\"level\":\"%s\",\"program\":\"%s\",\"message\":\"",
            stamp, mono, level_names[level], settings.program);
        add_json(&line, message);
        rt_buf_add_str(&line, "\",\"detail\":\"");
        add_json(&line, detail);
        rt_buf_add_str(&line, "\"}\n");
    } else {
        rt_buf_printf(&line, "%s %.3f %s %s: %s%s%s\n", stamp, mono, settings.program,
                      level_names[level], message, detail[0] ? " " : "", detail);
    }
    ssize_t written = line.size ? write(STDERR_FILENO, line.data, line.size) : 0;
    (void)written; // nothing is left to say where stderr is gone
    rt_buf_release(&line);
}
