// SPDX-License-Identifier: Apache-2.0
#include "proto/incident.h"

#include <stdio.h>

const char *const rt_release_words[RT_RELEASE_COUNT + 1] = {
#define X(name, word) word,
    RT_RELEASE_TABLE(X)
#undef X
        NULL,
};

void rt_incident_book_init(struct rt_incident_book *book, struct rt_arena *arena, int64_t window_ms)
{
    *book = (struct rt_incident_book){.arena = arena, .window_ms = window_ms};
}

static int word_of(struct rt_bytes word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (rt_bytes_equal_str(word, words[i]))
            return i;
    return -1;
}

enum rt_status rt_incident_step_of(struct rt_bytes word, enum rt_incident_step *ret_step)
{
    int step = word_of(word, rt_incident_step_words);
    if (step >= 0)
        *ret_step = (enum rt_incident_step)step;
    return step < 0 ? RT_MALFORMED : RT_OK;
}

enum rt_status rt_release_what_of(struct rt_bytes word, enum rt_release_what *ret_what)
{
    int what = word_of(word, rt_release_words);
    if (what >= 0)
        *ret_what = (enum rt_release_what)what;
    return what < 0 ? RT_MALFORMED : RT_OK;
}

// One more place in an arena's array of pointers; NULL when memory is out.
static void *add_place(struct rt_arena *arena, void *array, size_t count, size_t *room,
                       size_t size)
{
    void ***place = array;
    if (count == *room) {
        size_t wanted = *room ? 2 * *room : 8;
        void **wider = rt_arena_array(arena, wanted, sizeof *wider);
        if (!wider)
            return NULL;
        if (count)
            memcpy(wider, *place, count * sizeof *wider);
        *place = wider;
        *room = wanted;
    }
    void *made = rt_arena_alloc(arena, size);
    if (made)
        (*place)[count] = made;
    return made;
}

static const char *copy_text(struct rt_arena *arena, struct rt_bytes text)
{
    return rt_arena_strndup(arena, text.size ? (const char *)text.data : "", text.size);
}

static enum rt_status refuse(struct rt_incident_book *book, const char *id, struct rt_bytes name,
                             const char *why)
{
    int size = (int)(name.size < 64 ? name.size : 64);
    snprintf(book->wrong, sizeof book->wrong, "%s %.*s: %s", id, size, (const char *)name.data,
             why);
    return RT_CONFLICT;
}

const struct rt_incident *rt_incident_find(const struct rt_incident_book *book, struct rt_bytes id)
{
    for (size_t i = 0; i < book->incident_count; i++)
        if (rt_bytes_equal_str(id, book->incidents[i]->id))
            return book->incidents[i];
    return NULL;
}

// ---- steps

static bool was_notified(const struct rt_incident *incident, struct rt_bytes vendor)
{
    for (size_t i = 0; i < incident->entry_count; i++)
        if (incident->entries[i]->step == RT_INCIDENT_VENDOR_NOTIFIED &&
            rt_bytes_equal(incident->entries[i]->record.vendor, vendor))
            return true;
    return false;
}

// NULL, or why the step may not follow.
static const char *forbids(const struct rt_incident *incident,
                           const struct rt_object_incident *record)
{
    if (record->step == RT_INCIDENT_OPENED)
        return incident ? "is open already" : NULL;
    if (!incident)
        return "was never opened";
    bool told = record->vendor.size && was_notified(incident, record->vendor);
    if (record->step == RT_INCIDENT_VENDOR_NOTIFIED && told)
        return "this vendor was notified before; its window does not start again";
    if (record->step == RT_INCIDENT_VENDOR_REPLY && !told)
        return "this vendor was never notified";
    if (record->step == RT_INCIDENT_REMEDIATED && incident->remediated_ms)
        return "was remedied before";
    return NULL;
}

static void first(int64_t *time_ms, int64_t at_ms)
{
    if (!*time_ms)
        *time_ms = at_ms;
}

static void take(const struct rt_incident_book *book, struct rt_incident *incident,
                 const struct rt_incident_entry *entry)
{
    int64_t at_ms = entry->received_ms;
    incident->severity = entry->severity;
    switch (entry->step) {
    case RT_INCIDENT_OPENED:
        incident->opened_ms = at_ms;
        break;
    case RT_INCIDENT_TRIAGED:
        first(&incident->triaged_ms, at_ms);
        break;
    case RT_INCIDENT_VENDOR_NOTIFIED: {
        int64_t window_ms = entry->record.window_ms ? (int64_t)entry->record.window_ms
                                                    : book->window_ms;
        int64_t ends_ms = window_ms > INT64_MAX - at_ms ? INT64_MAX : at_ms + window_ms;
        first(&incident->notified_ms, at_ms);
        if (ends_ms > incident->window_ends_ms)
            incident->window_ends_ms = ends_ms;
        break;
    }
    case RT_INCIDENT_VENDOR_REPLY:
        first(&incident->replied_ms, at_ms);
        break;
    case RT_INCIDENT_REMEDIATED:
        first(&incident->remediated_ms, at_ms);
        break;
    case RT_INCIDENT_DISPUTED:
        first(&incident->disputed_ms, at_ms);
        break;
    case RT_INCIDENT_STEP_COUNT:
        break;
    }
}

static bool agrees(const struct rt_statement *statement, const struct rt_object_incident *record)
{
    return rt_digest_equal(&record->campaign, &statement->campaign) &&
           rt_bytes_equal(record->incident, statement->incident) &&
           rt_bytes_equal_str(statement->step, rt_incident_step_words[record->step]) &&
           record->severity == statement->severity;
}

