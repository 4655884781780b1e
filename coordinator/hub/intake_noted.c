// SPDX-License-Identifier: Apache-2.0
// A step of an incident, a release or a revocation, held against what the log has of the campaign
// so far, so that whoever makes a mistake is told at once. What enters by a race is left out by
// every reader alike (proto/incident.h).
#include <stdio.h>

#include "common/base/time.h"
#include "coordinator/commands/documents.h"
#include "coordinator/hub/intake.h"
#include "coordinator/noted.h"

static const char *committee_short(const struct rt_intake *intake,
                                   const struct rt_statement_signer *signers)
{
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    for (size_t i = 0; i < intake->statement.signature_count; i++)
        keys[i] = signers[i].key;
    if (intake->statement.kind != RT_STATEMENT_RELEASE ||
        rt_roster_threshold(intake->roster, "release", keys, intake->statement.signature_count,
                            rt_time_wall_ms(), UINT64_MAX) == RT_OK)
        return NULL;
    return "the roster's threshold for a release is not met; let more of the data committee sign";
}

static enum rt_status check_book(struct rt_intake *intake, struct rt_store *store,
                                 struct rt_bytes object, char ret_text[200])
{
    struct rt_statement *statement = &intake->statement;
    struct rt_arena arena;
    struct rt_view *view = NULL;
    struct rt_campaign *campaign = NULL;
    struct rt_core_campaign_row row;
    struct rt_incident_book book = {.arena = NULL};
    char name[RT_DIGEST_TEXT_BYTES];
    rt_arena_init(&arena, (size_t)512 << 20);
    rt_digest_format(&statement->campaign, name);
    enum rt_status status = rt_view_begin(store, &view, NULL);
    if (!status)
        status = rt_documents_campaign(view, name, &arena, &campaign, &row, NULL);
    if (!status)
        status = rt_noted_read(view, row.index, campaign->disclosure.remediation_window_ms, &arena,
                               &book);
    rt_view_end(view);
    snprintf(ret_text, 200, "its campaign: %s", rt_status_text(status));
    if (!status) {
        statement->received_ms = rt_time_wall_ms();
        status = rt_incident_book_add(&book, statement, UINT64_MAX, object);
        statement->received_ms = 0;
        snprintf(ret_text, 200, "%s", book.wrong[0] ? book.wrong : rt_status_text(status));
    }
    rt_arena_release(&arena);
    return status;
}

enum rt_status rt_intake_noted(struct rt_intake *intake, const struct rt_bytes *object,
                               const struct rt_statement_signer *signers, struct rt_store *store,
                               char ret_text[200])
{
    const struct rt_statement *statement = &intake->statement;
    const char *wrong = committee_short(intake, signers);
    struct rt_digest again;
    struct rt_view *view = NULL;
    uint64_t index;
    if (wrong) {
        snprintf(ret_text, 200, "%s", wrong);
        return RT_NOT_PERMITTED;
    }
    if (statement->kind == RT_STATEMENT_INCIDENT && (!object || !statement->seq)) {
        snprintf(ret_text, 200, "%s",
                 object ? "seq starts at 1" : "the incident's record is not in the message");
        return object ? RT_OUT_OF_RANGE : RT_NOT_FOUND;
    }
    // One that is in the log gets its first receipt again.
    rt_statement_digest(statement, &again);
    enum rt_status status = rt_view_begin(store, &view, NULL);
    if (!status)
        status = rt_view_statement(view, &again, &index);
    rt_view_end(view);
    if (status != RT_NOT_FOUND) {
        snprintf(ret_text, 200, "%s", rt_status_text(status));
        return status;
    }
    return check_book(intake, store, object ? *object : rt_bytes(NULL, 0), ret_text);
}
