// SPDX-License-Identifier: Apache-2.0
// A result object names one fingerprint, and a unit's trials may have been served by several
// things: several subjects, or a server that was restarted with other settings in between. Then the
// fields of all of them are put side by side, so that nobody reads one server's facts as another's.
#include <stdio.h>
#include <stdlib.h>

#include "worker/run_state.h"

#define PARTS_MOST 64

// "a" where all agree, "a | b | c" in order of first appearance otherwise, cut to its limit.
static struct rt_bytes join(struct rt_arena *arena, const struct rt_bytes *values, size_t count,
                            size_t most)
{
    struct rt_buf text;
    rt_buf_init(&text, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < i && !rt_bytes_equal(values[k], values[i]))
            k++;
        if (k < i)
            continue;
        if (i)
            rt_buf_add_str(&text, " | ");
        rt_buf_add_bytes(&text, values[i]);
    }
    size_t size = text.size < most ? text.size : most;
    while (size && !rt_utf8_valid(rt_bytes(text.data, size)))
        size--;
    struct rt_bytes joined = rt_arena_bytes(arena, rt_bytes(text.data, size));
    rt_buf_release(&text);
    return joined;
}

static int by_name(const void *left, const void *right)
{
    const struct rt_named_value *a = left, *b = right;
    size_t size = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = size ? memcmp(a->name.data, b->name.data, size) : 0;
    return order ? order : a->name.size < b->name.size ? -1 : a->name.size > b->name.size;
}

// The union of lists by name, each name with the values found side by side.
static void merge_values(struct rt_arena *arena, const struct rt_named_value *const *lists,
                         const size_t *sizes, size_t count, const struct rt_named_value **ret_list,
                         size_t *ret_count)
{
    struct rt_named_value *merged = rt_arena_array(arena, PARTS_MOST, sizeof *merged);
    size_t merged_count = 0;
    for (size_t l = 0; merged && l < count; l++)
        for (size_t i = 0; i < sizes[l]; i++) {
            size_t k = 0;
            while (k < merged_count && !rt_bytes_equal(merged[k].name, lists[l][i].name))
                k++;
            if (k == merged_count && merged_count < PARTS_MOST) {
                merged[merged_count++] = lists[l][i];
            } else if (k < merged_count && !rt_bytes_equal(merged[k].value, lists[l][i].value)) {
                struct rt_bytes pair[2] = {merged[k].value, lists[l][i].value};
                merged[k].value = join(arena, pair, 2, 256);
            }
        }
    if (merged_count)
        qsort(merged, merged_count, sizeof *merged, by_name);
    *ret_list = merged;
    *ret_count = merged_count;
}

static void merge(struct rt_arena *arena, const struct rt_object_fingerprint *parts, size_t count,
                  struct rt_object_fingerprint *ret_merged)
{
    struct rt_bytes values[RUN_FINGERPRINTS_MOST] = {{NULL, 0}};
    const struct rt_named_value *lists[RUN_FINGERPRINTS_MOST] = {NULL};
    size_t sizes[RUN_FINGERPRINTS_MOST] = {0};
    *ret_merged = parts[0];
#define JOIN(field, most)                                                                          \
    do {                                                                                           \
        for (size_t i = 0; i < count; i++)                                                         \
            values[i] = parts[i].field;                                                            \
        ret_merged->field = join(arena, values, count, most);                                      \
    } while (0)
    JOIN(subject, 64);
    JOIN(executor, 64);
    JOIN(server, 128);
    JOIN(server_version, 128);
    JOIN(model, 256);
    JOIN(model_reported, 256);
    JOIN(model_digest, 128);
    JOIN(chat_template, 128);
    JOIN(quantisation, 64);
    JOIN(hardware, 128);
    JOIN(batch, 64);
    JOIN(sandbox, 64);
    JOIN(determinism, 64);
    JOIN(reference, 128);
#undef JOIN
    for (size_t i = 0; i < count; i++) {
        lists[i] = parts[i].parameters;
        sizes[i] = parts[i].parameters_count;
        if (parts[i].identity > ret_merged->identity)
            ret_merged->identity = parts[i].identity; // the weakest claim of them
        if (parts[i].reference_p_micro < ret_merged->reference_p_micro)
            ret_merged->reference_p_micro = parts[i].reference_p_micro;
        if (parts[i].context < ret_merged->context)
            ret_merged->context = parts[i].context;
    }
    merge_values(arena, lists, sizes, count, &ret_merged->parameters,
                 &ret_merged->parameters_count);
    for (size_t i = 0; i < count; i++) {
        lists[i] = parts[i].roles;
        sizes[i] = parts[i].roles_count;
    }
    merge_values(arena, lists, sizes, count, &ret_merged->roles, &ret_merged->roles_count);
    for (size_t i = 0; i < count; i++) {
        lists[i] = parts[i].canaries;
        sizes[i] = parts[i].canaries_count;
    }
    merge_values(arena, lists, sizes, count, &ret_merged->canaries, &ret_merged->canaries_count);
}

