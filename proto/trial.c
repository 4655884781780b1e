// SPDX-License-Identifier: Apache-2.0
#include "proto/trial.h"

#include <sodium.h>
#include <string.h>

#define NO_RANK 0xffff

static const char order_domain[] = "ringtrial/order/v1"; // hashed with its NUL, which is the 0x00
static const char seed_domain[] = "ringtrial/seed/v1";
static const char draw_domain[] = "ringtrial/draw/v1";

// ---- numbers

static uint64_t block_bound(const struct rt_campaign *campaign)
{
    return (uint64_t)campaign->prompt_count * campaign->configuration_count;
}

uint64_t rt_trial_number(const struct rt_campaign *campaign, struct rt_trial trial)
{
    return (trial.replicate * campaign->prompt_count + trial.prompt) *
               campaign->configuration_count +
           trial.configuration;
}

enum rt_status rt_trial_of(const struct rt_campaign *campaign, uint64_t number,
                           struct rt_trial *ret_trial)
{
    uint64_t block = block_bound(campaign);
    if (block == 0)
        return RT_OUT_OF_RANGE;
    uint64_t replicate = number / block, within = number % block;
    uint32_t configuration = (uint32_t)(within % campaign->configuration_count);
    const struct rt_campaign_design *design = &campaign->design;
    bool at_zero = campaign->configurations[configuration].temperature_micro == 0;
    if (replicate >= (at_zero ? design->replicates_at_zero : design->replicates))
        return RT_OUT_OF_RANGE;
    *ret_trial = (struct rt_trial){.replicate = replicate,
                                   .prompt = (uint32_t)(within / campaign->configuration_count),
                                   .configuration = configuration};
    return RT_OK;
}

uint64_t rt_trial_bound(const struct rt_campaign *campaign)
{
    return block_bound(campaign) * campaign->design.replicates;
}

uint64_t rt_trial_total(const struct rt_campaign *campaign)
{
    const struct rt_campaign_design *design = &campaign->design;
    uint64_t total = 0;
    for (size_t l = 0; l < campaign->lab_count; l++)
        for (size_t c = 0; c < campaign->configuration_count; c++) {
            const struct rt_configuration *configuration = &campaign->configurations[c];
            if (campaign->labs[l].runs >> configuration->subject & 1)
                total += configuration->temperature_micro == 0 ? design->replicates_at_zero
                                                               : design->replicates;
        }
    return total * campaign->prompt_count;
}

// ---- what comes from the log

void rt_trial_draw(const struct rt_digest *campaign_leaf, const struct rt_digest *accept_leaves,
                   size_t accept_count, struct rt_digest *ret_draw)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, draw_domain, sizeof draw_domain);
    rt_sha256_update(&state, campaign_leaf->bytes, RT_DIGEST_BYTES);
    for (size_t i = 0; i < accept_count; i++)
        rt_sha256_update(&state, accept_leaves[i].bytes, RT_DIGEST_BYTES);
    rt_sha256_final(&state, ret_draw);
}

uint32_t rt_trial_seed(enum rt_seeds seeds, const struct rt_digest *draw, uint64_t number,
                       const char *lab)
{
    struct rt_sha256_state state;
    uint8_t number_be[8];
    rt_put_u64be(number_be, number);
    rt_sha256_init(&state);
    rt_sha256_update(&state, seed_domain, sizeof seed_domain);
    rt_sha256_update(&state, draw->bytes, RT_DIGEST_BYTES);
    rt_sha256_update(&state, number_be, sizeof number_be);
    if (seeds == RT_SEEDS_PER_LAB) {
        size_t size = strlen(lab);
        RT_ASSERT(size <= RT_ID_BYTES);
        uint8_t length = (uint8_t)size;
        rt_sha256_update(&state, &length, 1);
        rt_sha256_update(&state, lab, size);
    }
    struct rt_digest hash;
    rt_sha256_final(&state, &hash);
    return rt_get_u32be(hash.bytes) >> 1;
}

// ---- the keyed permutation

void rt_order_key(const struct rt_digest *draw, uint64_t block, const char *lab,
                  uint8_t ret_key[16])
{
    struct rt_sha256_state state;
    uint8_t block_be[8];
    rt_put_u64be(block_be, block);
    rt_sha256_init(&state);
    rt_sha256_update(&state, order_domain, sizeof order_domain);
    rt_sha256_update(&state, draw->bytes, RT_DIGEST_BYTES);
    rt_sha256_update(&state, block_be, sizeof block_be);
    rt_sha256_update(&state, lab, strlen(lab));
    struct rt_digest hash;
    rt_sha256_final(&state, &hash);
    memcpy(ret_key, hash.bytes, 16);
}

// Half of the smallest even width w with 2^w >= size.
static unsigned half_width(uint64_t size)
{
    unsigned bits = size <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(size - 1);
    return (bits + 1) / 2;
}

static uint64_t round_value(const uint8_t key[16], unsigned round, uint64_t right, uint64_t mask)
{
    uint8_t input[9], output[8];
    input[0] = (uint8_t)round;
    rt_put_u64be(input + 1, right);
    crypto_shorthash_siphash24(output, input, sizeof input, key);
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)output[i] << (8 * i);
    return value & mask;
}

// The same from memory. order is NULL, or holds this very key.
static uint64_t recall(const uint8_t key[16], struct rt_lab_order *order, unsigned round,
                       uint64_t right, uint64_t mask)
{
    if (!order || mask >= RT_ORDER_REMEMBERED)
        return round_value(key, round, right, mask);
    uint16_t *known = &order->known[round][right];
    if (!*known)
        *known = (uint16_t)(1 + round_value(key, round, right, mask));
    return *known - 1u;
}

