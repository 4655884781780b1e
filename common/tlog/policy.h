// SPDX-License-Identifier: Apache-2.0
// Trust policies of C2SP tlog-policy: which logs, which witnesses, and which quorum of them makes a
// checkpoint believable. The policy is the reader's own file, never taken from what it judges. Does
// no I/O. Pure; any thread.
#ifndef RT_TLOG_POLICY_H
#define RT_TLOG_POLICY_H

#include "common/tlog/checkpoint.h"

#define RT_POLICY_MOST           (256 << 10) // bytes of a policy file
#define RT_POLICY_LOGS_MOST      32
#define RT_POLICY_WITNESSES_MOST 64
#define RT_POLICY_GROUPS_MOST    32
#define RT_POLICY_NAME_BYTES     RT_NOTE_NAME_BYTES

// A witness or a group, in the order of the file. A node is a member of one group at most.
struct rt_policy_node {
    char name[RT_POLICY_NAME_BYTES];
    int32_t parent;     // index of the group it is a member of, -1 for none
    uint32_t members;   // groups: how many it has
    uint32_t needed;    // groups: how many must be satisfied; 0 for a witness
    struct rt_vkey key; // witnesses
};

// About 60 KB of plain data without pointers; keep it off small stacks.
struct rt_policy {
    size_t log_count;
    struct rt_vkey logs[RT_POLICY_LOGS_MOST];
    size_t node_count; // witnesses and groups; a group's members come before it
    struct rt_policy_node nodes[RT_POLICY_WITNESSES_MOST + RT_POLICY_GROUPS_MOST];
    int32_t quorum; // index of a node, -1 for "quorum none"
};

// RT_MALFORMED and friends with the line at fault in ret_line (1-based, 0 for the file as a whole;
// may be NULL). ret_policy is filled on the way and means nothing on failure.
enum rt_status rt_policy_parse(struct rt_bytes text, struct rt_policy *ret_policy,
                               size_t *ret_line) RT_WARN_UNUSED;
// The simplest policy: this one log, no witnesses.
void rt_policy_of_log(const struct rt_vkey *log, struct rt_policy *ret_policy);
// A checkpoint note under the policy: signed by a log whose name is the origin, no bad signature by
// any key of the policy, and the quorum met. RT_POLICY when it is not.
enum rt_status rt_policy_check(const struct rt_policy *policy, struct rt_bytes note,
                               struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;

#endif
