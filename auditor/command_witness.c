// SPDX-License-Identifier: Apache-2.0
// `witness`: cosign a log's newest checkpoint, once or again and again, and compare it with what
// others were shown.
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "auditor/commands.h"
#include "auditor/fetch.h"
#include "auditor/log_key.h"
#include "auditor/witness.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "proto/evidence.h"

struct settings {
    const char *log_key, *name, *out;
    struct rt_text_list against;
    int64_t every_ms;
};

static const struct rt_option options[] = {
    {.name = "log-key",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, log_key),
     .value_name = "VKEY",
     .help = "The log's key, or a file that holds it.",
     .required = true},
    {.name = "name",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, name),
     .value_name = "NAME",
     .help = "Make the witness' key under this name if DIR has none (auditor.example.org/w1)."},
    {.name = "against",
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, against),
     .value_name = "FILE|URL",
     .help = "A checkpoint somebody else was shown, or where one is served; may be given again."},
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FILE",
     .help = "Write the cosigned checkpoint there."},
    {.name = "every",
     .kind = RT_OPTION_DURATION,
     .offset = offsetof(struct settings, every_ms),
     .value_name = "TIME",
     .help = "Go on, and look again after so long (60s)."},
    {0}};

static enum rt_status get_tile(void *ctx, const char *path, struct rt_buf *out)
{
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    return rt_fetch_get(ctx, full, out, NULL);
}

static bool is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

// One note, judged and cosigned. The tiles come from fetch.
static enum rt_status cosign(struct rt_witness *witness, const struct rt_vkey *log,
                             struct rt_bytes note, struct rt_fetch *fetch, const char *from,
                             struct rt_buf *out, struct rt_error *err)
{
    enum rt_follow_verdict verdict;
    char evidence[4096] = "";
    rt_buf_clear(out);
    enum rt_status status =
        rt_witness_cosign(witness, log, note, get_tile, fetch, from,
                          (uint64_t)(rt_time_wall_ms() / 1000), &verdict, out, evidence,
                          sizeof evidence, err);
    if (status == RT_CHECK_FAILED) {
        if (rt_globals.json)
            printf("{\"found\":\"%s\",\"evidence\":\"%s\"}\n", rt_follow_word(verdict), evidence);
        return rt_error_set(err, status, "%s: %s of the log %s; nothing was cosigned, the evidence "
                                         "is %s",
                            from, rt_follow_word(verdict), log->name, evidence);
    }
    return status;
}

static enum rt_status look(struct rt_witness *witness, const struct rt_vkey *log, const char *url,
                           struct rt_buf *out, struct rt_error *err)
{
    struct rt_fetch fetch;
    struct rt_buf note;
    rt_buf_init(&note, RT_FOLLOW_NOTE_MOST);
    enum rt_status status = rt_fetch_init(&fetch, url, NULL, err);
    if (!status)
        status = rt_fetch_get(&fetch, RT_EVIDENCE_CHECKPOINT, &note, err);
    if (!status)
        status = cosign(witness, log, rt_buf_bytes(&note), &fetch, url, out, err);
    rt_fetch_release(&fetch);
    rt_buf_release(&note);
    return status;
}

