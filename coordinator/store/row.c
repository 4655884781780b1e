// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/internal.h"
#include "proto/campaign.h"

void row_bytes(struct row *row, const void *bytes, size_t size)
{
    RT_ASSERT(size <= sizeof row->bytes - row->size);
    memcpy(row->bytes + row->size, bytes, size);
    row->size += size;
}

void row_u8(struct row *row, uint8_t value)
{
    row_bytes(row, &value, 1);
}

void row_u16(struct row *row, uint16_t value)
{
    uint8_t bytes[2];
    rt_put_u16be(bytes, value);
    row_bytes(row, bytes, sizeof bytes);
}

void row_u32(struct row *row, uint32_t value)
{
    uint8_t bytes[4];
    rt_put_u32be(bytes, value);
    row_bytes(row, bytes, sizeof bytes);
}

void row_u64(struct row *row, uint64_t value)
{
    uint8_t bytes[8];
    rt_put_u64be(bytes, value);
    row_bytes(row, bytes, sizeof bytes);
}

void scan_bytes(struct scan *scan, void *ret_bytes, size_t size)
{
    if (scan->bad || scan->left < size) {
        scan->bad = true;
        memset(ret_bytes, 0, size);
        return;
    }
    memcpy(ret_bytes, scan->at, size);
    scan->at += size;
    scan->left -= size;
}

uint8_t scan_u8(struct scan *scan)
{
    uint8_t value;
    scan_bytes(scan, &value, 1);
    return value;
}

uint16_t scan_u16(struct scan *scan)
{
    uint8_t bytes[2];
    scan_bytes(scan, bytes, sizeof bytes);
    return rt_get_u16be(bytes);
}

uint32_t scan_u32(struct scan *scan)
{
    uint8_t bytes[4];
    scan_bytes(scan, bytes, sizeof bytes);
    return rt_get_u32be(bytes);
}

uint64_t scan_u64(struct scan *scan)
{
    uint8_t bytes[8];
    scan_bytes(scan, bytes, sizeof bytes);
    return rt_get_u64be(bytes);
}

// ---- keys

struct row key_u32(uint32_t a)
{
    struct row key = {.size = 0};
    row_u32(&key, a);
    return key;
}

struct row key_u64(uint64_t a)
{
    struct row key = {.size = 0};
    row_u64(&key, a);
    return key;
}

struct row key_lab(uint32_t campaign, uint32_t lab)
{
    struct row key = key_u32(campaign);
    row_u32(&key, lab);
    return key;
}

struct row key_place(uint32_t campaign, uint32_t lab, uint64_t place)
{
    struct row key = key_lab(campaign, lab);
    row_u64(&key, place);
    return key;
}

struct row key_node(uint8_t level, uint64_t index)
{
    struct row key = {.size = 0};
    row_u8(&key, level);
    row_u64(&key, index);
    return key;
}

struct row key_instance(struct rt_bytes lab, const struct rt_instance *instance)
{
    struct row key = {.size = 0};
    row_bytes(&key, instance->bytes, sizeof instance->bytes);
    row_bytes(&key, lab.data, lab.size);
    return key;
}

struct row key_rated(uint32_t campaign, uint32_t lab, uint64_t number, uint16_t rater)
{
    struct row key = key_place(campaign, lab, number);
    row_u16(&key, rater);
    return key;
}

struct row key_spare(uint32_t campaign, uint32_t lab, uint64_t number, uint64_t leaf)
{
    struct row key = key_place(campaign, lab, number);
    row_u64(&key, leaf);
    return key;
}

struct row key_group(uint32_t campaign, uint32_t lab, uint32_t prompt, uint32_t group)
{
    struct row key = key_lab(campaign, lab);
    row_u32(&key, prompt);
    row_u32(&key, group);
    return key;
}

// ---- rows