static enum rt_status add_step(struct rt_incident_book *book, const struct rt_statement *statement,
                               uint64_t index, struct rt_bytes object)
{
    struct rt_bytes copy = rt_arena_bytes(book->arena, object);
    struct rt_incident_entry *made = rt_arena_alloc(book->arena, sizeof *made);
    if (!copy.data || !made)
        return RT_NO_MEMORY;
    enum rt_status status = rt_object_incident_decode(copy, book->arena, &made->record, NULL);
    if (status)
        return status == RT_NO_MEMORY
                   ? status
                   : refuse(book, "incident", statement->incident, "its record is none");
    if (!agrees(statement, &made->record))
        return refuse(book, "incident", statement->incident,
                      "its record says something else than the statement");
    struct rt_incident *incident =
        (struct rt_incident *)(uintptr_t)rt_incident_find(book, statement->incident);
    const char *why = forbids(incident, &made->record);
    if (why)
        return refuse(book, "incident", statement->incident, why);
    made->step = made->record.step;
    made->index = index;
    made->received_ms = statement->received_ms;
    made->severity = statement->severity;
    made->record_digest = statement->record;
    made->reason = copy_text(book->arena, statement->reason);
    const char *id = incident ? incident->id : copy_text(book->arena, statement->incident);
    if (!made->reason || !id)
        return RT_NO_MEMORY;
    if (!incident) {
        incident = add_place(book->arena, &book->incidents, book->incident_count,
                             &book->incident_room, sizeof *incident);
        if (!incident)
            return RT_NO_MEMORY;
        incident->id = id;
        book->incident_count++;
    }
    struct rt_incident_entry *entry =
        add_place(book->arena, &incident->entries, incident->entry_count, &incident->entry_room,
                  sizeof *entry);
    if (!entry)
        return RT_NO_MEMORY;
    *entry = *made;
    incident->entry_count++;
    take(book, incident, entry);
    return RT_OK;
}

// ---- grants

static struct rt_grant *find_grant(const struct rt_incident_book *book, struct rt_bytes id)
{
    for (size_t i = 0; i < book->grant_count; i++)
        if (rt_bytes_equal_str(id, book->grants[i]->id))
            return book->grants[i];
    return NULL;
}

static enum rt_status add_grant(struct rt_incident_book *book, const struct rt_statement *statement,
                                uint64_t index)
{
    struct rt_grant made = {.index = index,
                            .received_ms = statement->received_ms,
                            .until_ms = statement->until > INT64_MAX ? INT64_MAX
                                                                     : (int64_t)statement->until};
    if (rt_release_what_of(statement->what, &made.what))
        return refuse(book, "grant", statement->grant, "releases what there is not");
    if (find_grant(book, statement->grant))
        return refuse(book, "grant", statement->grant, "was made before");
    made.id = copy_text(book->arena, statement->grant);
    made.to = copy_text(book->arena, statement->to);
    made.purpose = copy_text(book->arena, statement->reason);
    struct rt_grant *grant = add_place(book->arena, &book->grants, book->grant_count,
                                       &book->grant_room, sizeof *grant);
    if (!grant || !made.id || !made.to || !made.purpose)
        return RT_NO_MEMORY;
    *grant = made;
    book->grant_count++;
    return RT_OK;
}

static enum rt_status revoke(struct rt_incident_book *book, const struct rt_statement *statement)
{
    struct rt_grant *grant = find_grant(book, statement->grant);
    if (!grant)
        return refuse(book, "grant", statement->grant, "was never made");
    if (grant->revoked)
        return refuse(book, "grant", statement->grant, "was revoked before");
    const char *because = copy_text(book->arena, statement->reason);
    if (!because)
        return RT_NO_MEMORY;
    grant->revoked = true;
    grant->revoked_ms = statement->received_ms;
    grant->revoked_because = because;
    return RT_OK;
}

enum rt_status rt_incident_book_add(struct rt_incident_book *book,
                                    const struct rt_statement *statement, uint64_t index,
                                    struct rt_bytes object)
{
    enum rt_status status = RT_CONFLICT;
    book->wrong[0] = 0;
    if (book->entries >= RT_INCIDENTS_MOST)
        return RT_TOO_LARGE;
    if (statement->kind == RT_STATEMENT_INCIDENT)
        status = add_step(book, statement, index, object);
    else if (statement->kind == RT_STATEMENT_RELEASE)
        status = add_grant(book, statement, index);
    else if (statement->kind == RT_STATEMENT_REVOKE)
        status = revoke(book, statement);
    book->entries += status == RT_OK;
    return status;
}

// ---- what follows from them

int64_t rt_incident_embargo_ms(const struct rt_incident_book *book,
                               const struct rt_incident *incident)
{
    int64_t ends_ms = incident->window_ends_ms;
    if (!incident->notified_ms)
        ends_ms = book->window_ms > INT64_MAX - incident->opened_ms
                      ? INT64_MAX
                      : incident->opened_ms + book->window_ms;
    if (incident->remediated_ms && incident->remediated_ms < ends_ms)
        ends_ms = incident->remediated_ms;
    return ends_ms;
}

bool rt_release_granted(const struct rt_incident_book *book, enum rt_release_what what,
                        const char *to, int64_t at_ms)
{
    for (size_t i = 0; i < book->grant_count; i++) {
        const struct rt_grant *grant = book->grants[i];
        bool whom = strcmp(grant->to, "everyone") == 0 || (to && strcmp(grant->to, to) == 0);
        bool in_time = at_ms >= grant->received_ms && (!grant->until_ms || at_ms < grant->until_ms);
        bool taken_back = grant->revoked && at_ms >= grant->revoked_ms;
        if (grant->what == what && whom && in_time && !taken_back)
            return true;
    }
    return false;
}
