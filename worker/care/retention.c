// SPDX-License-Identifier: Apache-2.0
#include "worker/care/retention.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/time.h"

#define ARENA_MOST ((size_t)16 << 20)

struct look {
    struct rt_outbox *outbox;
    struct rt_retention *plan;
    struct rt_arena arena;
    size_t campaign; // trials visited are of it; SIZE_MAX: of units in hand
};

static struct rt_retention_pack *pack_of(const struct rt_retention *plan, uint64_t number)
{
    size_t low = 0, high = plan->pack_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (plan->packs[middle].info.pack < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->pack_count && plan->packs[low].info.pack == number ? &plan->packs[low]
                                                                         : NULL;
}

// ---- planning

static enum rt_status on_campaign(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct look *look = ctx;
    struct rt_retention *plan = look->plan;
    struct rt_row_campaign row;
    rt_arena_clear(&look->arena);
    if (key.size != RT_DIGEST_BYTES || plan->campaign_count == RT_RETENTION_CAMPAIGNS_MOST)
        return key.size != RT_DIGEST_BYTES ? RT_CORRUPT : RT_TOO_LARGE;
    enum rt_status status = rt_outbox_read(rt_row_campaign_schema(), value, &look->arena, &row);
    if (status)
        return status;
    struct rt_retention_campaign *campaign = &plan->campaigns[plan->campaign_count++];
    memcpy(campaign->digest.bytes, key.data, key.size);
    snprintf(campaign->name, sizeof campaign->name, "%.*s", (int)row.name.size,
             (const char *)row.name.data);
    campaign->over = row.stage >= RT_STAGE_CLOSED;
    return RT_OK;
}

static enum rt_status on_out(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct look *look = ctx;
    struct rt_row_out row;
    (void)key;
    rt_arena_clear(&look->arena);
    enum rt_status status = rt_outbox_read(rt_row_out_schema(), value, &look->arena, &row);
    for (size_t c = 0; c < look->plan->campaign_count && !status; c++)
        if (rt_digest_equal(&look->plan->campaigns[c].digest, &row.campaign))
            look->plan->campaigns[c].over = false;
    return status;
}

static enum rt_status on_trial(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct look *look = ctx;
    struct rt_row_trial row;
    struct rt_vault_place place;
    (void)key;
    rt_arena_clear(&look->arena);
    enum rt_status status = rt_outbox_read(rt_row_trial_schema(), value, &look->arena, &row);
    if (status)
        return status;
    status = rt_ledger_place(look->outbox->ledger, &row.result[0].transcript, &place);
    if (status)
        return status == RT_NOT_FOUND ? RT_OK : status; // purged before
    struct rt_retention_pack *pack = pack_of(look->plan, place.pack);
    if (pack && look->campaign == SIZE_MAX)
        pack->in_hand = true;
    else if (pack) {
        pack->campaigns |= (uint64_t)1 << look->campaign;
        if (!look->plan->campaigns[look->campaign].over)
            pack->needed_by |= (uint64_t)1 << look->campaign;
    }
    return RT_OK;
}

static enum rt_status visit_all(struct look *look)
{
    struct rt_ledger *ledger = look->outbox->ledger;
    struct rt_bytes all = rt_bytes(NULL, 0);
    enum rt_status status = rt_ledger_each(ledger, RT_TABLE_CAMPAIGN, all, on_campaign, look);
    if (!status)
        status = rt_ledger_each(ledger, RT_TABLE_OUT, all, on_out, look);
    for (size_t c = 0; c < look->plan->campaign_count && !status; c++) {
        look->campaign = c;
        status = rt_ledger_each(ledger, RT_TABLE_FINAL,
                                rt_bytes(look->plan->campaigns[c].digest.bytes, RT_DIGEST_BYTES),
                                on_trial, look);
    }
    look->campaign = SIZE_MAX;
    return status ? status : rt_ledger_each(ledger, RT_TABLE_TRIAL, all, on_trial, look);
}

static enum rt_status list_packs(struct look *look, struct rt_error *err)
{
    struct rt_vault_pack_info *infos = NULL;
    size_t count = 0;
    struct rt_vault *vault = rt_ledger_vault(look->outbox->ledger);
    enum rt_status status = rt_vault_packs(vault, &infos, &count, err);
    if (status)
        return status;
    look->plan->packs = calloc(count ? count : 1, sizeof *look->plan->packs);
    look->plan->pack_count = look->plan->packs ? count : 0;
    for (size_t i = 0; i < look->plan->pack_count; i++)
        look->plan->packs[i].info = infos[i];
    free(infos);
    return look->plan->packs ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "out of memory");
}

