// SPDX-License-Identifier: Apache-2.0
#include "common/stats/equality.h"

#include <math.h>

#include "common/stats/philox.h"
#include "common/stats/summary.h"

#define GRAM_MOST         4
#define PERMUTATIONS_MOST 100000

// A text as its runs of bytes, ascending, with how often each occurs. Runs and counts are whole
// numbers below 2^53, so every product is exact.
struct spectrum {
    double *grams;
    uint32_t *counts;
    size_t size;
    double norm; // the sum of squared counts
};

// Length first, so that runs of different lengths never meet.
static double gram_at(const uint8_t *data, size_t length)
{
    uint64_t gram = length;
    for (size_t i = 0; i < length; i++)
        gram = gram << 8 | data[i];
    return (double)gram;
}

static enum rt_status spectrum_of(struct rt_bytes text, struct rt_arena *arena,
                                  struct spectrum *ret)
{
    size_t size = text.size < RT_EQUALITY_BYTES_MOST ? text.size : RT_EQUALITY_BYTES_MOST;
    size_t found = 0;
    *ret = (struct spectrum){0};
    ret->grams = rt_arena_array(arena, GRAM_MOST * size + 1, sizeof *ret->grams);
    ret->counts = rt_arena_array(arena, GRAM_MOST * size + 1, sizeof *ret->counts);
    if (!ret->grams || !ret->counts)
        return RT_NO_MEMORY;
    for (size_t length = 1; length <= GRAM_MOST; length++)
        for (size_t i = 0; i + length <= size; i++)
            ret->grams[found++] = gram_at(text.data + i, length);
    rt_sort_doubles(ret->grams, found);
    for (size_t i = 0; i < found; i++) {
        if (!ret->size || ret->grams[ret->size - 1] != ret->grams[i]) {
            ret->grams[ret->size] = ret->grams[i];
            ret->counts[ret->size++] = 0;
        }
        ret->counts[ret->size - 1]++;
    }
    for (size_t i = 0; i < ret->size; i++)
        ret->norm += (double)ret->counts[i] * ret->counts[i];
    return RT_OK;
}

static double kernel(const struct spectrum *a, const struct spectrum *b)
{
    double product = 0;
    if (!a->size || !b->size)
        return a->size == b->size;
    for (size_t i = 0, k = 0; i < a->size && k < b->size;) {
        if (a->grams[i] == b->grams[k])
            product += (double)a->counts[i++] * b->counts[k++];
        else if (a->grams[i] < b->grams[k])
            i++;
        else
            k++;
    }
    return product / sqrt(a->norm * b->norm);
}

enum rt_status rt_equality_kernel(struct rt_bytes a, struct rt_bytes b, struct rt_arena *arena,
                                  double *ret_value)
{
    struct spectrum left, right;
    enum rt_status status = spectrum_of(a, arena, &left);
    if (!status)
        status = spectrum_of(b, arena, &right);
    if (!status)
        *ret_value = kernel(&left, &right);
    return status;
}

// One prompt: all kernels, and who is on which side.
struct prompt {
    double *gram; // total * total
    uint16_t *order;
    size_t first, total; // the first `first` of order are the reference's
};

static enum rt_status prepare(const struct rt_equality_group *group, struct rt_arena *arena,
                              struct prompt *ret)
{
    size_t total = group->reference_count + group->sample_count;
    if (group->reference_count < 2 || group->sample_count < 2 || total > RT_EQUALITY_TEXTS_MOST)
        return RT_OUT_OF_RANGE;
    struct spectrum *texts = rt_arena_array(arena, total, sizeof *texts);
    *ret = (struct prompt){rt_arena_array(arena, total * total, sizeof *ret->gram),
                           rt_arena_array(arena, total, sizeof *ret->order),
                           group->reference_count, total};
    if (!texts || !ret->gram || !ret->order)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < total; i++) {
        bool mine = i < group->reference_count;
        enum rt_status status =
            spectrum_of(mine ? group->reference[i] : group->sample[i - group->reference_count],
                        arena, &texts[i]);
        if (status)
            return status;
        ret->order[i] = (uint16_t)i;
        for (size_t k = 0; k <= i; k++)
            ret->gram[i * total + k] = ret->gram[k * total + i] = kernel(&texts[i], &texts[k]);
    }
    return RT_OK;
}

// The unbiased estimate of the squared discrepancy (Gretton et al. 2012, Lemma 6).
static double discrepancy(const struct prompt *prompt)
{
    double within[2] = {0, 0}, across = 0;
    size_t n = prompt->first, m = prompt->total - prompt->first;
    for (size_t i = 0; i < prompt->total; i++) {
        const double *row = &prompt->gram[prompt->order[i] * prompt->total];
        for (size_t k = 0; k < i; k++) {
            double value = row[prompt->order[k]];
            if (i < n)
                within[0] += value;
            else if (k >= n)
                within[1] += value;
            else
                across += value;
        }
    }
    return 2 * within[0] / (double)(n * (n - 1)) + 2 * within[1] / (double)(m * (m - 1)) -
           2 * across / (double)(n * m);
}

// Fisher and Yates, with numbers nobody can choose: permutation, prompt and place are the counter.
static void shuffle(struct prompt *prompt, uint64_t seed, uint64_t permutation, uint64_t group)
{
    const uint64_t key[2] = {seed, 0x65717561}; // "equa": a stream of its own
    for (size_t i = prompt->total; i-- > 1;) {
        const uint64_t counter[4] = {permutation, group, i, 0};
        uint64_t drawn[4];
        rt_philox(counter, key, drawn);
        // At most 256 of 2^64: what the remainder favours is beyond any measuring.
        size_t at = (size_t)(drawn[0] % (i + 1));
        uint16_t kept = prompt->order[i];
        prompt->order[i] = prompt->order[at];
        prompt->order[at] = kept;
    }
}

enum rt_status rt_equality_test(const struct rt_equality_group *groups, size_t count,
                                uint32_t permutations, uint64_t seed, struct rt_arena *arena,
                                struct rt_equality *ret)
{
    struct rt_equality result = {.permutations = permutations};
    double largest = -INFINITY;
    uint32_t as_large = 0;
    if (!count || !permutations || permutations > PERMUTATIONS_MOST)
        return RT_OUT_OF_RANGE;
    struct prompt *prompts = rt_arena_array(arena, count, sizeof *prompts);
    if (!prompts)
        return RT_NO_MEMORY;
    for (size_t g = 0; g < count; g++) {
        enum rt_status status = prepare(&groups[g], arena, &prompts[g]);
        if (status)
            return status;
        double value = discrepancy(&prompts[g]);
        result.statistic += value / (double)count;
        if (value > largest) {
            largest = value;
            result.worst = g;
        }
    }
    for (uint32_t p = 0; p < permutations; p++) {
        double value = 0;
        for (size_t g = 0; g < count; g++) {
            shuffle(&prompts[g], seed, p, g);
            value += discrepancy(&prompts[g]) / (double)count;
        }
        // The same terms in another order differ in their last bits: a tie counts as large.
        as_large += value >= result.statistic - 1e-12;
    }
    result.p = (1.0 + as_large) / (1.0 + permutations);
    *ret = result;
    return RT_OK;
}
