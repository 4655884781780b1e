// SPDX-License-Identifier: Apache-2.0
// What parses as a statement is built again, from its parsed fields, into the very bytes that were
// signed; and its parts lie one behind the other in the input.
#include "proto/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_statement statement;
    size_t line = 0;
    if (rt_statement_parse(rt_bytes(data, size), &statement, &line)) {
        RT_ASSERT(line > 0 || size > RT_STATEMENT_MOST);
        return 0;
    }
    RT_ASSERT(statement.bytes.size == size && statement.body.data == data);
    RT_ASSERT(statement.body.size <= statement.unstamped.size);
    RT_ASSERT(statement.unstamped.size <= size);
    RT_ASSERT((statement.unstamped.size < size) == statement.has_received);
    RT_ASSERT((statement.body.size < statement.unstamped.size) == (statement.signature_count > 0));
    struct rt_buf out;
    rt_buf_init(&out, RT_STATEMENT_MOST);
    RT_ASSERT(rt_statement_build(&statement, &out) == RT_OK);
    RT_ASSERT(rt_bytes_equal(statement.body, rt_buf_bytes(&out)));
    struct rt_statement leaf;
    (void)!rt_statement_parse_leaf(rt_bytes(data, size), statement.received_ms, &leaf, NULL);
    rt_buf_release(&out);
    return 0;
}
