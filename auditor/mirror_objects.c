// SPDX-License-Identifier: Apache-2.0
// The objects behind a mirrored log. What a campaign withholds is asked for once a run and
// campaign, not once an object.
#include <stdio.h>
#include <stdlib.h>

#include "auditor/mirror.h"
#include "common/base/file.h"
#include "proto/campaign.h"
#include "proto/evidence.h"
#include "proto/object_rating.h"
#include "proto/statement.h"

#define ARENA_MOST ((size_t)256 << 20)

struct pulling {
    struct rt_mirror *mirror;
    struct rt_statement statement;
    struct rt_arena arena;
    struct rt_buf leaves;
};

// Fetch what is at path into mirror->object. RT_NOT_PERMITTED covers what is not there: to us they
// are the same.
static enum rt_status fetch(struct pulling *pulling, const char *path)
{
    struct rt_mirror *mirror = pulling->mirror;
    rt_buf_clear(&mirror->object);
    enum rt_status status = rt_fetch_get(mirror->fetch, path, &mirror->object, mirror->err);
    return status == RT_NOT_FOUND ? RT_NOT_PERMITTED : status;
}

// An object into mirror->object, from the folder or from afar.
static enum rt_status pull(struct pulling *pulling, const struct rt_digest *digest)
{
    struct rt_mirror *mirror = pulling->mirror;
    char path[RT_EVIDENCE_PATH_BYTES];
    struct rt_digest own;
    rt_evidence_object_path(digest, path);
    rt_buf_clear(&mirror->object);
    enum rt_status status = rt_mirror_get(mirror, path, &mirror->object);
    bool here = status == RT_OK;
    if (status == RT_NOT_FOUND)
        status = fetch(pulling, path);
    if (status == RT_NOT_PERMITTED)
        mirror->withheld++;
    if (status)
        return status;
    rt_sha256(rt_buf_bytes(&mirror->object), &own);
    if (!rt_digest_equal(&own, digest))
        return rt_error_set(mirror->err, RT_CORRUPT, "%s has another digest than its name",
                            path);
    if (here)
        return RT_OK;
    mirror->fetched++;
    return rt_mirror_put(mirror, path, rt_buf_bytes(&mirror->object));
}

// The statement first: whoever has the unit has both.
static enum rt_status pull_unit(struct pulling *pulling, const struct rt_digest *digest)
{
    struct rt_mirror *mirror = pulling->mirror;
    char path[RT_EVIDENCE_PATH_BYTES], full[4096];
    struct rt_digest own;
    rt_evidence_object_path(digest, path);
    enum rt_status status = rt_mirror_path(mirror, path, full, sizeof full);
    if (status || rt_file_exists(full))
        return status;
    snprintf(full, sizeof full, "units/%s", path + strlen("objects/"));
    status = fetch(pulling, full);
    if (status == RT_NOT_PERMITTED)
        mirror->withheld++;
    if (status)
        return status;
    rt_sha256(rt_buf_bytes(&mirror->object), &own);
    rt_evidence_object_path(&own, path);
    status = rt_mirror_put(mirror, path, rt_buf_bytes(&mirror->object));
    return status ? status : pull(pulling, digest);
}

// What is withheld is no failure.
static enum rt_status pull_open(struct pulling *pulling, const struct rt_digest *digest)
{
    enum rt_status status = pull(pulling, digest);
    return status == RT_NOT_PERMITTED ? RT_OK : status;
}

static enum rt_status pull_campaign(struct pulling *pulling)
{
    struct rt_campaign *campaign = NULL;
    enum rt_status status = pull(pulling, &pulling->statement.campaign);
    if (status)
        return status == RT_NOT_PERMITTED ? RT_OK : status;
    rt_arena_clear(&pulling->arena);
    if (rt_campaign_decode(rt_buf_bytes(&pulling->mirror->object), &pulling->arena, &campaign))
        return RT_OK; // `verify` says so
    status = pull_open(pulling, &campaign->bench_digest);
    for (size_t i = 0; i < campaign->scenario_count && !status; i++)
        status = pull_open(pulling, &campaign->scenarios[i].digest);
    return status;
}

