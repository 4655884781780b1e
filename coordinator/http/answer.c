// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/answer.h"

#include "common/base/file.h"
#include "common/base/time.h"
#include "common/report/render.h"
#include "coordinator/bundle_facts.h"
#include "coordinator/commands/documents.h"
#include "coordinator/cosigned.h"
#include "coordinator/publish.h"

#define JSON_TYPE    "application/json"
#define TEXT_TYPE    "text/plain; charset=utf-8"
#define BYTES_TYPE   "application/octet-stream"
#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

void rt_http_refuse(struct rt_http_answer *answer, unsigned code, const char *text)
{
    rt_buf_clear(&answer->body);
    rt_buf_printf(&answer->body, "{\"error\":\"%s\"}\n", text);
    answer->code = code;
    answer->type = JSON_TYPE;
    answer->caching = RT_HTTP_NOT_KEPT;
    answer->page = false;
}

static void settle(struct rt_http_answer *answer, enum rt_status status, const char *type,
                   enum rt_http_caching caching)
{
    if (!status)
        status = rt_buf_ok(&answer->body);
    answer->code = 200;
    answer->type = type;
    answer->caching = caching;
    if (status == RT_NOT_FOUND)
        rt_http_refuse(answer, 404, "not found");
    else if (status == RT_NOT_PERMITTED)
        rt_http_refuse(answer, 403,
                       "not to be seen before the campaign has closed and its embargo is over");
    else if (status == RT_AGAIN)
        rt_http_refuse(answer, 503, "not ready, try again");
    else if (status)
        rt_http_refuse(answer, 500, rt_status_text(status));
}

// ---- the log

static enum rt_status read_tile(struct rt_http *http, const struct rt_tile *tile,
                                struct rt_buf *out)
{
    struct rt_view *view = NULL;
    struct rt_store_head head;
    enum rt_status status = rt_view_begin(http->store, &view, NULL);
    if (status)
        return status;
    rt_view_head(view, &head);
    if (!rt_tile_exists(tile, head.size))
        status = RT_NOT_FOUND;
    else if (tile->entries)
        status = rt_bundle_build(tile, rt_view_leaf, view, out);
    else
        status = rt_tile_build(tile, rt_view_node, view, out);
    rt_view_end(view);
    return status;
}

// The newest checkpoint with the cosignatures it has by now.
static enum rt_status read_checkpoint(struct rt_http *http, struct rt_buf *out)
{
    enum rt_status status = rt_board_note(http->board, out);
    if (status || !rt_file_exists(http->cosigned))
        return status;
    struct rt_arena arena;
    struct rt_buf object;
    struct rt_roster *roster = NULL;
    rt_arena_init(&arena, (size_t)64 << 20);
    rt_buf_init(&object, RT_PAYLOAD_MOST);
    status = rt_documents_roster(http->store, &object, &arena, &roster, NULL);
    if (!status)
        status = rt_cosigned_append(http->cosigned, roster, out, NULL);
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return status;
}

// ---- objects

static enum rt_status read_object(struct rt_http *http, const struct rt_route *route,
                                  enum rt_reader reader, struct rt_buf *out)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(http->store, &view, NULL);
    if (!status)
        status = rt_view_object(view, &route->digest, out);
    if (!status)
        status = rt_gate_object(http->gate, view, &route->digest, rt_buf_bytes(out), reader,
                                rt_time_wall_ms());
    if (!status && route->kind == RT_ROUTE_UNIT) {
        rt_buf_clear(out);
        status = rt_view_unit_statement(view, &route->digest, out);
    }
    rt_view_end(view);
    return status;
}

// ---- the API

