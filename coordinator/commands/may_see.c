// SPDX-License-Identifier: Apache-2.0
#include "coordinator/commands/may_see.h"

#include "common/base/time.h"
#include "coordinator/commands/documents.h"
#include "coordinator/gate.h"
#include "coordinator/http/token.h"

static enum rt_status refuse(const struct rt_campaign *campaign,
                             const struct rt_core_campaign_row *row, bool published,
                             struct rt_error *err)
{
    char until[RT_STAMP_BYTES];
    if (row->state != RT_OFFER_CLOSED)
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "campaign %s has not closed: until then labs are blind to one another "
                            "and only progress is shown%s",
                            campaign->id,
                            published ? ""
                                      : "; operators and auditors hold a token of `http token`");
    rt_stamp_format(campaign->disclosure.embargo_until_ms, until);
    return rt_error_set(err, RT_NOT_PERMITTED, "campaign %s is under embargo until %.10s",
                        campaign->id, until);
}

enum rt_status rt_may_see(const struct rt_state *state, struct rt_store *store,
                          const char *campaign, bool published, struct rt_error *err)
{
    bool trusted = !published && rt_token_held(state->keys);
    struct rt_view *view = NULL;
    struct rt_arena arena;
    struct rt_gate gate;
    struct rt_campaign *found = NULL;
    struct rt_core_campaign_row row;
    rt_arena_init(&arena, (size_t)256 << 20);
    rt_gate_init(&gate);
    enum rt_status status = rt_view_begin(store, &view, err);
    if (!status)
        status = rt_documents_campaign(view, campaign, &arena, &found, &row, err);
    if (!status) {
        status = rt_gate_campaign(&gate, view, &row,
                                  trusted ? RT_READER_TRUSTED : RT_READER_PUBLIC,
                                  RT_MATTER_OUTCOME, rt_time_wall_ms());
        if (status == RT_NOT_PERMITTED)
            status = refuse(found, &row, published, err);
        else if (status)
            rt_error_set(err, status, "campaign %s: %s", campaign, rt_status_text(status));
    }
    rt_view_end(view);
    rt_gate_release(&gate);
    rt_arena_release(&arena);
    return status;
}