static uint64_t forward(const uint8_t key[16], struct rt_lab_order *order, uint64_t size,
                        uint64_t index)
{
    RT_ASSERT(index < size);
    unsigned half = half_width(size);
    uint64_t mask = ((uint64_t)1 << half) - 1, value = index;
    do {
        uint64_t left = value >> half, right = value & mask;
        for (unsigned round = 0; round < RT_ORDER_ROUNDS; round++) {
            uint64_t next = left ^ recall(key, order, round, right, mask);
            left = right;
            right = next;
        }
        value = left << half | right;
    } while (value >= size);
    return value;
}

static uint64_t backward(const uint8_t key[16], struct rt_lab_order *order, uint64_t size,
                         uint64_t place)
{
    RT_ASSERT(place < size);
    unsigned half = half_width(size);
    uint64_t mask = ((uint64_t)1 << half) - 1, value = place;
    do {
        uint64_t left = value >> half, right = value & mask;
        for (unsigned round = RT_ORDER_ROUNDS; round-- > 0;) {
            uint64_t before = right ^ recall(key, order, round, left, mask);
            right = left;
            left = before;
        }
        value = left << half | right;
    } while (value >= size);
    return value;
}

uint64_t rt_order_forward(const uint8_t key[16], uint64_t size, uint64_t index)
{
    return forward(key, NULL, size, index);
}

uint64_t rt_order_backward(const uint8_t key[16], uint64_t size, uint64_t place)
{
    return backward(key, NULL, size, place);
}

// ---- a lab's share

void rt_lab_plan_init(struct rt_lab_plan *plan, const struct rt_campaign *campaign, uint32_t lab,
                      const struct rt_digest *draw)
{
    RT_ASSERT(lab < campaign->lab_count && campaign->configuration_count <= RT_CONFIGURATIONS_MOST);
    const struct rt_campaign_lab *row = &campaign->labs[lab];
    *plan = (struct rt_lab_plan){
        .blocks = campaign->design.replicates,
        .zero_blocks = campaign->design.replicates_at_zero,
        .prompts = campaign->prompt_count,
        .configurations = (uint32_t)campaign->configuration_count,
        .lab = lab,
        .draw = *draw,
    };
    RT_ASSERT(strlen(row->id) < sizeof plan->lab_id);
    memcpy(plan->lab_id, row->id, strlen(row->id) + 1);
    memset(plan->full_rank, 0xff, sizeof plan->full_rank);
    memset(plan->late_rank, 0xff, sizeof plan->late_rank);
    for (size_t c = 0; c < campaign->configuration_count; c++) {
        if (!(row->runs >> campaign->configurations[c].subject & 1))
            continue;
        plan->full_rank[c] = (uint16_t)plan->full_count;
        plan->full[plan->full_count++] = (uint16_t)c;
        if (campaign->configurations[c].temperature_micro == 0)
            continue;
        plan->late_rank[c] = (uint16_t)plan->late_count;
        plan->late[plan->late_count++] = (uint16_t)c;
    }
    plan->full_size = plan->prompts * plan->full_count;
    plan->late_size = plan->prompts * plan->late_count;
    plan->count =
        plan->zero_blocks * plan->full_size + (plan->blocks - plan->zero_blocks) * plan->late_size;
}

static void order_at(const struct rt_lab_plan *plan, struct rt_lab_order *order, uint64_t block)
{
    if (order->ready && order->block == block)
        return;
    memset(order->known, 0, sizeof order->known);
    rt_order_key(&plan->draw, block, plan->lab_id, order->key);
    order->block = block;
    order->ready = true;
}

enum rt_status rt_lab_trial(const struct rt_lab_plan *plan, struct rt_lab_order *order,
                            uint64_t position, uint64_t *ret_number)
{
    if (position >= plan->count)
        return RT_OUT_OF_RANGE;
    uint64_t early = plan->zero_blocks * plan->full_size;
    bool full = position < early;
    uint64_t size = full ? plan->full_size : plan->late_size;
    uint64_t within = full ? position : position - early;
    uint64_t block = within / size + (full ? 0 : plan->zero_blocks);
    order_at(plan, order, block);
    uint64_t index = forward(order->key, order, size, within % size);
    uint32_t count = full ? plan->full_count : plan->late_count;
    uint64_t configuration = (full ? plan->full : plan->late)[index % count];
    *ret_number = (block * plan->prompts + index / count) * plan->configurations + configuration;
    return RT_OK;
}

enum rt_status rt_lab_position(const struct rt_lab_plan *plan, struct rt_lab_order *order,
                               uint64_t number, uint64_t *ret_position)
{
    uint64_t all = plan->prompts * plan->configurations;
    if (all == 0)
        return RT_OUT_OF_RANGE;
    uint64_t block = number / all, within = number % all;
    if (block >= plan->blocks)
        return RT_OUT_OF_RANGE;
    bool full = block < plan->zero_blocks;
    uint16_t rank = (full ? plan->full_rank : plan->late_rank)[within % plan->configurations];
    if (rank == NO_RANK)
        return RT_OUT_OF_RANGE;
    uint64_t size = full ? plan->full_size : plan->late_size;
    uint32_t count = full ? plan->full_count : plan->late_count;
    uint64_t index = within / plan->configurations * count + rank;
    order_at(plan, order, block);
    uint64_t start = full
                         ? block * size
                         : plan->zero_blocks * plan->full_size + (block - plan->zero_blocks) * size;
    *ret_position = start + backward(order->key, order, size, index);
    return RT_OK;
}