void row_campaign(struct row *row, const struct rt_core_campaign_row *campaign)
{
    row_bytes(row, campaign->digest.bytes, RT_DIGEST_BYTES);
    row_u8(row, (uint8_t)campaign->state);
    row_u64(row, campaign->leaf_index);
    row_u64(row, campaign->seq);
    row_u8(row, campaign->drawn);
    row_bytes(row, campaign->draw.bytes, RT_DIGEST_BYTES);
    row_u64(row, (uint64_t)campaign->registered_ms);
    row_u64(row, (uint64_t)campaign->started_ms);
    row_u64(row, (uint64_t)campaign->close_deadline_ms);
}

bool scan_campaign(struct scan *scan, struct rt_core_campaign_row *ret_campaign)
{
    scan_bytes(scan, ret_campaign->digest.bytes, RT_DIGEST_BYTES);
    uint8_t state = scan_u8(scan);
    ret_campaign->state = (enum rt_offer_state)state;
    ret_campaign->leaf_index = scan_u64(scan);
    ret_campaign->seq = scan_u64(scan);
    ret_campaign->drawn = scan_u8(scan) != 0;
    scan_bytes(scan, ret_campaign->draw.bytes, RT_DIGEST_BYTES);
    ret_campaign->registered_ms = (int64_t)scan_u64(scan);
    ret_campaign->started_ms = (int64_t)scan_u64(scan);
    ret_campaign->close_deadline_ms = (int64_t)scan_u64(scan);
    return scan_done(scan) && state < RT_OFFER_STATE_COUNT;
}

void row_sum(struct row *row, const struct rt_cell_sum *sum)
{
    row_u64(row, (uint64_t)sum->count);
    row_u64(row, (uint64_t)sum->same_as);
    row_u64(row, (uint64_t)sum->score_micro);
    row_u64(row, (uint64_t)sum->tokens_in);
    row_u64(row, (uint64_t)sum->tokens_out);
    row_u64(row, (uint64_t)sum->latency_ms);
}

void scan_sum(struct scan *scan, struct rt_cell_sum *ret_sum)
{
    ret_sum->count = (int64_t)scan_u64(scan);
    ret_sum->same_as = (int64_t)scan_u64(scan);
    ret_sum->score_micro = (int64_t)scan_u64(scan);
    ret_sum->tokens_in = (int64_t)scan_u64(scan);
    ret_sum->tokens_out = (int64_t)scan_u64(scan);
    ret_sum->latency_ms = (int64_t)scan_u64(scan);
}

void row_cell(struct row *row, const struct store_cell *cell)
{
    row_u32(row, cell->key.configuration);
    row_u32(row, cell->key.fingerprint);
    row_u16(row, cell->key.rater);
    row_u16(row, cell->key.outcome);
    row_u8(row, cell->key.severity);
    row_u8(row, cell->key.status);
    row_u16(row, cell->key.beside);
    row_u16(row, cell->key.beside_label);
    row_sum(row, &cell->sum);
}

bool scan_cell(struct scan *scan, uint32_t campaign, uint32_t lab, uint32_t prompt,
               struct store_cell *ret_cell)
{
    ret_cell->key = (struct rt_cell_key){.campaign = campaign, .lab = lab, .prompt = prompt};
    ret_cell->key.configuration = scan_u32(scan);
    ret_cell->key.fingerprint = scan_u32(scan);
    ret_cell->key.rater = scan_u16(scan);
    ret_cell->key.outcome = scan_u16(scan);
    ret_cell->key.severity = scan_u8(scan);
    ret_cell->key.status = scan_u8(scan);
    ret_cell->key.beside = scan_u16(scan);
    ret_cell->key.beside_label = scan_u16(scan);
    scan_sum(scan, &ret_cell->sum);
    return !scan->bad && ret_cell->key.status < RT_TRIAL_STATUS_COUNT;
}

void row_tentative(struct row *row, const struct rt_core_tentative *value)
{
    row_u32(row, value->attempts);
    row_u32(row, value->key.prompt);
    row_cell(row, &(struct store_cell){value->key, value->sum});
}

