// SPDX-License-Identifier: Apache-2.0
// Constants of real_fast.c. Every one is checked against MPFR at 240 bits by
// tests/property/stats/test_real.c. Data only.
#ifndef RT_STATS_REAL_TABLE_H
#define RT_STATS_REAL_TABLE_H

// ln 2 in two parts, the first with 11 zero bits at its end, so that a small whole multiple of it
// is exact; ln 2 / 32 likewise with 15.
#define RT_LN2_HIGH 0x1.62e42fefa38p-1
#define RT_LN2_LOW  0x1.ef35793c7673p-45
#define RT_LN2_32_HIGH 0x1.62e42fefap-6
#define RT_LN2_32_LOW  0x1.cf79abc9e3b3ap-45
#define RT_32_LN2      0x1.71547652b82fep5

// scale is a multiple of 2^-10 near 128 / i; high + low is -log(scale).
#define RT_LOG_FIRST 90
#define RT_LOG_LAST  181
struct rt_log_entry {
    double scale;
    double high;
    double low;
};
// clang-format off
static const struct rt_log_entry rt_log_table[RT_LOG_LAST - RT_LOG_FIRST + 1] = {
    {0x1.6cp0, -0x1.686c81e9b14afp-2, 0x1.ddea0f7f58e3dp-57},
    {0x1.68p0, -0x1.5d1bdbf5809cap-2, -0x1.4236383dc7fe1p-56},
    {0x1.644p0, -0x1.5262deeb98879p-2, -0x1.823ddad7fcfa1p-58},
    {0x1.604p0, -0x1.46d2d9c280567p-2, 0x1.b14130114bd36p-57},
    {0x1.5c8p0, -0x1.3bdd24eb14b6ap-2, -0x1.2da3c6449a7dp-58},
    {0x1.59p0, -0x1.31871c9544185p-2, 0x1.51acc4c09b379p-60},
    {0x1.554p0, -0x1.26561f133862dp-2, -0x1.10cdf548bd15cp-57},
    {0x1.51cp0, -0x1.1bc794fd1c8ccp-2, -0x1.e71708b083dbdp-57},
    {0x1.4e4p0, -0x1.111ce4003ee4dp-2, 0x1.1b84b5a5b5b2ap-57},
    {0x1.4bp0, -0x1.071b85fcd590dp-2, -0x1.d1707f97bde8p-58},
    {0x1.47cp0, -0x1.fa01c3bb57cbcp-3, -0x1.1c0a3c50f47adp-59},
    {0x1.448p0, -0x1.e598ed5a87e2fp-3, 0x1.a5e78f4c50659p-58},
    {0x1.414p0, -0x1.d0fb7f2255e51p-3, 0x1.4ac818ceca4c4p-57},
    {0x1.3e4p0, -0x1.bdc46ae344b13p-3, 0x1.2ff70a6bea623p-58},
    {0x1.3bp0, -0x1.a8becfc882f19p-3, 0x1.e8c37918c39ebp-58},
    {0x1.38p0, -0x1.9525a9cf456b4p-3, -0x1.d904c1d4e2e26p-57},
    {0x1.354p0, -0x1.83040c91bcf2ep-3, 0x1.1c7233219bcc5p-57},
    {0x1.324p0, -0x1.6f0d28ae56b4cp-3, 0x1.906d99184b992p-57},
    {0x1.2f8p0, -0x1.5c940075972b9p-3, -0x1.adccb73379cc5p-58},
    {0x1.2c8p0, -0x1.483bccce6e3ddp-3, -0x1.29391fb1b4b22p-57},
    {0x1.2ap0, -0x1.371fc201e8f74p-3, -0x1.de6cb62af18ap-58},
    {0x1.274p0, -0x1.2423113ba50e3p-3, 0x1.e3ba766fc9a72p-66},
    {0x1.248p0, -0x1.10f8e422539b1p-3, -0x1.8f798d39f1b7dp-58},
    {0x1.22p0, -0x1.fec9131dbeabbp-4, 0x1.5746b9981b36cp-58},
    {0x1.1f8p0, -0x1.db5270187d927p-4, -0x1.e15ab8607d2acp-58},
    {0x1.1dp0, -0x1.b78c82bb0eda1p-4, -0x1.0878cf0327e21p-61},
    {0x1.1a8p0, -0x1.9375e55595edep-4, 0x1.e463f9e4dd92p-59},
    {0x1.18p0, -0x1.6f0d28ae56b4cp-4, 0x1.906d99184b992p-58},
    {0x1.15cp0, -0x1.4e01108a35ae6p-4, 0x1.81069d28db75bp-59},
    {0x1.134p0, -0x1.28f83450eda8dp-4, -0x1.d6a8465da24a3p-58},
    {0x1.11p0, -0x1.075983598e471p-4, -0x1.80da5333c45b8p-59},
    {0x1.0ecp0, -0x1.cae72fb95c20bp-5, 0x1.f9012d8df3f0ep-59},
    {0x1.0c8p0, -0x1.868a83083f6cfp-5, 0x1.d09a5634943dbp-61},
    {0x1.0a8p0, -0x1.494acc34d911cp-5, -0x1.e295bf491ccc5p-59},
    {0x1.084p0, -0x1.03d5d85e73eefp-5, -0x1.2c1da539d60edp-61},
    {0x1.064p0, -0x1.8b31faca9b00ep-6, -0x1.d5a46da6f6772p-62},
    {0x1.04p0, -0x1.fc0a8b0fc03e4p-7, 0x1.83092c59642a1p-62},
    {0x1.02p0, -0x1.fe02a6b106789p-8, 0x1.e44b7e3711ebfp-67},
    {0x1p0, 0, 0},
    {0x1.fcp-1, 0x1.010157588de71p-7, 0x1.46662d417cedp-62},
    {0x1.f8p-1, 0x1.0205658935847p-6, 0x1.27c8e8416e71fp-60},
    {0x1.f48p-1, 0x1.74321d3d006d3p-6, -0x1.96f016b887bf4p-60},
    {0x1.f08p-1, 0x1.f7a9b16782856p-6, -0x1.36c720c147756p-60},
    {0x1.edp-1, 0x1.35c8bfaa1306bp-5, -0x1.50830a65543a4p-63},
    {0x1.e9p-1, 0x1.788595a3577bap-5, 0x1.e5ef898b67923p-59},
    {0x1.e58p-1, 0x1.b35dd9b58baadp-5, -0x1.6526154e379dfp-61},
    {0x1.e2p-1, 0x1.eea31c006b87cp-5, -0x1.3e4fc93b7b66cp-59},
    {0x1.de8p-1, 0x1.152b799bb3cc9p-4, -0x1.948381841487fp-58},
    {0x1.dbp-1, 0x1.333d7f8183f4bp-4, 0x1.a92afc8ef70b1p-58},
    {0x1.d78p-1, 0x1.518874226130ap-4, 0x1.d96258b3d8a8fp-60},
    {0x1.d4p-1, 0x1.700d30aeac0e1p-4, -0x1.72566212cdd05p-61},
    {0x1.d1p-1, 0x1.8a6477a91dc29p-4, -0x1.fa83214904842p-59},
    {0x1.cd8p-1, 0x1.a956d3ecade63p-4, 0x1.e5300b12bd55ep-58},
    {0x1.ca8p-1, 0x1.c40d6425a5cb1p-4, 0x1.21d1930dc8acdp-60},
    {0x1.c7p-1, 0x1.e3707ee30487bp-4, 0x1.09ccecd579d99p-58},
    {0x1.c4p-1, 0x1.fe89139dbd566p-4, -0x1.ac9f4215f9393p-58},
    {0x1.c1p-1, 0x1.0ce7ecdccc28dp-3, -0x1.692a0055dc959p-57},
    {0x1.bep-1, 0x1.1aa2b7e23f72ap-3, -0x1.c6ef1d9b2ef7ep-59},
    {0x1.bbp-1, 0x1.28753bc11aba5p-3, -0x1.6394d9fa33311p-57},
    {0x1.b8p-1, 0x1.365fcb0159016p-3, 0x1.7d411a5b944adp-58},
    {0x1.b5p-1, 0x1.4462b9dc9b3dcp-3, -0x1.629c46c186385p-58},
    {0x1.b2p-1, 0x1.527e5e4a1b58dp-3, -0x1.71a9682395bfdp-61},
    {0x1.afp-1, 0x1.60b3100b09476p-3, -0x1.5b2623e05016bp-58},
    {0x1.ac8p-1, 0x1.6c9d07d203fc7p-3, 0x1.80a04c9a46c61p-59},
    {0x1.a98p-1, 0x1.7b0091651528cp-3, 0x1.4069f303518c8p-57},
    {0x1.a7p-1, 0x1.871213750e994p-3, 0x1.d685f35eea2ap-57},
    {0x1.a4p-1, 0x1.95a5adcf7017fp-3, 0x1.142c507fb7a3dp-58},
    {0x1.a18p-1, 0x1.a1dfc40f1b7f1p-3, -0x1.e009e6f018fe8p-61},
    {0x1.9fp-1, 0x1.ae2ca6f672bd4p-3, 0x1.ab5ca9eaa088ap-57},
    {0x1.9cp-1, 0x1.bd087383bd8adp-3, 0x1.dd355f6a516d7p-60},
    {0x1.998p-1, 0x1.c97f8079d44ecp-3, 0x1.61a8c6e6c4ee7p-57},
    {0x1.97p-1, 0x1.d60a17f903515p-3, -0x1.c0df841a71b7ap-57},
    {0x1.948p-1, 0x1.e2a877a6b2c12p-3, -0x1.fa21e3df9943p-58},
    {0x1.92p-1, 0x1.ef5ade4dcffe6p-3, -0x1.08ab2ddc708ap-58},
    {0x1.8f8p-1, 0x1.fc218be620a5ep-3, -0x1.6e438c258187fp-58},
    {0x1.8dp-1, 0x1.047e60cde83b8p-2, -0x1.0779634061cbcp-56},
    {0x1.8bp-1, 0x1.09aa572e6c6d4p-2, 0x1.43c2e68684d53p-57},
    {0x1.888p-1, 0x1.102ac0a35cc1cp-2, 0x1.088080a5e68b4p-59},
    {0x1.86p-1, 0x1.16b5ccbacfb73p-2, 0x1.66fbd28b40935p-56},
    {0x1.84p-1, 0x1.1bf99635a6b95p-2, -0x1.12aeb84249223p-57},
    {0x1.818p-1, 0x1.22981fbef797bp-2, -0x1.0b04ac06cebep-59},
    {0x1.7f8p-1, 0x1.27ebaf58d8c9dp-2, -0x1.8800b4bda6c97p-57},
    {0x1.7dp-1, 0x1.2e9e2bce12286p-2, 0x1.8251a3b83d97ap-62},
    {0x1.7bp-1, 0x1.3401e12aecba1p-2, -0x1.cd55b8a4746cp-58},
    {0x1.788p-1, 0x1.3ac8ca38e5c5fp-2, -0x1.f7de015f253eep-56},
    {0x1.768p-1, 0x1.403d086cea79cp-2, -0x1.0a8bb78cf7cdap-56},
    {0x1.748p-1, 0x1.45b8c0a17df13p-2, 0x1.dbe305eaf5a2p-56},
    {0x1.728p-1, 0x1.4b3c077267e9ap-2, 0x1.2e5fbeb518508p-56},
    {0x1.7p-1, 0x1.522ae0738a3d8p-2, -0x1.8f7e9b38a6979p-57},
    {0x1.6ep-1, 0x1.57bf753c8d1fbp-2, -0x1.0908d15f88b63p-57},
    {0x1.6cp-1, 0x1.5d5bddf595f3p-2, -0x1.6541148cbb8a2p-56},
    {0x1.6ap-1, 0x1.630030b3aac49p-2, 0x1.dc18ce51fff99p-57},
};