static int by_part(const void *left, const void *right)
{
    const struct rt_fingerprint_part *a = left, *b = right;
    int order = rt_bytes_compare(a->subject, b->subject);
    return order ? order : rt_digest_compare(&a->identity, &b->identity);
}

// What served, each once: by it the coordinator sees whether an instrument changed.
static enum rt_status list_parts(struct rt_arena *arena, const struct rt_object_fingerprint *whole,
                                 size_t count, struct rt_object_fingerprint *merged)
{
    struct rt_fingerprint_part *all = rt_arena_array(arena, count * RT_PARTS_MOST, sizeof *all);
    size_t found = 0, kept = 0;
    enum rt_status status = all ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        size_t more = 0;
        status = rt_fingerprint_parts(&whole[i], &all[found], &more);
        found += more;
    }
    if (status)
        return status;
    qsort(all, found, sizeof *all, by_part);
    for (size_t i = 0; i < found; i++)
        if (!kept || by_part(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    merged->parts = all;
    merged->parts_count = kept;
    return kept > RT_PARTS_MOST ? RT_TOO_LARGE : RT_OK;
}

// By subject, then by the digest they came in order of, so that the same parts always make the same
// whole, whatever order the trials had.
static void in_order(struct rt_object_fingerprint *parts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct rt_object_fingerprint part = parts[i];
        size_t k = i;
        for (; k && rt_bytes_compare(parts[k - 1].subject, part.subject) > 0; k--)
            parts[k] = parts[k - 1];
        parts[k] = part;
    }
}

static int by_digest(const void *left, const void *right)
{
    return rt_digest_compare(left, right);
}

enum rt_status run_merge_fingerprints(struct rt_run *run, struct rt_digest *digests,
                                      size_t count, struct rt_digest *ret_digest)
{
    struct rt_object_fingerprint parts[RUN_FINGERPRINTS_MOST], merged;
    struct rt_arena arena;
    struct rt_buf object;
    rt_arena_init(&arena, (size_t)64 << 20);
    rt_buf_init(&object, RT_FINGERPRINT_MOST);
    enum rt_status status = RT_OK;
    qsort(digests, count, sizeof *digests, by_digest);
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_bytes bytes = {NULL, 0};
        status = rt_outbox_object(run->outbox, &digests[i], &arena, &bytes);
        if (!status)
            status = rt_object_fingerprint_decode(bytes, &arena, &parts[i], NULL);
    }
    if (!status) {
        in_order(parts, count);
        merge(&arena, parts, count, &merged);
        status = list_parts(&arena, parts, count, &merged);
    }
    if (!status)
        status = rt_object_fingerprint_encode(&merged, &object, NULL);
    if (!status) {
        rt_sha256(rt_buf_bytes(&object), ret_digest);
        rt_outbox_put_object(run->outbox, ret_digest, rt_buf_bytes(&object));
    }
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return status;
}

// ---- a unit's result

static enum rt_status choose_fingerprint(struct rt_run *run, const struct run_unit *unit,
                                         struct rt_digest *ret_digest)
{
    struct rt_digest distinct[RUN_FINGERPRINTS_MOST];
    size_t count = 0;
    for (uint32_t i = 0; i < unit->trial_count; i++) {
        size_t k = 0;
        while (k < count && !rt_digest_equal(&distinct[k], &unit->trials[i].fingerprint))
            k++;
        if (k == count && count < RUN_FINGERPRINTS_MOST)
            distinct[count++] = unit->trials[i].fingerprint;
    }
    if (count == 1) {
        *ret_digest = distinct[0];
        return RT_OK;
    }
    return run_merge_fingerprints(run, distinct, count, ret_digest);
}

enum rt_status run_encode_result(struct rt_run *run, const struct run_unit *unit,
                                 struct rt_digest *ret_fingerprint, struct rt_buf *out)
{
    struct rt_object_result object = {
        .unit = unit->digest,
        .software = rt_bytes_str("ringtrial-worker " RT_VERSION),
        .instance = run->outbox->instance,
        .started_ms = INT64_MAX,
    };
    struct rt_trial_result *trials = calloc(unit->trial_count, sizeof *trials);
    if (!trials)
        return RT_NO_MEMORY;
    for (uint32_t i = 0; i < unit->trial_count; i++) {
        const struct run_trial *trial = &unit->trials[i];
        trials[i] = trial->result;
        if (trial->started_ms < object.started_ms)
            object.started_ms = trial->started_ms;
        if (trial->finished_ms > object.finished_ms)
            object.finished_ms = trial->finished_ms;
    }
    object.trials = trials;
    object.trials_count = unit->trial_count;
    enum rt_status status = choose_fingerprint(run, unit, &object.fingerprint);
    if (!status)
        status = rt_object_result_encode(&object, out, NULL);
    *ret_fingerprint = object.fingerprint;
    free(trials);
    return status;
}
