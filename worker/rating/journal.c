// SPDX-License-Identifier: Apache-2.0
#include "worker/rating/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"

#define LINE_MOST    512
#define JOURNAL_MOST ((size_t)1 << 30)

enum rt_status rt_journal_parse(const char *text, size_t size, struct rt_journal_line *ret_line,
                                bool *ret_sent)
{
    struct rt_journal_line line = {.status = RT_TRIAL_OK};
    json_t *json = size < LINE_MOST ? json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *trial = json_object_get(json, "trial"), *label = json_object_get(json, "label");
    const json_t *sure = json_object_get(json, "confidence");
    const char *by = json_string_value(json_object_get(json, "by"));
    *ret_sent = json_is_true(json_object_get(json, "sent"));
    bool good = *ret_sent || (json_is_integer(trial) && json_integer_value(trial) >= 0 &&
                              (!by || rt_id_valid(by)));
    line.trial = (uint64_t)json_integer_value(trial);
    snprintf(line.by, sizeof line.by, "%s", by ? by : "");
    if (!label)
        line.status = RT_TRIAL_ERROR;
    else
        good = good && json_is_integer(label) && json_integer_value(label) >= 0 &&
               json_integer_value(label) < 256;
    line.label = label && good ? (uint32_t)json_integer_value(label) : 0;
    json_int_t confidence = json_integer_value(sure);
    line.confidence_micro = confidence > 0 && confidence <= 1000000 ? (uint32_t)confidence : 0;
    json_decref(json);
    if (!good)
        return RT_MALFORMED;
    *ret_line = line;
    return RT_OK;
}

// ---- lines by trial

static void put_slot(struct rt_journal *journal, size_t line)
{
    size_t mask = 2 * journal->room - 1;
    uint64_t at = journal->lines[line].trial * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    while (journal->slots[at & mask])
        at++;
    journal->slots[at & mask] = line + 1;
}

// Room is a power of two, so that a mask finds a slot.
static enum rt_status grow(struct rt_journal *journal)
{
    size_t room = journal->room ? 2 * journal->room : 256;
    struct rt_journal_line *lines = realloc(journal->lines, room * sizeof *lines);
    if (!lines)
        return RT_NO_MEMORY;
    journal->lines = lines;
    size_t *slots = calloc(2 * room, sizeof *slots);
    if (!slots)
        return RT_NO_MEMORY;
    free(journal->slots);
    journal->slots = slots;
    journal->room = room;
    for (size_t i = 0; i < journal->count; i++)
        put_slot(journal, i);
    return RT_OK;
}

static enum rt_status keep(struct rt_journal *journal, const struct rt_journal_line *line)
{
    if (journal->count == journal->room && grow(journal))
        return RT_NO_MEMORY;
    journal->lines[journal->count] = *line;
    put_slot(journal, journal->count++);
    return RT_OK;
}

static enum rt_status load(struct rt_journal *journal, const char *path, uint32_t label_count,
                           struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, JOURNAL_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    size_t number = 0, at = 0, marked = 0;
    while (!status && at < text.size) {
        const uint8_t *end = memchr(text.data + at, '\n', text.size - at);
        struct rt_journal_line line;
        bool sent = false;
        if (!end)
            break; // torn by a crash: it was never acknowledged
        size_t size = (size_t)(end - (text.data + at));
        number++;
        status = rt_journal_parse((const char *)text.data + at, size, &line, &sent);
        if (status)
            rt_error_set(err, RT_CORRUPT, "%s:%zu: not a line of a rater's journal", path, number);
        else if (sent)
            for (; marked < journal->count; marked++)
                journal->lines[marked].sent = true;
        else if (line.label >= label_count)
            status = rt_error_set(err, RT_CORRUPT, "%s:%zu: label %u is none of this campaign's",
                                  path, number, line.label);
        else if (keep(journal, &line))
            status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
        at += size + 1;
    }
    if (!status && at < text.size && ftruncate(journal->fd, (off_t)at))
        status = rt_error_set(err, RT_IO, "%s: %s", path, strerror(errno));
    rt_buf_release(&text);
    return status ? (err && err->status ? err->status : status) : RT_OK;
}

enum rt_status rt_journal_open(const char *path, uint32_t label_count,
                               struct rt_journal *ret_journal, struct rt_error *err)
{
    struct rt_journal journal = {.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    if (journal.fd < 0)
        return rt_error_set(err, RT_IO, "%s: %s", path, strerror(errno));
    if (flock(journal.fd, LOCK_EX | LOCK_NB)) {
        close(journal.fd);
        return rt_error_set(err, RT_BUSY, "%s: another process rates with it", path);
    }
    enum rt_status status = load(&journal, path, label_count, err);
    if (status) {
        rt_journal_close(&journal);
        return status;
    }
    *ret_journal = journal;
    return RT_OK;
}

void rt_journal_close(struct rt_journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    free(journal->lines);
    free(journal->slots);
    *journal = (struct rt_journal){.fd = -1};
}

static enum rt_status put(struct rt_journal *journal, const char *text, size_t size,
                          struct rt_error *err)
{
    off_t before = lseek(journal->fd, 0, SEEK_END);
    size_t done = 0;
    bool good = before >= 0;
    while (good && done < size) {
        ssize_t wrote = write(journal->fd, text + done, size - done);
        if (wrote > 0)
            done += (size_t)wrote;
        else
            good = wrote < 0 && errno == EINTR;
    }
    if (good && fdatasync(journal->fd) == 0)
        return RT_OK;
    int reason = errno;
    // Half a line would run into the next one, and the journal could not be read again.
    if (before >= 0 && ftruncate(journal->fd, before))
        return rt_error_set(err, RT_IO, "a rater's journal: %s; it may end in a torn line",
                            strerror(reason));
    return rt_error_set(err, reason == ENOSPC || reason == EDQUOT ? RT_NO_SPACE : RT_IO,
                        "a rater's journal: %s", strerror(reason));
}

enum rt_status rt_journal_add(struct rt_journal *journal, const struct rt_journal_line *line,
                              struct rt_error *err)
{
    char text[LINE_MOST];
    int size = snprintf(text, sizeof text, "{\"trial\":%llu", (unsigned long long)line->trial);
    if (*line->by)
        size += snprintf(text + size, sizeof text - (size_t)size, ",\"by\":\"%s\"", line->by);
    if (line->status == RT_TRIAL_OK)
        size += snprintf(text + size, sizeof text - (size_t)size, ",\"label\":%u,\"confidence\":%u",
                         line->label, line->confidence_micro);
    size += snprintf(text + size, sizeof text - (size_t)size, "}\n");
    enum rt_status status = put(journal, text, (size_t)size, err);
    if (!status && keep(journal, line))
        status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    return status;
}

enum rt_status rt_journal_sent(struct rt_journal *journal, struct rt_error *err)
{
    static const char mark[] = "{\"sent\":true}\n";
    enum rt_status status = put(journal, mark, sizeof mark - 1, err);
    for (size_t i = 0; i < journal->count && !status; i++)
        journal->lines[i].sent = true;
    return status;
}

const struct rt_journal_line *rt_journal_find(const struct rt_journal *journal, uint64_t trial,
                                              const char *by)
{
    size_t mask = 2 * journal->room - 1;
    uint64_t at = trial * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    for (; journal->room && journal->slots[at & mask]; at++) {
        const struct rt_journal_line *line = &journal->lines[journal->slots[at & mask] - 1];
        if (line->trial == trial && strcmp(line->by, by) == 0)
            return line;
    }
    return NULL;
}
