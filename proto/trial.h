// SPDX-License-Identifier: Apache-2.0
// A campaign's trials as arithmetic (DESIGN.md section 5): trial number ↔ (replicate, prompt,
// configuration), a lab's trials and their randomised run order, seeds, and the draw they come
// from. Every call is O(1) in the size of the campaign and allocates nothing. Pure; any thread.
// Golden vectors: tests/vectors/arithmetic, computed by tests/independent/arithmetic.py.
#ifndef RT_PROTO_TRIAL_H
#define RT_PROTO_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "proto/campaign.h"

// number = (replicate·P + prompt)·C + configuration; P prompts, C configurations.
struct rt_trial {
    uint64_t replicate;
    uint32_t prompt;
    uint32_t configuration;
};
uint64_t rt_trial_number(const struct rt_campaign *campaign, struct rt_trial trial);
// RT_OUT_OF_RANGE when the design has no such trial (replicate, or replicates_at_zero).
enum rt_status rt_trial_of(const struct rt_campaign *campaign, uint64_t number,
                           struct rt_trial *ret_trial) RT_WARN_UNUSED;
// How many trials the whole design has over all labs, and at most how large a number plus one is.
uint64_t rt_trial_total(const struct rt_campaign *campaign);
uint64_t rt_trial_bound(const struct rt_campaign *campaign);

// draw = SHA-256("ringtrial/draw/v1" ‖ 0 ‖ campaign leaf hash ‖ accept leaf hashes before start, in
// log order) (EVIDENCE.md, "Order proved by hashes").
void rt_trial_draw(const struct rt_digest *campaign_leaf, const struct rt_digest *accept_leaves,
                   size_t accept_count, struct rt_digest *ret_draw);

// The seed sent to the subject: 31 bits. lab is its id, ignored for shared seeds.
uint32_t rt_trial_seed(enum rt_seeds seeds, const struct rt_digest *draw, uint64_t number,
                       const char *lab);

// One lab's share of the design, computed once. A block is one replicate: blocks below
// `zero_blocks` hold every configuration the lab runs, later ones only those above temperature 0.
// Positions 0..count-1 are the lab's run order, block after block.
struct rt_lab_plan {
    uint64_t count;       // trials of this lab
    uint64_t blocks;      // replicates
    uint64_t zero_blocks; // replicates_at_zero
    uint64_t full_size;   // trials in a block below zero_blocks
    uint64_t late_size;   // trials in a later block (0: nothing of this lab has one)
    uint64_t prompts;
    uint32_t configurations; // C of the campaign
    uint32_t full_count;     // configurations of this lab
    uint32_t late_count;     // ... above temperature 0
    uint32_t lab;            // index in the campaign
    struct rt_digest draw;
    char lab_id[RT_ID_BYTES + 1];
    uint16_t full[RT_CONFIGURATIONS_MOST]; // this lab's configurations, ascending
    uint16_t late[RT_CONFIGURATIONS_MOST];
    uint16_t full_rank[RT_CONFIGURATIONS_MOST]; // configuration → place in full[], or 0xffff
    uint16_t late_rank[RT_CONFIGURATIONS_MOST];
};
void rt_lab_plan_init(struct rt_lab_plan *plan, const struct rt_campaign *campaign, uint32_t lab,
                      const struct rt_digest *draw);

// The keyed permutation of one block, kept between calls because neighbouring positions share it.
// Round values that were needed once are remembered where they are few (blocks of up to 65,536
// trials): checking a unit of 32 then takes one microsecond, not twenty. Start with a zeroed
// struct; each holder (thread) has its own.
#define RT_ORDER_ROUNDS     6
#define RT_ORDER_REMEMBERED 256
struct rt_lab_order {
    bool ready;
    uint64_t block;
    uint8_t key[16];
    uint16_t known[RT_ORDER_ROUNDS][RT_ORDER_REMEMBERED]; // 1 + round value; 0: not asked yet
};

// Position in run order ↔ trial number. position must be below plan->count (RT_OUT_OF_RANGE).
enum rt_status rt_lab_trial(const struct rt_lab_plan *plan, struct rt_lab_order *order,
                            uint64_t position, uint64_t *ret_number) RT_WARN_UNUSED;
// RT_OUT_OF_RANGE when the trial is not one of this lab's.
enum rt_status rt_lab_position(const struct rt_lab_plan *plan, struct rt_lab_order *order,
                               uint64_t number, uint64_t *ret_position) RT_WARN_UNUSED;

// The permutation itself, for tests: a bijection of [0, size) under a 16-byte key (6-round Feistel
// on the smallest even width that holds size, SipHash-2-4, cycle-walking).
uint64_t rt_order_forward(const uint8_t key[16], uint64_t size, uint64_t index);
uint64_t rt_order_backward(const uint8_t key[16], uint64_t size, uint64_t place);
void rt_order_key(const struct rt_digest *draw, uint64_t block, const char *lab,
                  uint8_t ret_key[16]);

// A cell of one lab: prompt·C + configuration, below prompt_count·configuration_count.
static inline uint64_t rt_trial_cell(const struct rt_campaign *campaign, struct rt_trial trial)
{
    return (uint64_t)trial.prompt * campaign->configuration_count + trial.configuration;
}

#endif
