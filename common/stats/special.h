// SPDX-License-Identifier: Apache-2.0
// Distribution functions and quantiles: incomplete beta and gamma and what follows from them (t, F,
// chi-squared) and the normal. Both tails are always computed directly, never one as the complement
// of the other where it is the small one. Pure; no allocation; safe from any thread.
//
// Accuracy is a relative 1e-12 or better for shapes up to 1e6 and 1e-10 up to 1e9. Arguments are
// the caller's duty: shapes and degrees of freedom above 0, probabilities strictly between 0 and 1.
#ifndef RT_STATS_SPECIAL_H
#define RT_STATS_SPECIAL_H

#include <stdbool.h>

struct rt_tails {
    double lower; // P(X <= x)
    double upper; // P(X > x)
};

// Regularised incomplete beta I_x(a, b) at x in [0, 1] and its complement: Lentz's continued
// fraction.
struct rt_tails rt_beta_cdf(double x, double a, double b);
// Regularised incomplete gamma P(a, x), Q(a, x), x >= 0: series below a + 1, continued fraction
// above.
struct rt_tails rt_gamma_cdf(double x, double a);
struct rt_tails rt_normal_cdf(double z);
struct rt_tails rt_t_cdf(double t, double df);
struct rt_tails rt_f_cdf(double f, double df1, double df2);
struct rt_tails rt_chi2_cdf(double x, double df);

// Quantiles by safeguarded Newton. rt_*_upper(q): the point with upper tail q; rt_*_lower(p): with
// lower tail p.
double rt_beta_lower(double p, double a, double b);
double rt_beta_upper(double q, double a, double b);
double rt_normal_upper(double q);
double rt_t_upper(double q, double df);
double rt_f_upper(double q, double df1, double df2);
double rt_chi2_lower(double p, double df);
double rt_chi2_upper(double q, double df);

// Quantiles are remembered per thread, since a report asks for the same few again and again. Forget
// them; rt_real_release_thread does it.
void rt_quantile_forget(void);

#endif
