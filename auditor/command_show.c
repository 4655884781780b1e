// SPDX-License-Identifier: Apache-2.0
// `show`: the log of a bundle as people read it. Shows what is there; says nothing of whether it
// holds.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/commands.h"
#include "auditor/folder.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/tile.h"
#include "proto/object.h"
#include "proto/statement.h"

#define OBJECT_MOST ((size_t)16 << 20)

struct show {
    struct rt_folder folder;
    struct rt_checks ignored;
    uint64_t size;
    struct rt_buf bundle, object;
    struct rt_arena arena;
    struct rt_statement statement;
};

static enum rt_status open_log(struct show *show, const char *path, struct rt_error *err)
{
    struct rt_checkpoint checkpoint;
    struct rt_note *note = malloc(sizeof *note);
    enum rt_status status = note ? rt_folder_open(path, &show->ignored, &show->folder, err)
                                 : rt_error_set(err, RT_NO_MEMORY, "%s", path);
    if (!status) {
        status = rt_folder_read(&show->folder, RT_EVIDENCE_CHECKPOINT, &show->object);
        if (!status)
            status = rt_note_parse(rt_buf_bytes(&show->object), note);
        if (!status)
            status = rt_checkpoint_parse(note->text, &checkpoint);
        if (status)
            rt_error_set(err, status, "%s/" RT_EVIDENCE_CHECKPOINT ": %s", path,
                         rt_status_text(status));
    }
    free(note);
    if (!status)
        show->size = checkpoint.size;
    return status;
}

