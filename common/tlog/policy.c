// SPDX-License-Identifier: Apache-2.0
#include "common/tlog/policy.h"

#include "common/base/text.h"

#define WORDS_MOST (3 + RT_POLICY_WITNESSES_MOST + RT_POLICY_GROUPS_MOST)

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

// Split a line at blanks; -1 when there are more words than any line may have.
static int split(struct rt_bytes line, struct rt_bytes ret_words[WORDS_MOST])
{
    int count = 0;
    for (size_t at = 0; at < line.size;) {
        size_t end = at;
        while (end < line.size && !is_blank(line.data[end]))
            end++;
        if (end > at) {
            if (count == WORDS_MOST)
                return -1;
            ret_words[count++] = rt_bytes(line.data + at, end - at);
        }
        at = end + 1;
    }
    return count;
}

static int32_t find(const struct rt_policy *policy, struct rt_bytes name)
{
    for (size_t i = 0; i < policy->node_count; i++)
        if (rt_bytes_equal_str(name, policy->nodes[i].name))
            return (int32_t)i;
    return -1;
}

// A new node under a name that is not taken; NULL when it is, or when there are too many nodes.
static struct rt_policy_node *add_node(struct rt_policy *policy, struct rt_bytes name)
{
    size_t most = sizeof policy->nodes / sizeof policy->nodes[0];
    if (policy->node_count == most || name.size >= RT_POLICY_NAME_BYTES ||
        rt_bytes_equal_str(name, "none") || find(policy, name) >= 0)
        return NULL;
    struct rt_policy_node *node = &policy->nodes[policy->node_count++];
    memset(node, 0, sizeof *node);
    memcpy(node->name, name.data, name.size);
    node->parent = -1;
    return node;
}

// log <vkey> [<url>]
static enum rt_status add_log(struct rt_policy *policy, const struct rt_bytes *words, int count)
{
    if (count < 2 || count > 3)
        return RT_MALFORMED;
    if (policy->log_count == RT_POLICY_LOGS_MOST)
        return RT_TOO_LARGE;
    struct rt_vkey *log = &policy->logs[policy->log_count];
    enum rt_status status = rt_vkey_parse(words[1], log);
    if (status)
        return status;
    if (log->type != RT_NOTE_ED25519)
        return RT_UNSUPPORTED;
    for (size_t i = 0; i < policy->log_count; i++)
        if (rt_public_key_equal(&log->key, &policy->logs[i].key))
            return RT_EXISTS;
    policy->log_count++;
    return RT_OK;
}

// witness <name> <vkey> [<url>]
static enum rt_status add_witness(struct rt_policy *policy, const struct rt_bytes *words, int count)
{
    if (count < 3 || count > 4)
        return RT_MALFORMED;
    struct rt_vkey key;
    enum rt_status status = rt_vkey_parse(words[2], &key);
    if (status)
        return status;
    if (key.type != RT_NOTE_COSIGNATURE)
        return RT_UNSUPPORTED;
    // One key under two names would count twice (EVIDENCE, CVE-2020-6174).
    for (size_t i = 0; i < policy->node_count; i++)
        if (!policy->nodes[i].needed && rt_public_key_equal(&key.key, &policy->nodes[i].key.key))
            return RT_EXISTS;
    struct rt_policy_node *node = add_node(policy, words[1]);
    if (!node)
        return RT_MALFORMED;
    node->key = key;
    return RT_OK;
}

static enum rt_status parse_needed(struct rt_bytes word, uint32_t members, uint32_t *ret_needed)
{
    if (rt_bytes_equal_str(word, "any")) {
        *ret_needed = 1;
        return RT_OK;
    }
    if (rt_bytes_equal_str(word, "all")) {
        *ret_needed = members;
        return RT_OK;
    }
    char digits[8] = {0};
    uint64_t value = 0;
    if (word.size >= sizeof digits)
        return RT_MALFORMED;
    memcpy(digits, word.data, word.size);
    if (rt_parse_u64(digits, &value))
        return RT_MALFORMED;
    if (value < 1 || value > members)
        return RT_OUT_OF_RANGE;
    *ret_needed = (uint32_t)value;
    return RT_OK;
}

// group <name> <k>|any|all <member>...
static enum rt_status add_group(struct rt_policy *policy, const struct rt_bytes *words, int count)
{
    if (count < 4)
        return RT_MALFORMED;
    uint32_t members = (uint32_t)count - 3, needed = 0;
    enum rt_status status = parse_needed(words[2], members, &needed);
    if (status)
        return status;
    int32_t self = (int32_t)policy->node_count;
    for (int i = 3; i < count; i++) {
        int32_t member = find(policy, words[i]);
        if (member < 0)
            return RT_NOT_FOUND;
        if (policy->nodes[member].parent >= 0)
            return RT_EXISTS;
        policy->nodes[member].parent = self;
    }
    struct rt_policy_node *node = add_node(policy, words[1]);
    if (!node)
        return RT_MALFORMED;
    node->members = members;
    node->needed = needed;
    return RT_OK;
}