// RT_OK when the reader may see its outcomes.
static enum rt_status may_see(struct rt_http *http, const char *id, enum rt_reader reader)
{
    struct rt_view *view = NULL;
    struct rt_arena arena;
    struct rt_campaign *campaign = NULL;
    struct rt_core_campaign_row row;
    rt_arena_init(&arena, (size_t)64 << 20);
    enum rt_status status = rt_view_begin(http->store, &view, NULL);
    if (!status)
        status = rt_documents_campaign(view, id, &arena, &campaign, &row, NULL);
    if (!status)
        status = rt_gate_campaign(http->gate, view, &row, reader, RT_MATTER_OUTCOME,
                                  rt_time_wall_ms());
    rt_view_end(view);
    rt_arena_release(&arena);
    return status;
}

static enum rt_status make_report(struct rt_http *http, const char *id, enum rt_reader reader,
                                  struct rt_buf *out)
{
    enum rt_status status = may_see(http, id, reader);
    if (status)
        return status;
    struct rt_campaign_report report;
    pthread_mutex_lock(&http->report_mutex);
    status = rt_campaign_report_make(http->store, id, &report, NULL);
    if (!status && reader != RT_READER_TRUSTED)
        status = rt_publish_report(&report, rt_time_wall_ms(), NULL);
    if (!status)
        status = rt_report_json(&report.report, out);
    rt_campaign_report_release(&report);
    pthread_mutex_unlock(&http->report_mutex);
    return status;
}

static void answer_json(struct rt_http *http, const struct rt_route *route, enum rt_reader reader,
                        struct rt_http_answer *answer)
{
    struct rt_buf board;
    rt_buf_init(&board, RT_BODY_MOST);
    enum rt_status status = rt_board_status(http->board, &board);
    if (!status && route->kind == RT_ROUTE_METRICS)
        status = rt_http_metrics(rt_buf_bytes(&board), &http->counters, &answer->body);
    else if (!status)
        status = rt_http_status(rt_buf_bytes(&board), reader,
                                route->kind == RT_ROUTE_CAMPAIGN ? route->id : NULL, &answer->body);
    rt_buf_release(&board);
    settle(answer, status, route->kind == RT_ROUTE_METRICS ? METRICS_TYPE : JSON_TYPE,
           RT_HTTP_NOT_KEPT);
}

void rt_http_answer(struct rt_http *http, const struct rt_route *route, enum rt_reader reader,
                    struct rt_http_answer *answer)
{
    struct rt_buf *body = &answer->body;
    answer->page = false;
    switch (route->kind) {
    case RT_ROUTE_PAGE:
        rt_buf_add_bytes(body, rt_http_page());
        settle(answer, RT_OK, "text/html; charset=utf-8", RT_HTTP_FRESH);
        answer->page = true;
        return;
    case RT_ROUTE_METRICS:
    case RT_ROUTE_STATUS:
    case RT_ROUTE_CAMPAIGN:
        answer_json(http, route, reader, answer);
        return;
    case RT_ROUTE_REPORT:
        settle(answer, make_report(http, route->id, reader, body), JSON_TYPE, RT_HTTP_NOT_KEPT);
        return;
    case RT_ROUTE_CHECKPOINT:
        settle(answer, read_checkpoint(http, body), TEXT_TYPE, RT_HTTP_FRESH);
        return;
    case RT_ROUTE_VKEY:
        rt_buf_printf(body, "%s\n", http->vkey);
        settle(answer, RT_OK, TEXT_TYPE, RT_HTTP_FRESH);
        return;
    case RT_ROUTE_TILE:
        settle(answer, read_tile(http, &route->tile, body), BYTES_TYPE, RT_HTTP_FOREVER);
        return;
    case RT_ROUTE_OBJECT:
    case RT_ROUTE_UNIT:
        // What only a token shows must not stay in anybody's cache.
        settle(answer, read_object(http, route, reader, body), BYTES_TYPE,
               reader == RT_READER_PUBLIC ? RT_HTTP_FOREVER : RT_HTTP_NOT_KEPT);
        return;
    case RT_ROUTE_COUNT:
        break;
    }
    rt_http_refuse(answer, 404, "not found");
}
