// SPDX-License-Identifier: Apache-2.0
// A policy file. What parses is a forest whose groups come after their members, and it judges a
// checkpoint nobody signed as nobody's.
#include "common/tlog/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rt_policy policy;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t line = 0;
    if (rt_policy_parse(rt_bytes(data, size), &policy, &line))
        return 0;
    RT_ASSERT(policy.quorum >= -1 && policy.quorum < (int32_t)policy.node_count);
    for (size_t i = 0; i < policy.node_count; i++) {
        const struct rt_policy_node *node = &policy.nodes[i];
        RT_ASSERT(node->needed <= node->members);
        RT_ASSERT(node->parent == -1 ||
                  (node->parent > (int32_t)i && node->parent < (int32_t)policy.node_count));
    }
    static const char note[] =
        "a.example\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n\n\xe2\x80\x94 b.example "
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "A=\n";
    struct rt_checkpoint checkpoint;
    RT_ASSERT(rt_policy_check(&policy, rt_bytes_str(note), &checkpoint) == RT_UNKNOWN_KEY);
    return 0;
}