// quorum <name>|none
static enum rt_status set_quorum(struct rt_policy *policy, const struct rt_bytes *words, int count,
                                 bool *seen)
{
    if (count != 2)
        return RT_MALFORMED;
    if (*seen)
        return RT_EXISTS;
    *seen = true;
    policy->quorum = -1;
    if (rt_bytes_equal_str(words[1], "none"))
        return RT_OK;
    policy->quorum = find(policy, words[1]);
    return policy->quorum < 0 ? RT_NOT_FOUND : RT_OK;
}

static enum rt_status parse_line(struct rt_policy *policy, struct rt_bytes line, bool *quorum_seen)
{
    for (size_t i = 0; i < line.size; i++)
        if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            return RT_MALFORMED;
    struct rt_bytes words[WORDS_MOST];
    size_t start = 0;
    while (start < line.size && is_blank(line.data[start]))
        start++;
    if (start == line.size || line.data[start] == '#')
        return RT_OK;
    int count = split(line, words);
    if (count < 0)
        return RT_TOO_LARGE;
    if (rt_bytes_equal_str(words[0], "log"))
        return add_log(policy, words, count);
    if (rt_bytes_equal_str(words[0], "witness"))
        return add_witness(policy, words, count);
    if (rt_bytes_equal_str(words[0], "group"))
        return add_group(policy, words, count);
    if (rt_bytes_equal_str(words[0], "quorum"))
        return set_quorum(policy, words, count, quorum_seen);
    return RT_MALFORMED;
}

enum rt_status rt_policy_parse(struct rt_bytes text, struct rt_policy *ret_policy, size_t *ret_line)
{
    size_t line_number = 0;
    if (!ret_line)
        ret_line = &line_number;
    *ret_line = 0;
    if (text.size > RT_POLICY_MOST)
        return RT_TOO_LARGE;
    memset(ret_policy, 0, sizeof *ret_policy);
    bool quorum_seen = false;
    for (size_t line = 1; text.size; line++) {
        *ret_line = line;
        const uint8_t *end = memchr(text.data, '\n', text.size);
        if (!end)
            return RT_MALFORMED;
        size_t size = (size_t)(end - text.data);
        enum rt_status status = parse_line(ret_policy, rt_bytes(text.data, size), &quorum_seen);
        if (status)
            return status;
        text = rt_bytes(end + 1, text.size - size - 1);
    }
    *ret_line = 0;
    return quorum_seen ? RT_OK : RT_MALFORMED;
}

void rt_policy_of_log(const struct rt_vkey *log, struct rt_policy *ret_policy)
{
    memset(ret_policy, 0, sizeof *ret_policy);
    ret_policy->logs[0] = *log;
    ret_policy->log_count = 1;
    ret_policy->quorum = -1;
}

// Members come before their groups, so one pass counts them up.
static enum rt_status check_quorum(const struct rt_policy *policy, const struct rt_note *note)
{
    uint32_t votes[RT_POLICY_WITNESSES_MOST + RT_POLICY_GROUPS_MOST] = {0};
    bool met = policy->quorum < 0;
    for (size_t i = 0; i < policy->node_count; i++) {
        const struct rt_policy_node *node = &policy->nodes[i];
        bool satisfied = node->needed && votes[i] >= node->needed;
        if (!node->needed) {
            enum rt_status status = rt_note_verify(note, &node->key, NULL);
            if (status && status != RT_UNKNOWN_KEY)
                return status;
            satisfied = status == RT_OK;
        }
        if (satisfied && node->parent >= 0)
            votes[node->parent]++;
        met |= satisfied && policy->quorum == (int32_t)i;
    }
    return met ? RT_OK : RT_POLICY;
}

enum rt_status rt_policy_check(const struct rt_policy *policy, struct rt_bytes bytes,
                               struct rt_checkpoint *ret_checkpoint)
{
    struct rt_note note;
    enum rt_status status = rt_note_parse(bytes, &note);
    if (status)
        return status;
    struct rt_checkpoint checkpoint;
    if ((status = rt_checkpoint_parse(note.text, &checkpoint)))
        return status;
    bool logged = false;
    for (size_t i = 0; i < policy->log_count; i++) {
        status = rt_note_verify(&note, &policy->logs[i], NULL);
        if (status && status != RT_UNKNOWN_KEY)
            return status;
        logged |= status == RT_OK && strcmp(checkpoint.origin, policy->logs[i].name) == 0;
    }
    if (!logged)
        return RT_UNKNOWN_KEY;
    if ((status = check_quorum(policy, &note)))
        return status;
    *ret_checkpoint = checkpoint;
    return RT_OK;
}
