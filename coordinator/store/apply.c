// SPDX-License-Identifier: Apache-2.0
// What the core decided becomes rows.
#include "coordinator/store/internal.h"

static enum rt_status apply_campaign(struct rt_store *store,
                                     const struct rt_core_campaign_row *campaign,
                                     const struct rt_core_effects *effects, uint64_t leaf_index,
                                     struct rt_error *err)
{
    struct row key = key_u32(campaign->index), value = {.size = 0};
    if (effects->log && campaign->state == RT_OFFER_REGISTERED &&
        campaign->leaf_index != leaf_index)
        return rt_error_set(err, RT_CORRUPT, "store: the scheduler counted leaves differently");
    row_campaign(&value, campaign);
    return store_put(store, TABLE_CAMPAIGN, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status apply_lab(struct rt_store *store, const struct rt_core_lab_row *row)
{
    struct store_lab *lab;
    enum rt_status status = store_cache_lab(store, row->campaign, row->lab, true, &lab);
    if (status != RT_OK)
        return status;
    lab->row = *row;
    lab->dirty = true;
    return RT_OK;
}

static enum rt_status apply_counters(struct rt_store *store, const struct rt_core_effect *effect)
{
    struct store_lab *lab;
    enum rt_status status = store_cache_lab(store, effect->campaign, effect->lab, true, &lab);
    if (status != RT_OK)
        return status;
    lab->counters.late += effect->counters.late;
    lab->counters.duplicate += effect->counters.duplicate;
    lab->counters.invalid += effect->counters.invalid;
    lab->counters.retried += effect->counters.retried;
    lab->counters.reissued += effect->counters.reissued;
    lab->dirty = true;
    return RT_OK;
}

static enum rt_status apply_tentative(struct rt_store *store, const struct rt_core_effect *effect,
                                      struct rt_error *err)
{
    struct row key = key_place(effect->campaign, effect->lab, effect->tentative.position);
    struct row value = {.size = 0};
    if (effect->kind == RT_DO_TENTATIVE_END)
        return store_delete(store, TABLE_TENTATIVE, &key, err);
    row_tentative(&value, &effect->tentative.value);
    return store_put(store, TABLE_TENTATIVE, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status apply_fingerprint(struct rt_store *store, const struct rt_core_effect *effect,
                                        struct rt_error *err)
{
    struct row key = key_u32(effect->fingerprint.index);
    return store_put(store, TABLE_FINGERPRINT, &key,
                     rt_bytes(effect->fingerprint.digest.bytes, RT_DIGEST_BYTES), 0, err);
}

static enum rt_status apply_rater(struct rt_store *store, const struct rt_core_rater *rater,
                                  struct rt_error *err)
{
    struct row key = key_u32(rater->campaign), value = {.size = 0};
    row_u16(&key, rater->index);
    row_u8(&value, rater->kind);
    row_bytes(&value, rater->id, strlen(rater->id));
    return store_put(store, TABLE_RATER, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status apply_rated(struct rt_store *store, const struct rt_core_effect *effect,
                                  struct rt_error *err)
{
    const struct rt_rating_label *label = &effect->rated.label;
    struct row key =
        key_rated(effect->campaign, effect->lab, effect->rated.number, label->rater);
    struct row value = {.size = 0};
    row_u16(&value, label->outcome);
    row_u8(&value, label->severity);
    row_u8(&value, label->status);
    return store_put(store, TABLE_RATED, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status apply_spare(struct rt_store *store, const struct rt_core_effect *effect,
                                  uint64_t leaf_index, struct rt_error *err)
{
    struct row key = key_spare(effect->campaign, effect->lab, effect->spare.number, leaf_index);
    static const uint8_t one = 1;
    return store_put(store, TABLE_SPARE, &key, rt_bytes(&one, 1), 0, err);
}

static enum rt_status apply_noted(struct rt_store *store, const struct rt_core_effect *effect,
                                  uint64_t leaf_index, struct rt_error *err)
{
    struct row key = key_u32(effect->campaign);
    static const uint8_t one = 1;
    row_u64(&key, leaf_index);
    return store_put(store, TABLE_NOTED, &key, rt_bytes(&one, 1), 0, err);
}

static enum rt_status apply_instance(struct rt_store *store, const struct rt_core_effect *effect,
                                     struct rt_error *err)
{
    struct row key = key_instance(effect->instance.lab, &effect->instance.instance);
    struct row value = key_u64((uint64_t)effect->instance.seen_ms);
    if (effect->kind == RT_DO_INSTANCE_END)
        return store_delete(store, TABLE_INSTANCE, &key, err);
    return store_put(store, TABLE_INSTANCE, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status apply_roster(struct rt_store *store, const struct rt_core_effect *effect,
                                   struct rt_error *err)
{
    struct row key = store_name("roster"), value = key_u64(effect->roster.version);
    row_bytes(&value, effect->roster.digest.bytes, RT_DIGEST_BYTES);
    return store_put(store, TABLE_META, &key, rt_bytes(value.bytes, value.size), 0, err);
}

static enum rt_status apply_one(struct rt_store *store, const struct rt_core_effects *effects,
                                const struct rt_core_effect *effect, uint64_t leaf_index,
                                struct rt_error *err)
{
    switch (effect->kind) {
    case RT_DO_CAMPAIGN:
        return apply_campaign(store, &effect->campaign_row, effects, leaf_index, err);
    case RT_DO_LAB:
        return apply_lab(store, &effect->lab_row);
    case RT_DO_FINAL:
        return store_cache_final(store, effect->campaign, effect->lab, &effect->final);
    case RT_DO_TENTATIVE:
    case RT_DO_TENTATIVE_END:
        return apply_tentative(store, effect, err);
    case RT_DO_CELL:
        return store_cache_cell(store, &effect->cell.key, &effect->cell.sum);
    case RT_DO_COUNTERS:
        return apply_counters(store, effect);
    case RT_DO_FINGERPRINT:
        return apply_fingerprint(store, effect, err);
    case RT_DO_RATER:
        return apply_rater(store, &effect->rater, err);
    case RT_DO_RATED:
        return apply_rated(store, effect, err);
    case RT_DO_SPARE:
        return apply_spare(store, effect, leaf_index, err);
    case RT_DO_NOTED:
        return apply_noted(store, effect, leaf_index, err);
    case RT_DO_INSTANCE:
    case RT_DO_INSTANCE_END:
        return apply_instance(store, effect, err);
    case RT_DO_ROSTER:
        return apply_roster(store, effect, err);
    case RT_DO_UNIT:
    case RT_DO_OFFER:
    case RT_DO_NOTICE:
    case RT_DO_HOLD:
    case RT_DO_NO_RESPONSE:
        return RT_OK;
    }
    return RT_UNSUPPORTED;
}

enum rt_status rt_store_apply(struct rt_store *store, const struct rt_core_effects *effects,
                              uint64_t leaf_index, struct rt_error *err)
{
    for (size_t i = 0; i < effects->count; i++) {
        enum rt_status status = apply_one(store, effects, &effects->list[i], leaf_index, err);
        if (status != RT_OK) {
            store->poison = status;
            return rt_error_set(err, status, "store: applying a decision of kind %d: %s",
                                (int)effects->list[i].kind, rt_status_text(status));
        }
    }
    return RT_OK;
}
