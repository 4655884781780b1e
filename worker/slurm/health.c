// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/health.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_MS 3000L
#define ANSWER_MS  8000L
#define BODY_MOST  (1L << 20)

struct rt_slurm_health {
    CURLM *multi;
    CURL *easy[RT_SLURM_JOBS_MOST]; // NULL: nothing is asked
    struct curl_slist *headers[RT_SLURM_JOBS_MOST];
};

enum rt_status rt_slurm_health_new(struct rt_slurm_health **ret_health, struct rt_error *err)
{
    struct rt_slurm_health *health = calloc(1, sizeof *health);
    if (health)
        health->multi = curl_multi_init();
    if (!health || !health->multi) {
        free(health);
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    *ret_health = health;
    return RT_OK;
}

void rt_slurm_health_drop(struct rt_slurm_health *health, uint32_t place)
{
    if (!health->easy[place])
        return;
    curl_multi_remove_handle(health->multi, health->easy[place]);
    curl_easy_cleanup(health->easy[place]);
    curl_slist_free_all(health->headers[place]);
    health->easy[place] = NULL;
    health->headers[place] = NULL;
}

void rt_slurm_health_free(struct rt_slurm_health *health)
{
    if (!health)
        return;
    for (uint32_t p = 0; p < RT_SLURM_JOBS_MOST; p++)
        rt_slurm_health_drop(health, p);
    curl_multi_cleanup(health->multi);
    free(health);
}

bool rt_slurm_health_asked(const struct rt_slurm_health *health, uint32_t place)
{
    return health->easy[place] != NULL;
}

// The body is read and left alone, up to a limit.
static size_t ignore(char *data, size_t size, size_t count, void *ctx)
{
    (void)data, (void)ctx;
    return size * count;
}

void rt_slurm_health_ask(struct rt_slurm_health *health, uint32_t place, const char *url,
                         const char *key)
{
    if (health->easy[place])
        return;
    CURL *easy = curl_easy_init();
    if (!easy)
        return;
    if (key && *key) {
        char header[512];
        snprintf(header, sizeof header, "Authorization: Bearer %s", key);
        health->headers[place] = curl_slist_append(NULL, header);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, health->headers[place]);
    }
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); // nodes are inside, a proxy leads outside
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ANSWER_MS);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, BODY_MOST);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)(uintptr_t)place);
    if (curl_multi_add_handle(health->multi, easy)) {
        curl_easy_cleanup(easy);
        curl_slist_free_all(health->headers[place]);
        health->headers[place] = NULL;
        return;
    }
    health->easy[place] = easy;
}

bool rt_slurm_health_next(struct rt_slurm_health *health, uint32_t *ret_place, bool *ret_yes)
{
    int running, left;
    curl_multi_perform(health->multi, &running);
    for (const CURLMsg *message; (message = curl_multi_info_read(health->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        void *place = NULL;
        long code = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &place);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &code);
        *ret_place = (uint32_t)(uintptr_t)place;
        *ret_yes = message->data.result == CURLE_OK && code == 200;
        rt_slurm_health_drop(health, *ret_place);
        return true;
    }
    return false;
}
