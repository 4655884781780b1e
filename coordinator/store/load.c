// SPDX-License-Identifier: Apache-2.0
// A new core gets to know everything the store holds.
#include "coordinator/store/internal.h"

struct load {
    struct rt_view *view;
    struct rt_core *core;
    rt_store_campaign_fn *find;
    void *ctx;
    const char *place; // what was being read when something failed
    bool served;       // these two are the last cell's
    uint32_t served_lab, served_print;
};

static enum rt_status load_lab(void *ctx, const struct rt_store_lab *lab)
{
    const struct load *load = ctx;
    return rt_core_load_lab(load->core, &lab->row);
}

static enum rt_status load_chunk(void *ctx, const struct rt_store_chunk *chunk)
{
    const struct load *load = ctx;
    return rt_core_load_chunk(load->core, chunk->campaign, chunk->lab, chunk->chunk, chunk->bitmap);
}

static enum rt_status load_tentative(void *ctx, const struct rt_store_tentative *tentative)
{
    const struct load *load = ctx;
    return rt_core_load_tentative(load->core, tentative->campaign, tentative->lab,
                                  tentative->position, &tentative->value);
}

static enum rt_status load_fingerprint(void *ctx, const struct rt_store_fingerprint *fingerprint)
{
    const struct load *load = ctx;
    return rt_core_load_fingerprint(load->core, fingerprint->index, &fingerprint->digest);
}

// What a fingerprint stands for is in its object. One that is missing holds nobody: fsck tells.
static enum rt_status load_parts(void *ctx, const struct rt_store_fingerprint *fingerprint)
{
    const struct load *load = ctx;
    struct rt_object_fingerprint object;
    struct rt_fingerprint_part parts[RT_PARTS_MOST];
    struct rt_arena arena;
    struct rt_buf bytes;
    size_t count = 0;
    rt_arena_init(&arena, (size_t)4 << 20);
    rt_buf_init(&bytes, RT_FINGERPRINT_MOST);
    enum rt_status status = rt_view_object(load->view, &fingerprint->digest, &bytes);
    if (!status)
        status = rt_object_fingerprint_decode(rt_buf_bytes(&bytes), &arena, &object, NULL);
    if (!status)
        status = rt_fingerprint_parts(&object, parts, &count);
    status = status == RT_NO_MEMORY ? status
             : status               ? RT_OK
                                    : rt_core_load_parts(load->core, fingerprint->index, parts,
                                                         count);
    rt_buf_release(&bytes);
    rt_arena_release(&arena);
    return status;
}

// Cells ascend by lab and condition: one call for each run of the same fingerprint is enough.
static enum rt_status load_served(void *ctx, const struct rt_cell_key *key,
                                  const struct rt_cell_sum *sum)
{
    struct load *load = ctx;
    if (sum->count <= 0 || (load->served && load->served_lab == key->lab &&
                            load->served_print == key->fingerprint))
        return RT_OK;
    load->served = true;
    load->served_lab = key->lab;
    load->served_print = key->fingerprint;
    return rt_core_load_served(load->core, key->campaign, key->lab, key->fingerprint);
}

static enum rt_status load_campaign_served(void *ctx, const struct rt_core_campaign_row *row)
{
    struct load *load = ctx;
    load->served = false;
    return rt_view_cells(load->view, row->index, load_served, load);
}

static enum rt_status load_rater(void *ctx, const struct rt_core_rater *rater)
{
    const struct load *load = ctx;
    return rt_core_load_rater(load->core, rater);
}

static enum rt_status load_campaign(void *ctx, const struct rt_core_campaign_row *row)
{
    struct load *load = ctx;
    const struct rt_campaign *campaign = NULL;
    load->place = "campaign document";
    enum rt_status status = load->find(load->ctx, &row->digest, &campaign);
    load->place = "campaigns";
    if (status == RT_OK)
        status = rt_core_load_campaign(load->core, row, campaign);
    if (status != RT_OK)
        return status;
    load->place = "labs";
    status = rt_view_labs(load->view, row->index, load_lab, load);
    if (status != RT_OK)
        return status;
    load->place = "bitmaps";
    status = rt_view_chunks(load->view, row->index, load_chunk, load);
    if (status != RT_OK)
        return status;
    load->place = "errors to be retried";
    status = rt_view_tentatives(load->view, row->index, load_tentative, load);
    if (status != RT_OK)
        return status;
    load->place = "raters";
    status = rt_view_raters(load->view, row->index, load_rater, load);
    load->place = status == RT_OK ? "campaigns" : load->place;
    return status;
}

static enum rt_status load_roster(struct load *load)
{
    struct row key = store_name("roster");
    struct rt_bytes value;
    struct rt_digest digest;
    enum rt_status status = store_get(load->view->store, load->view->txn, TABLE_META, &key, &value);
    if (status == RT_NOT_FOUND)
        return RT_OK;
    if (status != RT_OK)
        return status;
    struct scan scan = scan_of(value);
    uint64_t version = scan_u64(&scan);
    scan_bytes(&scan, digest.bytes, RT_DIGEST_BYTES);
    return scan_done(&scan) ? rt_core_load_roster(load->core, version, &digest) : RT_CORRUPT;
}

static enum rt_status load_all(struct load *load)
{
    struct rt_store_head head;
    rt_view_head(load->view, &head);
    rt_core_load_log(load->core, head.size);
    load->place = "roster";
    enum rt_status status = load_roster(load);
    if (status != RT_OK)
        return status;
    load->place = "campaigns";
    status = rt_view_campaigns(load->view, load_campaign, load);
    if (status != RT_OK)
        return status;
    load->place = "fingerprints";
    status = rt_view_fingerprints(load->view, load_fingerprint, load);
    if (status != RT_OK)
        return status;
    load->place = "what served the labs";
    status = rt_view_fingerprints(load->view, load_parts, load);
    if (status == RT_OK)
        status = rt_view_campaigns(load->view, load_campaign_served, load);
    if (status != RT_OK)
        return status;
    load->place = "instances";
    return store_load_instances(load->view, load->core);
}

enum rt_status rt_store_load(struct rt_store *store, struct rt_core *core,
                             rt_store_campaign_fn *find, void *ctx, struct rt_error *err)
{
    struct load load = {.core = core, .find = find, .ctx = ctx};
    enum rt_status status = rt_view_begin(store, &load.view, err);
    if (status != RT_OK)
        return status;
    status = load_all(&load);
    rt_view_end(load.view);
    if (status != RT_OK)
        return rt_error_set(err, status, "store: loading the %s: %s: run fsck", load.place,
                            rt_status_text(status));
    return RT_OK;
}
