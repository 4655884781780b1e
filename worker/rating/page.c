// SPDX-License-Identifier: Apache-2.0
#include "worker/rating/page.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "engine/judge.h"

#define PAGE_MOST    ((size_t)512 << 20)
#define ANSWERS_MOST ((size_t)16 << 20)

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:1rem auto;padding:0 1rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid #888;padding-left:.7rem}"
    "button{font:inherit;margin:.2rem;padding:.3rem .7rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}";

// Everything foreign goes through textContent, never through markup.
static const char script[] =
    "'use strict';"
    "const data=JSON.parse(document.getElementById('data').textContent);"
    "const given=new Map();let at=0,saved=true;"
    "const el=(tag,text)=>{const e=document.createElement(tag);"
    "if(text!==undefined)e.textContent=text;return e};"
    "const main=document.getElementById('main');"
    "const keys='123456789abcdefghijklmnopr';"
    "function show(){main.replaceChildren();"
    "document.getElementById('count').textContent="
    "given.size+' of '+data.trials.length+' rated';"
    "const b=el('button','Backspace: the one before');"
    "b.setAttribute('aria-keyshortcuts','Backspace');b.onclick=back;"
    "if(at>=data.trials.length){main.append(el('p','That was all. Save your labels.'),b);return}"
    "const t=data.trials[at];main.append(el('h2',t.title));"
    "if(given.has(t.trial))main.append(el('p','Your label: '+data.labels[given.get(t.trial)]));"
    "if(t.rubric)main.append(el('pre',t.rubric));"
    "for(const e of t.entries){main.append(el('h3',e.call?e.by+' calls '+e.call:e.by));"
    "for(const k of['text','refusal','arguments','answer'])"
    "if(e[k])main.append(el('pre',(k==='answer'?'answered: ':'')+e[k]))}"
    "data.labels.forEach((l,i)=>{const b=el('button',keys[i]+' '+l);"
    "b.setAttribute('aria-keyshortcuts',keys[i]);"
    "b.onclick=()=>give(i);main.append(b)});"
    "const s=el('button','s later');s.onclick=()=>{at++;show()};main.append(s);"
    "if(at)main.append(b);"
    "window.scrollTo(0,0)}"
    "function back(){if(at)at--;show()}"
    "function give(i){if(at<data.trials.length&&i<data.labels.length){"
    "given.set(data.trials[at].trial,i);saved=false;at++;show()}}"
    "function answers(){return JSON.stringify({format:'ringtrial/labels/v1',"
    "campaign:data.campaign,person:data.person,"
    "labels:[...given].map(([trial,label])=>({trial,label}))})}"
    "document.addEventListener('keydown',e=>{if(e.ctrlKey||e.metaKey||e.altKey)return;"
    "if(e.key==='s'){at++;show()}else if(e.key==='Backspace')back();"
    "else if(keys.includes(e.key))give(keys.indexOf(e.key))});"
    "document.getElementById('save').onclick=()=>{const a=el('a');"
    "a.href=URL.createObjectURL(new Blob([answers()],{type:'application/json'}));"
    "a.download='labels-'+data.person+'.json';a.click();saved=true};"
    // What is not saved is nowhere else.
    "window.addEventListener('beforeunload',e=>{if(!saved)e.preventDefault()});"
    "show();";

// ---- what the page holds

static json_t *entries_json(const struct rt_transcript *transcript)
{
    json_t *entries = json_array();
    struct rt_buf line;
    rt_buf_init(&line, PAGE_MOST);
    for (size_t i = 0; i < transcript->entry_count; i++) {
        json_t *entry = NULL;
        rt_buf_clear(&line);
        if (rt_judge_entry(&transcript->entries[i], &line) || !line.size)
            continue;
        entry = json_loadb((const char *)line.data, line.size, 0, NULL);
        json_array_append_new(entries, entry);
    }
    rt_buf_release(&line);
    return entries;
}

static enum rt_status trial_json(const struct rt_panel *panel, const struct rt_panel_trial *trial,
                                 json_t *trials, struct rt_error *err)
{
    struct rt_transcript transcript;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)256 << 20);
    enum rt_status status =
        rt_desk_transcript(&panel->desk, trial->trial, &arena, &transcript, err);
    const struct rt_judge *judge = trial->scenario->judge;
    if (!status)
        json_array_append_new(
            trials, json_pack("{s:I, s:s, s:s, s:o}", "trial", (json_int_t)trial->trial->number,
                              "title", trial->scenario->title, "rubric",
                              judge && judge->rubric_text ? judge->rubric_text : "", "entries",
                              entries_json(&transcript)));
    rt_arena_release(&arena);
    return status;
}

// In a script element nothing ends the element but "</": so no `<` stays a `<`.
static void add_escaped(struct rt_bytes json, struct rt_buf *out)
{
    for (size_t i = 0; i < json.size; i++) {
        uint8_t byte = json.data[i];
        if (byte == '<' || byte == '>' || byte == '&')
            rt_buf_printf(out, "\\u%04x", byte);
        else
            rt_buf_add_u8(out, byte);
    }
}

