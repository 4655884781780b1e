// SPDX-License-Identifier: Apache-2.0
// Questions to a roster that is already read: who is this key, may it act now, is the threshold
// met.
#include <stdlib.h>
#include <string.h>

#include "proto/roster.h"

const struct rt_signer *rt_roster_signer(const struct rt_roster *roster, const char *key_id_hex)
{
    uint8_t id[8];
    if (rt_hex_decode(key_id_hex, strlen(key_id_hex), id, sizeof id))
        return NULL;
    size_t low = 0, high = roster->signer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(roster->signers[middle].key_id, id, sizeof id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found =
        low < roster->signer_count && memcmp(roster->signers[low].key_id, id, sizeof id) == 0;
    return found ? &roster->signers[low] : NULL;
}

const struct rt_signer *rt_roster_signer_of(const struct rt_roster *roster,
                                            const struct rt_public_key *key)
{
    for (size_t i = 0; i < roster->signer_count; i++)
        if (rt_public_key_equal(&roster->signers[i].key, key))
            return &roster->signers[i];
    return NULL;
}

enum rt_status rt_signer_valid(const struct rt_signer *signer, int64_t at_ms, uint64_t index)
{
    if (signer->revoked) {
        // The log's order decides where there is one; clocks decide only for what is no leaf.
        bool by_index = signer->revoked_index != 0 && index != UINT64_MAX;
        if (by_index ? index >= signer->revoked_index : at_ms >= signer->revoked_ms)
            return RT_REVOKED;
    }
    return at_ms >= signer->from_ms && at_ms < signer->until_ms ? RT_OK : RT_NOT_PERMITTED;
}

static int compare_curve(const void *key, const void *row)
{
    return memcmp(key, ((const struct rt_peer_key *)row)->curve.bytes, RT_CURVE_KEY_BYTES);
}

enum rt_status rt_roster_peer(const struct rt_roster *roster, const struct rt_curve_public *curve,
                              int64_t at_ms, uint32_t *ret_lab, const struct rt_signer **ret_signer)
{
    if (roster->peer_count == 0)
        return RT_UNKNOWN_KEY;
    const struct rt_peer_key *peer = bsearch(curve->bytes, roster->peers, roster->peer_count,
                                             sizeof *roster->peers, compare_curve);
    if (!peer)
        return RT_UNKNOWN_KEY;
    const struct rt_signer *signer = &roster->signers[peer->signer];
    enum rt_status status = rt_signer_valid(signer, at_ms, UINT64_MAX);
    if (status)
        return status;
    *ret_lab = signer->lab;
    *ret_signer = signer;
    return RT_OK;
}

uint32_t rt_roster_lab_index(const struct rt_roster *roster, const char *id)
{
    size_t low = 0, high = roster->lab_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(roster->labs[middle]->id, id);
        if (order == 0)
            return (uint32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return RT_NONE;
}

const struct rt_signer *rt_roster_lab_signer(const struct rt_roster *roster, uint32_t lab)
{
    return lab < roster->lab_count ? rt_roster_signer_of(roster, &roster->labs[lab]->sign) : NULL;
}

static bool contains(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

bool rt_roster_lab_serves(const struct rt_roster *roster, uint32_t lab, const char *subject)
{
    const struct rt_roster_lab *row = roster->labs[lab];
    return contains((const char *const *)row->serves, row->serve_count, subject);
}

bool rt_roster_lab_cleared(const struct rt_roster *roster, uint32_t lab, const char *class)
{
    const struct rt_roster_lab *row = roster->labs[lab];
    return contains((const char *const *)row->classes, row->class_count, class);
}

// ---- thresholds

static bool counted_before(const struct rt_public_key *keys, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (rt_public_key_equal(&keys[j], &keys[i]))
            return true;
    return false;
}

enum rt_status rt_roster_threshold(const struct rt_roster *roster, const char *id,
                                   const struct rt_public_key *keys, size_t key_count,
                                   int64_t at_ms, uint64_t index)
{
    const struct rt_threshold *threshold = NULL;
    for (size_t t = 0; t < roster->threshold_count; t++)
        if (strcmp(roster->thresholds[t].id, id) == 0)
            threshold = &roster->thresholds[t];
    if (!threshold)
        return RT_NOT_FOUND;
    uint32_t signed_by = 0, kinds = 0;
    for (size_t i = 0; i < key_count; i++) {
        const struct rt_signer *signer = rt_roster_signer_of(roster, &keys[i]);
        if (!signer || !(signer->roles & threshold->role) || counted_before(keys, i) ||
            rt_signer_valid(signer, at_ms, index))
            continue;
        signed_by++;
        if (signer->org != RT_NONE)
            kinds |= (uint32_t)1 << roster->orgs[signer->org].kind;
    }
    bool enough = signed_by >= threshold->sign &&
                  (threshold->from <= 1 || (uint32_t)__builtin_popcount(kinds) >= threshold->from);
    return enough ? RT_OK : RT_NOT_PERMITTED;
}

enum rt_status rt_roster_follows(const struct rt_roster *current, const struct rt_roster *next,
                                 const struct rt_public_key *keys, size_t key_count, int64_t at_ms,
                                 uint64_t index)
{
    if (!current) {
        if (next->version != 1 || next->has_previous)
            return RT_CONFLICT;
        return rt_roster_threshold(next, "roster", keys, key_count, at_ms, index);
    }
    if (strcmp(current->id, next->id) != 0 || next->version != current->version + 1 ||
        !next->has_previous || !rt_digest_equal(&next->previous, &current->digest))
        return RT_CONFLICT;
    enum rt_status status = rt_roster_threshold(current, "roster", keys, key_count, at_ms, index);
    return status ? status : rt_roster_threshold(next, "roster", keys, key_count, at_ms, index);
}
