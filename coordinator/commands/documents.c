// SPDX-License-Identifier: Apache-2.0
#include "coordinator/commands/documents.h"

enum rt_status rt_documents_roster(struct rt_store *store, struct rt_buf *object,
                                   struct rt_arena *arena, struct rt_roster **ret_roster,
                                   struct rt_error *err)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(store, &view, err);
    if (status)
        return status;
    struct rt_digest digest;
    uint64_t version;
    status = rt_view_roster(view, &version, &digest);
    if (!status)
        status = rt_view_object(view, &digest, object);
    rt_view_end(view);
    if (!status)
        status = rt_roster_decode(rt_buf_bytes(object), arena, ret_roster);
    return status ? rt_error_set(err, status, "the roster in force: %s", rt_status_text(status))
                  : RT_OK;
}

struct search {
    struct rt_view *view;
    const char *name;
    struct rt_arena *arena;
    struct rt_campaign *found;
    struct rt_core_campaign_row row;
    size_t matches;
};

static enum rt_status look(void *ctx, const struct rt_core_campaign_row *row)
{
    struct search *search = ctx;
    struct rt_buf object;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status = rt_view_object(search->view, &row->digest, &object);
    struct rt_bytes copy = rt_arena_bytes(search->arena, rt_buf_bytes(&object));
    rt_buf_release(&object);
    struct rt_campaign *campaign = NULL;
    if (!status)
        status = copy.data ? rt_campaign_decode(copy, search->arena, &campaign) : RT_NO_MEMORY;
    if (status)
        return status;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&row->digest, digest);
    bool by_digest = strncmp(search->name, "sha256:", 7) == 0;
    if (by_digest ? strncmp(digest, search->name, strlen(search->name)) == 0
                  : strcmp(campaign->id, search->name) == 0) {
        search->found = campaign;
        search->row = *row;
        search->matches++;
    }
    return RT_OK;
}

enum rt_status rt_documents_campaign(struct rt_view *view, const char *name, struct rt_arena *arena,
                                     struct rt_campaign **ret_campaign,
                                     struct rt_core_campaign_row *ret_row, struct rt_error *err)
{
    struct search search = {.view = view, .name = name, .arena = arena};
    enum rt_status status = rt_view_campaigns(view, look, &search);
    if (status)
        return rt_error_set(err, status, "reading the campaigns: %s", rt_status_text(status));
    if (search.matches != 1)
        return rt_error_set(err, RT_NOT_FOUND,
                            search.matches
                                ? "%s names several campaigns; give the digest (sha256:…)"
                                : "no campaign %s is registered here",
                            name);
    *ret_campaign = search.found;
    *ret_row = search.row;
    return RT_OK;
}