static void base64_digest(const char *text, char ret_text[48])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct rt_digest digest;
    size_t out = 0;
    rt_sha256(rt_bytes_str(text), &digest);
    for (size_t i = 0; i < RT_DIGEST_BYTES; i += 3) {
        uint32_t word = (uint32_t)digest.bytes[i] << 16;
        word |= i + 1 < RT_DIGEST_BYTES ? (uint32_t)digest.bytes[i + 1] << 8 : 0;
        word |= i + 2 < RT_DIGEST_BYTES ? digest.bytes[i + 2] : 0;
        for (int d = 0; d < 4; d++)
            ret_text[out++] = digits[word >> (18 - 6 * d) & 63];
    }
    ret_text[43] = '='; // 32 bytes are 43 digits and one of padding
    ret_text[44] = 0;
}

static enum rt_status render(json_t *data, struct rt_buf *out)
{
    struct rt_buf json;
    char script_hash[48], style_hash[48];
    rt_buf_init(&json, PAGE_MOST);
    enum rt_status status = rt_json_write(data, &json);
    base64_digest(script, script_hash);
    base64_digest(style, style_hash);
    rt_buf_printf(out,
                  "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "script-src 'sha256-%s'; style-src 'sha256-%s'; base-uri 'none'; "
                  "form-action 'none'\">\n"
                  "<meta name=\"referrer\" content=\"no-referrer\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n"
                  "<title>Labels</title>\n<style>%s</style></head>\n<body>"
                  "<p><span id=\"count\" role=\"status\"></span> "
                  "<button id=\"save\">Save labels</button></p>\n<main id=\"main\"></main>\n"
                  "<script type=\"application/json\" id=\"data\">",
                  script_hash, style_hash, style);
    add_escaped(rt_buf_bytes(&json), out);
    rt_buf_printf(out, "</script>\n<script>%s</script></body></html>\n", script);
    rt_buf_release(&json);
    return status ? status : rt_buf_ok(out);
}

static json_t *head_json(const struct rt_panel *panel, const char *person)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    const struct rt_campaign *campaign = panel->desk.local->campaign;
    json_t *labels = json_array();
    rt_digest_format(&panel->desk.local->digest, digest);
    for (size_t l = 0; l < campaign->label_count; l++)
        json_array_append_new(labels, json_string(campaign->labels[l].id));
    return json_pack("{s:s, s:s, s:o, s:[]}", "campaign", digest, "person", person, "labels",
                     labels, "trials");
}

enum rt_status rt_page_write(struct rt_panel *panel, const char *person, const char *path,
                             size_t *ret_trials, struct rt_error *err)
{
    struct rt_panel_trial **queue = calloc(panel->count + 1, sizeof *queue);
    json_t *data = head_json(panel, person);
    struct rt_buf page;
    rt_buf_init(&page, PAGE_MOST);
    enum rt_status status =
        queue && data ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "out of memory");
    *ret_trials = status ? 0 : rt_panel_queue(panel, person, queue);
    for (size_t i = 0; i < *ret_trials && !status; i++)
        status = trial_json(panel, queue[i], json_object_get(data, "trials"), err);
    if (!status) {
        status = render(data, &page);
        status = status ? rt_error_set(err, status, "%s: %s", path, rt_status_text(status))
                        : rt_file_write(path, rt_buf_bytes(&page), 0600, err);
    }
    rt_buf_release(&page);
    json_decref(data);
    free(queue);
    return status;
}

// ---- what comes back

enum rt_status rt_page_read(struct rt_panel *panel, const char *person, struct rt_bytes text,
                            size_t *ret_rated, struct rt_error *err)
{
    json_t *json = NULL, *row;
    char digest[RT_DIGEST_TEXT_BYTES];
    size_t at;
    *ret_rated = 0;
    enum rt_status status = rt_json_parse(text, &json, err);
    if (status)
        return status;
    rt_digest_format(&panel->desk.local->digest, digest);
    const char *format = json_string_value(json_object_get(json, "format"));
    const char *campaign = json_string_value(json_object_get(json, "campaign"));
    const char *who = json_string_value(json_object_get(json, "person"));
    json_t *labels = json_object_get(json, "labels");
    if (!format || strcmp(format, "ringtrial/labels/v1") || !json_is_array(labels))
        status = rt_error_set(err, RT_MALFORMED, "these are no labels saved by the page");
    else if (!campaign || strcmp(campaign, digest) || !who || strcmp(who, person))
        status = rt_error_set(err, RT_CONFLICT, "these labels are of another campaign or person");
    json_array_foreach(labels, at, row)
    {
        const json_t *trial = json_object_get(row, "trial"), *label = json_object_get(row, "label");
        if (status)
            break;
        if (!json_is_integer(trial) || !json_is_integer(label) || json_integer_value(trial) < 0 ||
            json_integer_value(label) < 0 || json_integer_value(label) > 255) {
            status = rt_error_set(err, RT_MALFORMED, "label %zu: not a trial and a label", at + 1);
            break;
        }
        status = rt_panel_rate(panel, person, (uint64_t)json_integer_value(trial),
                               (uint32_t)json_integer_value(label), err);
        *ret_rated += !status;
        status = status == RT_EXISTS ? RT_OK : status; // loaded before
    }
    json_decref(json);
    return status;
}

enum rt_status rt_page_load(struct rt_panel *panel, const char *person, const char *path,
                            size_t *ret_rated, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, ANSWERS_MOST);
    *ret_rated = 0;
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_page_read(panel, person, rt_buf_bytes(&text), ret_rated, err);
    rt_buf_release(&text);
    return status;
}