bool scan_tentative(struct scan *scan, uint32_t campaign, uint32_t lab,
                    struct rt_core_tentative *ret_value)
{
    struct store_cell cell;
    ret_value->attempts = scan_u32(scan);
    uint32_t prompt = scan_u32(scan);
    bool good = scan_cell(scan, campaign, lab, prompt, &cell);
    ret_value->key = cell.key;
    ret_value->sum = cell.sum;
    return good && scan_done(scan);
}

int store_cell_compare(const struct rt_cell_key *a, const struct rt_cell_key *b)
{
#define ORDER(member)                                                                              \
    if (a->member != b->member)                                                                    \
    return a->member < b->member ? -1 : 1
    ORDER(campaign);
    ORDER(lab);
    ORDER(prompt);
    ORDER(configuration);
    ORDER(fingerprint);
    ORDER(rater);
    ORDER(outcome);
    ORDER(severity);
    ORDER(status);
    ORDER(beside);
    ORDER(beside_label);
#undef ORDER
    return 0;
}

static void add_u64(struct rt_buf *out, uint64_t value)
{
    uint8_t bytes[8];
    rt_put_u64be(bytes, value);
    rt_buf_add(out, bytes, sizeof bytes);
}

#define LAB_HELD 0x10u // beside the state, in its byte

void store_lab_encode(const struct store_lab *lab, struct rt_buf *out)
{
    rt_buf_add_u8(out, (uint8_t)((unsigned)lab->row.state | (lab->row.held ? LAB_HELD : 0)));
    rt_buf_add(out, lab->row.accept.bytes, RT_DIGEST_BYTES);
    add_u64(out, lab->row.accept_index);
    add_u64(out, (uint64_t)lab->row.changed_ms);
    add_u64(out, (uint64_t)lab->counters.late);
    add_u64(out, (uint64_t)lab->counters.duplicate);
    add_u64(out, (uint64_t)lab->counters.invalid);
    add_u64(out, (uint64_t)lab->counters.retried);
    add_u64(out, (uint64_t)lab->counters.reissued);
    add_u64(out, lab->results.size);
    for (size_t level = 0; level < RT_TREE_LEVELS; level++) {
        if (lab->results.size >> level & 1)
            rt_buf_add(out, lab->results.nodes[level].bytes, RT_DIGEST_BYTES);
    }
}

bool store_lab_decode(struct rt_bytes value, uint32_t campaign, uint32_t lab,
                      struct store_lab *ret_lab)
{
    struct scan scan = scan_of(value);
    *ret_lab = (struct store_lab){.row = {.campaign = campaign, .lab = lab}};
    uint8_t state = scan_u8(&scan);
    ret_lab->row.held = state & LAB_HELD;
    state &= (uint8_t)~LAB_HELD;
    ret_lab->row.state = (enum rt_core_lab_state)state;
    scan_bytes(&scan, ret_lab->row.accept.bytes, RT_DIGEST_BYTES);
    ret_lab->row.accept_index = scan_u64(&scan);
    ret_lab->row.changed_ms = (int64_t)scan_u64(&scan);
    ret_lab->counters.late = (int64_t)scan_u64(&scan);
    ret_lab->counters.duplicate = (int64_t)scan_u64(&scan);
    ret_lab->counters.invalid = (int64_t)scan_u64(&scan);
    ret_lab->counters.retried = (int64_t)scan_u64(&scan);
    ret_lab->counters.reissued = (int64_t)scan_u64(&scan);
    rt_tree_init(&ret_lab->results);
    ret_lab->results.size = scan_u64(&scan);
    for (size_t level = 0; level < RT_TREE_LEVELS; level++) {
        if (ret_lab->results.size >> level & 1)
            scan_bytes(&scan, ret_lab->results.nodes[level].bytes, RT_DIGEST_BYTES);
    }
    return scan_done(&scan) && state <= RT_LAB_NO_RESPONSE;
}
