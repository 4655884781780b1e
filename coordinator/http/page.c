// SPDX-License-Identifier: Apache-2.0
// The dashboard, taken into the program as it is. The content security policy allows its own style
// and script by their digests and nothing from elsewhere.
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

#include "common/crypto/hash.h"
#include "coordinator/http/answer.h"

__asm__(".pushsection .rodata\n"
        "rt_http_page_begin:\n"
        ".incbin \"" RT_HTTP_PAGE "\"\n"
        "rt_http_page_end:\n"
        ".globl rt_http_page_begin, rt_http_page_end\n"
        ".hidden rt_http_page_begin, rt_http_page_end\n"
        ".popsection\n");
extern const uint8_t rt_http_page_begin[], rt_http_page_end[];

static char policy[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct rt_bytes rt_http_page(void)
{
    return rt_bytes(rt_http_page_begin, (size_t)(rt_http_page_end - rt_http_page_begin));
}

// SHA-256 of what stands between two marks, as the policy wants it.
static void digest_between(const char *from, const char *to, char ret_text[64])
{
    struct rt_bytes page = rt_http_page();
    struct rt_digest digest;
    const uint8_t *end = page.data + page.size, *begin = memmem(page.data, page.size, from,
                                                                strlen(from));
    RT_ASSERT(begin);
    begin += strlen(from);
    const uint8_t *stop = memmem(begin, (size_t)(end - begin), to, strlen(to));
    RT_ASSERT(stop);
    rt_sha256(rt_bytes(begin, (size_t)(stop - begin)), &digest);
    rt_base64_encode(digest.bytes, sizeof digest.bytes, ret_text);
}

static void make_policy(void)
{
    char style[64], script[64];
    digest_between("<style>", "</style>", style);
    digest_between("<script>", "</script>", script);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; connect-src "
             "'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
             style, script);
}

const char *rt_http_page_policy(void)
{
    pthread_once(&once, make_policy);
    return policy;
}