static void decide(struct rt_retention *plan, const struct rt_retention_settings *settings)
{
    for (size_t i = 0; i < plan->pack_count; i++) {
        struct rt_retention_pack *pack = &plan->packs[i];
        pack->old = settings->keep_ms > 0 &&
                    pack->info.written_ms <= settings->now_ms - settings->keep_ms;
        // An empty pack that is being written takes no room and would only be made again.
        pack->purge = pack->old && !pack->needed_by && !pack->in_hand &&
                      (pack->info.records || !pack->info.newest);
        plan->purge_count += pack->purge;
        plan->purge_bytes += pack->purge ? pack->info.size_bytes : 0;
    }
}

enum rt_status rt_retention_plan(struct rt_outbox *outbox,
                                 const struct rt_retention_settings *settings,
                                 struct rt_retention **ret_plan, struct rt_error *err)
{
    struct look look = {.outbox = outbox, .plan = calloc(1, sizeof *look.plan)};
    if (!look.plan)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_arena_init(&look.arena, ARENA_MOST);
    enum rt_status status = list_packs(&look, err);
    if (!status) {
        status = visit_all(&look);
        if (status)
            rt_error_set(err, status, "%s/outbox.mdb: %s", settings->state,
                         rt_status_text(status));
    }
    rt_arena_release(&look.arena);
    if (status) {
        rt_retention_free(look.plan);
        return status;
    }
    decide(look.plan, settings);
    *ret_plan = look.plan;
    return RT_OK;
}

void rt_retention_free(struct rt_retention *plan)
{
    if (!plan)
        return;
    free(plan->packs);
    free(plan);
}

// ---- purging

struct forget {
    struct rt_outbox *outbox;
    const struct rt_retention *plan;
};

static enum rt_status on_place(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct forget *forget = ctx;
    struct rt_vault_place place;
    enum rt_status status = rt_ledger_read_place(value, &place);
    const struct rt_retention_pack *pack = status ? NULL : pack_of(forget->plan, place.pack);
    if (pack && pack->purge)
        rt_ledger_del(forget->outbox->ledger, RT_TABLE_PLACE, key);
    return status;
}

static void write_down(const struct rt_retention *plan, const struct rt_retention_pack *pack,
                       const struct rt_retention_settings *settings)
{
    char path[PATH_MAX], time[RT_STAMP_BYTES], written[RT_STAMP_BYTES];
    rt_stamp_format(settings->now_ms, time);
    rt_stamp_format(pack->info.written_ms, written);
    rt_log_info("transcripts purged", "pack=%" PRIu64 " records=%" PRIu64 " bytes=%" PRIu64
                " written=%s", pack->info.pack, pack->info.records, pack->info.size_bytes, written);
    if (rt_path_join(path, sizeof path, settings->state, "vault-purged.jsonl"))
        return;
    FILE *file = fopen(path, "ae");
    if (!file) {
        rt_log_warn("what was purged cannot be written down", "file=%s", path);
        return;
    }
    fprintf(file,
            "{\"time\":\"%s\",\"pack\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
            ",\"written\":\"%s\",\"keep_days\":%.3f,\"campaigns\":[",
            time, pack->info.pack, pack->info.records, pack->info.size_bytes, written,
            (double)settings->keep_ms / 86400000.0);
    bool first = true; // names are ids: no character of theirs needs escaping
    for (size_t c = 0; c < plan->campaign_count; c++)
        if (pack->campaigns >> c & 1) {
            fprintf(file, "%s\"%s\"", first ? "" : ",", plan->campaigns[c].name);
            first = false;
        }
    fprintf(file, "]}\n");
    if (fclose(file))
        rt_log_warn("what was purged cannot be written down", "file=%s", path);
}

enum rt_status rt_retention_purge(struct rt_outbox *outbox, const struct rt_retention *plan,
                                  const struct rt_retention_settings *settings,
                                  struct rt_error *err)
{
    struct forget forget = {outbox, plan};
    struct rt_vault *vault = rt_ledger_vault(outbox->ledger);
    if (!plan->purge_count)
        return RT_OK;
    // What is waiting to be stored must not go into a pack that is about to be deleted.
    if (plan->packs[plan->pack_count - 1].purge && plan->packs[plan->pack_count - 1].info.newest)
        rt_vault_rotate(vault);
    enum rt_status status =
        rt_ledger_each(outbox->ledger, RT_TABLE_PLACE, rt_bytes(NULL, 0), on_place, &forget);
    if (status)
        return rt_error_set(err, status, "the vault's index: %s", rt_status_text(status));
    status = rt_outbox_commit(outbox, err);
    for (size_t i = 0; i < plan->pack_count && !status; i++) {
        if (!plan->packs[i].purge)
            continue;
        status = rt_vault_delete(vault, plan->packs[i].info.pack, err);
        if (!status)
            write_down(plan, &plan->packs[i], settings);
    }
    return status;
}