// A checkpoint in a file, as another witness keeps it: a fork if ours does not contain it. It is
// never cosigned itself.
static enum rt_status look_at_file(struct rt_witness *witness, const struct rt_vkey *log,
                                   const char *url, const char *path, struct rt_bytes ours,
                                   struct rt_error *err)
{
    struct rt_fetch fetch;
    struct rt_buf note;
    struct rt_seen own, other;
    struct rt_follow follow = {.verdict = RT_FOLLOW_FIRST};
    char folder[4096], evidence[4096];
    rt_buf_init(&note, RT_FOLLOW_NOTE_MOST);
    rt_seen_init(&own);
    rt_seen_init(&other);
    enum rt_status status = rt_fetch_init(&fetch, url, NULL, err);
    if (!status)
        status = rt_file_read(path, &note, err);
    if (!status && (rt_seen_take(&own, ours, log) ||
                    rt_seen_take(&other, rt_buf_bytes(&note), log)))
        status = rt_error_set(err, RT_MALFORMED, "%s is no checkpoint of %s", path, log->name);
    if (!status && other.checkpoint.size > own.checkpoint.size)
        rt_log_warn("what others were shown is longer than what is served here; look again later",
                    "file=%s size=%" PRIu64 " here=%" PRIu64, path, other.checkpoint.size,
                    own.checkpoint.size);
    else if (!status)
        status = rt_follow_judge(&other, &own, get_tile, &fetch, &follow);
    snprintf(folder, sizeof folder, "%s/evidence", witness->folder);
    if (!status && follow.verdict == RT_FOLLOW_FORKED) {
        status = rt_follow_keep(&follow, path, folder, evidence, sizeof evidence, err);
        if (!status)
            status = rt_error_set(err, RT_CHECK_FAILED,
                                  "fork: %s shows another history of %s than %s; the evidence is "
                                  "%s",
                                  path, log->name, url, evidence);
    }
    rt_fetch_release(&fetch);
    rt_buf_release(&note);
    rt_seen_release(&own);
    rt_seen_release(&other);
    return status;
}

static enum rt_status once(struct rt_witness *witness, const struct rt_vkey *log, const char *url,
                           const struct settings *settings, struct rt_error *err)
{
    struct rt_buf out, other;
    rt_buf_init(&out, RT_FOLLOW_NOTE_MOST);
    rt_buf_init(&other, RT_FOLLOW_NOTE_MOST);
    enum rt_status status = look(witness, log, url, &out, err);
    for (size_t i = 0; !status && i < settings->against.count; i++) {
        const char *where = settings->against.items[i];
        status = is_url(where) ? look(witness, log, where, &other, err)
                               : look_at_file(witness, log, url, where, rt_buf_bytes(&out), err);
    }
    if (!status && settings->out)
        status = rt_file_write(settings->out, rt_buf_bytes(&out), 0644, err);
    if (!status && !rt_globals.quiet)
        fputs(rt_buf_str(&out), stdout);
    fflush(stdout);
    rt_buf_release(&out);
    rt_buf_release(&other);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_witness witness;
    struct rt_vkey log;
    char vkey[RT_VKEY_TEXT_BYTES];
    enum rt_status status = rt_log_key_read(settings->log_key, &log, err);
    if (status)
        return status;
    status = rt_witness_open(&witness, operands->items[1], settings->name, err);
    if (!status) {
        rt_vkey_format(&witness.own, vkey);
        rt_log_info("witness", "vkey=%s", vkey);
        status = once(&witness, &log, operands->items[0], settings, err);
    }
    // What the network does passes; what the log does is final.
    while (settings->every_ms && (!status || status == RT_NETWORK || status == RT_TIMEOUT)) {
        if (status)
            rt_log_warn("not this time", "cause=%s", rt_log_quote(err->text));
        nanosleep(&(struct timespec){.tv_sec = settings->every_ms / 1000,
                                     .tv_nsec = settings->every_ms % 1000 * 1000000},
                  NULL);
        status = once(&witness, &log, operands->items[0], settings, err);
    }
    rt_witness_release(&witness);
    return status;
}

const struct rt_command rt_command_witness = {
    .name = "witness",
    .summary = "Cosign a log's checkpoints as long as they continue one another.",
    .operands = "URL DIR",
    .operands_least = 2,
    .operands_most = 2,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-audit witness http://127.0.0.1:8080 my-witness --log-key ring.vkey "
               "--name auditor.example.org/w1",
    .about = "Fetches the newest checkpoint, proves from the log's tiles that it contains the "
             "highest one cosigned before, puts it on disk and only then gives out the "
             "cosignature (C2SP tlog-cosignature). With --against also what other witnesses or "
             "mirrors were shown. A rollback or a fork is refused with exit 1, and DIR/evidence/ "
             "gets both signed checkpoints with the proof. DIR/witness.vkey is the witness' "
             "verifier key, for the roster and for policies.",
};