// high + low is 2^(j / 32).
struct rt_exp_entry {
    double high;
    double low;
};
static const struct rt_exp_entry rt_exp_table[32] = {
    {0x1p0, 0},
    {0x1.059b0d3158574p0, 0x1.d73e2a475b465p-55},
    {0x1.0b5586cf9890fp0, 0x1.8a62e4adc610bp-54},
    {0x1.11301d0125b51p0, -0x1.6c51039449b3ap-54},
    {0x1.172b83c7d517bp0, -0x1.19041b9d78a76p-55},
    {0x1.1d4873168b9aap0, 0x1.e016e00a2643cp-54},
    {0x1.2387a6e756238p0, 0x1.9b07eb6c70573p-54},
    {0x1.29e9df51fdee1p0, 0x1.612e8afad1255p-55},
    {0x1.306fe0a31b715p0, 0x1.6f46ad23182e4p-55},
    {0x1.371a7373aa9cbp0, -0x1.63aeabf42eae2p-54},
    {0x1.3dea64c123422p0, 0x1.ada0911f09ebcp-55},
    {0x1.44e086061892dp0, 0x1.89b7a04ef80dp-59},
    {0x1.4bfdad5362a27p0, 0x1.d4397afec42e2p-56},
    {0x1.5342b569d4f82p0, -0x1.07abe1db13cadp-55},
    {0x1.5ab07dd485429p0, 0x1.6324c054647adp-54},
    {0x1.6247eb03a5585p0, -0x1.383c17e40b497p-54},
    {0x1.6a09e667f3bcdp0, -0x1.bdd3413b26456p-54},
    {0x1.71f75e8ec5f74p0, -0x1.16e4786887a99p-55},
    {0x1.7a11473eb0187p0, -0x1.41577ee04992fp-55},
    {0x1.82589994cce13p0, -0x1.d4c1dd41532d8p-54},
    {0x1.8ace5422aa0dbp0, 0x1.6e9f156864b27p-54},
    {0x1.93737b0cdc5e5p0, -0x1.75fc781b57ebcp-57},
    {0x1.9c49182a3f09p0, 0x1.c7c46b071f2bep-56},
    {0x1.a5503b23e255dp0, -0x1.d2f6edb8d41e1p-54},
    {0x1.ae89f995ad3adp0, 0x1.7a1cd345dcc81p-54},
    {0x1.b7f76f2fb5e47p0, -0x1.5584f7e54ac3bp-56},
    {0x1.c199bdd85529cp0, 0x1.11065895048ddp-55},
    {0x1.cb720dcef9069p0, 0x1.503cbd1e949dbp-56},
    {0x1.d5818dcfba487p0, 0x1.2ed02d75b3707p-55},
    {0x1.dfc97337b9b5fp0, -0x1.1a5cd4f184b5cp-54},
    {0x1.ea4afa2a490dap0, -0x1.e9c23179c2893p-54},
    {0x1.f50765b6e454p0, 0x1.9d3e12dd8a18bp-54},
};
// clang-format on

#endif