static enum rt_status pull_result(struct pulling *pulling, const struct rt_digest *digest)
{
    struct rt_object_result result;
    enum rt_status status = pull(pulling, digest);
    if (status)
        return status;
    rt_arena_clear(&pulling->arena);
    if (rt_object_result_decode(rt_buf_bytes(&pulling->mirror->object), &pulling->arena, &result,
                                NULL))
        return RT_OK;
    struct rt_digest fingerprint = result.fingerprint;
    return pull_open(pulling, &fingerprint);
}

static enum rt_status pull_pairs(struct pulling *pulling)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < pulling->statement.pair_count && !status; i++) {
        struct rt_digest unit = pulling->statement.pairs[i].unit,
                         result = pulling->statement.pairs[i].result;
        status = pull_unit(pulling, &unit);
        if (!status)
            status = pull_result(pulling, &result);
    }
    return status;
}

static enum rt_status pull_rating(struct pulling *pulling)
{
    static const struct rt_digest none;
    struct rt_object_rating rating;
    enum rt_status status = pull(pulling, &pulling->statement.rating);
    if (status)
        return status;
    rt_arena_clear(&pulling->arena);
    if (rt_object_rating_decode(rt_buf_bytes(&pulling->mirror->object), &pulling->arena, &rating,
                                NULL) ||
        rt_digest_equal(&rating.fingerprint, &none))
        return RT_OK;
    struct rt_digest fingerprint = rating.fingerprint;
    return pull_open(pulling, &fingerprint);
}

static enum rt_status pull_outcome(struct pulling *pulling)
{
    struct rt_digest_map *withheld = &pulling->mirror->withheld_campaigns;
    struct rt_digest campaign = pulling->statement.campaign;
    if (rt_digest_map_find(withheld, &campaign))
        return RT_OK;
    enum rt_status status = pulling->statement.kind == RT_STATEMENT_RESULT ? pull_pairs(pulling)
                                                                           : pull_rating(pulling);
    if (status != RT_NOT_PERMITTED)
        return status;
    return rt_digest_map_put(withheld, &campaign, 0);
}

static enum rt_status pull_leaf(struct pulling *pulling, struct rt_bytes leaf)
{
    if (rt_statement_parse(leaf, &pulling->statement, NULL))
        return RT_OK; // `verify` says so
    switch (pulling->statement.kind) {
    case RT_STATEMENT_ROSTER:
        return pull_open(pulling, &pulling->statement.roster);
    case RT_STATEMENT_CAMPAIGN:
        return pull_campaign(pulling);
    case RT_STATEMENT_RESULT:
    case RT_STATEMENT_RATING:
        return pull_outcome(pulling);
    default:
        return RT_OK;
    }
}

static enum rt_status pull_bundle(struct pulling *pulling, uint64_t index, uint64_t size)
{
    uint64_t left = size - index * RT_TILE_WIDTH;
    struct rt_tile tile = {.entries = true,
                           .index = index,
                           .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
    char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
    struct rt_bytes leaf;
    rt_tile_path(&tile, path);
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    rt_buf_clear(&pulling->leaves);
    enum rt_status status = rt_mirror_get(pulling->mirror, full, &pulling->leaves);
    struct rt_bytes rest = rt_buf_bytes(&pulling->leaves);
    while (!status && rest.size) {
        status = rt_bundle_next(&rest, &leaf);
        if (!status)
            status = pull_leaf(pulling, leaf);
    }
    return status;
}

enum rt_status rt_mirror_objects(struct rt_mirror *mirror)
{
    uint64_t size = mirror->now.checkpoint.size;
    struct pulling *pulling = calloc(1, sizeof *pulling);
    if (!pulling)
        return rt_error_set(mirror->err, RT_NO_MEMORY, "mirroring objects");
    pulling->mirror = mirror;
    rt_arena_init(&pulling->arena, ARENA_MOST);
    rt_buf_init(&pulling->leaves, RT_BUNDLE_MOST);
    enum rt_status status = RT_OK;
    for (uint64_t index = 0; index * RT_TILE_WIDTH < size && !status; index++)
        status = pull_bundle(pulling, index, size);
    rt_arena_release(&pulling->arena);
    rt_buf_release(&pulling->leaves);
    free(pulling);
    return status;
}
