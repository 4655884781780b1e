// SPDX-License-Identifier: Apache-2.0
// `fsck`: the whole store against itself, signatures included, the roster of each moment deciding
// whose they are.
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/progress.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/state.h"
#include "coordinator/hub/intake.h"
#include "coordinator/hub/rosters.h"
#include "coordinator/store/fsck.h"

struct settings {
    const char *state;
};

struct check {
    struct rt_store *store;
    struct rt_rosters rosters; // the chain as it unrolls along the log
    struct rt_campaign_holder *campaigns;
    struct rt_progress progress;
};

static enum rt_status object_of(struct check *check, const struct rt_digest *digest,
                                struct rt_buf *out)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(check->store, &view, NULL);
    if (!status)
        status = rt_view_object(view, digest, out);
    rt_view_end(view);
    return status;
}

static enum rt_status find_campaign(void *ctx, const struct rt_digest *digest,
                                    const struct rt_campaign **ret_campaign)
{
    struct check *check = ctx;
    for (struct rt_campaign_holder *h = check->campaigns; h; h = h->next)
        if (rt_digest_equal(&h->campaign->digest, digest)) {
            *ret_campaign = h->campaign;
            return RT_OK;
        }
    struct rt_buf object;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    struct rt_campaign_holder *holder = NULL;
    enum rt_status status = object_of(check, digest, &object);
    if (!status)
        status = rt_campaign_holder_new(rt_buf_bytes(&object), &holder);
    rt_buf_release(&object);
    if (status)
        return status;
    holder->next = check->campaigns;
    check->campaigns = holder;
    *ret_campaign = holder->campaign;
    return RT_OK;
}

// A roster is judged by the one before it and then judges what follows.
static enum rt_status verify_roster(struct check *check, uint64_t index,
                                    const struct rt_statement *statement)
{
    const struct rt_roster *current = rt_rosters_current(&check->rosters), *next = NULL;
    struct rt_buf object;
    rt_buf_init(&object, RT_PAYLOAD_MOST);
    enum rt_status status = object_of(check, &statement->roster, &object);
    if (!status)
        status = rt_rosters_push(&check->rosters, rt_buf_bytes(&object), &next);
    rt_buf_release(&object);
    if (status)
        return status;
    struct rt_roster_lookup lookup = {next, statement->received_ms, index};
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    status = rt_statement_verify(statement, rt_roster_lookup, &lookup, signers);
    for (size_t i = 0; i < statement->signature_count; i++)
        keys[i] = signers[i].key;
    return status ? status
                  : rt_roster_follows(current, next, keys, statement->signature_count,
                                      statement->received_ms, index);
}

static enum rt_status verify(void *ctx, uint64_t index, const struct rt_statement *statement)
{
    struct check *check = ctx;
    if (statement->kind == RT_STATEMENT_ROSTER)
        return verify_roster(check, index, statement);
    const struct rt_roster *roster = rt_rosters_current(&check->rosters);
    if (!roster)
        return RT_UNKNOWN_KEY;
    struct rt_roster_lookup lookup = {
        roster, statement->has_received ? statement->received_ms : roster->from_ms, index};
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    enum rt_status status = rt_statement_verify(statement, rt_roster_lookup, &lookup, signers);
    return status ? status
                  : rt_statement_permitted(statement, signers, statement->signature_count, 1);
}

static void finding(void *ctx, const char *text)
{
    (void)ctx;
    printf("fsck: %s\n", text);
}

static void progress(void *ctx, uint64_t done, uint64_t total)
{
    struct check *check = ctx;
    struct rt_progress_row row = {.name = "leaves", .done = done, .total = total};
    rt_progress_draw(&check->progress, &row, 1, done == total);
}

static void print_report(const struct rt_fsck_report *r)
{
    if (!rt_globals.json) {
        printf("%" PRIu64 " leaves, %" PRIu64 " nodes, %" PRIu64 " objects, %" PRIu64
               " results of %" PRIu64 " trials, %" PRIu64 " counted in %" PRIu64 " cells: %" PRIu64
               " findings\n",
               r->leaves, r->nodes, r->objects, r->results, r->trials, r->counted, r->cells,
               r->findings);
        return;
    }
    printf("{\"cells\":%" PRIu64 ",\"counted\":%" PRIu64 ",\"findings\":%" PRIu64
           ",\"leaves\":%" PRIu64 ",\"nodes\":%" PRIu64 ",\"objects\":%" PRIu64
           ",\"results\":%" PRIu64 ",\"trials\":%" PRIu64 "}\n",
           r->cells, r->counted, r->findings, r->leaves, r->nodes, r->objects, r->results,
           r->trials);
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    (void)operands;
    const struct settings *settings = place;
    struct rt_state state;
    struct check check = {.store = NULL};
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_store_open(state.store, RT_STORE_READ, NULL, &check.store, err);
    if (status)
        return status;
    rt_rosters_init(&check.rosters);
    rt_progress_init(&check.progress, rt_globals.quiet || rt_globals.json ? -1 : STDERR_FILENO);
    struct rt_fsck fsck = {.find = find_campaign,
                           .verify = verify,
                           .finding = finding,
                           .progress = progress,
                           .ctx = &check};
    struct rt_fsck_report report = {0};
    status = rt_store_fsck(check.store, &fsck, &report, err);
    if (!status || status == RT_CORRUPT)
        print_report(&report);
    while (check.campaigns) {
        struct rt_campaign_holder *next = check.campaigns->next;
        rt_campaign_holder_free(check.campaigns);
        check.campaigns = next;
    }
    rt_rosters_release(&check.rosters);
    rt_store_close(check.store);
    return status;
}

static const struct rt_option options[] = {RT_STATE_OPTION(struct settings), {0}};

const struct rt_command rt_command_fsck = {
    .name = "fsck",
    .summary = "Verify the whole store: log, tree, objects, signatures, bitmaps, cells.",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-coordinator fsck --state /var/local/ringtrial",
    .about = "Reads a snapshot, so it may run beside a serving coordinator. Replays the log by the "
             "counting rule and "
             "compares bitmaps, cells and counters with what comes out. Exit code 4 when something "
             "is wrong.",
};
