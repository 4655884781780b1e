// SPDX-License-Identifier: Apache-2.0
// Are two samples of texts from one distribution? A permutation test on the maximum mean
// discrepancy with a string kernel, prompt by prompt: what tells one model behind an endpoint from
// another without its weights (Gao, Liang and Guestrin 2024, "Model Equality Testing: Which Model
// Is This API Serving?", arXiv 2410.20247; the statistic: Gretton et al. 2012, JMLR 13). The kernel
// is the normalised spectrum kernel over runs of 1 to 4 bytes (Leslie, Eskin and Noble 2002).
// Labels are exchanged within a prompt alone, so the p-value is exact under equality whatever the
// prompts (Phipson and Smyth 2010: (1 + b) / (1 + B)). Pure but for the arena; any thread.
#ifndef RT_STATS_EQUALITY_H
#define RT_STATS_EQUALITY_H

#include "common/base/arena.h"
#include "common/base/bytes.h"

#define RT_EQUALITY_TEXTS_MOST 256  // of one prompt, both sides together
#define RT_EQUALITY_BYTES_MOST 2048 // of a text; what is behind does not count

// The answers to one prompt.
struct rt_equality_group {
    const struct rt_bytes *reference;
    size_t reference_count; // at least 2
    const struct rt_bytes *sample;
    size_t sample_count; // at least 2
};

struct rt_equality {
    double statistic; // mean over prompts of the unbiased squared discrepancy
    double p;
    uint32_t permutations;
    size_t worst; // the prompt that differs most
};

// permutations 1 to 100,000. The same input and seed give the same result on any machine.
// RT_OUT_OF_RANGE for sizes outside their bounds, RT_NO_MEMORY.
enum rt_status rt_equality_test(const struct rt_equality_group *groups, size_t count,
                                uint32_t permutations, uint64_t seed, struct rt_arena *arena,
                                struct rt_equality *ret) RT_WARN_UNUSED;

// The kernel of two texts, 0 to 1; two empty texts are equal.
enum rt_status rt_equality_kernel(struct rt_bytes a, struct rt_bytes b, struct rt_arena *arena,
                                  double *ret_value) RT_WARN_UNUSED;

#endif
