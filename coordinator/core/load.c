// SPDX-License-Identifier: Apache-2.0
// What comes in from the store at the start, and what goes out for people to look at.
#include "coordinator/core/internal.h"

void rt_core_load_log(struct rt_core *core, uint64_t size)
{
    core->log_size = size;
}

enum rt_status rt_core_load_roster(struct rt_core *core, uint64_t version,
                                   const struct rt_digest *digest)
{
    core->roster_version = version;
    core->roster = *digest;
    return RT_OK;
}

enum rt_status rt_core_load_campaign(struct rt_core *core, const struct rt_core_campaign_row *row,
                                     const struct rt_campaign *campaign)
{
    if (row->index != core->campaign_count || row->state > RT_OFFER_CLOSED ||
        !rt_digest_equal(&row->digest, &campaign->digest))
        return RT_CORRUPT;
    enum rt_status status = core_campaign_add(core, campaign);
    if (status != RT_OK)
        return status;
    core->campaigns[row->index].row = *row;
    if (row->drawn)
        core_campaign_draw(core, row->index);
    return RT_OK;
}

static struct core_lab *loaded_lab(struct rt_core *core, uint32_t campaign, uint32_t lab)
{
    if (campaign >= core->campaign_count || lab >= core->campaigns[campaign].campaign->lab_count)
        return NULL;
    return &core->campaigns[campaign].labs[lab];
}

enum rt_status rt_core_load_lab(struct rt_core *core, const struct rt_core_lab_row *row)
{
    struct core_lab *lab = loaded_lab(core, row->campaign, row->lab);
    if (!lab || row->state > RT_LAB_NO_RESPONSE || lab->row.state > RT_LAB_ACCEPTED)
        return RT_CORRUPT;
    lab->row = *row;
    core->campaigns[row->campaign].open_labs -= row->state > RT_LAB_ACCEPTED;
    return RT_OK;
}

enum rt_status rt_core_load_chunk(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                  uint64_t chunk, const uint8_t bitmap[RT_CORE_CHUNK_BYTES])
{
    struct core_lab *of = loaded_lab(core, campaign, lab);
    return of ? core_bitmap_load(&of->bitmap, chunk, bitmap) : RT_CORRUPT;
}

enum rt_status rt_core_load_tentative(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                      uint64_t position, const struct rt_core_tentative *value)
{
    struct core_lab *of = loaded_lab(core, campaign, lab);
    if (!of || position >= of->bitmap.total || core_bitmap_final(&of->bitmap, position) ||
        value->key.status >= RT_TRIAL_STATUS_COUNT)
        return RT_CORRUPT;
    enum rt_status status = core_tentative_map_put(&of->tentatives, position, value);
    if (status != RT_OK || value->attempts < core->campaigns[campaign].campaign->unit.attempts)
        return status;
    of->exhausted++;
    return core_bitmap_set_busy(&of->bitmap, position);
}

enum rt_status rt_core_load_fingerprint(struct rt_core *core, uint32_t index,
                                        const struct rt_digest *digest)
{
    if (index != core->fingerprints.count || rt_core_knows_fingerprint(core, digest) ||
        index >= RT_CORE_FINGERPRINTS_MOST)
        return RT_CORRUPT;
    return core_digest_map_put(&core->fingerprints, digest, index);
}

enum rt_status rt_core_load_instance(struct rt_core *core, struct rt_bytes lab,
                                     const struct rt_instance *instance, int64_t seen_ms)
{
    uint32_t name = core_name_make(core, lab);
    if (name == NONE || core_instance_find(core, name, instance) != NONE)
        return RT_CORRUPT;
    uint32_t index = core_instance_make(core, name, instance);
    if (index == NONE)
        return RT_CORRUPT;
    core->instances[index].awaited = true;
    core->instances[index].seen_ms = seen_ms;
    core->names[name].awaited++;
    core->gathering = true;
    return RT_OK;
}

// ---- views

uint32_t rt_core_campaign_count(const struct rt_core *core)
{
    return core->campaign_count;
}

enum rt_status rt_core_campaign_view(const struct rt_core *core, uint32_t index,
                                     struct rt_core_campaign_row *ret_row,
                                     const struct rt_campaign **ret_campaign)
{
    if (index >= core->campaign_count)
        return RT_NOT_FOUND;
    *ret_row = core->campaigns[index].row;
    if (ret_campaign)
        *ret_campaign = core->campaigns[index].campaign;
    return RT_OK;
}

enum rt_status rt_core_find_campaign(const struct rt_core *core, const struct rt_digest *digest,
                                     uint32_t *ret_index)
{
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        if (memcmp(core->campaigns[c].row.digest.bytes, digest->bytes, RT_DIGEST_BYTES) == 0) {
            *ret_index = c;
            return RT_OK;
        }
    }
    return RT_NOT_FOUND;
}

static void view_instances(const struct rt_core *core, uint32_t campaign, uint32_t name,
                           struct rt_core_lab_view *view)
{
    for (uint32_t i = core->names[name].instances; i != NONE; i = core->instances[i].next) {
        view->instances += core->instances[i].connected;
        for (uint32_t l = core->instances[i].leases; l != NONE; l = core->leases[l].next) {
            if (core->leases[l].campaign == campaign)
                view->running += core->leases[l].done;
        }
    }
}

enum rt_status rt_core_lab_view(const struct rt_core *core, uint32_t campaign, uint32_t index,
                                struct rt_core_lab_view *ret_view)
{
    if (campaign >= core->campaign_count || index >= core->campaigns[campaign].campaign->lab_count)
        return RT_NOT_FOUND;
    const struct core_lab *lab = &core->campaigns[campaign].labs[index];
    *ret_view = (struct rt_core_lab_view){
        .row = lab->row,
        .name = core->campaigns[campaign].campaign->labs[index].id,
        .total = lab->bitmap.total,
        .final = lab->bitmap.finals,
        .tentative = lab->tentatives.count,
        .exhausted = lab->exhausted,
        .outstanding = lab->outstanding,
        .units = lab->lease_count,
        .held = core_held(core, campaign, index),
    };
    for (uint32_t w = 0; w < lab->want_count; w++)
        ret_view->credit += lab->wants[w].units;
    view_instances(core, campaign, lab->name, ret_view);
    if (!ret_view->held && !ret_view->instances)
        ret_view->held = "no worker of the lab is connected";
    else if (!ret_view->held && !ret_view->credit && !ret_view->units)
        ret_view->held = "the lab's workers ask for nothing";
    return RT_OK;
}
