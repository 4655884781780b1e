// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/parse.h"

#include <string.h>

#define TOKEN_DIGITS 16
#define FIELDS       6

// ---- pieces

static struct rt_bytes cut_line(struct rt_bytes *rest)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    struct rt_bytes line = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = line.size + (end != NULL);
    rest->data += used;
    rest->size -= used;
    return line;
}

static struct rt_bytes cut_field(struct rt_bytes *line, char mark, bool *ret_more)
{
    const uint8_t *end = line->size ? memchr(line->data, mark, line->size) : NULL;
    struct rt_bytes field = {line->data, end ? (size_t)(end - line->data) : line->size};
    size_t used = field.size + (end != NULL);
    line->data += used;
    line->size -= used;
    *ret_more = end != NULL;
    return field;
}

static enum rt_status number(struct rt_bytes text, uint64_t most, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (!text.size || text.size > 18)
        return RT_MALFORMED;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return RT_MALFORMED;
        value = 10 * value + (uint64_t)(text.data[i] - '0');
    }
    if (value > most)
        return RT_OUT_OF_RANGE;
    *ret_value = value;
    return RT_OK;
}

uint64_t rt_slurm_token_of(const char *prefix, struct rt_bytes name)
{
    size_t size = strlen(prefix);
    uint8_t bytes[TOKEN_DIGITS / 2];
    if (name.size != size + 1 + TOKEN_DIGITS || memcmp(name.data, prefix, size) != 0 ||
        name.data[size] != '-' ||
        rt_hex_decode((const char *)name.data + size + 1, TOKEN_DIGITS, bytes, sizeof bytes))
        return 0;
    return rt_get_u64be(bytes);
}

enum rt_slurm_state rt_slurm_state_of(struct rt_bytes word)
{
    static const struct {
        const char *word;
        enum rt_slurm_state state;
    } words[] = {
        {"PENDING", RT_SLURM_STATE_WAITING},      {"CONFIGURING", RT_SLURM_STATE_WAITING},
        {"REQUEUED", RT_SLURM_STATE_WAITING},     {"REQUEUE_HOLD", RT_SLURM_STATE_WAITING},
        {"REQUEUE_FED", RT_SLURM_STATE_WAITING},  {"SPECIAL_EXIT", RT_SLURM_STATE_WAITING},
        {"RESV_DEL_HOLD", RT_SLURM_STATE_WAITING}, {"SUSPENDED", RT_SLURM_STATE_WAITING},
        {"STOPPED", RT_SLURM_STATE_WAITING},      {"RUNNING", RT_SLURM_STATE_RUNNING},
        {"RESIZING", RT_SLURM_STATE_RUNNING},     {"SIGNALING", RT_SLURM_STATE_RUNNING},
        {"COMPLETING", RT_SLURM_STATE_LEAVING},   {"STAGE_OUT", RT_SLURM_STATE_LEAVING},
        {"PREEMPTED", RT_SLURM_STATE_TAKEN},      {"NODE_FAIL", RT_SLURM_STATE_TAKEN},
        {"REVOKED", RT_SLURM_STATE_TAKEN},        {"BOOT_FAIL", RT_SLURM_STATE_OVER},
        {"CANCELLED", RT_SLURM_STATE_OVER},       {"COMPLETED", RT_SLURM_STATE_OVER},
        {"DEADLINE", RT_SLURM_STATE_OVER},        {"FAILED", RT_SLURM_STATE_OVER},
        {"OUT_OF_MEMORY", RT_SLURM_STATE_OVER},   {"TIMEOUT", RT_SLURM_STATE_OVER},
        {"LAUNCH_FAILED", RT_SLURM_STATE_OVER},
    };
    bool more;
    struct rt_bytes first = cut_field(&word, ' ', &more);
    if (first.size && first.data[first.size - 1] == '+')
        first.size--;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        if (rt_bytes_equal_str(first, words[w].word))
            return words[w].state;
    return RT_SLURM_STATE_UNKNOWN;
}

int64_t rt_slurm_left_ms(struct rt_bytes text)
{
    uint64_t days = 0, parts[3] = {0}, seconds = 0;
    size_t count = 0;
    bool more = false;
    if (text.size && memchr(text.data, '-', text.size) &&
        number(cut_field(&text, '-', &more), 100000, &days))
        return -1;
    do {
        if (count == 3 || number(cut_field(&text, ':', &more), 100000, &parts[count++]))
            return -1;
    } while (more);
    for (size_t i = 0; i < count; i++)
        seconds = 60 * seconds + parts[i];
    return (int64_t)(seconds + 86400 * days) * 1000;
}

// ---- the commands' answers

