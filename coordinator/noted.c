// SPDX-License-Identifier: Apache-2.0
#include "coordinator/noted.h"

#include <stdlib.h>

struct reading {
    struct rt_view *view;
    struct rt_incident_book *book;
    struct rt_statement *statement;
    struct rt_buf leaf, object;
};

static enum rt_status read_one(void *ctx, uint64_t index)
{
    struct reading *reading = ctx;
    rt_buf_clear(&reading->leaf);
    rt_buf_clear(&reading->object);
    enum rt_status status = rt_view_leaf(reading->view, index, &reading->leaf);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&reading->leaf), reading->statement, NULL);
    if (!status && reading->statement->kind == RT_STATEMENT_INCIDENT)
        status = rt_view_object(reading->view, &reading->statement->record, &reading->object);
    if (status)
        return status == RT_NO_MEMORY ? status : RT_CORRUPT;
    status = rt_incident_book_add(reading->book, reading->statement, index,
                                  rt_buf_bytes(&reading->object));
    return status == RT_CONFLICT || status == RT_TOO_LARGE ? RT_OK : status;
}

enum rt_status rt_noted_read(struct rt_view *view, uint32_t number, int64_t window_ms,
                             struct rt_arena *arena, struct rt_incident_book *ret_book)
{
    struct reading reading = {.view = view, .book = ret_book};
    reading.statement = calloc(1, sizeof *reading.statement);
    rt_incident_book_init(ret_book, arena, window_ms);
    rt_buf_init(&reading.leaf, RT_STATEMENT_MOST);
    rt_buf_init(&reading.object, RT_INCIDENT_MOST);
    enum rt_status status = reading.statement ? RT_OK : RT_NO_MEMORY;
    if (!status)
        status = rt_view_noted(view, number, read_one, &reading);
    rt_buf_release(&reading.leaf);
    rt_buf_release(&reading.object);
    free(reading.statement);
    return status;
}
