// SPDX-License-Identifier: Apache-2.0
// The page's two script elements: the report as JSON, which is data and never runs, and the charts,
// which only run because the page's policy names their digest.
#include "common/crypto/hash.h"
#include "common/report/html.h"
#include "common/report/render.h"
#include "common/web/web.h"

void rt_html_policy(struct rt_buf *out)
{
    struct rt_bytes script = rt_web_report_script();
    rt_buf_add_str(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                        "'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'");
    if (script.size) {
        struct rt_digest digest;
        rt_sha256(script, &digest);
        rt_buf_add_str(out, "; script-src 'sha256-");
        rt_base64_add(out, digest.bytes, sizeof digest.bytes);
        rt_buf_add_u8(out, '\'');
    }
    rt_buf_add_str(out, "\">\n");
}

// In JSON "<" stands in strings alone, where \u003c means the same: no text can end the element.
static void add_data(struct rt_buf *out, struct rt_bytes json)
{
    size_t from = 0;
    for (size_t i = 0; i < json.size; i++)
        if (json.data[i] == '<') {
            rt_buf_add(out, json.data + from, i - from);
            rt_buf_add_str(out, "\\u003c");
            from = i + 1;
        }
    rt_buf_add(out, json.data + from, json.size - from);
}

enum rt_status rt_html_charts(const struct rt_report *report, struct rt_buf *out)
{
    struct rt_bytes script = rt_web_report_script();
    struct rt_buf json;
    if (!script.size)
        return RT_OK;
    rt_buf_init(&json, out->limit);
    enum rt_status status = rt_report_json(report, &json);
    if (!status) {
        rt_buf_add_str(out, "<script type=\"application/json\" id=\"report-data\">");
        add_data(out, rt_buf_bytes(&json));
        rt_buf_add_str(out, "</script>\n<script>");
        rt_buf_add_bytes(out, script);
        rt_buf_add_str(out, "</script>\n");
    }
    rt_buf_release(&json);
    return status;
}
