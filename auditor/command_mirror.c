// SPDX-License-Identifier: Apache-2.0
// `mirror`: keep a copy of a coordinator's log, and catch it when it shows another.
#include <inttypes.h>
#include <stdio.h>

#include "auditor/commands.h"
#include "auditor/log_key.h"
#include "auditor/mirror.h"

struct settings {
    const char *log_key, *token;
    bool no_objects;
};

static const struct rt_option options[] = {
    {.name = "log-key",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, log_key),
     .value_name = "VKEY",
     .help = "The log's key, or a file that holds it; needed the first time."},
    {.name = "token",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, token),
     .value_name = "FILE",
     .help = "A file with a bearer token, for objects before a campaign has closed."},
    {.name = "no-objects",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, no_objects),
     .help = "Copy the log alone."},
    {0}};

static void say(const struct rt_mirror *mirror)
{
    uint64_t size = mirror->now.checkpoint.size, old = mirror->old.checkpoint.size;
    if (rt_globals.json)
        printf("{\"found\":\"%s\",\"size\":%" PRIu64 ",\"new\":%" PRIu64 ",\"objects\":%" PRIu64
               ",\"withheld\":%" PRIu64 "}\n",
               rt_follow_word(mirror->follow.verdict), size, size - old, mirror->fetched,
               mirror->withheld);
    else if (!rt_globals.quiet)
        printf("%s: %" PRIu64 " leaves, %" PRIu64 " new; %" PRIu64 " objects fetched%s\n",
               mirror->log.name, size, size - old, mirror->fetched,
               mirror->withheld ? "; others may not be seen yet" : "");
}

static enum rt_status caught(struct rt_mirror *mirror, const char *folder, struct rt_error *err)
{
    char evidence[4096], path[4096] = "";
    snprintf(evidence, sizeof evidence, "%s.evidence", folder);
    enum rt_status status = rt_follow_keep(&mirror->follow, mirror->fetch->base, evidence, path,
                                           sizeof path, err);
    if (status)
        return status;
    if (rt_globals.json)
        printf("{\"found\":\"%s\",\"evidence\":\"%s\"}\n", rt_follow_word(mirror->follow.verdict),
               path);
    return rt_error_set(err, RT_CHECK_FAILED,
                        "%s: %s of the log %s, %" PRIu64 " leaves against %" PRIu64
                        "; nothing was taken over, the evidence is %s",
                        mirror->fetch->base, rt_follow_word(mirror->follow.verdict),
                        mirror->log.name, mirror->now.checkpoint.size,
                        mirror->old.checkpoint.size, path);
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    static struct rt_mirror mirror;
    struct rt_fetch fetch;
    struct rt_vkey log;
    enum rt_status status = rt_fetch_init(&fetch, operands->items[0], settings->token, err);
    mirror.lock = -1;
    if (!status && settings->log_key)
        status = rt_log_key_read(settings->log_key, &log, err);
    if (!status) {
        status = rt_mirror_open(&mirror, operands->items[1], settings->log_key ? &log : NULL,
                                &fetch, err);
        if (!status)
            status = rt_mirror_pull(&mirror);
        if (status == RT_CHECK_FAILED)
            status = caught(&mirror, operands->items[1], err);
        else if (!status && !settings->no_objects)
            status = rt_mirror_objects(&mirror);
        if (!status)
            say(&mirror);
        rt_mirror_close(&mirror);
    }
    rt_fetch_release(&fetch);
    return status;
}

const struct rt_command rt_command_mirror = {
    .name = "mirror",
    .summary = "Keep a copy of a coordinator's log that only grows.",
    .operands = "URL DIR",
    .operands_least = 2,
    .operands_most = 2,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-audit mirror http://127.0.0.1:8080 ring.mirror --log-key ring.vkey",
    .about = "Fetches what is new, checks every leaf against the signed checkpoint and against "
             "what was there before, and takes it over whole or not at all; then the objects that "
             "may be seen. A log that shrinks or shows another history is refused with exit 1, "
             "and DIR.evidence/ gets both signed checkpoints with the proof. `verify DIR` checks "
             "a mirror as far as it goes.",
};
