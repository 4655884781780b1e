// SPDX-License-Identifier: Apache-2.0
// Incidents and releases as the log tells them: which step may follow which, when an embargo ends,
// how long triage and remedy took, which grants are in force. One rule for the coordinator, reports
// and auditors; times are the log's `received`, so nobody's clock or consent moves them. Holds
// copies in the caller's arena. Pure; one thread.
#ifndef RT_PROTO_INCIDENT_H
#define RT_PROTO_INCIDENT_H

#include "common/base/arena.h"
#include "proto/object_incident.h"
#include "proto/statement.h"

#define RT_INCIDENTS_MOST 10000 // steps and grants of one campaign

struct rt_incident_entry {
    enum rt_incident_step step;
    uint64_t index; // of the leaf
    int64_t received_ms;
    uint64_t severity;
    const char *reason;
    struct rt_object_incident record; // views into the arena
    struct rt_digest record_digest;
};

struct rt_incident {
    const char *id;
    struct rt_incident_entry **entries; // in log order; the first one opened it
    size_t entry_count, entry_room;
    uint64_t severity; // the latest
    // 0: has not happened.
    int64_t opened_ms, triaged_ms, notified_ms, replied_ms, remediated_ms, disputed_ms;
    int64_t window_ends_ms; // the latest window of any vendor
};

// What is withheld and may be granted.
//  X(NAME, word)
#define RT_RELEASE_TABLE(X)                                                                        \
    X(RESULTS, "results") /* what the embargo holds back */                                        \
    X(SCENARIOS, "scenarios")                                                                      \
    X(TRANSCRIPTS, "transcripts")
enum rt_release_what {
#define X(name, word) RT_RELEASE_##name,
    RT_RELEASE_TABLE(X)
#undef X
        RT_RELEASE_COUNT
};
extern const char *const rt_release_words[RT_RELEASE_COUNT + 1];

struct rt_grant {
    const char *id, *to, *purpose;
    enum rt_release_what what;
    uint64_t index;
    int64_t received_ms, until_ms; // until 0: for ever
    bool revoked;
    int64_t revoked_ms;
    const char *revoked_because;
};

struct rt_incident_book {
    struct rt_arena *arena;
    int64_t window_ms; // the campaign's remediation window, for a step that names none
    struct rt_incident **incidents;
    size_t incident_count, incident_room;
    struct rt_grant **grants;
    size_t grant_count, grant_room;
    size_t entries;
    char wrong[160]; // why the last call said RT_CONFLICT
};

void rt_incident_book_init(struct rt_incident_book *book, struct rt_arena *arena,
                           int64_t window_ms);

// RT_MALFORMED for a word that is none.
enum rt_status rt_incident_step_of(struct rt_bytes word, enum rt_incident_step *ret_step)
    RT_WARN_UNUSED;
enum rt_status rt_release_what_of(struct rt_bytes word,
                                  enum rt_release_what *ret_what) RT_WARN_UNUSED;

// The next leaf of kind incident (object: its record, whose digest the caller has checked),
// release or revoke (object empty). RT_CONFLICT, with book->wrong, for a step that may not follow,
// or an object that says something else than its statement; the book is then as it was.
// RT_TOO_LARGE, RT_NO_MEMORY.
enum rt_status rt_incident_book_add(struct rt_incident_book *book,
                                    const struct rt_statement *statement, uint64_t index,
                                    struct rt_bytes object) RT_WARN_UNUSED;

const struct rt_incident *rt_incident_find(const struct rt_incident_book *book,
                                           struct rt_bytes id); // or NULL

// When what is known of an incident may be told to everybody: when it is remedied, or when the last
// vendor's window is over, whichever comes first. Where no vendor was told, the campaign's window
// runs from the opening. Nobody's consent is in it.
int64_t rt_incident_embargo_ms(const struct rt_incident_book *book,
                               const struct rt_incident *incident);

// Is `what` released at this time to `to` (an organisation; NULL: to everyone)?
bool rt_release_granted(const struct rt_incident_book *book, enum rt_release_what what,
                        const char *to, int64_t at_ms);

#endif