static enum rt_status queue_line(struct rt_bytes line, const char *prefix,
                                 struct rt_slurm_queue_row *ret_row)
{
    struct rt_bytes fields[FIELDS];
    bool more = true;
    for (size_t f = 0; f < FIELDS; f++) {
        if (!more)
            return RT_MALFORMED;
        fields[f] = cut_field(&line, '|', &more);
    }
    // A name with our mark in it is somebody else's job; its line is passed over like the others.
    uint64_t token = more ? 0 : rt_slurm_token_of(prefix, fields[3]), task = 0;
    *ret_row = (struct rt_slurm_queue_row){.row = {.token = token}, .task = -1};
    if (!token)
        return more ? RT_OK : number(fields[0], UINT64_MAX, &ret_row->row.id);
    enum rt_status status = number(fields[0], UINT64_MAX, &ret_row->row.id);
    if (!status)
        status = number(fields[1], UINT64_MAX, &ret_row->array_id);
    if (!status && number(fields[2], UINT32_MAX, &task) == RT_OK)
        ret_row->task = (int64_t)task;
    ret_row->row.state = rt_slurm_state_of(fields[4]);
    ret_row->row.left_ms = rt_slurm_left_ms(fields[5]);
    return status;
}

enum rt_status rt_slurm_queue_read(struct rt_bytes text, const char *prefix,
                                   struct rt_slurm_queue_row *ret_rows, size_t capacity,
                                   size_t *ret_count)
{
    size_t count = 0;
    if (text.size && text.data[text.size - 1] != '\n')
        return RT_MALFORMED; // cut off
    while (text.size) {
        struct rt_slurm_queue_row row;
        struct rt_bytes line = cut_line(&text);
        if (!line.size)
            continue;
        enum rt_status status = queue_line(line, prefix, &row);
        if (status)
            return status;
        if (!row.row.token)
            continue;
        if (count == capacity)
            return RT_TOO_LARGE;
        ret_rows[count++] = row;
    }
    *ret_count = count;
    return RT_OK;
}

enum rt_status rt_slurm_account_read(struct rt_bytes text, uint64_t id,
                                     enum rt_slurm_state *ret_state)
{
    while (text.size) {
        struct rt_bytes line = cut_line(&text);
        bool more = false;
        uint64_t found;
        if (number(cut_field(&line, '|', &more), UINT64_MAX, &found) || !more || found != id)
            continue;
        *ret_state = rt_slurm_state_of(line);
        return RT_OK;
    }
    return RT_NOT_FOUND;
}

enum rt_status rt_slurm_submitted_read(struct rt_bytes text, uint64_t *ret_id)
{
    bool more;
    struct rt_bytes line = cut_line(&text);
    if (text.size)
        return RT_MALFORMED;
    uint64_t id;
    enum rt_status status = number(cut_field(&line, ';', &more), UINT32_MAX, &id);
    if (!status && !id)
        status = RT_MALFORMED;
    if (!status)
        *ret_id = id;
    return status;
}

enum rt_status rt_slurm_config_read(struct rt_bytes text, const char *name, uint32_t *ret_value)
{
    size_t size = strlen(name);
    while (text.size) {
        struct rt_bytes line = cut_line(&text);
        uint64_t value;
        if (line.size <= size || memcmp(line.data, name, size) != 0 ||
            (line.data[size] != ' ' && line.data[size] != '='))
            continue;
        line.data += size;
        line.size -= size;
        while (line.size && (line.data[0] == ' ' || line.data[0] == '='))
            line.data++, line.size--;
        while (line.size && line.data[line.size - 1] == ' ')
            line.size--;
        if (number(line, UINT32_MAX, &value))
            return RT_NOT_FOUND;
        *ret_value = (uint32_t)value;
        return RT_OK;
    }
    return RT_NOT_FOUND;
}

// ---- what a job's script says

static bool host_name(struct rt_bytes text)
{
    if (!text.size || text.size >= RT_SLURM_NODE_BYTES || text.data[0] == '-')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

enum rt_status rt_slurm_where_read(struct rt_bytes text, struct rt_slurm_where *ret_where)
{
    struct rt_slurm_where where;
    bool more;
    uint64_t port;
    if (!text.size || text.data[text.size - 1] != '\n')
        return RT_MALFORMED;
    struct rt_bytes line = cut_line(&text);
    if (text.size || !rt_bytes_equal_str(cut_field(&line, ' ', &more), "ringtrial-job") ||
        !rt_bytes_equal_str(cut_field(&line, ' ', &more), "1"))
        return RT_MALFORMED;
    enum rt_status status = number(cut_field(&line, ' ', &more), UINT32_MAX, &where.start);
    struct rt_bytes node = cut_field(&line, ' ', &more);
    if (!status)
        status = number(cut_field(&line, ' ', &more), UINT16_MAX, &port);
    if (!status)
        status = more ? number(line, UINT32_MAX, &where.job) : RT_MALFORMED;
    if (!status && (!where.start || !port || !host_name(node)))
        status = RT_MALFORMED;
    if (status)
        return status;
    where.port = (uint16_t)port;
    memcpy(where.node, node.data, node.size);
    where.node[node.size] = 0;
    *ret_where = where;
    return RT_OK;
}

void rt_slurm_fill(const char *text, const struct rt_slurm_where *where, struct rt_buf *out)
{
    while (*text) {
        if (strncmp(text, "{node}", 6) == 0) {
            rt_buf_add_str(out, where->node);
            text += 6;
        } else if (strncmp(text, "{port}", 6) == 0) {
            rt_buf_printf(out, "%u", where->port);
            text += 6;
        } else {
            rt_buf_add_u8(out, (uint8_t)*text++);
        }
    }
}
