// SPDX-License-Identifier: Apache-2.0
#include "worker/care/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/care/child.h"

#define QUEUE_MOST   64
#define RUN_MS       30000
#define HOUR_MS      3600000
#define AN_HOUR_MOST 60
#define ENV_BYTES    512
#define ENV_COUNT    6

static const struct {
    const char *word, *text;
} table[RT_CARE_EVENT_COUNT] = {
#define X(name, word, text) {word, text},
    RT_CARE_EVENT_TABLE(X)
#undef X
};

struct item {
    enum rt_care_event event;
    int64_t time_ms;
    char campaign[65], digest[80], subject[65], text[401];
};

struct rt_hook {
    char *program, *lab, *state;
    struct item queue[QUEUE_MOST];
    size_t count;
    uint64_t dropped;     // since the last that was told
    int64_t hour_ms;      // monotonic: the hour counted in began
    uint32_t in_the_hour;
    struct rt_child child;
    enum rt_care_event running;
};

const char *rt_care_event_word(enum rt_care_event event)
{
    RT_ASSERT(event < RT_CARE_EVENT_COUNT);
    return table[event].word;
}

const char *rt_care_event_text(enum rt_care_event event)
{
    RT_ASSERT(event < RT_CARE_EVENT_COUNT);
    return table[event].text;
}

enum rt_status rt_hook_new(const char *program, const char *lab, const char *state,
                           struct rt_hook **ret_hook, struct rt_error *err)
{
    struct rt_hook *hook = calloc(1, sizeof *hook);
    if (hook) {
        hook->program = strdup(program);
        hook->lab = strdup(lab);
        hook->state = strdup(state);
        hook->hour_ms = rt_time_mono_ms();
    }
    if (!hook || !hook->program || !hook->lab || !hook->state) {
        rt_hook_free(hook);
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    *ret_hook = hook;
    return RT_OK;
}

void rt_hook_free(struct rt_hook *hook)
{
    if (!hook)
        return;
    rt_child_stop(&hook->child);
    free(hook->program);
    free(hook->lab);
    free(hook->state);
    free(hook);
}

bool rt_hook_tell(struct rt_hook *hook, const struct rt_care_news *news)
{
    int64_t mono_ms = rt_time_mono_ms();
    if (!*hook->program)
        return false;
    if (mono_ms - hook->hour_ms >= HOUR_MS) {
        hook->hour_ms = mono_ms;
        hook->in_the_hour = 0;
    }
    if (hook->in_the_hour >= AN_HOUR_MOST || hook->count == QUEUE_MOST) {
        if (!hook->dropped++)
            rt_log_warn("events are left out", "an_hour=%d waiting=%zu", AN_HOUR_MOST,
                        hook->count);
        return false;
    }
    hook->in_the_hour++;
    struct item *item = &hook->queue[hook->count++];
    *item = (struct item){.event = news->event, .time_ms = news->time_ms};
    snprintf(item->campaign, sizeof item->campaign, "%s", news->campaign);
    snprintf(item->digest, sizeof item->digest, "%s", news->digest);
    snprintf(item->subject, sizeof item->subject, "%s", news->subject);
    snprintf(item->text, sizeof item->text, "%s", news->text);
    return true;
}

// What was cut in the middle of a character is no text any more.
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("");
}

static bool describe(const struct rt_hook *hook, const struct item *item, struct rt_buf *out)
{
    char time[RT_STAMP_BYTES];
    rt_stamp_format(item->time_ms, time);
    json_t *json = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:s, s:I}", "version", 1, "event",
        table[item->event].word, "meaning", table[item->event].text, "time", time, "lab",
        hook->lab, "campaign", text_json(item->campaign), "digest", item->digest, "subject",
        text_json(item->subject), "text", text_json(item->text), "state", hook->state,
        "left_out", (json_int_t)hook->dropped);
    bool ok = json && !rt_json_write_pretty(json, out) && !rt_buf_ok(out);
    json_decref(json);
    return ok;
}

RT_PRINTF(2, 3)
static void set_env(char out[ENV_BYTES], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, ENV_BYTES, format, args);
    va_end(args);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
}

static void start(struct rt_hook *hook)
{
    const struct item *item = &hook->queue[0];
    char values[ENV_COUNT][ENV_BYTES], *env[ENV_COUNT + 1] = {0};
    set_env(values[0], "RINGTRIAL_EVENT=%s", table[item->event].word);
    set_env(values[1], "RINGTRIAL_LAB=%s", hook->lab);
    set_env(values[2], "RINGTRIAL_CAMPAIGN=%s", item->campaign);
    set_env(values[3], "RINGTRIAL_SUBJECT=%s", item->subject);
    set_env(values[4], "RINGTRIAL_TEXT=%s", item->text);
    set_env(values[5], "RINGTRIAL_STATE=%s", hook->state);
    for (size_t i = 0; i < ENV_COUNT; i++)
        env[i] = values[i];
    char *argv[] = {hook->program, NULL};
    struct rt_buf input;
    struct rt_error err = {0};
    rt_buf_init(&input, 1 << 16);
    if (!describe(hook, item, &input))
        rt_error_set(&err, RT_NO_MEMORY, "out of memory");
    else if (!rt_child_start(&hook->child, argv, env, rt_buf_bytes(&input), RUN_MS, &err))
        hook->dropped = 0;
    if (!hook->child.pid)
        rt_log_warn("contact.run_on_event cannot be run", "event=%s why=%s",
                    table[item->event].word, rt_log_quote(err.text));
    hook->running = item->event;
    rt_buf_release(&input);
    hook->count--;
    memmove(hook->queue, hook->queue + 1, hook->count * sizeof *hook->queue);
}

void rt_hook_turn(struct rt_hook *hook)
{
    struct rt_child_end end;
    if (rt_child_ended(&hook->child, &end)) {
        if (end.timed_out)
            rt_log_warn("contact.run_on_event did not end and was killed", "event=%s limit_ms=%d",
                        table[hook->running].word, RUN_MS);
        else if (end.code)
            rt_log_warn("contact.run_on_event failed", "event=%s code=%d",
                        table[hook->running].word, end.code);
    }
    if (!hook->child.pid && hook->count)
        start(hook);
}

bool rt_hook_idle(const struct rt_hook *hook)
{
    return !hook->child.pid && !hook->count;
}

void rt_hook_finish(struct rt_hook *hook, int64_t most_ms)
{
    int64_t end_ms = rt_time_mono_ms() + most_ms;
    while (!rt_hook_idle(hook) && rt_time_mono_ms() < end_ms) {
        rt_hook_turn(hook);
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
}
