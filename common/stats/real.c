// SPDX-License-Identifier: Apache-2.0
#include "common/stats/real.h"

#include <mpfr.h>

#include "common/stats/real_fast.h"
#include "common/stats/special.h"

// Enough for the difference of log-gammas near 1e11 to keep all 53 bits of the result.
#define WIDE_BITS 160

typedef int mpfr_unary(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

static double apply(mpfr_unary *function, double x)
{
    MPFR_DECL_INIT(in, 53);
    MPFR_DECL_INIT(out, 53);
    mpfr_set_d(in, x, MPFR_RNDN);
    function(out, in, MPFR_RNDN);
    return mpfr_get_d(out, MPFR_RNDN);
}

double rt_real_exp(double x)
{
    double result;
    return rt_exp_fast(x, &result) ? result : apply(mpfr_exp, x);
}

double rt_real_expm1(double x)
{
    return apply(mpfr_expm1, x);
}

double rt_real_log(double x)
{
    double result;
    return rt_log_fast(x, &result) ? result : apply(mpfr_log, x);
}

double rt_real_log1p(double x)
{
    double result;
    return rt_log1p_fast(x, &result) ? result : apply(mpfr_log1p, x);
}

double rt_real_lgamma(double x)
{
    return apply(mpfr_lngamma, x);
}

double rt_real_sin(double x)
{
    return apply(mpfr_sin, x);
}

double rt_real_asin(double x)
{
    return apply(mpfr_asin, x);
}

double rt_real_pow(double x, double y)
{
    MPFR_DECL_INIT(base, 53);
    MPFR_DECL_INIT(power, 53);
    mpfr_set_d(base, x, MPFR_RNDN);
    mpfr_set_d(power, y, MPFR_RNDN);
    mpfr_pow(base, base, power, MPFR_RNDN);
    return mpfr_get_d(base, MPFR_RNDN);
}

double rt_real_lbeta(double a, double b)
{
    MPFR_DECL_INIT(sum, WIDE_BITS);
    MPFR_DECL_INIT(term, WIDE_BITS);
    MPFR_DECL_INIT(total, WIDE_BITS);
    mpfr_set_d(sum, a, MPFR_RNDN);
    mpfr_lngamma(total, sum, MPFR_RNDN);
    mpfr_add_d(sum, sum, b, MPFR_RNDN);
    mpfr_set_d(term, b, MPFR_RNDN);
    mpfr_lngamma(term, term, MPFR_RNDN);
    mpfr_add(total, total, term, MPFR_RNDN);
    mpfr_lngamma(term, sum, MPFR_RNDN);
    mpfr_sub(total, total, term, MPFR_RNDN);
    return mpfr_get_d(total, MPFR_RNDN);
}

double rt_real_lchoose(double n, double k)
{
    if (k <= 0 || k >= n)
        return 0;
    return -rt_real_log1p(n) - rt_real_lbeta(n - k + 1, k + 1);
}

void rt_real_release_thread(void)
{
    rt_quantile_forget();
    mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
}