// The bundle of leaves that holds index.
static enum rt_status read_entries(struct show *show, uint64_t index, struct rt_error *err)
{
    char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
    uint64_t first = index / RT_TILE_WIDTH * RT_TILE_WIDTH, left = show->size - first;
    struct rt_tile tile = {.entries = true,
                           .index = index / RT_TILE_WIDTH,
                           .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
    rt_tile_path(&tile, path);
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    rt_buf_clear(&show->bundle);
    enum rt_status status = rt_folder_read(&show->folder, full, &show->bundle);
    return status ? rt_error_set(err, status, "%s: %s", full, rt_status_text(status)) : RT_OK;
}

// ---- the list

static void print_line(struct show *show, uint64_t index, struct rt_bytes leaf)
{
    const struct rt_statement *statement = &show->statement;
    char stamp[RT_STAMP_BYTES];
    if (rt_statement_parse(leaf, &show->statement, NULL)) {
        printf("%8" PRIu64 "  (not a statement)\n", index);
        return;
    }
    rt_stamp_format(statement->received_ms, stamp);
    printf("%8" PRIu64 "  %s  %-11s ", index, stamp, rt_statement_kind_word(statement->kind));
    switch (statement->kind) {
    case RT_STATEMENT_ROSTER:
        printf(" %.*s version %" PRIu64, (int)statement->consortium.size,
               (const char *)statement->consortium.data, statement->version);
        break;
    case RT_STATEMENT_CAMPAIGN:
        printf(" %.*s", (int)statement->name.size, (const char *)statement->name.data);
        break;
    case RT_STATEMENT_STATE:
        printf(" %s: %.*s", rt_statement_action_word(statement->action),
               (int)statement->reason.size, (const char *)statement->reason.data);
        break;
    case RT_STATEMENT_REPORT:
        break;
    case RT_STATEMENT_INCIDENT:
        printf(" %.*s %.*s: %.*s", (int)statement->incident.size,
               (const char *)statement->incident.data, (int)statement->step.size,
               (const char *)statement->step.data, (int)statement->reason.size,
               (const char *)statement->reason.data);
        break;
    case RT_STATEMENT_RELEASE:
    case RT_STATEMENT_REVOKE:
        printf(" %.*s: %.*s", (int)statement->grant.size, (const char *)statement->grant.data,
               (int)statement->reason.size, (const char *)statement->reason.data);
        break;
    case RT_STATEMENT_HOLD:
    case RT_STATEMENT_LIFT:
        printf(" %.*s: %.*s", (int)statement->lab.size, (const char *)statement->lab.data,
               (int)statement->reason.size, (const char *)statement->reason.data);
        break;
    default:
        printf(" %.*s", (int)statement->lab.size, (const char *)statement->lab.data);
    }
    if (statement->kind == RT_STATEMENT_RESULT)
        printf(", %zu pair%s", statement->pair_count, statement->pair_count == 1 ? "" : "s");
    if (statement->kind == RT_STATEMENT_CLOSE || statement->kind == RT_STATEMENT_WITHDRAW)
        printf(", %" PRIu64 " results", statement->results);
    putchar('\n');
}

static enum rt_status list(struct show *show, struct rt_error *err)
{
    struct rt_bytes rest = rt_bytes(NULL, 0), leaf;
    for (uint64_t index = 0; index < show->size; index++) {
        if (index % RT_TILE_WIDTH == 0) {
            enum rt_status status = read_entries(show, index, err);
            if (status)
                return status;
            rest = rt_buf_bytes(&show->bundle);
        }
        if (rt_bundle_next(&rest, &leaf))
            return rt_error_set(err, RT_CORRUPT, "log index %" PRIu64 ": its tile is cut short",
                                index);
        print_line(show, index, leaf);
    }
    return RT_OK;
}

// ---- one leaf

static void print_result(struct show *show, const struct rt_statement_pair *pair)
{
    struct rt_object_result result;
    char digest[RT_DIGEST_TEXT_BYTES], score[32];
    rt_digest_format(&pair->result, digest);
    rt_buf_clear(&show->object);
    rt_arena_clear(&show->arena);
    if (rt_folder_object(&show->folder, &pair->result, &show->object) ||
        rt_object_result_decode(rt_buf_bytes(&show->object), &show->arena, &result, NULL)) {
        printf("\n%s: not here, or not a result\n", digest);
        return;
    }
    printf("\n%s: %zu trials by %.*s\n%12s %-12s %8s %8s %10s %9s\n", digest, result.trials_count,
           (int)result.software.size, (const char *)result.software.data, "trial", "status",
           "outcome", "severity", "score", "ms");
    for (size_t i = 0; i < result.trials_count; i++) {
        const struct rt_trial_result *trial = &result.trials[i];
        rt_format_micro(trial->score_micro, score);
        printf("%12" PRIu64 " %-12s %8" PRIu64 " %8" PRIu64 " %10s %9" PRIu64 "\n", trial->number,
               rt_trial_status_words[trial->status], trial->outcome, trial->severity, score,
               trial->latency_ms);
    }
}

static enum rt_status show_leaf(struct show *show, const char *operand, struct rt_error *err)
{
    uint64_t index;
    if (rt_parse_u64(operand, &index) || index >= show->size)
        return rt_error_set(err, RT_USAGE,
                            "'%s' is no index of this log; it has %" PRIu64 " leaves", operand,
                            show->size);
    enum rt_status status = read_entries(show, index, err);
    struct rt_bytes rest = rt_buf_bytes(&show->bundle), leaf = rt_bytes(NULL, 0);
    for (uint64_t i = index / RT_TILE_WIDTH * RT_TILE_WIDTH; i <= index && !status; i++)
        if (rt_bundle_next(&rest, &leaf))
            status =
                rt_error_set(err, RT_CORRUPT, "log index %" PRIu64 ": its tile is cut short", i);
    if (status)
        return status;
    // Whatever it is, it is shown without letting it play tricks on the terminal.
    for (size_t i = 0; i < leaf.size; i++)
        putchar(leaf.data[i] == '\n' || (leaf.data[i] >= 0x20 && leaf.data[i] != 0x7f)
                    ? leaf.data[i]
                    : '?');
    if (!rt_statement_parse(leaf, &show->statement, NULL) &&
        show->statement.kind == RT_STATEMENT_RESULT)
        for (size_t i = 0; i < show->statement.pair_count; i++)
            print_result(show, &show->statement.pairs[i]);
    return RT_OK;
}

static enum rt_status run(const void *settings, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    (void)settings;
    struct show *show = calloc(1, sizeof *show);
    if (!show)
        return rt_error_set(err, RT_NO_MEMORY, "showing %s", operands->items[0]);
    show->folder.fd = -1;
    rt_buf_init(&show->bundle, RT_BUNDLE_MOST);
    rt_buf_init(&show->object, OBJECT_MOST);
    rt_arena_init(&show->arena, OBJECT_MOST);
    enum rt_status status = open_log(show, operands->items[0], err);
    if (!status)
        status = operands->count > 1 ? show_leaf(show, operands->items[1], err) : list(show, err);
    if (!status && fflush(stdout))
        status = rt_error_set(err, RT_IO, "cannot write to standard output");
    rt_folder_close(&show->folder);
    rt_buf_release(&show->bundle);
    rt_buf_release(&show->object);
    rt_arena_release(&show->arena);
    free(show);
    return status;
}

const struct rt_command rt_command_show = {
    .name = "show",
    .no_json = true,
    .summary = "Show the log of a bundle, or one of its leaves.",
    .operands = "BUNDLE [INDEX]",
    .operands_least = 1,
    .operands_most = 2,
    .run = run,
    .example = "ringtrial-audit show shutdown-2026q4.bundle 17",
    .about =
        "Without an index one line a leaf; with one, the leaf's text as it was signed, and for "
        "a result its trials. It shows what is written there; `verify` says whether it holds.",
};
